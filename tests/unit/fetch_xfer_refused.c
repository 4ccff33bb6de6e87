#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "cli/options.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_setup.h"

enum { TRANSFERS = 3 };

struct talk {
    struct options options;
    struct xfer xfer;
    struct transfer transfers[TRANSFERS];
};

/* How versions of libcurl say the same. */
struct dialect {
    char joins[48];              /* "": from 8.2 on it is asked for the connection's number */
    char stream[24], behind[48]; /* before and behind its number */
    char goaway[48];
};

static const struct dialect oldest = {"Re-using existing connection #0 with host h\n",
                                      "Using Stream ID: ", " (easy handle 0x7)\n",
                                      "recveived GOAWAY, error=0, last_stream="};

static void begin(struct talk *talk)
{
    *talk = (struct talk){.options = {.http = OPTION_HTTP_2}};
    talk->xfer.options = &talk->options;
    for (size_t i = 0; i < TRANSFERS; i++) {
        talk->transfers[i].xfer = &talk->xfer;
        talk->transfers[i].ask.method = "POST";
        xfer_begin_sending(&talk->transfers[i]);
        DL_APPEND(talk->xfer.running, &talk->transfers[i]);
    }
}

static void say(struct talk *talk, size_t who, const char *words)
{
    xfer_hear(&talk->transfers[who], words, strlen(words));
}

static void say_number(struct talk *talk, size_t who, const char *before, int number,
                       const char *behind)
{
    char words[80];

    snprintf(words, sizeof words, "%s%d%s", before, number, behind);
    say(talk, who, words);
}

static void answer(struct talk *talk, size_t who, const char *status_line)
{
    xfer_note_answer(&talk->transfers[who], status_line, strlen(status_line));
}

/* All on one connection, the streams 1, 3 and 5. */
static void begin_together(struct talk *talk, const struct dialect *dialect)
{
    begin(talk);
    for (size_t i = 0; i < TRANSFERS; i++) {
        if (*dialect->joins)
            say(talk, i, dialect->joins);
        cr_assert(xfer_may_send(&talk->transfers[i]));
        if (!*dialect->joins)
            talk->transfers[i].exchange.connection = 1;
        say_number(talk, i, dialect->stream, 2 * (int)i + 1, dialect->behind);
    }
}

static bool is_sent_again(struct talk *talk, size_t who)
{
    say(talk, who, "Connection died, retrying a fresh connect (retry count: 1)\n");
    return xfer_may_send(&talk->transfers[who]);
}

ParameterizedTestParameters(refused, are_the_streams_that_a_server_did_not_come_to)
{
    static struct dialect dialects[] = {
        {"Connected to h (127.0.0.1) port 443 (#0)\n", "Using Stream ID: ", " (easy handle 0x7)\n",
         "recveived GOAWAY, error=0, last_stream="},
        {"Re-using existing connection #0 with host h\n",
         "Using Stream ID: ", " (easy handle 0x7)\n", "recveived GOAWAY, error=0, last_stream="},
        {"", "[HTTP/2] [", "] OPENED stream for https://h/\n",
         "received GOAWAY, error=0, last_stream="},
    };

    return cr_make_param_array(struct dialect, dialects, sizeof dialects / sizeof *dialects);
}

ParameterizedTest(struct dialect *dialect, refused, are_the_streams_that_a_server_did_not_come_to)
{
    struct talk talk;

    begin_together(&talk, dialect);
    say_number(&talk, 0, dialect->goaway, 3, "\n");
    cr_expect_not(is_sent_again(&talk, 0));
    cr_expect_not(is_sent_again(&talk, 1));
    cr_expect(is_sent_again(&talk, 2));
    cr_expect_not(is_sent_again(&talk, 2), "that was another stream");
}

Test(refused, is_the_stream_that_the_server_reset_as_refused)
{
    struct talk talk;

    begin_together(&talk, &oldest);
    say(&talk, 1, "HTTP/2 stream 3 refused by server, try again on a new connection\n");
    say(&talk, 2, "HTTP/2 stream 5 was not closed cleanly\n");
    cr_expect(is_sent_again(&talk, 1));
    cr_expect_not(is_sent_again(&talk, 1), "that was another stream");
    cr_expect_not(is_sent_again(&talk, 2));
}

Test(refused, is_none_where_a_connection_dies_without_a_word)
{
    struct talk talk;

    begin_together(&talk, &oldest);
    for (size_t i = 0; i < TRANSFERS; i++)
        cr_expect_not(is_sent_again(&talk, i));
}

