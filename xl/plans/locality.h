/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How near a domain's memory is to its vCPUs: figures from counts of pages. All
 * are whole numbers, rounded down, so that 1000 of 1000 means all of the
 * memory.
 */
#ifndef LOCALITY_H
#define LOCALITY_H

#include "libxl_numa.h"

struct locality {
    uint64_t total_pages;
    bool known;                 /* the rest is: it has memory, and vCPUs
                                 * that can run somewhere */
    unsigned local_permille;    /* of its memory, on the nodes of its vCPUs or,
                                 * if these have none, on the nearest that
                                 * have */
    bool apart;                 /* that is less than half */
    bool has_distance;          /* every distance that counts is known */
    unsigned distance_thousandths;
};

/* `pages` is by node of `host`. The distance is the mean over all pages, and
 * for each page over all nodes of its vCPUs: from there to the page. */
void locality_of(const struct xln_host *host, const uint64_t *pages,
                 const struct xln_nodemap *vcpu_nodes,
                 struct locality *locality_r);

/*
 * The permille of samples, `seen` by node, that were on nodes that hold at
 * least a hundredth of the memory: a single page somewhere is not a home.
 * XLN_NONE: no sample, or no memory.
 */
unsigned locality_on_node(unsigned nr_nodes, const uint64_t *pages,
                          const uint64_t *seen);

#endif /* LOCALITY_H */
