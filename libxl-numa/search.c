/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "search.h"
#include "span.h"

/*
 * What one search may spend: a unit is one look at one node, a nanosecond or
 * less. Counted, not timed, so that a plan is reproducible. It is several
 * times what the hardest host of 16 nodes takes.
 */
#define SEARCH_BUDGET UINT64_C(10000000)

/*
 * The candidates, in ascending order of their numbers, are `slots`. A set of
 * k of them is looked for, k rising until there is one that fits; so the
 * first k at which anything fits is the fewest.
 *
 * For one k, sets are built depth first from the lowest slot up, and a
 * partial set is dropped as soon as
 *  - the largest of what may still be added can't make up what it lacks in
 *    memory or CPUs (`top_bytes`, `top_cpus`), or an affinity has no node
 *    among what may still be added (`spots_from`); or
 *  - its distances exceed those of the second best set found: distances only
 *    grow as nodes are added. (The second, because plans show it.)
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
struct slot {
    unsigned node;
    unsigned nr_cpus;
    uint64_t bytes;
};

/* Some slots, in ascending order. */
struct set {
    unsigned nr;
    unsigned *slots;
    struct xln_candidate figures;   /* without `nodes` */
};

struct search {
    const struct job *job;
    const struct xln_policy *policy;

    struct slot *slots;
    unsigned nr;
    struct span *spans;         /* [a * nr + b] */
    unsigned max_nr;            /* of a set */

    /* What a set must have. */
    uint64_t need_bytes;
    unsigned need_cpus;

    /* Sets of affinities, a bit each: those with a CPU on one slot, or on
     * any slot from this one up. [slot * nr_words + word] */
    unsigned nr_words;
    uint64_t *spots_of, *spots_from;

    /* What the largest `count` from slot `from` up have together:
     * [from * (nr + 1) + count]. */
    uint64_t *top_bytes, *top_cpus;
    uint64_t *sorted;           /* for filling in these */

    /* The set under construction. */
    struct set now;
    bool *in_now;               /* [slot] */
    uint64_t *missing;          /* affinities without a CPU in the first `nr`
                                 * slots added: [nr * nr_words + word] */
    struct span *spans_to_now;  /* [slot], kept up to date by grow() */

    struct set best, next;      /* nr 0: none yet */
    unsigned *list;             /* for trim() */
    unsigned size;              /* of the sets looked for */
    unsigned nr_fitting;
    uint64_t budget;
};

static void search_free(struct search *s)
{
    if (!s)
        return;
    free(s->slots);
    free(s->spans);
    free(s->spots_of);
    free(s->spots_from);
    free(s->top_bytes);
    free(s->top_cpus);
    free(s->sorted);
    free(s->now.slots);
    free(s->in_now);
    free(s->missing);
    free(s->spans_to_now);
    free(s->best.slots);
    free(s->next.slots);
    free(s->list);
    free(s);
}

static bool search_alloc(struct search *s)
{
    size_t nr = s->nr + 1, nr_words = s->nr_words + 1;

    s->slots = calloc(nr, sizeof(*s->slots));
    s->spans = calloc(nr * nr, sizeof(*s->spans));
    s->spots_of = calloc(nr * nr_words, sizeof(*s->spots_of));
    s->spots_from = calloc(nr * nr_words, sizeof(*s->spots_from));
    s->top_bytes = calloc(nr * nr, sizeof(*s->top_bytes));
    s->top_cpus = calloc(nr * nr, sizeof(*s->top_cpus));
    s->sorted = calloc(nr, sizeof(*s->sorted));
    s->now.slots = calloc(nr, sizeof(*s->now.slots));
    s->in_now = calloc(nr, sizeof(*s->in_now));
    s->missing = calloc(nr * nr_words, sizeof(*s->missing));
    s->spans_to_now = calloc(nr, sizeof(*s->spans_to_now));
    s->best.slots = calloc(nr, sizeof(*s->best.slots));
    s->next.slots = calloc(nr, sizeof(*s->next.slots));
    s->list = calloc(nr, sizeof(*s->list));
    return s->slots && s->spans && s->spots_of && s->spots_from &&
           s->top_bytes && s->top_cpus && s->sorted && s->now.slots &&
           s->in_now && s->missing && s->spans_to_now && s->best.slots &&
           s->next.slots && s->list;
}

static void fill_spots(struct search *s)
{
    const struct job *job = s->job;

    for (unsigned slot = s->nr; slot-- > 0;) {
        uint64_t *of = s->spots_of + (size_t)slot * s->nr_words;
        uint64_t *from = s->spots_from + (size_t)slot * s->nr_words;

        for (unsigned i = 0; i < job->nr_spots; i++) {
            if (xln_nodemap_test(job->spots[i], s->slots[slot].node))
                of[i / 64] |= UINT64_C(1) << i % 64;
        }
        for (unsigned i = 0; i < s->nr_words; i++)
            from[i] = of[i] | from[i + s->nr_words];
    }
}

