/* Runs that end in every way there is: random input, options, signals and readers. Whatever happens,
 * what was promised of an end is seen from outside.
 *
 * ENDS_SEED and ENDS_ROUNDS say where to begin and how many; a round that fails says how to bring it
 * back. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ends_round.h"
#include "moment.h"
#include "program.h"
#include "record.h"
#include "stage.h"

enum { ROUNDS = 60, ROUNDS_SANITIZED = 16, SLICES = 4, FIRST_SEED = 1 };

/* A group's record, and how many of the others stand before it. */
struct group_line {
    json_t *record;
    size_t before;
};

struct ending {
    struct run_result result;
    struct blob stream; /* what went to stdout, or where --to says */
    double signalled_at;
    size_t signalled;   /* how many that end a run were sent before it ended */
    bool was_left;      /* its reader went away */
    bool is_cut;        /* nobody promises all of the stream */
    const char *halted; /* why, or NULL; in the result's stderr */
    json_t *records;
    struct group_line *groups;
    size_t n_groups;
};

/* What the test is at, for who reads of a failure. */
static struct blob told;

__attribute__((format(printf, 1, 2))) static const char *words(const char *format, ...)
{
    static char text[600];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return text;
}

#define check(condition, ...) cr_expect(condition, "%s\n  %s", words(__VA_ARGS__), blob_text(&told))

/* ---- the run ---- */

/* A descriptor that the run reads from, or 0 where the test writes to it. */
static int open_input(const struct round *round, struct stage *stage, FILE **ret_lines)
{
    struct blob input = {0};

    round_add_input(round, &input);
    const char *path = scratch_write(stage->scratch, "input", input.at, input.len);
    blob_release(&input);
    if (round->source == FROM_OPEN_PIPE)
        return 0;
    if (round->source == FROM_FILE)
        return open(path, O_RDONLY | O_CLOEXEC);
    *ret_lines = popen(stage_text(stage, "while cat '%s' 2>&1; do :; done", path), "r");
    cr_assert(*ret_lines);
    return fileno(*ret_lines);
}

/* What the reader took before it left, at most what a pipe holds. */
static void take_and_leave(int fd, struct ending *ending)
{
    enum { LEN = 65536 };

    fcntl(fd, F_SETFL, O_NONBLOCK);
    ssize_t got = read(fd, blob_reserve(&ending->stream, LEN), LEN);
    if (got > 0)
        blob_extend(&ending->stream, (size_t)got);
    close(fd);
    ending->was_left = true;
}

/* What happens meanwhile, each in its time. */
static void live_through(const struct round *round, struct run *run, int reader,
                         struct ending *ending)
{
    double begun = moment_now(), reader_due = begun + round->reader_after, due = begun;

    if (round->reader == READS)
        reader_due = 1e300;
    run_hold(run, round->reader == SLEEPS);
    for (size_t i = 0; i <= round->n_sent; i++) {
        bool is_last = i == round->n_sent;
        due = is_last ? 1e299 : due + round->sent[i].after;
        if (reader_due < due) {
            run_ended(run, reader_due - moment_now());
            run_hold(run, false);
            if (round->reader == LEAVES)
                take_and_leave(reader, ending);
            reader_due = 1e300;
        }
        if (is_last || run_ended(run, due - moment_now()))
            continue;
        bool ends = round->sent[i].number != SIGUSR1;
        run_signal(run, round->sent[i].number);
        if (ends && ending->signalled++ == 0)
            ending->signalled_at = moment_now();
    }
}

static struct run *spawn(const struct round *round, int input, int output)
{
    struct run *run = program_spawn((struct run_options){
        .argv = round->argv, .input_fd = input, .output_fd = output, .seconds = patience});
    struct blob lines = {0};

    if (input <= 0) {
        round_add_input(round, &lines);
        (void)run_write(run, lines.at, lines.len); /* it may end before it has read everything */
    }
    blob_release(&lines);
    return run;
}

static bool is_empty_group(pid_t group)
{
    return kill(-group, 0) == -1 && errno == ESRCH;
}

/* Nobody else is in the group that the run began, save what a sanitizer has there for a moment. */
static void check_children(pid_t pid)
{
    for (double end = moment_now() + patience; !is_empty_group(pid) && moment_now() < end;)
        moment_nap();
    check(is_empty_group(pid), "a child is left");
}

