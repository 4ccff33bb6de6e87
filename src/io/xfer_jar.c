#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "io/xfer_internal.h"
#include "model/options.h"

/* libcurl can write the file, too, but does not say when it could not: so its lines are taken from
 * it and written here. */

static const char jar_head[] = "# Netscape HTTP Cookie File\n"
                               "# https://curl.se/docs/http-cookies.html\n"
                               "# Written by weir. Edit at your own risk.\n\n";

/* The fifth column of a line says when the cookie ends, 0 for the end of the session. */
static bool has_expired(const char *line, double now)
{
    for (int column = 0; column < 4 && line; column++) {
        line = strchr(line, '\t');
        line += line != NULL;
    }
    double expires = line ? strtod(line, NULL) : 0;
    return expires > 0 && expires < now;
}

static void add_lines(CURL *easy, struct buf *text)
{
    struct curl_slist *lines = NULL;
    double now = clock_wall();

    buf_add_text(text, jar_head);
    curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &lines);
    for (const struct curl_slist *at = lines; at; at = at->next) {
        if (!has_expired(at->data, now))
            buf_addf(text, "%s\n", at->data);
    }
    curl_slist_free_all(lines);
}

/* Writes all and closes; 0 or a negative errno. Closing, too, can tell of a disk that is full. */
static int write_and_close(int fd, const struct buf *text)
{
    size_t done = 0;
    int error = 0;

    while (done < text->len && !error) {
        ssize_t len = write(fd, text->data + done, text->len - done);
        if (len >= 0)
            done += (size_t)len;
        else if (errno != EINTR)
            error = errno;
    }
    if (close(fd) < 0 && !error)
        error = errno;
    return -error;
}

static int write_in_place(const char *path, const struct buf *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    return fd < 0 ? -errno : write_and_close(fd, text);
}

/* The file that is there stays whole until the new one is. */
static int replace_file(const char *path, mode_t mode, const struct buf *text)
{
    struct buf name;
    int result;

    buf_init(&name);
    buf_addf(&name, "%s.XXXXXX", path);
    int fd = mkostemp(name.data, O_CLOEXEC);
    if (fd < 0) {
        result = write_in_place(path, text); /* the directory takes no other file */
    } else {
        int ignored = fchmod(fd, mode);
        (void)ignored;
        result = write_and_close(fd, text);
        if (!result && rename(name.data, path) < 0)
            result = -errno;
        if (result)
            unlink(name.data);
    }
    buf_release(&name);
    return result;
}

static int write_file(const char *path, const struct buf *text)
{
    struct stat status;

    if (lstat(path, &status) < 0) {
        mode_t mask = umask(0);
        umask(mask);
        return replace_file(path, 0666 & ~mask, text);
    }
    if (!S_ISREG(status.st_mode))
        return write_in_place(path, text);
    if (access(path, W_OK) < 0)
        return -errno;
    return replace_file(path, status.st_mode & 0777, text);
}

static int write_stdout(const struct buf *text)
{
    if (fwrite(text->data, 1, text->len, stdout) == text->len && fflush(stdout) == 0)
        return 0;
    return -errno;
}

int xfer_save_cookies(struct xfer *xfer, struct buf *err)
{
    const char *path = xfer->options->cookie_jar;
    struct buf text;

    if (!path || !xfer->jar)
        return 0;
    buf_init(&text);
    add_lines(xfer->jar, &text);
    bool is_stdout = strcmp(path, "-") == 0;
    int result = is_stdout ? write_stdout(&text) : write_file(path, &text);
    buf_release(&text);
    if (!result)
        return 0;
    buf_setf(err, "cannot write cookies to %s: %s", is_stdout ? "stdout" : path, strerror(-result));
    return -EIO;
}
