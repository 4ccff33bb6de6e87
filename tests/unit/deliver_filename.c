#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "deliver/filename.h"

static const struct filename_parts plain = {
    .seq = 42, .id = "seven", .host = "h.example_8080", .path = "a/b/c.html"};

static struct filename *read_template(const char *template)
{
    struct filename *filename = NULL;
    struct buf err;

    buf_init(&err);
    cr_assert_eq(filename_new(template, &filename, &err), 0, "%s: %s", template, err.data);
    buf_release(&err);
    return filename;
}

static void make(const char *template, const struct filename_parts *parts, struct buf *name)
{
    struct filename *filename = read_template(template);
    struct buf err;

    buf_init(&err);
    cr_assert_eq(filename_make(filename, parts, name, &err), 0, "%s: %s", template, err.data);
    cr_assert_eq(name->len, strlen(name->data));
    buf_release(&err);
    filename_free(filename);
}

static void expect_name(const char *template, const struct filename_parts *parts,
                        const char *expected)
{
    struct buf name;

    buf_init(&name);
    make(template, parts, &name);
    cr_expect_str_eq(name.data, expected, "%s: %s, not %s", template, name.data, expected);
    buf_release(&name);
}

static void expect_refusal(const char *template, const char *words)
{
    struct filename *filename = NULL;
    struct buf err;

    buf_init(&err);
    cr_expect_eq(filename_new(template, &filename, &err), -EINVAL, "'%s'", template);
    cr_expect_null(filename);
    cr_expect(strstr(err.data, words), "'%s': %s", template, err.data);
    buf_release(&err);
}

