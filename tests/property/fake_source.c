/*
 * Stands where input/source does: the world's lines, each from its time on.
 */
#include <ev.h>
#include <math.h>
#include <stdlib.h>

#include "cli/options.h"
#include "fakes.h"
#include "input/source.h"
#include "world.h"

struct source {
    struct world *world;
    size_t next;
    bool told_trouble;
    bool found_empty; /* as a read that would block */
    bool watched;
    struct buf text;
};

struct source *source_new(struct ev_loop *loop, const struct source_rules *rules)
{
    struct source *source = xcalloc(1, sizeof *source);

    source->world = world_of_options(CONTAINER_OF((uintptr_t)rules, struct options, input));
    source->world->source = source;
    ev_set_userdata(loop, source->world);
    buf_init(&source->text);
    return source;
}

void source_free(struct source *source)
{
    if (!source)
        return;
    buf_release(&source->text);
    free(source);
}

static bool has_trouble(struct source *source)
{
    uint32_t at = source->world->scenario.trouble_at;

    if (source->told_trouble || !at || source->next + 1 != at)
        return false;
    source->told_trouble = true;
    return true;
}

static void give(struct source *source, const struct line *line, struct source_item *item)
{
    buf_clear(&source->text);
    line_add_text(source->world, line, &source->text);
    *item = (struct source_item){.text = source->text.data,
                                 .len = source->text.len,
                                 .line = line->number,
                                 .cut = line->kind == LINE_CUT};
}

/* No more is asked for than there is a slot for, be it for a request or for what turns out as none. */
enum source_step source_next(struct source *source, struct source_item *item, struct buf *err)
{
    struct world *world = source->world;

    PROMISE(world, world->asked_for - world->buried < world->scenario.window,
            "a line was asked for with %zu requests not done", world->asked_for - world->buried);
    PROMISE(world, !world->stopped, "a line was asked for after the stop");
    if (source->next == world->n_lines)
        return SOURCE_END;
    if (world->lines[source->next].at > world->now) {
        source->found_empty = true;
        return SOURCE_WAIT;
    }
    source->found_empty = false;
    if (has_trouble(source)) {
        buf_setf(err, "an input that is not there");
        world->troubles++;
        return SOURCE_TROUBLE;
    }
    const struct line *line = &world->lines[source->next++];
    world->asked_for += line_is_wanted(line);
    give(source, line, item);
    return SOURCE_ITEM;
}

void source_watch(struct source *source, bool wanted)
{
    source->watched = wanted;
}

/* As a watcher it is asked for only once a read found nothing. */
double fake_source_due(const struct source *source)
{
    if (!source->watched || !source->found_empty)
        return INFINITY;
    return source->world->lines[source->next].at;
}
