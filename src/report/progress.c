#include "report/progress.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/amount.h"
#include "base/buf.h"
#include "base/columns.h"
#include "base/reason.h"
#include "base/text.h"

enum { BAR_MIN = 10, BAR_MAX = 30, BAR_STEP = 5, WORDS_MAX = 200 };

#define RED "\033[31m"
#define DIM "\033[2m"
#define OFF "\033[m"

/* What the first line is made of, as it stands there. */
enum piece {
    PIECE_COUNT,
    PIECE_PERCENT,
    PIECE_FLIGHT,
    PIECE_RATE,
    PIECE_BYTES,
    PIECE_TIME,
    PIECES
};

/* Where there is no room for all, these go first. */
static const enum piece dispensable[] = {PIECE_BYTES, PIECE_RATE, PIECE_FLIGHT, PIECE_TIME,
                                         PIECE_PERCENT};

/* ---- rates ---- */

static void add_sample(struct progress *progress, double at, uint64_t done, uint64_t bytes)
{
    progress->samples[progress->next] =
        (struct progress_sample){.at = at, .done = done, .bytes = bytes};
    progress->next = (progress->next + 1) % PROGRESS_SAMPLES;
    progress->n_samples = MIN(progress->n_samples + 1, (size_t)PROGRESS_SAMPLES);
}

/* The last but `back`. */
static const struct progress_sample *sample_at(const struct progress *progress, size_t back)
{
    return &progress->samples[(progress->next + PROGRESS_SAMPLES - 1 - back) % PROGRESS_SAMPLES];
}

void progress_init(struct progress *progress, double now)
{
    *progress = (struct progress){0};
    add_sample(progress, now, 0, 0);
}

void progress_note(struct progress *progress, const struct progress_view *view)
{
    if (view->now - sample_at(progress, 0)->at >= PROGRESS_STEP)
        add_sample(progress, view->now, view->done - view->before, view->bytes);
}

/* The oldest moment since then; the last one before `now` where there is none. */
static const struct progress_sample *sample_since(const struct progress *progress, double since,
                                                  double now)
{
    size_t last = progress->n_samples > 1 && sample_at(progress, 0)->at >= now;
    const struct progress_sample *found = sample_at(progress, last);

    for (size_t back = last + 1; back < progress->n_samples; back++) {
        if (sample_at(progress, back)->at < since)
            break;
        found = sample_at(progress, back);
    }
    return found;
}

struct speed {
    double requests, bytes; /* a second */
};

static struct speed speed_of(const struct progress *progress, const struct progress_view *view,
                             double span)
{
    const struct progress_sample *from = sample_since(progress, view->now - span, view->now);
    double seconds = view->now - from->at;

    if (seconds <= 0)
        return (struct speed){0};
    return (struct speed){
        .requests = ((double)(view->done - view->before) - (double)from->done) / seconds,
        .bytes = ((double)view->bytes - (double)from->bytes) / seconds,
    };
}

/* Seconds; INFINITY where nobody knows. */
static double time_left(const struct progress *progress, const struct progress_view *view)
{
    double speed = speed_of(progress, view, PROGRESS_LEFT_SPAN).requests;

    if (!view->total || view->done >= view->total || speed <= 0)
        return INFINITY;
    if ((view->wait.reason == WAIT_GATE || view->wait.reason == WAIT_PAUSED) && !view->in_flight)
        return INFINITY; /* what was done before tells nothing */
    return (double)(view->total - view->done) / speed;
}

/* Never a hundred before all are done. */
static unsigned percent_of(const struct progress_view *view)
{
    return (unsigned)(100.0 * (double)MIN(view->done, view->total) / (double)view->total);
}

/* ---- words ---- */

static void add_time_of_day(double wall, struct buf *out)
{
    time_t when = (time_t)ceil(wall);
    struct tm parts;
    char text[32];

    if (localtime_r(&when, &parts) && strftime(text, sizeof text, "%H:%M:%S", &parts))
        buf_add_text(out, text);
}

static void add_escaped(const char *text, struct buf *out)
{
    struct buf cut;

    buf_init(&cut);
    if (text)
        text_add_valid(&cut, text, strlen(text), WORDS_MAX);
    text_add_escaped(out, cut.data, cut.len);
    buf_release(&cut);
}

static void add_behind(const char *what, const struct wait *wait, struct buf *out)
{
    buf_addf(out, "waiting: %s behind #%llu ", what, (unsigned long long)wait->seq);
    add_escaped(wait->words, out);
}

