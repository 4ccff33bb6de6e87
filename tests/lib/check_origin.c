#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "client.h"
#include "moment.h"
#include "origin.h"
#include "run.h"
#include "scratch.h"

/* Enough for anything here on a machine under load; only what hangs takes as long. */
static const double patience = 20;
/* How long a silence is listened to before it is believed. */
static const double silence = 0.1;

static struct origin *start(void)
{
    struct origin *origin = origin_start(NULL);

    cr_assert(origin, "origin_start: %s", strerror(errno));
    return origin;
}

static void stop(struct origin *origin)
{
    cr_assert_eq(origin_stop(origin), 0, "the origin crashed");
}

static int connect_to(const struct origin *origin)
{
    int fd = client_connect("127.0.0.1", origin_port(origin));

    cr_assert_geq(fd, 0, "connect: %s", strerror(-fd));
    return fd;
}

/* A connection on which this was sent. */
static int ask(const struct origin *origin, const char *request)
{
    int fd = connect_to(origin);

    cr_assert_eq(client_send_text(fd, request), 0);
    return fd;
}

static void get(const struct origin *origin, const char *target, struct blob *answer)
{
    int state = client_get(origin_port(origin), target, answer, patience);

    cr_assert_eq(state, 0, "%s: %s", target, strerror(-state));
}

/* The record, once the request is out of service. */
static const struct origin_record *finished(const struct origin *origin, const char *target)
{
    const struct origin_record *record;

    cr_assert(origin_wait_in_service(origin, 0, patience));
    record = origin_log_find(origin, target);
    cr_assert(record, "%s: not logged", target);
    return record;
}

/* Takes the chunks apart; false when they do not end as they should. What was whole is in `to`. */
static bool dechunk(struct blob_span body, struct blob *to)
{
    size_t at = 0;

    while (at < body.len) {
        char *end;
        size_t len = strtoul(body.at + at, &end, 16);
        if (end == body.at + at || strncmp(end, "\r\n", 2) != 0)
            return false;
        at = (size_t)(end + 2 - body.at);
        if (len == 0)
            return body.len == at + 2;
        if (body.len < at + len + 2)
            return false;
        blob_add(to, body.at + at, len);
        at += len + 2;
    }
    return false;
}

/* zlib's verdict on a gzip; what it gives is in `to`, or only counted where `to` is NULL. */
static int gunzip(const struct blob *coded, struct blob *to, size_t *ret_len)
{
    z_stream stream = {.next_in = (Bytef *)coded->at, .avail_in = (uInt)coded->len};
    char piece[4096];
    int state = inflateInit2(&stream, 15 + 16);

    *ret_len = 0;
    while (state == Z_OK) {
        stream.next_out = (Bytef *)piece;
        stream.avail_out = sizeof piece;
        state = inflate(&stream, Z_NO_FLUSH);
        size_t len = sizeof piece - stream.avail_out;
        *ret_len += len;
        if (to)
            blob_add(to, piece, len);
    }
    inflateEnd(&stream);
    return state;
}

struct wire_case {
    char target[96];
    int state;      /* of client_read_all */
    int status;     /* 0: no HTTP at all */
    char shows[96]; /* somewhere in the answer */
};