Test(refused, does_not_matter_to_what_may_be_repeated)
{
    struct talk talk;

    begin_together(&talk, &oldest);
    talk.transfers[0].ask.method = "PUT";
    cr_expect(is_sent_again(&talk, 0));
    cr_expect(is_sent_again(&talk, 0));
}

/* libcurl may mean the stream before. */
Test(refused, is_not_what_is_merely_said_to_be)
{
    struct talk talk;

    begin_together(&talk, &oldest);
    say(&talk, 0, "REFUSED_STREAM, retrying a fresh connect\n");
    cr_expect_not(is_sent_again(&talk, 0));
}

/* Who looks for a connection hears what came on one that it does not use. */
Test(refused, is_nothing_of_another_connection)
{
    struct talk talk;

    begin_together(&talk, &oldest);
    say(&talk, 0, "Re-using existing connection #12 with host h\n");
    say(&talk, 0, "recveived GOAWAY, error=0, last_stream=1\n");
    cr_expect_not(is_sent_again(&talk, 1));
    begin_together(&talk, &oldest);
    cr_expect_not(is_sent_again(&talk, 0));
    say(&talk, 0, "recveived GOAWAY, error=0, last_stream=1\n");
    cr_expect_not(is_sent_again(&talk, 1));
    begin_together(&talk, &oldest);
    answer(&talk, 0, "HTTP/2 401 \r\n");
    say(&talk, 0, "Issue another request to this URL: 'https://h/'\n");
    say(&talk, 0, "recveived GOAWAY, error=0, last_stream=1\n");
    cr_expect_not(is_sent_again(&talk, 1));
}

Test(refused, is_not_what_others_may_write)
{
    struct talk talk;

    begin_together(&talk, &oldest);
    say(&talk, 0, "h2h3 [:path: /recveived GOAWAY, error=0, last_stream=1]\n");
    say(&talk, 0, "[HTTP/2] [1] [:path: /received GOAWAY, error=0, last_stream=1]\n");
    say(&talk, 0, "recveived GOAWAY, of other words\n");
    say(&talk, 1, " REFUSED_STREAM, retrying a fresh connect\n");
    cr_expect_not(is_sent_again(&talk, 1));
    cr_expect_not(is_sent_again(&talk, 2));
}

/* ---- what the answers say ---- */

struct answers {
    char heads[3][40];
    bool asks;
};

ParameterizedTestParameters(sending, again_is_for_an_answer_to_ask)
{
    static struct answers answers[] = {
        {{"HTTP/1.1 401 Unauthorized\r\n"}, true},
        {{"HTTP/1.1 407\r\n"}, true},
        {{"HTTP/2 417 \r\n"}, true},
        {{"HTTP/1.1 100 Continue\r\n", "HTTP/1.1 401 x\r\n"}, true},
        {{"HTTP/1.1 100 Continue\r\n"}, false},
        {{"HTTP/1.1 200 OK\r\n"}, false},
        {{"HTTP/1.1 503 x\r\n"}, false},
        {{"HTTP/1.1 40"}, false},
        {{"HTTP/1.1"}, false},
        {{""}, false},
    };

    return cr_make_param_array(struct answers, answers, sizeof answers / sizeof *answers);
}

ParameterizedTest(struct answers *answers, sending, again_is_for_an_answer_to_ask)
{
    struct talk talk;

    begin(&talk);
    cr_expect(xfer_may_send(&talk.transfers[0]));
    for (size_t i = 0; i < 3 && *answers->heads[i]; i++)
        answer(&talk, 0, answers->heads[i]);
    cr_expect_eq(xfer_may_send(&talk.transfers[0]), answers->asks);
}

/* It asked for one more time, and that one's connection died: through a proxy, whose heads come
 * before the request. */
Test(sending, again_is_asked_for_once)
{
    struct talk talk;

    begin(&talk);
    xfer_note_leaving(&talk.transfers[0]);
    answer(&talk, 0, "HTTP/1.1 200 tunnel\r\n");
    cr_expect(xfer_may_send(&talk.transfers[0]));
    answer(&talk, 0, "HTTP/1.1 401 x\r\n");
    xfer_note_leaving(&talk.transfers[0]);
    answer(&talk, 0, "HTTP/1.1 200 tunnel\r\n");
    cr_expect(xfer_may_send(&talk.transfers[0]));
    cr_expect_not(talk.transfers[0].exchange.has_lost_connection);
    xfer_note_leaving(&talk.transfers[0]);
    answer(&talk, 0, "HTTP/1.1 407 x\r\n");
    cr_expect_not(xfer_may_send(&talk.transfers[0]));
    cr_expect(talk.transfers[0].exchange.has_lost_connection);
}