static void run_round(const struct round *round, struct stage *stage, struct ending *ending)
{
    FILE *lines = NULL;
    int ends[2] = {-1, -1};
    int input = open_input(round, stage, &lines);

    if (round->reader == LEAVES)
        cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    struct run *run = spawn(round, input, ends[1]);
    if (ends[1] >= 0)
        close(ends[1]);
    pid_t pid = run_pid(run);
    live_through(round, run, ends[0], ending);
    check(round->source == FROM_FILE || run_ended(run, patience), "it waits for its input's end");
    ending->result = program_end(run);
    check_children(pid);
    if (lines)
        pclose(lines);
    else if (input > 0)
        close(input);
    if (round->goes_to_file)
        scratch_read(stage->scratch, "to", &ending->stream);
    else
        blob_add(&ending->stream, ending->result.out.at, ending->result.out.len);
    ending->halted = strstr(blob_text(&ending->result.err), "weir: halted: ");
    ending->is_cut = ending->was_left || (ending->result.signal && !ending->halted);
}

/* ---- its records ---- */

static void add_group_line(struct ending *ending, const char *line, size_t len, size_t before)
{
    json_t *record = json_loadb(line, len, 0, NULL);

    cr_assert(record, "%.*s", (int)len, line);
    ending->groups = realloc(ending->groups, (ending->n_groups + 1) * sizeof *ending->groups);
    cr_assert(ending->groups);
    ending->groups[ending->n_groups++] = (struct group_line){record, before};
}

/* Of a stream that is cut only whole lines count. */
static void read_stream(struct ending *ending)
{
    static const char mark[] = "{\"group_record\":";
    struct blob kept = {0};
    size_t n = 0;

    for (const char *at = blob_text(&ending->stream), *end = at + ending->stream.len; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        check(newline || ending->is_cut, "the stream ends within a line");
        if (!newline)
            break;
        size_t len = (size_t)(newline - at);
        if (len > strlen(mark) && memcmp(at, mark, strlen(mark)) == 0) {
            add_group_line(ending, at, len, n);
        } else {
            blob_add(&kept, at, len + 1);
            n++;
        }
        at = newline + 1;
    }
    ending->records = records_read(&kept);
    blob_release(&kept);
}

static void release(struct ending *ending)
{
    for (size_t i = 0; i < ending->n_groups; i++)
        json_decref(ending->groups[i].record);
    free(ending->groups);
    json_decref(ending->records);
    blob_release(&ending->stream);
    run_result_release(&ending->result);
}

static size_t count(const struct ending *ending, const char *reason)
{
    return records_count(ending->records, reason);
}

/* Those that failed of themselves. */
static size_t count_failed(const struct ending *ending)
{
    return json_array_size(ending->records) - count(ending, "ok") - count(ending, "cancelled") -
           count(ending, "halted");
}

static bool is_reason(const json_t *record, const char *reason)
{
    return strcmp(record_text(record, "reason"), reason) == 0;
}

static bool has_failed(const json_t *record)
{
    return !is_reason(record, "ok") && !is_reason(record, "cancelled") &&
           !is_reason(record, "halted");
}

/* The records by their place in the input, NULL where there is none; their number is `*ret_len`. */
static const json_t **by_seq(const struct round *round, const struct ending *ending,
                             size_t *ret_len)
{
    size_t n = json_array_size(ending->records), last = 0;

    for (size_t i = 0; i < n; i++) {
        long long seq = record_number(record_at(ending->records, i), "seq");
        cr_assert_gt(seq, 0);
        last = (size_t)seq > last ? (size_t)seq : last;
    }
    const json_t **found = calloc(last + 1, sizeof(void *));
    cr_assert(found);
    for (size_t i = 0; i < n; i++) {
        const json_t *record = record_at(ending->records, i);
        size_t seq = (size_t)record_number(record, "seq");
        check(!found[seq - 1], "request %zu has two records", seq);
        check(!round->is_ordered || seq == i + 1, "request %zu is number %zu", seq, i + 1);
        found[seq - 1] = record;
    }
    *ret_len = last;
    return found;
}

/* Each that was read has one; all were, unless the run ended first. */
static void check_complete(const struct round *round, const struct ending *ending,
                           const json_t *const *found, size_t len)
{
    if (ending->is_cut)
        return;
    for (size_t i = 0; i < len; i++)
        check(found[i], "request %zu has no record", i + 1);
    if (!ending->halted)
        check(len == round->n_lines, "there are %zu of %zu records", len, round->n_lines);
    check(round->source == WITHOUT_END || len <= round->n_lines, "there are %zu records", len);
}

