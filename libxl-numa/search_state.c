/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "search_state.h"

/* ---- beginning and end ---- */

void xln__search_free(struct search *s)
{
    if (!s)
        return;
    free(s->slots);
    free(s->spans);
    free(s->spots_of);
    free(s->spots_from);
    free(s->top_bytes);
    free(s->top_cpus);
    free(s->top_both);
    free(s->least_cost);
    free(s->sorted);
    free(s->now.slots);
    free(s->in_now);
    free(s->list);
    free(s->reach);
    free(s->missing);
    free(s->best.slots);
    free(s->next.slots);
    xln__deck_free(s->deck);
    xln_nodemap_free(s->dealt);
    free(s);
}

static bool alloc_all(struct search *s)
{
    size_t nr = s->nr + 1, nr_words = s->nr_words + 1;

    s->slots = calloc(nr, sizeof(*s->slots));
    s->spans = calloc(nr * nr, sizeof(*s->spans));
    s->spots_of = calloc(nr * nr_words, sizeof(*s->spots_of));
    s->spots_from = calloc(nr * nr_words, sizeof(*s->spots_from));
    s->top_bytes = calloc(nr * nr, sizeof(*s->top_bytes));
    s->top_cpus = calloc(nr * nr, sizeof(*s->top_cpus));
    s->top_both = calloc(nr, sizeof(*s->top_both));
    s->least_cost = calloc(nr, sizeof(*s->least_cost));
    s->sorted = calloc(nr, sizeof(*s->sorted));
    s->now.slots = calloc(nr, sizeof(*s->now.slots));
    s->in_now = calloc(nr, sizeof(*s->in_now));
    s->list = calloc(nr, sizeof(*s->list));
    s->reach = calloc((s->max_nr + (size_t)1) * nr, sizeof(*s->reach));
    s->missing = calloc(nr * nr_words, sizeof(*s->missing));
    s->best.slots = calloc(nr, sizeof(*s->best.slots));
    s->next.slots = calloc(nr, sizeof(*s->next.slots));
    return s->slots && s->spans && s->spots_of && s->spots_from &&
           s->top_bytes && s->top_cpus && s->top_both && s->least_cost &&
           s->sorted && s->now.slots && s->in_now && s->list && s->reach &&
           s->missing && s->best.slots && s->next.slots;
}

static void fill_spots(struct search *s)
{
    const struct problem *problem = s->problem;

    for (unsigned slot = s->nr; slot-- > 0;) {
        uint64_t *of = s->spots_of + (size_t)slot * s->nr_words;
        uint64_t *from = s->spots_from + (size_t)slot * s->nr_words;

        for (unsigned i = 0; i < problem->nr_spots; i++) {
            if (xln_nodemap_test(problem->spots[i], s->slots[slot].node))
                of[i / 64] |= UINT64_C(1) << i % 64;
        }
        for (unsigned i = 0; i < s->nr_words; i++)
            from[i] = of[i] | from[i + s->nr_words];
    }
}

static void fill_spans(struct search *s)
{
    s->least = (struct span){ XLN_NONE, UINT64_MAX };
    for (unsigned a = 0; a < s->nr; a++) {
        for (unsigned b = 0; b < a; b++) {
            struct span span = xln__span_of(s->problem->host, s->slots[a].node,
                                            s->slots[b].node);

            s->spans[(size_t)a * s->nr + b] = span;
            s->spans[(size_t)b * s->nr + a] = span;
            if (span.max < s->least.max)
                s->least.max = span.max;
            if (span.sum < s->least.sum)
                s->least.sum = span.sum;
            if (xln__span_compare(span, s->most) > 0)
                s->most = span;
        }
    }
}

/* Put `value` in its place in a descending list of `nr`. */
static void insert_down(uint64_t *list, unsigned nr, uint64_t value)
{
    for (; nr && list[nr - 1] < value; nr--)
        list[nr] = list[nr - 1];
    list[nr] = value;
}

static uint64_t bytes_of(const struct search *s, unsigned slot)
{
    return s->slots[slot].bytes;
}

static uint64_t cpus_of(const struct search *s, unsigned slot)
{
    return s->slots[slot].nr_cpus;
}

static void fill_top(struct search *s, uint64_t *top,
                     uint64_t (*value_of)(const struct search *s,
                                          unsigned slot))
{
    for (unsigned from = s->nr; from-- > 0;) {
        uint64_t *row = top + (size_t)from * (s->nr + 1);
        unsigned nr = s->nr - from;

        insert_down(s->sorted, nr - 1, value_of(s, from));
        for (unsigned i = 0; i < nr; i++)
            row[i + 1] = row[i] + s->sorted[i];
    }
}

