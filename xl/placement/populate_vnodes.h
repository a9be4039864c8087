/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of a restored domain with virtual nodes: each frame comes from the
 * node of its virtual node. The frames of a virtual node are fixed, because the
 * guest has seen them in its firmware's tables.
 */
#ifndef POPULATE_VNODES_H
#define POPULATE_VNODES_H

#include "populate.h"
#include "vnuma_record.h"

struct populate_range {
    uint64_t first, end;        /* frames, the end not among them */
    uint32_t vnode;
};

/* Without pointers to its own memory: two processes share it. */
struct populate_vnodes {
    unsigned nr_vnodes, nr_nodes, nr_ranges;
    /* For each virtual node its own node, then the others, nearest first; with
     * strict only its own node. */
    struct populate_node *nodes;    /* [nr_vnodes * nr_nodes] */
    struct populate_range *ranges;  /* [nr_ranges] */
};

/* Ready to restore a domain of `memory_bytes` on these nodes. 0 or -ENOMEM. */
int populate_vnodes_init(struct populate_vnodes *v,
                         const struct vnuma_record *record,
                         const struct xln_host *host, const unsigned *node_of,
                         bool strict, uint64_t memory_bytes);
void populate_vnodes_dispose(struct populate_vnodes *v);

/* As populate_extents(). An extent that is in two virtual nodes is not
 * populated: the caller comes back with smaller ones. */
long populate_vnodes_extents(struct populate_vnodes *v,
                             const struct populate_ops *ops, void *arg,
                             unsigned long nr, unsigned order,
                             xen_pfn_t *extents);

/* What a virtual node got, from any node but `but`; XLN_NONE: from all. */
uint64_t populate_vnodes_granted(const struct populate_vnodes *v,
                                 unsigned vnode, unsigned but);

/* Count it by node: each node that it may come from, once. 0 or -ENOMEM. */
int populate_vnodes_sum(const struct populate_vnodes *v,
                        struct populate *built);

/* Add what was granted to the counts of `built`. */
void populate_vnodes_note(const struct populate_vnodes *v,
                          struct populate *built);

#endif /* POPULATE_VNODES_H */
