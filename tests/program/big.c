/* A body far larger than memory: what is held of it is bounded, and nothing of it is lost. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "record.h"
#include "stage.h"

enum { PIECE = 1 << 16, PEAK_KIB = (4 + 24) * 1024 };

static uint64_t big(void)
{
    return program_is_sanitized() ? (uint64_t)64 << 20 : (uint64_t)1 << 30;
}

/* The bytes that should come, piece by piece, held against those that do. */
struct check {
    uint64_t seed, at;
    bool ascii;
    char got[PIECE];
    size_t len;
};

static void check_piece(struct check *check)
{
    static char expected[PIECE];

    if (check->ascii)
        origin_fill_ascii(check->seed, check->at, expected, check->len);
    else
        origin_fill(check->seed, check->at, expected, check->len);
    cr_assert_eq(memcmp(expected, check->got, check->len), 0, "behind byte %llu",
                 (unsigned long long)check->at);
    check->at += check->len;
    check->len = 0;
}

static inline void check_byte(struct check *check, unsigned byte)
{
    check->got[check->len++] = (char)byte;
    if (check->len == sizeof check->got)
        check_piece(check);
}

/* A stream that is read byte by byte, whose end fails the test. */
struct stream {
    int fd;
    size_t at, len;
    char bytes[PIECE];
};

static bool fill_stream(struct stream *stream)
{
    ssize_t got = read(stream->fd, stream->bytes, sizeof stream->bytes);

    stream->at = 0;
    stream->len = got > 0 ? (size_t)got : 0;
    return stream->len > 0;
}

static inline unsigned next_byte(struct stream *stream)
{
    if (stream->at == stream->len)
        cr_assert(fill_stream(stream), "it ends too early");
    return (unsigned char)stream->bytes[stream->at++];
}

/* What stands behind a backslash, of what there is to be escaped in printable ASCII and DEL. */
static unsigned unescape(struct stream *stream)
{
    unsigned byte = next_byte(stream);

    if (byte == '"' || byte == '\\')
        return byte;
    cr_assert_eq(byte, 'u');
    for (const char *digit = "007f"; *digit; digit++)
        cr_assert_eq(next_byte(stream), (unsigned char)*digit);
    return 0x7f;
}

/* What needs no second look, as far as it is there and there is room for it. */
static void take_plain(struct stream *stream, struct check *check)
{
    const char *from = stream->bytes + stream->at;
    char *to = check->got + check->len;
    size_t left = stream->len - stream->at, room = sizeof check->got - 1 - check->len, count = 0;

    while (count < left && count < room && from[count] != '"' && from[count] != '\\') {
        to[count] = from[count];
        count++;
    }
    stream->at += count;
    check->len += count;
}

static void check_text(struct stream *stream, struct check *check)
{
    for (unsigned byte; (byte = next_byte(stream)) != '"';) {
        check_byte(check, byte == '\\' ? unescape(stream) : byte);
        take_plain(stream, check);
    }
}

static const unsigned char *base64_values(void)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static unsigned char values[256];

    memset(values, 0xff, sizeof values);
    for (unsigned i = 0; i < 64; i++)
        values[(unsigned char)digits[i]] = (unsigned char)i;
    return values;
}

/* Whole groups of four digits, as far as they are there and there is room for them. */
static uint64_t take_groups(struct stream *stream, struct check *check, const unsigned char *values)
{
    uint64_t count = 0;

    while (stream->len - stream->at >= 4 && sizeof check->got - check->len > 3) {
        const char *from = stream->bytes + stream->at;
        unsigned held = 0, worst = 0;
        for (int i = 0; i < 4; i++) {
            unsigned value = values[(unsigned char)from[i]];
            held = held << 6 | (value & 63);
            worst |= value;
        }
        if (worst > 63)
            break;
        check->got[check->len++] = (char)(held >> 16);
        check->got[check->len++] = (char)(held >> 8);
        check->got[check->len++] = (char)held;
        stream->at += 4;
        count += 4;
    }
    return count;
}

