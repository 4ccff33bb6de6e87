#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/chance.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/spool.h"
#include "cli/options.h"
#include "core/cached.h"
#include "core/engine.h"
#include "core/groups.h"
#include "core/jobs_file.h"
#include "core/lasting.h"
#include "core/outputs.h"
#include "core/plan.h"
#include "core/signals.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/cache.h"
#include "deliver/filename.h"
#include "deliver/files.h"
#include "deliver/journal.h"
#include "deliver/syncer.h"
#include "deliver/writer.h"
#include "fetch/xfer.h"
#include "flow/sched.h"
#include "input/source.h"
#include "input/stdin_copy.h"
#include "report/page.h"

/* Descriptors that no transfer may use: the files, three for each lookup, and libcurl's own. */
enum { DESCRIPTORS_KEPT_BACK = 64 + 3 * (LOOKUPS_MAX + LOOKUPS_KEPT) + XFER_DESCRIPTORS };

/* So late after what the loop was to wake for, and the process may have been stopped. */
#define LATE 0.01

/* What came meanwhile, SIGCONT too, is heard before anything is called overdue: libev tells of a
 * signal that ends its sleep only one turn later. */
static bool must_listen_first(struct engine *engine, double now)
{
    bool is_late = now > engine->due + LATE;

    engine->is_listening = is_late && !engine->is_listening;
    return engine->is_listening;
}

static void arm_timer(struct engine *engine, double due)
{
    engine->due = fmax(due, clock_now());
    ev_timer_stop(engine->loop, &engine->timer);
    if (due == INFINITY)
        return;
    ev_now_update(engine->loop);
    ev_timer_set(&engine->timer, fmax(0, due - clock_now()), 0);
    ev_timer_start(engine->loop, &engine->timer);
}

static void on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct engine *engine = CONTAINER_OF(watcher, struct engine, prepare);
    double now = clock_now();

    (void)events;
    if (must_listen_first(engine, now)) {
        arm_timer(engine, engine->due);
        return;
    }
    engine_pump(engine, now);
    if (engine_is_finished(engine))
        ev_break(loop, EVBREAK_ALL);
}

/* Being awake is all that is needed: the pump comes before the next sleep. */
static void on_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

void engine_arm(struct engine *engine, double now)
{
    source_watch(engine->source, engine_wants_more(engine));
    writer_watch(engine->out);
    writer_watch(engine->notes);
    arm_timer(engine, engine_due(engine, now));
}

static const char *spool_directory(const struct options *options)
{
    const char *temporary = getenv("TMPDIR");

    if (options->spool_dir)
        return options->spool_dir;
    return temporary && *temporary ? temporary : "/var/tmp";
}

/* `spooled`: bytes of a payload from stdin, in a file in the spool's directory. */
static void set_rules(struct engine *engine, const struct options *options, uint64_t spooled)
{
    engine->options = options;
    engine->verdicts = (struct verdict_rules){
        .accept = options->accept,
        .redirect = {.follow = options->location,
                     .trusted = options->location_trusted,
                     .max = options->max_redirs,
                     .protocols = options->protocols,
                     .defaults = options_ask(options)},
        .retry = {.max = options->retry,
                  .all_methods = options->retry_all_methods,
                  .on = options->retry_on,
                  .delay = options->retry_delay,
                  .max_delay = options->retry_max_delay,
                  .budget = options->retry_budget},
    };
    retry_init(&engine->retries, chance_seed());
    trace_init(&engine->traces);
    engine->parsing = (struct parse_rules){
        .format = options->input_format,
        .default_scheme = options->proto_default ? options->proto_default : "http",
        .hosts = &engine->hosts,
        .takes_body_file = options->body_dir != NULL,
        .takes_output = options->output || options->output_dir,
    };
    engine->flush_at = INFINITY;
    engine->due = engine->showing.due = INFINITY;
    engine->begun_at = engine->awake_at = clock_now();
    engine->stop_by = INFINITY;
    engine->deadline = options->deadline > 0 ? engine->begun_at + options->deadline : INFINITY;
    heap_init(&engine->waiting);
    rendering_init(&engine->rendering);
    window_init(&engine->window, options->order, (size_t)options->window);
    uint64_t held = options->took_stdin ? options->data.len : 0;
    struct spool *spool = spool_new(spool_directory(options), options->spool_max - spooled);
    /* As much again of its own for the request next in order: all that a body alone could take. */
    spool_set_reserve(spool, options->spool_max + options->memory);
    store_init(&engine->store, spool, options->memory - held);
}

