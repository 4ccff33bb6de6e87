#include "origin_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "origin.h"
#include "origin_conn.h"
#include "origin_keys.h"
#include "origin_log.h"

enum {
    BACKLOG = 16384,
    ACCEPTS_A_TURN = 256, /* before those that are in have their turn */
};

struct server {
    struct origin_hub hub;
    ev_io acceptable;
    ev_io life;
    ev_prepare prepare;
    size_t room; /* connections at once */
};

static int listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(path) + 1;

    if (size > sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, size);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (void *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static int listen_inet(const char *host, uint16_t port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char service[8];
    int on = 1;

    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        /* What is accepted inherits this; pieces of a drip must not wait for each other. */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) < 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

int origin_server_listen(const struct origin_options *options)
{
    const char *address = options->any ? "0.0.0.0" : options->address;
    int fd;

    if (address && address[0] == '/')
        fd = listen_unix(address);
    else
        fd = listen_inet(address ? address : "127.0.0.1", options->port);
    if (fd >= 0 && listen(fd, BACKLOG) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void origin_server_address(int listen_fd, char url[ORIGIN_URL_SIZE], uint16_t *ret_port)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN] = "localhost";
    char service[8] = "0";

    if (getsockname(listen_fd, (void *)&address, &len) < 0)
        abort();
    bool inet = address.ss_family != AF_UNIX;
    bool v6 = address.ss_family == AF_INET6;
    if (inet && getnameinfo((void *)&address, len, host, sizeof host, service, sizeof service,
                            NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        abort();
    if (strcmp(host, "0.0.0.0") == 0)
        strcpy(host, "127.0.0.1");
    snprintf(url, ORIGIN_URL_SIZE, "http://%s%s%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "",
             inet ? ":" : "", inet ? service : "");
    if (ret_port)
        *ret_port = (uint16_t)strtoul(service, NULL, 10);
}

static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct server *server = watcher->data;

    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && server->hub.open < server->room; i++) {
        int fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            origin_conn_start(&server->hub, fd);
            continue;
        }
        /* Out of descriptors: what is open now is all there is room for. */
        if ((errno == EMFILE || errno == ENFILE) && server->hub.open)
            server->room = server->hub.open;
        if (errno != ECONNABORTED && errno != EINTR)
            break;
    }
    if (server->hub.open >= server->room)
        ev_io_stop(loop, watcher);
}

/* The listener follows from the room there is. */
static void on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct server *server = watcher->data;

    (void)events;
    if (server->hub.open < server->room)
        ev_io_start(loop, &server->acceptable);
}

static void on_life(struct ev_loop *loop, ev_io *watcher, int events)
{
    char ignored[256];
    ssize_t got = read(watcher->fd, ignored, sizeof ignored);

    (void)events;
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        ev_break(loop, EVBREAK_ALL);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void origin_server_run(int listen_fd, int life_fd, struct origin_log *log)
{
    struct server server = {
        .hub = {.loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV), .log = log},
        .room = ORIGIN_CONNECTIONS_MAX,
    };
    struct ev_loop *loop = server.hub.loop;

    if (!loop)
        abort();
    raise_descriptor_limit();
    server.hub.keys = origin_keys_new();
    ev_io_init(&server.acceptable, on_acceptable, listen_fd, EV_READ);
    ev_io_init(&server.life, on_life, life_fd, EV_READ);
    ev_prepare_init(&server.prepare, on_prepare);
    server.acceptable.data = server.prepare.data = &server;
    ev_io_start(loop, &server.life);
    ev_prepare_start(loop, &server.prepare);

    ev_run(loop, 0);

    origin_conn_stop_all(&server.hub);
    ev_io_stop(loop, &server.acceptable);
    ev_io_stop(loop, &server.life);
    ev_prepare_stop(loop, &server.prepare);
    ev_loop_destroy(loop);
    origin_keys_free(server.hub.keys);
    close(listen_fd);
}
