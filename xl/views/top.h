/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `xl numa-top` knows about a host: the latest snapshot, the CPU time
 * since the previous one, and what to do about each remote domain.
 */
#ifndef TOP_H
#define TOP_H

#include "map.h"

enum top_advice {
    TOP_NOTHING,                /* it is local, or nothing is known */
    TOP_COUNT_IT,               /* its memory is unknown: Xen can count it */
    TOP_MOVE_IT,                /* to target_node, or to all nodes of its
                                 * vCPUs */
    TOP_NO_ROOM,                /* on the nodes of its vCPUs */
    TOP_RUNS_AWAY,              /* from memory that its affinity fits */
};

struct top_domain {
    const struct map_domain *d;
    double cpu_percent;         /* of one CPU; < 0: unknown */
    double cost;                /* see map_cost() */
    enum top_advice advice;
    unsigned target_node;       /* XLN_NONE: no single one */
};

/* A node, or all nodes of a socket. */
struct top_place {
    unsigned number;            /* XLN_NONE: nodes without CPUs */
    struct xln_nodemap *nodes;
    uint64_t total_bytes, free_bytes, local_bytes, remote_bytes;
    unsigned nr_cpus, nr_running;   /* vCPUs that run at this moment */
};

/* All 0 at first; top_dispose() in any case. */
struct top {
    struct xln_snapshot *snapshot;  /* NULL: none yet */
    struct map *map;
    struct top_domain *domains; /* as the map has them: the worst one first */
    unsigned nr_domains;
    struct top_place *nodes, *sockets;
    unsigned nr_nodes, nr_sockets;

    struct xln_snapshot *before;
    double time_s, between_s;   /* when the latest one was taken, and how long
                                 * after the previous one */
};

/*
 * Add the next snapshot, with its domains, which is taken over in any case.
 * `time_s`: when it was taken, by a clock that nobody sets. Pages that Xen
 * counted for an earlier one are kept for the domains that still have as much
 * memory. 0 or -ENOMEM: the previous one is still there.
 */
int top_add(struct top *top, struct xln_snapshot *snapshot, double time_s);
void top_dispose(struct top *top);

/* NULL: it is not there. */
const struct top_domain *top_find(const struct top *top, uint32_t domid);

/* How much of a CPU a vCPU has used since the snapshot before; < 0: unknown. */
double top_vcpu_percent(const struct top *top, const struct xln_domain *domain,
                        unsigned vcpu);

#endif /* TOP_H */
