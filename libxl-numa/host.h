/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of a host, for the files that make one, and for the search, which
 * reads all distances. A file that makes a host fills in what its source says,
 * and then calls xln__host_finish(), which derives the rest and checks it.
 * After that the host does not change.
 */
#ifndef XLN_HOST_H
#define XLN_HOST_H

#include "libxl_numa.h"
#include "text/units.h"

/* With it as the bound, sums over XLN_MAX_NODES nodes stay below 2^63. */
#define XLN__MAX_NODE_BYTES MEMORY_MAX_BYTES

struct xln_host {
    unsigned nr_cpus, nr_nodes, nr_pools;

    /* What a copy has of its own: load, cores, memory and guests change from one
     * to the next. All that follows does not, and belongs to all copies
     * together: with 1024 nodes the distances alone are 4 MiB. */
    struct xln_host_cpu *cpus;      /* [nr_cpus] */
    struct xln_host_node *nodes;    /* [nr_nodes]; `cpus` is derived */
    uint64_t *guests;               /* the memory of each running one; NULL:
                                     * unknown. [nr_guests] */
    unsigned nr_guests;

    unsigned *nr_owners;            /* how many copies there are */
    bool *cpu_exists;
    struct xln_nodemap *exists;     /* which of them the host has */
    unsigned *distances;            /* [from * nr_nodes + to] */

    struct xln_host_pool *pools;    /* [nr_pools]; the sets are owned */

    struct xln_node_cpus node_cpus; /* derived, [nr_nodes] */

    /* Derived: see host_homes.c. `near_cpus` is NULL where no other node's CPUs
     * belong to the node. [nr_nodes] */
    unsigned *homes;
    struct xln_cpumap **near_cpus;

    /* Derived: of each CPU the first of its scheduling unit, see host_units.c;
     * NULL: each is its own. [nr_cpus] */
    unsigned *units;
};

/*
 * A host of this size without a CPU, a node or a cpupool in it; all distances
 * are XLN_NONE. -ERANGE: above XLN_MAX_CPUS or XLN_MAX_NODES, or none of one.
 */
int xln__host_new(unsigned nr_cpus, unsigned nr_nodes, unsigned nr_pools,
                  struct xln_host **host_r);

/*
 * Derive the nodes' CPU sets, and what they are near to. -EINVAL: a CPU is on a
 * node that does not exist; a node has more free memory than memory, or more in
 * the DMA zone than is free; or it is larger than XLN__MAX_NODE_BYTES.
 */
int xln__host_finish(struct xln_host *host);

/* The parts of it for CPUs on nodes without memory, and for scheduling
 * units. */
int xln__host_find_homes(struct xln_host *host);
int xln__host_find_units(struct xln_host *host);

#endif /* XLN_HOST_H */
