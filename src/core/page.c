#include "report/page.h"

#include <string.h>

#include "base/clock.h"
#include "cli/options.h"
#include "core/state.h"
#include "core/task.h"
#include "flow/sched.h"
#include "report/finished.h"

void engine_note_started(struct engine *engine, double now)
{
    if (!engine->page)
        return;
    if (engine->page->timeline.limit != engine->permits.limit)
        timeline_note_limit(&engine->page->timeline, engine->permits.limit, now);
    timeline_note_start(&engine->page->timeline, now);
}

void engine_note_ended(struct engine *engine, double now)
{
    if (engine->page)
        timeline_note_end(&engine->page->timeline, now);
}

void engine_note_result(struct engine *engine, const struct task *task)
{
    struct finished over = {
        .seq = task->request.seq,
        .url = task->request.url,
        .result = &task->result,
        .host = task->host ? sched_host_name(task) : NULL,
        .born_at = task->born_at,
        .first_started_at = task->first_started_at,
        .started_at = task->started_at,
        .done_at = task->done_at,
    };

    summary_note(&engine->summary, &over);
    if (engine->page)
        page_note(engine->page, &over);
}

void engine_write_page(struct engine *engine)
{
    const char *path = engine->options->report;
    double now = clock_now();
    struct buf bytes, words;

    if (!engine->page)
        return;
    buf_init(&bytes);
    buf_init(&words);
    engine->summary.wall = now - engine->begun_at;
    engine->summary.ended = engine_why_it_ended(engine);
    page_render(engine->page, engine->options, &engine->summary, now, &bytes);
    int result = engine_save(engine, path, 0666, &bytes);
    if (result) {
        buf_addf(&words, "cannot write the report %s: %s", path, engine_error_words(result));
        engine_note_trouble(engine, words.data);
    }
    buf_release(&words);
    buf_release(&bytes);
}