ParameterizedTestParameters(origin, answers_as_the_target_says)
{
    static struct wire_case cases[] = {
        {"/text/hello", 0, 200, "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n"},
        {"/text/a%20b/c.txt", 0, 200, "\r\n\r\na b/c.txt\n"},
        {"/text/", 0, 200, "Content-Length: 1\r\n"},
        {"/bytes/0", 0, 200, "Content-Length: 0\r\n"},
        {"/bytes/5/name.bin", 0, 200, "Content-Length: 5\r\n"},
        {"/nothing/here", 0, 404, "no such path"},
        {"/bytes/x", 0, 400, "bad size: x"},
        {"/bytes/1?typo=1", 0, 400, "unknown parameter: typo"},
        {"/bytes/1?delay=x", 0, 400, "bad value: delay"},
        {"/bytes/1?climb=0", 0, 400, "bad value: climb"},
        {"/bytes/1?climb=2,x", 0, 400, "bad value: climb"},
        {"/bytes/1?chunked=yes", 0, 400, "bad value: chunked"},
        {"/bytes/1?status=99", 0, 400, "bad value: status"},
        {"/bytes/1?drip=0,1", 0, 400, "bad value: drip"},
        {"/bytes/1?status", 0, 400, "needs a value: status"},
        {"/bytes/9?short=1&chunked=1", 0, 400, "short: needs a length"},
        {"/bytes/9?nolength=1&chunked=1", 0, 400, "chunked: not with nolength"},
        {"/text/x?bomb=1", 0, 400, "bomb: needs /bytes/N"},
        {"/text/x?ranges=1", 0, 400, "ranges: needs plain /bytes/N"},
        {"/bytes/9?ranges=2", 0, 400, "bad value: ranges"},
        {"/bytes/9?ranges=1&etag=v1", 0, 200, "ETag: \"v1\"\r\nContent-Length: 9\r\n"},
        {"/bytes/9?failtimes=0&etag=v1&newetag=v2", 0, 200, "ETag: \"v2\"\r\n"},
        {"/text/x?status=404", 0, 404, "\r\n\r\nx\n"},
        {"/text/x?status=503&retryafter=7", 0, 503, "Retry-After: 7\r\n"},
        {"/text/x?wants=Basic%20realm=r", 0, 401, "WWW-Authenticate: Basic realm=r\r\n"},
        {"http://name.test:81/text/x?status=201", 0, 201, "\r\n\r\nx\n"},
        {"http://name.test?status=201", 0, 201, "no such path"},
        {"/text/x?status=204", 0, 204, "204 No Content\r\n"},
        {"/text/x?location=http%3A%2F%2Fa.example%2F", 0, 302, "Location: http://a.example/\r\n"},
        {"/text/x?location=/y&status=307", 0, 307, "Location: /y\r\n"},
        {"/text/x?loop=1&tag=a", 0, 302, "Location: /text/x?loop=1&tag=a\r\n"},
        {"/text/x?tag=hops=9&hops=10&tag=b", 0, 302, "Location: /text/x?tag=hops=9&hops=9&tag=b\r"},
        {"/text/x?hops=0", 0, 200, "\r\n\r\nx\n"},
        {"/text/x?hdr=X-A:%20b%20c&hdr=X-D:e", 0, 200, "X-A: b c\r\nX-D:e\r\n"},
        {"/text/x?hdr=Content-Type:a/b", 0, 200, "200 OK\r\nContent-Type:a/b\r\n"},
        {"/text/x?headers=3", 0, 200, "X-Filler-0: 0\r\nX-Filler-1: 1\r\nX-Filler-2: 2\r\n"},
        {"/text/x?bigheaders=2", 0, 200, "0\r\nX-Large-1: 00000000"},
        {"/text/x?bigheader=20", 0, 200, "\r\nX-Big: xxxxxxxxxxxxx\r\n"},
        {"/text/x?chunked=1", 0, 200, "chunked\r\nConnection: close\r\n\r\n2\r\nx\n\r\n0\r\n\r\n"},
        {"/text/x?chunked", 0, 200, "Transfer-Encoding: chunked\r\n"},
        {"/text/x?nolength=1", 0, 200, "Content-Type: text/plain\r\nConnection: close\r\n\r\nx\n"},
        {"/text/abc?short=5", 0, 200, "Content-Length: 9\r\nConnection: close\r\n\r\nabc\n"},
        {"/text/x?maxinflight=0&retryafter=2", 0, 429, "Retry-After: 2\r\n"},
        {"/text/x?maxinflight=1", 0, 200, "\r\n\r\nx\n"},
        {"/text/x?failtimes=1", 0, 503, "\r\n\r\nx\n"},
        {"/text/x?closenow=1", 0, 0, ""},
        {"/text/x?garbage=1", 0, 0, "220 this is"},
        {"/text/x?reset=head", -ECONNRESET, 0, ""},
    };

    return cr_make_param_array(struct wire_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct wire_case *wire, origin, answers_as_the_target_says)
{
    struct origin *origin = start();
    struct blob answer = {0};

    int state = client_get(origin_port(origin), wire->target, &answer, patience);
    cr_expect_eq(state, wire->state, "%s: %s", wire->target, strerror(-state));
    cr_expect_eq(client_status(&answer), wire->status, "%s: %s", wire->target, blob_text(&answer));
    cr_expect(!*wire->shows || blob_contains(&answer, wire->shows), "%s: %s", wire->target,
              blob_text(&answer));
    cr_expect(*wire->shows || answer.len == 0, "%s: some bytes came", wire->target);
    blob_release(&answer);
    stop(origin);
}

Test(origin, sends_only_what_is_not_known)
{
    static const struct {
        const char *target, *header;
        int status;
        const char *shows;
    } cases[] = {
        {"/text/x?wordtag=1", "A: b", 200, "ETag: \"x\"\r\n"},
        {"/text/x?wordtag=1", "If-None-Match: \"x\"", 304, "ETag: \"x\"\r\n"},
        {"/text/x?wordtag=1", "If-None-Match: \"y\"", 200, "\r\n\r\nx\n"},
        {"/text/x", "If-None-Match: \"x\"", 200, "\r\n\r\nx\n"},
        {"/text/x?wordtag=1&was=w&failtimes=1", "If-None-Match: \"w\"", 304, "ETag: \"w\"\r\n"},
        {"/text/x?wordtag=1&was=w&failtimes=1", "If-None-Match: \"w\"", 200, "\r\n\r\nx\n"},
        {"/text/x?lastmod=then", "If-Modified-Since: then", 304, "Last-Modified: then\r\n"},
        {"/text/x?lastmod=then", "If-Modified-Since: now", 200, "\r\n\r\nx\n"},
        {"/text/x?status=500&wordtag=1", "If-None-Match: \"x\"", 500, ""},
    };
    struct origin *origin = start();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct blob answer = {0};
        char request[256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nConnection: close\r\n%s\r\n\r\n",
                 cases[i].target, cases[i].header);
        int fd = ask(origin, request);
        cr_assert_eq(client_read_all(fd, &answer, patience), 0);
        cr_expect_eq(client_status(&answer), cases[i].status, "%zu: %s", i, blob_text(&answer));
        cr_expect(blob_contains(&answer, cases[i].shows), "%zu: %s", i, blob_text(&answer));
        close(fd);
        blob_release(&answer);
    }
    stop(origin);
}

Test(origin, takes_credentials_of_the_scheme_it_wants)
{
    static const struct {
        const char *credentials;
        int status;
    } cases[] = {{"Basic a", 200}, {"basic a", 200}, {"Basic", 401}, {"Basicly a", 401}, {"", 401}};
    struct origin *origin = start();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct blob answer = {0};
        char request[128];
        snprintf(request, sizeof request,
                 "GET /text/x?wants=Basic%%20realm=r HTTP/1.1\r\nAuthorization: %s\r\n"
                 "Connection: close\r\n\r\n",
                 cases[i].credentials);
        int fd = ask(origin, request);
        cr_assert_eq(client_read_all(fd, &answer, patience), 0);
        cr_expect_eq(client_status(&answer), cases[i].status, "%s", cases[i].credentials);
        blob_release(&answer);
        close(fd);
    }
    stop(origin);
}

