/* Where bodies go: every kind of descriptor, shared with others, slow, full or closed. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "moment.h"
#include "program.h"
#include "stage.h"

/* ---- channels that the test holds the other end of ---- */

enum kind { PIPE, SOCKET, TERMINAL };

struct channel {
    int ours, theirs;
};

static struct channel make_channel(enum kind kind, bool theirs_reads)
{
    int ends[2] = {-1, -1};
    struct termios raw = {0};

    switch (kind) {
    case PIPE: cr_assert_eq(pipe2(ends, O_CLOEXEC), 0); break;
    case SOCKET: cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0); break;
    case TERMINAL:
        cfmakeraw(&raw);
        raw.c_cflag |= CREAD;
        cr_assert_eq(openpty(&ends[1], &ends[0], NULL, &raw, NULL), 0);
        return (struct channel){.ours = ends[1], .theirs = ends[0]};
    }
    return (struct channel){.ours = ends[theirs_reads], .theirs = ends[!theirs_reads]};
}

static void close_channel(struct channel *channel)
{
    close(channel->ours);
    close(channel->theirs);
}

/* At most `max` bytes; 0 at the end, or when nothing comes for too long. */
static size_t read_some(int fd, struct blob *to, size_t max)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};

    if (poll(&readable, 1, (int)patience * 1000) <= 0)
        return 0;
    ssize_t got = read(fd, blob_reserve(to, max), max);
    if (got <= 0)
        return 0;
    blob_extend(to, (size_t)got);
    return (size_t)got;
}

static bool read_until(int fd, struct blob *to, const char *text)
{
    while (!blob_contains(to, text)) {
        if (!read_some(fd, to, 4096))
            return false;
    }
    return true;
}

static bool blocks(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

struct kind_case {
    enum kind kind;
};

#define KINDS(suite, name)                                                                 \
    ParameterizedTestParameters(suite, name)                                               \
    {                                                                                      \
        static struct kind_case cases[] = {{PIPE}, {SOCKET}, {TERMINAL}};                  \
                                                                                           \
        return cr_make_param_array(struct kind_case, cases, sizeof cases / sizeof *cases); \
    }                                                                                      \
    ParameterizedTest(struct kind_case *with, suite, name)

/* The test's own descriptors are the same open files: what weir set on its own shows here. */
KINDS(descriptors, are_never_made_nonblocking)
{
    struct stage *stage = stage_new();
    struct channel in = make_channel(with->kind, true), out = make_channel(with->kind, false),
                   err = make_channel(with->kind, false);
    struct blob said = {0}, told = {0};
    const char *lines =
        stage_text(stage, "%s\n%s\n", stage_url(stage, "/text/a"), stage_url(stage, "/nothing"));
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("-a", "-", "--color=never"),
                                           .input_fd = in.theirs,
                                           .output_fd = out.theirs,
                                           .error_fd = err.theirs});

    cr_assert_eq(write(in.ours, lines, strlen(lines)), (ssize_t)strlen(lines));
    cr_expect(read_until(out.ours, &said, "a\n"));
    cr_expect(read_until(err.ours, &told, ": http: status 404"));
    cr_expect(!run_ended(run, 0.05));
    cr_expect(blocks(in.theirs) && blocks(out.theirs) && blocks(err.theirs), "during the run");
    if (with->kind == TERMINAL)
        run_signal(run, SIGTERM);
    close(in.ours);
    program_expect(program_end(run), with->kind == TERMINAL ? 128 + SIGTERM : 1, "", "");
    cr_expect(blocks(in.theirs) && blocks(out.theirs) && blocks(err.theirs), "after the run");
    close(in.theirs);
    close_channel(&out);
    close_channel(&err);
    blob_release(&said);
    blob_release(&told);
    stage_free(stage);
}

enum { WORD_LEN = 20000, WORDS = 60 };

/* A list of words too long for what any channel holds, and what is to come of it. */
static const char *write_list(struct stage *stage, struct blob *expected)
{
    struct blob list = {0};

    for (int i = 0; i < WORDS; i++) {
        char word[WORD_LEN + 1] = "";
        memset(word, 'a' + i % 26, WORD_LEN);
        blob_addf(&list, "%s/text/%s\n", origin_url(stage->origin), word);
        blob_addf(expected, "%s\n", word);
    }
    const char *path = scratch_write(stage->scratch, "list", list.at, list.len);
    blob_release(&list);
    return path;
}

