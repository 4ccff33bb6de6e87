#include "report/summary.h"

#include <string.h>

#include "base/amount.h"
#include "base/result.h"
#include "base/text.h"
#include "report/finished.h"

enum { DRAWN_ROWS = 10, DRAWN_WIDTH = 40, EIGHTHS = 8, SHORT_HOSTS = 3 };

struct share {
    const char *name;
    double share;
};

static const struct share shares[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};

static double at(const struct histogram *histogram, const struct share *share)
{
    return share->share < 1 ? histogram_at(histogram, share->share) : histogram->max;
}

void summary_note(struct summary *summary, const struct finished *over)
{
    const struct facts *facts = over->result->facts;

    stats_count(&summary->stats, over->result);
    if (over->result->reason != REASON_OK)
        failures_note(&summary->failures, over);
    if (!facts || over->result->http_code == 0)
        return;
    slowest_note(&summary->slowest, over, facts->total);
    histogram_add(&summary->total, facts->total);
    histogram_add(&summary->starttransfer, facts->starttransfer);
    histogram_add(&summary->queue, facts->queued);
}

void summary_release(struct summary *summary)
{
    failures_release(&summary->failures);
    slowest_release(&summary->slowest);
}

/* ---- as text ---- */

static void add_shown(struct buf *out, const char *text)
{
    text_add_escaped(out, text, strlen(text));
}

/* 12 of one, 3 of another. */
static void add_reasons(const uint64_t reasons[REASON_COUNT], struct buf *out)
{
    const char *between = "";

    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++) {
        if (!reasons[reason])
            continue;
        buf_addf(out, "%s%llu %s", between, (unsigned long long)reasons[reason],
                 reason_name(reason));
        between = ", ";
    }
}

/* What the run ended before it could be done is no failure of a request, nor work of the run. */
static void add_totals(const struct summary *summary, struct buf *out)
{
    const struct stats *stats = &summary->stats;
    uint64_t undone = stats->reasons[REASON_HALTED] + stats->reasons[REASON_CANCELLED];
    uint64_t done = stats->results - undone;
    double rate = summary->wall > 0 ? (double)done / summary->wall : 0;

    buf_addf(out, "weir: %llu requests in ", (unsigned long long)done);
    amount_add_duration(summary->wall, out);
    buf_add_text(out, " (");
    amount_add_rate(rate, out);
    buf_addf(out, "): %llu ok, %llu failed, %llu retried; ",
             (unsigned long long)stats->reasons[REASON_OK],
             (unsigned long long)(stats_failed(stats) - undone),
             (unsigned long long)stats->retries);
    if (undone)
        buf_addf(out, "%llu not done; ", (unsigned long long)undone);
    if (stats->done_before)
        buf_addf(out, "%llu done before; ", (unsigned long long)stats->done_before);
    amount_add_bytes((double)stats->body_bytes, out);
    buf_addf(out, "; at most %u in flight\n", stats->peak_in_flight);
}

static void add_times(const char *name, const struct histogram *histogram, struct buf *out)
{
    if (!histogram->count)
        return;
    buf_addf(out, "weir:   %s:", name);
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        buf_addf(out, i ? ", %s " : " %s ", shares[i].name);
        amount_add_duration(at(histogram, &shares[i]), out);
    }
    buf_add_char(out, '\n');
}

static void add_examples(const struct failures *failures, enum reason reason, struct buf *out)
{
    uint64_t told = MIN(failures->reasons[reason], FAILURE_EXAMPLES);

    for (uint64_t i = 0; i < told; i++) {
        const struct failure_example *example = &failures->examples[reason][i];
        buf_addf(out, "weir:     #%llu ", (unsigned long long)example->seq);
        add_shown(out, example->url);
        buf_add_text(out, *example->message ? ": " : "");
        add_shown(out, example->message);
        buf_add_char(out, '\n');
    }
    if (failures->reasons[reason] > told)
        buf_addf(out, "weir:     and %llu more\n",
                 (unsigned long long)(failures->reasons[reason] - told));
}

static void add_failures(const struct failures *failures, struct buf *out)
{
    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++) {
        if (!failures->reasons[reason])
            continue;
        buf_addf(out, "weir:   %s: %llu\n", reason_name(reason),
                 (unsigned long long)failures->reasons[reason]);
        add_examples(failures, reason, out);
    }
}

static void add_hosts(const struct failures *failures, struct buf *out)
{
    const struct failing_host *worst[FAILURE_HOSTS_TOLD];
    size_t len = failures_worst(failures, worst);

    if (len)
        buf_add_text(out, "weir:   hosts with the most failures:\n");
    for (size_t i = 0; i < len; i++) {
        buf_add_text(out, "weir:     ");
        add_shown(out, worst[i]->name);
        buf_add_text(out, ": ");
        add_reasons(worst[i]->reasons, out);
        buf_add_char(out, '\n');
    }
}

