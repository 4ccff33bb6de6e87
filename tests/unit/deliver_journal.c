#include "deliver/journal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deliver/held.h"
#include "scratch.h"

static struct scratch *scratch;
static const char *path;

static void set_up(void)
{
    scratch = scratch_new();
    path = scratch_path(scratch, "journal");
}

static void tear_down(void)
{
    scratch_free(scratch);
}

TestSuite(journal_file, .init = set_up, .fini = tear_down);

static struct key key_number(uint64_t number)
{
    uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return (struct key){.high = mixed, .low = ~mixed};
}

static struct journal *open_at(bool resume, uint64_t stream_size)
{
    struct journal_rules rules = {
        .path = path, .resume = resume, .restart = !resume, .stream_size = stream_size};
    struct journal *journal = NULL;
    struct buf err;

    buf_init(&err);
    cr_assert_eq(journal_open(&rules, &journal, &err), 0, "%s", err.data);
    buf_release(&err);
    return journal;
}

static void begin(struct journal *journal, uint64_t mark)
{
    struct buf err;

    buf_init(&err);
    cr_assert_eq(journal_begin(journal, mark, &err), 0, "%s", err.data);
    buf_release(&err);
}

/* The words of the refusal; the file must be what it was. */
static void expect_refused(bool resume, const char *words)
{
    struct journal_rules rules = {.path = path, .resume = resume, .stream_size = JOURNAL_NO_OFFSET};
    struct journal *journal = NULL;
    struct blob before = {0}, after = {0};
    struct buf err;

    buf_init(&err);
    cr_assert(scratch_read(scratch, "journal", &before));
    cr_expect_eq(journal_open(&rules, &journal, &err), -EINVAL);
    cr_expect(strstr(err.data, words), "%s", err.data);
    cr_expect_eq(journal_compact(path, &err), -EINVAL);
    cr_expect(strstr(err.data, words), "%s", err.data);
    cr_assert(scratch_read(scratch, "journal", &after));
    cr_expect_eq(before.len, after.len);
    cr_expect_eq(memcmp(blob_text(&before), blob_text(&after), before.len), 0);
    blob_release(&before);
    blob_release(&after);
    buf_release(&err);
}

static struct journal_line result_line(uint64_t number, enum reason reason, uint64_t offset)
{
    return (struct journal_line){.kind = JOURNAL_DONE,
                                 .key = key_number(number),
                                 .reason = reason,
                                 .attempts = 1,
                                 .offset = offset,
                                 .text = "http://x/",
                                 .len = 9};
}

static void add(struct journal *journal, uint64_t number, enum reason reason, uint64_t offset)
{
    struct journal_line line = result_line(number, reason, offset);

    journal_add(journal, &line, offset == JOURNAL_NO_OFFSET ? 0 : offset);
}

static void redo(struct journal *journal, uint64_t number, enum reason reason, uint64_t offset)
{
    struct journal_line line = result_line(number, reason, offset);

    line.kind = JOURNAL_REDO;
    journal_add(journal, &line, offset);
}

static void name_body(struct journal *journal, uint64_t number, const char *file, uint64_t len)
{
    struct journal_line line = {.kind = JOURNAL_NAME,
                                .key = key_number(number),
                                .has_digest = true,
                                .digest = {.len = len, .hash = key_number(len)},
                                .text = file,
                                .len = strlen(file)};

    cr_assert_eq(journal_write(journal, &line), 0);
}

static void name(struct journal *journal, uint64_t number, const char *file)
{
    name_body(journal, number, file, number);
}

static void compact(void)
{
    struct buf err;

    buf_init(&err);
    cr_assert_eq(journal_compact(path, &err), 0, "%s", err.data);
    buf_release(&err);
}

static void give_up(struct journal *journal, uint64_t number, const char *file)
{
    struct journal_line line = {
        .kind = JOURNAL_FREE, .key = key_number(number), .text = file, .len = strlen(file)};

    cr_assert_eq(journal_write(journal, &line), 0);
}

static void release(struct journal *journal, uint64_t position)
{
    cr_assert_geq(journal_release(journal, position), 0);
}

static bool took(struct journal *journal, uint64_t number, enum ledger_kind kind)
{
    struct key key = key_number(number);

    return journal_take(journal, &key, kind);
}