Test(origin, gives_the_rest_that_is_asked_for)
{
    static const struct {
        const char *target, *headers;
        int status;
        const char *shows;
    } cases[] = {
        {"ranges=1&etag=v", "Range: bytes=4-\r\nIf-Range: \"v\"\r\n", 206,
         "ETag: \"v\"\r\nContent-Range: bytes 4-8/9\r\nContent-Length: 5\r\n"},
        {"ranges=1&etag=v", "Range: bytes=4-\r\n", 206, "Content-Range: bytes 4-8/9\r\n"},
        {"ranges=1&etag=v", "Range: bytes=9-\r\nIf-Range: \"v\"\r\n", 416,
         "Content-Range: bytes */9\r\nContent-Length: 0\r\n"},
        {"ranges=1&etag=v", "Range: bytes=4-\r\nIf-Range: \"w\"\r\n", 200, "Length: 9\r\n"},
        {"ranges=1&etag=v", "Range: bytes=4-5\r\n", 200, "Length: 9\r\n"},
        {"ranges=1&etag=v", "", 200, "Length: 9\r\n"},
        {"etag=v", "Range: bytes=4-\r\n", 200, "Length: 9\r\n"},
        {"ranges=blind&etag=v", "Range: bytes=4-\r\nIf-Range: \"w\"\r\n", 206, "Length: 5\r\n"},
        {"ranges=shifted&etag=v", "Range: bytes=4-\r\n", 206, "bytes 5-8/9\r\nContent-Length: 4\r"},
        {"ranges=tagless&etag=v", "Range: bytes=4-\r\n", 206, "stream\r\nContent-Range: bytes 4-"},
        {"ranges=1&hdr=Last-Modified:%20then", "Range: bytes=4-\r\nIf-Range: then\r\n", 206,
         "4-8/9"},
        {"ranges=1&hdr=Last-Modified:%20then", "Range: bytes=4-\r\nIf-Range: now\r\n", 200,
         "9\r\n"},
    };
    struct origin *origin = start();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct blob answer = {0};
        char request[256];
        snprintf(request, sizeof request, "GET /bytes/9?%s HTTP/1.1\r\n%sConnection: close\r\n\r\n",
                 cases[i].target, cases[i].headers);
        int fd = ask(origin, request);
        cr_assert_eq(client_read_all(fd, &answer, patience), 0);
        cr_expect_eq(client_status(&answer), cases[i].status, "case %zu", i);
        cr_expect(blob_contains(&answer, cases[i].shows), "case %zu: %s", i, blob_text(&answer));
        if (cases[i].status == 206 && !strstr(cases[i].target, "shifted")) {
            char rest[5];
            origin_fill(origin_seed("/bytes/9"), 4, rest, sizeof rest);
            cr_expect_eq(memcmp(answer.at + answer.len - sizeof rest, rest, sizeof rest), 0,
                         "case %zu", i);
        }
        blob_release(&answer);
        close(fd);
    }
    stop(origin);
}

Test(origin, fills_by_path_tag_and_offset_alone)
{
    uint64_t seed = origin_seed("/bytes/100?delay=1&tag=a&status=200");
    char whole[100], pieces[100];

    cr_expect_eq(seed, origin_seed("/bytes/100?tag=a"));
    cr_expect_neq(seed, origin_seed("/bytes/100?tag=b"));
    cr_expect_neq(seed, origin_seed("/bytes/101?tag=a"));
    cr_expect_neq(seed, origin_seed("/bytes/100"));

    origin_fill(seed, 0, whole, sizeof whole);
    for (size_t at = 0, len = 1; at < sizeof pieces; at += len, len++) {
        if (len > sizeof pieces - at)
            len = sizeof pieces - at;
        origin_fill(seed, at, pieces + at, len);
    }
    cr_expect_arr_eq(whole, pieces, sizeof whole);
}

Test(origin, tells_where_a_body_differs)
{
    const char *target = "/bytes/9000?tag=a";
    struct blob body = {0};

    origin_body(target, 9000, &body);
    cr_assert_eq(body.len, 9000);
    cr_expect_eq(origin_differs(target, body.at, body.len), -1);
    body.at[8191] ^= 1;
    cr_expect_eq(origin_differs(target, body.at, body.len), 8191);
    cr_expect_eq(origin_differs("/bytes/9000?tag=b", body.at, 8), 0);
    blob_release(&body);
}

Test(origin, streams_every_byte_of_a_large_body)
{
    const char *target = "/bytes/20000001?tag=large";
    struct origin *origin = start();
    struct blob answer = {0};

    get(origin, target, &answer);
    struct blob_span body = client_body(&answer);
    cr_assert_eq(body.len, 20000001);
    cr_expect_eq(origin_differs(target, body.at, body.len), -1);
    blob_release(&answer);
    stop(origin);
}

Test(origin, chunks_hold_the_same_bytes)
{
    const char *target = "/bytes/100000?chunked=1&tag=c";
    struct origin *origin = start();
    struct blob answer = {0}, body = {0};

    get(origin, target, &answer);
    cr_assert(dechunk(client_body(&answer), &body));
    cr_assert_eq(body.len, 100000);
    cr_expect_eq(origin_differs(target, body.at, body.len), -1);
    blob_release(&answer);
    blob_release(&body);
    stop(origin);
}

Test(origin, ends_chunks_badly_when_asked)
{
    struct origin *origin = start();
    struct blob answer = {0}, body = {0};

    get(origin, "/bytes/100?cutchunk=1", &answer);
    cr_expect(!dechunk(client_body(&answer), &body));
    cr_expect_eq(body.len, 100);
    cr_expect_eq(finished(origin, "/bytes/100?cutchunk=1")->end, ORIGIN_CUT);

    blob_clear(&answer, SIZE_MAX);
    get(origin, "/bytes/100?badchunk=1", &answer);
    cr_expect(!dechunk(client_body(&answer), &body));
    cr_expect(blob_contains(&answer, "\r\nno size\r\n"));
    blob_release(&answer);
    blob_release(&body);
    stop(origin);
}

