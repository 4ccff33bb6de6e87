#include <criterion/criterion.h>
#include <string.h>
#include <utlist.h>

#include "io/xfer_internal.h"
#include "io/xfer_setup.h"

enum { TRANSFERS = 3 };

struct talk {
    struct xfer xfer;
    struct transfer transfers[TRANSFERS];
};

static void begin(struct talk *talk)
{
    *talk = (struct talk){0};
    for (size_t i = 0; i < TRANSFERS; i++) {
        talk->transfers[i].xfer = &talk->xfer;
        DL_APPEND(talk->xfer.running, &talk->transfers[i]);
    }
}

static void say(struct talk *talk, size_t who, const char *words)
{
    xfer_hear(&talk->transfers[who], words, strlen(words));
}

/* All on one connection, the streams 1, 3 and 5. */
static void begin_together(struct talk *talk)
{
    begin(talk);
    say(talk, 0, "Connected to h (127.0.0.1) port 443 (#0)\n");
    say(talk, 1, "Re-using existing connection #0 with host h\n");
    say(talk, 2, "Re-using existing connection #0 with host h\n");
    say(talk, 0, "Using Stream ID: 1 (easy handle 0x7)\n");
    say(talk, 1, "Using Stream ID: 3 (easy handle 0x8)\n");
    say(talk, 2, "Using Stream ID: 5 (easy handle 0x9)\n");
}

static bool is_sent_again(struct talk *talk, size_t who)
{
    say(talk, who, "Connection died, retrying a fresh connect (retry count: 1)\n");
    return talk->transfers[who].may_rewind;
}

Test(refused, are_the_streams_that_a_server_did_not_come_to)
{
    struct talk talk;

    begin_together(&talk);
    say(&talk, 0, "recveived GOAWAY, error=0, last_stream=3\n");
    cr_expect_not(is_sent_again(&talk, 0));
    cr_expect_not(is_sent_again(&talk, 1));
    cr_expect(is_sent_again(&talk, 2));
    cr_expect_not(is_sent_again(&talk, 2), "that was another stream");
}

Test(refused, is_none_where_a_connection_dies_without_a_word)
{
    struct talk talk;

    begin_together(&talk);
    for (size_t i = 0; i < TRANSFERS; i++)
        cr_expect_not(is_sent_again(&talk, i));
}

/* libcurl may mean the stream before. */
Test(refused, is_not_what_is_merely_said_to_be)
{
    struct talk talk;

    begin_together(&talk);
    say(&talk, 0, "REFUSED_STREAM, retrying a fresh connect\n");
    cr_expect_not(is_sent_again(&talk, 0));
}

/* Who looks for a connection hears what came on one that it does not use. */
Test(refused, is_nothing_of_another_connection)
{
    struct talk talk;

    begin_together(&talk);
    say(&talk, 0, "Re-using existing connection #12 with host h\n");
    say(&talk, 0, "recveived GOAWAY, error=0, last_stream=1\n");
    cr_expect_not(is_sent_again(&talk, 1));
    begin_together(&talk);
    cr_expect_not(is_sent_again(&talk, 0));
    say(&talk, 0, "recveived GOAWAY, error=0, last_stream=1\n");
    cr_expect_not(is_sent_again(&talk, 1));
}

Test(refused, is_not_what_others_may_write)
{
    struct talk talk;

    begin_together(&talk);
    say(&talk, 0, "h2h3 [:path: /recveived GOAWAY, error=0, last_stream=1]\n");
    say(&talk, 0, "recveived GOAWAY, of other words\n");
    say(&talk, 1, " REFUSED_STREAM, retrying a fresh connect\n");
    cr_expect_not(is_sent_again(&talk, 1));
    cr_expect_not(is_sent_again(&talk, 2));
}
