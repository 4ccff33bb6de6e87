#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "moment.h"

enum { CELL = 5 /* a character in UTF-8, and its end */ };

struct pty {
    int ours, theirs;
    unsigned columns, rows, row, column;
    char cells[PTY_ROWS_MAX][PTY_COLUMNS_MAX][CELL];
    struct blob bytes, above, screen;
    size_t seen; /* of the bytes, by the screen */
    char fault[64];
};

static int open_ends(struct pty *pty)
{
    char name[64];

    pty->ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty->ours < 0 || grantpt(pty->ours) < 0 || unlockpt(pty->ours) < 0 ||
        ptsname_r(pty->ours, name, sizeof name) != 0)
        return -1;
    pty->theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return pty->theirs < 0 ? -1 : 0;
}

struct pty *pty_new(unsigned columns, unsigned rows)
{
    struct pty *pty = calloc(1, sizeof *pty);

    if (!pty)
        return NULL;
    pty->ours = pty->theirs = -1;
    if (open_ends(pty) < 0) {
        pty_free(pty);
        return NULL;
    }
    pty_resize(pty, columns, rows);
    return pty;
}

void pty_free(struct pty *pty)
{
    if (!pty)
        return;
    if (pty->ours >= 0)
        close(pty->ours);
    if (pty->theirs >= 0)
        close(pty->theirs);
    blob_release(&pty->bytes);
    blob_release(&pty->above);
    blob_release(&pty->screen);
    free(pty);
}

int pty_number(const struct pty *pty)
{
    return pty->theirs;
}

void pty_resize(struct pty *pty, unsigned columns, unsigned rows)
{
    struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};

    pty->columns = columns;
    pty->rows = rows;
    ioctl(pty->theirs, TIOCSWINSZ, &size);
}

/* ---- the screen ---- */

static void add_row(struct blob *out, char row[][CELL], unsigned columns)
{
    while (columns && (!*row[columns - 1] || strcmp(row[columns - 1], " ") == 0))
        columns--;
    for (unsigned i = 0; i < columns; i++)
        blob_add_text(out, *row[i] ? row[i] : " ");
    blob_add_text(out, "\n");
}

static void go_down(struct pty *pty)
{
    if (pty->row + 1 < pty->rows) {
        pty->row++;
        return;
    }
    add_row(&pty->above, pty->cells[0], PTY_COLUMNS_MAX);
    memmove(pty->cells[0], pty->cells[1], (size_t)(PTY_ROWS_MAX - 1) * sizeof pty->cells[0]);
    memset(pty->cells[pty->row], 0, sizeof pty->cells[0]);
}

static void erase_line(struct pty *pty)
{
    for (unsigned i = pty->column; i < PTY_COLUMNS_MAX; i++)
        *pty->cells[pty->row][i] = '\0';
}

static void erase_below(struct pty *pty)
{
    erase_line(pty);
    for (unsigned i = pty->row + 1; i < PTY_ROWS_MAX; i++)
        memset(pty->cells[i], 0, sizeof pty->cells[i]);
}

static void note_fault(struct pty *pty, const char *at, size_t len)
{
    if (*pty->fault)
        return;
    for (size_t i = 0; i < len && i < 8; i++)
        snprintf(pty->fault + 3 * i, sizeof pty->fault - 3 * i, "%02x ", (unsigned char)at[i]);
}

/* ESC [ number letter; 0 where its end has not come. */
static size_t take_sequence(struct pty *pty, const char *at, size_t len)
{
    size_t end = 2;
    unsigned number = 0;

    while (end < len && ((at[end] >= '0' && at[end] <= '9') || at[end] == ';'))
        end++;
    if (len < 2 || end >= len)
        return 0;
    number = (unsigned)strtoul(at + 2, NULL, 10);
    if (at[1] != '[' || !strchr("AJKm", at[end]))
        note_fault(pty, at, end + 1);
    else if (at[end] == 'A')
        pty->row -= number < pty->row ? number : pty->row;
    else if (at[end] == 'J')
        erase_below(pty);
    else if (at[end] == 'K')
        erase_line(pty);
    return end + 1;
}

/* 0 where its end has not come. */
static size_t take_character(struct pty *pty, const char *at, size_t len)
{
    unsigned char first = (unsigned char)at[0];
    size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

    if (len < size)
        return 0;
    if (pty->column >= pty->columns) {
        pty->column = 0;
        go_down(pty);
    }
    memcpy(pty->cells[pty->row][pty->column], at, size);
    pty->cells[pty->row][pty->column][size] = '\0';
    pty->column++;
    return size;
}

static size_t take_some(struct pty *pty, const char *at, size_t len)
{
    switch (*at) {
    case '\r': pty->column = 0; return 1;
    case '\n': go_down(pty); return 1;
    case '\033': return take_sequence(pty, at, len);
    default: break;
    }
    if ((unsigned char)*at < 0x20)
        note_fault(pty, at, 1);
    return take_character(pty, at, len);
}

/* ---- what is read ---- */

void pty_read(struct pty *pty)
{
    enum { PIECE = 4096 };
    ssize_t got;
    size_t taken = 1;

    while ((got = read(pty->ours, blob_reserve(&pty->bytes, PIECE), PIECE)) > 0)
        blob_extend(&pty->bytes, (size_t)got);
    while (taken && pty->seen < pty->bytes.len) {
        taken = take_some(pty, pty->bytes.at + pty->seen, pty->bytes.len - pty->seen);
        pty->seen += taken;
    }
}

const char *pty_screen(struct pty *pty)
{
    blob_clear(&pty->screen, pty->screen.capacity);
    blob_add(&pty->screen, blob_text(&pty->above), pty->above.len);
    for (unsigned i = 0; i < pty->rows; i++)
        add_row(&pty->screen, pty->cells[i], PTY_COLUMNS_MAX);
    size_t len = pty->screen.len;
    while (len > 1 && pty->screen.at[len - 1] == '\n' && pty->screen.at[len - 2] == '\n')
        len--;
    pty->screen.at[len] = '\0';
    return strcmp(pty->screen.at, "\n") == 0 ? "" : pty->screen.at;
}

bool pty_shows(struct pty *pty, const char *text)
{
    return strstr(pty_screen(pty), text) != NULL;
}

bool pty_shows_soon(struct pty *pty, const char *text, double seconds)
{
    const char *factor = getenv("RUN_TIME_FACTOR");
    double end = moment_now() + (factor ? seconds * strtod(factor, NULL) : seconds);
    struct pollfd ours = {.fd = pty->ours, .events = POLLIN};

    for (;;) {
        pty_read(pty);
        if (pty_shows(pty, text))
            return true;
        double left = end - moment_now();
        if (left <= 0)
            return false;
        poll(&ours, 1, (int)(left * 1000) + 1);
        moment_nap();
    }
}

const struct blob *pty_bytes(const struct pty *pty)
{
    return &pty->bytes;
}

const char *pty_fault(const struct pty *pty)
{
    return pty->fault;
}
