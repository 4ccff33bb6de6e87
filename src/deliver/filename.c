#include "deliver/filename.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

enum {
    HASH_BYTES = sizeof "-0123456789abcdef" - 1,
    WIDTH_MAX = 20, /* digits of the largest seq */
};

enum piece_kind {
    PIECE_TEXT,
    PIECE_SEQ,
    PIECE_ID,
    PIECE_HOST,
    PIECE_PATH,
    PIECE_NAME,
    PIECE_TAKEN
};

struct piece {
    enum piece_kind kind;
    int width;      /* of a seq; which of those taken */
    size_t at, len; /* of the user's own text, and of a #1 that takes nothing */
};

struct filename {
    struct buf text; /* the user's own, braces undone, piece after piece */
    struct piece *pieces;
    size_t n_pieces, capacity;
    size_t trusted_len;
};

static const struct {
    const char *word;
    enum piece_kind kind;
} words[] = {
    {"seq", PIECE_SEQ},   {"id", PIECE_ID},     {"host", PIECE_HOST},
    {"path", PIECE_PATH}, {"name", PIECE_NAME},
};

/* A name on its way: where its last part begins, and whether that is all the user's. */
struct making {
    struct buf *name;
    size_t part;
    bool mixed;
};

/* 64 bit FNV-1a. It need only tell names apart: where it fails to, the rename still does. */
static uint64_t hash_of(const char *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
    return hash;
}

static bool is_nothing(const char *part, size_t len)
{
    return len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0);
}

static bool is_fit(ucs4_t code)
{
    return code != '/' && code >= 0x20 && (code < 0x7F || code >= 0xA0);
}

static bool is_in_the_making(const char *part, size_t len)
{
    size_t mark = strlen(FILENAME_IN_THE_MAKING);

    return len >= mark && memcmp(part, FILENAME_IN_THE_MAKING, mark) == 0;
}

/* Cuts the last part of the name to what a directory can hold, never half a character. */
static void shorten(struct making *making)
{
    struct buf *name = making->name;
    uint64_t hash = hash_of(name->data + making->part, name->len - making->part);
    size_t end = making->part + NAME_MAX - HASH_BYTES;

    for (int i = 0; i < 3 && ((unsigned char)name->data[end] & 0xC0) == 0x80; i++)
        end--;
    name->len = end;
    buf_addf(name, "-%016llx", (unsigned long long)hash);
}

static void end_part(struct making *making)
{
    struct buf *name = making->name;

    if (making->mixed && name->len - making->part > NAME_MAX)
        shorten(making);
    if (making->mixed && is_in_the_making(name->data + making->part, name->len - making->part))
        name->data[making->part] = '_';
}

static void begin_part(struct making *making)
{
    buf_add_char(making->name, '/');
    making->part = making->name->len;
    making->mixed = false;
}

static void add_own(struct making *making, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '/') {
            buf_add_char(making->name, text[i]);
            continue;
        }
        end_part(making);
        begin_part(making);
    }
}

static void add_fit(struct buf *name, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        ucs4_t code;
        int size = u8_mbtoucr(&code, (const uint8_t *)bytes + i, len - i);
        if (size > 0 && is_fit(code))
            buf_add(name, bytes + i, (size_t)size);
        else
            buf_add_char(name, '_');
        i += size > 0 ? (size_t)size : 1;
    }
}

/* A part that begins so is hidden, is a directory, or passes for an option. */
static bool begins_badly(const char *part)
{
    return part[0] == '.' || part[0] == '-';
}

/* It stays within its part, and that is a name then: what is added is never empty, nor only dots
 * that mean a directory. */
static void add_foreign(struct making *making, const char *text, size_t len)
{
    bool first = making->name->len == making->part;

    making->mixed = true;
    if (is_nothing(text, len)) {
        buf_add_char(making->name, '_');
        return;
    }
    if (first && begins_badly(text)) {
        buf_add_char(making->name, '_');
        text++;
        len--;
    }
    add_fit(making->name, text, len);
}

static void add_foreign_text(struct making *making, const char *text)
{
    add_foreign(making, text ? text : "", text ? strlen(text) : 0);
}

static void add_path(struct making *making, const char *path)
{
    const char *slash;

    for (; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        add_foreign(making, path, (size_t)(slash - path));
        end_part(making);
        begin_part(making);
    }
    add_foreign_text(making, path);
}

static void add_seq(struct making *making, uint64_t seq, int width)
{
    making->mixed = true;
    buf_addf(making->name, "%0*llu", width, (unsigned long long)seq);
}

