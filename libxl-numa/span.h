/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Distances, as sets of nodes are compared by them. */
#ifndef XLN_SPAN_H
#define XLN_SPAN_H

#include "libxl_numa.h"

/* One node's distance to another or to a set, or within a set. */
struct span {
    unsigned max;
    uint64_t sum;
};

/* Two nodes that are as far apart either way. */
static inline struct span xln__span_both_ways(unsigned distance)
{
    return (struct span){ .max = distance, .sum = 2 * (uint64_t)distance };
}

/* Firmware may tell the two directions apart: the larger one counts for both,
 * as a guest on the two nodes goes either way. */
static inline struct span xln__span_of_ways(unsigned there, unsigned back)
{
    return xln__span_both_ways(there > back ? there : back);
}

static inline struct span xln__span_of(const struct xln_host *host,
                                       unsigned a, unsigned b)
{
    return xln__span_of_ways(xln_host_distance(host, a, b),
                             xln_host_distance(host, b, a));
}

static inline struct span xln__span_add(struct span a, struct span b)
{
    return (struct span){
        .max = a.max > b.max ? a.max : b.max,
        .sum = a.sum + b.sum,
    };
}

static inline int xln__span_compare(struct span a, struct span b)
{
    if (a.max != b.max)
        return a.max < b.max ? -1 : 1;
    return (a.sum > b.sum) - (a.sum < b.sum);
}

#endif /* XLN_SPAN_H */
