#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay_conn.h"
#include "server_child.h"

/* One mapping that the children write and the parent reads. */
struct relay_log {
    _Atomic size_t begun;
    _Atomic size_t written; /* these are whole */
    struct relay_record records[RELAY_RECORDS_MAX];
};

struct relay {
    pid_t pid;
    int life_fd; /* closing it ends the child */
    uint16_t port;
    struct relay_log *log;
};

static int listen_any(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(fd, SOMAXCONN) == 0 && getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
        *ret_port = ntohs(address.sin_port);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static _Noreturn void serve_one(int fd, const char *credentials, struct relay_log *log)
{
    struct relay_record spare = {0};
    size_t index = atomic_fetch_add(&log->begun, 1);
    struct relay_record *record = index < RELAY_RECORDS_MAX ? &log->records[index] : &spare;
    int other = relay_conn_open(fd, credentials, record);

    atomic_fetch_add(&log->written, 1);
    if (other >= 0)
        relay_conn_pass(fd, other);
    _exit(0);
}

/* A process for each connection, which may wait as long as it likes and ends with this one. */
static _Noreturn void serve(int listen_fd, int life_fd, const char *credentials,
                            struct relay_log *log)
{
    struct pollfd ready[] = {{.fd = listen_fd, .events = POLLIN},
                             {.fd = life_fd, .events = POLLIN}};
    pid_t self = getpid();

    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            _exit(1);
        if (ready[1].revents)
            _exit(0);
        int fd = ready[0].revents ? accept(listen_fd, NULL, NULL) : -1;
        if (fd >= 0 && fork() == 0) {
            server_child_begin(fd, life_fd, self);
            serve_one(fd, credentials, log);
        }
        if (fd >= 0)
            close(fd);
    }
}

static int fork_server(struct relay *relay, int listen_fd, const char *credentials)
{
    pid_t parent = getpid();
    int life[2];

    if (pipe2(life, O_CLOEXEC) < 0)
        return -1;
    relay->pid = fork();
    if (relay->pid == 0) {
        struct relay_log *log = relay->log;
        free(relay); /* the parent's; here nobody would */
        server_child_begin(listen_fd, life[0], parent);
        serve(listen_fd, life[0], credentials, log);
    }
    close(life[0]);
    relay->life_fd = life[1];
    if (relay->pid > 0)
        return 0;
    close(life[1]);
    return -1;
}

struct relay *relay_start(const char *credentials)
{
    struct relay *relay = calloc(1, sizeof *relay);

    if (!relay)
        return NULL;
    relay->log =
        mmap(NULL, sizeof *relay->log, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int listen_fd = relay->log == MAP_FAILED ? -1 : listen_any(&relay->port);
    if (listen_fd >= 0 && fork_server(relay, listen_fd, credentials) == 0) {
        close(listen_fd);
        return relay;
    }
    if (listen_fd >= 0)
        close(listen_fd);
    if (relay->log != MAP_FAILED)
        munmap(relay->log, sizeof *relay->log);
    free(relay);
    return NULL;
}

int relay_stop(struct relay *relay)
{
    int status = 0;

    if (!relay)
        return 0;
    close(relay->life_fd);
    waitpid(relay->pid, &status, 0);
    munmap(relay->log, sizeof *relay->log);
    free(relay);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

uint16_t relay_port(const struct relay *relay)
{
    return relay->port;
}

size_t relay_count(const struct relay *relay)
{
    return atomic_load(&relay->log->written);
}

const struct relay_record *relay_record(const struct relay *relay, size_t index)
{
    return &relay->log->records[index];
}
