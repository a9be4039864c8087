/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ahead.h"
#include "search.h"
#include "search_state.h"
#include "tree.h"

/*
 * With up to so many nodes all sets are looked at that could be best or second
 * best. With more that is tried with little, in units of struct search, before
 * another way is; then again, to the end with up to MAX_PROVEN nodes, whatever
 * their distances are, or with what some milliseconds are enough for; some tens
 * of them with more than MAX_SMALL nodes.
 */
#define MAX_SEEN 16
#define MAX_PROVEN 24
#define MAX_SMALL 64
#define FIRST_BUDGET UINT64_C(200000)
#define GREEDY_BUDGET UINT64_C(2500000)
#define IMPROVE_BUDGET UINT64_C(1000000)

static const struct budgets {
    uint64_t measure, tree, last;
} small = { 4000000, 1500000, 2500000 }, large = { 20000000, 5000000, 2500000 };

/* In a hurry, among many nodes, it is this part of them. */
#define HURRIED 16

static void budget(struct search *s, uint64_t units)
{
    s->budget = s->hurried && s->nr > TREE_NODES ? units / HURRIED : units;
}

/*
 * A set of k nodes is looked for, k rising until there is one that fits; so
 * the first k at which anything fits is the fewest. (Where tree.c could tell
 * it beforehand, only that k is tried.)
 *
 * For one k, sets are built depth first from the lowest slot up, and a
 * partial set is dropped as soon as
 *  - the largest of what may still be added cannot make up what it lacks in
 *    memory or CPUs (`top_bytes`, `top_cpus`), or an affinity has no node
 *    among what may still be added (`spots_from`); or
 *  - it costs more, or its distances exceed, what the second best set found
 *    does: both only grow as nodes are added. (The second, because plans show
 *    it.) Counted with it is the least that is still to come: look_ahead().
 *
 * Example: need 5, slots 0 to 3 have 1, 4, 2 and 3; {0,1} and {2,3} are 20
 * apart, all others 30. k = 1: the largest has 4, nothing to build. k = 2:
 * {0,1} fits. {0,2} is not built, nor {0,3}: from slot 2 up the largest is 3,
 * and 1 + 3 is not enough. {1,2} fits and is second; {1,3} is as far, so it
 * is built, and the policy decides between the two. {2,3} fits: nearer than
 * the second and as near as {0,1}, the policy again. Slot 3 has none after
 * it. Four sets fit.
 *
 * So that there is always something to compare with, and to return should
 * the budget end, a few sets are first grown greedily: offer_greedy().
 */

/* Whether slots from `from` up can complete the set under construction. */
static bool can_reach(const struct search *s, unsigned from)
{
    const struct xln_candidate *figures = &s->now.figures;
    unsigned left = s->size - s->now.nr;

    if (s->nr - from < left)
        return false;
    if (figures->usable_bytes + xln__top_of(s, s->top_bytes, from)[left] <
        s->need_bytes)
        return false;
    if (figures->nr_cpus + xln__top_of(s, s->top_cpus, from)[left] <
        s->need_cpus)
        return false;
    return xln__search_has_spots(s, from);
}

/* The slots after the last one that are near enough to the set. */
struct ahead {
    unsigned nr_near, nr_nearer;    /* within the limit, and below it */
    uint64_t least_sum;             /* of one that is near */
};

/* Bring the distances of all slots from `from` up to the set under
 * construction up to date: `slot` was added last. */
static void reach_from(struct search *s, unsigned slot, unsigned limit_max,
                       struct ahead *ahead)
{
    const unsigned *distances = xln__distances_of(s, slot);
    struct span *to = s->reach + (size_t)s->now.nr * s->nr;
    const struct span *before = to - s->nr;

    *ahead = (struct ahead){ .least_sum = UINT64_MAX };
    for (unsigned i = slot + 1; i < s->nr; i++) {
        to[i] = xln__span_add(before[i], xln__span_both_ways(distances[i]));
        if (to[i].max > limit_max)
            continue;
        ahead->nr_near++;
        ahead->nr_nearer += to[i].max < limit_max;
        if (to[i].sum < ahead->least_sum)
            ahead->least_sum = to[i].sum;
    }
    xln__search_spend(s, s->nr - slot);
}

/* Whether no set of this size and cost is nearer than `max`. */
static bool none_nearer(const struct search *s, const struct set *limit)
{
    return s->bound.nr_nodes == s->size &&
           s->bound_cost == limit->figures.cost &&
           s->bound.distance_max >= limit->figures.distance_max;
}

/* Whether the set may become near enough, by a bound that takes longer to
 * compute. */