static void expect_slow_reading(const struct run_options *options, struct channel *out,
                                const struct blob *expected)
{
    struct run_options with_out = *options;
    struct blob said = {0};

    with_out.output_fd = out->theirs;
    struct run *run = program_spawn(with_out);
    close(out->theirs);
    while (said.len < expected->len && read_some(out->ours, &said, 9000))
        moment_nap();
    close(out->ours);
    program_expect(program_end(run), 0, "", "");
    cr_assert_eq(said.len, expected->len);
    cr_expect_eq(memcmp(blob_text(&said), expected->at, said.len), 0);
    blob_release(&said);
}

KINDS(descriptors, of_each_kind_may_be_read_slowly)
{
    struct stage *stage = stage_new();
    struct channel out = make_channel(with->kind, false);
    struct blob expected = {0};
    const char *list = write_list(stage, &expected);

    expect_slow_reading(&(struct run_options){.argv = RUN_WEIR("-a", list, "--window", "8")}, &out,
                        &expected);
    blob_release(&expected);
    stage_free(stage);
}

/* Somebody else's doing: the next program in a pipeline, or the last one. */
KINDS(descriptors, that_are_nonblocking_already_do_as_well)
{
    struct stage *stage = stage_new();
    struct channel out = make_channel(with->kind, false);
    struct blob expected = {0};
    const char *list = write_list(stage, &expected);

    cr_assert_eq(fcntl(out.theirs, F_SETFL, fcntl(out.theirs, F_GETFL) | O_NONBLOCK), 0);
    expect_slow_reading(&(struct run_options){.argv = RUN_WEIR("-a", list)}, &out, &expected);
    blob_release(&expected);
    stage_free(stage);
}

/* A pipe that cannot be opened again is written as it is, blocking, without waiting in it. */
Test(descriptors, of_somebody_else_do_as_well)
{
    struct stage *stage = stage_new();
    struct channel out = make_channel(PIPE, false);
    struct blob expected = {0};
    const char *as_nobody[RUN_ARGS_MAX] = {"setpriv", "--reuid=65534", "--clear-groups", run_weir(),
                                           "--version"};
    struct run_result probe = {0};

    if (geteuid() != 0 || !run_finish(&(struct run_options){.argv = as_nobody}, &probe) ||
        probe.code != 0)
        cr_skip_test("needs root, setpriv, and a weir that anybody may run");
    run_result_release(&probe);
    write_list(stage, &expected);
    struct blob list = {0};
    cr_assert(scratch_read(stage->scratch, "list", &list));
    as_nobody[4] = "-j8";
    int fd = open(scratch_path(stage->scratch, "list"), O_RDONLY | O_CLOEXEC);
    expect_slow_reading(&(struct run_options){.argv = as_nobody, .input_fd = fd}, &out, &expected);
    close(fd);
    blob_release(&list);
    blob_release(&expected);
    stage_free(stage);
}

/* ---- files ---- */

struct shell_case {
    char script[96];
    char before[16]; /* what is in the file already */
    char after[64];
};