static void add_wait(const struct wait *wait, struct buf *out)
{
    switch (wait->reason) {
    case WAIT_NOTHING: break;
    case WAIT_ENDING:
        buf_add_text(out, "ending: ");
        add_escaped(wait->words, out);
        break;
    case WAIT_RATE: buf_add_text(out, "waiting: rate limit"); break;
    case WAIT_HOST_RATE:
        buf_add_text(out, "waiting: rate limit of ");
        add_escaped(wait->words, out);
        break;
    case WAIT_GATE:
        buf_add_text(out, "waiting: gate closed until ");
        add_time_of_day(wait->until, out);
        buf_add_text(out, " at ");
        add_escaped(wait->words, out);
        break;
    case WAIT_PAUSED:
        buf_add_text(out, "waiting: no connection to ");
        add_escaped(wait->words, out);
        break;
    case WAIT_HOST_FULL: buf_add_text(out, "waiting: host limit"); break;
    case WAIT_LOOKUP: buf_add_text(out, "waiting: name lookups"); break;
    case WAIT_READER: buf_add_text(out, "waiting: reader slow"); break;
    case WAIT_WINDOW: add_behind("window full", wait, out); break;
    case WAIT_MEMORY: add_behind("no room for bodies", wait, out); break;
    case WAIT_DESCRIPTOR: buf_add_text(out, "waiting: too many open files"); break;
    case WAIT_RETRY:
        buf_add_text(out, "waiting: next retry in ");
        amount_add_wait(wait->seconds, out);
        break;
    case WAIT_INPUT: buf_add_text(out, "waiting: input"); break;
    }
}

static uint64_t failures_of(const struct progress_view *view)
{
    uint64_t failed = 0;

    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++)
        failed += view->reasons[reason];
    return failed;
}

/* `2 http, 1 timeout`. */
static void add_reasons(const struct progress_view *view, struct buf *out)
{
    const char *between = "";

    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++) {
        if (!view->reasons[reason])
            continue;
        buf_addf(out, "%s%llu %s", between, (unsigned long long)view->reasons[reason],
                 reason_name(reason));
        between = ", ";
    }
}

static void add_bytes_rate(double rate, struct buf *out)
{
    amount_add_bytes(rate, out);
    buf_add_text(out, "/s");
}

/* ---- lines ---- */

struct drawing {
    const struct progress_style *style;
    struct progress_line *line;
};

static size_t room_in(const struct drawing *drawing)
{
    size_t width = drawing->style->width;

    return width - MIN(drawing->line->columns, width);
}

/* Where the locale has no other characters than those. */
static void add_ascii(const char *text, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte & 0xC0) != 0x80)
            buf_add_char(out, byte < 0x80 ? text[i] : '?');
    }
}

/* As much as there is room for. */
static void put(struct drawing *drawing, const char *text, const char *color)
{
    size_t columns;
    size_t len = columns_fit(text, strlen(text), room_in(drawing), &columns);
    bool has_color = drawing->style->color && color && len;

    if (has_color)
        buf_add_text(drawing->line->text, color);
    if (drawing->style->utf8)
        buf_add(drawing->line->text, text, len);
    else
        add_ascii(text, len, drawing->line->text);
    if (has_color)
        buf_add_text(drawing->line->text, OFF);
    drawing->line->columns += columns;
}

/* With a gap before it, unless it is the first. */
static void put_apart(struct drawing *drawing, const char *text, const char *color)
{
    if (!*text)
        return;
    if (drawing->line->columns)
        put(drawing, "  ", NULL);
    put(drawing, text, color);
}

static void make_pieces(const struct progress *progress, const struct progress_view *view,
                        struct buf pieces[PIECES])
{
    struct speed speed = speed_of(progress, view, PROGRESS_RATE_SPAN);
    double left = time_left(progress, view);

    buf_addf(&pieces[PIECE_COUNT], "%llu", (unsigned long long)view->done);
    if (view->total) {
        buf_addf(&pieces[PIECE_COUNT], "/%llu", (unsigned long long)view->total);
        buf_addf(&pieces[PIECE_PERCENT], "%u%%", percent_of(view));
    } else {
        buf_add_text(&pieces[PIECE_COUNT], " done");
    }
    buf_addf(&pieces[PIECE_FLIGHT], "%u of %u in flight", view->in_flight, view->jobs);
    amount_add_rate(speed.requests, &pieces[PIECE_RATE]);
    add_bytes_rate(speed.bytes, &pieces[PIECE_BYTES]);
    amount_add_wait(left < INFINITY ? left : view->now - view->begun_at, &pieces[PIECE_TIME]);
    if (left < INFINITY)
        buf_add_text(&pieces[PIECE_TIME], " left");
}