/* What stays the same whatever is relaxed. */
static void fill(struct search *s, const struct xln_nodemap *nodes)
{
    const struct problem *problem = s->problem;
    unsigned node, i = 0;

    XLN_FOREACH(xln_nodemap, node, nodes) {
        s->slots[i].node = node;
        s->slots[i].cost = problem->costs ? problem->costs[node] : 0;
        s->slots[i].load = problem->load[node];
        s->slots[i].crowding = xln__problem_crowding(problem, node);
        s->slots[i++].nr_cpus = problem->nr_allowed[node];
    }
    s->least_cost[s->nr] = UINT64_MAX;
    for (i = s->nr; i-- > 0;)
        s->least_cost[i] = s->slots[i].cost < s->least_cost[i + 1]
                               ? s->slots[i].cost
                               : s->least_cost[i + 1];
    fill_spans(s);
    fill_spots(s);
    fill_top(s, s->top_cpus, cpus_of);
}

int xln__search_new(const struct problem *problem,
                    const struct xln_nodemap *nodes, struct search **search_r)
{
    unsigned max_nr = problem->request->max_nodes;
    struct search *s;
    int rc;

    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->problem = problem;
    s->policy = problem->request->policy;
    if (!s->policy)
        s->policy = xln_policy_default();
    s->nr = xln_nodemap_count(nodes);
    s->nr_words = (problem->nr_spots + 63) / 64;
    s->max_nr = max_nr && max_nr < s->nr ? max_nr : s->nr;
    s->need_bytes = problem->need_bytes;
    rc = alloc_all(s) ? xln__deck_new(problem, nodes, &s->deck) : -ENOMEM;
    if (!rc)
        rc = xln__problem_new_nodes(problem, &s->dealt);
    if (rc) {
        xln__search_free(s);
        return rc;
    }
    fill(s, nodes);
    *search_r = s;
    return 0;
}

/* How much of `need` is in `value`, in parts of 2^20, rounded up. */
static uint64_t part_of(uint64_t value, uint64_t need)
{
    if (value >= need)
        return UINT64_C(1) << 20;
    while (need >= UINT64_C(1) << 40) {
        value = value / 2 + 1;
        need /= 2;
    }
    return (value << 20) / need + 1;
}

/*
 * Where the nodes with memory are not those with CPUs, the largest of each
 * would do, but no set has both. So the two are added up as parts of what is
 * needed, none counted for more than all of it: a set that fits comes to at
 * least twice the whole.
 */
static uint64_t both_of(const struct search *s, unsigned slot)
{
    return part_of(s->slots[slot].bytes, s->need_bytes) +
           part_of(s->slots[slot].nr_cpus, s->need_cpus);
}

static void fill_both(struct search *s)
{
    for (unsigned i = 0; i < s->nr; i++)
        insert_down(s->sorted, i, both_of(s, i));
    for (unsigned i = 0; i < s->nr; i++)
        s->top_both[i + 1] = s->top_both[i] + s->sorted[i];
}

/* Whether it is other than before. */
static bool fill_bytes(struct search *s, bool with_dma)
{
    bool differs = false;

    for (unsigned i = 0; i < s->nr; i++) {
        uint64_t bytes =
            xln__problem_usable(s->problem, s->slots[i].node, with_dma);

        differs = differs || bytes != s->slots[i].bytes;
        s->slots[i].bytes = bytes;
    }
    return differs;
}

void xln__search_begin(struct search *s, bool with_dma, enum xln__cpus cpus)
{
    s->need_cpus = cpus == XLN__CPUS_ALL   ? s->problem->need_cpus
                   : cpus == XLN__CPUS_ONE ? s->top_cpus[s->nr] > 0
                                           : 0;
    s->need_cores = s->deck && cpus == XLN__CPUS_ALL;
    memset(s->missing, 0, s->nr_words * sizeof(*s->missing));
    for (unsigned i = 0; cpus == XLN__CPUS_ALL && i < s->problem->nr_spots; i++)
        s->missing[i / 64] |= UINT64_C(1) << i % 64;
    if (fill_bytes(s, with_dma))
        fill_top(s, s->top_bytes, bytes_of);
    fill_both(s);
    s->best.nr = s->next.nr = 0;
    s->nr_fitting = 0;
    s->exact = false;
    s->bound = (struct xln_bound){0};
}

/* ---- the set under construction ---- */