/* What stays the same whatever is relaxed. */
static void search_fill(struct search *s, const struct xln_nodemap *nodes)
{
    const struct job *job = s->job;
    unsigned node, i = 0;

    XLN_FOREACH(xln_nodemap, node, nodes) {
        s->slots[i].node = node;
        s->slots[i++].nr_cpus = job->nr_allowed[node];
    }
    for (unsigned a = 0; a < s->nr; a++) {
        for (unsigned b = 0; b < s->nr; b++)
            s->spans[(size_t)a * s->nr + b] =
                xln__span_of(job->host, s->slots[a].node, s->slots[b].node);
    }
    fill_spots(s);
}

static int search_new(const struct job *job, const struct xln_nodemap *nodes,
                      struct search **search_r)
{
    unsigned max_nr = job->request->max_nodes;
    struct search *s;

    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->job = job;
    s->policy = job->request->policy;
    if (!s->policy)
        s->policy = xln_policy_default();
    s->nr = xln_nodemap_count(nodes);
    s->nr_words = (job->nr_spots + 63) / 64;
    s->max_nr = max_nr && max_nr < s->nr ? max_nr : s->nr;
    s->need_bytes = job->need_bytes;
    if (!search_alloc(s)) {
        search_free(s);
        return -ENOMEM;
    }
    search_fill(s, nodes);
    *search_r = s;
    return 0;
}

/* Put `value` in its place in a descending list of `nr`. */
static void insert_down(uint64_t *list, unsigned nr, uint64_t value)
{
    for (; nr && list[nr - 1] < value; nr--)
        list[nr] = list[nr - 1];
    list[nr] = value;
}

static void fill_top(struct search *s, uint64_t *top, bool cpus)
{
    for (unsigned from = s->nr; from-- > 0;) {
        uint64_t *row = top + (size_t)from * (s->nr + 1);
        unsigned nr = s->nr - from;

        insert_down(s->sorted, nr - 1,
                    cpus ? s->slots[from].nr_cpus : s->slots[from].bytes);
        for (unsigned i = 0; i < nr; i++)
            row[i + 1] = row[i] + s->sorted[i];
    }
}

/* Say what a set must have, and forget all sets. */
static void search_begin(struct search *s, bool with_dma, bool with_cpus)
{
    for (unsigned i = 0; i < s->nr; i++)
        s->slots[i].bytes = xln__job_usable(s->job, s->slots[i].node, with_dma);
    s->need_cpus = with_cpus ? s->job->need_cpus : 0;
    memset(s->missing, 0, s->nr_words * sizeof(*s->missing));
    for (unsigned i = 0; with_cpus && i < s->job->nr_spots; i++)
        s->missing[i / 64] |= UINT64_C(1) << i % 64;
    fill_top(s, s->top_bytes, false);
    fill_top(s, s->top_cpus, true);
    s->best.nr = s->next.nr = 0;
    s->budget = SEARCH_BUDGET;
}

static void spend(struct search *s, uint64_t units)
{
    s->budget -= s->budget < units ? s->budget : units;
}

/* Add a slot that is not in. */
static void push(struct search *s, unsigned slot)
{
    struct xln_candidate *figures = &s->now.figures;
    struct span span = { figures->distance_max, figures->distance_sum };
    uint64_t *missing = s->missing + (size_t)s->now.nr * s->nr_words;
    unsigned i;

    for (i = 0; i < s->now.nr; i++)
        span = xln__span_add(span, s->spans[(size_t)slot * s->nr +
                                       s->now.slots[i]]);
    for (i = 0; i < s->nr_words; i++)
        missing[i + s->nr_words] =
            missing[i] & ~s->spots_of[(size_t)slot * s->nr_words + i];

    for (i = s->now.nr++; i && s->now.slots[i - 1] > slot; i--)
        s->now.slots[i] = s->now.slots[i - 1];
    s->now.slots[i] = slot;
    s->in_now[slot] = true;

    figures->usable_bytes += s->slots[slot].bytes;
    figures->nr_cpus += s->slots[slot].nr_cpus;
    figures->distance_max = span.max;
    figures->distance_sum = span.sum;
    spend(s, 4 + s->now.nr + s->nr_words);
}

/* Take the highest slot out again, which was the last to be added; the
 * figures were `before` without it. */
static void pop(struct search *s, const struct xln_candidate *before)
{
    s->in_now[s->now.slots[--s->now.nr]] = false;
    s->now.figures = *before;
}

