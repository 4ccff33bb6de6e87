#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/heap.h"
#include "base/util.h"

static struct heap_node *pop(struct heap *heap)
{
    struct heap_node *top = heap_peek(heap);

    if (top)
        heap_remove(heap, top);
    return top;
}

Test(heap, has_nothing_on_top_when_it_is_empty)
{
    struct heap heap;
    struct heap_node node = {0};

    heap_init(&heap);
    cr_expect_null(heap_peek(&heap));
    heap_push(&heap, &node, 1);
    cr_expect(heap_holds(&node));
    heap_remove(&heap, &node);
    cr_expect(!heap_holds(&node));
    cr_expect_null(heap_peek(&heap));
    heap_release(&heap);
}

Test(heap, gives_what_is_due_first_whatever_the_order_of_pushes)
{
    static const double dues[] = {5, -1, 3, 1e300, 0, 2.5, 4};
    struct heap_node nodes[ARRAY_LEN(dues)] = {0};
    struct heap heap;
    double last = -2;

    heap_init(&heap);
    for (size_t i = 0; i < ARRAY_LEN(dues); i++)
        heap_push(&heap, &nodes[i], dues[i]);
    for (size_t i = 0; i < ARRAY_LEN(dues); i++) {
        struct heap_node *node = pop(&heap);
        cr_assert_gt(node->due, last);
        last = node->due;
    }
    cr_expect_null(heap_peek(&heap));
    heap_release(&heap);
}

Test(heap, gives_those_due_together_in_the_order_they_came)
{
    enum { COUNT = 50 };
    struct heap_node nodes[COUNT] = {0};
    struct heap heap;

    heap_init(&heap);
    for (size_t i = 0; i < COUNT; i++)
        heap_push(&heap, &nodes[i], (double)(i % 2));
    for (size_t i = 0; i < COUNT; i++) {
        size_t expected = i < COUNT / 2 ? 2 * i : 2 * (i - COUNT / 2) + 1;
        cr_assert_eq(pop(&heap), &nodes[expected], "place %zu", i);
    }
    heap_release(&heap);
}

Test(heap, puts_one_that_comes_back_behind_those_due_together)
{
    struct heap_node first = {0}, second = {0};
    struct heap heap;

    heap_init(&heap);
    heap_push(&heap, &first, 1);
    heap_push(&heap, &second, 1);
    heap_remove(&heap, &first);
    heap_push(&heap, &first, 1);
    cr_expect_eq(pop(&heap), &second);
    cr_expect_eq(pop(&heap), &first);
    heap_release(&heap);
}

Test(heap, moves_a_node_up_and_down)
{
    struct heap_node nodes[3] = {0};
    struct heap heap;

    heap_init(&heap);
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
        heap_push(&heap, &nodes[i], (double)i);
    heap_move(&heap, &nodes[2], -1);
    cr_expect_eq(heap_peek(&heap), &nodes[2]);
    heap_move(&heap, &nodes[2], 0.5);
    cr_expect_eq(pop(&heap), &nodes[0]);
    cr_expect_eq(pop(&heap), &nodes[2]);
    cr_expect_eq(pop(&heap), &nodes[1]);
    heap_release(&heap);
}

/* The reference: all nodes in an array, looked through from end to end. */
enum { NODES = 200, STEPS = 6000 };

struct model {
    struct heap heap;
    struct heap_node nodes[NODES];
    bool in[NODES];
    double due[NODES];
    unsigned pushed_at[NODES];
    unsigned pushes;
    size_t len;
};

static size_t first_due(const struct model *model)
{
    size_t best = NODES;

    for (size_t i = 0; i < NODES; i++) {
        if (!model->in[i])
            continue;
        if (best == NODES || model->due[i] < model->due[best] ||
            (model->due[i] <= model->due[best] && model->pushed_at[i] < model->pushed_at[best]))
            best = i;
    }
    return best;
}

static unsigned draw(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Few due times, so that many nodes are due together. */
static void step(struct model *model, unsigned *seed)
{
    size_t i = draw(seed) % NODES;
    double due = (double)(draw(seed) % 16);
    bool moves = draw(seed) % 3 == 0;

    if (!model->in[i]) {
        heap_push(&model->heap, &model->nodes[i], due);
        model->pushed_at[i] = model->pushes++;
        model->due[i] = due;
        model->len++;
    } else if (moves) {
        heap_move(&model->heap, &model->nodes[i], due);
        model->due[i] = due;
    } else {
        heap_remove(&model->heap, &model->nodes[i]);
        model->len--;
    }
    model->in[i] = heap_holds(&model->nodes[i]);
}

static void check(const struct model *model, int at)
{
    size_t best = first_due(model);

    cr_assert_eq(model->heap.len, model->len, "step %d", at);
    cr_assert_eq(heap_peek(&model->heap), best == NODES ? NULL : &model->nodes[best], "step %d",
                 at);
}

Test(heap, agrees_with_a_plain_search_over_random_pushes_moves_and_removals)
{
    struct model *model = xcalloc(1, sizeof *model);
    unsigned seed = 20;

    heap_init(&model->heap);
    for (int i = 0; i < STEPS; i++) {
        step(model, &seed);
        check(model, i);
    }
    while (model->len) {
        size_t best = first_due(model);
        cr_assert_eq(pop(&model->heap), &model->nodes[best]);
        model->in[best] = false;
        model->len--;
    }
    cr_expect_null(heap_peek(&model->heap));
    heap_release(&model->heap);
    free(model);
}