Test(filename, puts_each_part_in_its_place)
{
    static const struct {
        const char *template;
        const char *expected;
    } cases[] = {
        {"{seq}", "42"},
        {"{seq:06}", "000042"},
        {"{seq:01}", "42"},
        {"{seq:020}", "00000000000000000042"},
        {"{id}", "seven"},
        {"{host}", "h.example_8080"},
        {"{path}", "a/b/c.html"},
        {"{name}", "c.html"},
        {"out/{host}/{path}.{seq:03}", "out/h.example_8080/a/b/c.html.042"},
        {"/data/{host}-{id}/x{name}", "/data/h.example_8080-seven/xc.html"},
        {"{id}{id}", "sevenseven"},
        {"all.html", "all.html"},
        {"../pages/{name}", "../pages/c.html"},
        {"a//b/{name}", "a//b/c.html"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_name(cases[i].template, &plain, cases[i].expected);
}

Test(filename, puts_in_what_the_globs_took)
{
    struct filename_parts parts = {.seq = 1, .taken = "a\n02\n\n../x\n"}, none = {.seq = 1};

    expect_name("{1}-{2}", &parts, "a-02");
    expect_name("#1_#2.html", &parts, "a_02.html");
    expect_name("{3}/{4}", &parts, "_/_._x");
    expect_name("#3", &parts, "_");
    expect_name("#4", &parts, "_._x");
    expect_name("{5}", &parts, "_");
    expect_name("d/#5#", &parts, "d/#5#");
    expect_name("#0#x##1", &parts, "#0#x#a");
    expect_name("{1}#1", &none, "_#1");
    expect_refusal("{0}", "unknown {0}");
    expect_refusal("{100}", "unknown {100}");
    expect_refusal("{1x}", "unknown {1x}");
}

Test(filename, takes_a_brace_written_twice_as_one)
{
    expect_name("{{seq}}", &plain, "{seq}");
    expect_name("{{{seq}}}", &plain, "{42}");
    expect_name("a}}b{{", &plain, "a}b{");
}

Test(filename, writes_the_largest_seq_whole)
{
    struct filename_parts parts = {.seq = UINT64_MAX};

    expect_name("{seq:02}", &parts, "18446744073709551615");
}

Test(filename, refuses_a_template_that_cannot_be_meant)
{
    expect_refusal("{nme}.html", "unknown {nme}");
    expect_refusal("{}", "unknown {}");
    expect_refusal("{SEQ}", "unknown {SEQ}");
    expect_refusal("{seq }", "unknown {seq }");
    expect_refusal("{name:06}", "unknown {name:06}");
    expect_refusal("{seq:}", "unknown {seq:}");
    expect_refusal("{seq:6}", "unknown {seq:6}");
    expect_refusal("{seq:0}", "unknown {seq:0}");
    expect_refusal("{seq:00}", "unknown {seq:00}");
    expect_refusal("{seq:0x}", "unknown {seq:0x}");
    expect_refusal("{seq:021}", "unknown {seq:021}");
    expect_refusal("{seq:0006}", "unknown {seq:0006}");
    expect_refusal("{seq", "{ without its }");
    expect_refusal("a}", "} without its {");
    expect_refusal("{seq}}", "} without its {");
}

Test(filename, refuses_a_template_that_names_no_file)
{
    expect_refusal("", "is empty");
    expect_refusal("/", "is empty");
    expect_refusal("out/", "is empty");
    expect_refusal("{host}/", "is empty");
    expect_refusal("{host}//{name}", "is empty");
    expect_refusal(".", "is . or ..");
    expect_refusal("out/..", "is . or ..");
    expect_refusal("{host}/./{name}", "is . or ..");
    expect_refusal("{host}/../{name}", "is . or ..");
}

Test(filename, refuses_a_part_of_the_users_own_that_no_directory_holds)
{
    char template[400];

    snprintf(template, sizeof template, "{host}/%0256d/{name}", 1);
    expect_refusal(template, "more than 255 bytes");
}

Test(filename, puts_an_underscore_for_what_is_nothing)
{
    static const char *const nothings[] = {NULL, "", ".", ".."};

    for (size_t i = 0; i < ARRAY_LEN(nothings); i++) {
        struct filename_parts parts = {
            .seq = 1, .id = nothings[i], .host = nothings[i], .path = nothings[i]};
        expect_name("{id}", &parts, "_");
        expect_name("{host}/{path}", &parts, "_/_");
        expect_name("{name}.html", &parts, "_.html");
        expect_name(".{id}", &parts, "._");
        expect_name("{id}.", &parts, "_.");
        expect_name("{id}{host}", &parts, "__");
    }
}

Test(filename, keeps_what_is_put_in_within_the_directory)
{
    static const struct {
        const char *path;
        const char *whole;
        const char *name;
    } cases[] = {
        {"..", "d/_", "d/_"},
        {"../../x", "d/_/_/x", "d/x"},
        {"a/../b", "d/a/_/b", "d/b"},
        {"/etc/passwd", "d/_/etc/passwd", "d/passwd"},
        {"//", "d/_/_/_", "d/_"},
        {"a/", "d/a/_", "d/_"},
        {"./.", "d/_/_", "d/_"},
        {"...", "d/_..", "d/_.."},
        {"%2e%2e/x", "d/%2e%2e/x", "d/x"},
        {"a\\..\\b", "d/a\\..\\b", "d/a\\..\\b"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct filename_parts parts = {.path = cases[i].path};
        expect_name("d/{path}", &parts, cases[i].whole);
        expect_name("d/{name}", &parts, cases[i].name);
    }
}

Test(filename, splits_only_the_path)
{
    struct filename_parts parts = {.id = "../../a/b", .host = "h/../x", .path = "p/q"};

    expect_name("{id}", &parts, "_._.._a_b");
    expect_name("{host}", &parts, "h_.._x");
    expect_name("x{path}y", &parts, "xp/qy");
}

Test(filename, replaces_control_bytes_and_what_is_no_utf8)
{
    static const struct {
        const char *id;
        const char *expected;
    } cases[] = {
        {"a\nb\tc\rd", "a_b_c_d"},
        {"\x01\x1F\x7F", "___"},
        {"a\xC2\x80\xC2\x9F"
         "b",
         "a__b"},
        {"\xC2\xA0", "\xC2\xA0"},
        {"a\xFF\xC0\xAF"
         "b",
         "a___b"},
        {"\xE2\x82", "__"},
        {"\xED\xA0\x80", "___"},
        {"\xC3\xA9 \xF0\x9F\x98\x80", "\xC3\xA9 \xF0\x9F\x98\x80"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct filename_parts parts = {.id = cases[i].id};
        expect_name("{id}", &parts, cases[i].expected);
    }
}

Test(filename, lets_nothing_from_outside_pass_for_an_option)
{
    struct filename_parts parts = {.id = "-rf", .path = "-a/b/-c"};

    expect_name("{id}", &parts, "_rf");
    expect_name("d/{id}", &parts, "d/_rf");
    expect_name("{path}", &parts, "_a/b/_c");
    expect_name("x{id}", &parts, "x-rf");
    expect_name("-{id}", &parts, "--rf");
}

Test(filename, lets_nothing_from_outside_hide)
{
    struct filename_parts parts = {.id = ".netrc", .host = "..", .path = ".git/hooks/..x"};

    expect_name("{id}", &parts, "_netrc");
    expect_name("{path}", &parts, "_git/hooks/_.x");
    expect_name("{name}", &parts, "_.x");
    expect_name("x{id}", &parts, "x.netrc");
    expect_name(".{id}", &parts, "..netrc");
    expect_name("{host}{id}", &parts, "_.netrc");
}

Test(filename, lets_nothing_pass_for_a_file_in_the_making)
{
    struct filename_parts parts = {.id = ".weir-0123", .path = ".weir-/x", .host = "weir-1"};

    expect_name("{id}", &parts, "_weir-0123");
    expect_name("{path}", &parts, "_weir-/x");
    expect_name(".{host}", &parts, "_weir-1");
    expect_name(".weir-d/{id}", &parts, ".weir-d/_weir-0123");
}

Test(filename, leaves_a_part_alone_that_just_fits)
{
    char id[NAME_MAX + 1];
    struct filename_parts parts = {.id = id};

    memset(id, 'x', NAME_MAX);
    id[NAME_MAX] = '\0';
    expect_name("{id}", &parts, id);
}

/* The end of a name is the hash of all of it: 64 bit FNV-1a, reckoned here anew. */
static void expect_hash_of(const char *whole, const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    char expected[32];

    for (; *whole; whole++) {
        hash ^= (unsigned char)*whole;
        hash *= UINT64_C(1099511628211);
    }
    snprintf(expected, sizeof expected, "-%016" PRIx64, hash);
    cr_expect_str_eq(name + strlen(name) - strlen(expected), expected);
}

Test(filename, cuts_a_part_that_is_too_long_and_ends_it_in_a_hash_of_the_whole)
{
    char id[1000];
    char whole[1010];
    struct filename_parts parts = {.id = id};
    struct buf name, other;

    buf_init(&name);
    buf_init(&other);
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    make("d/{id}.html", &parts, &name);
    snprintf(whole, sizeof whole, "%s.html", id);
    cr_expect_eq(name.len, 2 + NAME_MAX);
    cr_expect_eq(strncmp(name.data, "d/xxx", 5), 0);
    expect_hash_of(whole, name.data);

    make("d/{id}.html", &parts, &other);
    cr_expect_str_eq(name.data, other.data);
    id[sizeof id - 2] = 'y';
    make("d/{id}.html", &parts, &other);
    cr_expect_str_neq(name.data, other.data);
    buf_release(&name);
    buf_release(&other);
}

Test(filename, cuts_each_part_of_a_path_for_itself)
{
    char path[700];
    struct filename_parts parts = {.path = path};
    struct buf name;

    buf_init(&name);
    snprintf(path, sizeof path, "%0300d/short/%0300d", 1, 2);
    make("{path}", &parts, &name);
    cr_expect_eq(name.len, NAME_MAX + strlen("/short/") + NAME_MAX);
    cr_expect_eq(strcspn(name.data, "/"), NAME_MAX);
    cr_expect_eq(strncmp(name.data + NAME_MAX, "/short/", 7), 0);
    buf_release(&name);
}

Test(filename, never_cuts_within_a_character)
{
    char id[900];
    struct filename_parts parts = {.id = id};
    struct buf name;

    buf_init(&name);
    for (size_t lead = 0; lead < 4; lead++) {
        memset(id, 'x', lead);
        for (size_t i = lead; i + 4 < sizeof id; i += 4)
            memcpy(id + i, "\xF0\x9F\x98\x80", 5);
        make("{id}", &parts, &name);
        cr_expect_leq(name.len, NAME_MAX);
        cr_expect_geq(name.len, NAME_MAX - 3);
        cr_expect(text_is_utf8(name.data, name.len));
    }
    buf_release(&name);
}

Test(filename, cuts_the_users_own_bytes_too_where_they_are_no_utf8)
{
    char template[400];
    struct filename_parts parts = {.id = "x"};
    struct buf name;

    buf_init(&name);
    memset(template, 0x80, 300);
    memcpy(template + 300, "{id}", 5);
    make(template, &parts, &name);
    cr_expect_eq(name.len, NAME_MAX - 3);
    buf_release(&name);
}

Test(filename, refuses_a_name_that_no_path_can_be)
{
    char path[PATH_MAX + 1];
    struct filename_parts parts = {.path = path};
    struct filename *filename = read_template("{path}");
    struct buf name, err;

    buf_init(&name);
    buf_init(&err);
    for (size_t i = 0; i < sizeof path; i++)
        path[i] = i % 2 ? '/' : 'a';
    path[PATH_MAX] = '\0';
    cr_expect_eq(filename_make(filename, &parts, &name, &err), -ENAMETOOLONG);
    cr_expect(err.len > 0);
    path[PATH_MAX - 1] = '\0';
    cr_expect_eq(filename_make(filename, &parts, &name, &err), 0);
    cr_expect_eq(name.len, PATH_MAX - 1);
    buf_release(&name);
    buf_release(&err);
    filename_free(filename);
}

Test(filename, trusts_the_users_own_text_up_to_what_is_put_in)
{
    static const struct {
        const char *template;
        size_t expected;
    } cases[] = {
        {"{path}", 0},        {"img-{id}", 0},        {"a/{id}", 2},    {"a/b-{id}", 2},
        {"/a/b/{id}/c/d", 5}, {"{host}/a/{name}", 0}, {"/{name}", 1},   {"a/b.html", 2},
        {"b.html", 0},        {"{{a}}/b/{{{id}", 6},  {"{{}}/{id}", 3}, {"../{id}", 3},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct filename *filename = read_template(cases[i].template);
        cr_expect_eq(filename_trusted_len(filename), cases[i].expected, "%s", cases[i].template);
        filename_free(filename);
    }
}

Test(filename, takes_a_relative_name_as_it_stands)
{
    static const char *const names[] = {"a",       "a/b/c.html", "a...", "x.hidden", "a b",
                                        "a-b/c-d", "\xC3\xA9",   "a\\b", "{seq}"};
    struct buf err;

    buf_init(&err);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        cr_expect_eq(filename_check_relative(names[i], &err), 0, "%s: %s", names[i], err.data);
    buf_release(&err);
}

Test(filename, refuses_a_name_that_would_have_to_be_changed)
{
    static const struct {
        const char *name;
        const char *words;
    } cases[] = {
        {"", "is empty"},          {"/a", "not relative"},      {"..", ". or .."},
        {"../a", ". or .."},       {"a/../b", ". or .."},       {"a/..", ". or .."},
        {"./a", ". or .."},        {"a//b", "is empty"},        {"a/", "is empty"},
        {"-a", "begins with a -"}, {"a/-b", "begins with a -"}, {".weir-1/a", "or a ."},
        {"a\nb", "control"},       {"a\x7F", "control"},        {"a\xC2\x85", "control"},
        {"a\xFF", "UTF-8"},        {".ssh/a", "or a ."},        {"a/.b", "or a ."},
    };
    struct buf err;

    buf_init(&err);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&err);
        cr_expect_eq(filename_check_relative(cases[i].name, &err), -EINVAL, "case %zu", i);
        cr_expect(strstr(err.data, cases[i].words), "case %zu: %s", i, err.data);
    }
    buf_release(&err);
}

Test(filename, refuses_a_relative_name_that_is_too_long)
{
    char name[PATH_MAX + 1];
    struct buf err;

    buf_init(&err);
    memset(name, 'x', sizeof name);
    name[NAME_MAX] = '\0';
    cr_expect_eq(filename_check_relative(name, &err), 0);
    name[NAME_MAX] = 'x';
    name[NAME_MAX + 1] = '\0';
    cr_expect_eq(filename_check_relative(name, &err), -EINVAL);
    for (size_t i = 0; i < PATH_MAX; i++)
        name[i] = i % 2 ? '/' : 'a';
    name[PATH_MAX - 1] = '\0';
    cr_expect_eq(filename_check_relative(name, &err), 0, "%s", err.data);
    memcpy(name + PATH_MAX - 1, "x", 2);
    cr_expect_eq(filename_check_relative(name, &err), -EINVAL);
    buf_release(&err);
}

/* Whatever comes from outside, what comes of it could have been asked for by name. */
Test(filename, makes_only_names_that_would_be_accepted)
{
    static const char alphabet[] = "..//--_a\x01\x7F\xC2\x80\xFF\xE2weir";
    unsigned state = 1;
    struct buf name, err;

    buf_init(&name);
    buf_init(&err);
    for (int round = 0; round < 20000; round++) {
        char text[40];
        size_t len = (size_t)(round % (int)(sizeof text - 1));
        for (size_t i = 0; i < len; i++) {
            state = state * 1103515245 + 12345;
            text[i] = alphabet[(state >> 16) % (sizeof alphabet - 1)];
        }
        text[len] = '\0';
        struct filename_parts parts = {.seq = 7, .id = text, .host = text, .path = text};
        make("{path}/{id}{host}/x.{name}/{name}{id}", &parts, &name);
        cr_assert_eq(filename_check_relative(name.data, &err), 0, "%s: %s", name.data, err.data);
    }
    buf_release(&name);
    buf_release(&err);
}

Test(filename, knows_the_file_that_keeps_nothing)
{
    cr_expect(filename_is_discard("/dev/null"));
    cr_expect_not(filename_is_discard("/dev/null/"));
    cr_expect_not(filename_is_discard("dev/null"));
    cr_expect_not(filename_is_discard("-"));
}
