/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"
#include "tree_inside.h"

/*
 * Nodes that are at most d apart from a neighbour, and so on, are a cluster at
 * d; a set whose largest distance is d lies in one cluster at d. The clusters
 * at all distances form a tree: one that is cut in two at the largest of its
 * gaps is a vertex with two children, a node by itself is a leaf. Clusters are
 * found by always going on to the node that is nearest to any before (Prim):
 * in that order every cluster is a run, and `gap` is how far each was.
 *
 * Example: 0 and 1, and 2 and 3, are 15 apart, all others 30. The order is 0,
 * 1, 2, 3 with gaps of 15, 30 and 15; the root is cut before 2.
 *
 * Two nodes are at least as far apart as the gap of the vertex where they
 * part. With that for a distance each vertex and number of nodes has a list of
 * what is possible: of the sets of so many nodes in the cluster, the figures of
 * those to which no other is equal or better in all of cost, distances,
 * memory, CPUs and affinities. A vertex' lists follow from its children's: a
 * nodes of the left and b of the right have a * b pairs across. The root's say
 * how few nodes can do and at what cost, and all of them together how near
 * these can be to each other: tree_measure(). As distances are but larger than
 * gaps these are bounds, and the number of nodes and the cost are exact.
 *
 * Where all distances are those of the gaps (sockets on boards, a hierarchy)
 * the distances are exact too. What is left is to choose by the policy and by
 * numbers among the sets of just these figures: tree_search() builds them top
 * down, from how many nodes each child has, and the lists tell it which
 * divisions have no such set.
 */
static void find_order(struct xln__tree *t)
{
    const struct search *s = t->s;
    struct span nearest[TREE_NODES];
    bool taken[TREE_NODES] = { false };
    unsigned last = 0;

    for (unsigned i = 0; i < s->nr; i++)
        nearest[i] = (struct span){ XLN_NONE, UINT64_MAX };
    t->order[0] = 0;
    for (unsigned at = 1; at < s->nr; at++) {
        unsigned best = XLN_NONE;

        taken[last] = true;
        for (unsigned i = 0; i < s->nr; i++) {
            struct span span;

            if (taken[i])
                continue;
            span = xln__span_between(s, last, i);
            if (xln__span_compare(span, nearest[i]) < 0)
                nearest[i] = span;
            if (best == XLN_NONE ||
                xln__span_compare(nearest[i], nearest[best]) < 0)
                best = i;
        }
        t->order[at] = last = best;
        t->gaps[at] = nearest[best];
    }
}

static void compare_gaps(struct xln__tree *t)
{
    t->is_hierarchy = t->sums_hold = true;
    for (unsigned a = 0; a < t->s->nr; a++) {
        struct span gap = { 0, 0 };

        for (unsigned b = a + 1; b < t->s->nr; b++) {
            struct span span =
                xln__span_between(t->s, t->order[a], t->order[b]);

            if (xln__span_compare(t->gaps[b], gap) > 0)
                gap = t->gaps[b];
            if (xln__span_compare(span, gap))
                t->is_hierarchy = false;
            if (gap.sum > span.sum)
                t->sums_hold = false;
        }
    }
}

/* Make the vertex of a run, after its children. Returns its number, or LEAF:
 * there is no memory for it. */
static unsigned make_vertex(struct xln__tree *t, unsigned at, unsigned nr)
{
    struct vertex v = { .at = at, .nr = nr, .left = LEAF, .right = LEAF };

    if (nr > 1) {
        unsigned cut = at + 1;

        for (unsigned i = at + 2; i < at + nr; i++) {
            if (xln__span_compare(t->gaps[i], t->gaps[cut]) > 0)
                cut = i;
        }
        v.gap = t->gaps[cut];
        v.left = make_vertex(t, at, cut - at);
        v.right = make_vertex(t, cut, at + nr - cut);
        if (v.left == LEAF || v.right == LEAF)
            return LEAF;
    }
    v.parts = calloc(nr + 1, sizeof(*v.parts));
    if (!v.parts)
        return LEAF;
    t->vertices[t->nr] = v;
    return t->nr++;
}

int xln__tree_new(struct search *s, struct xln__tree **tree_r)
{
    struct xln__tree *t;

    if (s->nr > TREE_NODES || s->nr_words > 1)
        return 0;
    t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->s = s;
    t->vertices = calloc(2 * s->nr, sizeof(*t->vertices));
    if (!t->vertices)
        goto fail;
    find_order(t);
    compare_gaps(t);
    if (make_vertex(t, 0, s->nr) == LEAF)
        goto fail;
    *tree_r = t;
    return 0;

 fail:
    xln__tree_free(t);
    return -ENOMEM;
}

void xln__tree_free(struct xln__tree *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->nr; i++) {
        for (unsigned nr = 0; nr <= t->vertices[i].nr; nr++)
            free(t->vertices[i].parts[nr].states);
        free(t->vertices[i].parts);
    }
    free(t->vertices);
    free(t);
}
