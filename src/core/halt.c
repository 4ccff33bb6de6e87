#include "core/halt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

static const char *const whens[] = {
    [HALT_NEVER] = "never", [HALT_SOON] = "soon", [HALT_NOW] = "now"};
static const char *const whats[] = {
    [HALT_FAIL] = "fail", [HALT_SUCCESS] = "success", [HALT_DONE] = "done"};

/* The word that the text begins with, as an index; -1: it is none of them. */
static int find_word(const char *text, size_t len, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) == len && !strncmp(text, words[i], len))
            return (int)i;
    }
    return -1;
}

static int read_amount(struct halt *halt, const char *text)
{
    size_t len = strlen(text);
    bool is_share = len && text[len - 1] == '%';
    char *number = xstrndup(text, len - is_share);
    uint64_t amount = 0;
    int result = number_read_count(number, &amount);

    free(number);
    if (result || !amount || (is_share && amount > 100))
        return -EINVAL;
    halt->count = is_share ? 0 : amount;
    halt->share = is_share ? (double)amount : 0;
    return 0;
}

static int read_condition(struct halt *halt, const char *text)
{
    size_t len = strcspn(text, "=");
    int what = find_word(text, len, whats, ARRAY_LEN(whats));

    if (what < 0 || text[len] != '=')
        return -EINVAL;
    halt->what = (enum halt_what)what;
    return read_amount(halt, text + len + 1);
}

int halt_parse(struct halt *halt, const char *text, struct buf *err)
{
    struct halt read = {0};
    size_t len = strcspn(text, ",");
    int when = find_word(text, len, whens, ARRAY_LEN(whens));
    int result = when < 0 ? -EINVAL : 0;

    if (when > HALT_NEVER)
        result = text[len] == ',' ? read_condition(&read, text + len + 1) : -EINVAL;
    else if (text[len])
        result = -EINVAL;
    if (result) {
        buf_setf(err, "takes never, or soon or now with fail, success or done, as in soon,fail=3 "
                      "or now,fail=20%%");
        return result;
    }
    read.when = (enum halt_when)when;
    *halt = read;
    return 0;
}

static uint64_t amount_of(const struct halt *halt, const struct halt_tally *tally)
{
    switch (halt->what) {
    case HALT_FAIL: return tally->failed;
    case HALT_SUCCESS: return tally->succeeded;
    case HALT_DONE: break;
    }
    return tally->failed + tally->succeeded;
}

bool halt_is_reached(const struct halt *halt, const struct halt_tally *tally)
{
    uint64_t done = tally->failed + tally->succeeded;
    uint64_t amount = amount_of(halt, tally);
    uint64_t whole = halt->what == HALT_DONE ? tally->read : done;

    if (halt->when == HALT_NEVER)
        return false;
    if (halt->count)
        return amount >= halt->count;
    if (done < HALT_SHARE_MIN || (halt->what == HALT_DONE && !tally->read_all))
        return false;
    return (double)amount * 100 >= halt->share * (double)whole;
}

void halt_describe(const struct halt *halt, const struct halt_tally *tally, struct buf *out)
{
    static const char *const nouns[] = {
        [HALT_FAIL] = "failure", [HALT_SUCCESS] = "success", [HALT_DONE] = "result"};
    static const char *const plurals[] = {
        [HALT_FAIL] = "failures", [HALT_SUCCESS] = "successes", [HALT_DONE] = "results"};
    uint64_t amount = amount_of(halt, tally);

    buf_addf(out, "%llu %s reached --halt %s,%s=", (unsigned long long)amount,
             amount == 1 ? nouns[halt->what] : plurals[halt->what], whens[halt->when],
             whats[halt->what]);
    if (halt->count)
        buf_addf(out, "%llu", (unsigned long long)halt->count);
    else
        buf_addf(out, "%g%%", halt->share);
}