Test(origin, compresses_the_same_bytes)
{
    const char *target = "/bytes/50000?gzip=1";
    struct origin *origin = start();
    struct blob answer = {0}, coded = {0}, body = {0};
    size_t len;

    get(origin, target, &answer);
    cr_expect(blob_contains(&answer, "Content-Encoding: gzip\r\n"));
    cr_assert(dechunk(client_body(&answer), &coded));
    cr_expect_eq(gunzip(&coded, &body, &len), Z_STREAM_END);
    cr_expect_eq(len, 50000);
    cr_expect_eq(origin_differs(target, body.at, body.len), -1);
    blob_release(&answer);
    blob_release(&coded);
    blob_release(&body);
    stop(origin);
}

Test(origin, sends_gzip_that_is_none_or_cut)
{
    struct origin *origin = start();
    struct blob answer = {0}, coded = {0}, body = {0};
    size_t len;

    get(origin, "/bytes/5000?badgzip=1", &answer);
    struct blob_span raw = client_body(&answer);
    cr_expect(blob_contains(&answer, "Content-Encoding: gzip\r\n"));
    blob_add(&coded, raw.at, raw.len);
    cr_expect_eq(gunzip(&coded, NULL, &len), Z_DATA_ERROR);

    blob_clear(&answer, SIZE_MAX);
    blob_clear(&coded, SIZE_MAX);
    get(origin, "/bytes/5000?badgzip=cut", &answer);
    cr_assert(dechunk(client_body(&answer), &coded));
    cr_expect_eq(gunzip(&coded, &body, &len), Z_BUF_ERROR, "the stream has an end");
    cr_expect_eq(len, 2500);
    cr_expect_eq(origin_differs("/bytes/5000?badgzip=cut", body.at, body.len), -1);
    blob_release(&answer);
    blob_release(&coded);
    blob_release(&body);
    stop(origin);
}

Test(origin, a_bomb_is_small_until_it_is_opened)
{
    struct origin *origin = start();
    struct blob answer = {0}, coded = {0};
    size_t len;

    get(origin, "/bytes/50000000?bomb=1", &answer);
    cr_assert(dechunk(client_body(&answer), &coded));
    cr_expect_lt(coded.len, 500000);
    cr_expect_eq(gunzip(&coded, NULL, &len), Z_STREAM_END);
    cr_expect_eq(len, 50000000);
    blob_release(&answer);
    blob_release(&coded);
    stop(origin);
}

Test(origin, has_ascii_where_asked)
{
    const char *target = "/bytes/100000?ascii=1";
    struct origin *origin = start();
    struct blob answer = {0}, expected = {0};

    get(origin, target, &answer);
    origin_fill_ascii(origin_seed(target), 0, blob_reserve(&expected, 100000), 100000);
    blob_extend(&expected, 100000);
    struct blob_span body = client_body(&answer);
    cr_assert_eq(body.len, expected.len);
    cr_expect_eq(memcmp(body.at, expected.at, body.len), 0);
    for (size_t i = 0; i < body.len; i++)
        cr_assert_geq(body.at[i], 0x20);
    blob_release(&answer);
    blob_release(&expected);
    stop(origin);
}

Test(origin, resets_after_exactly_so_many_bytes)
{
    const char *target = "/bytes/1000000?reset=70000";
    struct origin *origin = start();
    struct blob answer = {0};

    cr_expect_eq(client_get(origin_port(origin), target, &answer, patience), -ECONNRESET);
    struct blob_span body = client_body(&answer);
    cr_expect_eq(body.len, 70000);
    cr_expect_eq(origin_differs(target, body.at, body.len), -1);
    cr_expect_eq(finished(origin, target)->end, ORIGIN_CUT);
    blob_release(&answer);
    stop(origin);
}

Test(origin, resets_only_when_a_slow_client_has_what_came_before)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "GET /bytes/9000000?reset=3000000 HTTP/1.1\r\n\r\n");

    /* After this the kernel holds all it can, and a hasty reset would have come. */
    cr_assert(origin_wait_open(origin, 1, patience));
    origin_wait_open(origin, 0, silence);
    cr_expect_eq(client_read_all(fd, &answer, patience), -ECONNRESET);
    cr_expect_eq(client_body(&answer).len, 3000000);
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, stalls_after_so_many_bytes)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "GET /bytes/1000?stall=30 HTTP/1.1\r\n\r\n");

    while (client_body(&answer).len < 30)
        cr_assert_eq(client_read_len(fd, &answer, answer.len + 1, patience), 0);
    cr_expect_eq(client_read_all(fd, &answer, silence), -ETIMEDOUT);
    cr_expect_eq(client_body(&answer).len, 30);
    cr_expect(blob_contains(&answer, "Content-Length: 1000\r\n"));
    cr_expect_eq(origin_counts(origin).in_service, 1);
    close(fd);
    cr_expect_eq(finished(origin, "/bytes/1000?stall=30")->end, ORIGIN_ABANDONED);
    cr_expect(origin_wait_open(origin, 0, patience));
    blob_release(&answer);
    stop(origin);
}

Test(origin, says_nothing_when_silent)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "GET /text/x?silent=1 HTTP/1.1\r\n\r\n");

    cr_assert(origin_wait_in_service(origin, 1, patience));
    cr_expect_eq(client_read_all(fd, &answer, silence), -ETIMEDOUT);
    cr_expect_eq(answer.len, 0);
    cr_expect_eq(origin_counts(origin).in_service, 1);
    cr_expect_eq(origin_log_find(origin, "/text/x?silent=1")->finished, 0.0);
    close(fd);
    cr_expect_eq(finished(origin, "/text/x?silent=1")->end, ORIGIN_ABANDONED);
    stop(origin);
}

