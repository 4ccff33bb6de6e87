#include "client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "moment.h"

enum { READ_PIECE = 64 * 1024 };

int client_connect(const char *address, uint16_t port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char service[8];

    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(address, service, &hints, &found) != 0)
        return -EADDRNOTAVAIL;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int state = fd < 0 ? -errno : fd;
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
        state = -errno;
        close(fd);
    }
    freeaddrinfo(found);
    return state;
}

int client_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -errno;
        at += sent;
        len -= (size_t)sent;
    }
    return 0;
}

int client_send_text(int fd, const char *text)
{
    return client_send(fd, text, strlen(text));
}

/* 1 after some bytes, 0 at the end, or a negative errno. */
static int read_some(int fd, struct blob *blob, double until)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    double left = until - moment_now();

    if (left < 0 || poll(&readable, 1, (int)(left * 1000) + 1) == 0)
        return -ETIMEDOUT;
    ssize_t got = recv(fd, blob_reserve(blob, READ_PIECE), READ_PIECE, 0);
    if (got < 0)
        return errno == EINTR ? 1 : -errno;
    blob_extend(blob, (size_t)got);
    return got > 0;
}

int client_read_all(int fd, struct blob *blob, double seconds)
{
    double until = moment_now() + seconds;
    int state;

    while ((state = read_some(fd, blob, until)) > 0)
        ;
    return state;
}

int client_read_len(int fd, struct blob *blob, size_t len, double seconds)
{
    double until = moment_now() + seconds;
    int state = 1;

    while (state > 0 && blob->len < len)
        state = read_some(fd, blob, until);
    if (state == 0)
        return -EPIPE;
    return state < 0 ? state : 0;
}

int client_get(uint16_t port, const char *target, struct blob *blob, double seconds)
{
    struct blob request = {0};
    int fd = client_connect("127.0.0.1", port);

    if (fd < 0)
        return fd;
    blob_addf(&request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n",
              target, (unsigned)port);
    int state = client_send(fd, request.at, request.len);
    if (state == 0)
        state = client_read_all(fd, blob, seconds);
    close(fd);
    blob_release(&request);
    return state;
}

int client_status(const struct blob *answer)
{
    if (answer->len < 12 || strncmp(answer->at, "HTTP/1.", 7) != 0)
        return 0;
    return (int)strtol(answer->at + 9, NULL, 10);
}

struct blob_span client_body(const struct blob *answer)
{
    const char *end = answer->len ? memmem(answer->at, answer->len, "\r\n\r\n", 4) : NULL;

    if (!end)
        return (struct blob_span){"", 0};
    return (struct blob_span){end + 4, answer->len - (size_t)(end + 4 - answer->at)};
}