static bool look_closer(struct search *s, unsigned slot, unsigned left)
{
    const struct set *limit = &s->next;

    /* With few slots left a closer look saves little. */
    if (!s->ahead || left < 3)
        return true;
    xln__search_spend(s, 2 * s->nr);
    return xln__ahead_may_be_near(s->ahead, s, slot, left,
                                  s->reach + (size_t)s->now.nr * s->nr,
                                  xln__set_span(limit), none_nearer(s, limit));
}

/* Whether a set with the slot added last may come to be the best, or the
 * second best, when `left` more are added. */
static bool look_ahead(struct search *s, unsigned slot)
{
    const struct set *limit = &s->next;
    struct span goal = xln__set_span(limit);
    unsigned left = s->size - s->now.nr;
    bool bounded = limit->nr == s->size;
    uint64_t cost = s->now.figures.cost;
    struct ahead ahead = { 0 };
    uint64_t sum;

    if (left) {
        reach_from(s, slot, bounded ? goal.max : XLN_NONE, &ahead);
        if (s->least_cost[slot + 1] != UINT64_MAX)
            cost += left * s->least_cost[slot + 1];
    }
    /* Single nodes are all counted, not skipped. */
    if (s->size == 1)
        return true;
    if (!bounded || cost != limit->figures.cost)
        return !bounded || cost < limit->figures.cost;
    if (!left)
        return xln__span_compare(xln__set_span(&s->now), goal) <= 0;
    if (s->now.figures.distance_max > goal.max || ahead.nr_near < left)
        return false;
    if (s->now.figures.distance_max < goal.max && ahead.nr_nearer >= left &&
        !none_nearer(s, limit))
        return look_closer(s, slot, left);
    sum = s->now.figures.distance_sum + left * ahead.least_sum +
          (uint64_t)left * (left - 1) / 2 * s->least.sum;
    return sum <= goal.sum && look_closer(s, slot, left);
}

/* Try every way to complete the set with slots from `from` up. */
static void extend(struct search *s, unsigned from)
{
    const struct span *to_now = s->reach + (size_t)s->now.nr * s->nr;
    struct xln_candidate before = s->now.figures;

    if (s->now.nr == s->size) {
        if (!xln__search_fits(s))
            return;
        if (xln__search_offer(s))
            s->nr_fitting++;
        else
            s->counted_all = false;
        return;
    }
    for (; s->budget && can_reach(s, from); from++) {
        xln__search_push_span(s, from, to_now[from]);
        xln__search_spend(s, 8 + s->nr_words);
        if (look_ahead(s, from))
            extend(s, from + 1);
        else
            s->counted_all = false;
        xln__search_pop(s, &before);
    }
}

/* ---- sets to begin with ---- */

/* What has most memory of what is not in the set, or the lowest of these.
 * XLN_NONE: nothing has any. */
static unsigned pick_largest(const struct search *s)
{
    unsigned best = XLN_NONE;

    for (unsigned i = 0; i < s->nr; i++) {
        if (!s->in_now[i] && s->slots[i].bytes &&
            (best == XLN_NONE || s->slots[i].bytes > s->slots[best].bytes))
            best = i;
    }
    return best;
}

/* What to add to the set next, to which `slot` was added last: bring the
 * distances to it up to date, and take the nearest, of equally near ones what
 * has most memory, then the lowest. XLN_NONE: all are in it. */
static unsigned pick_nearest(const struct search *s, unsigned slot)
{
    const unsigned *distances = xln__distances_of(s, slot);
    struct span *to_now = s->reach, least = { XLN_NONE, UINT64_MAX };
    unsigned best = XLN_NONE;

    for (unsigned i = 0; i < s->nr; i++) {
        struct span span =
            xln__span_add(to_now[i], xln__span_both_ways(distances[i]));

        to_now[i] = span;
        if (span.max > least.max ||
            (span.max == least.max && span.sum > least.sum) || s->in_now[i])
            continue;
        if (best == XLN_NONE || span.max != least.max ||
            span.sum != least.sum || s->slots[i].bytes > s->slots[best].bytes) {
            best = i;
            least = span;
        }
    }
    return best;
}

static int compare_bytes_down(const void *a, const void *b, void *arg)
{
    unsigned i = *(const unsigned *)a, j = *(const unsigned *)b;
    const struct slot *slots = arg;

    if (slots[i].bytes != slots[j].bytes)
        return slots[i].bytes > slots[j].bytes ? -1 : 1;
    return (i > j) - (i < j);
}