Test(origin, never_ends_an_endless_body)
{
    struct origin *origin = start();
    struct blob answer = {0}, body = {0};
    int fd = ask(origin, "GET /bytes/1?endless=1 HTTP/1.1\r\n\r\n");

    cr_expect_eq(client_read_len(fd, &answer, 5000000, patience), 0);
    cr_expect(!dechunk(client_body(&answer), &body));
    cr_expect_gt(body.len, 4000000);
    cr_expect_eq(origin_differs("/bytes/1?endless=1", body.at, body.len), -1);
    close(fd);
    cr_expect(origin_wait_open(origin, 0, patience));
    blob_release(&answer);
    blob_release(&body);
    stop(origin);
}

Test(origin, waits_before_the_head)
{
    struct origin *origin = start();
    struct blob answer = {0};
    double before = moment_now();

    get(origin, "/text/x?delay=0.15", &answer);
    cr_expect_geq(moment_now() - before, 0.15);
    cr_expect_eq(client_status(&answer), 200);
    const struct origin_record *record = finished(origin, "/text/x?delay=0.15");
    cr_expect_geq(record->finished - record->arrived, 0.15);
    blob_release(&answer);
    stop(origin);
}

/* Three are in service as the last one comes. */
static double climbed_delay(const char *target)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fds[2];

    for (size_t i = 0; i < 2; i++)
        fds[i] = ask(origin, "GET /text/x?silent=1 HTTP/1.1\r\n\r\n");
    cr_assert(origin_wait_in_service(origin, 2, patience));
    get(origin, target, &answer);
    cr_expect_eq(client_status(&answer), 200);
    for (size_t i = 0; i < 2; i++)
        close(fds[i]);
    const struct origin_record *record = finished(origin, target);
    double seconds = record->finished - record->arrived;
    blob_release(&answer);
    stop(origin);
    return seconds;
}

Test(origin, waits_longer_the_more_are_in_service)
{
    double linear = climbed_delay("/text/x?delay=0.2&climb=1");
    double squared = climbed_delay("/text/x?delay=0.2&climb=1,2");
    double below = climbed_delay("/text/x?delay=0.2&climb=3,2");

    cr_expect_geq(linear, 0.6);
    cr_expect_lt(linear, 1.8);
    cr_expect_geq(squared, 1.8);
    cr_expect_geq(below, 0.2);
    cr_expect_lt(below, 0.6);
}

Test(origin, waits_between_head_and_body)
{
    struct origin *origin = start();
    struct blob answer = {0};
    double before = moment_now();
    int fd = ask(origin, "GET /text/x?headdelay=0.5 HTTP/1.1\r\n\r\n");

    cr_expect_eq(client_read_len(fd, &answer, 1, patience), 0);
    cr_expect_eq(client_body(&answer).len, 0);
    cr_expect_eq(client_read_len(fd, &answer, answer.len + 2, patience), 0);
    cr_expect_geq(moment_now() - before, 0.5);
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, drips)
{
    const char *target = "/bytes/25?drip=10,0.1";
    struct origin *origin = start();
    struct blob answer = {0};
    double before = moment_now();

    get(origin, target, &answer);
    cr_expect_geq(moment_now() - before, 0.2, "25 bytes by 10 have two pauses");
    struct blob_span body = client_body(&answer);
    cr_expect_eq(body.len, 25);
    cr_expect_eq(origin_differs(target, body.at, body.len), -1);
    blob_release(&answer);
    stop(origin);
}

Test(origin, keeps_a_connection_alive)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "GET /text/a HTTP/1.1\r\n\r\n");

    cr_assert_eq(client_read_len(fd, &answer, 1, patience), 0);
    cr_assert_eq(client_send_text(fd, "GET /text/b HTTP/1.1\r\n\r\n"), 0);
    blob_clear(&answer, SIZE_MAX);
    cr_assert_eq(client_read_len(fd, &answer, 1, patience), 0);
    cr_expect(blob_contains(&answer, "\r\n\r\nb\n"));
    close(fd);
    cr_expect_eq(finished(origin, "/text/a")->connection, 1);
    cr_expect_eq(finished(origin, "/text/b")->connection, 1);
    cr_expect_eq(origin_counts(origin).accepted, 1);
    blob_release(&answer);
    stop(origin);
}

Test(origin, closes_when_either_side_says_so)
{
    struct origin *origin = start();
    static const char *const requests[] = {
        "GET /text/x?close=1 HTTP/1.1\r\n\r\n",
        "GET /text/x HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /text/x HTTP/1.0\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct blob answer = {0};
        int fd = ask(origin, requests[i]);
        cr_expect_eq(client_read_all(fd, &answer, patience), 0, "%s", requests[i]);
        cr_expect(blob_contains(&answer, "Connection: close\r\n"));
        cr_expect(blob_contains(&answer, "\r\n\r\nx\n"));
        close(fd);
        blob_release(&answer);
    }
    stop(origin);
}