ParameterizedTestParameters(file, is_shared_as_the_shell_means_it)
{
    static struct shell_case cases[] = {
        {"\"$0\" $1 >\"$2\"", "long before", "body\n"},
        {"\"$0\" $1 >>\"$2\"", "before\n", "before\nbody\n"},
        {"(echo a; \"$0\" $1; echo b) >\"$2\"", "before\n", "a\nbody\nb\n"},
        {"(echo a; \"$0\" $1; echo b) >>\"$2\"", "before\n", "before\na\nbody\nb\n"},
        {"(echo a; \"$0\" $1; echo b) 1<>\"$2\"", "0123456789abc", "a\nbody\nb\n9abc"},
        {"(echo a; \"$0\" $1; echo b) | cat >\"$2\"", "", "a\nbody\nb\n"},
        {"(\"$0\" $1; \"$0\" $1) >\"$2\"", "", "body\nbody\n"},
        {"(\"$0\" $1 & \"$0\" $1; wait) >\"$2\"", "", "body\nbody\n"},
        {"(\"$0\" $1 & \"$0\" $1; wait) >>\"$2\"", "x\n", "x\nbody\nbody\n"},
        {"\"$0\" $1 file:x >\"$2\" 2>&1 || :", "", "body\nweir: file:x: "},
        {"\"$0\" --to \"$2\" $1", "long before", "body\n"},
        {"\"$0\" --to - $1 >\"$2\"", "", "body\n"},
        {"\"$0\" --to \"$2\" $1 | cat - \"$2\" >\"$2.2\" && mv \"$2.2\" \"$2\"", "", "body\n"},
    };

    return cr_make_param_array(struct shell_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct shell_case *shell, file, is_shared_as_the_shell_means_it)
{
    struct stage *stage = stage_new();
    const char *file = scratch_write_text(stage->scratch, "file", shell->before);
    const char *const argv[] = {
        "sh", "-c", shell->script, run_weir(), stage_url(stage, "/text/body"), file, NULL};
    struct blob after = {0};

    program_expect(program_run((struct run_options){.argv = argv}), 0, "", "");
    cr_assert(scratch_read(stage->scratch, "file", &after));
    cr_expect_eq(strncmp(blob_text(&after), shell->after, strlen(shell->after)), 0, "%s",
                 blob_text(&after));
    if (!strstr(shell->after, "weir: "))
        cr_expect_str_eq(blob_text(&after), shell->after);
    blob_release(&after);
    stage_free(stage);
}

Test(file, takes_bodies_larger_than_any_buffer)
{
    enum { SIZE = 3000000 };
    struct stage *stage = stage_new();
    const char *file = scratch_write_text(stage->scratch, "file", "before");
    int fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
    struct blob after = {0};

    cr_assert_geq(fd, 0);
    program_expect(
        program_run((struct run_options){
            .argv = RUN_WEIR(stage_url(stage, "/bytes/3000000?tag=[1-3]")), .output_fd = fd}),
        0, "", "");
    close(fd);
    cr_assert(scratch_read(stage->scratch, "file", &after));
    cr_assert_eq(after.len, 6 + 3 * SIZE);
    for (size_t i = 0; i < 3; i++) {
        const char *target = stage_text(stage, "/bytes/3000000?tag=%zu", i + 1);
        cr_expect_eq(origin_differs(target, after.at + 6 + i * SIZE, SIZE), -1, "%s", target);
    }
    blob_release(&after);
    stage_free(stage);
}

Test(to, makes_its_file_as_the_umask_says)
{
    struct stage *stage = stage_new();
    const char *argv[] = {"sh",
                          "-c",
                          "umask 027; exec \"$0\" --to new \"$1\"",
                          run_weir(),
                          stage_url(stage, "/text/body"),
                          NULL};
    struct stat status;

    program_expect(
        program_run((struct run_options){.argv = argv, .cwd = scratch_dir(stage->scratch)}), 0, "",
        "");
    cr_assert_eq(stat(scratch_path(stage->scratch, "new"), &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0640);
    cr_expect_eq(status.st_size, 5);
    stage_free(stage);
}

Test(to, says_that_it_cannot_before_anything_is_fetched)
{
    struct stage *stage = stage_new();
    const char *file = stage_text(stage, "%s/no/file", scratch_dir(stage->scratch));
    const char *url = stage_url(stage, "/text/a");

    program_expect(program_fetch(RUN_WEIR("--to", file, url), NULL), 4, "", file);
    program_expect(program_fetch(RUN_WEIR("--to", scratch_dir(stage->scratch), url), NULL), 4, "",
                   "Is a directory");
    program_expect(program_fetch(RUN_WEIR("-s", "--to", file, url), NULL), 4, "", file);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

/* By whatever name it goes. */
Test(outputs, are_not_what_the_requests_are_read_from)
{
    static const char *const commands[] = {
        "exec \"$0\" -a list --to list",         "exec \"$0\" -a link --to ./list",
        "exec \"$0\" --to list <list",           "exec \"$0\" -a - --to list <list",
        "exec \"$0\" -a list --report list",     "exec \"$0\" -a list --summary-file list",
        "exec \"$0\" -a none -a link --to list",
    };
    struct stage *stage = stage_new();
    const char *line = stage_url(stage, "/text/body\n");
    struct blob left = {0};

    scratch_write_text(stage->scratch, "list", line);
    cr_assert_eq(link(scratch_path(stage->scratch, "list"), scratch_path(stage->scratch, "link")),
                 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *argv[] = {"sh", "-c", commands[i], run_weir(), NULL};
        program_expect(
            program_run((struct run_options){.argv = argv, .cwd = scratch_dir(stage->scratch)}), 2,
            "", "list is what the requests are read from");
    }
    cr_assert(scratch_read(stage->scratch, "list", &left));
    cr_expect_str_eq(blob_text(&left), line);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    blob_release(&left);
    stage_free(stage);
}

Test(to, may_be_a_device)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/300000");

    program_expect(program_fetch(RUN_WEIR("--to", "/dev/null", url), NULL), 0, "", "");
    program_expect(program_fetch(RUN_WEIR("--to", "/dev/full", url), NULL), 4, "",
                   "/dev/full: No space left on device");
    stage_free(stage);
}

/* Two that write to one file would mix what they write, or cut it off. */
Test(to, is_one_runs_alone)
{
    struct stage *stage = stage_new();
    const char *file = scratch_path(stage->scratch, "file");
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-j1", "--to", file, stage_url(stage, "/text/a"),
                                              stage_url(stage, "/text/b?silent=1&failtimes=1"))});

    cr_expect(origin_wait_requests(stage->origin, 2, patience));
    program_expect(program_fetch(RUN_WEIR("--to", file, stage_url(stage, "/text/c")), NULL), 2, "",
                   stage_text(stage, "--to: %s is in use by process %d\n", file, run_pid(run)));
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    run_signal(run, SIGTERM);
    program_expect(program_end(run), 128 + SIGTERM, "", NULL);
    stage_expect_file(stage, "file", "a\n");
    program_expect(program_fetch(RUN_WEIR("--to", file, stage_url(stage, "/text/c")), NULL), 0, "",
                   "");
    stage_expect_file(stage, "file", "c\n");
    stage_free(stage);
}

