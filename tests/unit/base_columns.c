#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/columns.h"

struct fit {
    char text[32];
    size_t max;
    size_t len, columns;
};

#define WIDE     "\xE6\xBC\xA2" /* a Chinese character */
#define ACCENTED "e\xCC\x81"    /* an e, and an accent that combines with it */

ParameterizedTestParameters(columns, fit_as_many_characters_as_there_is_room_for)
{
    static struct fit fits[] = {
        {"", 5, 0, 0},
        {"abc", 5, 3, 3},
        {"abcdef", 5, 5, 5},
        {"abc", 0, 0, 0},
        {WIDE WIDE, 4, 6, 4},
        {WIDE WIDE, 3, 3, 2},
        {"a" WIDE, 2, 1, 1},
        {ACCENTED ACCENTED, 1, 3, 1},
        {"\xC3\xA9t\xC3\xA9", 2, 3, 2},
    };

    return cr_make_param_array(struct fit, fits, sizeof fits / sizeof *fits);
}

ParameterizedTest(struct fit *fit, columns, fit_as_many_characters_as_there_is_room_for)
{
    size_t columns = 99;

    cr_expect_eq(columns_fit(fit->text, strlen(fit->text), fit->max, &columns), fit->len);
    cr_expect_eq(columns, fit->columns);
}

Test(columns, of_a_text_are_those_of_its_characters)
{
    cr_expect_eq(columns_of("", 0), 0);
    cr_expect_eq(columns_of("ab" WIDE, 5), 4);
    cr_expect_eq(columns_of(ACCENTED, 3), 1);
}
