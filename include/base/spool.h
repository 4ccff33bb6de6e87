/*
 * Where bytes go that memory has no room for: one unlinked temporary file of fixed-size blocks with
 * a free list. So one descriptor, however many bodies, and nothing left behind however the program
 * ends. The file is made at the first block.
 *
 * Bound: `max_bytes`, and a reserve, as much again where nothing else is said, for the one body
 * that must go on.
 * Owns: the file. Knows nothing of: bodies.
 */
#ifndef WEIR_BASE_SPOOL_H
#define WEIR_BASE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct spool;

enum { SPOOL_BLOCK_BYTES = 64 * 1024 };

struct spool *spool_new(const char *directory, uint64_t max_bytes);
/* Has the reserve be `bytes`, rounded up to whole blocks, instead of `max_bytes`. */
void spool_set_reserve(struct spool *, uint64_t bytes);
void spool_free(struct spool *);

/* A new file without a name: its descriptor, or a negative errno with words in `err`. */
int spool_open(const char *directory, struct buf *err) WARN_UNUSED;

/* A free block. -ENOBUFS where all are taken (`reserve` asks for those kept back), or what making
 * the file failed with, with words in `err`. */
int spool_take(struct spool *, bool reserve, uint32_t *ret_block, struct buf *err) WARN_UNUSED;
void spool_give(struct spool *, uint32_t block);

/* All `len` bytes, within one block. A negative errno, with words in `err`. */
int spool_write(struct spool *, uint32_t block, size_t at, const void *bytes, size_t len,
                struct buf *err) WARN_UNUSED;
int spool_read(const struct spool *, uint32_t block, size_t at, void *bytes, size_t len,
               struct buf *err) WARN_UNUSED;

uint64_t spool_used_bytes(const struct spool *);
/* Whether it is too small for half of it to be free while a body is in it, the reserve aside. */
bool spool_is_tiny(const struct spool *);
/* Whether at most half of it is taken: the mark at which what was held back may start again. */
bool spool_is_roomy(const struct spool *);

#endif