void xln__search_push_span(struct search *s, unsigned slot, struct span to_now)
{
    struct xln_candidate *figures = &s->now.figures;
    uint64_t *missing = s->missing + (size_t)s->now.nr * s->nr_words;
    unsigned i;

    for (i = 0; i < s->nr_words; i++)
        missing[i + s->nr_words] =
            missing[i] & ~s->spots_of[(size_t)slot * s->nr_words + i];

    for (i = s->now.nr++; i && s->now.slots[i - 1] > slot; i--)
        s->now.slots[i] = s->now.slots[i - 1];
    s->now.slots[i] = slot;
    s->in_now[slot] = true;

    figures->usable_bytes += s->slots[slot].bytes;
    figures->nr_cpus += s->slots[slot].nr_cpus;
    figures->cost += s->slots[slot].cost;
    figures->load += s->slots[slot].load;
    if (s->slots[slot].crowding > figures->crowding)
        figures->crowding = s->slots[slot].crowding;
    if (to_now.max > figures->distance_max)
        figures->distance_max = to_now.max;
    figures->distance_sum += to_now.sum;
}

void xln__search_push(struct search *s, unsigned slot)
{
    const struct span *spans = s->spans + (size_t)slot * s->nr;
    struct span to_now = {0, 0};

    for (unsigned i = 0; i < s->now.nr; i++)
        to_now = xln__span_add(to_now, spans[s->now.slots[i]]);
    xln__search_push_span(s, slot, to_now);
    xln__search_spend(s, 4 + s->now.nr + s->nr_words);
}

void xln__search_pop(struct search *s, const struct xln_candidate *before)
{
    s->in_now[s->now.slots[--s->now.nr]] = false;
    s->now.figures = *before;
}

void xln__search_clear(struct search *s)
{
    memset(s->in_now, 0, s->nr * sizeof(*s->in_now));
    memset(&s->now.figures, 0, sizeof(s->now.figures));
    s->now.nr = 0;
}

bool xln__search_has_spots(const struct search *s, unsigned from)
{
    const uint64_t *missing = s->missing + (size_t)s->now.nr * s->nr_words;
    const uint64_t *coming = s->spots_from + (size_t)from * s->nr_words;

    for (unsigned i = 0; i < s->nr_words; i++) {
        if (missing[i] & ~coming[i])
            return false;
    }
    return true;
}

bool xln__search_fits(const struct search *s)
{
    return s->now.figures.usable_bytes >= s->need_bytes &&
           s->now.figures.nr_cpus >= s->need_cpus &&
           xln__search_has_spots(s, s->nr);
}

/* ---- the best two ---- */

/* < 0: a is better. 0: the same set. */
static int compare_sets(const struct search *s, const struct set *a,
                        const struct set *b)
{
    int order;

    if (a->nr != b->nr)
        return a->nr < b->nr ? -1 : 1;
    if (a->figures.cost != b->figures.cost)
        return a->figures.cost < b->figures.cost ? -1 : 1;
    order = xln__span_compare(xln__set_span(a), xln__set_span(b));
    if (order)
        return order;
    order = s->policy->compare(s->problem, a->nr, &a->figures, &b->figures);
    if (order)
        return order;
    for (unsigned i = 0; i < a->nr; i++) {
        if (a->slots[i] != b->slots[i])
            return a->slots[i] < b->slots[i] ? -1 : 1;
    }
    return 0;
}

void xln__search_assign(struct set *to, const struct set *from)
{
    memcpy(to->slots, from->slots, from->nr * sizeof(*to->slots));
    to->nr = from->nr;
    to->figures = from->figures;
}

/* Whether there is a core for each vCPU, if that is asked for. */
static bool has_cores(struct search *s)
{
    if (!s->need_cores)
        return true;
    xln_nodemap_zero(s->dealt);
    for (unsigned i = 0; i < s->now.nr; i++)
        xln_nodemap_set(s->dealt, s->slots[s->now.slots[i]].node);
    xln__search_spend(s, (uint64_t)s->problem->need->nr_vcpus * s->now.nr * 8);
    return xln__deck_suffices(s->deck, s->dealt);
}

bool xln__search_offer(struct search *s)
{
    int order = s->best.nr ? compare_sets(s, &s->now, &s->best) : -1;

    xln__search_spend(s, xln_policy_uses_load(s->policy) ? 64 : 8);
    if (order > 0 && (s->now.nr != s->best.nr ||
                      (s->next.nr && compare_sets(s, &s->now, &s->next) >= 0)))
        return !s->need_cores;
    if (!has_cores(s))
        return false;
    if (order < 0) {
        if (s->best.nr == s->now.nr)
            xln__search_assign(&s->next, &s->best);
        else
            s->next.nr = 0;
        xln__search_assign(&s->best, &s->now);
        s->nr_better++;
    } else if (order > 0) {
        xln__search_assign(&s->next, &s->now);
    }
    return true;
}
