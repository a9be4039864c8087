/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The gaps that guests could use which are like the running ones: how much more
 * of their memory is split over nodes because a gap is lost.
 */
#ifndef XLN_GAPS_H
#define XLN_GAPS_H

#include "libxl_numa.h"

#define XLN__GAP_CLASSES 32

/* Guests of about equal size. */
struct xln__gap_class {
    uint64_t bytes;             /* of the largest */
    uint64_t nr, mib;           /* of the guests, and of all their memory */

    uint64_t nr_gaps;           /* how many such guests the nodes have room for */
    uint64_t ratio, chance;     /* see gaps.c, in parts of CHANCE_ONE */
    uint64_t loss_of_one;       /* by how much it grows if one gap is lost */
    uint64_t weight;            /* a part of the memory of all classes */
};

struct xln__gaps {
    bool known;                 /* false: the running guests are unknown */
    uint64_t need_bytes;
    uint64_t largest_bytes;     /* the memory of the largest node */
    unsigned nr_classes, own;   /* `own`: of the domain; XLN_NONE: none */
    struct xln__gap_class classes[XLN__GAP_CLASSES];    /* ascending */
};

/* The gaps of this host, for its running guests and a domain of `need_bytes`. */
void xln__gaps_init(struct xln__gaps *gaps, const struct xln_host *host,
                    uint64_t need_bytes);

/* Before such a domain is placed on these nodes: their gaps do not count any more.
 * After that: what is left of them counts, and the domain runs. */
void xln__gaps_drop(struct xln__gaps *gaps, const struct xln_host *host,
                    const struct xln_nodemap *nodes);
void xln__gaps_add(struct xln__gaps *gaps, const struct xln_host *host,
                   const struct xln_nodemap *nodes);

/* How much more of the guests' memory will be split if the domain is on a node
 * with so much usable memory, in parts of XLN__LOSS_ONE. */
#define XLN__LOSS_ONE (UINT64_C(1) << 24)
uint64_t xln__gaps_loss(const struct xln__gaps *gaps, uint64_t usable_bytes);

#endif /* XLN_GAPS_H */
