/*
 * The knobs of one run. A seed alone gives all of them; a directed test turns some by hand.
 */
#ifndef PROPERTY_SCENARIO_H
#define PROPERTY_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum reader_kind {
    READER_FILE, /* takes all at once */
    READER_PIPE,
    READER_NEVER,  /* a pipe that nobody reads */
    READER_CLOSES, /* a pipe whose reader leaves after `limit` bytes */
    READER_FULL    /* a disk that is full after `limit` bytes */
};

struct reader {
    enum reader_kind kind;
    size_t pipe;      /* bytes that it holds */
    size_t read_max;  /* that are taken out of it at once */
    double pause_max; /* between that */
    unsigned sleeps;  /* percent of the pauses that are a thousand times longer */
    uint64_t limit;
};

enum spool_end { SPOOL_LASTS, SPOOL_HAS_NO_PLACE, SPOOL_FILLS_DISK };

struct scenario {
    uint64_t seed;
    /* input */
    uint32_t lines, arguments;
    unsigned junk; /* percent of lines that are no request, or a bad one */
    double gap_max;
    unsigned bursts;     /* percent of lines that come with the one before */
    uint32_t trouble_at; /* the line before which an input cannot be read; 0: none */
    /* flow */
    unsigned jobs;
    uint64_t window, memory, spool_max;
    size_t head_bytes;      /* of each answer, kept */
    unsigned per_host;      /* 0: as many as jobs */
    double rate, host_rate; /* seconds from start to start; 0: no limit */
    unsigned burst;
    unsigned retry;
    double retry_delay, retry_budget;
    unsigned host_errors; /* 0: never */
    double host_wait, host_retry_after;
    bool adaptive, parallel_immediate;
    enum spool_end spool_end;
    uint64_t spool_disk; /* bytes, where it fills the disk */
    /* the web */
    uint32_t hosts, pages;
    unsigned numeric, dead, missing, broken, moved, big, shaky, closing;
    uint32_t small_max, big_max, piece_max;
    double latency, head_delay;
    double famine_from, famine_to; /* no transfer gets a descriptor */
    bool sockets;                  /* xfer_due says nothing: the loop wakes up for the sockets */
    /* output */
    unsigned order, format, max_redirs;
    bool location, trusted, silent, to_file;
    struct reader out, notes;
};

void scenario_from_seed(struct scenario *, uint64_t seed);
/* One that is plain: few requests, all good, no delay; to be turned by hand. */
void scenario_plain(struct scenario *, uint64_t seed);
void scenario_describe(const struct scenario *, struct buf *out);

#endif