static void expect_name(struct journal *journal, uint64_t number, const char *file)
{
    struct key key = key_number(number);
    struct journal_line taken;
    struct buf text;

    buf_init(&text);
    bool any = journal_take_name(journal, &key, &taken, &text);
    cr_expect_str_eq(any ? text.data : "(none)", file ? file : "(none)");
    buf_release(&text);
}

static size_t size_of_file(void)
{
    struct stat status;

    cr_assert_eq(stat(path, &status), 0);
    return (size_t)status.st_size;
}

/* ---- new ones ---- */

Test(journal_file, is_new_until_it_was_begun)
{
    struct journal *journal = open_at(true, 0);

    cr_expect(journal_is_new(journal));
    cr_expect_eq(journal_stream_end(journal), 0);
    cr_expect_eq(size_of_file(), 0, "nothing is changed before it begins");
    begin(journal, 0xabc);
    cr_expect(scratch_exists(scratch, "journal"));
    journal_free(journal);

    size_t n_marks = 0;
    journal = open_at(true, 0);
    cr_expect_not(journal_is_new(journal));
    const uint64_t *marks = journal_marks(journal, &n_marks);
    cr_assert_eq(n_marks, 1);
    cr_expect_eq(marks[0], 0xabc);
    begin(journal, 0xdef);
    journal_free(journal);

    journal = open_at(true, 0);
    marks = journal_marks(journal, &n_marks);
    cr_assert_eq(n_marks, 2);
    cr_expect_eq(marks[1], 0xdef);
    journal_free(journal);
    journal_free(NULL);
}

Test(journal_file, without_resume_starts_empty)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    add(journal, 1, REASON_OK, 0);
    release(journal, 0);
    journal_free(journal);
    size_t before = size_of_file();
    journal = open_at(false, 0);
    cr_expect_eq(size_of_file(), before, "nothing is changed before it begins");
    begin(journal, 2);
    journal_free(journal);

    size_t n_marks;
    journal = open_at(true, 0);
    cr_expect_not(took(journal, 1, LEDGER_OK));
    cr_expect_eq(journal_marks(journal, &n_marks)[0], 2);
    cr_expect_eq(n_marks, 1);
    journal_free(journal);
}

/* ---- when lines are written ---- */

Test(journal_file, holds_lines_until_their_results_are_out)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    size_t begun = size_of_file();
    add(journal, 1, REASON_OK, 10);
    add(journal, 2, REASON_OK, 10);
    add(journal, 3, REASON_OK, 25);
    cr_expect_eq(journal_release(journal, 9), 0);
    cr_expect_eq(size_of_file(), begun);
    cr_expect_eq(journal_release(journal, 24), 1);
    size_t two = size_of_file();
    cr_expect_eq(journal_release(journal, 24), 0);
    cr_expect_eq(size_of_file(), two);
    add(journal, 4, REASON_OK, 30);
    cr_expect_eq(journal_release(journal, 25), 1);
    cr_expect_eq(size_of_file() - two, (two - begun) / 2, "one line");
    cr_expect_eq(journal_release(journal, 1000), 1);
    journal_free(journal);

    journal = open_at(true, 1000);
    cr_expect_eq(journal_stream_end(journal), 30);
    for (uint64_t i = 1; i <= 4; i++)
        cr_expect(took(journal, i, LEDGER_OK), "%u", (unsigned)i);
    journal_free(journal);
}

Test(journal_file, says_when_it_holds_too_much)
{
    struct journal *journal = open_at(false, 0);
    uint64_t added = 0;

    begin(journal, 1);
    while (journal_has_room(journal) && added < HELD_BYTES_MAX) {
        added++;
        add(journal, added, REASON_OK, added);
    }
    cr_expect_lt(added, HELD_BYTES_MAX / 50);
    cr_expect_eq(journal_release(journal, 1), 1);
    cr_expect(journal_has_room(journal));
    release(journal, added);
    journal_free(journal);
    journal = open_at(true, added);
    for (uint64_t i = 1; i <= added; i++)
        cr_assert(took(journal, i, LEDGER_OK), "%u is lost", (unsigned)i);
    journal_free(journal);
}

/* ---- what it says of earlier runs ---- */

