/*
 * A heap by due time: what is due first is on top, and of two that are due together the one
 * pushed first. The nodes are embedded in what waits, and know where they stand, so that any of
 * them leaves in O(log n).
 *
 * Owns: the array of pointers, as long as the most nodes it ever held. Knows nothing of: clocks.
 */
#ifndef WEIR_BASE_HEAP_H
#define WEIR_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    double due;
    uint64_t turn; /* breaks ties: counted up at each push */
    size_t place;  /* 1 + index in the array; 0: in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t len;
    size_t capacity;
    uint64_t turns;
};

void heap_init(struct heap *);
void heap_release(struct heap *);

void heap_push(struct heap *, struct heap_node *, double due);
void heap_remove(struct heap *, struct heap_node *);
/* Gives a node that is in the heap another due time. */
void heap_move(struct heap *, struct heap_node *, double due);
/* The node that is due first, or NULL. */
struct heap_node *heap_peek(const struct heap *);

static inline bool heap_holds(const struct heap_node *node)
{
    return node->place != 0;
}

#endif
