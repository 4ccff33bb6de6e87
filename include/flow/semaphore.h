/*
 * The bound on what runs: `limit` permits, one for each transfer from its start to its end. A
 * request that waits holds none.
 *
 * Invariant: free permits + held = limit, save after the limit was lowered below what is held:
 * then nothing is given out until enough have come back.
 */
#ifndef WEIR_FLOW_SEMAPHORE_H
#define WEIR_FLOW_SEMAPHORE_H

#include <assert.h>
#include <stdbool.h>

struct semaphore {
    unsigned limit;
    unsigned held;
    unsigned peak; /* the most ever held at once */
};

static inline void semaphore_init(struct semaphore *semaphore, unsigned limit)
{
    *semaphore = (struct semaphore){.limit = limit};
}

static inline bool semaphore_is_free(const struct semaphore *semaphore)
{
    return semaphore->held < semaphore->limit;
}

static inline void semaphore_take(struct semaphore *semaphore)
{
    assert(semaphore_is_free(semaphore));
    if (++semaphore->held > semaphore->peak)
        semaphore->peak = semaphore->held;
}

static inline void semaphore_give(struct semaphore *semaphore)
{
    assert(semaphore->held > 0);
    semaphore->held--;
}

#endif