Test(journal_file, counts_equal_requests_and_keeps_failures_apart)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    add(journal, 1, REASON_OK, 1);
    add(journal, 1, REASON_OK, 2);
    add(journal, 2, REASON_HTTP, 3);
    add(journal, 2, REASON_INVALID, 3);
    redo(journal, 2, REASON_OK, 4);
    release(journal, 4);
    journal_free(journal);

    journal = open_at(true, 4);
    cr_expect(took(journal, 1, LEDGER_OK));
    cr_expect(took(journal, 1, LEDGER_OK));
    cr_expect_not(took(journal, 1, LEDGER_OK));
    cr_expect(took(journal, 2, LEDGER_OK));
    cr_expect(took(journal, 2, LEDGER_FAILED));
    cr_expect_not(took(journal, 2, LEDGER_OK));
    cr_expect_not(took(journal, 2, LEDGER_FAILED));
    journal_free(journal);
}

Test(journal_file, gives_the_names_of_what_was_not_done)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    name(journal, 1, "a b\\\n");
    name(journal, 2, "two");
    name(journal, 3, "three");
    add(journal, 2, REASON_OK, JOURNAL_NO_OFFSET);
    release(journal, 0);
    journal_free(journal);

    journal = open_at(true, JOURNAL_NO_OFFSET);
    expect_name(journal, 2, NULL);
    expect_name(journal, 1, "a b\\\n");
    expect_name(journal, 1, NULL);
    expect_name(journal, 3, "three");
    expect_name(journal, 4, NULL);
    journal_free(journal);
}

/* Of equal requests the first that was named is the first that was done. */
Test(journal_file, gives_the_names_of_equal_requests_in_turn)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    for (int i = 1; i <= 4; i++)
        name(journal, 1, (char[]){(char)('0' + i), '\0'});
    add(journal, 1, REASON_OK, JOURNAL_NO_OFFSET);
    release(journal, 0);
    journal_free(journal);

    journal = open_at(true, JOURNAL_NO_OFFSET);
    expect_name(journal, 1, "2");
    expect_name(journal, 1, "3");
    expect_name(journal, 1, "4");
    expect_name(journal, 1, NULL);
    journal_free(journal);
}

/* What failed never had one, or says that it gave it up. */
Test(journal_file, gives_no_name_that_was_given_up)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    for (int i = 1; i <= 5; i++)
        name(journal, 1, (char[]){(char)('0' + i), '\0'});
    name(journal, 2, "two");
    give_up(journal, 1, "1");
    give_up(journal, 1, "3");
    give_up(journal, 1, "5");
    give_up(journal, 1, "9");
    give_up(journal, 2, "two");
    give_up(journal, 3, "three");
    name(journal, 1, "6");
    add(journal, 1, REASON_HTTP, JOURNAL_NO_OFFSET);
    add(journal, 1, REASON_OK, JOURNAL_NO_OFFSET);
    release(journal, 0);
    journal_free(journal);
    for (int i = 0; i < 2; i++) {
        journal = open_at(true, JOURNAL_NO_OFFSET);
        expect_name(journal, 1, "4");
        expect_name(journal, 1, "6");
        expect_name(journal, 1, NULL);
        expect_name(journal, 2, NULL);
        journal_free(journal);
        compact();
    }
}

/* Each run that was killed there was about to give the same name. */
Test(journal_file, knows_a_name_that_was_noted_again)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    name(journal, 1, "a");
    name(journal, 1, "b");
    name(journal, 1, "a");
    name(journal, 1, "b");
    add(journal, 1, REASON_OK, JOURNAL_NO_OFFSET);
    release(journal, 0);
    journal_free(journal);

    journal = open_at(true, JOURNAL_NO_OFFSET);
    expect_name(journal, 1, "b");
    expect_name(journal, 1, NULL);
    journal_free(journal);
}

static void expect_body(struct journal *journal, uint64_t number, uint64_t len)
{
    struct key key = key_number(number), hash = key_number(len);
    struct journal_line taken = {.digest = {.len = ~len}};

    cr_assert(journal_take_name(journal, &key, &taken, NULL));
    cr_expect(taken.has_digest);
    cr_expect_eq(taken.digest.len, len);
    cr_expect_eq(taken.digest.hash.high, hash.high);
    cr_expect_eq(taken.digest.hash.low, hash.low);
}

/* The body of the last run that was about to give the name. */
Test(journal_file, tells_what_the_named_body_is)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    name_body(journal, 1, "a", 4);
    name_body(journal, 2, "b", 7);
    name_body(journal, 1, "a", 5);
    journal_free(journal);
    for (int i = 0; i < 2; i++) {
        journal = open_at(true, JOURNAL_NO_OFFSET);
        expect_body(journal, 1, 5);
        expect_body(journal, 2, 7);
        journal_free(journal);
        compact();
    }
}