/* Where all are equally far apart, the nearest is the first in this order. */
static void sort_down(struct search *s)
{
    s->is_flat = !xln__span_compare(s->least, s->most);
    for (unsigned i = 0; s->is_flat && i < s->nr; i++)
        s->by_bytes[i] = i;
    if (s->is_flat)
        qsort_r(s->by_bytes, s->nr, sizeof(*s->by_bytes), compare_bytes_down,
                s->slots);
}

/* grow() to the nearest where all are equally far apart: the same, with the
 * same budget, but faster. */
static void grow_flat(struct search *s, unsigned slot)
{
    unsigned at = 0;

    xln__search_clear(s);
    for (;;) {
        struct span to_now = {
            .max = s->now.nr ? s->least.max : 0,
            .sum = s->now.nr * s->least.sum,
        };

        xln__search_push_span(s, slot, to_now);
        if (xln__search_fits(s) || s->now.nr == s->max_nr)
            return;
        xln__search_spend(s, 2 * s->nr);
        while (at < s->nr && s->in_now[s->by_bytes[at]])
            at++;
        if (at == s->nr)
            return;
        slot = s->by_bytes[at];
    }
}

/* Grow a set from `slot` until it fits or may grow no more. */
static void grow(struct search *s, unsigned slot, bool nearest)
{
    struct span *to_now = s->reach;

    if (nearest && s->is_flat) {
        grow_flat(s, slot);
        return;
    }
    xln__search_clear(s);
    memset(to_now, 0, s->nr * sizeof(*to_now));
    while (slot != XLN_NONE) {
        xln__search_push_span(s, slot, to_now[slot]);
        if (xln__search_fits(s) || s->now.nr == s->max_nr)
            return;
        slot = pick_nearest(s, slot);
        if (!nearest)
            slot = pick_largest(s);
        xln__search_spend(s, 2 * s->nr);
    }
}

/* Whether the set would fit without this slot of it. */
static bool is_spare(const struct search *s, unsigned slot)
{
    const struct xln_candidate *figures = &s->now.figures;
    const struct slot *out = &s->slots[slot];

    if (figures->usable_bytes - out->bytes < s->need_bytes ||
        figures->nr_cpus - out->nr_cpus < s->need_cpus)
        return false;
    for (unsigned word = 0; word < s->nr_words; word++) {
        uint64_t missing = s->missing[word];

        for (unsigned i = 0; i < s->nr; i++) {
            if (s->in_now[i] && i != slot)
                missing &= ~s->spots_of[(size_t)i * s->nr_words + word];
        }
        if (missing)
            return false;
    }
    return true;
}

/* Remove nodes that the set does not need. They were added before those that
 * it needs. */
static void trim(struct search *s)
{
    bool spare = false;

    for (unsigned slot = s->nr; slot-- > 0;) {
        if (!s->in_now[slot] || !is_spare(s, slot))
            continue;
        s->in_now[slot] = false;
        s->now.figures.usable_bytes -= s->slots[slot].bytes;
        s->now.figures.nr_cpus -= s->slots[slot].nr_cpus;
        spare = true;
    }
    xln__search_spend(s, (uint64_t)s->now.nr * s->nr * s->nr_words);
    if (!spare)
        return;
    memcpy(s->list, s->in_now, s->nr * sizeof(*s->list));
    xln__search_clear(s);
    for (unsigned slot = 0; slot < s->nr; slot++) {
        if (s->list[slot])
            xln__search_push(s, slot);
    }
}

/* Of one node with the most memory, of those with CPUs if any have them, and
 * more nodes with the most. */
static void grow_largest(struct search *s)
{
    unsigned first = XLN_NONE;

    for (unsigned i = 0; i < s->nr; i++) {
        const struct slot *slot = &s->slots[i];

        if (slot->bytes && slot->nr_cpus &&
            (first == XLN_NONE || slot->bytes > s->slots[first].bytes))
            first = i;
    }
    xln__search_clear(s);
    if (first == XLN_NONE || s->problem->request->mem_nodes)
        first = pick_largest(s);
    grow(s, first == XLN_NONE ? 0 : first, false);
}

static void offer_grown(struct search *s)
{
    if (!xln__search_fits(s))
        return;
    /* Figures do not show whether the cores suit the vCPUs. */
    if (!s->need_cores)
        trim(s);
    xln__search_offer(s);
}

/* Make sure that there is a set to compare with, whatever the search finds. */
static void offer_greedy(struct search *s)
{
    budget(s, GREEDY_BUDGET);
    sort_down(s);
    grow_largest(s);
    offer_grown(s);
    for (unsigned i = 0; s->budget && i < s->nr; i++) {
        grow(s, i, true);
        offer_grown(s);
    }
    if (s->best.nr)
        xln__search_fewer(s);
}

