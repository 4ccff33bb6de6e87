#include "report/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/result.h"
#include "cli/options.h"
#include "report/finished.h"
#include "report/page_parts.h"
#include "report/summary.h"

struct page *page_new(double now, double wall)
{
    struct page *page = xcalloc(1, sizeof *page);

    page->begun_at = now;
    page->begun_wall = wall;
    timeline_init(&page->timeline, now);
    return page;
}

void page_free(struct page *page)
{
    if (!page)
        return;
    samples_release(&page->samples);
    busiest_release(&page->hosts);
    for (size_t reason = 0; reason < REASON_COUNT; reason++) {
        for (size_t i = 0; i < PAGE_EXAMPLES; i++) {
            free(page->examples[reason][i].url);
            free(page->examples[reason][i].message);
        }
    }
    free(page);
}

/* ---- while the run goes on ---- */

static char *line_of(const struct finished *over)
{
    struct buf out;

    buf_init(&out);
    page_add_line(&out, over->url);
    return buf_take(&out);
}

static char *message_of(const struct finished *over)
{
    struct buf out;

    buf_init(&out);
    page_add_text(&out, over->result->message ? over->result->message : "");
    return buf_take(&out);
}

static void note_example(struct page *page, const struct finished *over)
{
    struct page_example *example = page->examples[over->result->reason];

    for (size_t i = 0; i < PAGE_EXAMPLES; i++) {
        if (example[i].url)
            continue;
        example[i] = (struct page_example){
            .seq = over->seq, .url = line_of(over), .message = message_of(over)};
        return;
    }
}

/* What was cancelled as it ran has the facts of a transfer before it, if any. */
static void fill_phases(struct sample *sample, const struct finished *over)
{
    const struct facts *facts = over->result->facts;
    enum reason reason = over->result->reason;

    if (!facts || reason == REASON_HALTED || reason == REASON_CANCELLED)
        return;
    sample->connected = fmax(0, fmax(facts->connect, facts->appconnect) - facts->before);
    sample->answered = fmax(0, facts->starttransfer - facts->before);
    sample->received = fmax(0, facts->total - facts->before);
}

static void note_sample(struct page *page, const struct finished *over)
{
    struct sample *sample = samples_add(&page->samples, over->seq);
    double zero = page->begun_at;

    if (!sample)
        return;
    sample->reason = over->result->reason;
    sample->http_code = over->result->http_code;
    sample->attempts = over->result->attempts;
    sample->hops = (unsigned)over->result->n_passed;
    sample->bytes = over->result->body_bytes;
    sample->born = fmax(0, over->born_at - zero);
    sample->done = fmax(sample->born, over->done_at - zero);
    if (over->first_started_at > 0) {
        sample->first_start = fmax(sample->born, over->first_started_at - zero);
        sample->last_start = fmax(sample->first_start, over->started_at - zero);
        fill_phases(sample, over);
        /* Within one turn of the loop the time stands still. */
        sample->done = fmax(sample->done, sample->last_start + sample->received);
    }
    sample->url = line_of(over);
}

void page_note(struct page *page, const struct finished *over)
{
    const struct result *result = over->result;

    timeline_note_done(&page->timeline, result->reason, over->done_at);
    if (over->host)
        busiest_note(&page->hosts, over->host, result);
    if (result->facts && result->http_code)
        spread_add(result->reason == REASON_OK ? &page->good : &page->bad, result->facts->total);
    if (result->reason != REASON_OK)
        note_example(page, over);
    note_sample(page, over);
}

/* ---- as JSON ---- */

static void add_count(struct buf *out, const char *before, uint64_t number)
{
    buf_add_text(out, before);
    buf_add_number(out, number, 1);
}

/* In whole microseconds. */
static void add_us(struct buf *out, const char *before, double seconds)
{
    add_count(out, before, (uint64_t)llround(fmax(0, seconds) * 1e6));
}

static void add_quoted(struct buf *out, const char *before, const char *text)
{
    buf_add_text(out, before);
    buf_add_char(out, '"');
    page_add_text(out, text);
    buf_add_char(out, '"');
}

/* A text that was made fit before. */
static void add_ready(struct buf *out, const char *before, const char *ready)
{
    buf_add_text(out, before);
    buf_add_char(out, '"');
    buf_add_text(out, ready);
    buf_add_char(out, '"');
}

