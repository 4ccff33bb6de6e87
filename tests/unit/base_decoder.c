#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/decoder.h"
#include "base/util.h"

enum { WINDOW_GZIP = 15 + 16, WINDOW_ZLIB = 15, WINDOW_BARE = -15 };

static const char first[] = "the first member, the first member\n", second[] = "the second\n";

static void add_compressed(struct buf *out, int window, const char *bytes, size_t len)
{
    char packed[1024];
    z_stream stream = {0};

    cr_assert_eq(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, 0), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)len;
    stream.next_out = (Bytef *)packed;
    stream.avail_out = sizeof packed;
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    buf_add(out, packed, sizeof packed - stream.avail_out);
    deflateEnd(&stream);
}

static int take(void *context, const char *bytes, size_t len)
{
    buf_add(context, bytes, len);
    return 0;
}

/* What the bytes are decoded to, given in two pieces; a negative errno, or 1 where they end too
 * early. */
static int decode(const char *line, const struct buf *bytes, size_t cut, struct buf *ret_text)
{
    struct decoder *decoder = NULL;
    struct buf err;
    int result;

    buf_init(&err);
    buf_clear(ret_text);
    cr_assert_eq(decoder_add(&decoder, line, &err), 0, "%s", err.data);
    result = decoder_feed(decoder, bytes->data, cut, take, ret_text);
    if (!result)
        result = decoder_feed(decoder, bytes->data + cut, bytes->len - cut, take, ret_text);
    if (!result && !decoder_is_whole(decoder))
        result = 1;
    decoder_free(decoder);
    buf_release(&err);
    return result;
}

static void expect_wherever_cut(const char *line, const struct buf *bytes, const char *text)
{
    struct buf decoded;

    buf_init(&decoded);
    for (size_t cut = 0; cut <= bytes->len; cut++) {
        cr_expect_eq(decode(line, bytes, cut, &decoded), 0, "%s cut at %zu", line, cut);
        cr_expect_str_eq(decoded.data, text, "%s cut at %zu", line, cut);
    }
    buf_release(&decoded);
}

static void add_two_members(struct buf *bytes)
{
    add_compressed(bytes, WINDOW_GZIP, first, strlen(first));
    add_compressed(bytes, WINDOW_GZIP, second, strlen(second));
}

Test(decoder, decodes_each_format_wherever_its_bytes_are_cut)
{
    static const int windows[] = {WINDOW_GZIP, WINDOW_ZLIB, WINDOW_BARE};
    static const char *const names[] = {"gzip", "x-gzip", "deflate",
                                        "GZip", " gzip ", "identity,gzip"};
    struct buf bytes;

    buf_init(&bytes);
    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        buf_clear(&bytes);
        add_compressed(&bytes, windows[i], first, strlen(first));
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            expect_wherever_cut(names[k], &bytes, first);
        buf_clear(&bytes);
        add_compressed(&bytes, windows[i], "", 0);
        expect_wherever_cut("gzip", &bytes, "");
    }
    buf_release(&bytes);
}

Test(decoder, decodes_every_member_wherever_the_bytes_are_cut)
{
    static const char text[] = "the first member, the first member\nthe second\n";
    struct buf bytes;

    buf_init(&bytes);
    add_two_members(&bytes);
    expect_wherever_cut("gzip", &bytes, text);
    buf_release(&bytes);
}

/* Padding, and what only begins as another member does. */
Test(decoder, passes_over_what_stands_behind_the_last_member)
{
    static const char *const behind[] = {"\x1F", "\x1F\x1F\x8B", "\x1F\x8A",
                                         "x",    "\x78\x9C",     "zzzz"};
    struct buf bytes;

    buf_init(&bytes);
    for (size_t i = 0; i < ARRAY_LEN(behind); i++) {
        buf_clear(&bytes);
        add_compressed(&bytes, WINDOW_GZIP, first, strlen(first));
        buf_add_text(&bytes, behind[i]);
        expect_wherever_cut("gzip", &bytes, first);
    }
    buf_clear(&bytes);
    add_compressed(&bytes, WINDOW_GZIP, first, strlen(first));
    buf_add(&bytes, "\0\0\0\0", 4);
    expect_wherever_cut("gzip", &bytes, first);
    buf_clear(&bytes);
    add_compressed(&bytes, WINDOW_ZLIB, first, strlen(first));
    add_compressed(&bytes, WINDOW_GZIP, second, strlen(second));
    expect_wherever_cut("deflate", &bytes, first);
    buf_release(&bytes);
}

Test(decoder, takes_no_part_of_a_stream_for_a_whole_one)
{
    struct buf bytes, part, decoded;
    size_t whole;

    buf_init(&bytes);
    buf_init(&part);
    buf_init(&decoded);
    add_compressed(&bytes, WINDOW_GZIP, first, strlen(first));
    whole = bytes.len;
    add_compressed(&bytes, WINDOW_GZIP, second, strlen(second));
    for (size_t len = 1; len < bytes.len; len++) {
        buf_clear(&part);
        buf_add(&part, bytes.data, len);
        /* A single byte behind a whole member is no member. */
        int expected = len == whole || len == whole + 1 ? 0 : 1;
        cr_expect_eq(decode("gzip", &part, len / 2, &decoded), expected, "%zu bytes", len);
    }
    buf_clear(&part);
    cr_expect_eq(decode("gzip", &part, 0, &decoded), 0, "no byte at all is a stream");
    buf_release(&decoded);
    buf_release(&part);
    buf_release(&bytes);
}