/* The name was free as the second was about to take it. */
Test(journal_file, gives_no_name_that_another_request_took_later)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    name(journal, 1, "a b");
    name(journal, 1, "c");
    name(journal, 2, "d");
    name(journal, 2, "a b");
    add(journal, 2, REASON_OK, JOURNAL_NO_OFFSET);
    release(journal, 0);
    journal_free(journal);

    journal = open_at(true, JOURNAL_NO_OFFSET);
    begin(journal, 2);
    name(journal, 3, "c");
    expect_name(journal, 1, NULL);
    expect_name(journal, 2, "a b");
    journal_free(journal);
}

/* ---- groups ---- */

static void add_group(struct journal *journal, uint64_t first, uint64_t members, uint64_t position)
{
    struct journal_line head = {.kind = JOURNAL_GROUP, .members = members};

    journal_add_ahead(journal, &head);
    for (uint64_t i = 1; i < members; i++) {
        struct journal_line line = result_line(first + i - 1, REASON_OK, position - members + i);
        journal_add_ahead(journal, &line);
    }
    add(journal, first + members - 1, REASON_OK, position);
}

/* However large it is, what waits for it does not wait for ever. */
Test(journal_file, writes_a_groups_results_at_once)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    add(journal, 1, REASON_OK, 10);
    size_t before = size_of_file();
    add_group(journal, 2, HELD_BYTES_MAX / 20, HELD_BYTES_MAX);
    cr_expect_eq(journal_release(journal, HELD_BYTES_MAX - 1), 1);
    size_t one = size_of_file();
    cr_expect_lt(one - before, 200);
    cr_expect_not(journal_has_room(journal));
    release(journal, HELD_BYTES_MAX);
    cr_expect(journal_has_room(journal));
    cr_expect_gt(size_of_file() - one, HELD_BYTES_MAX);
    journal_free(journal);
}

/* Cut at any byte, and where the stream is cut: one that is not whole is not there. */
Test(journal_file, takes_all_of_a_group_or_nothing)
{
    struct journal *journal = open_at(false, 0);
    struct blob text = {0};

    begin(journal, 1);
    add(journal, 1, REASON_OK, 10);
    release(journal, 10);
    size_t before = size_of_file();
    add_group(journal, 2, 3, 40);
    release(journal, 40);
    journal_free(journal);
    cr_assert(scratch_read(scratch, "journal", &text));
    for (size_t len = before; len <= text.len; len++) {
        scratch_write(scratch, "journal", text.at, len);
        journal = open_at(true, 40);
        cr_expect(took(journal, 1, LEDGER_OK));
        for (uint64_t i = 2; i <= 4; i++)
            cr_expect_eq(took(journal, i, LEDGER_OK), len == text.len, "%zu of %zu", len, text.len);
        cr_expect_eq(journal_stream_end(journal), len == text.len ? 40 : 10);
        journal_free(journal);
    }
    journal = open_at(true, 39);
    cr_expect_not(took(journal, 2, LEDGER_OK));
    cr_expect_eq(journal_stream_end(journal), 10);
    begin(journal, 2);
    journal_free(journal);
    cr_expect_lt(size_of_file(), text.len);
    blob_release(&text);
}

Test(journal_file, keeps_a_group_as_it_is_compacted)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    add_group(journal, 1, 3, 30);
    release(journal, 30);
    journal_free(journal);
    compact();
    journal = open_at(true, 30);
    for (uint64_t i = 1; i <= 3; i++)
        cr_expect(took(journal, i, LEDGER_OK));
    journal_free(journal);
}

/* ---- bodies that were coming ---- */

static void part(struct journal *journal, uint64_t number, uint64_t boot, const char *file)
{
    struct journal_line line = {.kind = JOURNAL_PART,
                                .key = key_number(number),
                                .boot = boot,
                                .total = 5,
                                .source = key_number(number + 100),
                                .text = "\"v 1\"",
                                .len = 5};

    strncpy(line.file, file, JOURNAL_FILE_MAX);
    cr_assert_eq(journal_write(journal, &line), 0);
}

static struct journal *resume_at_boot(uint64_t boot)
{
    struct journal_rules rules = {
        .path = path, .resume = true, .boot = boot, .stream_size = JOURNAL_NO_OFFSET};
    struct journal *journal = NULL;
    struct buf err;

