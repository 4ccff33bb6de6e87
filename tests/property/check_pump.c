/*
 * What must hold after each pump, worked out by walking the lists and not by the engine's own sums.
 */
#include <math.h>

#include "base/spool.h"
#include "core/state.h"
#include "core/task.h"
#include "fakes.h"
#include "world.h"

/* The last line that was read, and a redirect of each of those that run. */
enum { WALKED_EACH = 64, OVERSHOOT = 64 * 1024 };

struct census {
    size_t alive, states[TASK_DONE + 1];
    size_t reserving; /* not done, and with the right to what is kept back */
    size_t urls;
    uint64_t blocks, held;
};

static unsigned long long seq_of(const struct task *task)
{
    return (unsigned long long)task->request.seq;
}

/* The queue of its host is a list of READY tasks of one host, in which its neighbours know it. */
static void check_queue(struct world *world, const struct task *task)
{
    const struct task *next = task->next, *prev = task->prev;

    if (!task->host || !prev) {
        world_break(world, "request %llu is ready and in no queue", seq_of(task));
        return;
    }
    PROMISE(world,
            !next || (next->prev == task && next->state == TASK_READY && next->host == task->host),
            "what is queued behind request %llu does not belong there", seq_of(task));
    PROMISE(world, prev->next == task || (!prev->next && prev->state == TASK_READY),
            "what is queued before request %llu does not belong there", seq_of(task));
}

static void check_task(struct world *world, const struct task *task)
{
    PROMISE(world, heap_holds(&task->due) == (task->state == TASK_WAITING),
            "request %llu waits, or does not, against its state", seq_of(task));
    PROMISE(world, (task->transfer != NULL) == (task->state == TASK_RUNNING),
            "request %llu runs, or does not, against its state", seq_of(task));
    PROMISE(world, !task->looking_up || task->state == TASK_RUNNING,
            "request %llu looks up a name and does not run", seq_of(task));
    PROMISE(world,
            task->state == TASK_RUNNING || task->state == TASK_DONE ||
                (!task->body.size && !task->head.size),
            "request %llu holds an answer while it waits", seq_of(task));
    if (task->state == TASK_READY)
        check_queue(world, task);
}

static void count_list(struct world *world, const struct task *task, struct census *census)
{
    for (; task; task = task->newer) {
        census->alive++;
        census->states[task->state]++;
        census->reserving += task->next_in_order && task->state != TASK_DONE;
        census->urls += task->url != NULL;
        census->blocks += task->body.n_blocks + task->head.n_blocks;
        census->held += task->held;
        PROMISE(world, task->held > 0, "request %llu costs nothing", seq_of(task));
        check_task(world, task);
    }
}

/* In the order of completion what is done is on a list of its own. */
static void check_window(struct world *world, const struct window *window)
{
    const struct task *oldest = window->oldest;

    if (world->options.order == OPTION_ORDER_INPUT) {
        PROMISE(world, !window->done, "a list of what is done, in input order");
        PROMISE(world, !oldest || oldest->request.seq == world->buried + 1,
                "the oldest is not the one next in order");
        return;
    }
    for (const struct task *task = oldest; task; task = task->newer)
        PROMISE(world, task->state != TASK_DONE, "done, and among those that are not");
    for (const struct task *task = window->done; task; task = task->newer)
        PROMISE(world, task->state == TASK_DONE, "not done, and among those that are");
}

static void check_census(struct world *world, const struct engine *engine,
                         const struct census *census)
{
    PROMISE(world, census->alive == engine->window.alive, "%zu alive, %zu counted", census->alive,
            engine->window.alive);
    PROMISE(world, engine->seq - world->buried == census->alive, "a task is lost");
    PROMISE(world, census->states[TASK_WAITING] == engine->waiting.len,
            "%zu wait, the heap has %zu", census->states[TASK_WAITING], engine->waiting.len);
    PROMISE(world, census->states[TASK_RUNNING] == engine->permits.held, "%zu run with %u permits",
            census->states[TASK_RUNNING], engine->permits.held);
    PROMISE(world, census->reserving <= 1, "%zu requests go on whatever happens",
            census->reserving);
    PROMISE(world, census->urls == engine->urls_kept, "%zu URLs kept, %zu counted", census->urls,
            engine->urls_kept);
    PROMISE(world, census->blocks * SPOOL_BLOCK_BYTES == spool_used_bytes(engine->store.spool),
            "blocks of the spool belong to nobody");
    PROMISE(world, census->held + engine->rendering.held == engine->store.held,
            "%llu bytes are charged, and %llu are held", (unsigned long long)engine->store.held,
            (unsigned long long)(census->held + engine->rendering.held));
}

static void check_sums(struct world *world, const struct engine *engine)
{
    uint64_t spool_max = world->scenario.spool_max;
    uint64_t memory = world->scenario.memory + SPOOL_BLOCK_BYTES;

    PROMISE(world, engine->permits.held == fake_xfer_running(world->xfer),
            "%u permits are held and %u transfers run", engine->permits.held,
            fake_xfer_running(world->xfer));
    PROMISE(world, engine->permits.held <= world->scenario.jobs, "more run than may");
    PROMISE(world, engine->window.alive <= world->scenario.window, "more live than may");
    PROMISE(world, engine->store.memory_used <= world->scenario.memory, "too much memory");
    PROMISE(world,
            engine->window.alive <= 1 || engine->store.memory_used + engine->store.held <=
                                             store_limit(&engine->store) + OVERSHOOT,
            "more is held than --memory says");
    PROMISE(world, spool_used_bytes(engine->store.spool) <= 2 * spool_max + memory,
            "too much spool");
    PROMISE(world, !engine->stopped || fake_xfer_running(world->xfer) == 0, "something runs on");
    PROMISE(world, world->stopped == engine->stopped, "only half of it was stopped");
}

void world_check_pump(struct world *world)
{
    const struct engine *engine = world->engine;
    struct census census = {0};

    check_sums(world, engine);
    if (engine->window.alive > WALKED_ALWAYS && world->pumps % WALKED_EACH)
        return;
    check_window(world, &engine->window);
    count_list(world, engine->window.oldest, &census);
    count_list(world, engine->window.done, &census);
    check_census(world, engine, &census);
}
