#include "base/gunzip.h"

#include <errno.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

/* HTTP calls zlib's own format deflate, but some servers send deflate bare. */
enum { WINDOW_GZIP = 15 + 16, WINDOW_ZLIB = 15, WINDOW_BARE = -15 };

enum { MAGIC_BYTES = 2, ZLIB_MULTIPLE = 31, ZLIB_DEFLATE = 8, ZLIB_WINDOW_MAX = 7 };

enum gunzip_state {
    GUNZIP_MAGIC,  /* the first bytes of a stream, or of its next member */
    GUNZIP_STREAM, /* in a stream or member */
    GUNZIP_BEHIND, /* behind all of it: nothing counts */
};

struct gunzip {
    z_stream stream;
    enum gunzip_state state;
    unsigned char magic[MAGIC_BYTES];
    unsigned n_magic;
    int window;       /* that of the last stream, 0: there was none */
    bool has_a_whole; /* a stream has come to its end */
};

struct gunzip *gunzip_new(void)
{
    struct gunzip *gunzip = xcalloc(1, sizeof *gunzip);

    if (inflateInit2(&gunzip->stream, WINDOW_GZIP) != Z_OK)
        out_of_memory();
    return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
    if (!gunzip)
        return;
    inflateEnd(&gunzip->stream);
    free(gunzip);
}

static int window_of(const unsigned char magic[MAGIC_BYTES])
{
    if (magic[0] == 0x1F && magic[1] == 0x8B)
        return WINDOW_GZIP;
    if ((magic[0] & 0x0F) == ZLIB_DEFLATE && magic[0] >> 4 <= ZLIB_WINDOW_MAX &&
        (magic[0] * 256 + magic[1]) % ZLIB_MULTIPLE == 0)
        return WINDOW_ZLIB;
    return WINDOW_BARE;
}

/* The magic is whole: a gzip stream may have several members; behind anything else nothing
 * counts. */
static void begin_stream(struct gunzip *gunzip)
{
    int window = window_of(gunzip->magic);

    gunzip->n_magic = 0;
    gunzip->state = GUNZIP_STREAM;
    if (gunzip->has_a_whole && window != WINDOW_GZIP) {
        gunzip->state = GUNZIP_BEHIND;
        return;
    }
    gunzip->window = window;
    if (inflateReset2(&gunzip->stream, window) != Z_OK)
        out_of_memory();
}

/* Decodes what is in the stream's input, up to the end of the stream. */
static int inflate_input(struct gunzip *gunzip, take_decoded *take, void *context)
{
    char piece[GUNZIP_PIECE_BYTES];
    z_stream *stream = &gunzip->stream;
    int result = 0;

    do {
        stream->next_out = (Bytef *)piece;
        stream->avail_out = sizeof piece;
        int code = inflate(stream, Z_NO_FLUSH);
        if (code == Z_MEM_ERROR)
            out_of_memory();
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return -EPROTO;
        if (code == Z_STREAM_END) {
            gunzip->has_a_whole = true;
            gunzip->state = gunzip->window == WINDOW_GZIP ? GUNZIP_MAGIC : GUNZIP_BEHIND;
        }
        size_t made = sizeof piece - stream->avail_out;
        result = made ? take(context, piece, made) : 0;
    } while (!result && gunzip->state == GUNZIP_STREAM &&
             (stream->avail_in || stream->avail_out == 0));
    return result;
}

/* The magic of a stream that has just begun was taken before its format was known. */
static int inflate_magic(struct gunzip *gunzip, take_decoded *take, void *context)
{
    gunzip->stream.next_in = gunzip->magic;
    gunzip->stream.avail_in = MAGIC_BYTES;
    return inflate_input(gunzip, take, context);
}

int gunzip_feed(struct gunzip *gunzip, const char *bytes, size_t len, take_decoded *take,
                void *context)
{
    const Bytef *at = (const Bytef *)bytes, *end = at + len;
    int result = 0;

    while (at < end && !result && gunzip->state != GUNZIP_BEHIND) {
        if (gunzip->state == GUNZIP_MAGIC) {
            gunzip->magic[gunzip->n_magic++] = *at++;
            if (gunzip->n_magic < MAGIC_BYTES)
                continue;
            begin_stream(gunzip);
            result = gunzip->state == GUNZIP_STREAM ? inflate_magic(gunzip, take, context) : 0;
        } else {
            gunzip->stream.next_in = at;
            gunzip->stream.avail_in = (uInt)(end - at);
            result = inflate_input(gunzip, take, context);
            at = gunzip->stream.next_in;
        }
    }
    return result;
}

bool gunzip_is_whole(const struct gunzip *gunzip)
{
    return gunzip->state != GUNZIP_STREAM && (gunzip->has_a_whole || !gunzip->n_magic);
}