    buf_init(&err);
    cr_assert_eq(journal_open(&rules, &journal, &err), 0, "%s", err.data);
    buf_release(&err);
    return journal;
}

/* NULL: there is none (more). */
static void expect_part(struct journal *journal, uint64_t number, const char *file)
{
    struct key key = key_number(number), source = key_number(number + 100);
    struct journal_line line;
    struct buf validator;

    buf_init(&validator);
    cr_expect_eq(journal_take_part(journal, &key, &line, &validator), file != NULL);
    if (file) {
        cr_expect_str_eq(line.file, file);
        cr_expect_str_eq(validator.data, "\"v 1\"");
        cr_expect_eq(line.total, 5);
        cr_expect_eq(line.source.high, source.high);
    }
    buf_release(&validator);
}

/* Equal ones in turn, each once; of what is done meanwhile there is none. */
Test(journal_file, gives_the_parts_of_what_was_not_done)
{
    struct journal *journal = open_at(false, JOURNAL_NO_OFFSET);
    struct buf err;

    begin(journal, 1);
    part(journal, 1, 7, "a");
    part(journal, 2, 7, "b");
    part(journal, 1, 7, "c");
    part(journal, 3, 7, "d");
    add(journal, 2, REASON_OK, JOURNAL_NO_OFFSET);
    cr_assert_eq(journal_release(journal, 0), 1);
    journal_free(journal);
    for (int compacted = 0; compacted < 2; compacted++) {
        journal = resume_at_boot(7);
        const struct strings *files = journal_part_files(journal);
        cr_expect_eq(files->len, 3);
        expect_part(journal, 1, "a");
        expect_part(journal, 1, "c");
        expect_part(journal, 1, NULL);
        expect_part(journal, 2, NULL);
        expect_part(journal, 3, "d");
        cr_expect_eq(files->len, 3, "they are spared as long as the run lasts");
        journal_free(journal);
        buf_init(&err);
        cr_expect_eq(journal_compact(path, &err), 0, "%s", err.data);
        buf_release(&err);
    }
}

Test(journal_file, knows_no_parts_from_before_the_machine_started)
{
    static const uint64_t boots[] = {8, 0};
    struct journal *journal = open_at(false, JOURNAL_NO_OFFSET);

    begin(journal, 1);
    part(journal, 1, 7, "a");
    part(journal, 2, 0, "b");
    journal_free(journal);
    for (size_t i = 0; i < 2; i++) {
        journal = resume_at_boot(boots[i]);
        cr_expect_eq(journal_part_files(journal)->len, 0);
        expect_part(journal, 1, NULL);
        expect_part(journal, 2, NULL);
        journal_free(journal);
    }
}

Test(journal_file, drops_what_a_shorter_stream_has_lost)
{
    for (uint64_t size = 0; size <= 40; size += 5) {
        struct journal *journal = open_at(false, 0);
        begin(journal, 1);
        for (uint64_t i = 1; i <= 3; i++)
            add(journal, i, REASON_OK, 10 * i);
        release(journal, 30);
        journal_free(journal);

        uint64_t whole = size < 30 ? size / 10 : 3;
        journal = open_at(true, size);
        cr_expect_eq(journal_stream_end(journal), 10 * whole, "of %u", (unsigned)size);
        for (uint64_t i = 1; i <= 3; i++)
            cr_expect_eq(took(journal, i, LEDGER_OK), i <= whole, "of %u", (unsigned)size);
        begin(journal, 2);
        journal_free(journal);
        journal = open_at(true, 1000);
        cr_expect_eq(journal_stream_end(journal), 10 * whole, "it stays dropped");
        journal_free(journal);
        journal = open_at(true, JOURNAL_NO_OFFSET);
        cr_expect_eq(took(journal, 3, LEDGER_OK), whole == 3);
        journal_free(journal);
    }
}

/* ---- cut anywhere ---- */

/* Results 1 to 4, the last a failure, and a name. */
static void write_sample(struct blob *ret_text)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    add(journal, 1, REASON_OK, 10);
    add(journal, 2, REASON_OK, 20);
    release(journal, 20);
    name(journal, 3, "three");
    add(journal, 3, REASON_OK, 20);
    add(journal, 4, REASON_HTTP, 40);
    release(journal, 40);
    journal_free(journal);
    cr_assert(scratch_read(scratch, "journal", ret_text));
}

