#include "input/framing.h"

#include <criterion/criterion.h>

static const struct {
    const char *header;
    enum framing framing;
} cases[] = {
    {"Content-Length: 1", FRAMING_COPIED},
    {"content-length:", FRAMING_COPIED},
    {"Content-Length;", FRAMING_COPIED},
    {"Content-Lengths: 1", FRAMING_NONE},
    {"Keep-Alive: a", FRAMING_COPIED},
    {"Proxy-Connection: close", FRAMING_COPIED},
    {"UPGRADE: h2c", FRAMING_COPIED},
    {"TE: trailers", FRAMING_COPIED},
    {"Trailer: a", FRAMING_COPIED},
    {"Connection: keep-alive", FRAMING_COPIED},
    {"Connection: close, TE", FRAMING_COPIED},
    {"connection:\t Close ", FRAMING_NONE},
    {"Connection:", FRAMING_NONE},
    {"Transfer-Encoding: chunked", FRAMING_CHUNKED},
    {"transfer-encoding:CHUNKED \t", FRAMING_CHUNKED},
    {"Transfer-Encoding: gzip, chunked", FRAMING_UNKNOWN},
    {"Transfer-Encoding: chunkedx", FRAMING_UNKNOWN},
    {"Transfer-Encoding: ", FRAMING_NONE},
    {"Transfer-Encoding;", FRAMING_NONE},
    {"Host: a", FRAMING_NONE},
    {"", FRAMING_NONE},
};

Test(framing, knows_the_headers_that_are_ours_to_write)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(framing_of(cases[i].header), cases[i].framing, "%s", cases[i].header);
}

Test(framing, closes_the_connection_on_that_one_word_alone)
{
    cr_expect(framing_closes("Connection: close"));
    cr_expect(framing_closes("connection:CLOSE"));
    cr_expect_not(framing_closes("Connection: keep-alive"));
    cr_expect_not(framing_closes("Connection:"));
    cr_expect_not(framing_closes("X-Connection: close"));
}
