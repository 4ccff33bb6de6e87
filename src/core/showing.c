#include "core/showing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/options.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/writer.h"
#include "fetch/xfer.h"
#include "flow/sched.h"
#include "input/counter.h"
#include "input/source.h"
#include "report/terminal.h"

/* A terminal with fewer rows is left to what is written there. */
enum { ROWS_FOR_TWO = 4 };

/* ---- whether and how ---- */

static bool prints_results(const struct options *options)
{
    bool are_in_files =
        options->format == OPTION_FORMAT_RAW && options->output && !options->output_is_stdout;

    return options->format != OPTION_FORMAT_NONE && !are_in_files;
}

/* What is typed there would stand in what is drawn. */
static bool is_typed_to(const struct options *options)
{
    bool reads_stdin = !options->input.urls.len && !options->input.files.len;

    for (size_t i = 0; i < options->input.files.len; i++)
        reads_stdin |= strcmp(options->input.files.at[i], "-") == 0;
    return reads_stdin && isatty(STDIN_FILENO);
}

static bool is_pipe(int number)
{
    struct stat status;

    return fstat(number, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

/* Where the results go to a terminal they show how it goes. */
static enum showing_mode mode_of(const struct engine *engine)
{
    const struct options *options = engine->options;
    bool can_move = engine->showing.is_terminal && terminal_can_move();

    if (options->silent || engine->plan)
        return SHOWING_NOTHING;
    switch ((enum progress_option)options->progress) {
    case OPTION_PROGRESS_AUTO:
        return can_move && !engine->showing.is_out_there && !engine->showing.is_piped &&
                       !is_typed_to(options)
                   ? SHOWING_BAR
                   : SHOWING_NOTHING;
    case OPTION_PROGRESS_BAR: return can_move ? SHOWING_BAR : SHOWING_LINES;
    case OPTION_PROGRESS_PLAIN: return SHOWING_LINES;
    case OPTION_PROGRESS_NONE: break;
    }
    return SHOWING_NOTHING;
}

/* https://no-color.org: whatever it says, if it says anything. */
static bool wants_color(const struct engine *engine)
{
    const char *no_color = getenv("NO_COLOR");

    switch ((enum color_option)engine->options->color) {
    case OPTION_COLOR_AUTO:
        return engine->showing.is_terminal && terminal_can_move() && !(no_color && *no_color);
    case OPTION_COLOR_ALWAYS: return true;
    case OPTION_COLOR_NEVER: break;
    }
    return false;
}

void engine_begin_showing(struct engine *engine)
{
    struct showing *showing = &engine->showing;

    buf_init(&showing->drawn);
    showing->due = INFINITY;
    flood_init(&showing->flood);
    showing->is_terminal = writer_is_terminal(engine->notes);
    showing->is_piped = is_pipe(STDOUT_FILENO);
    showing->has_color = wants_color(engine);
    showing->is_utf8 = terminal_is_utf8();
    showing->is_out_there = prints_results(engine->options) && writer_is_terminal(engine->out);
    showing->mode = mode_of(engine);
    if (showing->mode == SHOWING_NOTHING)
        return;
    progress_init(&showing->progress, engine->begun_at);
    showing->counter = counter_new(&engine->options->input);
    showing->due = engine->begun_at + (showing->mode == SHOWING_BAR ? SHOWING_FIRST : PLAIN_FIRST);
}

bool engine_has_color(const struct engine *engine)
{
    return engine->showing.has_color;
}

/* ---- the run at one moment ---- */

static struct wait behind_awaited(const struct engine *engine, enum wait_reason reason)
{
    const struct task *awaited = window_awaited(&engine->window);

    if (!awaited)
        return (struct wait){.reason = WAIT_NOTHING};
    return (struct wait){
        .reason = reason, .seq = awaited->request.seq, .words = awaited->request.url};
}

static struct wait wait_for_host(const struct engine *engine, double now)
{
    struct sched_why why = sched_why(engine->sched, now);

    switch (why.hold) {
    case SCHED_EMPTY:
    case SCHED_READY: break;
    case SCHED_RATE: return (struct wait){.reason = WAIT_RATE};
    case SCHED_HOST_RATE: return (struct wait){.reason = WAIT_HOST_RATE, .words = why.host};
    case SCHED_GATE:
        return (struct wait){
            .reason = WAIT_GATE, .words = why.host, .until = clock_wall() + why.until - now};
    case SCHED_PAUSED: return (struct wait){.reason = WAIT_PAUSED, .words = why.host};
    case SCHED_LOOKUP: return (struct wait){.reason = WAIT_LOOKUP};
    case SCHED_HOST_FULL: return (struct wait){.reason = WAIT_HOST_FULL};
    }
    return (struct wait){.reason = WAIT_NOTHING};
}

static struct wait wait_for_more(const struct engine *engine, double now)
{
    const struct heap_node *node = heap_peek(&engine->waiting);

    if (!window_has_slot(&engine->window) && engine->window.order == ORDER_INPUT)
        return behind_awaited(engine, WAIT_WINDOW);
    if (node && node->due < INFINITY)
        return (struct wait){.reason = WAIT_RETRY, .seconds = node->due - now};
    return (struct wait){.reason = engine->source_ended ? WAIT_NOTHING : WAIT_INPUT};
}

static bool is_reader_slow(const struct engine *engine)
{
    bool is_due = engine->over || window_due(&engine->window);

    return writer_is_blocked(engine->out) && (is_due || engine->window.alive == 0);
}

/* What is nearest to the end of the house comes first: it is what holds back the rest. */
static struct wait wait_of(const struct engine *engine, double now)
{
    if (engine->stopped || engine->is_draining)
        return (struct wait){.reason = WAIT_ENDING,
                             .words = engine->halted_by ? engine->halted_by : "an output failed"};
    if (!semaphore_is_free(&engine->permits))
        return (struct wait){.reason = WAIT_NOTHING};
    if (engine->descriptors_are_out)
        return (struct wait){.reason = WAIT_DESCRIPTOR};
    if (is_reader_slow(engine))
        return (struct wait){.reason = WAIT_READER};
    if (engine->store.pressed)
        return behind_awaited(engine, WAIT_MEMORY);
    struct wait wait = wait_for_host(engine, now);
    return wait.reason == WAIT_NOTHING ? wait_for_more(engine, now) : wait;
}

/* 0: it is not known. What was read tells more than what was counted, as a file may grow. */
static uint64_t total_of(const struct engine *engine)
{
    uint64_t total = 0;

    if (engine->source_ended && !engine->is_draining && !engine->stopped)
        return engine->seq;
    if (!engine->showing.counter || !counter_knows(engine->showing.counter, &total))
        return 0;
    return total >= engine->seq ? total : 0;
}

static struct progress_view view_of(const struct engine *engine, double now)
{
    const struct stats *stats = &engine->summary.stats;

    return (struct progress_view){
        .now = now,
        .begun_at = engine->begun_at,
        .done = stats->done_before + engine->tally.succeeded + engine->tally.failed +
                stats->reasons[REASON_CANCELLED],
        .before = stats->done_before,
        .total = total_of(engine),
        .bytes = xfer_received(engine->xfer),
        .retries = stats->retries,
        .reasons = stats->reasons,
        .in_flight = engine->permits.held,
        .jobs = engine->permits.limit,
        .wait = wait_of(engine, now),
    };
}

/* ---- the terminal ---- */

static void put(struct engine *engine, const struct buf *text)
{
    size_t room;
    char *to = writer_reserve(engine->notes, &room);

    if (text->len > room)
        return;
    memcpy(to, text->data, text->len);
    writer_commit(engine->notes, text->len);
}

void engine_hide(struct engine *engine)
{
    struct showing *showing = &engine->showing;
    struct buf erasing;

    if (!showing->screen.n_lines)
        return;
    buf_init(&erasing);
    screen_erase(&showing->screen, terminal_size(writer_number(engine->notes)).columns, &erasing);
    put(engine, &erasing);
    buf_release(&erasing);
}

static void draw_lines(struct engine *engine, const struct progress_view *view,
                       struct terminal_size size, struct buf *out)
{
    struct showing *showing = &engine->showing;
    struct progress_style style = {
        .width = size.columns - 1, .color = showing->has_color, .utf8 = showing->is_utf8};
    struct buf texts[PROGRESS_LINES];
    struct progress_line lines[PROGRESS_LINES];

    for (size_t i = 0; i < PROGRESS_LINES; i++) {
        buf_init(&texts[i]);
        lines[i].text = &texts[i];
    }
    size_t len = progress_draw(&showing->progress, view, &style, lines);
    showing->had_two_lines |= len > 1;
    if (showing->had_two_lines)
        len = size.rows < ROWS_FOR_TWO ? 1 : 2;
    screen_begin(&showing->screen, size.columns, out);
    for (size_t i = 0; i < len; i++)
        screen_add_line(&showing->screen, texts[i].data, lines[i].columns, out);
    screen_end(&showing->screen, out);
    for (size_t i = 0; i < PROGRESS_LINES; i++)
        buf_release(&texts[i]);
}

/* What would be drawn over itself is not drawn; what a terminal has not taken yet is not drawn
 * over, or one that takes nothing would in the end have us wait. */
static void draw(struct engine *engine, const struct progress_view *view)
{
    struct showing *showing = &engine->showing;
    int number = writer_number(engine->notes);
    bool stands = showing->screen.n_lines > 0;
    struct buf drawing;

    if ((stands && writer_is_blocked(engine->notes)) || !terminal_is_ours(number))
        return;
    buf_init(&drawing);
    draw_lines(engine, view, terminal_size(number), &drawing);
    if (!stands || drawing.len != showing->drawn.len ||
        memcmp(drawing.data, showing->drawn.data, drawing.len) != 0)
        put(engine, &drawing);
    buf_clear(&showing->drawn);
    buf_add(&showing->drawn, drawing.data, drawing.len);
    buf_release(&drawing);
}

static void tell(struct engine *engine, const struct progress_view *view)
{
    struct buf line;

    buf_init(&line);
    progress_tell(&engine->showing.progress, view, &line);
    engine_note(engine, &line);
    buf_release(&line);
}

/* Notes go out, whether something is due or not: it stands behind them again. */
static bool must_stand_again(const struct engine *engine, double now)
{
    const struct showing *showing = &engine->showing;

    return showing->mode == SHOWING_BAR && showing->shown_at > 0 && !showing->screen.n_lines &&
           !writer_is_empty(engine->notes) && !engine_holds_notes(engine, now);
}

void engine_show(struct engine *engine, double now)
{
    struct showing *showing = &engine->showing;

    if (now < showing->due && !must_stand_again(engine, now))
        return;
    showing->shown_at = now;
    showing->due = now + (showing->mode == SHOWING_BAR ? SHOWING_EACH : PLAIN_EACH);
    if (!showing->is_counting && !engine->source_ended)
        counter_start(showing->counter);
    showing->is_counting = true;
    struct progress_view view = view_of(engine, now);
    progress_note(&showing->progress, &view);
    if (engine->notes_failed)
        showing->due = INFINITY;
    else if (showing->mode == SHOWING_BAR)
        draw(engine, &view);
    else
        tell(engine, &view);
}

/* The end of the run is not to wait for it. */
bool engine_holds_notes(const struct engine *engine, double now)
{
    const struct showing *showing = &engine->showing;

    return showing->mode == SHOWING_BAR && showing->shown_at > 0 && now > showing->shown_at &&
           now < showing->due && engine->window.alive > 0 &&
           writer_held(engine->notes) < NOTES_BYTES / 2 && !engine->stopped;
}

void engine_show_anew(struct engine *engine, double now)
{
    struct showing *showing = &engine->showing;

    screen_forget(&showing->screen);
    if (showing->mode == SHOWING_BAR)
        showing->due = fmin(showing->due, now);
}

void engine_end_showing(struct engine *engine)
{
    struct showing *showing = &engine->showing;

    if (!engine->notes_failed)
        engine_hide(engine);
    showing->mode = SHOWING_NOTHING;
    showing->due = INFINITY;
    counter_free(showing->counter);
    showing->counter = NULL;
    buf_release(&showing->drawn);
}