static void add_totals(const struct page *page, const struct summary *summary, struct buf *out)
{
    const struct stats *stats = &summary->stats;

    add_quoted(out, "{\"version\":", WEIR_VERSION);
    add_us(out, ",\"begun\":", page->begun_wall);
    add_us(out, ",\"wall\":", summary->wall);
    add_quoted(out, ",\"ended\":", summary->ended);
    add_count(out, ",\"requests\":", stats->results);
    add_count(out, ",\"ok\":", stats->reasons[REASON_OK]);
    add_count(out, ",\"failed\":", stats_failed(stats));
    add_count(out, ",\"done_before\":", stats->done_before);
    add_count(out, ",\"starts\":", stats->starts);
    add_count(out, ",\"retries\":", stats->retries);
    add_count(out, ",\"bytes\":", stats->body_bytes);
    add_count(out, ",\"peak\":", stats->peak_in_flight);
}

static void add_rate(struct buf *out, const char *name, double interval)
{
    if (interval > 0)
        buf_addf(out, ",[\"%s\",\"%.6g/s\"]", name, 1 / interval);
}

static void add_setting(struct buf *out, const char *name, uint64_t number)
{
    buf_addf(out, ",[\"%s\",\"%llu\"]", name, (unsigned long long)number);
}

/* How the run was to flow; nothing of what was asked of whom. */
static void add_settings(const struct options *options, struct buf *out)
{
    buf_add_text(out, ",\"rate\":");
    buf_add_seconds(out, options->rate > 0 ? 1 / options->rate : 0);
    buf_addf(out, ",\"settings\":[[\"--jobs\",\"%u\"]", options->jobs);
    if (options->per_host)
        add_setting(out, "--per-host", options->per_host);
    add_rate(out, "--rate", options->rate);
    add_rate(out, "--host-rate", options->host_rate);
    if (options->rate > 0 || options->host_rate > 0)
        add_setting(out, "--burst", options->burst);
    add_setting(out, "--retry", options->retry);
    add_setting(out, "--host-errors", options->host_errors);
    add_setting(out, "--window", options->window);
    if (options->adaptive)
        buf_add_text(out, ",[\"--adaptive\",\"\"]");
    if (options->order == OPTION_ORDER_COMPLETION)
        buf_add_text(out, ",[\"--order\",\"completion\"]");
    buf_add_char(out, ']');
}

static void add_reasons(const struct stats *stats, struct buf *out)
{
    buf_add_text(out, ",\"reasons\":[");
    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        add_ready(out, reason ? ",[" : "[", reason_name(reason));
        add_count(out, ",", stats->reasons[reason]);
        buf_add_char(out, ']');
    }
    buf_add_char(out, ']');
}

static void add_times(const char *before, const struct histogram *histogram, struct buf *out)
{
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};

    add_count(out, before, histogram->count);
    for (size_t i = 0; i < ARRAY_LEN(shares); i++)
        add_us(out, ",", histogram_at(histogram, shares[i]));
    add_us(out, ",", histogram->max);
    buf_add_char(out, ']');
}

static void add_timeline(const struct timeline *timeline, struct buf *out)
{
    add_us(out, ",\"timeline\":{\"width\":", timeline->width);
    buf_add_text(out, ",\"bins\":[");
    for (size_t i = 0; i < timeline->n_bins; i++) {
        const struct timeline_bin *bin = &timeline->bins[i];
        add_count(out, i ? ",[" : "[", bin->starts);
        add_count(out, ",", bin->ok);
        add_count(out, ",", bin->failed);
        add_count(out, ",", bin->undone);
        add_us(out, ",", bin->busy);
        add_count(out, ",", bin->peak);
        add_count(out, ",", bin->limit);
        buf_add_char(out, ']');
    }
    buf_add_text(out, "]}");
}

static void add_spread(const struct page *page, struct buf *out)
{
    const char *before = "[";

    buf_add_text(out, ",\"spread\":[");
    for (size_t i = 0; i < SPREAD_LEN; i++) {
        if (!page->good.counts[i] && !page->bad.counts[i])
            continue;
        add_count(out, before, i);
        add_count(out, ",", page->good.counts[i]);
        add_count(out, ",", page->bad.counts[i]);
        buf_add_char(out, ']');
        before = ",[";
    }
    buf_add_char(out, ']');
}

