/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All pairs of many nodes. If a domain does not fit on one node, two are mostly
 * enough, and of 1024 nodes there are only half a million pairs.
 *
 * Nodes are sorted by their memory, so the partners with which a node has
 * enough are those from some place on. The first pass over them counts the
 * pairs that fit, and finds the least cost and distance. The second one looks
 * for the best two of these pairs. For each node, partners are seen from the
 * one with least memory on, or with most if the policy wants that. As soon as
 * no later partner can make a better pair, the rest is left out. If there is
 * only one pair of the least cost and distance, the second best is looked for
 * among the next ones.
 *
 * In a hurry only the best pair is looked for, first at the least level of the
 * search before: memory has become less since, so no pair is below it.
 *
 * Example: need 7, memory 2, 3, 4, 4 and 6, all distances equal, best fit. The
 * node with 2 has no partner; that with 3 goes with 4, 4 and 6; the first of
 * these pairs comes to 7, the second too, and the third is left out.
 */
#include <errno.h>
#include <stdlib.h>

#include "search_state.h"

/* Up to so many partners of a slot are seen one by one. */
#define FEW 32

struct pairs {
    struct search *s;
    unsigned *order;            /* slots, by memory, crowding, number */
    bool alike;                 /* equal costs and distances */
    struct level level;         /* of the pairs that are looked at */
    unsigned most_cpus;         /* of two slots, or more */
    const struct set *limit;    /* the worst of those that are wanted so far */
    uint64_t limit_price;       /* UINT64_MAX: there is none */
};

static int compare_levels(struct level a, struct level b)
{
    if (a.cost != b.cost)
        return a.cost < b.cost ? -1 : 1;
    return (a.distance > b.distance) - (a.distance < b.distance);
}

static struct level level_of(const struct search *s, unsigned a, unsigned b)
{
    return (struct level){
        .cost = s->slots[a].cost + s->slots[b].cost,
        .distance = xln__distances_of(s, a)[b],
    };
}

static int compare_slots(const void *a, const void *b, void *arg)
{
    unsigned i = *(const unsigned *)a, j = *(const unsigned *)b;
    const struct slot *x = (const struct slot *)arg + i;
    const struct slot *y = (const struct slot *)arg + j;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    if (x->crowding != y->crowding)
        return x->crowding < y->crowding ? -1 : 1;
    if (x->nr_cpus != y->nr_cpus)
        return x->nr_cpus > y->nr_cpus ? -1 : 1;
    return (i > j) - (i < j);
}

/* The first place after `at` from which on there is enough memory together
 * with the slot at `at`. */
