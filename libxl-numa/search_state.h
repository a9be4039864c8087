/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sets of nodes under a search: the nodes that they are made of, what a set
 * must have, the set under construction, and the best two so far.
 */
#ifndef XLN_SEARCH_STATE_H
#define XLN_SEARCH_STATE_H

#include "cores.h"
#include "problem.h"
#include "policy.h"
#include "span.h"

/* With more nodes than this there is no tree of clusters (tree.h). */
#define TREE_NODES 256

/* A node that sets are made of. Slots are in ascending order of nodes. */
struct slot {
    unsigned node;
    unsigned nr_cpus;
    uint64_t bytes;
    uint64_t cost, load, crowding;      /* see struct problem */
};

/* Some slots, in ascending order. */
struct set {
    unsigned nr;
    unsigned *slots;
    struct xln_candidate figures;   /* without `nodes` */
};

/* How many CPUs a set must have: as many as vCPUs, until that is relaxed; then
 * one, if the nodes have any; then none. */
enum xln__cpus { XLN__CPUS_NONE, XLN__CPUS_ONE, XLN__CPUS_ALL };

/* What two sets of equally many nodes are compared by before the policy. */
struct level {
    uint64_t cost;
    unsigned distance;
};

struct search {
    const struct problem *problem;
    const struct xln_policy *policy;

    struct slot *slots;
    unsigned nr;
    unsigned *distances;        /* [a * nr + b], see xln__span_between() */
    struct span least, most;    /* of two: the least max and sum; the largest */
    unsigned max_nr;            /* of a set */

    /* What a set must have. */
    bool with_dma;
    enum xln__cpus cpus;
    uint64_t need_bytes;
    unsigned need_cpus;
    bool need_cores;            /* one for each vCPU, by the deck */

    struct xln__deck *deck;     /* of all slots; NULL: numbers tell all */
    struct xln_nodemap *dealt;  /* for the deck: the nodes of `now` */

    /* Sets of affinities, a bit each: those with a CPU on one slot, or on
     * any slot from this one up. [slot * nr_words + word] */
    unsigned nr_words;
    uint64_t *spots_of, *spots_from;

    /* What the largest `count` from slot `from` up have together, where `from`
     * is a multiple of the step: see xln__top_of(). */
    unsigned top_step;
    bool has_top_bytes;         /* they are those of the slots now */
    uint64_t *top_bytes, *top_cpus;
    /* What the largest `count` of all have together of memory and CPUs, each
     * as a part of what is needed: [count]; see xln__search_parts(). */
    uint64_t *top_both;
    uint64_t *least_cost;       /* of one from slot `from` up: [from] */
    uint64_t *sorted;           /* for filling in these */
    bool is_flat;               /* all are equally far apart: then slots, with
                                 * most memory first */
    unsigned *by_bytes;

    /* The set under construction. */
    struct set now;
    bool *in_now, *list;        /* [slot]; `list` is for trim() */
    struct span *reach;         /* of each slot to the first `nr` added:
                                 * [nr * s->nr + slot]; see extend() */
    uint64_t *missing;          /* affinities without a CPU in the first `nr`
                                 * slots added: [nr * nr_words + word] */

    struct set best, next;      /* nr 0: none yet */
    uint64_t nr_better;         /* how often a better one was found */
    unsigned size;              /* of the sets looked for */
    unsigned nr_fitting;        /* of these, that were built */
    bool counted_all;           /* no set was skipped */

    /* How much may still be spent; a unit is one look at one node, about a
     * nanosecond. Counted, not timed, so that a plan is reproducible. */
    uint64_t budget;

    /* See xln__searcher_hurry(). No pair that fits is below this level. */
    bool hurried;
    struct level least_level;

    struct xln__ahead *ahead;   /* NULL: the search does not use it, see
                                   ahead.h */

    /* What no set can beat, as far as it is known, and the cost at which the
     * distances in it hold. */
    struct xln_bound bound;
    uint64_t bound_cost;
    bool exact;                 /* no set is better than `best` */
};

/* The least `top_both` of a set that fits. */
#define XLN__BOTH (UINT64_C(2) << 20)

/* How much of what is needed a slot has, in parts of 2^20, and not more. */
struct xln__parts {
    uint64_t bytes, cpus;
};
struct xln__parts xln__search_parts(const struct search *s, unsigned slot);

int xln__search_new(const struct problem *problem,
                    const struct xln_nodemap *nodes, struct search **search_r);
void xln__search_free(struct search *s);

/* Say what a set must have, and forget all sets. */
void xln__search_begin(struct search *s, bool with_dma, enum xln__cpus cpus);

/* These nodes have another load, and other memory without the DMA zone. */
void xln__search_update(struct search *s, const struct xln_nodemap *nodes);

/* Fill in what sets of several slots need, after xln__search_begin(): all
 * distances; and what the largest come to, too. -ENOMEM. */
int xln__search_measure(struct search *s);
int xln__search_prepare(struct search *s);

/* The set under construction: empty it; add a slot that is not in, or one whose
 * distances to it are known; take the highest out again, which was the last to
 * be added, the figures being `before` without it. */
void xln__search_clear(struct search *s);
void xln__search_push(struct search *s, unsigned slot);
void xln__search_push_span(struct search *s, unsigned slot, struct span to_now);
void xln__search_pop(struct search *s, const struct xln_candidate *before);

/* Whether every affinity has a CPU in it, or in slots from `from` up. */
bool xln__search_has_spots(const struct search *s, unsigned from);
bool xln__search_fits(const struct search *s);

/* It fits by its figures: keep it if it is one of the best two. False: it is
 * not, and may lack cores that suit the vCPUs. */
bool xln__search_offer(struct search *s);
void xln__search_assign(struct set *to, const struct set *from);

/* Offer all sets that differ from the best one in one node, with up to 256
 * nodes. */
void xln__search_exchange(struct search *s);

/* Offer sets that differ from the best one in several nodes and are nearer. */
void xln__search_descend(struct search *s);

/* The node that is the best set of one, after xln__search_begin(). XLN_NONE: none
 * fits, or figures alone do not decide. */
unsigned xln__search_single(const struct search *s);

/* Find the best two pairs, and how many there are, if it goes by figures alone;
 * after xln__search_measure(). Nothing is found: see several. -ENOMEM. */
int xln__search_pairs(struct search *s);

/* Offer sets that have fewer nodes than the best one, as long as some weighing
 * of memory against CPUs leads to one. */
void xln__search_fewer(struct search *s);

static inline void xln__search_spend(struct search *s, uint64_t units)
{
    s->budget -= s->budget < units ? s->budget : units;
}

/* By count; of the slots from `from` up, and of some below it if there is a
 * step: at least what those come to. The first row is exact. */
static inline uint64_t *xln__top_of(const struct search *s, uint64_t *top,
                                    unsigned from)
{
    return top + (size_t)(from / s->top_step) * (s->nr + 1);
}

/* From one slot to all. */
static inline const unsigned *xln__distances_of(const struct search *s,
                                                unsigned slot)
{
    return s->distances + (size_t)slot * s->nr;
}

static inline struct span xln__span_between(const struct search *s, unsigned a,
                                            unsigned b)
{
    return xln__span_both_ways(xln__distances_of(s, a)[b]);
}

static inline struct span xln__set_span(const struct set *set)
{
    return (struct span){ set->figures.distance_max,
                          set->figures.distance_sum };
}

#endif /* XLN_SEARCH_STATE_H */