/* ---- what a record says ---- */

static void expected_body(const struct line *line, struct blob *body)
{
    if (line->word)
        blob_add_text(body, line->word);
    else
        origin_body(line->target, line->len, body);
}

static void check_body(const struct round *round, struct stage *stage, const json_t *record,
                       const struct line *line)
{
    struct blob body = {0};

    expected_body(line, &body);
    bool is_whole = round->has_files
                        ? record_file_is(record, scratch_dir(stage->scratch), body.at, body.len)
                        : record_body_is(record, body.at, body.len);
    check(is_whole, "the body of %lld is another", record_number(record, "seq"));
    blob_release(&body);
}

static void check_fate(const json_t *record, const struct line *line)
{
    const char *reason = record_text(record, "reason");
    long long seq = record_number(record, "seq");
    bool was_let = !is_reason(record, "cancelled") && !is_reason(record, "halted");

    if (line->url)
        check(strcmp(record_text(record, "url"), line->url) == 0, "%lld is another's", seq);
    check(record_has(record, "group") == !!*line->group, "%lld is in a group, or not", seq);
    if (!was_let)
        return;
    switch (line->fate) {
    case GOOD: check(is_reason(record, "ok"), "request %lld: %s", seq, reason); break;
    case BAD: check(!is_reason(record, "ok"), "request %lld is ok", seq); break;
    case INVALID: check(is_reason(record, "invalid"), "request %lld: %s", seq, reason); break;
    case MAYBE: break;
    }
}

/* What was never tried was never seen, and what was, no more often than it says. */
static void check_arrivals(const struct round *round, struct stage *stage, const json_t *record,
                           const struct line *line)
{
    long long attempts = record_number(record, "attempts"), seq = record_number(record, "seq");

    check(attempts <= (long long)round->retries + 1, "%lld was tried %lld times", seq, attempts);
    if (!line->target || round->source == WITHOUT_END)
        return;
    long long seen = (long long)origin_log_count(stage->origin, line->target);
    check(attempts || !seen, "%lld was not tried, but seen", seq);
    if (line->goes_once && !round->is_tight)
        check(seen <= attempts, "%lld was tried %lld times, and seen %lld", seq, attempts, seen);
    if (line->target && is_reason(record, "ok"))
        check(seen, "%lld is ok, and was never seen", seq);
}

/* ---- groups ---- */

/* The neighbours that begin at `first`, one behind the last of those that have records. */
static size_t group_end(const struct round *round, size_t first, size_t len)
{
    size_t seq = first + 1;

    while (seq <= len && round_goes_on(round, seq))
        seq++;
    return seq;
}

/* Whether it would fill more than the window, had all of it been read. */
static bool is_too_large(const struct round *round, size_t first)
{
    size_t last = round->source == WITHOUT_END ? first + round->window : round->n_lines;

    return group_end(round, first, last) - first > round->window;
}

static void check_cancelled(const struct round *round, const struct ending *ending,
                            const json_t *const *found, size_t len, size_t first)
{
    size_t end = group_end(round, first, len);
    long long culprit = 0;

    for (size_t seq = first; seq < end; seq++) {
        const json_t *record = found[seq - 1];
        if (!record || !is_reason(record, "cancelled"))
            continue;
        check(*round_line(round, seq)->group, "%zu is in no group", seq);
        long long by = record_number(record, "cancelled_by");
        if (by < 0) {
            check(round->commits && is_too_large(round, first), "nobody's failure cancelled %zu",
                  seq);
            continue;
        }
        check(!culprit || by == culprit, "%lld and %lld failed first", by, culprit);
        culprit = by;
        check(by >= (long long)first, "%lld cancelled %zu", by, seq);
        check(by < (long long)end || ending->is_cut, "%lld cancelled %zu", by, seq);
        const json_t *failed = by <= (long long)len ? found[by - 1] : NULL;
        check(failed ? has_failed(failed) : ending->is_cut, "%lld, which cancelled %zu, is ok", by,
              seq);
    }
}

/* With files, all of them or none. */
static void check_commit(const struct round *round, const struct ending *ending,
                         const json_t *const *found, size_t len, size_t first)
{
    size_t end = group_end(round, first, len), ok = 0, members = 0;

    if (!round->commits || !round->has_files || ending->is_cut || !*round_line(round, first)->group)
        return;
    for (size_t seq = first; seq < end; seq++, members++)
        ok += found[seq - 1] && is_reason(found[seq - 1], "ok");
    check(!ok || ok == members, "of the group at %zu %zu of %zu are ok", first, ok, members);
}

