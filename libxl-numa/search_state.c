/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "search_state.h"

/* With more slots than this it is only every so many that it is known from what
 * the largest come to: a table of all takes longer to fill than it saves. */
#define MANY 256
#define MANY_STEP 16

/* Distances are read in squares of this many slots, so that the rows of one
 * that are read as columns stay in the processor's cache. */
#define TILE 16

/* ---- beginning and end ---- */

void xln__search_free(struct search *s)
{
    if (!s)
        return;
    free(s->slots);
    free(s->distances);
    free(s->spots_of);
    free(s->spots_from);
    free(s->top_bytes);
    free(s->top_cpus);
    free(s->top_both);
    free(s->least_cost);
    free(s->sorted);
    free(s->by_bytes);
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
    s->spots_of = calloc(nr * nr_words, sizeof(*s->spots_of));
    s->spots_from = calloc(nr * nr_words, sizeof(*s->spots_from));
    s->top_both = calloc(nr, sizeof(*s->top_both));
    s->least_cost = calloc(nr, sizeof(*s->least_cost));
    s->sorted = calloc(nr, sizeof(*s->sorted));
    s->by_bytes = calloc(nr, sizeof(*s->by_bytes));
    s->now.slots = calloc(nr, sizeof(*s->now.slots));
    s->in_now = calloc(nr, sizeof(*s->in_now));
    s->list = calloc(nr, sizeof(*s->list));
    s->missing = calloc(nr * nr_words, sizeof(*s->missing));
    s->best.slots = calloc(nr, sizeof(*s->best.slots));
    s->next.slots = calloc(nr, sizeof(*s->next.slots));
    return s->slots && s->spots_of && s->spots_from && s->top_both &&
           s->least_cost && s->sorted && s->by_bytes && s->now.slots &&
           s->in_now && s->list && s->missing && s->best.slots &&
           s->next.slots;
}

/* What grows with the square of the number of slots, as distances do, and is
 * not needed where one node will do. It is written before it is read, and may
 * have many pages that never are. */