/* A transfer needs a descriptor, one for its file, and one for what it uploads, so there are no more
 * permits than those. With a file of --jobs it is the window that says how many there may come to
 * be. */
static struct xfer_bounds affordable(const struct options *options)
{
    unsigned wanted = options->jobs_file ? (unsigned)MIN(options->window, INT_MAX) : options->jobs;
    unsigned limit = (unsigned)fd_raise_limit();
    unsigned files = (options->output ? 1U : 0U) + (options->upload ? 1U : 0U);
    unsigned room = limit > 2 * DESCRIPTORS_KEPT_BACK ? limit - DESCRIPTORS_KEPT_BACK : limit / 2;
    unsigned jobs = MAX(1, MIN(wanted, room / (1 + files)));

    return (struct xfer_bounds){.at_once = jobs, .connections = room - MIN(room, files * jobs)};
}

static void say_locked(const char *path, struct buf *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    file_say_locked(fd, "to", path, err);
    if (fd >= 0)
        close(fd);
}

static int open_out(struct engine *engine, struct buf *err)
{
    const char *to = engine->options->to;

    if (options_print_to_stdout(engine->options) || engine->options->dry_run) {
        engine->out = writer_new(engine->loop, STDOUT_FILENO, OUT_BYTES);
        return 0;
    }
    int result =
        engine_open_writer(engine, to, engine->lasting.stream_base, OUT_BYTES, &engine->out);
    if (result == -EAGAIN) {
        say_locked(to, err);
        return EXIT_USAGE;
    }
    if (result)
        buf_setf(err, "cannot write %s: %s", to, engine_error_words(result));
    return result ? EXIT_LOCAL_TROUBLE : 0;
}

static bool shuns_binary(const struct engine *engine)
{
    const struct options *options = engine->options;

    return options->format == OPTION_FORMAT_RAW && !options->output_is_stdout &&
           writer_is_terminal(engine->out);
}

static const enum xfer_bodies bodies[] = {
    [FORMAT_NO_BODIES] = XFER_NO_BODIES,
    [FORMAT_BODIES_OF_SUCCESS] = XFER_ACCEPTED_BODIES,
    [FORMAT_ALL_BODIES] = XFER_ALL_BODIES,
};

static struct xfer_wants wants_of(const struct engine *engine)
{
    const struct format *format = engine->format;

    return (struct xfer_wants){.bodies = bodies[format_wants_bodies(format)],
                               .facts = format_wants_facts(format) ||
                                        engine_wants_summary(engine->options) ||
                                        engine->page != NULL,
                               .headers = format_wants_headers(format)};
}

static void begin_output(struct engine *engine)
{
    size_t len = 0, room;
    const char *line = format_header_line(engine->format, &len);
    char *to = writer_reserve(engine->out, &room);

    engine->store.checks_utf8 = format_wants_utf8(engine->format);
    if (!line || engine->lasting.stream_base > 0)
        return;
    len = MIN(len, room);
    memcpy(to, line, len);
    writer_commit(engine->out, len);
}