static const struct group_line *group_line_at(const struct ending *ending, size_t index)
{
    return index < ending->n_groups ? &ending->groups[index] : NULL;
}

/* In order each group's record is behind its last member's, and before the next of another. */
static void check_group_record(const struct group_line *line, const json_t *const *found,
                               size_t first, size_t end, bool is_last)
{
    long long succeeded = 0, failed = 0;

    check(line, "the group at %zu has no record", first);
    if (!line)
        return;
    for (size_t seq = first; seq < end; seq++) {
        succeeded += found[seq - 1] && is_reason(found[seq - 1], "ok");
        failed += found[seq - 1] && has_failed(found[seq - 1]);
    }
    long long members = (long long)(end - first);
    check(line->before == end - 1, "the record of the group at %zu is behind %zu", first,
          line->before);
    check(record_number(line->record, "members") == members, "the group at %zu has others", first);
    check(record_number(line->record, "succeeded") == succeeded, "the group at %zu", first);
    check(record_number(line->record, "failed") == failed, "the group at %zu", first);
    check(record_number(line->record, "cancelled") == members - succeeded - failed,
          "the group at %zu", first);
    /* Of the last one nobody knows whether it was whole as the run ended. */
    bool is_ok = json_is_true(json_object_get(line->record, "ok"));
    check(is_ok ? succeeded == members : succeeded < members || is_last, "the group at %zu is %sok",
          first, is_ok ? "" : "not ");
}

static void check_groups(const struct round *round, const struct ending *ending,
                         const json_t *const *found, size_t len)
{
    size_t groups = 0;

    for (size_t first = 1; first <= len; first = group_end(round, first, len)) {
        check_cancelled(round, ending, found, len, first);
        check_commit(round, ending, found, len, first);
        bool is_group = *round_line(round, first)->group;
        if (is_group && round->tells_groups && round->is_ordered && !ending->is_cut)
            check_group_record(group_line_at(ending, groups), found, first,
                               group_end(round, first, len), group_end(round, first, len) > len);
        groups += is_group;
    }
    if (!ending->is_cut)
        check(ending->n_groups == (round->tells_groups ? groups : 0), "%zu records of %zu groups",
              ending->n_groups, groups);
}

/* ---- how it ended ---- */

static bool was_sent(const struct round *round, int number)
{
    for (size_t i = 0; i < round->n_sent; i++) {
        if (round->sent[i].number == number)
            return true;
    }
    return false;
}

/* Why it says it was halted is something that was asked of it, and its status follows: of what ends a
 * run the first is told, and the deadline may still come over those that are spared. */
static int check_halted(const struct round *round, const struct ending *ending)
{
    const char *why = ending->halted + strlen("weir: halted: ");
    bool by_deadline = strncmp(why, "the --deadline of ", 18) == 0;
    bool by_signal = strncmp(why, "SIG", 3) == 0;

    check(!strstr(ending->halted + 1, "weir: halted: "), "it says so twice");
    if (by_signal)
        check(ending->signalled && ending->result.signal, "it was no signal: %s", why);
    else if (by_deadline)
        check(round->deadline > 0, "it has no deadline");
    else
        check(round->halt && strstr(why, words("reached --halt %s", round->halt)), "by what? %s",
              why);
    if (by_signal || by_deadline || round->halts_on_fail)
        return 3;
    return round->spares && round->deadline > 0 && ending->result.code == 3 ? 3 : 0;
}

static void check_status(const struct round *round, const struct ending *ending, size_t failed)
{
    const struct run_result *result = &ending->result;
    int due = ending->halted ? check_halted(round, ending) : failed > 0;

    if (result->signal == SIGPIPE)
        check(ending->was_left, "it ended by SIGPIPE");
    else if (result->signal == SIGUSR1) /* nobody listened yet */
        check(!ending->stream.len && ending->is_cut, "it ended by SIGUSR1");
    else if (result->signal)
        check(ending->signalled && was_sent(round, result->signal), "it ended by SIG%s",
              sigabbrev_np(result->signal));
    else if (!ending->was_left || ending->halted)
        check(result->code == due, "it ended with %d, not %d", result->code, due);
    check(result->signal || round->source == FROM_FILE || ending->halted, "it ended by itself");
    /* One that was not yet heard ends the program before it did anything, or after everything. */
    if (result->signal && !ending->halted && ending->signalled == 1 && !ending->was_left &&
        round->has_records)
        check(json_array_size(ending->records) == 0 ||
                  json_array_size(ending->records) == round->n_lines,
              "one signal cut it");
}

