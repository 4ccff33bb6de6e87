/*
 * What one request asks the origin to do, read from its target; of a whole URL, as a proxy is asked for
 * it, the path counts. Paths:
 *
 *   /bytes/N[/NAME]   N deterministic bytes (origin_fill)
 *   /text/WORD        WORD (which may have slashes) and a newline
 *   /echo             the request: its line, headers, an empty line, its body (to 1 MiB, else 413)
 *   anything else     404
 *
 * Parameters, percent-decoded, all of them combine; FLAG is `name=1`:
 *
 *   tag=ANYTHING      another body for the same path; repeatable URLs that differ
 *   status=NNN        answer with it; 302 by itself where there is a location
 *   hdr=Name:value    a header more, repeatable; Content-Type is replaced
 *   location=URL      redirect there
 *   loop FLAG         redirect to this very target
 *   hops=N            redirect to the same target with N-1; answer at 0
 *   wants=CHALLENGE   401 with this WWW-Authenticate until the request has credentials of that scheme
 *   retryafter=TEXT   a Retry-After header, where the status is not under 300
 *   maxinflight=N     429 at once while more than N requests are in service, this one included
 *   failtimes=N       the first N requests get what the script says (status 503 when it names no
 *                     fault), later ones the plain answer: no status, redirect, reset, cut and so on
 *   was=WORD          /text: what the word is while failtimes lasts, in place of a fault
 *   wordtag FLAG      /text: its ETag is the word; 304 where If-None-Match has that
 *   lastmod=DATE      a Last-Modified; 304 where If-Modified-Since is that, and no If-None-Match there
 *   key=TEXT          what failtimes counts by; the target where there is none
 *   delay=SECS        wait before the head
 *   climb=N[,POWER]   delay is so many times longer: (n / N)^POWER, of n requests in service as it came,
 *                     itself included, where n is above N; POWER is 1 where it is not said
 *   headdelay=SECS    wait between the head and the body
 *   drip=BYTES,SECS   BYTES of the body, then SECS of nothing, over and over
 *   etag=WORD         ETag: "WORD"
 *   newetag=WORD      once failtimes is over: that ETag, and the body of the path with tag=WORD
 *   ranges=HOW        /bytes/N: answer `Range: bytes=A-` with 206 or 416, unless an If-Range is not
 *                     that ETag or a Last-Modified of hdr; 1: as it should be; blind: whatever
 *                     If-Range says; shifted: from A+1; tagless: without the ETag
 *   chunked FLAG      chunked encoding
 *   nolength FLAG     the body ends with the connection
 *   close FLAG        Connection: close
 *   headers=N         N headers more
 *   bigheader=N       one header line of N bytes; bigheaders=N: N of 1000 bytes
 *   gzip FLAG         the body compressed (chunked, unless nolength)
 *   badgzip=1|cut     said to be gzip: it is not at all, or the stream lacks its second half
 *   bomb FLAG         /bytes/N: a gzip of N zeros
 *   ascii FLAG        /bytes/N: each byte made one from 0x20 to 0x7f (origin_fill_ascii)
 *   endless FLAG      a body without end (chunked, unless nolength)
 *   short=N           Content-Length promises N bytes more, then the connection is closed
 *   cutchunk FLAG     chunked, closed before the last chunk
 *   trailers=N        N headers behind the last chunk, where it is chunked
 *   badchunk FLAG     chunked, and a size that is none after the body's bytes
 *   reset=head|N      RST before any byte, or after N bytes of the body reached the client
 *   closenow FLAG     FIN before any byte
 *   silent FLAG       no answer, ever
 *   stall=N           head and N bytes of the body, then nothing
 *   garbage FLAG      bytes that are no HTTP, then FIN
 *
 * /echo takes any other parameter too. `Expect: 100-continue` is answered when there is a body.
 * Owns: the decoded texts. Knows nothing of: sockets, time, other requests.
 */
#ifndef RIG_ORIGIN_SCRIPT_H
#define RIG_ORIGIN_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORIGIN_SCRIPT_HEADERS_MAX = 32 };

/* A number that was not given. */
#define ORIGIN_NEVER UINT64_MAX

enum origin_kind { ORIGIN_NOT_FOUND, ORIGIN_BYTES, ORIGIN_TEXT, ORIGIN_ECHO };

enum origin_coding { ORIGIN_PLAIN, ORIGIN_GZIP, ORIGIN_GZIP_NOT, ORIGIN_GZIP_CUT, ORIGIN_BOMB };

enum origin_ranges { ORIGIN_WHOLE, ORIGIN_RANGES, ORIGIN_BLIND, ORIGIN_SHIFTED, ORIGIN_TAGLESS };

struct origin_script {
    enum origin_kind kind;
    enum origin_coding coding;
    enum origin_ranges ranges;
    const char *etag, *new_etag; /* without quotes */
    uint64_t size;               /* of /bytes */
    uint64_t seed;
    const char *word; /* of /text */
    unsigned status;  /* 0: not given */
    const char *location, *wants, *retry_after, *key;
    const char *was, *last_modified;
    const char *headers[ORIGIN_SCRIPT_HEADERS_MAX];
    size_t header_count;
    double delay;
    double head_delay;
    double drip_seconds;
    uint64_t drip_bytes; /* 0: no drip */
    uint64_t filler_headers;
    uint64_t big_header, big_headers, trailers;
    uint64_t short_by, reset_at, stall_at;
    uint64_t hops;
    uint64_t max_in_flight;
    uint64_t climb; /* 0: the delay is what it is */
    uint64_t climb_power;
    uint64_t fail_times;
    bool reset_head, ascii, chunked, no_length;
    bool close, close_now, loop;
    bool silent, endless, garbage;
    bool cut_chunk, bad_chunk, word_tag;
    char error[96]; /* why it does not parse, else "" */
    char *text;     /* what the texts above point into */
    char *next_hop; /* and the location, where hops made it */
};

/* Always leaves a script that can be released; false when `error` says what is wrong. */
bool origin_script_parse(struct origin_script *, const char *target, size_t len);
/* The plain answer is due: takes every fault out. */
void origin_script_forgive(struct origin_script *);
/* Whether anything there would make a request fail. */
bool origin_script_has_fault(const struct origin_script *);
void origin_script_release(struct origin_script *);

#endif