static struct flow_rules flow_rules_of(const struct options *options, unsigned jobs)
{
    return (struct flow_rules){
        .jobs = jobs,
        .per_host = options->per_host,
        .rate = {.interval = options->rate, .burst = options->burst},
        .host_rate = {.interval = options->host_rate, .burst = options->burst},
        .own = &options->host_limits,
        .errors_max = options->host_errors,
        .probe_wait = options->retry_delay,
        .pause_max = options->host_wait,
        .down_wait = options->host_retry_after,
        .seed = chance_seed(),
        .adaptive = options->adaptive,
        .fan_out_at_once = options->parallel_immediate,
    };
}

static int set_up_io(struct engine *engine, struct buf *err)
{
    struct xfer_bounds bounds = affordable(engine->options);
    unsigned jobs = bounds.at_once;
    int result;

    semaphore_init(&engine->permits, MIN(jobs, engine->options->jobs));
    engine->jobs_max = jobs;
    struct flow_rules rules = flow_rules_of(engine->options, jobs);
    engine->sched = sched_new(&rules);
    if (engine->options->report)
        engine->page = page_new(engine->begun_at, clock_wall());
    if (engine->options->dry_run)
        engine->plan = plan_new(&rules);
    engine->source = source_new(engine->loop, &engine->options->input);
    engine->signals = signals_new(engine->loop);
    if (engine->options->jobs_file)
        engine->jobs_file = jobs_file_new(engine->loop, engine->options->jobs_file);
    engine->notes = writer_new(engine->loop, STDERR_FILENO, NOTES_BYTES);
    if (format_new(engine->options, &engine->format, err))
        return EXIT_USAGE;
    result = engine_open_journal(engine, err);
    if (!result)
        result = engine_open_cache(engine, err);
    if (!result)
        result = engine_open_outputs(engine, err);
    if (result)
        return result;
    result = open_out(engine, err);
    if (result)
        return result;
    engine->shuns_binary = shuns_binary(engine);
    format_set_on_terminal(engine->format, writer_is_terminal(engine->out));
    result = engine_begin_journal(engine, err);
    if (!result)
        result = engine_begin_cache(engine, err);
    if (result)
        return result;
    begin_output(engine);
    engine_begin_showing(engine);
    result = xfer_new(engine->loop, engine->options, wants_of(engine), &engine->store, bounds,
                      &engine->xfer, err);
    if (result == -EMFILE)
        return EXIT_LOCAL_TROUBLE;
    if (result)
        return EXIT_USAGE;
    signals_hear_ends(engine->signals);
    return 0;
}