static void add_hosts(const struct busiest *hosts, struct buf *out)
{
    size_t order[BUSIEST_MAX];
    size_t len = top_k_order(hosts->top.weights, hosts->top.len, order, BUSIEST_MAX);

    add_count(out, ",\"turned_out\":", hosts->top.turned_out);
    buf_add_text(out, ",\"hosts\":[");
    for (size_t i = 0; i < len; i++) {
        const struct busy_host *host = &hosts->hosts[order[i]];
        add_quoted(out, i ? ",[" : "[", host->name);
        add_count(out, ",", host->ok);
        add_count(out, ",", host->failed);
        add_count(out, ",", host->retried);
        add_count(out, ",", host->bytes);
        add_us(out, ",", spread_at(&host->totals, 0.5));
        add_us(out, ",", spread_at(&host->totals, 0.95));
        add_us(out, ",", host->totals.max);
        add_count(out, ",", host->missed);
        buf_add_char(out, ']');
    }
    buf_add_char(out, ']');
}

static void add_failures(const struct page *page, struct buf *out)
{
    const char *before = "[";

    buf_add_text(out, ",\"failures\":[");
    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        for (size_t i = 0; i < PAGE_EXAMPLES; i++) {
            const struct page_example *example = &page->examples[reason][i];
            if (!example->url)
                continue;
            add_count(out, before, reason);
            add_count(out, ",", example->seq);
            add_ready(out, ",", example->url);
            add_ready(out, ",", example->message);
            buf_add_char(out, ']');
            before = ",[";
        }
    }
    buf_add_char(out, ']');
}

/* Moments are told from where it was born. */
static void add_sample(const struct sample *sample, struct buf *out)
{
    bool was_started = sample->first_start > 0;

    add_count(out, "[", sample->seq);
    add_count(out, ",", sample->reason);
    add_count(out, ",", (uint64_t)sample->http_code);
    add_count(out, ",", sample->attempts);
    add_count(out, ",", sample->hops);
    add_count(out, ",", sample->bytes);
    add_us(out, ",", sample->born);
    add_us(out, ",", sample->done - sample->born);
    if (was_started) {
        add_us(out, ",", sample->first_start - sample->born);
        add_us(out, ",", sample->last_start - sample->born);
        add_us(out, ",", sample->connected);
        add_us(out, ",", sample->answered);
        add_us(out, ",", sample->received);
    } else {
        buf_add_text(out, ",-1,-1,0,0,0");
    }
    add_ready(out, ",", sample->url);
    buf_add_char(out, ']');
}

static void add_samples(const struct samples *samples, struct buf *out)
{
    add_count(out, ",\"stride\":", samples->stride);
    buf_add_text(out, ",\"samples\":[");
    for (size_t i = 0; i < samples->len; i++) {
        if (i)
            buf_add_text(out, ",\n");
        add_sample(&samples->at[i], out);
    }
    buf_add_char(out, ']');
}

static void add_json(struct page *page, const struct options *options,
                     const struct summary *summary, struct buf *out)
{
    add_totals(page, summary, out);
    add_settings(options, out);
    add_reasons(&summary->stats, out);
    add_times(",\"times\":{\"total\":[", &summary->total, out);
    add_times(",\"starttransfer\":[", &summary->starttransfer, out);
    add_times(",\"queue\":[", &summary->queue, out);
    buf_add_char(out, '}');
    add_timeline(&page->timeline, out);
    add_spread(page, out);
    add_hosts(&page->hosts, out);
    add_failures(page, out);
    add_samples(&page->samples, out);
    buf_add_char(out, '}');
}

/* ---- for who runs no script ---- */

static void add_row(struct buf *out, const char *name, uint64_t number)
{
    buf_addf(out, "<tr><th scope=\"row\">%s</th><td>%llu</td></tr>\n", name,
             (unsigned long long)number);
}

static void add_plain(const struct summary *summary, struct buf *out)
{
    const struct stats *stats = &summary->stats;

    add_row(out, "requests", stats->results);
    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        if (stats->reasons[reason])
            add_row(out, reason_name(reason), stats->reasons[reason]);
    }
    add_row(out, "retries", stats->retries);
    add_row(out, "bytes of bodies", stats->body_bytes);
    add_row(out, "most in flight", stats->peak_in_flight);
    buf_add_text(out, "<tr><th scope=\"row\">seconds</th><td>");
    buf_add_seconds(out, summary->wall);
    buf_add_text(out, "</td></tr>\n<tr><th scope=\"row\">ended</th><td>");
    page_add_html(out, summary->ended);
    buf_add_text(out, "</td></tr>\n");
}

void page_render(struct page *page, const struct options *options, const struct summary *summary,
                 double now, struct buf *out)
{
    timeline_advance(&page->timeline, now);
    buf_add(out, page_head, page_head_len);
    add_plain(summary, out);
    buf_add(out, page_middle, page_middle_len);
    add_json(page, options, summary, out);
    buf_add(out, page_tail, page_tail_len);
}