static const char *last_segment(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The line of `taken` with that number, from 1. */
static const char *find_taken(const char *taken, int number, size_t *ret_len)
{
    while (taken && *taken && --number)
        taken += strcspn(taken, "\n") + 1;
    if (!taken || !*taken || number)
        return NULL;
    *ret_len = strcspn(taken, "\n");
    return taken;
}

static void add_taken(const struct filename *filename, const struct piece *piece, const char *taken,
                      struct making *making)
{
    size_t len = 0;
    const char *text = find_taken(taken, piece->width, &len);

    if (text || !piece->len)
        add_foreign(making, text ? text : "", len);
    else
        add_own(making, filename->text.data + piece->at, piece->len);
}

static void add_piece(const struct filename *filename, const struct piece *piece,
                      const struct filename_parts *parts, struct making *making)
{
    const char *path = parts->path ? parts->path : "";

    switch (piece->kind) {
    case PIECE_TEXT: add_own(making, filename->text.data + piece->at, piece->len); break;
    case PIECE_SEQ: add_seq(making, parts->seq, piece->width); break;
    case PIECE_ID: add_foreign_text(making, parts->id); break;
    case PIECE_HOST: add_foreign_text(making, parts->host); break;
    case PIECE_PATH: add_path(making, path); break;
    case PIECE_NAME: add_foreign_text(making, last_segment(path)); break;
    case PIECE_TAKEN: add_taken(filename, piece, parts->taken, making); break;
    }
}

int filename_make(const struct filename *filename, const struct filename_parts *parts,
                  struct buf *ret_name, struct buf *err)
{
    struct making making = {.name = ret_name};

    buf_clear(ret_name);
    for (size_t i = 0; i < filename->n_pieces; i++)
        add_piece(filename, &filename->pieces[i], parts, &making);
    end_part(&making);
    if (ret_name->len < PATH_MAX)
        return 0;
    buf_setf(err, "the name that the template makes has %zu bytes, more than a path can have",
             ret_name->len);
    return -ENAMETOOLONG;
}

bool filename_wants_taken(const struct filename *filename)
{
    for (size_t i = 0; i < filename->n_pieces; i++) {
        if (filename->pieces[i].kind == PIECE_TAKEN)
            return true;
    }
    return false;
}

size_t filename_trusted_len(const struct filename *filename)
{
    return filename->trusted_len;
}

static void add_to_list(struct filename *filename, struct piece piece)
{
    filename->pieces =
        xgrow(filename->pieces, filename->n_pieces, &filename->capacity, sizeof piece);
    filename->pieces[filename->n_pieces++] = piece;
}

static void add_character(struct filename *filename, char c)
{
    if (!filename->n_pieces || filename->pieces[filename->n_pieces - 1].kind != PIECE_TEXT)
        add_to_list(filename, (struct piece){.kind = PIECE_TEXT, .at = filename->text.len});
    buf_add_char(&filename->text, c);
    filename->pieces[filename->n_pieces - 1].len++;
}

static int refuse_field(const char *field, size_t len, struct buf *err)
{
    buf_setf(err,
             "unknown {%.*s}: there are {seq} {seq:06} {id} {host} {path} {name} {1}, and "
             "{{ }} for braces",
             (int)MIN(len, 100), field);
    return -EINVAL;
}

/* What follows `seq:`, a 0 and the number of digits. */
static bool read_width(const char *at, size_t len, int *ret_width)
{
    int width = 0;

    if (len < 2 || len > 3 || at[0] != '0')
        return false;
    for (size_t i = 1; i < len; i++) {
        if (!isdigit((unsigned char)at[i]))
            return false;
        width = width * 10 + (at[i] - '0');
    }
    *ret_width = width;
    return width >= 1 && width <= WIDTH_MAX;
}

/* Reads one or two digits, from 1; gives how many, or 0. */
static size_t read_taken(const char *at, int *ret_number)
{
    size_t len = strspn(at, "0123456789");

    if (len < 1 || len > 2 || at[0] == '0')
        return 0;
    *ret_number = len == 1 ? at[0] - '0' : (at[0] - '0') * 10 + (at[1] - '0');
    return len;
}

/* What stands between two braces. */
static int add_field(struct filename *filename, const char *field, size_t len, struct buf *err)
{
    struct piece piece = {.kind = PIECE_SEQ, .width = 1};

    if (len > 4 && memcmp(field, "seq:", 4) == 0) {
        if (!read_width(field + 4, len - 4, &piece.width))
            return refuse_field(field, len, err);
        add_to_list(filename, piece);
        return 0;
    }
    if (len && read_taken(field, &piece.width) == len) {
        piece.kind = PIECE_TAKEN;
        add_to_list(filename, piece);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strlen(words[i].word) == len && memcmp(field, words[i].word, len) == 0) {
            piece.kind = words[i].kind;
            add_to_list(filename, piece);
            return 0;
        }
    }
    return refuse_field(field, len, err);
}

