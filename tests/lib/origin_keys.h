/*
 * How often each key was asked for, which failtimes=N counts by. Keys are told apart by a 64-bit
 * hash.
 *
 * Bound: ORIGIN_KEYS_MAX keys. Owns: its table. Knows nothing of: requests.
 */
#ifndef RIG_ORIGIN_KEYS_H
#define RIG_ORIGIN_KEYS_H

#include <stdint.h>

enum { ORIGIN_KEYS_MAX = 1 << 18 };

struct origin_keys;

struct origin_keys *origin_keys_new(void);
void origin_keys_free(struct origin_keys *);
/* How often the key was counted before; UINT64_MAX when the table is full. */
uint64_t origin_keys_count(struct origin_keys *, const char *key);

#endif
