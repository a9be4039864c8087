/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_POLICY_H
#define XLN_POLICY_H

#include "problem.h"

/* What a policy compares, for a search that skips sets that cannot be the
 * best. */
enum xln__bound {
    XLN__BOUND_UNKNOWN,         /* other figures, or more */
    XLN__BOUND_NUMBERS,         /* only the numbers of the nodes */
    XLN__BOUND_LEAST_BYTES,     /* usable_bytes, then the numbers */
    XLN__BOUND_MOST_BYTES,
};

struct xln_policy {
    const char *name;
    const char *name_2012;      /* NULL: it has no second name */
    bool uses_load;
    /* < 0: a is the better of two sets that are equally many nodes (`nr`) at
     * equal distances; 0: no difference, the lower numbers win. Only the
     * figures count: `nodes` is NULL here. */
    int (*compare)(const struct problem *problem, unsigned nr,
                   const struct xln_candidate *a,
                   const struct xln_candidate *b);
    /* What compare() goes by first; of two sets the one with less is better. */
    uint64_t (*price)(const struct problem *problem, unsigned nr,
                      const struct xln_candidate *c);
    enum xln__bound bound;
};

#endif /* XLN_POLICY_H */
