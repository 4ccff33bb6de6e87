/*
 * The origin for the shell: prints its address, serves until stdin ends or a signal does it.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "origin.h"
#include "origin_log.h"
#include "origin_server.h"

static int usage(FILE *to, int status)
{
    fputs("usage: origin [--port N] [--address ADDRESS | --any]\n"
          "Serves scripted answers (see origin_script.h) until stdin ends.\n",
          to);
    return status;
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (end == text || *end || port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* 0, or -1 when the arguments are none. */
static int parse_arguments(int argc, char **argv, struct origin_options *options)
{
    static const struct option words[] = {
        {"port", required_argument, NULL, 'p'},
        {"address", required_argument, NULL, 'a'},
        {"any", no_argument, NULL, 'A'},
        {0},
    };
    int word;

    while ((word = getopt_long(argc, argv, "", words, NULL)) != -1) {
        if (word == 'A')
            options->any = true;
        else if (word == 'a')
            options->address = optarg;
        else if (word != 'p' || !parse_port(optarg, &options->port))
            return -1;
    }
    return optind == argc ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct origin_options options = {.quiet = true};

    if (parse_arguments(argc, argv, &options) < 0)
        return usage(stderr, 2);
    char address[ORIGIN_URL_SIZE];
    int listen_fd = origin_server_listen(&options);
    struct origin_log *log = origin_log_new(true);
    if (listen_fd < 0 || !log) {
        fprintf(stderr, "origin: cannot listen: %s\n", strerror(errno));
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    origin_server_address(listen_fd, address, NULL);
    printf("%s\n", address);
    fflush(stdout);
    origin_server_run(listen_fd, STDIN_FILENO, log);
    origin_log_free(log);
    return 0;
}
