/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choose the node for each extent of a domain that is being built, until the
 * plan's shares are used up.
 */
#ifndef POPULATE_H
#define POPULATE_H

#include <stdbool.h>
#include <stdint.h>

#include <libxl_numa.h>

/* The hypervisor, as far as this file needs it. */
struct populate_ops {
    /* Ask for `nr` extents of 2^order pages from `node` and no other. As
     * xc_domain_populate_physmap(): how many were granted, or -1. */
    long (*ask)(void *arg, unsigned node, unsigned long nr, unsigned order,
                xen_pfn_t *extents);
    /* How much of `node` is free. */
    uint64_t (*free_bytes)(void *arg, unsigned node);
};

struct populate_node {
    unsigned node;
    uint64_t share_pages;       /* of the plan */
    uint64_t owed_pages;        /* of that, not yet granted */
    uint64_t granted_pages;
    unsigned max_order;         /* it has nothing larger */
    bool full;
};

struct populate {
    unsigned nr_nodes;
    struct populate_node *nodes;    /* the plan's, then the others, nearest
                                     * first; strict: the plan's alone */
};

/*
 * Ready to build a domain of `memory_bytes` by `plan`. 0 or -ENOMEM.
 */
int populate_init(struct populate *p, const struct xln_plan *plan, bool strict,
                  uint64_t memory_bytes);
void populate_dispose(struct populate *p);

/*
 * What xc_domain_populate_physmap() owes its caller: populate `nr` extents of
 * 2^order pages in the order they stand in `extents`, and return how many of
 * them, from the first on, were; -1 with errno if the hypervisor refused the
 * call. Fewer than `nr` makes the domain builder come back with smaller ones.
 */
long populate_extents(struct populate *p, const struct populate_ops *ops,
                      void *arg, unsigned long nr, unsigned order,
                      xen_pfn_t *extents);

/* The builder itself named `node`, and these pages were granted: those of a
 * virtual node. */
void populate_note(struct populate *p, unsigned node, uint64_t pages);

/* Pages granted so far on `nodes`; NULL: on all. */
uint64_t populate_granted(const struct populate *p,
                          const struct xln_nodemap *nodes);

#endif /* POPULATE_H */
