#include "canned.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct canned {
    pid_t pid;
    uint16_t port;
};

/* One client after the other. What it sends is read to its end: a close would answer the rest with
 * a reset, which may overtake the answer. */
static void serve(int listener, const void *answer, size_t len)
{
    char bytes[4096];
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got > 0 && write(fd, answer, len) == (ssize_t)len) {
            shutdown(fd, SHUT_WR);
            while (read(fd, bytes, sizeof bytes) > 0)
                ;
        }
        close(fd);
    }
}

struct canned *canned_start(const void *answer, size_t len)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t address_len = sizeof address;
    struct canned *canned = calloc(1, sizeof *canned);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(canned);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_geq(listener, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 16), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &address_len), 0);
    canned->port = ntohs(address.sin_port);
    canned->pid = fork();
    cr_assert_geq(canned->pid, 0);
    if (canned->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        serve(listener, answer, len);
        _exit(0);
    }
    close(listener);
    return canned;
}

uint16_t canned_port(const struct canned *canned)
{
    return canned->port;
}

void canned_stop(struct canned *canned)
{
    if (!canned)
        return;
    kill(canned->pid, SIGKILL);
    waitpid(canned->pid, NULL, 0);
    free(canned);
}
