#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"
#include "client.h"
#include "origin.h"
#include "relay.h"

static const double patience = 20;

struct house {
    struct origin *origin;
    struct relay *relay;
    int fd;
    struct blob answer;
};

static struct house build(const char *credentials)
{
    struct house house = {.origin = origin_start(NULL), .relay = relay_start(credentials)};

    cr_assert(house.origin && house.relay);
    house.fd = client_connect("127.0.0.1", relay_port(house.relay));
    cr_assert_geq(house.fd, 0);
    return house;
}

static void leave(struct house *house)
{
    close(house->fd);
    blob_release(&house->answer);
    cr_expect_eq(relay_stop(house->relay), 0);
    cr_expect_eq(origin_stop(house->origin), 0);
}

/* Sends, and reads up to what is expected. */
static void say(struct house *house, const void *bytes, size_t len, const void *answer,
                size_t answer_len)
{
    blob_release(&house->answer);
    cr_assert_eq(client_send(house->fd, bytes, len), 0);
    cr_assert_eq(client_read_len(house->fd, &house->answer, answer_len, patience), 0);
    cr_assert_eq(memcmp(house->answer.at, answer, answer_len), 0, "%s", blob_text(&house->answer));
}

static void fetch(struct house *house)
{
    static const char get[] = "GET /text/x HTTP/1.1\r\nConnection: close\r\n\r\n";

    cr_assert_eq(client_send_text(house->fd, get), 0);
    blob_release(&house->answer);
    cr_assert_eq(client_read_all(house->fd, &house->answer, patience), 0);
    cr_expect(blob_contains(&house->answer, "\r\n\r\nx\n"), "%s", blob_text(&house->answer));
}

Test(relay, leads_by_connect_to_the_port_that_is_named)
{
    struct house house = build(NULL);
    struct blob request = {0};

    blob_addf(&request, "CONNECT any.test:%u HTTP/1.1\r\nHost: x\r\n\r\n",
              (unsigned)origin_port(house.origin));
    say(&house, request.at, request.len, "HTTP/1.1 200", 12);
    fetch(&house);
    cr_expect_eq(relay_count(house.relay), 1);
    cr_expect_str_empty(relay_record(house.relay, 0)->credentials);
    cr_expect_eq(strncmp(relay_record(house.relay, 0)->target, "any.test:", 9), 0);
    blob_release(&request);
    leave(&house);
}

Test(relay, leads_by_socks_with_the_right_password)
{
    struct house house = build("me:word");
    unsigned port = origin_port(house.origin);
    const unsigned char ask[] = {
        5, 1, 0, 3, 1, 'h', (unsigned char)(port >> 8), (unsigned char)port};

    say(&house, "\5\2\0\2", 4, "\5\2", 2);
    say(&house, "\1\2me\4word", 9, "\1\0", 2);
    say(&house, ask, sizeof ask, "\5\0\0\1\0\0\0\0\0\0", 10);
    fetch(&house);
    cr_expect_str_eq(relay_record(house.relay, 0)->credentials, "me:word");
    cr_expect_eq(strncmp(relay_record(house.relay, 0)->target, "h:", 2), 0);
    leave(&house);
}

Test(relay, refuses_who_is_not_known)
{
    struct house house = build("me:word");

    say(&house, "\5\1\2", 3, "\5\2", 2);
    say(&house, "\1\2me\4work", 9, "\1\1", 2);
    leave(&house);
    house = build("me:word");
    say(&house, "\5\1\0", 3, "\5\xFF", 2);
    leave(&house);
    house = build("Basic x");
    say(&house, "CONNECT h:1 HTTP/1.1\r\n\r\n", 24, "HTTP/1.1 407", 12);
    cr_expect_eq(origin_counts(house.origin).accepted, 0);
    leave(&house);
}
