#include "input/source.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "input/glob.h"
#include "input/parse.h"

struct source {
    struct ev_loop *loop;
    const struct source_rules *rules;

    size_t next_url; /* index of the argument to begin with when the glob is through */
    struct glob *glob;
    struct buf expanded, taken;

    size_t next_input;
    bool reads_stdin; /* no input was named */
    struct fd fd;
    const char *name; /* NULL for stdin */
    ev_io watcher;
    bool readable; /* the loop said so, and no read has found it empty since */
    bool at_end;   /* of the input that is open */

    struct buf bytes; /* read and not yet given out */
    size_t given;     /* of those, how many have been given out since */
    size_t scanned;   /* of those, how many hold no end of line */
    uint64_t line;
    bool skipping; /* the rest of a line that was cut */
};

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct source *source = CONTAINER_OF(watcher, struct source, watcher);

    (void)events;
    source->readable = true;
    ev_io_stop(loop, watcher);
}

struct source *source_new(struct ev_loop *loop, const struct source_rules *rules)
{
    struct source *source = xcalloc(1, sizeof *source);

    source->loop = loop;
    source->rules = rules;
    source->fd.number = -1;
    source->reads_stdin = !rules->urls.len && !rules->files.len;
    buf_init(&source->expanded);
    buf_init(&source->taken);
    buf_init(&source->bytes);
    ev_init(&source->watcher, on_readable);
    return source;
}

static void close_input(struct source *source)
{
    ev_io_stop(source->loop, &source->watcher);
    fd_release(&source->fd);
}

void source_free(struct source *source)
{
    if (!source)
        return;
    close_input(source);
    glob_free(source->glob);
    buf_release(&source->expanded);
    buf_release(&source->taken);
    buf_release(&source->bytes);
    free(source);
}

/* The next URL of the arguments, or NULL. */
static const char *next_url(struct source *source, struct buf *err)
{
    const struct strings *urls = &source->rules->urls;

    buf_clear(&source->expanded);
    buf_clear(&source->taken);
    while (source->next_url < urls->len || source->glob) {
        if (source->glob && glob_next(source->glob, &source->expanded)) {
            glob_add_taken(source->glob, &source->taken);
            return source->expanded.data;
        }
        glob_free(source->glob);
        source->glob = NULL;
        if (source->next_url == urls->len)
            break;
        const char *url = urls->at[source->next_url++];
        if (source->rules->globoff || glob_new(url, &source->glob, err))
            return url;
    }
    return NULL;
}

static int open_named(struct source *source, const char *name)
{
    if (strcmp(name, "-") != 0) {
        source->name = name;
        return fd_open(&source->fd, name, FD_READ);
    }
    source->name = NULL;
    fd_adopt(&source->fd, STDIN_FILENO, FD_READ);
    return 0;
}

static void begin_input(struct source *source)
{
    buf_clear(&source->bytes);
    source->given = source->scanned = 0;
    source->line = 0;
    source->at_end = source->skipping = false;
    source->readable = !fd_needs_watching(&source->fd);
    if (fd_needs_watching(&source->fd))
        ev_io_set(&source->watcher, source->fd.number, EV_READ);
}

static enum source_step trouble(struct source *source, int error, struct buf *err)
{
    buf_setf(err, "%s: %s", source->name ? source->name : "stdin", strerror(-error));
    close_input(source);
    return SOURCE_TROUBLE;
}

/* SOURCE_ITEM: there is an input to read from. */
static enum source_step open_next(struct source *source, struct buf *err)
{
    const struct strings *inputs = &source->rules->files;
    const char *name;

    if (source->reads_stdin && source->next_input == 0)
        name = "-";
    else if (source->next_input < inputs->len)
        name = inputs->at[source->next_input];
    else
        return SOURCE_END;
    source->next_input++;
    int result = open_named(source, name);
    if (result)
        return trouble(source, result, err);
    begin_input(source);
    return SOURCE_ITEM;
}

