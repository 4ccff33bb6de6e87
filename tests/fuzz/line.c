/* A line of input, in each of the formats that lines have. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "input/parse.h"
#include "input/request.h"
#include "input/url.h"

static void check_url(const struct url *url)
{
    struct buf text, err;
    struct url *again = NULL;

    buf_init(&text);
    buf_init(&err);
    url_add_text(url, &text);
    PROMISE(text.len > 0);
    PROMISE(!strpbrk(text.data, "\r\n"));
    PROMISE(url_parse(text.data, "http", &again, &err) == 0);
    url_free(again);
    buf_release(&text);
    buf_release(&err);
}

static void try_line(const struct parse_rules *rules, const char *line, size_t len)
{
    struct request request = {0};
    struct url *url = NULL;

    parse_line(rules, line, len, &request, &url);
    PROMISE(request.url);
    PROMISE(!request.invalid == (url != NULL));
    if (request.invalid) {
        PROMISE(strlen(request.url) <= PARSE_ECHO_MAX);
        PROMISE(text_is_utf8(request.url, strlen(request.url)));
    } else {
        PROMISE(!strpbrk(request.url, "\r\n"));
        check_url(url);
    }
    url_free(url);
    request_release(&request);
}

int FUZZ(line)(const uint8_t *bytes, size_t size)
{
    static const enum input_format formats[] = {INPUT_AUTO, INPUT_URL, INPUT_JSONL};
    const char *line = (const char *)bytes;

    if (size > PARSE_LINE_MAX || !parse_wants(line, size))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct parse_rules rules = {.format = formats[i], .default_scheme = "http"};
        try_line(&rules, line, size);
    }
    return 0;
}
