#include "base/digest.h"

#include <criterion/criterion.h>
#include <string.h>

static struct digest digest_of(const char *text, size_t piece)
{
    struct hasher *hasher = hasher_new();

    for (size_t at = 0, len = strlen(text); at < len; at += piece)
        hasher_add(hasher, text + at, at + piece < len ? piece : len - at);
    struct digest digest = hasher_digest(hasher);
    cr_expect_eq(hasher_len(hasher), strlen(text));
    hasher_free(hasher);
    return digest;
}

Test(digest, does_not_depend_on_the_pieces)
{
    static const char text[] = "a body that comes in pieces, or whole";
    struct digest whole = digest_of(text, sizeof text);
    struct key key = key_of_text(text);

    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct digest digest = digest_of(text, piece);
        cr_expect(digest_is(&digest, &whole), "pieces of %zu", piece);
    }
    cr_expect_eq(whole.len, sizeof text - 1);
    cr_expect_eq(whole.hash.high, key.high, "it is XXH3, 128 bits");
    cr_expect_eq(whole.hash.low, key.low);
}

Test(digest, tells_bodies_apart)
{
    struct digest a = digest_of("a", 1), b = digest_of("b", 1), none = digest_of("", 1);
    struct digest longer = a;

    longer.len++;
    cr_expect(digest_is(&a, &a));
    cr_expect_not(digest_is(&a, &b));
    cr_expect_not(digest_is(&a, &none));
    cr_expect_not(digest_is(&a, &longer));
}

Test(hasher, begins_anew)
{
    struct hasher *hasher = hasher_new();
    struct digest digest, due = digest_of("b", 1);

    hasher_add(hasher, "a", 1);
    hasher_restart(hasher);
    hasher_add(hasher, "b", 1);
    digest = hasher_digest(hasher);
    cr_expect(digest_is(&digest, &due));
    hasher_free(hasher);
    hasher_free(NULL);
}
