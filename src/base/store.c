#include "base/store.h"

#include "base/spool.h"

void store_init(struct store *store, struct spool *spool, uint64_t memory_max)
{
    *store = (struct store){.spool = spool, .memory_max = MIN(memory_max, UINT64_MAX / 2)};
}

void store_release(struct store *store)
{
    assert(store->memory_used == 0 && store->held == 0);
    spool_free(store->spool);
    store->spool = NULL;
}

bool store_may_start(const struct store *store)
{
    return !store->pressed && store_in_use(store) < store_limit(store);
}

bool store_has_room(struct store *store)
{
    bool roomy = spool_is_roomy(store->spool);

    /* Where there is hardly a spool it is memory that has to be half free. */
    if (spool_is_tiny(store->spool))
        roomy = roomy && store->memory_used <= store->memory_max / 2;
    if (store->pressed && roomy)
        store->pressed = false;
    return store_may_start(store);
}
