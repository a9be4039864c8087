/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes of a search as a tree of clusters, by their distances. It gives
 * bounds for all sets without building them. If the distances form a hierarchy,
 * it gives the best set.
 */
#ifndef XLN_TREE_H
#define XLN_TREE_H

#include "search_state.h"

struct xln__tree;

/* NULL in *tree_r: there are too many nodes for it. -ENOMEM. */
int xln__tree_new(struct search *s, struct xln__tree **tree_r);
void xln__tree_free(struct xln__tree *tree);

/*
 * Find s->bound for what a set must have now: nr_nodes is the number of nodes
 * of the best set then, or more than s->max_nr if nothing fits. False: the
 * budget ended, the bound is as it was.
 */
bool xln__tree_measure(struct xln__tree *tree);

/* After that: find the best set. False: the distances form no hierarchy, or
 * the budget ended; s->best may have become better. */
bool xln__tree_search(struct xln__tree *tree);

/* Whether the best set became better when the budget ended, as far as it could
 * with some of its nodes at a time. */
bool xln__tree_is_polished(const struct xln__tree *tree);

#endif /* XLN_TREE_H */