/* Everything has been told by then, and what was asked of --halt came to be, or did not. */
static void check_condition(const struct round *round, const struct ending *ending)
{
    const char *told_halted =
        ending->halted ? strstr(ending->halted, "requests read and not done: ") : NULL;
    size_t halted = count(ending, "halted"), n = round->halt_count;
    size_t said = told_halted ? strtoul(strchr(told_halted, ':') + 1, NULL, 10) : 0;

    check(halted == said, "%zu were halted, it says %zu", halted, said);
    if (!n)
        return;
    size_t ok = count(ending, "ok"), failed = count_failed(ending);
    size_t reached = round->halts_on_fail ? failed : round->halts_on_success ? ok : ok + failed;
    if (!ending->halted)
        check(reached < n, "%zu are done, and it was not halted", reached);
    /* Lines that are no requests are done as they are read, and cancelled ones are never counted. */
    for (size_t i = 0; i < round->n_lines; i++) {
        if (round->lines[i].fate == INVALID || *round->lines[i].group)
            return;
    }
    check(reached <= n - 1 + round->jobs, "%zu are done, it was to end at %zu", reached, n);
}

/* ---- what started when ---- */

static size_t arrivals_after(struct stage *stage, double moment)
{
    size_t late = 0;

    for (const struct origin_record *at = NULL; (at = origin_log_next(stage->origin, at)) != NULL;)
        late += at->arrived > moment;
    return late;
}

/* When so many that are refused at once had been; 0: there were not so many. Answers are begun and
 * finished in one go. */
static double refused_at(struct stage *stage, size_t index)
{
    for (const struct origin_record *at = NULL;
         (at = origin_log_next(stage->origin, at)) != NULL;) {
        if (at->end == ORIGIN_ANSWERED && strstr(at->target, "status=404") && index-- == 0)
            return at->finished;
    }
    return 0;
}

/* Those that were on their way then, and what the few rounds of one turn of the loop start. */
static void check_starts(const struct round *round, struct stage *stage,
                         const struct ending *ending)
{
    size_t most = 10 * round->jobs;

    if (ending->signalled) {
        size_t late = arrivals_after(stage, ending->signalled_at);
        check(late <= most, "%zu requests came after the signal", late);
    }
    if (!round->halt_count || !round->halts_on_fail || ending->is_cut || !round->has_records)
        return;
    /* A failure that was cancelled or halted does not count. */
    double moment = refused_at(stage, round->halt_count - 1 + count(ending, "cancelled") +
                                          count(ending, "halted"));
    size_t late = moment > 0 ? arrivals_after(stage, moment) : 0;
    check(late <= most, "%zu requests came after the last failure", late);
}

/* ---- what is left ---- */

static bool has_file(struct stage *stage, size_t seq)
{
    return scratch_exists(stage->scratch, words("out/%zu", seq));
}

/* Each file is named as a request that could have it, and is whole. */
static void check_file(const struct round *round, struct stage *stage, const char *name)
{
    struct blob content = {0}, due = {0};
    char *end;
    size_t seq = strtoul(name, &end, 10);

    check(seq && !*end, "'%s' is left behind", name);
    if (!seq || *end)
        return;
    cr_assert(scratch_read(stage->scratch, words("out/%zu", seq), &content));
    const struct line *line = round_line(round, seq);
    check(line->fate == GOOD || line->fate == MAYBE, "request %zu has a file", seq);
    expected_body(line, &due);
    check(content.len == due.len && (!due.len || memcmp(content.at, due.at, due.len) == 0),
          "the file of %zu is not whole", seq);
    blob_release(&content);
    blob_release(&due);
}

/* Also where nobody knows what became of the run, a group that is committed has all files or none. */
static void check_groups_of_files(const struct round *round, struct stage *stage)
{
    if (!round->commits || round->source == WITHOUT_END)
        return;
    for (size_t first = 1; first <= round->n_lines;
         first = group_end(round, first, round->n_lines)) {
        size_t end = group_end(round, first, round->n_lines), files = 0;
        if (!*round_line(round, first)->group)
            continue;
        for (size_t seq = first; seq < end; seq++)
            files += has_file(stage, seq);
        /* Those that were not read are no members. */
        for (size_t seq = first; seq < first + files; seq++)
            check(has_file(stage, seq), "the group at %zu has %zu files, and none for %zu", first,
                  files, seq);
        check(!files || files == end - first || round->n_ending || round->deadline > 0 ||
                  round->halt || round->reader == LEAVES,
              "the group at %zu has %zu files of %zu", first, files, end - first);
    }
}