static unsigned first_partner(const struct pairs *p, unsigned at)
{
    const struct search *s = p->s;
    uint64_t bytes = s->slots[p->order[at]].bytes;
    unsigned low = at + 1, high = s->nr;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (bytes + s->slots[p->order[middle]].bytes >= s->need_bytes)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Apart from memory. */
static bool fit(const struct search *s, unsigned a, unsigned b)
{
    if (s->slots[a].nr_cpus + s->slots[b].nr_cpus < s->need_cpus)
        return false;
    for (unsigned i = 0; i < s->nr_words; i++) {
        if (s->missing[i] & ~s->spots_of[(size_t)a * s->nr_words + i] &
            ~s->spots_of[(size_t)b * s->nr_words + i])
            return false;
    }
    return true;
}

/* ---- the first pass ---- */

/* Find the least level above this one (NULL: of all), and count the pairs that
 * fit. */
static unsigned find_level(struct pairs *p, const struct level *above)
{
    const struct search *s = p->s;
    struct level least = { UINT64_MAX, XLN_NONE };
    unsigned nr = 0;

    for (unsigned i = 0; i < s->nr; i++) {
        unsigned a = p->order[i];

        for (unsigned j = first_partner(p, i); j < s->nr; j++) {
            unsigned b = p->order[j];
            struct level level;

            if (!fit(s, a, b))
                continue;
            nr++;
            level = level_of(s, a, b);
            if (compare_levels(level, least) < 0 &&
                (!above || compare_levels(level, *above) > 0))
                least = level;
        }
    }
    p->level = least;
    return nr;
}

/* ---- the second pass ---- */

static uint64_t price_of(const struct search *s,
                         const struct xln_candidate *figures)
{
    return s->policy->price(s->problem, 2, figures);
}

static void offer(struct pairs *p, unsigned a, unsigned b)
{
    struct search *s = p->s;

    xln__search_clear(s);
    xln__search_push(s, a < b ? a : b);
    xln__search_push(s, a < b ? b : a);
    xln__search_offer(s);
    p->limit_price = p->limit->nr ? price_of(s, &p->limit->figures) : UINT64_MAX;
}

/* Whether it is one of the best so far, if it fits: by price, then by numbers. */
static bool is_better(const struct pairs *p, unsigned a, unsigned b,
                      const struct xln_candidate *figures, uint64_t price)
{
    const struct search *s = p->s;
    const unsigned *slots = p->limit->slots;
    unsigned low = a < b ? a : b, high = a < b ? b : a;
    int order;

    if (!p->limit->nr || price != p->limit_price)
        return !p->limit->nr || price < p->limit_price;
    order = s->policy->compare(s->problem, 2, figures, &p->limit->figures);
    if (order)
        return order < 0;
    return low != slots[0] ? low < slots[0] : high < slots[1];
}

static uint64_t see_pair(struct pairs *p, unsigned a, unsigned b)
{
    const struct slot *x = &p->s->slots[a], *y = &p->s->slots[b];
    struct xln_candidate figures = {
        .usable_bytes = x->bytes + y->bytes,
        .nr_cpus = x->nr_cpus + y->nr_cpus,
        .crowding = x->crowding > y->crowding ? x->crowding : y->crowding,
    };
    uint64_t price = price_of(p->s, &figures);

    if (is_better(p, a, b, &figures, price) && fit(p->s, a, b))
        offer(p, a, b);
    return price;
}

/* The least price of a pair of `a` with as much memory as this one, and with a
 * crowding of at least so much. */
static uint64_t least_price(const struct pairs *p, unsigned a, unsigned b,
                            uint64_t crowding)
{
    const struct slot *slots = p->s->slots;
    struct xln_candidate figures = {
        .usable_bytes = slots[a].bytes + slots[b].bytes,
        .nr_cpus = p->most_cpus,
        .crowding = crowding > slots[a].crowding ? crowding
                                                 : slots[a].crowding,
    };

    return price_of(p->s, &figures);
}

/* Nodes that are alike in all figures: of three or more, only the first three
 * can be in one of the best two pairs. */
static bool is_spare(const struct pairs *p, unsigned at)
{
    const struct slot *x, *y;

    if (!p->alike || p->s->nr_words || at < 3)
        return false;
    x = &p->s->slots[p->order[at]];
    y = &p->s->slots[p->order[at - 3]];
    return x->bytes == y->bytes && x->crowding == y->crowding &&
           x->nr_cpus == y->nr_cpus;
}

static bool is_off(const struct pairs *p, unsigned a, unsigned at)
{
    if (is_spare(p, at))
        return true;
    return !p->alike &&
           compare_levels(level_of(p->s, a, p->order[at]), p->level);
}

/* The first place after `at` with other memory. */
static unsigned skip_equal(const struct pairs *p, unsigned at)
{
    const struct slot *slots = p->s->slots;
    uint64_t bytes = slots[p->order[at]].bytes;

    while (++at < p->s->nr && slots[p->order[at]].bytes == bytes)
        ;
    return at;
}

/* With more memory the price is no less; among partners with as much, with more
 * crowding. */
static void see_from_least(struct pairs *p, unsigned at)
{
    unsigned a = p->order[at], j = first_partner(p, at);

    while (j < p->s->nr) {
        unsigned b = p->order[j];

        if (is_off(p, a, j) || see_pair(p, a, b) <= p->limit_price) {
            j++;
            continue;
        }
        if (least_price(p, a, b, 0) > p->limit_price)
            return;
        j = least_price(p, a, b, p->s->slots[b].crowding) > p->limit_price
                ? skip_equal(p, j)
                : j + 1;
    }
}

static void see_from_most(struct pairs *p, unsigned at)
{
    unsigned a = p->order[at], first = first_partner(p, at);

    for (unsigned j = p->s->nr; j-- > first;) {
        if (!is_off(p, a, j) && see_pair(p, a, p->order[j]) > p->limit_price)
            return;
    }
}

/* If few slots are as far from this one as the level says, see the pairs with
 * those above it. */
static bool see_few(struct pairs *p, unsigned a)
{
    const struct search *s = p->s;
    const unsigned *distances = xln__distances_of(s, a);
    unsigned near[FEW], nr = 0;

    for (unsigned b = a + 1; b < s->nr; b++) {
        if (distances[b] != p->level.distance)
            continue;
        if (nr == FEW)
            return false;
        near[nr++] = b;
    }
    for (unsigned i = 0; i < nr; i++) {
        unsigned b = near[i];

        if (s->slots[a].bytes + s->slots[b].bytes >= s->need_bytes &&
            !compare_levels(level_of(s, a, b), p->level))
            see_pair(p, a, b);
    }
    return true;
}

static void see_level(struct pairs *p)
{
    bool most = p->s->policy->bound == XLN__BOUND_MOST_BYTES;
    unsigned a = 0;

    while (!p->alike && a < p->s->nr && see_few(p, a))
        a++;
    if (a == p->s->nr)
        return;
    for (unsigned i = 0; i < p->s->nr; i++) {
        if (is_spare(p, i))
            continue;
        if (most)
            see_from_most(p, i);
        else
            see_from_least(p, i);
    }
}

/* ---- both ---- */

static void see_all(struct pairs *p)
{
    struct search *s = p->s;
    struct level first;

    p->level = s->least_level;
    if (s->hurried)
        see_level(p);
    if (s->best.nr)
        return;
    s->nr_fitting = find_level(p, NULL);
    s->counted_all = true;
    s->least_level = p->level;
    if (!s->nr_fitting)
        return;
    see_level(p);
    if (s->hurried || s->next.nr || s->nr_fitting == 1)
        return;
    first = p->level;
    find_level(p, &first);
    see_level(p);
}

/* With a price that grows with crowding and falls with CPUs. */
static bool have_cpus(const struct search *s, unsigned *most_r)
{
    *most_r = 0;
    for (unsigned i = 0; i < s->nr; i++) {
        if (!s->slots[i].nr_cpus)
            return false;
        if (s->slots[i].nr_cpus > *most_r)
            *most_r = s->slots[i].nr_cpus;
    }
    return true;
}

static bool costs_differ(const struct search *s)
{
    for (unsigned i = 1; i < s->nr; i++) {
        if (s->slots[i].cost != s->slots[0].cost)
            return true;
    }
    return false;
}

int xln__search_pairs(struct search *s)
{
    struct pairs p = {
        .s = s,
        .limit = s->hurried ? &s->best : &s->next,
        .limit_price = UINT64_MAX,
    };
    unsigned most;

    if (s->max_nr < 2 || s->deck || !have_cpus(s, &most))
        return 0;
    p.order = calloc(s->nr, sizeof(*p.order));
    if (!p.order)
        return -ENOMEM;
    p.most_cpus = 2 * most;
    p.alike = !xln__span_compare(s->least, s->most) && !costs_differ(s);
    for (unsigned i = 0; i < s->nr; i++)
        p.order[i] = i;
    qsort_r(p.order, s->nr, sizeof(*p.order), compare_slots, s->slots);
    s->size = 2;
    s->budget = UINT64_MAX;
    s->counted_all = false;
    see_all(&p);
    free(p.order);
    return 0;
}