/* ---- the search ---- */

/* The least number of nodes that could have enough, if it is within bounds. */
static unsigned fewest(struct search *s)
{
    xln__search_clear(s);
    for (s->size = 1; s->size <= s->max_nr; s->size++) {
        if (s->top_both[s->size] >= XLN__BOTH && can_reach(s, 0))
            return s->size;
    }
    return XLN_NONE;
}

/*
 * Look at all sets of `size` and more nodes until some fit. Where that number
 * is not known to do, each may take half of the budget that is left, so that
 * none starves the next. Returns whether all were seen.
 */
static bool see_all(struct search *s, bool size_known, uint64_t units)
{
    bool all_seen = true;

    budget(s, units);
    for (s->size = s->bound.nr_nodes; s->size <= s->max_nr; s->size++) {
        uint64_t kept = size_known ? 0 : s->budget / 2;

        s->budget -= kept;
        s->nr_fitting = 0;
        s->counted_all = true;
        xln__search_clear(s);
        memset(s->reach, 0, s->nr * sizeof(*s->reach));
        extend(s, 0);
        if (!s->budget)
            all_seen = s->counted_all = false;
        s->budget += kept;
        if (s->best.nr && s->best.nr <= s->size)
            break;
        if (all_seen)
            s->bound.nr_nodes = s->size + 1;
    }
    return all_seen;
}

/* Replace one node by another as long as that makes the set better. */
static void improve(struct search *s)
{
    uint64_t before;

    budget(s, IMPROVE_BUDGET);
    do {
        before = s->nr_better;
        xln__search_exchange(s);
    } while (s->nr_better != before && s->budget);
}

/* See all with a closer look at what may come of a set. */
static bool see_closely(struct search *s, bool size_known)
{
    bool all_seen;

    s->budget = IMPROVE_BUDGET;
    xln__search_descend(s);
    improve(s);
    s->ahead = xln__ahead_new(s);
    all_seen = see_all(s, size_known, UINT64_MAX);
    xln__ahead_free(s->ahead);
    s->ahead = NULL;
    return all_seen;
}

static void search_for(struct search *s, struct xln__tree *tree)
{
    const struct budgets *budgets = s->nr <= MAX_SMALL ? &small : &large;
    bool measured;

    s->budget = budgets->measure;
    measured = tree && xln__tree_measure(tree);
    if (s->bound.nr_nodes > s->max_nr) {
        s->exact = true;
        return;
    }
    offer_greedy(s);
    s->exact = see_all(s, measured, s->nr <= MAX_SEEN ? UINT64_MAX
                                                      : FIRST_BUDGET);
    if (!s->exact && measured) {
        s->budget = budgets->tree;
        s->exact = xln__tree_search(tree);
    }
    if (s->exact)
        return;
    if (s->nr <= MAX_PROVEN) {
        s->exact = see_closely(s, measured);
    } else {
        budget(s, IMPROVE_BUDGET);
        xln__search_descend(s);
        s->exact = see_all(s, measured, budgets->last);
        improve(s);
    }
}

/* Single nodes: most domains fit on one, and all are soon seen. */
static bool see_singles(struct search *s)
{
    s->size = 1;
    s->budget = UINT64_MAX;
    s->counted_all = s->exact = true;
    for (unsigned slot = 0; slot < s->nr; slot++) {
        xln__search_clear(s);
        xln__search_push(s, slot);
        if (!xln__search_fits(s))
            continue;
        if (xln__search_offer(s))
            s->nr_fitting++;
        else
            s->counted_all = false;
    }
    return s->best.nr;
}

static void see_several(struct search *s, struct xln__tree *tree)
{
    unsigned known;

    s->bound.nr_nodes = fewest(s);
    s->exact = true;
    if (s->bound.nr_nodes == XLN_NONE)
        return;
    search_for(s, tree);
    /* The budget may have ended before these were built again. */
    known = !s->best.nr ? 0 : s->next.nr ? 2 : 1;
    if (s->nr_fitting < known)
        s->nr_fitting = known;
}

/* It goes by figures alone, unless there is a deck. */
static int prepare(struct search *s, struct xln__tree **tree)
{
    int rc = xln__search_prepare(s);

    return rc || s->deck || *tree ? rc : xln__tree_new(s, tree);
}