static void clear(struct search *s)
{
    memset(s->in_now, 0, s->nr * sizeof(*s->in_now));
    memset(s->spans_to_now, 0, s->nr * sizeof(*s->spans_to_now));
    memset(&s->now.figures, 0, sizeof(s->now.figures));
    s->now.nr = 0;
}

/* Whether every affinity has a CPU in the set, or in slots from `from` up. */
static bool has_spots(const struct search *s, unsigned from)
{
    const uint64_t *missing = s->missing + (size_t)s->now.nr * s->nr_words;
    const uint64_t *coming = s->spots_from + (size_t)from * s->nr_words;

    for (unsigned i = 0; i < s->nr_words; i++) {
        if (missing[i] & ~coming[i])
            return false;
    }
    return true;
}

static bool fits(const struct search *s)
{
    return s->now.figures.usable_bytes >= s->need_bytes &&
           s->now.figures.nr_cpus >= s->need_cpus && has_spots(s, s->nr);
}

/* < 0: a is better. 0: the same set. */
static int compare_sets(const struct search *s, const struct set *a,
                        const struct set *b)
{
    struct span span_a = { a->figures.distance_max, a->figures.distance_sum };
    struct span span_b = { b->figures.distance_max, b->figures.distance_sum };
    int order;

    if (a->nr != b->nr)
        return a->nr < b->nr ? -1 : 1;
    order = xln__span_compare(span_a, span_b);
    if (order)
        return order;
    order = s->policy->compare(&a->figures, &b->figures);
    if (order)
        return order;
    for (unsigned i = 0; i < a->nr; i++) {
        if (a->slots[i] != b->slots[i])
            return a->slots[i] < b->slots[i] ? -1 : 1;
    }
    return 0;
}

static void set_assign(struct set *to, const struct set *from)
{
    memcpy(to->slots, from->slots, from->nr * sizeof(*to->slots));
    to->nr = from->nr;
    to->figures = from->figures;
}

/* The set under construction fits: keep it if it is one of the best two. */
static void offer(struct search *s)
{
    int order = s->best.nr ? compare_sets(s, &s->now, &s->best) : -1;

    if (order < 0) {
        if (s->best.nr == s->now.nr)
            set_assign(&s->next, &s->best);
        else
            s->next.nr = 0;
        set_assign(&s->best, &s->now);
    } else if (order > 0 && s->now.nr == s->best.nr) {
        if (!s->next.nr || compare_sets(s, &s->now, &s->next) < 0)
            set_assign(&s->next, &s->now);
    }
}

/* Whether slots from `from` up can complete the set under construction. */
static bool can_reach(const struct search *s, unsigned from)
{
    const struct xln_candidate *figures = &s->now.figures;
    unsigned left = s->size - s->now.nr;
    size_t top = (size_t)from * (s->nr + 1) + left;

    if (s->nr - from < left)
        return false;
    if (figures->usable_bytes + s->top_bytes[top] < s->need_bytes)
        return false;
    if (figures->nr_cpus + s->top_cpus[top] < s->need_cpus)
        return false;
    return has_spots(s, from);
}

static bool is_farther(const struct search *s, const struct set *bound)
{
    struct span now = { s->now.figures.distance_max,
                        s->now.figures.distance_sum };
    struct span limit = { bound->figures.distance_max,
                          bound->figures.distance_sum };

    return bound->nr == s->size && xln__span_compare(now, limit) > 0;
}

/* Try every way to complete the set with slots from `from` up. */
static void extend(struct search *s, unsigned from)
{
    struct xln_candidate before = s->now.figures;

    if (s->now.nr == s->size) {
        if (fits(s)) {
            s->nr_fitting++;
            offer(s);
        }
        return;
    }
    for (; s->budget && can_reach(s, from); from++) {
        push(s, from);
        if (!is_farther(s, &s->next))
            extend(s, from + 1);
        pop(s, &before);
    }
}

/* What to add to the set next: the nearest, or what has most memory; as a
 * tie-break the latter, then the lowest. XLN_NONE: nothing has any. */
static unsigned pick(const struct search *s, bool nearest)
{
    unsigned best = XLN_NONE;

    for (unsigned i = 0; i < s->nr; i++) {
        int order = 0;

        if (s->in_now[i] || (!nearest && !s->slots[i].bytes))
            continue;
        if (best != XLN_NONE && nearest)
            order = xln__span_compare(s->spans_to_now[i],
                                      s->spans_to_now[best]);
        if (best == XLN_NONE || order < 0 ||
            (!order && s->slots[i].bytes > s->slots[best].bytes))
            best = i;
    }
    return best;
}

