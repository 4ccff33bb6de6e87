#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/util.h"
#include "cli/option_check.h"
#include "cli/options.h"

/* What only this machine can say of an option's argument: its files, its network interfaces. */

static int fail_path(struct buf *err, const char *verb, const char *path)
{
    buf_setf(err, "cannot %s %s: %s", verb, path, strerror(errno));
    return -EINVAL;
}

int option_check_readable(const char *path, struct buf *err)
{
    return access(path, R_OK) == 0 ? 0 : fail_path(err, "read", path);
}

static int check_directory(const char *path, int mode, struct buf *err)
{
    struct stat status;

    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        errno = ENOTDIR;
    else if (access(path, mode) == 0)
        return 0;
    return fail_path(err, "use", path);
}

int option_check_upload(const char *path, struct buf *err)
{
    return strcmp(path, "-") == 0 ? 0 : option_check_readable(path, err);
}

int option_check_directory(const char *path, struct buf *err)
{
    return check_directory(path, W_OK | X_OK, err);
}

int option_check_searchable(const char *path, struct buf *err)
{
    return check_directory(path, X_OK, err);
}

/* Whether a file of that name can be made. */
static bool may_be_made(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    bool may = *path && access(dir, W_OK | X_OK) == 0;

    if (may && slash && !slash[1]) {
        errno = EISDIR;
        may = false;
    }
    free(dir);
    return may;
}

int option_check_writable(const char *path, struct buf *err)
{
    struct stat status;

    if (strcmp(path, "-") == 0)
        return 0;
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            errno = EISDIR;
        else if (access(path, W_OK) == 0)
            return 0;
    } else if (errno == ENOENT && may_be_made(path)) {
        return 0;
    }
    return fail_path(err, "write", path);
}

int option_check_replaceable(const char *path, struct buf *err)
{
    struct stat status;

    if (strcmp(path, "-") == 0)
        return option_check_own_file(path, err);
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        buf_setf(err, "cannot write %s: it is no regular file", path);
        return -EINVAL;
    }
    return may_be_made(path) ? 0 : fail_path(err, "write", path);
}

/* A list that stands where URLs do would be a host that nobody knows. */
int option_check_url(const char *argument, struct buf *err)
{
    bool marked = argument[0] == '@';
    struct stat status;

    if (!marked && (strstr(argument, "://") || stat(argument, &status) || S_ISDIR(status.st_mode)))
        return 0;
    buf_setf(err, "'%s' is no URL; -a %s reads URLs from that file", argument, argument + marked);
    return -EINVAL;
}

bool option_reads_stdin(const struct options *options)
{
    bool reads = !options->input.urls.len && !options->input.files.len;

    for (size_t i = 0; i < options->input.files.len; i++)
        reads |= strcmp(options->input.files.at[i], "-") == 0;
    return reads;
}

static bool is_input(const struct options *options, const struct stat *output)
{
    const struct strings *inputs = &options->input.files;
    struct stat input;

    for (size_t i = 0; i < inputs->len; i++) {
        if (strcmp(inputs->at[i], "-") != 0 && stat(inputs->at[i], &input) == 0 &&
            file_is_same(&input, output))
            return true;
    }
    return option_reads_stdin(options) && fstat(STDIN_FILENO, &input) == 0 &&
           file_is_same(&input, output);
}

int option_check_apart(const struct options *options, struct buf *err)
{
    const char *const outputs[][2] = {{"to", options->to},
                                      {"report", options->report},
                                      {"cookie-jar", options->cookie_jar},
                                      {"summary-file", options->summary_file}};
    struct stat output;

    for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
        const char *path = outputs[i][1];
        if (path && stat(path, &output) == 0 && S_ISREG(output.st_mode) &&
            is_input(options, &output)) {
            buf_setf(err, "--%s: %s is what the requests are read from", outputs[i][0], path);
            return -EINVAL;
        }
    }
    return 0;
}

/* ---- keys and certificates ---- */

char *option_split_cert(const char *text, const char **ret_password)
{
    struct buf name;

    buf_init(&name);
    for (; *text && *text != ':'; text++) {
        text += text[0] == '\\' && text[1];
        buf_add_char(&name, *text);
    }
    *ret_password = *text ? text + 1 : NULL;
    return buf_take(&name);
}

/* What is written there would stand among the results, were it stdout. */
int option_check_own_file(const char *path, struct buf *err)
{
    if (strcmp(path, "-") != 0)
        return option_check_writable(path, err);
    buf_setf(err, "takes the name of a file, not -");
    return -EINVAL;
}

int option_check_cert(const char *text, struct buf *err)
{
    const char *password;
    char *path = option_split_cert(text, &password);
    int result = option_check_readable(path, err);

    free(path);
    return result;
}

/* The 32 bytes of a SHA-256 in base64. */
static bool is_hash(const char *text, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    return len == 44 && strspn(text, digits) == 43 && text[43] == '=';
}

int option_check_pinned_key(const char *text, struct buf *err)
{
    static const char mark[] = "sha256//";
    const char *at = text;

    if (strncmp(text, mark, strlen(mark)) != 0 && access(text, R_OK) == 0)
        return 0;
    while (strncmp(at, mark, strlen(mark)) == 0) {
        at += strlen(mark);
        size_t len = strcspn(at, ";");
        if (!is_hash(at, len))
            break;
        at += len;
        if (!*at)
            return 0;
        at++;
    }
    buf_setf(err,
             "takes sha256//HASH[;sha256//HASH...], each the base64 of 32 bytes, or a file, "
             "not '%s'",
             text);
    return -EINVAL;
}

/* ---- where requests go out ---- */

static bool is_local(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
    bool is_bound = fd >= 0 && bind(fd, address->ai_addr, address->ai_addrlen) == 0;

    if (fd >= 0)
        close(fd);
    return is_bound;
}

/* An address, or a name that leads to one. */
static bool is_local_host(const char *name)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct addrinfo *found = NULL;
    bool is_one = false;

    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return false;
    for (const struct addrinfo *at = found; at && !is_one; at = at->ai_next)
        is_one = is_local(at);
    freeaddrinfo(found);
    return is_one;
}

int option_check_interface(const char *text, struct buf *err)
{
    bool must_be_interface = strncmp(text, "if!", 3) == 0;
    bool must_be_host = strncmp(text, "host!", 5) == 0;
    const char *name = text + (must_be_interface ? 3 : must_be_host ? 5 : 0);

    if (!must_be_host && *name && if_nametoindex(name))
        return 0;
    if (!must_be_interface && *name && is_local_host(name))
        return 0;
    buf_setf(err, "takes an interface or an address of this machine, not '%s'", text);
    return -EINVAL;
}
