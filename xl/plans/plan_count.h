/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many domains like one fit on a host, one after the other. */
#ifndef PLAN_COUNT_H
#define PLAN_COUNT_H

#include "planner.h"

struct plan_count {
    unsigned nr_fit, nr_relaxed;
    unsigned nr_nodes;          /* of the host */
    unsigned *by_size;          /* [nr_nodes + 1]: those that fit, by number of
                                 * nodes */
    enum decide_status first;   /* of the first one */

    /* When one does not fit as asked any more: whether it is for the CPUs;
     * what is left then, and how much of it on one node. */
    bool full, of_cpus;
    uint64_t left_bytes, most_bytes;
};

/* `d` is planned again and again, and is then the last one. To be disposed of
 * either way. */
bool plan_count(struct planned *d, const struct xln_host *host,
                struct plan_count *count);
void plan_count_dispose(struct plan_count *count);

#endif /* PLAN_COUNT_H */