Test(to, may_be_a_fifo_whose_reader_comes_late)
{
    struct stage *stage = stage_new();
    const char *fifo = scratch_path(stage->scratch, "fifo");
    struct blob said = {0};

    cr_assert_eq(mkfifo(fifo, 0600), 0);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("--to", fifo, stage_url(stage, "/text/a"))});
    cr_expect(!run_ended(run, 0.1));
    int fd = open(fifo, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_expect(read_until(fd, &said, "a\n"));
    close(fd);
    program_expect(program_end(run), 0, "", "");
    blob_release(&said);
    stage_free(stage);
}

/* ---- what would garble a terminal ---- */

static void expect_on_terminal(const char *const *argv, int code, const char *out, size_t len,
                               const char *err)
{
    struct channel terminal = make_channel(TERMINAL, false);
    struct blob said = {0};

    struct run_result result =
        program_run((struct run_options){.argv = argv, .output_fd = terminal.theirs});
    while (said.len < len && read_some(terminal.ours, &said, len - said.len))
        ;
    cr_assert_eq(said.len, len);
    cr_expect_eq(memcmp(blob_text(&said), out, len), 0);
    int more = 0;
    cr_expect_eq(ioctl(terminal.ours, FIONREAD, &more), 0);
    cr_expect_eq(more, 0, "and %d bytes more", more);
    program_expect(result, code, "", err);
    close_channel(&terminal);
    blob_release(&said);
}

Test(terminal, is_not_sent_what_is_binary_unless_asked)
{
    struct stage *stage = stage_new();
    const char *binary = stage_url(stage, "/bytes/9?bomb=1");
    const char *text = stage_url(stage, "/text/a");
    static const char zeros[9];

    expect_on_terminal(RUN_WEIR(text, binary, text), 4, "a\na\n", 4,
                       ": output: binary output can mess up your terminal");
    expect_on_terminal(RUN_WEIR("--memory=0", binary), 4, "", 0, ": output: binary");
    expect_on_terminal(RUN_WEIR("-o", "-", binary), 0, zeros, 9, "");
    expect_on_terminal(RUN_WEIR("--to", "-", binary), 0, zeros, 9, "");
    expect_on_terminal(RUN_WEIR("-w", "%{body}", binary), 0, zeros, 9, "");
    expect_on_terminal(RUN_WEIR("--to", scratch_path(stage->scratch, "file"), binary), 0, "", 0,
                       "");
    stage_free(stage);
}

/* ---- outputs that end, or never were ---- */

Test(stdout, that_is_full_ends_the_run)
{
    struct stage *stage = stage_new();
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    program_expect(
        program_run((struct run_options){
            .argv = RUN_WEIR("-j2", "--window", "10", stage_url(stage, "/bytes/9000?tag=[1-5000]")),
            .output_fd = fd}),
        4, "", "weir: cannot write to stdout: No space left on device\n");
    cr_expect_lt(origin_counts(stage->origin).requests, 500);
    close(fd);
    stage_free(stage);
}

Test(stdout, may_be_the_null_device)
{
    struct stage *stage = stage_new();
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    program_expect(
        program_run((struct run_options){
            .argv = RUN_WEIR(stage_url(stage, "/bytes/9000?tag=[1-300]")), .output_fd = fd}),
        0, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 300);
    close(fd);
    stage_free(stage);
}