/* How many whole lines of results there are in the first `len` bytes. */
static unsigned whole_results(const struct blob *text, size_t len)
{
    unsigned results = 0;
    const char *line = text->at, *end;

    while ((end = memchr(line, '\n', (size_t)(text->at + len - line))) != NULL) {
        results += strncmp(line, "done ", 5) == 0;
        line = end + 1;
    }
    return results;
}

static void expect_results(struct journal *journal, unsigned count, size_t at)
{
    static const uint64_t ends[] = {0, 10, 20, 20, 40};

    cr_expect_eq(journal_stream_end(journal), ends[count], "cut at %zu", at);
    for (unsigned i = 1; i <= 4; i++)
        cr_expect_eq(took(journal, i, i == 4 ? LEDGER_FAILED : LEDGER_OK), i <= count,
                     "%u, cut at %zu", i, at);
}

/* And what is written behind the cut can be read again. */
Test(journal_file, cut_at_any_byte_is_good_up_to_its_last_whole_line)
{
    struct blob text = {0};

    write_sample(&text);
    for (size_t at = 0; at <= text.len; at++) {
        scratch_write(scratch, "journal", text.at, at);
        unsigned count = whole_results(&text, at);
        struct journal *journal = open_at(true, 1000);
        expect_results(journal, count, at);
        begin(journal, 2);
        add(journal, 9, REASON_OK, 50);
        release(journal, 50);
        journal_free(journal);
        journal = open_at(true, 1000);
        cr_expect(took(journal, 9, LEDGER_OK), "cut at %zu", at);
        cr_expect_eq(journal_stream_end(journal), 50);
        journal_free(journal);
    }
    blob_release(&text);
}

/* A byte that rots makes its line the end; in the first line it makes it no journal of ours. */
Test(journal_file, with_a_broken_byte_ends_before_that_line)
{
    struct blob text = {0};

    write_sample(&text);
    size_t head = strcspn(text.at, "\n") + 1;
    for (size_t at = head; at < text.len; at++) {
        struct blob broken = {0};
        blob_add(&broken, text.at, text.len);
        broken.at[at] ^= 1;
        scratch_write(scratch, "journal", broken.at, broken.len);
        struct journal *journal = open_at(true, 1000);
        expect_results(journal, whole_results(&text, at), at);
        journal_free(journal);
        blob_release(&broken);
    }
    blob_release(&text);
}

/* ---- what is not ours ---- */

Test(journal_file, of_something_else_is_refused_and_untouched)
{
    static const char *const others[] = {
        "x",
        "\n",
        "http://a/\nhttp://b/\n",
        "weir-journal 1\n",
        "weir-journal 1 00000000\n",
        "weir-journal 11",
        "run 0000000000000001 00000000\n",
    };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        scratch_write_text(scratch, "journal", others[i]);
        expect_refused(true, "is no journal of weir");
        expect_refused(false, "is no journal of weir");
    }
}

Test(journal_file, of_another_version_is_refused_and_untouched)
{
    struct journal_line head = {.kind = JOURNAL_HEAD, .version = JOURNAL_VERSION + 1};
    struct buf text;

    buf_init(&text);
    journal_line_add(&head, &text);
    scratch_write(scratch, "journal", text.data, text.len);
    expect_refused(true, "is of version 2, and this program writes 1");
    expect_refused(false, "is of version 2");
    buf_release(&text);
}

Test(journal_file, that_does_not_begin_with_its_head_is_refused)
{
    struct journal_line run = {.kind = JOURNAL_RUN, .mark = 1};
    struct buf text;

    buf_init(&text);
    journal_line_add(&run, &text);
    scratch_write(scratch, "journal", text.data, text.len);
    expect_refused(true, "is no journal of weir");
    buf_release(&text);
}

Test(journal_file, that_is_no_regular_file_is_refused)
{
    struct journal_rules rules = {.path = scratch_dir(scratch)};
    struct journal *journal = NULL;
    struct buf err;

    buf_init(&err);
    cr_expect_lt(journal_open(&rules, &journal, &err), 0, "a directory");
    cr_expect(*err.data);
    rules.path = "/dev/null";
    cr_expect_eq(journal_open(&rules, &journal, &err), -EINVAL);
    cr_expect(strstr(err.data, "is no regular file"), "%s", err.data);
    rules.path = scratch_path(scratch, "missing/journal");
    cr_expect_eq(journal_open(&rules, &journal, &err), -ENOENT);
    cr_expect_eq(journal_compact(rules.path, &err), -ENOENT);
    cr_expect_null(journal);
    buf_release(&err);
}