Test(decoder, refuses_what_is_no_stream)
{
    static const char *const texts[] = {"Moved to somewhere else", "<html>", "abcd", "\x1F\x8Bx"};
    struct buf bytes, decoded;

    buf_init(&bytes);
    buf_init(&decoded);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        buf_clear(&bytes);
        buf_add_text(&bytes, texts[i]);
        for (size_t cut = 0; cut <= bytes.len; cut++)
            cr_expect_neq(decode("gzip", &bytes, cut, &decoded), 0, "%s", texts[i]);
    }
    buf_release(&decoded);
    buf_release(&bytes);
}

/* ---- several codings ---- */

Test(decoder, undoes_codings_in_a_row)
{
    struct buf inner, outer;

    buf_init(&inner);
    buf_init(&outer);
    add_two_members(&inner);
    add_compressed(&outer, WINDOW_ZLIB, inner.data, inner.len);
    expect_wherever_cut("gzip, deflate", &outer,
                        "the first member, the first member\nthe second\n");
    expect_wherever_cut(",gzip,, identity ,deflate,", &outer,
                        "the first member, the first member\nthe second\n");
    expect_wherever_cut("deflate", &outer, inner.data);
    buf_release(&outer);
    buf_release(&inner);
}

Test(decoder, finds_each_stream_of_a_row_cut)
{
    struct buf inner, outer, decoded;

    buf_init(&inner);
    buf_init(&outer);
    buf_init(&decoded);
    add_compressed(&inner, WINDOW_GZIP, first, strlen(first));
    add_compressed(&outer, WINDOW_GZIP, inner.data, inner.len - 1);
    cr_expect_eq(decode("gzip, gzip", &outer, 7, &decoded), 1, "the inner one is cut");
    buf_clear(&outer);
    add_compressed(&outer, WINDOW_GZIP, inner.data, inner.len);
    outer.len--;
    cr_expect_eq(decode("gzip, gzip", &outer, 7, &decoded), 1, "the outer one is cut");
    buf_release(&decoded);
    buf_release(&outer);
    buf_release(&inner);
}

Test(decoder, adds_up_the_lines_of_one_answer)
{
    struct decoder *decoder = NULL;
    struct buf inner, outer, decoded;

    buf_init(&inner);
    buf_init(&outer);
    buf_init(&decoded);
    add_compressed(&inner, WINDOW_BARE, first, strlen(first));
    add_compressed(&outer, WINDOW_GZIP, inner.data, inner.len);
    cr_assert_eq(decoder_add(&decoder, "deflate", &decoded), 0);
    cr_assert_eq(decoder_add(&decoder, "", &decoded), 0);
    cr_assert_eq(decoder_add(&decoder, "gzip", &decoded), 0);
    cr_expect_eq(decoder_feed(decoder, outer.data, outer.len, take, &decoded), 0);
    cr_expect_str_eq(decoded.data, first);
    decoder_free(decoder);
    buf_release(&decoded);
    buf_release(&outer);
    buf_release(&inner);
}

Test(decoder, has_nothing_to_do_where_nothing_is_encoded)
{
    static const char *const lines[] = {"",    " ",        "\t",       "\r",  ",",
                                        " , ", "identity", "Identity", "none"};
    struct buf err;

    buf_init(&err);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct decoder *decoder = NULL;
        cr_expect_eq(decoder_add(&decoder, lines[i], &err), 0, "'%s'", lines[i]);
        cr_expect_null(decoder, "'%s'", lines[i]);
    }
    buf_release(&err);
}

Test(decoder, names_the_coding_that_it_does_not_know)
{
    static const char *const cases[][2] = {
        {"compress", "unknown content encoding compress"},
        {"gzip, gzip2 ", "unknown content encoding gzip2"},
        {"gzi", "unknown content encoding gzi"},
        {"gzip gzip", "unknown content encoding gzip gzip"},
        {"a\x1b[2J", "unknown content encoding a\\x1b[2J"},
        {"0123456789012345678901234567890123456789abc",
         "unknown content encoding 0123456789012345678901234567890123456789..."},
    };
    struct buf err;

    buf_init(&err);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decoder *decoder = NULL;
        cr_expect_eq(decoder_add(&decoder, cases[i][0], &err), -EPROTO);
        cr_expect_str_eq(err.data, cases[i][1]);
        decoder_free(decoder);
    }
    buf_release(&err);
}

Test(decoder, has_a_bound)
{
    struct decoder *decoder = NULL;
    struct buf err;

    buf_init(&err);
    cr_expect_eq(decoder_add(&decoder, "gzip,gzip,gzip,gzip,gzip", &err), 0);
    cr_expect_eq(decoder_add(&decoder, "gzip", &err), -EPROTO);
    cr_expect_str_eq(err.data, "more than 5 content encodings in a row");
    decoder_free(decoder);
    buf_release(&err);
}