static size_t check_files(const struct round *round, struct stage *stage)
{
    size_t files = 0;
    struct dirent *entry;

    if (!round->has_files)
        return 0;
    DIR *dir = opendir(scratch_path(stage->scratch, "out"));
    cr_assert(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        files++;
        check_file(round, stage, entry->d_name);
    }
    closedir(dir);
    check_groups_of_files(round, stage);
    return files;
}

/* Its last line tells the same as its records. */
static void check_summary(const struct round *round, const struct ending *ending)
{
    const char *err = blob_text(&ending->result.err), *line;

    if (!round->tells_summary || ending->is_cut)
        return;
    check(ending->result.err.len, "there is no summary");
    if (!ending->result.err.len)
        return;
    for (line = err + ending->result.err.len - 1; line > err && line[-1] != '\n'; line--)
        ;
    json_t *summary = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    check(summary, "the last line is '%s'", line);
    if (!summary)
        return;
    check(record_number(summary, "peak_in_flight") <= (long long)round->jobs, "%s", line);
    if (round->has_records) {
        long long n = (long long)json_array_size(ending->records);
        long long ok = (long long)count(ending, "ok");
        check(record_number(summary, "requests") == n, "%s", line);
        check(record_number(summary, "ok") == ok, "%s", line);
        check(record_number(summary, "failed") == n - ok, "%s", line);
    }
    json_decref(summary);
}

/* ---- all of it ---- */

static void check_records(const struct round *round, struct stage *stage,
                          const struct ending *ending)
{
    size_t len;
    const json_t **found = by_seq(round, ending, &len);

    check_complete(round, ending, found, len);
    for (size_t seq = 1; seq <= len; seq++) {
        const struct line *line = round_line(round, seq);
        const json_t *record = found[seq - 1];
        if (!record)
            continue;
        check_fate(record, line);
        check_arrivals(round, stage, record, line);
        if (is_reason(record, "ok"))
            check_body(round, stage, record, line);
    }
    check_groups(round, ending, found, len);
    free(found);
}

static void check_round(const struct round *round, struct stage *stage, struct ending *ending)
{
    check(origin_wait_open(stage->origin, 0, patience), "a connection is left open");
    check(scratch_count(stage->scratch, "spool") == 0, "something is left in the spool's place");
    size_t files = check_files(round, stage);
    if (!round->has_records)
        check(!ending->stream.len, "its stdout is not empty");
    read_stream(ending);
    size_t n = json_array_size(ending->records);
    if (round->has_records) {
        check_records(round, stage, ending);
        check_status(round, ending, n - count(ending, "ok"));
        if (!ending->is_cut) {
            check_condition(round, ending);
            check(!round->has_files || files == count(ending, "ok"), "there are %zu files", files);
        }
    } else {
        check_status(round, ending, round->n_lines - files);
    }
    check_starts(round, stage, ending);
    check_summary(round, ending);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* Whatever broke the test off does not know of its round. */
static void tell(void)
{
    if (told.len)
        fprintf(stderr, "broken off: %s\n", blob_text(&told));
}

ParameterizedTestParameters(ends, keep_every_promise)
{
    static unsigned slices[SLICES];

    for (unsigned i = 0; i < SLICES; i++)
        slices[i] = i;
    return cr_make_param_array(unsigned, slices, SLICES);
}

ParameterizedTest(unsigned *slice, ends, keep_every_promise, .fini = tell)
{
    uint64_t first = number_from("ENDS_SEED", FIRST_SEED);
    uint64_t rounds =
        number_from("ENDS_ROUNDS", program_is_sanitized() ? ROUNDS_SANITIZED : ROUNDS);
    static struct round round;

    for (uint64_t i = *slice; i < rounds; i += SLICES) {
        struct stage *stage = stage_new_any();
        struct ending ending = {0};
        round_draw(&round, stage, first + i);
        blob_clear(&told, 0);
        round_describe(&round, &told);
        run_round(&round, stage, &ending);
        check_round(&round, stage, &ending);
        release(&ending);
        stage_free(stage);
    }
    blob_release(&told);
}
