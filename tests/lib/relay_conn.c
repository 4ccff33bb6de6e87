#include "relay_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "relay.h"

enum { HEAD_MAX = 8 * 1024, PIECE = 16 * 1024 };

/* The numbers of RFC 1928 and RFC 1929. */
enum {
    SOCKS_VERSION = 5,
    SOCKS_OPEN = 0,
    SOCKS_PASSWORD = 2,
    SOCKS_NO_WAY = 0xFF,
    SOCKS_V4 = 1,
    SOCKS_NAME = 3,
    SOCKS_V6 = 4,
    SOCKS_REFUSED = 5,
};

static bool read_exactly(int fd, void *bytes, size_t len)
{
    return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

/* A length and as many bytes, as a string; how many, or -1. */
static int read_counted(int fd, char text[static 256])
{
    uint8_t len;

    if (!read_exactly(fd, &len, 1) || (len && !read_exactly(fd, text, len)))
        return -1;
    text[len] = '\0';
    return len;
}

/* ---- SOCKS ---- */

static bool socks_authenticate(int fd, const char *credentials, struct relay_record *record)
{
    char user[256], password[256];
    uint8_t version;

    if (!read_exactly(fd, &version, 1) || read_counted(fd, user) < 0 ||
        read_counted(fd, password) < 0)
        return false;
    snprintf(record->credentials, RELAY_TEXT_SIZE, "%.60s:%.60s", user, password);
    bool known = strcmp(record->credentials, credentials) == 0;
    uint8_t answer[] = {1, !known};
    return client_send(fd, answer, sizeof answer) == 0 && known;
}

static bool socks_greet(int fd, const char *credentials, struct relay_record *record)
{
    uint8_t wanted = credentials ? SOCKS_PASSWORD : SOCKS_OPEN;
    uint8_t version;
    char ways[256];
    int count;

    if (!read_exactly(fd, &version, 1) || (count = read_counted(fd, ways)) < 0)
        return false;
    bool may = memchr(ways, wanted, (size_t)count) != NULL;
    uint8_t answer[] = {SOCKS_VERSION, may ? wanted : SOCKS_NO_WAY};
    if (client_send(fd, answer, sizeof answer) < 0 || !may)
        return false;
    return !credentials || socks_authenticate(fd, credentials, record);
}

/* An address or a name of that type, as a string. */
static bool socks_read_host(int fd, uint8_t type, char host[static 256])
{
    uint8_t address[16];

    if (type == SOCKS_NAME)
        return read_counted(fd, host) >= 0;
    if (type != SOCKS_V4 && type != SOCKS_V6)
        return false;
    return read_exactly(fd, address, type == SOCKS_V4 ? 4 : 16) &&
           inet_ntop(type == SOCKS_V4 ? AF_INET : AF_INET6, address, host, 256);
}

static int socks_open(int fd, const char *credentials, struct relay_record *record)
{
    uint8_t answer[10] = {SOCKS_VERSION, 0, 0, SOCKS_V4};
    uint8_t request[4], port[2];
    char host[256];

    if (!socks_greet(fd, credentials, record) || !read_exactly(fd, request, sizeof request) ||
        !socks_read_host(fd, request[3], host) || !read_exactly(fd, port, sizeof port))
        return -1;
    unsigned number = port[0] * 256u + port[1];
    snprintf(record->target, RELAY_TEXT_SIZE, "%.100s:%u", host, number);
    int other = client_connect(request[3] == SOCKS_NAME ? "127.0.0.1" : host, (uint16_t)number);
    answer[1] = other < 0 ? SOCKS_REFUSED : 0;
    return client_send(fd, answer, sizeof answer) == 0 && other >= 0 ? other : -1;
}

/* ---- HTTP ---- */

/* Up to its empty line, as a string, and no byte of what follows. */
static bool read_head(int fd, char head[static HEAD_MAX])
{
    size_t len = 0;

    while (len + 1 < HEAD_MAX && read_exactly(fd, head + len, 1)) {
        head[++len] = '\0';
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static int http_open(int fd, const char *credentials, struct relay_record *record)
{
    static const char name[] = "\r\nProxy-Authorization: ";
    char head[HEAD_MAX], host[RELAY_TEXT_SIZE];

    if (!read_head(fd, head))
        return -1;
    const char *said = strcasestr(head, name);
    if (said)
        snprintf(record->credentials, RELAY_TEXT_SIZE, "%.*s",
                 (int)strcspn(said + strlen(name), "\r"), said + strlen(name));
    if (credentials && strcmp(record->credentials, credentials) != 0) {
        client_send_text(fd, "HTTP/1.1 407 Proxy Authentication Required\r\n"
                             "Proxy-Authenticate: Basic realm=\"relay\"\r\n"
                             "Content-Length: 0\r\nConnection: close\r\n\r\n");
        return -1;
    }
    if (sscanf(head, "CONNECT %100[^ ]", host) != 1 || !strrchr(host, ':')) {
        client_send_text(fd, "HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n");
        return -1;
    }
    snprintf(record->target, RELAY_TEXT_SIZE, "%s", host);
    unsigned long port = strtoul(strrchr(host, ':') + 1, NULL, 10);
    int other = client_connect("127.0.0.1", (uint16_t)port);
    client_send_text(fd, other < 0 ? "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
                                   : "HTTP/1.1 200 Connected\r\n\r\n");
    return other < 0 ? -1 : other;
}

int relay_conn_open(int fd, const char *credentials, struct relay_record *record)
{
    char first;

    if (recv(fd, &first, 1, MSG_PEEK) != 1)
        return -1;
    return first == SOCKS_VERSION ? socks_open(fd, credentials, record)
                                  : http_open(fd, credentials, record);
}

/* False at the end. */
static bool pass_piece(int from, int to)
{
    char piece[PIECE];
    ssize_t got = recv(from, piece, sizeof piece, 0);

    if (got > 0 && client_send(to, piece, (size_t)got) == 0)
        return true;
    shutdown(to, SHUT_WR);
    return false;
}

void relay_conn_pass(int fd, int other)
{
    struct pollfd ends[] = {{.fd = fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};

    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        if (poll(ends, 2, -1) < 0 && errno != EINTR)
            return;
        if (ends[0].fd >= 0 && ends[0].revents && !pass_piece(fd, other))
            ends[0].fd = -1;
        if (ends[1].fd >= 0 && ends[1].revents && !pass_piece(other, fd))
            ends[1].fd = -1;
    }
}