/* Find the best set and the second best of equally many nodes. */
static int search_once(struct search *s, struct xln__tree **tree)
{
    int rc = 0;

    if (!see_singles(s) && s->nr > TREE_NODES) {
        rc = xln__search_measure(s);
        if (!rc)
            rc = xln__search_pairs(s);
    }
    if (!rc && !s->best.nr) {
        rc = prepare(s, tree);
        if (!rc)
            see_several(s, *tree);
    }
    if (rc)
        return rc;
    if (s->best.nr && s->exact)
        s->bound = (struct xln_bound){
            .nr_nodes = s->best.nr,
            .distance_max = s->best.figures.distance_max,
            .distance_sum = s->best.figures.distance_sum,
        };
    return 0;
}

static int candidate_of_set(const struct search *s, const struct set *set,
                            struct xln_candidate *candidate)
{
    int rc;

    if (!set->nr)
        return 0;
    *candidate = set->figures;
    rc = xln__problem_new_nodes(s->problem, &candidate->nodes);
    for (unsigned i = 0; !rc && i < set->nr; i++)
        xln_nodemap_set(candidate->nodes, s->slots[set->slots[i]].node);
    return rc;
}

static bool all_have_cpus(const struct search *s)
{
    for (unsigned i = 0; i < s->nr; i++) {
        if (!s->slots[i].nr_cpus)
            return false;
    }
    return true;
}

/*
 * Search with ever less asked for: first the DMA zone is given up, then the
 * number of CPUs (again without and with that zone), then all CPUs (a named
 * node may have none), last that all memory comes from the set: then it is
 * the set with most of it. What was given up is exact only if every search
 * before could prove that nothing fits.
 */
static int run_relaxing(struct problem *problem, struct search *s,
                        struct xln__tree **tree)
{
    /* If only memory is required, the CPUs of a set do not matter. */
    int cpus = problem->request->mem_nodes ? XLN__CPUS_NONE : XLN__CPUS_ALL;
    int least = all_have_cpus(s) && cpus ? XLN__CPUS_ONE : XLN__CPUS_NONE;
    bool exact = true;
    int rc;

    for (; cpus >= least; cpus--) {
        for (int with_dma = problem->named ? 1 : 0; with_dma <= 1; with_dma++) {
            xln__search_begin(s, with_dma, cpus);
            problem->own_dma = with_dma;
            problem->own_cpus = cpus == XLN__CPUS_ALL;
            problem->set_cpus = s->need_cpus;
            rc = search_once(s, tree);
            exact = s->exact = s->exact && exact;
            if (rc || s->best.nr)
                return rc;
        }
    }
    grow_largest(s);
    xln__search_assign(&s->best, &s->now);
    s->nr_fitting = 0;
    s->bound = (struct xln_bound){ 0 };
    return 0;
}

struct xln__searcher {
    struct problem *problem;
    struct search *s;
    struct xln__tree *tree;     /* NULL: none was needed yet */
};

int xln__searcher_new(struct problem *problem,
                      const struct xln_nodemap *candidates,
                      struct xln__searcher **searcher_r)
{
    struct xln__searcher *searcher = calloc(1, sizeof(*searcher));
    int rc = searcher ? xln__search_new(problem, candidates, &searcher->s)
                      : -ENOMEM;

    if (rc) {
        free(searcher);
        return rc;
    }
    searcher->problem = problem;
    xln__search_begin(searcher->s, false, XLN__CPUS_ALL);
    *searcher_r = searcher;
    return 0;
}

void xln__searcher_free(struct xln__searcher *searcher)
{
    if (!searcher)
        return;
    xln__tree_free(searcher->tree);
    xln__search_free(searcher->s);
    free(searcher);
}

void xln__searcher_update(struct xln__searcher *searcher,
                          const struct xln_nodemap *nodes)
{
    xln__search_update(searcher->s, nodes);
}

void xln__searcher_hurry(struct xln__searcher *searcher)
{
    searcher->s->hurried = true;
}

int xln__searcher_find(struct xln__searcher *searcher,
                       struct xln__found *found)
{
    struct search *s = searcher->s;
    int rc = run_relaxing(searcher->problem, s, &searcher->tree);

    if (rc)
        return rc;
    found->nr_fitting = s->nr_fitting;
    found->counted_all = s->counted_all;
    found->exact = s->exact;
    found->bound = s->bound;
    rc = candidate_of_set(s, &s->best, &found->best);
    return rc ? rc : candidate_of_set(s, &s->next, &found->next);
}

int xln__search_run(struct problem *problem,
                    const struct xln_nodemap *candidates,
                    struct xln__found *found)
{
    struct xln__searcher *searcher;
    int rc = xln__searcher_new(problem, candidates, &searcher);

    if (rc)
        return rc;
    rc = xln__searcher_find(searcher, found);
    xln__searcher_free(searcher);
    return rc;
}

unsigned xln__searcher_single(const struct xln__searcher *searcher)
{
    return xln__search_single(searcher->s);
}
