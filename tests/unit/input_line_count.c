#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/buf.h"
#include "base/chance.h"
#include "input/line_count.h"
#include "input/parse.h"

struct input {
    char text[96];
    uint64_t lines;
};

static uint64_t count(const char *text, size_t len, char ending, size_t piece)
{
    struct line_count lines;

    line_count_init(&lines, ending);
    for (size_t at = 0; at < len; at += piece)
        line_count_feed(&lines, text + at, len - at < piece ? len - at : piece);
    return line_count_end(&lines);
}

ParameterizedTestParameters(line_count, tells_how_many_requests_there_are)
{
    static struct input inputs[] = {
        {"", 0},
        {"a", 1},
        {"a\nb\n", 2},
        {"a\r\n\r\n \t\nb", 2},
        {"#a\n \t# a comment\n#\n a#b\n", 1},
        {"{\"url\":\"a\"}\n{\n", 2},
        {"{\"group_record\":{}}\n {\"group_record\":1}\n{\"group_recorD\":1}\n", 1},
        {"\xEF\xBB\xBF#a\n\xEF\xBB\xBF\nb\n", 2},
        {"\xEF\xBB\xBF\n", 0},
        {"\xEF\xBB\n", 1},
        {"\xEF\xBB\xBF"
         "a",
         1},
    };

    return cr_make_param_array(struct input, inputs, sizeof inputs / sizeof *inputs);
}

ParameterizedTest(struct input *input, line_count, tells_how_many_requests_there_are)
{
    for (size_t piece = 1; piece < 20; piece++)
        cr_expect_eq(count(input->text, strlen(input->text), '\n', piece), input->lines);
}

Test(line_count, ends_a_line_at_a_nul_where_that_is_asked_for)
{
    static const char text[] = "a\nb\0#c\0\0d";

    cr_expect_eq(count(text, sizeof text - 1, '\0', 3), 2);
}

/* Of lines made of what makes a difference. */
Test(line_count, agrees_with_what_the_run_takes_for_a_request)
{
    static const char *const bits[] = {
        "\n", "\n", "#", " ", "\t", "{", "{\"group_record\":", "a", "\"", "\r"};
    uint64_t seed = 7;

    for (int round = 0; round < 2000; round++) {
        struct buf text;
        uint64_t wanted = 0;
        buf_init(&text);
        for (int i = 0; i < 20; i++)
            buf_add_text(&text, bits[chance_roll(&seed) % (sizeof bits / sizeof *bits)]);
        for (const char *at = text.data; *at; at += strcspn(at, "\n"), at += *at == '\n')
            wanted += parse_wants(at, strcspn(at, "\n"));
        cr_assert_eq(count(text.data, text.len, '\n', 1 + (size_t)(chance_roll(&seed) % 9)), wanted,
                     "%s", text.data);
        buf_release(&text);
    }
}