static void give(struct source *source, size_t len, bool cut, struct source_item *item)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* some editors' sign that UTF-8 follows */
    const size_t mark_len = sizeof mark - 1;

    *item = (struct source_item){.text = source->bytes.data + source->given,
                                 .len = len,
                                 .input = source->name,
                                 .line = ++source->line,
                                 .cut = cut};
    if (item->line == 1 && len >= mark_len && memcmp(item->text, mark, mark_len) == 0) {
        item->text += mark_len;
        item->len -= mark_len;
    }
}

/* The end of the line that begins at `given`, as an offset, or -1 where it is not there yet. */
static ssize_t find_end(struct source *source)
{
    char ending = source->rules->null_separated ? '\0' : '\n';
    size_t from = source->given + source->scanned;
    const char *found = memchr(source->bytes.data + from, ending, source->bytes.len - from);

    if (found)
        return found - source->bytes.data;
    source->scanned = source->bytes.len - source->given;
    return -1;
}

static void advance(struct source *source, size_t len)
{
    source->given += len;
    source->scanned = 0;
}

/* Takes the next line out of what has been read; false where there is no whole one. */
static bool take_line(struct source *source, struct source_item *item)
{
    ssize_t end = find_end(source);
    size_t len = (end < 0 ? source->bytes.len : (size_t)end) - source->given;
    bool last = end < 0 && source->at_end && len > 0;

    if (end < 0 && !last && len <= PARSE_LINE_MAX)
        return false;
    if (source->skipping) {
        advance(source, len + (end >= 0));
        source->skipping = end < 0;
        return end >= 0 && take_line(source, item);
    }
    bool cut = len > PARSE_LINE_MAX;
    give(source, cut ? PARSE_LINE_MAX : len, cut, item);
    source->skipping = cut && end < 0;
    advance(source, len + (end >= 0));
    return true;
}

/* Reads once. SOURCE_ITEM: ask again for a line. */
static enum source_step read_more(struct source *source, struct buf *err)
{
    if (!source->readable)
        return SOURCE_WAIT;
    buf_drop(&source->bytes, source->given);
    source->given = 0;
    ssize_t got =
        fd_read(&source->fd, buf_reserve(&source->bytes, SOURCE_READ_BYTES), SOURCE_READ_BYTES);
    if (got == -EAGAIN) {
        source->readable = false;
        return SOURCE_WAIT;
    }
    if (got < 0)
        return trouble(source, (int)got, err);
    buf_extend(&source->bytes, (size_t)got);
    source->at_end = got == 0;
    if (got < SOURCE_READ_BYTES)
        source->readable = !fd_needs_watching(&source->fd);
    return SOURCE_ITEM;
}

static enum source_step next_line(struct source *source, struct source_item *item, struct buf *err)
{
    for (int reads = 0; reads < SOURCE_READS_MAX; reads++) {
        enum source_step step = SOURCE_ITEM;
        if (source->fd.number < 0)
            step = open_next(source, err);
        else if (take_line(source, item))
            return SOURCE_ITEM;
        else if (source->at_end)
            close_input(source);
        else
            step = read_more(source, err);
        if (step != SOURCE_ITEM)
            return step;
    }
    return SOURCE_BUSY;
}

enum source_step source_next(struct source *source, struct source_item *item, struct buf *err)
{
    const char *url = next_url(source, err);

    if (!url)
        return next_line(source, item, err);
    *item = (struct source_item){.text = url, .len = strlen(url), .taken = source->taken.data};
    return SOURCE_ITEM;
}

void source_watch(struct source *source, bool wanted)
{
    bool watch = wanted && source->fd.number >= 0 && fd_needs_watching(&source->fd) &&
                 !source->readable && !source->at_end;

    if (watch)
        ev_io_start(source->loop, &source->watcher);
    else
        ev_io_stop(source->loop, &source->watcher);
}