static bool alloc_tables(struct search *s)
{
    size_t nr = s->nr + 1, nr_top = s->nr / s->top_step + 2;

    s->top_bytes = malloc(nr_top * nr * sizeof(*s->top_bytes));
    s->top_cpus = malloc(nr_top * nr * sizeof(*s->top_cpus));
    s->reach = malloc((s->max_nr + (size_t)1) * nr * sizeof(*s->reach));
    return s->top_bytes && s->top_cpus && s->reach;
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

/* Of each pair with a slot of a tile and one of another. All are nodes of the
 * host, so that its table is read as it is. */
static void fill_tile(struct search *s, unsigned tile_a, unsigned tile_b,
                      unsigned *least, unsigned *most)
{
    const struct xln_host *host = s->problem->host;

    for (unsigned a = tile_a; a < s->nr && a < tile_a + TILE; a++) {
        for (unsigned b = tile_b; b < a && b < tile_b + TILE; b++) {
            size_t from = s->slots[a].node, to = s->slots[b].node;
            unsigned there = host->distances[from * host->nr_nodes + to];
            unsigned back = host->distances[to * host->nr_nodes + from];
            unsigned distance = there > back ? there : back;

            s->distances[(size_t)a * s->nr + b] = distance;
            s->distances[(size_t)b * s->nr + a] = distance;
            *least = distance < *least ? distance : *least;
            *most = distance > *most ? distance : *most;
        }
    }
}

static void fill_distances(struct search *s)
{
    unsigned least = XLN_NONE, most = 0;

    for (unsigned a = 0; a < s->nr; a += TILE) {
        for (unsigned b = 0; b <= a; b += TILE)
            fill_tile(s, a, b, &least, &most);
    }
    s->least = xln__span_both_ways(least);
    s->most = xln__span_both_ways(most);
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

/* With one slot more, from the end: of so many the largest are the same as
 * before, or that one and one less of the others. */
static void fill_top(struct search *s, uint64_t *top,
                     uint64_t (*value_of)(const struct search *s,
                                          unsigned slot))
{
    uint64_t *row = s->sorted;

    memset(row, 0, (s->nr + 1) * sizeof(*row));
    memset(xln__top_of(s, top, s->nr), 0, (s->nr + 1) * sizeof(*row));
    for (unsigned from = s->nr; from-- > 0;) {
        uint64_t value = value_of(s, from);
        unsigned nr = s->nr - from;

        for (unsigned i = nr; i > 0; i--)
            row[i] = row[i] > row[i - 1] + value ? row[i] : row[i - 1] + value;
        if (from % s->top_step == 0)
            memcpy(xln__top_of(s, top, from), row, (nr + 1) * sizeof(*row));
    }
}

/* What stays the same, whatever the search relaxes. */
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
    fill_spots(s);
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
    s->top_step = s->nr > MANY ? MANY_STEP : 1;
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
struct xln__parts xln__search_parts(const struct search *s, unsigned slot)
{
    return (struct xln__parts){
        .bytes = part_of(s->slots[slot].bytes, s->need_bytes),
        .cpus = part_of(s->slots[slot].nr_cpus, s->need_cpus),
    };
}

static void fill_both(struct search *s)
{
    for (unsigned i = 0; i < s->nr; i++) {
        struct xln__parts parts = xln__search_parts(s, i);

        insert_down(s->sorted, i, parts.bytes + parts.cpus);
    }
    for (unsigned i = 0; i < s->nr; i++)
        s->top_both[i + 1] = s->top_both[i] + s->sorted[i];
}

static void fill_bytes(struct search *s, bool with_dma)
{
    for (unsigned i = 0; i < s->nr; i++) {
        uint64_t bytes =
            xln__problem_usable(s->problem, s->slots[i].node, with_dma);

        if (bytes != s->slots[i].bytes)
            s->has_top_bytes = false;
        s->slots[i].bytes = bytes;
    }
}

void xln__search_update(struct search *s, const struct xln_nodemap *nodes)
{
    const struct problem *problem = s->problem;

    for (unsigned i = 0; i < s->nr; i++) {
        struct slot *slot = &s->slots[i];

        if (!xln_nodemap_test(nodes, slot->node))
            continue;
        slot->bytes = xln__problem_usable(problem, slot->node, false);
        slot->load = problem->load[slot->node];
        slot->crowding = xln__problem_crowding(problem, slot->node);
        s->has_top_bytes = false;
    }
}

static bool has_cpus(const struct search *s)
{
    for (unsigned i = 0; i < s->nr; i++) {
        if (s->slots[i].nr_cpus)
            return true;
    }
    return false;
}

void xln__search_begin(struct search *s, bool with_dma, enum xln__cpus cpus)
{
    if (s->with_dma != with_dma || s->cpus != cpus)
        s->least_level = (struct level){ 0 };
    s->with_dma = with_dma;
    s->cpus = cpus;
    s->need_cpus = cpus == XLN__CPUS_ALL   ? s->problem->need_cpus
                   : cpus == XLN__CPUS_ONE ? has_cpus(s)
                                           : 0;
    s->need_cores = s->deck && cpus == XLN__CPUS_ALL;
    memset(s->missing, 0, s->nr_words * sizeof(*s->missing));
    for (unsigned i = 0; cpus == XLN__CPUS_ALL && i < s->problem->nr_spots; i++)
        s->missing[i / 64] |= UINT64_C(1) << i % 64;
    fill_bytes(s, with_dma);
    s->best.nr = s->next.nr = 0;
    s->nr_fitting = 0;
    s->exact = false;
    s->bound = (struct xln_bound){0};
}

int xln__search_measure(struct search *s)
{
    size_t nr = s->nr + 1;

    if (s->distances)
        return 0;
    s->distances = calloc(nr * nr, sizeof(*s->distances));
    if (!s->distances)
        return -ENOMEM;
    fill_distances(s);
    return 0;
}

int xln__search_prepare(struct search *s)
{
    int rc = xln__search_measure(s);

    if (rc)
        return rc;
    if (!s->reach) {
        if (!alloc_tables(s))
            return -ENOMEM;
        fill_top(s, s->top_cpus, cpus_of);
    }
    if (!s->has_top_bytes)
        fill_top(s, s->top_bytes, bytes_of);
    s->has_top_bytes = true;
    fill_both(s);
    return 0;
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
    const unsigned *distances = xln__distances_of(s, slot);
    struct span to_now = {0, 0};

    for (unsigned i = 0; i < s->now.nr; i++)
        to_now = xln__span_add(
            to_now, xln__span_both_ways(distances[s->now.slots[i]]));
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

/* Whether each vCPU can get a core, if the request is for that. */
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