/* How wide they are together, with the gaps. */
static size_t width_of(const struct buf pieces[PIECES])
{
    size_t width = 0;

    for (size_t i = 0; i < PIECES; i++)
        width += pieces[i].len ? pieces[i].len + (width ? 2 : 0) : 0;
    return width;
}

static void drop_pieces(struct buf pieces[PIECES], size_t width)
{
    for (size_t i = 0; i < ARRAY_LEN(dispensable) && width_of(pieces) > width; i++)
        buf_clear(&pieces[dispensable[i]]);
}

/* As long as there is room, if that is enough to be of use; in steps, since the numbers behind it
 * grow and shrink. */
static void put_bar(struct drawing *drawing, const struct progress_view *view, size_t room)
{
    const char *full = drawing->style->utf8 ? "\xE2\x94\x81" : "#";
    size_t len = MIN((room - MIN(room, 4)) / BAR_STEP * BAR_STEP, BAR_MAX);
    struct buf bar;

    if (!view->total || len < BAR_MIN)
        return;
    size_t done =
        (size_t)((double)len * (double)MIN(view->done, view->total) / (double)view->total);
    buf_init(&bar);
    buf_add_char(&bar, '[');
    for (size_t i = 0; i < len; i++)
        buf_add_text(&bar, i < done ? full : " ");
    buf_add_char(&bar, ']');
    put_apart(drawing, bar.data, NULL);
    buf_release(&bar);
}

static void draw_first(const struct progress *progress, const struct progress_view *view,
                       struct drawing *drawing)
{
    struct buf pieces[PIECES];

    for (size_t i = 0; i < PIECES; i++)
        buf_init(&pieces[i]);
    make_pieces(progress, view, pieces);
    drop_pieces(pieces, drawing->style->width);
    size_t taken = width_of(pieces);
    for (size_t i = 0; i < PIECES; i++) {
        put_apart(drawing, pieces[i].data, NULL);
        if (i == PIECE_PERCENT)
            put_bar(drawing, view, drawing->style->width - MIN(taken, drawing->style->width));
        buf_release(&pieces[i]);
    }
}

static void draw_second(const struct progress_view *view, struct drawing *drawing)
{
    uint64_t failed = failures_of(view);
    struct buf words;

    buf_init(&words);
    if (failed) {
        buf_addf(&words, "%llu failed: ", (unsigned long long)failed);
        add_reasons(view, &words);
        put_apart(drawing, words.data, RED);
        buf_clear(&words);
    }
    if (view->retries) {
        buf_addf(&words, "%llu retried", (unsigned long long)view->retries);
        put_apart(drawing, words.data, NULL);
        buf_clear(&words);
    }
    add_wait(&view->wait, &words);
    put_apart(drawing, words.data, DIM);
    buf_release(&words);
}

size_t progress_draw(const struct progress *progress, const struct progress_view *view,
                     const struct progress_style *style, struct progress_line lines[PROGRESS_LINES])
{
    for (size_t i = 0; i < PROGRESS_LINES; i++)
        lines[i].columns = 0;
    draw_first(progress, view, &(struct drawing){.style = style, .line = &lines[0]});
    draw_second(view, &(struct drawing){.style = style, .line = &lines[1]});
    return lines[1].columns ? 2 : 1;
}

void progress_tell(const struct progress *progress, const struct progress_view *view,
                   struct buf *out)
{
    struct speed speed = speed_of(progress, view, PROGRESS_RATE_SPAN);
    uint64_t failed = failures_of(view);
    double left = time_left(progress, view);

    buf_addf(out, "weir: %llu", (unsigned long long)view->done);
    if (view->total)
        buf_addf(out, " of %llu done (%u%%)", (unsigned long long)view->total, percent_of(view));
    else
        buf_add_text(out, " done");
    buf_addf(out, ", %llu of them failed", (unsigned long long)failed);
    if (failed) {
        buf_add_text(out, " (");
        add_reasons(view, out);
        buf_add_char(out, ')');
    }
    buf_addf(out, "; %llu retried; %u of %u in flight; ", (unsigned long long)view->retries,
             view->in_flight, view->jobs);
    amount_add_rate(speed.requests, out);
    buf_add_text(out, ", ");
    add_bytes_rate(speed.bytes, out);
    if (left < INFINITY) {
        buf_add_text(out, "; ");
        amount_add_wait(left, out);
        buf_add_text(out, " left");
    }
    buf_add_text(out, view->wait.reason == WAIT_NOTHING ? "" : "; ");
    add_wait(&view->wait, out);
    buf_add_char(out, '\n');
}
