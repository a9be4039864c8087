/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of a tree of clusters, for the files that make it (tree.c),
 * measure it (tree_measure.c) and search it (tree_search.c).
 */
#ifndef XLN_TREE_INSIDE_H
#define XLN_TREE_INSIDE_H

#include "search_state.h"

#define LEAF UINT_MAX

/* The figures of a set. */
struct state {
    uint64_t cost, distance_sum, bytes, spots;
    unsigned nr_cpus;           /* not more than are needed */
};

/* Of the sets of one number of nodes in one cluster. */
struct part {
    struct state *states;
    unsigned nr, size;

    /* Of all of them: the least, and the most, of each. */
    uint64_t min_cost, min_distance, min_bytes, max_bytes, max_cpus;
};

struct vertex {
    unsigned at, nr;            /* the run of positions */
    unsigned left, right;       /* vertices that stand before it; or LEAF */
    struct span gap;
    struct part *parts;         /* [nr + 1] */
};

/* What `count` nodes outside a cluster have together, at least and at most. */
struct outside {
    uint64_t min_bytes[TREE_NODES + 1], max_bytes[TREE_NODES + 1];
    uint64_t min_cpus[TREE_NODES + 1], max_cpus[TREE_NODES + 1];
};

struct xln__tree {
    struct search *s;
    unsigned order[TREE_NODES];  /* the slots */
    struct span gaps[TREE_NODES];    /* before each position but the first */
    struct vertex *vertices;    /* children first, the root last */
    unsigned nr;
    bool is_hierarchy, is_polished;
    bool sums_hold;             /* the gaps' sums are no larger, either */

    unsigned positions[TREE_NODES];  /* of the slots in the order */
    unsigned by_bytes[TREE_NODES], by_cpus[TREE_NODES];   /* slots, ascending */
    unsigned size;              /* of the sets that are measured */
    uint64_t need_bytes;        /* what their memory comes to at least */
    struct outside outside;     /* the vertex that is measured */
};

static inline uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Put slots in ascending order. */
void xln__tree_sort_slots(unsigned *slots, unsigned nr);

/* Whether the nodes of a cluster are equally far apart, cost the same and may
 * be any, and the policy wants the least memory that is enough (halves.h). */
bool xln__tree_has_windows(const struct xln__tree *t, const struct vertex *v);

/* The budget ended: make the best set better, some of its nodes at a time. */
void xln__tree_polish(struct xln__tree *t);

/* Whether a set with these figures fits. */
static inline bool xln__state_suffices(const struct search *s,
                                       const struct state *state)
{
    return state->bytes >= s->need_bytes && state->nr_cpus >= s->need_cpus &&
           !(s->nr_words && s->missing[0] & ~state->spots);
}

#endif /* XLN_TREE_INSIDE_H */
