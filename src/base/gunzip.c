#include "base/gunzip.h"

#include <errno.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

/* zlib finds out by itself whether it is gzip or zlib's own format. What HTTP calls deflate is the
 * latter, but some servers send it bare. */
enum { WINDOW_DETECT = 15 + 32, WINDOW_BARE = -15 };

struct gunzip {
    z_stream stream;
    bool begun; /* a byte came */
    bool bare;
    bool ended; /* of the stream, or of its last member so far */
};

static void set_up(struct gunzip *gunzip, int window)
{
    if (inflateReset2(&gunzip->stream, window) != Z_OK)
        out_of_memory();
}

struct gunzip *gunzip_new(void)
{
    struct gunzip *gunzip = xcalloc(1, sizeof *gunzip);

    if (inflateInit2(&gunzip->stream, WINDOW_DETECT) != Z_OK)
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

/* The first bytes are of neither format: once, they are tried as bare deflate. */
static bool try_bare(struct gunzip *gunzip, const char *bytes, size_t len)
{
    z_stream *stream = &gunzip->stream;

    if (gunzip->bare || stream->total_out)
        return false;
    gunzip->bare = true;
    set_up(gunzip, WINDOW_BARE);
    stream->next_in = (const Bytef *)bytes;
    stream->avail_in = (uInt)len;
    return true;
}

/* A gzip file may have several members; behind anything else nothing counts. */
static bool begins_member(const z_stream *stream)
{
    return stream->avail_in >= 2 && stream->next_in[0] == 0x1F && stream->next_in[1] == 0x8B;
}

int gunzip_feed(struct gunzip *gunzip, const char *bytes, size_t len,
                int (*take)(void *context, const char *bytes, size_t len), void *context)
{
    char piece[GUNZIP_PIECE_BYTES];
    z_stream *stream = &gunzip->stream;
    int result = 0;

    gunzip->begun |= len > 0;
    stream->next_in = (const Bytef *)bytes;
    stream->avail_in = (uInt)len;
    do {
        if (gunzip->ended && !begins_member(stream))
            return 0;
        if (gunzip->ended)
            set_up(gunzip, WINDOW_DETECT);
        stream->next_out = (Bytef *)piece;
        stream->avail_out = sizeof piece;
        int code = inflate(stream, Z_NO_FLUSH);
        gunzip->ended = code == Z_STREAM_END;
        if (code == Z_MEM_ERROR)
            out_of_memory();
        if (code == Z_DATA_ERROR && try_bare(gunzip, bytes, len))
            continue;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return -EPROTO;
        size_t made = sizeof piece - stream->avail_out;
        result = made ? take(context, piece, made) : 0;
    } while (!result && (stream->avail_in || stream->avail_out == 0));
    return result;
}

bool gunzip_is_whole(const struct gunzip *gunzip)
{
    return gunzip->ended || !gunzip->begun;
}