Test(origin, answers_pipelined_requests_in_order)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "GET /text/one?delay=0.05 HTTP/1.1\r\n\r\n"
                         "GET /text/two HTTP/1.1\r\nConnection: close\r\n\r\n");

    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    const char *one = strstr(blob_text(&answer), "\r\n\r\none\n");
    cr_assert(one);
    cr_expect(strstr(one, "\r\n\r\ntwo\n"));
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, sends_no_body_to_head)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "HEAD /bytes/70 HTTP/1.1\r\nConnection: close\r\n\r\n");

    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    cr_expect(blob_contains(&answer, "Content-Length: 70\r\n"));
    cr_expect_eq(client_body(&answer).len, 0);
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, echoes_what_it_received)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "PUT /echo/a?any=thing HTTP/1.1\r\nHost: h\r\nX-Odd:  v \r\n"
                         "Content-Length: 8\r\nConnection: close\r\n\r\none\r\ntwo");

    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    cr_expect_str_eq(client_body(&answer).at,
                     "PUT /echo/a?any=thing HTTP/1.1\nHost: h\nX-Odd:  v \n"
                     "Content-Length: 8\nConnection: close\n\none\r\ntwo");
    cr_expect_eq(finished(origin, "/echo/a?any=thing")->body_bytes, 8);
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, reads_a_chunked_request)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                         "Connection: close\r\n\r\n3\r\nabc\r\nA;a=b\r\n0123456789\r\n");

    cr_assert_eq(client_read_all(fd, &answer, silence), -ETIMEDOUT, "it did not wait for the end");
    cr_assert_eq(client_send_text(fd, "0\r\nTrailer: t\r\n\r\n"), 0);
    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    cr_expect(blob_contains(&answer, "\n\nabc0123456789"));
    cr_expect_eq(finished(origin, "/echo")->body_bytes, 13);
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, refuses_a_badly_chunked_request)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");

    /* It may end in a reset, since not all was read. */
    client_read_all(fd, &answer, patience);
    cr_expect_eq(client_status(&answer), 400);
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, lets_a_client_that_asks_first_continue)
{
    struct origin *origin = start();
    struct blob answer = {0};
    int fd = ask(origin, "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
                         "Connection: close\r\n\r\n");

    cr_assert_eq(client_read_len(fd, &answer, 25, patience), 0);
    cr_expect_str_eq(blob_text(&answer), "HTTP/1.1 100 Continue\r\n\r\n");
    cr_assert_eq(client_send_text(fd, "ok"), 0);
    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    cr_expect(blob_contains(&answer, "HTTP/1.1 200 OK"));
    close(fd);
    blob_release(&answer);
    stop(origin);
}

static void upload(struct origin *origin, const char *target, size_t len, struct blob *answer)
{
    struct blob request = {0};

    blob_addf(&request, "POST %s HTTP/1.1\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
              target, len);
    memset(blob_reserve(&request, len), 'u', len);
    blob_extend(&request, len);
    int fd = connect_to(origin);
    cr_assert_eq(client_send(fd, request.at, request.len), 0);
    cr_assert_eq(client_read_all(fd, answer, patience), 0);
    close(fd);
    blob_release(&request);
}

Test(origin, takes_uploads_of_any_size_but_echoes_no_more_than_it_holds)
{
    struct origin *origin = start();
    struct blob answer = {0};

    upload(origin, "/text/thanks", 5000000, &answer);
    cr_expect(blob_contains(&answer, "\r\n\r\nthanks\n"));
    cr_expect_eq(finished(origin, "/text/thanks")->body_bytes, 5000000);
    blob_clear(&answer, SIZE_MAX);
    upload(origin, "/echo", 5000000, &answer);
    cr_expect_eq(client_status(&answer), 413);
    blob_clear(&answer, SIZE_MAX);
    upload(origin, "/echo", 1000000, &answer);
    cr_expect_eq(client_status(&answer), 200);
    cr_expect_gt(client_body(&answer).len, 1000000);
    blob_release(&answer);
    stop(origin);
}

Test(origin, shows_the_door_to_what_is_no_request)
{
    struct origin *origin = start();
    static const char *const heads[] = {
        "hello\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct blob answer = {0};
        int fd = ask(origin, heads[i]);
        cr_expect_eq(client_read_all(fd, &answer, patience), 0);
        cr_expect_eq(client_status(&answer), 400, "%s", heads[i]);
        close(fd);
        blob_release(&answer);
    }
    cr_expect_eq(origin_counts(origin).requests, 0);
    stop(origin);
}

Test(origin, bounds_a_request_head)
{
    struct origin *origin = start();
    struct blob request = {0}, answer = {0};
    int fd = connect_to(origin);

    blob_add_text(&request, "GET /text/x HTTP/1.1\r\nX: ");
    memset(blob_reserve(&request, ORIGIN_HEAD_MAX), 'x', ORIGIN_HEAD_MAX);
    blob_extend(&request, ORIGIN_HEAD_MAX);
    /* It may be cut off while it still speaks. */
    client_send(fd, request.at, request.len);
    int state = client_read_all(fd, &answer, patience);
    cr_expect(state == 0 || state == -ECONNRESET, "%s", strerror(-state));
    cr_expect(client_status(&answer) == 400 || answer.len == 0);
    cr_expect_eq(origin_counts(origin).requests, 0);
    close(fd);
    blob_release(&request);
    blob_release(&answer);
    stop(origin);
}

Test(origin, turns_away_what_is_over_its_limit)
{
    struct origin *origin = start();
    const char *slow = "GET /text/x?silent=1 HTTP/1.1\r\n\r\n";
    struct blob answer = {0};
    int one = ask(origin, slow), other = ask(origin, slow);

    cr_assert(origin_wait_in_service(origin, 2, patience));
    get(origin, "/text/x?maxinflight=2", &answer);
    cr_expect_eq(client_status(&answer), 429);
    close(one);
    cr_assert(origin_wait_in_service(origin, 1, patience));
    blob_clear(&answer, SIZE_MAX);
    get(origin, "/text/x?maxinflight=2", &answer);
    cr_expect_eq(client_status(&answer), 200);
    close(other);
    blob_release(&answer);
    stop(origin);
}

Test(origin, fails_as_often_as_it_is_told_for_each_key)
{
    struct origin *origin = start();
    static const struct {
        const char *target;
        int status;
    } turns[] = {
        {"/text/x?failtimes=2&key=a&status=500&retryafter=1", 500},
        {"/text/y?failtimes=1&key=b", 503},
        {"/text/z?failtimes=2&key=a&status=429", 429},
        {"/text/x?failtimes=2&key=a&status=500&retryafter=1", 200},
        {"/text/y?failtimes=1&key=b", 200},
        {"/text/n?failtimes=1", 503},
        {"/text/m?failtimes=1", 503},
        {"/text/n?failtimes=1", 200},
        {"/text/r?failtimes=1&reset=head", 0},
        {"/text/r?failtimes=1&reset=head", 200},
    };

    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
        struct blob answer = {0};
        client_get(origin_port(origin), turns[i].target, &answer, patience);
        cr_expect_eq(client_status(&answer), turns[i].status, "turn %zu: %s", i, turns[i].target);
        blob_release(&answer);
    }
    stop(origin);
}

