/*
 * Random numbers that a seed brings back. Pure: the state is the caller's.
 */
#ifndef PROPERTY_DICE_H
#define PROPERTY_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* Two numbers stirred into one. */
uint64_t dice_mix(uint64_t a, uint64_t b);

uint64_t dice_roll(struct dice *);
/* From 0, `end` not included; 0 where `end` is 0. */
uint64_t dice_below(struct dice *, uint64_t end);
/* From `first` to `last`, both included. */
uint64_t dice_between(struct dice *, uint64_t first, uint64_t last);
bool dice_chance(struct dice *, unsigned percent);
double dice_real(struct dice *, double max);

#endif
