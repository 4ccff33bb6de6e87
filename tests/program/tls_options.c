/* What options say of TLS: whom to trust, who we are, and how to speak. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nginx.h"
#include "program.h"
#include "record.h"
#include "stage.h"

/* A server beside the stage, for its scratch and its texts. */
struct house {
    struct stage *stage;
    struct nginx *nginx;
    const struct nginx_ports *ports;
    const struct certs *certs;
    const char *url; /* of what tells how it was asked */
};

static const char *url_at(const struct house *house, const char *host, unsigned port)
{
    return stage_text(house->stage, "https://%s:%u/spoken", host, port);
}

static struct house open_house(const char *settings)
{
    static const char spoken[] = "location /spoken {\n"
                                 "return 200 \"$ssl_protocol $ssl_cipher $ssl_client_s_dn\\n\"; }\n"
                                 "location /away { return 302 $arg_to; }";
    struct house house = {
        .stage = stage_new(),
        .nginx = nginx_start(&(struct nginx_options){.http = settings, .locations = spoken}),
    };

    cr_assert(house.nginx);
    house.ports = nginx_ports(house.nginx);
    house.certs = nginx_certs(house.nginx);
    house.url = url_at(&house, "127.0.0.1", house.ports->tls);
    return house;
}

static void close_house(struct house *house)
{
    cr_expect_eq(nginx_stop(house->nginx), 0);
    stage_free(house->stage);
}

static void expect_told(const char *const *argv, const char *url, const char *words)
{
    struct run_result result = program_fetch(argv, NULL);

    cr_expect(program_told(&result, url, "tls", words), "%s", blob_text(&result.err));
    program_expect(result, 1, "", NULL);
}

/* What a shell prints of the server's files: $1 is the directory, $2 the certificate. */
static const char *shell(const struct house *house, const char *script, const char *certificate)
{
    const char *const argv[] = {
        "sh", "-ec", script, "sh", scratch_dir(house->stage->scratch), certificate, NULL};
    struct run_result result = program_run((struct run_options){.argv = argv});
    const char *said = stage_text(house->stage, "%.*s", (int)strcspn(blob_text(&result.out), "\n"),
                                  blob_text(&result.out));

    cr_assert_eq(result.code, 0, "%s", blob_text(&result.err));
    run_result_release(&result);
    return said;
}

/* ---- whom to trust ---- */