/* Grow a set from `slot` until it fits or may grow no more. */
static void grow(struct search *s, unsigned slot, bool nearest)
{
    clear(s);
    while (slot != XLN_NONE) {
        push(s, slot);
        if (fits(s) || s->now.nr == s->max_nr)
            return;
        for (unsigned i = 0; i < s->nr; i++)
            s->spans_to_now[i] = xln__span_add(
                s->spans_to_now[i], s->spans[(size_t)slot * s->nr + i]);
        slot = pick(s, nearest);
        spend(s, s->nr);
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

/* Take out what the set does not need: it was on the way to what it does. */
static void trim(struct search *s)
{
    unsigned nr = 0;

    for (unsigned slot = s->nr; slot-- > 0;) {
        if (!s->in_now[slot])
            continue;
        if (!is_spare(s, slot)) {
            s->list[nr++] = slot;
            continue;
        }
        s->in_now[slot] = false;
        s->now.figures.usable_bytes -= s->slots[slot].bytes;
        s->now.figures.nr_cpus -= s->slots[slot].nr_cpus;
    }
    spend(s, (uint64_t)s->now.nr * s->nr * s->nr_words);
    clear(s);
    while (nr)
        push(s, s->list[--nr]);
}

/* Of one node with the most memory and more such nodes. */
static void grow_largest(struct search *s)
{
    unsigned slot;

    clear(s);
    slot = pick(s, false);
    grow(s, slot == XLN_NONE ? 0 : slot, false);
}

static void offer_grown(struct search *s)
{
    if (!fits(s))
        return;
    trim(s);
    offer(s);
}

/* Have something to compare with, whatever comes of the search. */
static void offer_greedy(struct search *s)
{
    grow_largest(s);
    offer_grown(s);
    for (unsigned i = 0; s->budget && i < s->nr; i++) {
        grow(s, i, true);
        offer_grown(s);
    }
}

/* The least number of nodes that could have enough, if it is within bounds. */
static unsigned fewest(struct search *s)
{
    clear(s);
    for (s->size = 1; s->size <= s->max_nr; s->size++) {
        if (can_reach(s, 0))
            return s->size;
    }
    return XLN_NONE;
}

/*
 * Find the best set and the second best of equally many nodes. Each size may
 * take half of the budget that is left, so that no size starves the next.
 */
static bool search_run(struct search *s)
{
    unsigned size = fewest(s);

    if (size == XLN_NONE)
        return false;
    offer_greedy(s);
    s->budget = SEARCH_BUDGET;
    for (; size <= s->max_nr; size++) {
        uint64_t kept = s->budget / 2;

        s->size = size;
        s->budget -= kept;
        s->nr_fitting = 0;
        clear(s);
        extend(s, 0);
        s->budget += kept;
        if (s->best.nr && s->best.nr <= size)
            break;
    }
    /* The budget may have ended before the grown set was built again. */
    if (s->best.nr && !s->nr_fitting)
        s->nr_fitting = s->next.nr ? 2 : 1;
    return s->best.nr > 0;
}

static int candidate_of_set(const struct search *s, const struct set *set,
                            struct xln_candidate *candidate)
{
    int rc;

    if (!set->nr)
        return 0;
    *candidate = set->figures;
    rc = xln__job_new_nodes(s->job, &candidate->nodes);
    for (unsigned i = 0; !rc && i < set->nr; i++)
        xln_nodemap_set(candidate->nodes, s->slots[set->slots[i]].node);
    return rc;
}

/*
 * Search with ever less asked for: first the DMA zone is given up, then the
 * CPUs (again without and with that zone), last that all memory comes from
 * the set: then it is the set with most of it.
 */
static void run_relaxing(struct job *job, struct search *s)
{
    bool of_memory = job->request->mem_nodes;   /* its CPUs don't matter */

    for (int with_cpus = !of_memory; with_cpus >= 0; with_cpus--) {
        for (int with_dma = job->named ? 1 : 0; with_dma <= 1; with_dma++) {
            search_begin(s, with_dma, with_cpus);
            job->own_dma = with_dma;
            job->own_cpus = with_cpus;
            if (search_run(s))
                return;
        }
    }
    grow_largest(s);
    set_assign(&s->best, &s->now);
    s->nr_fitting = 0;
}

int xln__search(struct job *job, const struct xln_nodemap *candidates,
                struct xln_candidate *best, struct xln_candidate *next,
                unsigned *nr_fitting)
{
    struct search *s;
    int rc;

    rc = search_new(job, candidates, &s);
    if (rc)
        return rc;
    run_relaxing(job, s);
    *nr_fitting = s->nr_fitting;
    rc = candidate_of_set(s, &s->best, best);
    if (!rc)
        rc = candidate_of_set(s, &s->next, next);
    search_free(s);
    return rc;
}
