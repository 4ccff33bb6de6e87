/*
 * One request on its way through the house: born when it is admitted to the window, dead when its
 * result has been written. It has exactly one owner and is on exactly one list, which its state
 * names: READY in its host's queue, WAITING in the heap of what is due later (never, for a body
 * that found no room: it waits to be the one next in order), RUNNING with the
 * transfers, DONE until its turn to go out comes. Beside that, the window holds every task alive.
 *
 * Owns: request, result, body and head (which borrow from the store), url, partial.
 */
#ifndef WEIR_CORE_TASK_H
#define WEIR_CORE_TASK_H

#include <stdbool.h>

#include "base/body.h"
#include "base/heap.h"
#include "base/result.h"
#include "deliver/delivery.h"
#include "input/request.h"

struct condition;
struct group;
struct host;
struct partial;
struct transfer;
struct url;

enum task_state { TASK_READY, TASK_WAITING, TASK_RUNNING, TASK_DONE };

/* How the last transfer ended, before anybody judged it. */
enum outcome {
    OUTCOME_ANSWERED,      /* a whole answer; its status is in the result */
    OUTCOME_FAILED,        /* the result says how */
    OUTCOME_UNTOUCHED,     /* the connection went away before the origin took up the request */
    OUTCOME_MISFIT,        /* asked for the rest of a body, the origin sent something else */
    OUTCOME_NO_ROOM,       /* its body found no room, and it is not the one that must go on */
    OUTCOME_NO_DESCRIPTOR, /* the process ran out of them */
    OUTCOME_LOCAL_TROUBLE  /* the spool failed; the result's message says how */
};

struct task {
    enum task_state state;
    enum outcome outcome;
    bool next_in_order;  /* may use what the store keeps back */
    bool away;           /* a redirect led it to another host: harmless headers only */
    bool demoted;        /* a redirect made it a GET without a body */
    bool is_new_attempt; /* its next start is the first or a retry, and not a hop */
    bool has_connected;  /* its last transfer had a connection that stood */
    bool was_lost;       /* its last transfer did not reach the host */
    bool met_outage;     /* and the host was known not to be reached then */
    bool looking_up;     /* holds one of the scheduler's lookups */
    bool name_is_stale;  /* the name is to be looked up anew */
    bool name_failed;    /* its host's last lookup found no name */
    bool is_scout;       /* goes ahead of all others to its host */
    bool is_probe;       /* started to tell whether its host is back */
    bool is_heard;       /* and an answer to it has begun */
    bool is_redone;      /* it failed in an earlier run */
    bool is_held;        /* done, its result waits for others of its group */
    bool is_misfit;      /* no rest of its body is asked for any more */
    bool is_first_wave;  /* no transfer to its host has ended before it was started */
    struct request request;
    struct result result;
    struct body body;
    struct body head; /* the last answer's headers, as they came; kept where somebody prints them */
    uint64_t held;    /* bytes that it is charged with in the store */
    struct partial *partial;     /* what the sink has, where its rest can be asked for, or NULL */
    struct sink *sink;           /* borrowed: where the body of a success goes; NULL: into `body` */
    char *body_file;             /* the file it became, or NULL */
    char *traceparent;           /* the header that its next start sends, or NULL */
    struct condition *condition; /* with --cache, once it was started; or NULL */
    struct url *url;   /* where its next transfer goes; NULL: read it again from the request */
    char *location;    /* where the last answer redirects to, or NULL */
    struct host *host; /* borrowed from the scheduler, which keeps it while the task is alive */
    struct transfer *transfer;    /* borrowed, while RUNNING */
    struct task *prev, *next;     /* on the list that the state names */
    struct task *older, *newer;   /* in the window */
    struct group *group;          /* borrowed; NULL: it is in none */
    struct task *senior, *junior; /* among those of its group that are not done */
    double since;                 /* when it began to wait for its next start */
    double started_at;            /* the last start; while RUNNING it is on */
    double latency;               /* seconds to the first byte of the answer; with --adaptive */
    double closed_for; /* seconds: the last answer asks to leave the host alone so long */
    double born_at, first_started_at, done_at; /* 0: not yet */
    unsigned epoch;                            /* of its host's valve, while RUNNING */
    unsigned excuses;     /* tries that turned out to be the first of an outage, not counted */
    unsigned outages;     /* of its host, before its last transfer ended */
    unsigned probes;      /* starts that were to tell whether its host is back */
    unsigned resent;      /* how often it was sent again since it had not been touched */
    struct heap_node due; /* while WAITING */
};

struct task *task_new(void);
/* Charges the task with so many bytes, until it is freed. */
static inline void task_hold(struct task *task, struct store *store, uint64_t bytes)
{
    store_hold(store, bytes);
    task->held += bytes;
}
/* Charges a new task: with itself, and with what it keeps of a line of `len` bytes. */
void task_hold_line(struct task *, struct store *, size_t len);
/* Charges a task that was redirected: with the URL that it came from, and where it goes. */
void task_hold_hop(struct task *, struct store *);
/* Gives all that it holds back to `store`. Accepts NULL. */
void task_free(struct task *, struct store *store);

/* The one place where a state changes; asserts that the step is a legal one. */
void task_set_state(struct task *, enum task_state);

/* The task as deliver sees it: good while nothing of the task changes. */
struct delivery task_delivery(const struct task *);

/* Forgets the last answer, so that the task can be started anew. */
void task_rewind(struct task *, struct store *store);

#endif