/* The lock is the process's, so another one has to try. */
Test(journal_file, that_another_process_has_open_is_refused)
{
    static struct journal *journal; /* in reach for the other process's leak check, too */
    char words[64];
    int status;

    journal = open_at(false, 0);
    begin(journal, 1);
    snprintf(words, sizeof words, "is in use by process %d", (int)getpid());
    size_t before = size_of_file();
    pid_t child = fork();
    if (child == 0) {
        struct journal_rules rules = {.path = path, .resume = false};
        struct journal *other = NULL;
        struct buf err;
        buf_init(&err);
        int result = journal_open(&rules, &other, &err);
        bool told = strstr(err.data, words) != NULL;
        int again = journal_compact(path, &err);
        bool told_again = strstr(err.data, words) != NULL;
        buf_release(&err);
        _exit((result == -EINVAL) + 2 * told + 4 * (again == -EINVAL) + 8 * told_again);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status));
    cr_expect_eq(WEXITSTATUS(status), 15);
    cr_expect_eq(size_of_file(), before);
    journal_free(journal);
}

/* ---- compacted ---- */

static void expect_compacted_meaning(uint64_t stream_size)
{
    struct journal *journal = open_at(true, stream_size);

    cr_expect_eq(journal_stream_end(journal), 60);
    cr_expect(took(journal, 1, LEDGER_OK));
    cr_expect(took(journal, 1, LEDGER_OK));
    cr_expect(took(journal, 2, LEDGER_OK), "it was done again");
    cr_expect(took(journal, 3, LEDGER_FAILED), "it failed again");
    cr_expect(took(journal, 3, LEDGER_FAILED), "an equal one was not done again");
    for (uint64_t i = 1; i <= 3; i++) {
        cr_expect_not(took(journal, i, LEDGER_OK), "%u", (unsigned)i);
        cr_expect_not(took(journal, i, LEDGER_FAILED), "%u", (unsigned)i);
    }
    expect_name(journal, 1, NULL);
    expect_name(journal, 5, "a b");
    expect_name(journal, 5, "a b.1");
    expect_name(journal, 5, NULL);
    journal_free(journal);
}

static void write_superseded(void)
{
    struct journal *journal = open_at(false, 0);

    begin(journal, 1);
    name(journal, 1, "one");
    add(journal, 1, REASON_OK, 10);
    add(journal, 2, REASON_HTTP, 10);
    add(journal, 3, REASON_DNS, 20);
    add(journal, 3, REASON_DNS, 20);
    add(journal, 1, REASON_OK, 30);
    release(journal, 30);
    journal_free(journal);
    journal = open_at(true, 30);
    begin(journal, 2);
    redo(journal, 2, REASON_TIMEOUT, 40);
    redo(journal, 2, REASON_OK, 50);
    redo(journal, 3, REASON_HTTP, 60);
    release(journal, 60);
    name(journal, 5, "a b");
    name(journal, 5, "a b.1");
    journal_free(journal);
}

Test(journal_file, compacted_means_the_same)
{
    struct stat status;
    struct blob text = {0};
    size_t n_marks;

    write_superseded();
    cr_assert_eq(chmod(path, 0640), 0);
    expect_compacted_meaning(60);
    for (int i = 0; i < 3; i++) {
        compact();
        expect_compacted_meaning(60 + (uint64_t)i);
    }
    cr_assert(scratch_read(scratch, "journal", &text));
    cr_expect_null(strstr(blob_text(&text), "redo "));
    cr_expect_null(strstr(blob_text(&text), " timeout "));
    cr_expect_eq(scratch_count(scratch, ""), 1, "something is left behind");
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0640);
    struct journal *journal = open_at(true, 60);
    cr_expect_eq(journal_marks(journal, &n_marks)[1], 2, "leftovers may be of any run");
    journal_free(journal);
    blob_release(&text);
}