static void check_base64(struct stream *stream, struct check *check)
{
    const unsigned char *values = base64_values();
    unsigned held = 0, bits = 0;
    uint64_t count = 0;

    for (unsigned byte; (byte = next_byte(stream)) != '"'; count++) {
        if (byte == '=')
            continue;
        cr_assert(values[byte] != 0xff, "no digit of base64: %c", byte);
        held = held << 6 | values[byte];
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            check_byte(check, held >> bits & 0xff);
        }
        if (bits == 0)
            count += take_groups(stream, check, values);
    }
    cr_expect_eq(count % 4, 0);
}

/* Up to where the body begins, which is behind everything else; it is a whole record but for that. */
static void check_head(struct stream *stream, bool is_text)
{
    const char *mark = is_text ? ",\"body\":\"" : ",\"body_base64\":\"";
    struct blob head = {0};

    while (!blob_contains(&head, mark)) {
        char byte = (char)next_byte(stream);
        blob_add(&head, &byte, 1);
        cr_assert_lt(head.len, 4096, "no %s in: %s", mark, blob_text(&head));
    }
    blob_add_text(&head, "\"}\n");
    json_t *records = records_read(&head);
    cr_expect_eq((uint64_t)record_number(record_at(records, 0), "size_body"), big());
    json_decref(records);
    blob_release(&head);
}

static void expect_record(int fd, const char *target, bool is_text)
{
    static struct stream stream;
    static struct check check;

    stream = (struct stream){.fd = fd};
    check = (struct check){.seed = origin_seed(target), .ascii = is_text};
    check_head(&stream, is_text);
    if (is_text)
        check_text(&stream, &check);
    else
        check_base64(&stream, &check);
    check_piece(&check);
    cr_expect_eq(check.at, big());
    cr_expect_eq(next_byte(&stream), '}');
    cr_expect_eq(next_byte(&stream), '\n');
    cr_expect(stream.at == stream.len && !fill_stream(&stream), "something is behind the record");
}

static void expect_spooled(bool is_text)
{
    struct stage *stage = stage_new();
    const char *target =
        stage_text(stage, "/bytes/%llu%s", (unsigned long long)big(), is_text ? "?ascii=1" : "");
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--jsonl", "--memory", "4M", "--spool-dir",
                         scratch_mkdir(stage->scratch, "spool"), stage_url(stage, "%s", target)),
        .env = program_lean(),
        .output_fd = ends[1],
        .seconds = 200});
    close(ends[1]);
    expect_record(ends[0], target, is_text);
    close(ends[0]);
    struct run_result result = program_end(run);
    cr_expect_leq(result.peak_rss_kib, program_allowance(PEAK_KIB), "%ld KiB", result.peak_rss_kib);
    program_expect(result, 0, NULL, "");
    cr_expect_eq(scratch_count(stage->scratch, "spool"), 0);
    stage_free(stage);
}

Test(big, body_of_text_goes_out_in_little_memory, .timeout = 250)
{
    expect_spooled(true);
}

Test(big, body_of_any_bytes_goes_out_in_little_memory, .timeout = 250)
{
    expect_spooled(false);
}

/* It is neither held nor spooled on its way: there is room for neither. */
Test(big, body_goes_straight_to_its_file, .timeout = 250)
{
    static struct stream stream;
    static struct check check;
    struct stage *stage = stage_new();
    const char *target = stage_text(stage, "/bytes/%llu", (unsigned long long)big());
    const char *file = scratch_path(stage->scratch, "file");
    struct run_result result = program_run((struct run_options){
        .argv = RUN_WEIR("-o", file, "--memory=0", "--spool-max=0", "--spool-dir",
                         scratch_mkdir(stage->scratch, "spool"), stage_url(stage, "%s", target)),
        .env = program_lean(),
        .seconds = 200});

    cr_expect_leq(result.peak_rss_kib, program_allowance(PEAK_KIB), "%ld KiB", result.peak_rss_kib);
    program_expect(result, 0, "", "");
    stream = (struct stream){.fd = open(file, O_RDONLY | O_CLOEXEC)};
    check = (struct check){.seed = origin_seed(target)};
    cr_assert_geq(stream.fd, 0, "%s", strerror(errno));
    while (fill_stream(&stream)) {
        memcpy(check.got, stream.bytes, stream.len);
        check.len = stream.len;
        check_piece(&check);
    }
    cr_expect_eq(check.at, big());
    close(stream.fd);
    stage_free(stage);
}