Test(origin, a_forgiven_request_has_no_fault_left)
{
    struct origin *origin = start();
    static const char *const faults[] = {"status=404", "loop=1",    "hops=5",     "location=/y",
                                         "reset=head", "reset=1",   "short=3",    "cutchunk=1",
                                         "stall=1",    "badgzip=1", "badchunk=1", "garbage=1",
                                         "closenow=1", "silent=1",  "badgzip=cut"};

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct blob answer = {0};
        char target[96];
        snprintf(target, sizeof target, "/text/x?failtimes=0&%s", faults[i]);
        get(origin, target, &answer);
        cr_expect_eq(client_status(&answer), 200, "%s", faults[i]);
        cr_expect(blob_contains(&answer, "Content-Length: 2\r\nConnection: close\r\n\r\nx\n"), "%s",
                  faults[i]);
        blob_release(&answer);
    }
    stop(origin);
}

Test(origin, writes_down_what_it_saw)
{
    struct origin *origin = start();
    struct blob answer = {0};
    char value[16];
    double before = moment_now();
    int fd = ask(origin, "POST /text/x?tag=1 HTTP/1.1\r\nHost: h\r\nX-A:  spaced out \r\n"
                         "Content-Length: 4\r\n\r\nbody");

    cr_assert_eq(client_read_len(fd, &answer, 1, patience), 0);
    const struct origin_record *record = finished(origin, "/text/x?tag=1");
    cr_expect_str_eq(record->method, "POST");
    cr_expect_str_eq(record->headers, "Host: h\r\nX-A:  spaced out \r\nContent-Length: 4\r\n");
    cr_expect_str_eq(record->local, "127.0.0.1");
    cr_expect_eq(record->status, 200);
    cr_expect_eq(record->end, ORIGIN_ANSWERED);
    cr_expect_eq(record->body_bytes, 4);
    cr_expect_eq(record->sent_bytes, answer.len);
    cr_expect(record->arrived >= before && record->arrived <= record->finished);
    cr_expect_leq(record->finished, moment_now());
    cr_expect(origin_record_header(record, "x-a", value, sizeof value));
    cr_expect_str_eq(value, "spaced out");
    cr_expect(origin_record_header(record, "X-A", value, 4));
    cr_expect_str_eq(value, "spa");
    cr_expect(!origin_record_header(record, "X", value, sizeof value));
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, lists_requests_as_they_arrived)
{
    struct origin *origin = start();
    static const char *const targets[] = {"/text/1", "/text/2", "/text/1"};
    const struct origin_record *record = NULL;
    struct blob answer = {0};

    cr_expect_null(origin_log_next(origin, NULL));
    for (size_t i = 0; i < 3; i++)
        get(origin, targets[i], &answer);
    for (size_t i = 0; i < 3; i++) {
        record = origin_log_next(origin, record);
        cr_assert(record);
        cr_expect_str_eq(record->target, targets[i]);
        cr_expect_eq(record->connection, i + 1);
    }
    cr_expect_null(origin_log_next(origin, record));
    cr_expect_eq(origin_log_count(origin, "/text/1"), 2);
    cr_expect_null(origin_log_find(origin, "/text/3"));
    blob_release(&answer);
    stop(origin);
}

Test(origin, counts_without_a_log_when_quiet)
{
    struct origin *origin = origin_start(&(struct origin_options){.quiet = true});
    struct blob answer = {0};

    cr_assert(origin);
    get(origin, "/text/x", &answer);
    cr_expect_null(origin_log_next(origin, NULL));
    cr_expect_eq(origin_counts(origin).requests, 1);
    cr_expect_eq(origin_counts(origin).unlogged, 0);
    blob_release(&answer);
    stop(origin);
}

Test(origin, is_many_hosts_when_it_listens_on_any)
{
    struct origin *origin = origin_start(&(struct origin_options){.any = true});
    struct blob answer = {0};

    cr_assert(origin);
    int fd = client_connect("127.3.2.1", origin_port(origin));
    cr_assert_geq(fd, 0);
    cr_assert_eq(client_send_text(fd, "GET /text/x HTTP/1.0\r\n\r\n"), 0);
    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    cr_expect_str_eq(finished(origin, "/text/x")->local, "127.3.2.1");
    cr_expect_str_eq(finished(origin, "/text/x")->peer, "127.0.0.1");
    cr_expect_eq(strncmp(origin_url(origin), "http://127.0.0.1:", 17), 0);
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, listens_on_a_unix_socket)
{
    struct scratch *scratch = scratch_new();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = scratch_path(scratch, "socket");
    struct origin *origin = origin_start(&(struct origin_options){.address = path});
    struct blob answer = {0};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    cr_assert(origin);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(client_send_text(fd, "GET /text/x HTTP/1.0\r\n\r\n"), 0);
    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    cr_expect_eq(client_status(&answer), 200);
    cr_expect_str_eq(finished(origin, "/text/x")->local, "");
    cr_expect_str_eq(finished(origin, "/text/x")->peer, "");
    close(fd);
    blob_release(&answer);
    stop(origin);
    scratch_free(scratch);
}