KINDS(stdout, that_nobody_reads_any_more_ends_the_run_quietly)
{
    struct stage *stage = stage_new();
    struct channel out = make_channel(with->kind, false);
    struct blob said = {0};
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR(stage_url(stage, "/text/[1-100000000]")), .output_fd = out.theirs});

    close(out.theirs);
    cr_expect(read_until(out.ours, &said, "1\n2\n3\n"));
    close(out.ours);
    struct run_result result = program_end(run);
    /* A terminal that is gone sends its own signal, or fails. */
    if (with->kind == TERMINAL) {
        cr_expect_neq(result.code, 0);
        run_result_release(&result);
    } else {
        cr_expect_eq(result.signal, SIGPIPE);
        program_expect(result, 141, "", "");
    }
    cr_expect(origin_wait_open(stage->origin, 0, patience));
    blob_release(&said);
    stage_free(stage);
}

Test(stdout, that_was_never_read_ends_the_run_quietly)
{
    struct stage *stage = stage_new();
    struct channel out = make_channel(PIPE, false);

    close(out.ours);
    program_expect(program_run((struct run_options){.argv = RUN_WEIR(stage_url(stage, "/text/a")),
                                                    .output_fd = out.theirs}),
                   141, "", "");
    close(out.theirs);
    stage_free(stage);
}

Test(stdout, may_be_cut_by_head)
{
    struct stage *stage = stage_new();
    const char *const argv[] = {"sh",
                                "-c",
                                "\"$0\" \"$1\" | head -n 3",
                                run_weir(),
                                stage_url(stage, "/text/[1-100000000]"),
                                NULL};

    program_expect(program_run((struct run_options){.argv = argv}), 0, "1\n2\n3\n", "");
    stage_free(stage);
}

Test(stderr, that_nobody_reads_any_more_is_done_without)
{
    struct stage *stage = stage_new();
    struct channel err = make_channel(PIPE, false);

    close(err.ours);
    program_expect(program_run((struct run_options){
                       .argv = RUN_WEIR("-j1", stage_url(stage, "/text/a?status=404"),
                                        stage_url(stage, "/text/b")),
                       .error_fd = err.theirs}),
                   1, "b\n", "");
    close(err.theirs);
    stage_free(stage);
}

struct closed_case {
    char redirection[24];
    int code;
    char out[8];
};

/* A number that is free at the start becomes a socket, which must never be taken for an output. */
ParameterizedTestParameters(descriptors, may_be_closed_from_the_start)
{
    static struct closed_case cases[] = {
        {"<&-", 1, "a\n"},  {"2>&-", 1, "a\n"},  {"<&- 2>&-", 1, "a\n"},  {">&-", 4, ""},
        {"<&- >&-", 4, ""}, {">&- 2>&-", 4, ""}, {"<&- >&- 2>&-", 4, ""},
    };

    return cr_make_param_array(struct closed_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct closed_case *closed, descriptors, may_be_closed_from_the_start)
{
    struct stage *stage = stage_new();
    const char *script = stage_text(stage, "exec \"$0\" \"$@\" %s", closed->redirection);
    const char *const argv[] = {"sh",
                                "-c",
                                script,
                                run_weir(),
                                "-j1",
                                stage_url(stage, "/text/a"),
                                stage_url(stage, "/nothing"),
                                NULL};

    program_expect(program_run((struct run_options){.argv = argv}), closed->code, closed->out,
                   NULL);
    cr_expect_leq(origin_counts(stage->origin).requests, 2);
    stage_free(stage);
}

Test(stdin, that_is_closed_cannot_be_read)
{
    const char *const argv[] = {"sh", "-c", "exec \"$0\" <&-", run_weir(), NULL};

    program_expect(program_run((struct run_options){.argv = argv}), 4, "", "weir: stdin: ");
}

/* ---- what -s silences ---- */

Test(silent, shows_errors_where_asked)
{
    static const char told[] = "?status=404: http: ";
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?status=404");

    program_expect(program_fetch(RUN_WEIR("-s", url), NULL), 1, "", "");
    program_expect(program_fetch(RUN_WEIR("-sS", url), NULL), 1, "", told);
    program_expect(program_fetch(RUN_WEIR("-S", url), NULL), 1, "", told);
    program_expect(program_fetch(RUN_WEIR("-s", "--show-error", "--fail-fast", url), NULL), 3, "",
                   "weir: halted: ");
    program_expect(program_fetch(RUN_WEIR("-sS", "--no-show-error", url), NULL), 1, "", "");
    program_expect(program_fetch(RUN_WEIR("-sS", "--progress=plain", "--retry=0",
                                          stage_url(stage, "/text/a?delay=1.3")),
                                 NULL),
                   0, "a\n", "");
    stage_free(stage);
}

Test(format_none, does_not_silence_failures)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?status=404");

    program_expect(program_fetch(RUN_WEIR("--format=none", url), NULL), 1, "",
                   "?status=404: http: ");
    stage_free(stage);
}
