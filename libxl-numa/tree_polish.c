/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where there are too many sets: some nodes of the best one and some others,
 * all equally far apart, are exchanged in the best way, and the rest of it
 * stays. Then others are, as long as it becomes better.
 */
#include <stdlib.h>

#include "halves.h"
#include "tree.h"
#include "tree_inside.h"

#define POLISH_BUDGET UINT64_C(1500000)
#define WINDOW 20

/* Nodes of a cluster that are in the best set, and others. */
struct sides {
    unsigned in[TREE_NODES], out[TREE_NODES];
    unsigned nr_in, nr_out;
};

static int compare_slots(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return (x > y) - (x < y);
}

void xln__tree_sort_slots(unsigned *slots, unsigned nr)
{
    qsort(slots, nr, sizeof(*slots), compare_slots);
}

bool xln__tree_has_windows(const struct xln__tree *t, const struct vertex *v)
{
    const struct search *s = t->s;
    const unsigned *order = t->order + v->at;

    if (v->nr < 2 || s->nr_words ||
        (s->policy->bound != XLN__BOUND_UNKNOWN &&
         s->policy->bound != XLN__BOUND_LEAST_BYTES))
        return false;
    for (unsigned i = 1; i < v->nr; i++) {
        if (xln__span_compare(t->gaps[v->at + i], v->gap) ||
            s->slots[order[i]].cost != s->slots[order[0]].cost)
            return false;
    }
    return true;
}

static int compare_crowding(const void *a, const void *b, void *arg)
{
    const struct slot *slots = arg;
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    if (slots[x].crowding != slots[y].crowding)
        return slots[x].crowding < slots[y].crowding ? -1 : 1;
    return (x > y) - (x < y);
}

/* The most crowded of the set first, and the least crowded of the others. */
static void sort_sides(const struct search *s, struct sides *sides)
{
    unsigned nr = sides->nr_in;

    qsort_r(sides->in, nr, sizeof(*sides->in), compare_crowding, s->slots);
    for (unsigned i = 0; i < nr / 2; i++) {
        unsigned slot = sides->in[i];

        sides->in[i] = sides->in[nr - 1 - i];
        sides->in[nr - 1 - i] = slot;
    }
    qsort_r(sides->out, sides->nr_out, sizeof(*sides->out), compare_crowding,
            s->slots);
}

static void find_sides(const struct xln__tree *t, const struct vertex *v,
                       struct sides *sides)
{
    const struct set *best = &t->s->best;
    bool is_best[TREE_NODES] = { false };

    sides->nr_in = sides->nr_out = 0;
    for (unsigned i = 0; i < best->nr; i++)
        is_best[best->slots[i]] = true;
    for (unsigned i = 0; i < v->nr; i++) {
        unsigned slot = t->order[v->at + i];

        if (is_best[slot])
            sides->in[sides->nr_in++] = slot;
        else
            sides->out[sides->nr_out++] = slot;
    }
}

/* Half of a window of these, from the `first` on and round. */
static unsigned take(struct xln__window *w, const unsigned *slots, unsigned nr,
                     unsigned first)
{
    unsigned i;

    for (i = 0; i < nr && i < WINDOW / 2; i++)
        w->slots[w->nr++] = slots[(first + i) % nr];
    return i;
}

static void exchange_some(struct search *s, const struct sides *sides,
                          unsigned first)
{
    const struct set *best = &s->best;
    struct xln__window w = { .span = xln__set_span(best),
                             .cost = best->figures.cost };
    bool in_window[TREE_NODES] = { false };
    unsigned fixed[TREE_NODES];

    w.size = take(&w, sides->in, sides->nr_in, first);
    take(&w, sides->out, sides->nr_out, first);
    for (unsigned i = 0; i < w.nr; i++)
        in_window[w.slots[i]] = true;
    for (unsigned i = 0; i < best->nr; i++) {
        if (!in_window[best->slots[i]])
            fixed[w.nr_fixed++] = best->slots[i];
    }
    w.fixed = fixed;
    xln__tree_sort_slots(w.slots, w.nr);
    xln__halves_search(s, &w);
}

static void polish_cluster(struct xln__tree *t, const struct vertex *v,
                           bool by_crowding)
{
    struct search *s = t->s;
    struct sides sides;

    for (unsigned first = 0; first < v->nr && s->budget; first += WINDOW / 2) {
        find_sides(t, v, &sides);
        if (!sides.nr_in || !sides.nr_out)
            return;
        if (by_crowding)
            sort_sides(s, &sides);
        exchange_some(s, &sides, first);
    }
}

/* Clusters as large as can be. */
static void polish_all(struct xln__tree *t, unsigned vertex, bool by_crowding)
{
    const struct vertex *v = &t->vertices[vertex];

    if (xln__tree_has_windows(t, v)) {
        t->is_polished = true;
        polish_cluster(t, v, by_crowding);
    } else if (v->left != LEAF) {
        polish_all(t, v->left, by_crowding);
        polish_all(t, v->right, by_crowding);
    }
}

/* Those with the most memory that are not more crowded. */
static void offer_uncrowded(struct xln__tree *t, uint64_t crowding)
{
    struct search *s = t->s;

    xln__search_clear(s);
    for (unsigned i = s->nr; i-- > 0 && s->now.nr < s->bound.nr_nodes;) {
        if (s->slots[t->by_bytes[i]].crowding <= crowding)
            xln__search_push(s, t->by_bytes[i]);
    }
    if (s->now.nr == s->bound.nr_nodes && xln__search_fits(s))
        xln__search_offer(s);
}

/* Something to begin with for each crowding. */
static void offer_all_uncrowded(struct xln__tree *t)
{
    for (unsigned i = 0; i < t->s->nr; i++)
        offer_uncrowded(t, t->s->slots[i].crowding);
}

void xln__tree_polish(struct xln__tree *t)
{
    struct search *s = t->s;
    uint64_t before;

    s->budget = POLISH_BUDGET;
    if (xln_policy_uses_load(s->policy))
        offer_all_uncrowded(t);
    if (!s->best.nr)
        return;
    do {
        before = s->nr_better;
        xln__search_exchange(s);
        if (xln_policy_uses_load(s->policy))
            polish_all(t, t->nr - 1, true);
        polish_all(t, t->nr - 1, false);
    } while (s->nr_better != before && s->budget);
    s->budget = POLISH_BUDGET;
}

bool xln__tree_is_polished(const struct xln__tree *t)
{
    return t->is_polished;
}