/* The file that a finished request has is none of a stranger's, which may be replaced. */
Test(journal_file, compacted_knows_the_files_of_finished_requests)
{
    static const char *const given[] = {"one", "two", "one more"}, *const others[] = {"given up",
                                                                                      "left"};
    struct journal_rules rules = {
        .path = path, .resume = true, .keeps_paths = true, .stream_size = JOURNAL_NO_OFFSET};
    struct journal *journal = open_at(false, 0);
    struct buf err;

    begin(journal, 1);
    name(journal, 1, "one");
    name(journal, 2, "given up");
    give_up(journal, 2, "given up");
    name(journal, 2, "two");
    name(journal, 1, "one more");
    name(journal, 3, "left");
    for (uint64_t i = 1; i <= 2; i++)
        add(journal, i, REASON_OK, JOURNAL_NO_OFFSET);
    add(journal, 1, REASON_OK, JOURNAL_NO_OFFSET);
    release(journal, 0);
    journal_free(journal);
    buf_init(&err);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(journal_open(&rules, &journal, &err), 0, "%s", err.data);
        for (size_t k = 0; k < sizeof given / sizeof *given; k++) {
            struct key key = key_of_text(given[k]);
            cr_expect(ledger_has(journal_paths(journal), &key, LEDGER_OK), "%s", given[k]);
        }
        for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
            struct key key = key_of_text(others[k]);
            cr_expect_not(ledger_has(journal_paths(journal), &key, LEDGER_OK), "%s", others[k]);
        }
        expect_name(journal, 3, "left");
        expect_name(journal, 1, NULL);
        journal_free(journal);
        compact();
    }
    buf_release(&err);
}

Test(journal_file, compacted_loses_its_torn_tail)
{
    struct blob text = {0};

    write_superseded();
    cr_assert(scratch_read(scratch, "journal", &text));
    blob_add_text(&text, "done 0123");
    scratch_write(scratch, "journal", text.at, text.len);
    compact();
    expect_compacted_meaning(60);
    blob_clear(&text, 0);
    cr_assert(scratch_read(scratch, "journal", &text));
    cr_expect_not(blob_contains(&text, "done 0123 "));
    cr_expect_eq(text.at[text.len - 1], '\n');
    blob_release(&text);
}

/* Whose name is given is replaced, and not the way to it. */
Test(journal_file, compacted_by_a_link_leaves_the_link)
{
    const char *link = scratch_path(scratch, "link");
    struct stat status;
    struct buf err;

    write_superseded();
    off_t before = (off_t)size_of_file();
    cr_assert_eq(symlink("journal", link), 0);
    buf_init(&err);
    cr_expect_eq(journal_compact(link, &err), 0, "%s", err.data);
    cr_assert_eq(lstat(link, &status), 0);
    cr_expect(S_ISLNK(status.st_mode));
    cr_assert_eq(lstat(path, &status), 0);
    cr_expect(S_ISREG(status.st_mode) && status.st_size < before);
    expect_compacted_meaning(60);
    cr_expect_eq(scratch_count(scratch, ""), 2, "something is left behind");
    buf_release(&err);
}

/* As where nobody may make the new one. */
Test(journal_file, that_cannot_be_compacted_stays)
{
    struct blob before = {0}, after = {0};
    struct rlimit none = {0, RLIM_INFINITY};
    struct buf err;

    write_superseded();
    cr_assert(scratch_read(scratch, "journal", &before));
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    buf_init(&err);
    cr_expect_eq(journal_compact(path, &err), -EFBIG);
    none.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    cr_expect(strstr(err.data, path), "%s", err.data);
    cr_assert(scratch_read(scratch, "journal", &after));
    cr_expect_str_eq(blob_text(&after), blob_text(&before));
    cr_expect_eq(scratch_count(scratch, ""), 1, "something is left behind");
    buf_release(&err);
    blob_release(&before);
    blob_release(&after);
}

/* ---- a disk that is full ---- */

Test(journal_file, that_may_not_grow_says_so_and_can_be_read)
{
    struct journal *journal = open_at(false, 0);
    struct rlimit limit = {0, RLIM_INFINITY};

    begin(journal, 1);
    add(journal, 1, REASON_OK, 1);
    release(journal, 1);
    add(journal, 2, REASON_OK, 2);
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = size_of_file() + 20;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(journal_release(journal, 2), -EFBIG);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    journal_free(journal);
    journal = open_at(true, 2);
    cr_expect(took(journal, 1, LEDGER_OK));
    cr_expect_not(took(journal, 2, LEDGER_OK));
    cr_expect_eq(journal_stream_end(journal), 1);
    journal_free(journal);
}