Test(origin, listens_on_v6)
{
    struct origin *origin = origin_start(&(struct origin_options){.address = "::1"});
    struct blob answer = {0};

    if (!origin && errno == EADDRNOTAVAIL)
        cr_skip_test("this machine has no ::1");
    cr_assert(origin);
    cr_expect_eq(strncmp(origin_url(origin), "http://[::1]:", 13), 0);
    int fd = client_connect("::1", origin_port(origin));
    cr_assert_geq(fd, 0);
    cr_assert_eq(client_send_text(fd, "GET /text/x HTTP/1.0\r\n\r\n"), 0);
    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    cr_expect_str_eq(finished(origin, "/text/x")->local, "::1");
    close(fd);
    blob_release(&answer);
    stop(origin);
}

Test(origin, says_why_it_cannot_listen)
{
    struct origin *origin = start();
    struct origin_options taken = {.port = origin_port(origin)};
    struct origin_options nowhere = {.address = "203.0.113.1"};

    cr_expect_null(origin_start(&taken));
    cr_expect_eq(errno, EADDRINUSE);
    cr_expect_null(origin_start(&nowhere));
    cr_expect_eq(errno, EADDRNOTAVAIL);
    stop(origin);
}

Test(origin, knows_how_many_it_served_at_once)
{
    struct origin *origin = start();
    int fds[7];

    for (size_t i = 0; i < 7; i++)
        fds[i] = ask(origin, "GET /text/x?silent=1 HTTP/1.1\r\n\r\n");
    cr_expect(origin_wait_in_service(origin, 7, patience));
    for (size_t i = 0; i < 7; i++)
        close(fds[i]);
    cr_expect(origin_wait_in_service(origin, 0, patience));
    int last = ask(origin, "GET /text/x HTTP/1.1\r\n\r\n");
    cr_expect(origin_wait_requests(origin, 8, patience));
    cr_expect(!origin_wait_requests(origin, 9, 0.01));
    close(last);
    cr_expect(origin_wait_open(origin, 0, patience));
    struct origin_counts counts = origin_counts(origin);
    cr_expect_eq(counts.in_service_peak, 7);
    cr_expect_eq(counts.open_peak, 7);
    cr_expect_eq(counts.accepted, 8);
    stop(origin);
}

Test(origin, carries_five_thousand_connections)
{
    enum { MANY = 5000 };
    struct rlimit limit;
    int *fds = calloc(MANY, sizeof *fds);

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < MANY + 100)
        cr_skip_test("this machine lends only %lu descriptors", (unsigned long)limit.rlim_cur);
    struct origin *origin = start();
    for (size_t i = 0; i < MANY; i++)
        fds[i] = ask(origin, "GET /bytes/40?delay=0.1 HTTP/1.1\r\n\r\n");
    cr_assert(origin_wait_open(origin, MANY, patience));
    for (size_t i = 0; i < MANY; i++) {
        struct blob answer = {0};
        cr_assert_eq(client_read_len(fds[i], &answer, 1, patience), 0);
        cr_assert_eq(client_body(&answer).len, 40);
        close(fds[i]);
        blob_release(&answer);
    }
    cr_expect(origin_wait_open(origin, 0, patience));
    free(fds);
    stop(origin);
}

Test(origin, ends_with_its_parent)
{
    uint16_t port = 0;
    int channel[2];

    cr_assert_eq(pipe(channel), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct origin *origin = origin_start(NULL);
        port = origin ? origin_port(origin) : 0;
        (void)!write(channel[1], &port, sizeof port);
        for (;;)
            pause();
    }
    cr_assert_eq(read(channel[0], &port, sizeof port), sizeof port);
    int fd = client_connect("127.0.0.1", port);
    cr_assert_geq(fd, 0);
    close(fd);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    double deadline = moment_now() + patience;
    while ((fd = client_connect("127.0.0.1", port)) >= 0 && moment_now() < deadline) {
        close(fd);
        moment_nap();
    }
    cr_expect_eq(fd, -ECONNREFUSED);
    close(channel[0]);
    close(channel[1]);
}

Test(origin, stops_twice_without_harm_when_there_is_none)
{
    cr_expect_eq(origin_stop(NULL), 0);
}

Test(origin_program, serves_until_its_stdin_ends)
{
    struct run *run = run_spawn(&(struct run_options){
        .argv = (const char *const[]){ORIGIN_PATH, "--any", NULL},
    });
    /* Its end is also where a sanitizer says what leaked of all these. */
    static const char *const targets[] = {
        "/text/a?gzip=1",       "/bytes/9?stall=2",      "/bytes/999999?bomb=1", "/echo?a=b",
        "/bytes/9?failtimes=1", "/text/a?maxinflight=0", "/bytes/9?reset=1",     "/text/a?silent=1",
        "/bytes/9?typo=1",      "/bytes/9?endless=1"};
    struct run_result result;

    cr_assert(run);
    cr_assert(run_read_until(run, "\n", patience));
    const char *colon = strrchr(blob_text(run_out(run)), ':');
    cr_assert(colon);
    uint16_t port = (uint16_t)strtoul(colon + 1, NULL, 10);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct blob answer = {0};
        client_get(port, targets[i], &answer, silence);
        blob_release(&answer);
    }
    struct blob answer = {0};
    cr_expect_eq(client_get(port, "/text/hi", &answer, patience), 0);
    cr_expect_eq(client_status(&answer), 200);
    cr_expect(!run_ended(run, 0), "it did not wait for the end of stdin");
    run_wait(run, &result);
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    cr_expect_eq(result.err.len, 0, "%s", blob_text(&result.err));
    blob_release(&answer);
    run_result_release(&result);
}

Test(origin_program, refuses_what_it_does_not_know)
{
    static const char *const bad[] = {"--port=x", "--port=70000", "--nonsense", "word"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct run_options options = {.argv = (const char *const[]){ORIGIN_PATH, bad[i], NULL}};
        struct run_result result;
        cr_assert(run_finish(&options, &result));
        cr_expect_eq(result.code, 2, "%s", bad[i]);
        cr_expect(blob_contains(&result.err, "usage: origin"));
        run_result_release(&result);
    }
}
