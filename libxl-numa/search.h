/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for the best set of nodes. */
#ifndef XLN_SEARCH_H
#define XLN_SEARCH_H

#include "job.h"

/*
 * Find the best and the next best set among `candidates`, of which there is at
 * least one, with as little given up as can be: `best` fits unless nothing
 * does, then it is what has most memory. job->own_dma and own_cpus say whether
 * the DMA zone had to count, and whether the CPUs did. `best` and `next` have `nodes` NULL on entry and, if
 * there is no such set, on return; the caller frees them on failure too.
 */
int xln__search(struct job *job, const struct xln_nodemap *candidates,
                struct xln_candidate *best, struct xln_candidate *next,
                unsigned *nr_fitting);

#endif /* XLN_SEARCH_H */
