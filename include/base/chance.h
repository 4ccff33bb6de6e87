/*
 * Random numbers that nobody has to be kept from guessing: splitmix64, one word of state.
 */
#ifndef WEIR_BASE_CHANCE_H
#define WEIR_BASE_CHANCE_H

#include <stdint.h>

/* A state nobody had before. */
uint64_t chance_seed(void);
uint64_t chance_roll(uint64_t *state);
/* From 0 up to, not including, 1. */
double chance_share(uint64_t *state);

#endif
