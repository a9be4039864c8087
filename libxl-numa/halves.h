/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The best set of nodes that are all equally far from each other, for a policy
 * that looks for the least memory that is enough.
 */
#ifndef XLN_HALVES_H
#define XLN_HALVES_H

#include "search_state.h"

#define HALVES_MAX 26

/* Sets that have some slots in any case, and so many of others, which are in
 * ascending order, equally far apart and from the fixed ones, and cost the
 * same. */
struct xln__window {
    unsigned slots[HALVES_MAX], nr, size;
    const unsigned *fixed;
    unsigned nr_fixed;
    struct span span;           /* of each such set */
    uint64_t cost;
};

/*
 * Offer the best of these sets, without regard to affinities. False: the
 * budget ended, or there is no memory for it; then a better set may have been
 * missed.
 */
bool xln__halves_search(struct search *s, const struct xln__window *window);

#endif /* XLN_HALVES_H */