Test(trust, in_files_that_cannot_be_read_is_refused_at_once)
{
    static const char *const options[] = {"--cacert", "--capath", "--cert", "--key",
                                          "--netrc-file"};
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        program_expect(
            program_fetch(RUN_WEIR(options[i], "/no/such", stage_url(stage, "/text/a")), NULL), 2,
            "", stage_text(stage, "%s: cannot read /no/such", options[i]));
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(trust, in_a_file_that_is_none_is_no_trust)
{
    struct house house = open_house(NULL);
    const char *file = scratch_write_text(house.stage->scratch, "ca.pem", "no certificate\n");

    expect_told(RUN_WEIR("--cacert", file, house.url), house.url, "");
    expect_told(RUN_WEIR("--cacert", house.certs->self_signed, house.url), house.url, "");
    close_house(&house);
}

Test(trust, may_be_in_a_directory)
{
    struct house house = open_house(NULL);
    const char *dir = scratch_mkdir(house.stage->scratch, "authorities");

    expect_told(RUN_WEIR("--capath", dir, house.url), house.url, "");
    shell(&house, "cp \"$2\" \"$1/authorities/$(openssl x509 -hash -noout -in \"$2\").0\"",
          house.certs->ca);
    program_expect(program_fetch(RUN_WEIR("--capath", dir, house.url), NULL), 0, NULL, "");
    close_house(&house);
}

struct bad_case {
    size_t port; /* its place in nginx_ports */
    char words[32];
};

ParameterizedTestParameters(trust, that_is_betrayed_is_told_in_the_record)
{
    static struct bad_case cases[] = {
        {offsetof(struct nginx_ports, expired), "expired"},
        {offsetof(struct nginx_ports, self_signed), "self"},
        {offsetof(struct nginx_ports, wrong_name), "127.0.0.1"},
    };

    return cr_make_param_array(struct bad_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct bad_case *bad, trust, that_is_betrayed_is_told_in_the_record)
{
    struct house house = open_house(NULL);
    unsigned port = *(const uint16_t *)(const void *)((const char *)house.ports + bad->port);
    const char *url = url_at(&house, "127.0.0.1", port);
    json_t *records = records_of(
        program_fetch(RUN_WEIR("--jsonl", "-j1", "--cacert", house.certs->ca, url, house.url),
                      NULL),
        1, 2);

    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "tls");
    cr_expect_str_eq(record_text(record_at(records, 0), "url"), url);
    cr_expect(strstr(record_text(record_at(records, 0), "errormsg"), bad->words), "%s",
              record_text(record_at(records, 0), "errormsg"));
    cr_expect_eq(json_integer_value(json_object_get(record_at(records, 0), "http_code")), 0);
    cr_expect_eq(json_integer_value(json_object_get(record_at(records, 0), "exitcode")), 60);
    cr_expect(json_is_false(json_object_get(record_at(records, 0), "ok")));
    cr_expect_str_eq(record_text(record_at(records, 1), "reason"), "ok");
    json_decref(records);
    close_house(&house);
}

/* The name that is checked is the URL's, wherever the connection leads. */
Test(trust, goes_by_the_name_in_the_url)
{
    struct house house = open_house(NULL);
    const char *ca = house.certs->ca;
    unsigned port = house.ports->wrong_name;
    const char *url = url_at(&house, "wrong.example", port);
    const char *elsewhere = stage_text(house.stage, "::127.0.0.1:%u", port);

    program_expect(
        program_fetch(RUN_WEIR("--cacert", ca, "--resolve",
                               stage_text(house.stage, "wrong.example:%u:127.0.0.1", port), url),
                      NULL),
        0, NULL, "");
    program_expect(program_fetch(RUN_WEIR("--cacert", ca, "--connect-to", elsewhere,
                                          "https://wrong.example/spoken"),
                                 NULL),
                   0, NULL, "");
    expect_told(RUN_WEIR("--cacert", ca, "--connect-to", elsewhere, house.url), house.url, "");
    close_house(&house);
}

Test(pinned_key, must_be_the_servers_own)
{
    static const char pem[] = "openssl x509 -pubkey -noout -in \"$2\" > \"$1/key.pub\"";
    static const char hash[] = "openssl pkey -pubin -in \"$1/key.pub\" -outform der |"
                               "openssl dgst -sha256 -binary | base64";
    struct house house = open_house(NULL);
    const char *ca = house.certs->ca;

    shell(&house, pem, house.certs->good);
    const char *file = scratch_path(house.stage->scratch, "key.pub");
    const char *right = stage_text(house.stage, "sha256//%s", shell(&house, hash, ""));
    const char *wrong = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const char *keys[] = {right, stage_text(house.stage, "%s;%s", wrong, right), file};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        program_expect(
            program_fetch(RUN_WEIR("--cacert", ca, "--pinnedpubkey", keys[i], house.url), NULL), 0,
            NULL, "");
    expect_told(RUN_WEIR("--cacert", ca, "--pinnedpubkey", wrong, house.url), house.url, "");
    expect_told(RUN_WEIR("-k", "--pinnedpubkey", wrong, house.url), house.url, "");
    close_house(&house);
}

/* ---- who we are ---- */

Test(client_certificate, is_shown_with_its_key)
{
    struct house house = open_house(NULL);
    const char *url = url_at(&house, "127.0.0.1", house.ports->client_cert);
    const char *cert = house.certs->client, *key = house.certs->key;

    program_expect(program_fetch(RUN_WEIR("-k", "-E", cert, "--key", key, url, url), NULL), 0, NULL,
                   "");
    struct run_result result =
        program_fetch(RUN_WEIR("-k", "--cert", cert, "--key", key, url), NULL);
    cr_expect(blob_contains(&result.out, " CN=rig\n"), "%s", blob_text(&result.out));
    program_expect(result, 0, NULL, "");
    program_expect(program_fetch(RUN_WEIR("-k", url), NULL), 1, "", ": http: status 400");
    close_house(&house);
}

Test(client_certificate, is_not_for_the_host_that_a_redirect_leads_to)
{
    struct house house = open_house(NULL);
    const char *there = url_at(&house, "127.0.0.1", house.ports->client_cert);
    const char *here =
        stage_text(house.stage, "https://127.0.0.1:%u/away?to=%s", house.ports->tls, there);
    const char *cert = house.certs->client, *key = house.certs->key;

    program_expect(program_fetch(RUN_WEIR("-k", "-E", cert, "--key", key, here), NULL), 1, "",
                   ": http: status 400");
    program_expect(program_fetch(RUN_WEIR("-k", "-j1", "-E", cert, "--key", key, "--accept", "any",
                                          "-w", "%{http_code} ", there, here, there),
                                 NULL),
                   0, "200 400 200 ", "");
    program_expect(
        program_fetch(RUN_WEIR("-k", "-E", cert, "--key", key, "--location-trusted", here), NULL),
        0, NULL, "");
    close_house(&house);
}

Test(client_certificate, may_stand_in_one_file_with_a_key_that_has_a_password)
{
    struct house house = open_house(NULL);
    const char *url = url_at(&house, "127.0.0.1", house.ports->client_cert);

    shell(&house, "cat \"$2\" \"${2%/*}/key.pem\" > \"$1/both\"", house.certs->client);
    shell(&house,
          "{ cat \"$2\"; openssl pkey -in \"${2%/*}/key.pem\" -aes256 -passout pass:pa:ss; } >"
          "\"$1/a:locked\"",
          house.certs->client);
    const char *both = scratch_path(house.stage->scratch, "both");
    const char *locked =
        stage_text(house.stage, "%s/a\\:locked", scratch_dir(house.stage->scratch));
    program_expect(program_fetch(RUN_WEIR("-k", "-E", both, url), NULL), 0, NULL, "");
    program_expect(
        program_fetch(RUN_WEIR("-k", "-E", stage_text(house.stage, "%s:pa:ss", locked), url), NULL),
        0, NULL, "");
    expect_told(RUN_WEIR("-k", "-E", stage_text(house.stage, "%s:wrong", locked), url), url, "");
    close_house(&house);
}

Test(client_certificate, without_a_key_that_fits_is_told)
{
    struct house house = open_house(NULL);
    const char *url = url_at(&house, "127.0.0.1", house.ports->client_cert);
    const char *other =
        stage_text(house.stage, "%.*s.key", (int)strlen(house.certs->ca) - 4, house.certs->ca);

    expect_told(RUN_WEIR("-k", "-E", house.certs->client, url), url, "");
    expect_told(RUN_WEIR("-k", "-E", house.certs->client, "--key", other, url), url, "");
    close_house(&house);
}

/* ---- how to speak ---- */

struct speech_case {
    char settings[64]; /* the server's */
    char option[16], argument[40];
    char spoken[48]; /* "": nothing was */
};

ParameterizedTestParameters(version_and_cipher, are_those_that_both_sides_take)
{
#define OLD "ssl_protocols TLSv1.2;"
#define NEW "ssl_protocols TLSv1.3;"
    static struct speech_case cases[] = {
        {OLD, "--tlsv1.2", "", "TLSv1.2 "},
        {OLD, "--tlsv1.3", "", ""},
        {NEW, "--tlsv1.2", "", "TLSv1.3 "},
        {NEW, "--tlsv1.3", "", "TLSv1.3 "},
        {OLD, "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384",
         "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384 "},
        {OLD, "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256",
         "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256 "},
        {OLD, "--ciphers", "AES128-SHA", ""}, /* needs another kind of key */
        {OLD, "--ciphers", "no-such-cipher", ""},
    };

    return cr_make_param_array(struct speech_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct speech_case *with, version_and_cipher, are_those_that_both_sides_take)
{
    struct house house = open_house(with->settings);
    const char *const *argv = *with->argument
                                  ? RUN_WEIR("-k", with->option, with->argument, house.url)
                                  : RUN_WEIR("-k", with->option, house.url);
    struct run_result result = program_fetch(argv, NULL);

    cr_expect_eq(strncmp(blob_text(&result.out), with->spoken, strlen(with->spoken)), 0, "%s",
                 blob_text(&result.out));
    if (!*with->spoken)
        cr_expect(program_told(&result, house.url, "tls", ""), "%s", blob_text(&result.err));
    program_expect(result, !*with->spoken, *with->spoken ? NULL : "", NULL);
    close_house(&house);
}
