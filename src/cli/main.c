#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/options.h"
#include "core/engine.h"
#include "deliver/journal.h"
#include "fetch/xfer.h"

static int fail(const struct buf *err)
{
    struct buf shown;

    buf_init(&shown);
    text_add_escaped(&shown, err->data, err->len);
    fprintf(stderr, "weir: %s\n", shown.data);
    buf_release(&shown);
    return EXIT_USAGE;
}

static int finish_stdout(void)
{
    return fflush(stdout) == 0 ? EXIT_ALL_OK : EXIT_LOCAL_TROUBLE;
}

static int show_help(const struct options *options, struct buf *err)
{
    struct buf text;
    int result;

    buf_init(&text);
    result = options_help(options->help_topic, &text, err);
    if (!result)
        fputs(text.data, stdout);
    buf_release(&text);
    return result ? fail(err) : finish_stdout();
}

static int show_version(void)
{
    struct buf features;

    buf_init(&features);
    xfer_add_features(&features);
    printf("weir " WEIR_VERSION " (%s)\nFeatures: %s\n", xfer_library(), features.data);
    buf_release(&features);
    return finish_stdout();
}

/* Ends as a program does that the signal ended: a shell's loop stops then, too. Where it is
 * blocked, the status at least says so. */
static int die_by(int number)
{
    signal(number, SIG_DFL);
    raise(number);
    return 128 + number;
}

static int fetch(const struct options *options, struct buf *err)
{
    struct engine *engine = NULL;
    int status;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* too large a file is an error of writing, like a full disk */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    status = engine_new(options, &engine, err);
    if (status) {
        fail(err);
    } else {
        status = engine_run(engine);
        int number = engine_lost_its_reader(engine) ? SIGPIPE : engine_signal(engine);
        engine_free(engine);
        if (number)
            status = die_by(number);
    }
    curl_global_cleanup();
    return status;
}

static int compact(const struct options *options, struct buf *err)
{
    int result = -EINVAL;

    if (options->journal)
        result = journal_compact(options->journal, err);
    else
        buf_setf(err, "--compact: needs --journal");
    if (!result)
        return EXIT_ALL_OK;
    fail(err);
    return result == -EINVAL ? EXIT_USAGE : EXIT_LOCAL_TROUBLE;
}

/* A dropped header would frame the message otherwise than weir does. */
static void tell_dropped_headers(const struct options *options)
{
    const struct strings *names = &options->dropped_headers;

    if (!names->len || options->silent)
        return;
    fputs("weir: --header: weir itself writes ", stderr);
    for (size_t i = 0; i < names->len; i++)
        fprintf(stderr, "%s%s", i ? ", " : "", names->at[i]);
    fputs("; the given one is dropped\n", stderr);
}

static int run(struct options *options, int argc, char **argv, struct buf *err)
{
    if (options_parse(options, argc, argv, err))
        return fail(err);
    if (options->help)
        return show_help(options, err);
    if (options->version)
        return show_version();
    if (options->compact)
        return compact(options, err);
    if (!options->input.urls.len && !options->input.files.len && isatty(STDIN_FILENO)) {
        buf_setf(err, "no URL; give some, or a list with -a FILE, or on stdin (weir --help)");
        return fail(err);
    }
    tell_dropped_headers(options);
    return fetch(options, err);
}

/* A number that is closed would be the next socket's, and that be written to as if it were stdout.
 * What takes its place fails as the closed one would. */
static void hold_closed_descriptors(void)
{
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        if (fcntl(number, F_GETFD) < 0)
            (void)!open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int main(int argc, char **argv)
{
    struct options options;
    struct buf err;

    hold_closed_descriptors();
    setlocale(LC_ALL, "");
    buf_init(&err);
    options_init(&options);
    int status = run(&options, argc, argv, &err);
    options_release(&options);
    buf_release(&err);
    return status;
}