int engine_new(const struct options *options, struct engine **ret_engine, struct buf *err)
{
    bool uploads_stdin = options->upload && strcmp(options->upload, "-") == 0;
    uint64_t spooled = 0;

    if (uploads_stdin && !options->dry_run &&
        stdin_copy(spool_directory(options), options->spool_max, &spooled, err))
        return EXIT_LOCAL_TROUBLE;
    struct engine *engine = xcalloc(1, sizeof *engine);
    set_rules(engine, options, spooled);
    engine->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (!engine->loop)
        out_of_memory();
    ev_prepare_init(&engine->prepare, on_prepare);
    ev_timer_init(&engine->timer, on_due, 0, 0);
    int result = set_up_io(engine, err);
    if (result) {
        engine_free(engine);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

static void free_tasks(struct engine *engine)
{
    struct task *task;

    engine_stop(engine, clock_now());
    while ((task = window_due(&engine->window)) != NULL) {
        window_remove(&engine->window, task);
        engine_leave_group(engine, task);
        sched_forget(engine->sched, task, clock_now());
        engine_drop_output(task);
        task_free(task, &engine->store);
    }
    if (engine->ahead) {
        engine_drop_url(engine, engine->ahead);
        task_free(engine->ahead, &engine->store);
        engine->ahead = NULL;
    }
    engine_close_group(engine);
    engine_free_groups(engine);
}

/* The transfers go before their watchers' loop: libcurl stops its sockets through it. */
void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    if (engine->xfer)
        free_tasks(engine);
    xfer_free(engine->xfer);
    source_free(engine->source);
    signals_free(engine->signals);
    jobs_file_free(engine->jobs_file);
    if (engine->lasting.syncer)
        (void)!syncer_end(engine->lasting.syncer);
    journal_free(engine->lasting.journal);
    engine_end_showing(engine);
    cache_free(engine->cached.cache);
    free(engine->halted_by);
    format_free(engine->format);
    filename_free(engine->filename);
    files_free(engine->files);
    store_give(&engine->store, engine->rendering.held);
    rendering_release(&engine->rendering);
    sched_free(engine->sched);
    page_free(engine->page);
    plan_free(engine->plan);
    writer_free(engine->out);
    writer_free(engine->notes);
    heap_release(&engine->waiting);
    host_memo_release(&engine->hosts);
    summary_release(&engine->summary);
    store_release(&engine->store);
    ev_loop_destroy(engine->loop);
    free(engine);
}

static int save_cookies_to(struct engine *engine, const char *path, const struct buf *text)
{
    if (strcmp(path, "-") != 0)
        return engine_save(engine, path, 0600, text);
    struct writer *writer = writer_new(engine->loop, STDOUT_FILENO, NOTES_BYTES);
    int result = engine_write_all(engine, writer, text);
    writer_free(writer);
    return result;
}

static void save_cookies(struct engine *engine)
{
    const char *path = engine->options->cookie_jar;
    struct buf text;

    buf_init(&text);
    int result = xfer_cookies(engine->xfer, &text) ? save_cookies_to(engine, path, &text) : 0;
    if (result) {
        buf_setf(&text, "cannot write cookies to %s: %s", strcmp(path, "-") == 0 ? "stdout" : path,
                 engine_error_words(result));
        engine_note_trouble(engine, text.data);
    }
    buf_release(&text);
}

/* The largest that applies; a run that reached what --halt success= or done= waits for did what was
 * asked of it. */
static int exit_status(const struct engine *engine)
{
    if (engine->local_trouble)
        return EXIT_LOCAL_TROUBLE;
    if (engine->halted_by)
        return engine->halt_is_failure ? EXIT_HALTED : EXIT_ALL_OK;
    const struct stats *stats = &engine->summary.stats;
    return stats_failed(stats) || stats->failed_before ? EXIT_SOME_FAILED : EXIT_ALL_OK;
}

/* libev stops the watchers of a descriptor that the kernel will not watch. Where it is the one by
 * which libev wakes itself, ev_run returns at once. */
static void note_broken_loop(struct engine *engine)
{
    if (engine_is_finished(engine) || signals_insist(engine->signals))
        return;
    engine_note_trouble(engine, "the event loop broke: the kernel watches no descriptors for it");
    if (!engine->halted_by)
        engine->halted_by = xstrdup("the event loop broke");
}

int engine_run(struct engine *engine)
{
    ev_prepare_start(engine->loop, &engine->prepare);
    ev_run(engine->loop, 0);
    ev_prepare_stop(engine->loop, &engine->prepare);
    ev_timer_stop(engine->loop, &engine->timer);
    note_broken_loop(engine);
    ev_run(engine->loop, EVRUN_NOWAIT); /* hears a signal that came with the end */
    engine_end_showing(engine);
    if (signals_insist(engine->signals)) {
        (void)!writer_flush(engine->notes);
        engine_flush_cache(engine);
        engine_close_journal(engine);
        return EXIT_HALTED; /* and what is half-made goes away with the engine */
    }
    if (!engine->plan)
        save_cookies(engine);
    engine_close_cache(engine);
    engine_close_journal(engine);
    engine_write_page(engine);
    engine_tell_end(engine);
    return exit_status(engine);
}

int engine_signal(const struct engine *engine)
{
    return signals_ending(engine->signals);
}

bool engine_lost_its_reader(const struct engine *engine)
{
    return engine->out_closed;
}
