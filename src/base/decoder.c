#include "base/decoder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* A message shows at most so many bytes of an unknown coding's name. */
enum { NAME_SHOWN = 40 };

/* zlib's window and its own state. */
enum { GZIP_BYTES = 48 * 1024 };

static void *begin_gzip(void)
{
    return gunzip_new();
}

static void end_gzip(void *state)
{
    gunzip_free(state);
}

static int feed_gzip(void *state, const char *bytes, size_t len, take_decoded *take, void *context)
{
    return gunzip_feed(state, bytes, len, take, context);
}

static bool is_gzip_whole(const void *state)
{
    return gunzip_is_whole(state);
}

static const struct coding {
    const char *name;
    void *(*begin)(void); /* NULL: there is nothing to decode */
    void (*end)(void *state);
    int (*feed)(void *state, const char *bytes, size_t len, take_decoded *take, void *context);
    bool (*is_whole)(const void *state);
    size_t bytes; /* of a state, at most */
} codings[] = {
    {"gzip", begin_gzip, end_gzip, feed_gzip, is_gzip_whole, GZIP_BYTES},
    {"x-gzip", begin_gzip, end_gzip, feed_gzip, is_gzip_whole, GZIP_BYTES},
    {"deflate", begin_gzip, end_gzip, feed_gzip, is_gzip_whole, GZIP_BYTES},
    {.name = "identity"},
    {.name = "none"},
    {.name = ""},
};

/* A coding, in front of those that were applied before it. */
struct decoder {
    const struct coding *coding;
    void *state;
    struct decoder *next;
    take_decoded *take; /* of the call that runs */
    void *context;
};

static const struct coding *find_coding(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(codings); i++) {
        if (strlen(codings[i].name) == len && strncasecmp(codings[i].name, name, len) == 0)
            return &codings[i];
    }
    return NULL;
}

static int fail_unknown(const char *name, size_t len, struct buf *err)
{
    buf_setf(err, "unknown content encoding ");
    text_add_shown(err, name, len, NAME_SHOWN);
    return -EPROTO;
}

static int add_one(struct decoder **decoder, const char *name, size_t len, struct buf *err)
{
    const struct coding *coding = find_coding(name, len);
    struct decoder *front;
    unsigned count = 0;

    if (!coding)
        return fail_unknown(name, len, err);
    if (!coding->begin)
        return 0;
    for (const struct decoder *one = *decoder; one; one = one->next)
        count++;
    if (count == DECODER_CODINGS_MAX) {
        buf_setf(err, "more than %d content encodings in a row", DECODER_CODINGS_MAX);
        return -EPROTO;
    }
    front = xcalloc(1, sizeof *front);
    *front = (struct decoder){.coding = coding, .state = coding->begin(), .next = *decoder};
    *decoder = front;
    return 0;
}

int decoder_add(struct decoder **decoder, const char *line, struct buf *err)
{
    static const char blanks[] = " \t\r"; /* libcurl leaves a CR in a value that is empty */
    const char *at = line;
    int result = 0;

    while (*at && !result) {
        at += strspn(at, blanks);
        size_t item = strcspn(at, ","), len = item;
        while (len && strchr(blanks, at[len - 1]))
            len--;
        result = add_one(decoder, at, len, err);
        at += item + (at[item] == ',');
    }
    return result;
}

size_t decoder_bytes(const struct decoder *decoder)
{
    size_t bytes = 0;

    for (; decoder; decoder = decoder->next)
        bytes += decoder->coding->bytes;
    return bytes;
}

void decoder_free(struct decoder *decoder)
{
    struct decoder *next;

    for (; decoder; decoder = next) {
        next = decoder->next;
        decoder->coding->end(decoder->state);
        free(decoder);
    }
}

static int feed_next(void *context, const char *bytes, size_t len)
{
    struct decoder *decoder = context;

    return decoder_feed(decoder->next, bytes, len, decoder->take, decoder->context);
}

int decoder_feed(struct decoder *decoder, const char *bytes, size_t len, take_decoded *take,
                 void *context)
{
    const struct coding *coding = decoder->coding;

    if (!decoder->next)
        return coding->feed(decoder->state, bytes, len, take, context);
    decoder->take = take;
    decoder->context = context;
    return coding->feed(decoder->state, bytes, len, feed_next, decoder);
}

bool decoder_is_whole(const struct decoder *decoder)
{
    while (decoder && decoder->coding->is_whole(decoder->state))
        decoder = decoder->next;
    return !decoder;
}
