#include "deliver/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void held_init(struct held *held)
{
    *held = (struct held){0};
    buf_init(&held->lines);
}

void held_release(struct held *held)
{
    buf_release(&held->lines);
    free(held->marks);
    held->marks = NULL;
}

bool held_has_room(const struct held *held)
{
    return !held->n_marks || held->marks[held->n_marks - 1].end < HELD_BYTES_MAX;
}

void held_mark(struct held *held, uint64_t position)
{
    struct held_mark *last = held->n_marks ? &held->marks[held->n_marks - 1] : NULL;

    if (!last || last->position != position) {
        held->marks = xgrow(held->marks, held->n_marks, &held->capacity, sizeof *held->marks);
        last = &held->marks[held->n_marks++];
        last->position = position;
    }
    last->end = held->lines.len;
}

static size_t count_ready(const struct held *held, uint64_t position)
{
    size_t ready = 0;

    while (ready < held->n_marks && held->marks[ready].position <= position)
        ready++;
    return ready;
}

size_t held_ready(const struct held *held, uint64_t position)
{
    size_t ready = count_ready(held, position);

    return ready ? held->marks[ready - 1].end : 0;
}

void held_drop(struct held *held, size_t len)
{
    size_t gone = 0;

    if (!len)
        return;
    while (gone < held->n_marks && held->marks[gone].end <= len)
        gone++;
    buf_drop(&held->lines, len);
    held->n_marks -= gone;
    memmove(held->marks, held->marks + gone, held->n_marks * sizeof *held->marks);
    for (size_t i = 0; i < held->n_marks; i++)
        held->marks[i].end -= len;
}
