/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replay a trace on a host, by one policy. xln_place() places each guest when
 * it arrives, and the guest leaves after its lifetime. A guest that does not
 * fit is refused. The replay ends with the last arrival.
 */
#ifndef SIMULATE_H
#define SIMULATE_H

#include "libxl_numa.h"
#include "trace.h"
#include "work.h"

/* Points of a curve; each is the mean over its part of the time. */
#define NR_POINTS 400

enum curve {
    CURVE_MEMORY,               /* that guests hold, of the host's */
    CURVE_SPLIT,                /* of it, that of split guests */
    CURVE_BALANCE,              /* as in struct outcome; 0: no vCPUs */
    NR_CURVES
};

struct outcome {
    const char *policy;
    unsigned nr_guests, nr_placed;
    unsigned nr_relaxed;        /* of those, on fewer CPUs than vCPUs */
    unsigned nr_split;          /* with memory on more than one node */
    uint64_t bytes, split_bytes;        /* of all guests; of these */

    /* The mean distance from the vCPUs' nodes to the memory, over all memory
     * that was placed. 0: no memory. */
    double distance;

    /* Placed on nodes of more than one socket; and of those, where as few
     * nodes of one socket would have done at that moment. */
    unsigned nr_cross, nr_avoidable;

    /*
     * Means over time. `balance`: vCPUs per CPU of the most crowded node,
     * over vCPUs per CPU of the whole host; 1: all are alike, 0: there were
     * none. `waiting`: the part of the vCPUs for which there is no CPU on
     * their node if all of them run.
     */
    double balance, waiting;

    unsigned nr_refused;
    const struct arrival *first_refused;        /* of the trace; or NULL */

    uint64_t median_ns, p99_ns; /* that a decision took */
    double end_seconds;         /* the time of the last arrival */
    double curves[NR_CURVES][NR_POINTS];
};

/* The policy's name is one of these, or stock libxl's order: stock.h. */
#define STOCK_NAME "stock"

/*
 * `policy` NULL: STOCK_NAME, for which `domains` (NULL: none) are those on
 * `host`, whose load is on it already. The outcome points into `trace`. `work`
 * (or NULL) is told of the guests.
 */
int simulate(const struct xln_host *host, const struct xln_domains *domains,
             const struct trace *trace, const struct xln_policy *policy,
             const struct work *work, struct outcome *outcome);

#endif /* SIMULATE_H */
