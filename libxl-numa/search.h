/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for the best set of nodes. */
#ifndef XLN_SEARCH_H
#define XLN_SEARCH_H

#include "problem.h"

struct xln__found {
    struct xln_candidate best, next;    /* nodes NULL: no such set */
    unsigned nr_fitting;                /* this and what follows is as in */
    bool counted_all, exact;            /* struct xln_plan */
    struct xln_bound bound;
};

/*
 * Find the best and the next best set among `candidates`, which has at least
 * one node. As few requirements as possible are relaxed. If no set fits, `best`
 * is the set with most memory. problem->own_dma and own_cpus say whether the
 * DMA zone had to count, and whether the CPUs did. `found` is zero on entry;
 * the caller frees its sets on failure too.
 */
int xln__search_run(struct problem *problem,
                    const struct xln_nodemap *candidates,
                    struct xln__found *found);

/*
 * The same for several searches on one host that changes in between: what
 * distances and CPUs come to is found once. After a change, `nodes` are those
 * whose memory or load is another one.
 */
struct xln__searcher;
int xln__searcher_new(struct problem *problem,
                      const struct xln_nodemap *candidates,
                      struct xln__searcher **searcher_r);
void xln__searcher_free(struct xln__searcher *searcher);
void xln__searcher_update(struct xln__searcher *searcher,
                          const struct xln_nodemap *nodes);
int xln__searcher_find(struct xln__searcher *searcher,
                       struct xln__found *found);

/*
 * For many domains one after another, each of which takes memory: only the best
 * set is looked for from now on. Among more than 256 nodes it may be a set that is
 * less good than xln__search_run() would find, but has enough.
 */
void xln__searcher_hurry(struct xln__searcher *searcher);

/* The node that the domain fits on whole, without the DMA zone: the one that
 * xln__searcher_find() would find. XLN_NONE: there is none, or it is not that
 * simple. Only before the first xln__searcher_find(). */
unsigned xln__searcher_single(const struct xln__searcher *searcher);

#endif /* XLN_SEARCH_H */