static void add_connections(const struct stats *stats, struct buf *out)
{
    if (stats->opened || stats->reused)
        buf_addf(out, "weir:   connections: %llu opened, %llu times one was used again\n",
                 (unsigned long long)stats->opened, (unsigned long long)stats->reused);
}

/* As wide as its share of DRAWN_WIDTH columns, to an eighth where there are characters for that; of
 * what is not nothing something is seen. */
static void add_mark(uint64_t count, uint64_t most, bool utf8, struct buf *out)
{
    unsigned eighths =
        (unsigned)((double)count / (double)most * (double)(DRAWN_WIDTH * EIGHTHS) + 0.5);

    if (count)
        eighths = MAX(eighths, utf8 ? 1U : (unsigned)EIGHTHS);
    if (!utf8)
        eighths = (eighths + EIGHTHS / 2) / EIGHTHS * EIGHTHS;
    for (; eighths >= EIGHTHS; eighths -= EIGHTHS)
        buf_add_text(out, utf8 ? "\xE2\x96\x88" : "#");
    /* U+2589, of seven eighths, to U+258F, of one. */
    if (eighths)
        buf_addf(out, "\xE2\x96%c", (char)(unsigned char)(0x90 - eighths));
}

static void add_drawing(const struct histogram *histogram, bool utf8, struct buf *out)
{
    struct histogram_row rows[DRAWN_ROWS];
    size_t len = histogram_rows(histogram, rows, DRAWN_ROWS);
    uint64_t most = 0;

    if (histogram->count < SUMMARY_DRAWN_MIN || len < 2)
        return;
    for (size_t i = 0; i < len; i++)
        most = MAX(most, rows[i].count);
    for (size_t i = 0; i < len; i++) {
        struct buf limit;
        buf_init(&limit);
        amount_add_duration(rows[i].limit, &limit);
        buf_addf(out, "weir:     up to %7s |", limit.data);
        add_mark(rows[i].count, most, utf8, out);
        buf_addf(out, " %llu\n", (unsigned long long)rows[i].count);
        buf_release(&limit);
    }
}

/* Of one that is the only one everything is said. */
static void add_slowest(const struct slowest *slowest, struct buf *out)
{
    if (slowest->len < 2)
        return;
    buf_add_text(out, "weir:   slowest:\n");
    for (size_t i = 0; i < slowest->len; i++) {
        const struct slow_request *request = &slowest->at[i];
        buf_add_text(out, "weir:     ");
        amount_add_duration(request->seconds, out);
        buf_addf(out, " #%llu ", (unsigned long long)request->seq);
        add_shown(out, request->url);
        buf_addf(out, ": status %ld\n", request->http_code);
    }
}

static void add_ended(const struct summary *summary, struct buf *out)
{
    buf_add_text(out, "weir:   ended: ");
    add_shown(out, summary->ended);
    buf_add_char(out, '\n');
}

void summary_add_text(const struct summary *summary, bool utf8, struct buf *out)
{
    add_totals(summary, out);
    add_connections(&summary->stats, out);
    add_times("total", &summary->total, out);
    add_times("to first byte", &summary->starttransfer, out);
    add_times("queued", &summary->queue, out);
    add_drawing(&summary->total, utf8, out);
    add_slowest(&summary->slowest, out);
    add_failures(&summary->failures, out);
    add_hosts(&summary->failures, out);
    add_ended(summary, out);
}

static void add_slowest_one(const struct slowest *slowest, struct buf *out)
{
    if (!slowest->len)
        return;
    buf_add_text(out, "weir:   slowest: ");
    amount_add_duration(slowest->at[0].seconds, out);
    buf_addf(out, " #%llu ", (unsigned long long)slowest->at[0].seq);
    add_shown(out, slowest->at[0].url);
    buf_add_char(out, '\n');
}

static void add_worst_hosts(const struct failures *failures, struct buf *out)
{
    const struct failing_host *worst[FAILURE_HOSTS_TOLD];
    size_t len = failures_worst(failures, worst);

    if (!len)
        return;
    buf_add_text(out, "weir:   hosts with the most failures:");
    for (size_t i = 0; i < MIN(len, (size_t)SHORT_HOSTS); i++) {
        buf_add_text(out, i ? ", " : " ");
        add_shown(out, worst[i]->name);
        buf_addf(out, " %llu", (unsigned long long)worst[i]->failed);
    }
    buf_add_char(out, '\n');
}

void summary_add_short(const struct summary *summary, bool brief, struct buf *out)
{
    add_totals(summary, out);
    if (brief || summary->stats.results < SUMMARY_LINE_BELOW)
        return;
    add_times("total", &summary->total, out);
    add_slowest_one(&summary->slowest, out);
    if (stats_failed(&summary->stats)) {
        buf_add_text(out, "weir:   failed: ");
        add_reasons(summary->failures.reasons, out);
        buf_add_char(out, '\n');
    }
    add_worst_hosts(&summary->failures, out);
    if (strcmp(summary->ended, "all done") != 0)
        add_ended(summary, out);
}