static int refuse_brace(char brace, struct buf *err)
{
    buf_setf(err, "a %c without its %c (a brace itself is written twice)", brace,
             brace == '{' ? '}' : '{');
    return -EINVAL;
}

/* `at` is on the #; gives what is behind it and its number. */
static const char *read_hash(struct filename *filename, const char *at)
{
    struct piece piece = {.kind = PIECE_TAKEN, .at = filename->text.len};
    size_t digits = read_taken(at + 1, &piece.width);

    if (!digits) {
        add_character(filename, *at);
        return at + 1;
    }
    piece.len = digits + 1;
    buf_add(&filename->text, at, piece.len);
    add_to_list(filename, piece);
    return at + piece.len;
}

static int read_template(struct filename *filename, const char *at, struct buf *err)
{
    while (*at) {
        if (*at == '#') {
            at = read_hash(filename, at);
        } else if (*at != '{' && *at != '}') {
            add_character(filename, *at++);
        } else if (at[0] == at[1]) {
            add_character(filename, *at);
            at += 2;
        } else {
            const char *end = *at == '{' ? strchr(at, '}') : NULL;
            if (!end)
                return refuse_brace(*at, err);
            int result = add_field(filename, at + 1, (size_t)(end - at - 1), err);
            if (result)
                return result;
            at = end + 1;
        }
    }
    return 0;
}

static size_t find_trusted_len(const struct filename *filename)
{
    const struct piece *first = filename->pieces;

    if (!filename->n_pieces || first->kind != PIECE_TEXT)
        return 0;
    const char *slash = memrchr(filename->text.data, '/', first->len);
    return slash ? (size_t)(slash - filename->text.data) + 1 : 0;
}

/* What is wrong with a part of a name, whoever wrote it; in words that follow "a part of it ". */
static const char *part_fault(const char *part, size_t len)
{
    if (is_nothing(part, len))
        return len ? "is . or .." : "is empty";
    return len > NAME_MAX ? "has more than 255 bytes" : NULL;
}

static const char *foreign_part_fault(const char *part, size_t len)
{
    const char *fault = part_fault(part, len);

    return !fault && begins_badly(part) ? "begins with a - or a ." : fault;
}

/* The fault of the first part that has one. */
static const char *find_fault(const char *name, const char *(*fault_of)(const char *, size_t))
{
    for (;;) {
        size_t len = strcspn(name, "/");
        const char *fault = fault_of(name, len);
        if (fault || !name[len])
            return fault;
        name += len + 1;
    }
}

/* The user's own text between and behind what is put in must name something too. What is put in
 * always does, so any name the template makes shows it. */
static int check_own_parts(const struct filename *filename, struct buf *err)
{
    struct filename_parts parts = {.seq = 1, .id = "x", .host = "x", .path = "x"};
    struct buf name;

    buf_init(&name);
    int result = filename_make(filename, &parts, &name, err);
    if (!result) {
        const char *fault = find_fault(name.data + filename->trusted_len, part_fault);
        if (fault) {
            buf_setf(err, "a part of it %s", fault);
            result = -EINVAL;
        }
    }
    buf_release(&name);
    return result;
}

int filename_new(const char *template, struct filename **ret_filename, struct buf *err)
{
    struct filename *filename = xcalloc(1, sizeof *filename);

    buf_init(&filename->text);
    int result = read_template(filename, template, err);
    if (!result) {
        filename->trusted_len = find_trusted_len(filename);
        result = check_own_parts(filename, err);
    }
    if (result) {
        filename_free(filename);
        return result;
    }
    *ret_filename = filename;
    return 0;
}

void filename_free(struct filename *filename)
{
    if (!filename)
        return;
    buf_release(&filename->text);
    free(filename->pieces);
    free(filename);
}

static bool has_unfit_bytes(const char *name)
{
    for (size_t len = strcspn(name, "/");; len = strcspn(name, "/")) {
        struct buf fit;
        buf_init(&fit);
        add_fit(&fit, name, len);
        bool differs = fit.len != len || memcmp(fit.data, name, len) != 0;
        buf_release(&fit);
        if (differs || !name[len])
            return differs;
        name += len + 1;
    }
}

int filename_check_relative(const char *name, struct buf *err)
{
    const char *fault;

    if (name[0] == '/')
        buf_setf(err, "it is not relative");
    else if (strlen(name) >= PATH_MAX)
        buf_setf(err, "it is longer than a path can be");
    else if (has_unfit_bytes(name))
        buf_setf(err, "it holds control characters or is not UTF-8");
    else if ((fault = find_fault(name, foreign_part_fault)) != NULL)
        buf_setf(err, "a part of it %s", fault);
    else
        return 0;
    return -EINVAL;
}

bool filename_is_discard(const char *name)
{
    return strcmp(name, "/dev/null") == 0;
}
