#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/util.h"

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_release(struct heap *heap)
{
    free(heap->nodes);
    heap_init(heap);
}

static bool comes_before(const struct heap_node *a, const struct heap_node *b)
{
    return a->due < b->due || (a->due <= b->due && a->turn < b->turn);
}

static void put(struct heap *heap, size_t index, struct heap_node *node)
{
    heap->nodes[index] = node;
    node->place = index + 1;
}

static void sift_up(struct heap *heap, size_t index, struct heap_node *node)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (!comes_before(node, heap->nodes[parent]))
            break;
        put(heap, index, heap->nodes[parent]);
        index = parent;
    }
    put(heap, index, node);
}

static void sift_down(struct heap *heap, size_t index, struct heap_node *node)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->len)
            break;
        if (child + 1 < heap->len && comes_before(heap->nodes[child + 1], heap->nodes[child]))
            child++;
        if (!comes_before(heap->nodes[child], node))
            break;
        put(heap, index, heap->nodes[child]);
        index = child;
    }
    put(heap, index, node);
}

/* Puts a node where it belongs, given a free place at `index`. */
static void settle(struct heap *heap, size_t index, struct heap_node *node)
{
    if (index > 0 && comes_before(node, heap->nodes[(index - 1) / 2]))
        sift_up(heap, index, node);
    else
        sift_down(heap, index, node);
}

void heap_push(struct heap *heap, struct heap_node *node, double due)
{
    assert(!heap_holds(node));
    heap->nodes = xgrow(heap->nodes, heap->len, &heap->capacity, sizeof(struct heap_node *));
    node->due = due;
    node->turn = heap->turns++;
    sift_up(heap, heap->len++, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    assert(heap_holds(node) && heap->nodes[node->place - 1] == node);
    size_t index = node->place - 1;
    struct heap_node *last = heap->nodes[--heap->len];

    node->place = 0;
    if (last != node)
        settle(heap, index, last);
}

void heap_move(struct heap *heap, struct heap_node *node, double due)
{
    assert(heap_holds(node));
    node->due = due;
    settle(heap, node->place - 1, node);
}

struct heap_node *heap_peek(const struct heap *heap)
{
    return heap->len ? heap->nodes[0] : NULL;
}