/* ---- as JSON ---- */

static void add_string(const char *text, struct buf *out)
{
    buf_add_char(out, '"');
    text_add_json(out, text, strlen(text));
    buf_add_char(out, '"');
}

static void add_counts(const char *name, const uint64_t reasons[REASON_COUNT], struct buf *out)
{
    const char *between = "";

    buf_addf(out, ",\"%s\":{", name);
    for (enum reason reason = REASON_OK; reason < REASON_COUNT; reason++) {
        if (!reasons[reason])
            continue;
        buf_addf(out, "%s\"%s\":%llu", between, reason_name(reason),
                 (unsigned long long)reasons[reason]);
        between = ",";
    }
    buf_add_char(out, '}');
}

static void add_json_slowest(const struct slowest *slowest, struct buf *out)
{
    buf_add_text(out, ",\"slowest\":[");
    for (size_t i = 0; i < slowest->len; i++) {
        const struct slow_request *request = &slowest->at[i];
        buf_addf(out, "%s{\"seq\":%llu,\"url\":", i ? "," : "", (unsigned long long)request->seq);
        add_string(request->url, out);
        buf_addf(out, ",\"http_code\":%ld,\"time_total\":", request->http_code);
        buf_add_seconds(out, request->seconds);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void add_histogram(const char *name, const struct histogram *histogram, struct buf *out)
{
    buf_addf(out, ",\"%s\":{", name);
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        buf_addf(out, "%s\"%s\":", i ? "," : "", shares[i].name);
        buf_add_seconds(out, at(histogram, &shares[i]));
    }
    buf_add_char(out, '}');
}

static void add_json_examples(const struct failures *failures, enum reason reason, struct buf *out)
{
    uint64_t told = MIN(failures->reasons[reason], FAILURE_EXAMPLES);

    for (uint64_t i = 0; i < told; i++) {
        const struct failure_example *example = &failures->examples[reason][i];
        buf_addf(out, "%s{\"seq\":%llu,\"url\":", i ? "," : "", (unsigned long long)example->seq);
        add_string(example->url, out);
        buf_add_text(out, ",\"errormsg\":");
        add_string(example->message, out);
        buf_add_char(out, '}');
    }
}

static void add_json_failures(const struct failures *failures, struct buf *out)
{
    const char *between = "";

    buf_add_text(out, ",\"failures\":[");
    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++) {
        if (!failures->reasons[reason])
            continue;
        buf_addf(out, "%s{\"reason\":\"%s\",\"count\":%llu,\"examples\":[", between,
                 reason_name(reason), (unsigned long long)failures->reasons[reason]);
        add_json_examples(failures, reason, out);
        buf_add_text(out, "]}");
        between = ",";
    }
    buf_add_char(out, ']');
}

static void add_json_hosts(const struct failures *failures, struct buf *out)
{
    const struct failing_host *worst[FAILURE_HOSTS_TOLD];
    size_t len = failures_worst(failures, worst);

    buf_add_text(out, ",\"hosts\":[");
    for (size_t i = 0; i < len; i++) {
        buf_add_text(out, i ? ",{\"host\":" : "{\"host\":");
        add_string(worst[i]->name, out);
        buf_addf(out, ",\"failed\":%llu", (unsigned long long)worst[i]->failed);
        add_counts("reasons", worst[i]->reasons, out);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

void summary_add_json(const struct summary *summary, struct buf *out)
{
    const struct stats *stats = &summary->stats;

    buf_addf(out, "{\"requests\":%llu,\"ok\":%llu,\"failed\":%llu",
             (unsigned long long)stats->results, (unsigned long long)stats->reasons[REASON_OK],
             (unsigned long long)stats_failed(stats));
    add_counts("reasons", stats->reasons, out);
    if (stats->done_before)
        buf_addf(out, ",\"done_before\":%llu", (unsigned long long)stats->done_before);
    buf_addf(out, ",\"retries\":%llu,\"bytes\":%llu,\"wall\":", (unsigned long long)stats->retries,
             (unsigned long long)stats->body_bytes);
    buf_add_seconds(out, summary->wall);
    buf_addf(out, ",\"peak_in_flight\":%u,\"connections_opened\":%llu,\"connections_reused\":%llu",
             stats->peak_in_flight, (unsigned long long)stats->opened,
             (unsigned long long)stats->reused);
    buf_add_text(out, ",\"ended\":");
    add_string(summary->ended, out);
    add_histogram("time_total", &summary->total, out);
    add_histogram("time_starttransfer", &summary->starttransfer, out);
    add_histogram("time_queue", &summary->queue, out);
    add_json_slowest(&summary->slowest, out);
    add_json_failures(&summary->failures, out);
    add_json_hosts(&summary->failures, out);
    buf_add_text(out, "}\n");
}
