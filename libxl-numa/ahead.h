/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bound on how near the nodes of a set under construction can be to each
 * other, by the distances of the nodes that may be added. It is closer than
 * that of search.c, for the hosts on which it saves time.
 */
#ifndef XLN_AHEAD_H
#define XLN_AHEAD_H

#include "search_state.h"

#define AHEAD_NODES 64

struct xln__ahead;

/* For what a set must have now. NULL: there are too many nodes for it, or all
 * are equally far apart, or there is no memory. */
struct xln__ahead *xln__ahead_new(const struct search *s);
void xln__ahead_free(struct xln__ahead *ahead);

/*
 * Whether the set, which costs as much as `limit`, may come to be nearer than
 * this, or as near, with `left` slots above `slot`, its last. `left`: 1 at
 * least. `to`: the distance of each of them to the set. `none_nearer`: it is
 * known that no set has a smaller largest distance.
 */
bool xln__ahead_may_be_near(struct xln__ahead *ahead, const struct search *s,
                            unsigned slot, unsigned left,
                            const struct span *to, struct span limit,
                            bool none_nearer);

#endif /* XLN_AHEAD_H */
