#include "base/codes.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

bool code_is_redirect(long code)
{
    return code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
}

void codes_clear(struct codes *codes)
{
    *codes = (struct codes){0};
}

void codes_add(struct codes *codes, unsigned first, unsigned last)
{
    for (unsigned code = first; code <= last && code < CODES_END; code++)
        codes->bits[code / 64] |= UINT64_C(1) << (code % 64);
}

void codes_merge(struct codes *codes, const struct codes *some, bool add)
{
    for (size_t i = 0; i < ARRAY_LEN(codes->bits); i++) {
        if (add)
            codes->bits[i] |= some->bits[i];
        else
            codes->bits[i] &= ~some->bits[i];
    }
}

bool codes_has(const struct codes *codes, long code)
{
    if (code < 0 || code >= CODES_END)
        return false;
    return codes->bits[code / 64] >> (code % 64) & 1;
}

/* Exactly three digits, from 100 on: gives where they end, or NULL. */
static const char *read_code(const char *at, unsigned *ret_code)
{
    unsigned code = 0;

    for (int i = 0; i < 3; i++, at++) {
        if (!isdigit((unsigned char)*at))
            return NULL;
        code = code * 10 + (unsigned)(*at - '0');
    }
    if (code < 100)
        return NULL;
    *ret_code = code;
    return at;
}

/* One `200` or `200-299`; gives where it ends, or NULL. */
static const char *read_range(const char *at, unsigned *ret_first, unsigned *ret_last)
{
    unsigned first = 0, last = 0;

    at = read_code(at, &first);
    if (!at)
        return NULL;
    last = first;
    if (*at == '-')
        at = read_code(at + 1, &last);
    if (!at || last < first)
        return NULL;
    *ret_first = first;
    *ret_last = last;
    return at;
}

int codes_parse(struct codes *codes, const char *text, struct buf *err)
{
    struct codes found = {0};
    const char *at = text;

    if (strcmp(text, "any") == 0) {
        codes_add(codes, 0, CODES_END - 1);
        return 0;
    }
    for (;;) {
        unsigned first = 0, last = 0;
        at = read_range(at, &first, &last);
        if (!at || (*at && *at != ',')) {
            buf_setf(err, "takes status codes and ranges such as 200-299,404, or any");
            return -EINVAL;
        }
        codes_add(&found, first, last);
        if (!*at)
            break;
        at++;
    }
    *codes = found;
    return 0;
}
