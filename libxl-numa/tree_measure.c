/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is possible: the figures of the sets in each cluster, from the leaves up.
 * The method is described in tree.c. */
#include <stdlib.h>

#include "tree.h"
#include "tree_inside.h"

static bool is_no_better(const struct state *state, const struct state *than)
{
    return state->cost >= than->cost &&
           state->distance_sum >= than->distance_sum &&
           state->bytes <= than->bytes && state->nr_cpus <= than->nr_cpus &&
           !(state->spots & ~than->spots);
}

/*
 * Whether the state can be part of a set of t->size nodes that has enough,
 * with the largest `left` from outside. If it has enough with any, that it has
 * more than others makes no difference, unless the policy is for more.
 */
static bool can_suffice(const struct xln__tree *t, struct state *state,
                        unsigned left)
{
    const struct outside *o = &t->outside;
    const struct search *s = t->s;

    if (state->bytes + o->max_bytes[left] < t->need_bytes ||
        state->nr_cpus + o->max_cpus[left] < s->need_cpus)
        return false;
    if (state->nr_cpus + o->min_cpus[left] >= s->need_cpus)
        state->nr_cpus = s->need_cpus;
    if (s->policy->bound != XLN__BOUND_MOST_BYTES &&
        state->bytes + o->min_bytes[left] >= t->need_bytes)
        state->bytes = t->need_bytes;
    return true;
}

/* False: there is no memory or budget for it. */
static bool add_state(const struct xln__tree *t, struct part *part,
                      unsigned nr_nodes, struct state state)
{
    struct search *s = t->s;
    unsigned nr = 0;

    if (!can_suffice(t, &state, t->size - nr_nodes))
        return true;
    xln__search_spend(s, 8 + 2 * part->nr);
    for (unsigned i = 0; i < part->nr; i++) {
        if (is_no_better(&state, &part->states[i]))
            return s->budget;
    }
    for (unsigned i = 0; i < part->nr; i++) {
        if (!is_no_better(&part->states[i], &state))
            part->states[nr++] = part->states[i];
    }
    part->nr = nr;
    if (nr == part->size) {
        unsigned size = nr ? 2 * nr : 1;
        struct state *states = realloc(part->states, size * sizeof(*states));

        if (!states)
            return false;
        part->states = states;
        part->size = size;
    }
    part->states[part->nr++] = state;
    return s->budget;
}

/* All sets of a nodes of one child and b of the other. */
static bool join(const struct xln__tree *t, const struct vertex *v,
                 unsigned nr, unsigned nr_left)
{
    const struct part *a = &t->vertices[v->left].parts[nr_left];
    const struct part *b = &t->vertices[v->right].parts[nr - nr_left];
    uint64_t nr_pairs = (uint64_t)nr_left * (nr - nr_left);

    for (unsigned i = 0; i < a->nr; i++) {
        for (unsigned j = 0; j < b->nr; j++) {
            const struct state *x = &a->states[i], *y = &b->states[j];
            struct state both = {
                .cost = x->cost + y->cost,
                .distance_sum = x->distance_sum + y->distance_sum +
                                nr_pairs * v->gap.sum,
                .bytes = x->bytes + y->bytes,
                .spots = x->spots | y->spots,
                .nr_cpus = x->nr_cpus + y->nr_cpus,
            };

            if (!add_state(t, &v->parts[nr], nr, both))
                return false;
        }
    }
    return true;
}

static void measure_leaf(const struct xln__tree *t, struct vertex *v)
{
    unsigned slot = t->order[v->at];
    const struct slot *node = &t->s->slots[slot];

    v->parts[1].min_bytes = v->parts[1].max_bytes = node->bytes;
    v->parts[1].max_cpus = node->nr_cpus;
}

static void measure_extremes(struct part *part, const struct part *a,
                             const struct part *b)
{
    part->min_bytes = min(part->min_bytes, a->min_bytes + b->min_bytes);
    part->max_bytes = max(part->max_bytes, a->max_bytes + b->max_bytes);
    part->max_cpus = max(part->max_cpus, a->max_cpus + b->max_cpus);
}

static bool measure_inner(const struct xln__tree *t, struct vertex *v,
                          unsigned nr)
{
    const struct vertex *left = &t->vertices[v->left];
    const struct vertex *right = &t->vertices[v->right];
    struct part *part = &v->parts[nr];
    unsigned a = nr > right->nr ? nr - right->nr : 0;

    part->min_bytes = UINT64_MAX;
    for (; a <= nr && a <= left->nr; a++) {
        const struct part *x = &left->parts[a], *y = &right->parts[nr - a];

        measure_extremes(part, x, y);
        if (!join(t, v, nr, a))
            return false;
    }
    return true;
}

static bool measure_part(const struct xln__tree *t, struct vertex *v,
                         unsigned nr)
{
    const struct slot *node = &t->s->slots[t->order[v->at]];
    struct part *part = &v->parts[nr];
    struct state state = { 0 };
    bool good;

    part->nr = 0;
    part->max_bytes = part->max_cpus = 0;
    if (nr && v->left == LEAF) {
        state.cost = node->cost;
        state.bytes = node->bytes;
        state.nr_cpus = node->nr_cpus;
        state.spots = t->s->nr_words ? t->s->spots_of[t->order[v->at]] : 0;
        measure_leaf(t, v);
    }
    good = v->left == LEAF || !nr ? add_state(t, part, nr, state)
                                  : measure_inner(t, v, nr);
    part->min_cost = part->min_distance = UINT64_MAX;
    for (unsigned i = 0; i < part->nr; i++) {
        part->min_cost = min(part->min_cost, part->states[i].cost);
        part->min_distance = min(part->min_distance,
                                 part->states[i].distance_sum);
    }
    return good;
}

/* The least cost of a set of t->size nodes. False: none fits. */
static bool find_cost(const struct xln__tree *t)
{
    const struct part *part = &t->vertices[t->nr - 1].parts[t->size];
    bool found = false;

    t->s->bound_cost = UINT64_MAX;
    for (unsigned i = 0; i < part->nr; i++) {
        if (!xln__state_suffices(t->s, &part->states[i]))
            continue;
        found = true;
        t->s->bound_cost = min(t->s->bound_cost, part->states[i].cost);
    }
    return found;
}

/* Take note of what is near in one cluster: the least gap within which there
 * are such sets, and for that their least distances. */
static void find_near(const struct xln__tree *t, const struct vertex *v,
                      struct xln_bound *bound)
{
    const struct part *part = &v->parts[bound->nr_nodes];

    for (unsigned i = 0; i < part->nr; i++) {
        const struct state *state = &part->states[i];
        struct span bounded = { bound->distance_max, bound->distance_sum };
        struct span span = { v->gap.max, state->distance_sum };

        if (state->cost == t->s->bound_cost &&
            xln__state_suffices(t->s, state) &&
            xln__span_compare(span, bounded) < 0) {
            bound->distance_max = span.max;
            bound->distance_sum = span.sum;
        }
    }
}

/* What no sum of memory can be below that is enough: memory comes in pages, and
 * mostly in larger units, so all sums are multiples of a common divisor. */
static uint64_t find_least(const struct search *s)
{
    uint64_t divisor = 0;

    for (unsigned i = 0; i < s->nr; i++) {
        uint64_t a = s->slots[i].bytes, b = divisor;

        while (b) {
            uint64_t rest = a % b;

            a = b;
            b = rest;
        }
        divisor = a;
    }
    if (!divisor || s->need_bytes > UINT64_MAX - divisor)
        return s->need_bytes;
    return (s->need_bytes + divisor - 1) / divisor * divisor;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_bytes(const void *a, const void *b, void *arg)
{
    const struct slot *slots = arg;

    return compare_numbers(slots[*(const unsigned *)a].bytes,
                           slots[*(const unsigned *)b].bytes);
}

static int compare_cpus(const void *a, const void *b, void *arg)
{
    const struct slot *slots = arg;

    return compare_numbers(slots[*(const unsigned *)a].nr_cpus,
                           slots[*(const unsigned *)b].nr_cpus);
}

static void sort_slots(struct xln__tree *t)
{
    const struct search *s = t->s;

    for (unsigned i = 0; i < s->nr; i++) {
        t->by_bytes[i] = t->by_cpus[i] = i;
        t->positions[t->order[i]] = i;
    }
    qsort_r(t->by_bytes, s->nr, sizeof(*t->by_bytes), compare_bytes, s->slots);
    qsort_r(t->by_cpus, s->nr, sizeof(*t->by_cpus), compare_cpus, s->slots);
}

static bool is_inside(const struct xln__tree *t, const struct vertex *v,
                      unsigned slot)
{
    return t->positions[slot] - v->at < v->nr;
}

static void look_outside(struct xln__tree *t, const struct vertex *v)
{
    const struct slot *slots = t->s->slots;
    struct outside *o = &t->outside;
    unsigned nr = t->s->nr, up[2] = { 0, 0 }, down[2] = { 0, 0 };

    for (unsigned i = 0; i < nr; i++) {
        unsigned bytes = t->by_bytes[i], cpus = t->by_cpus[i];
        unsigned top_bytes = t->by_bytes[nr - 1 - i];
        unsigned top_cpus = t->by_cpus[nr - 1 - i];

        if (!is_inside(t, v, bytes)) {
            o->min_bytes[up[0] + 1] = o->min_bytes[up[0]] + slots[bytes].bytes;
            up[0]++;
        }
        if (!is_inside(t, v, cpus)) {
            o->min_cpus[up[1] + 1] = o->min_cpus[up[1]] + slots[cpus].nr_cpus;
            up[1]++;
        }
        if (!is_inside(t, v, top_bytes)) {
            o->max_bytes[down[0] + 1] =
                o->max_bytes[down[0]] + slots[top_bytes].bytes;
            down[0]++;
        }
        if (!is_inside(t, v, top_cpus)) {
            o->max_cpus[down[1] + 1] =
                o->max_cpus[down[1]] + slots[top_cpus].nr_cpus;
            down[1]++;
        }
    }
    xln__search_spend(t->s, nr);
}

/* Sets of t->size nodes. False: there is no memory or budget for it. */
static bool measure_all(struct xln__tree *t)
{
    unsigned nr_outside;

    for (unsigned i = 0; i < t->nr; i++) {
        struct vertex *v = &t->vertices[i];

        nr_outside = t->s->nr - v->nr;
        look_outside(t, v);
        for (unsigned nr = 0; nr <= v->nr; nr++) {
            v->parts[nr].nr = 0;
            if (nr > t->size || t->size - nr > nr_outside)
                continue;
            if (!measure_part(t, v, nr))
                return false;
        }
    }
    return true;
}

static void measure_distances(struct xln__tree *t)
{
    struct search *s = t->s;

    s->bound = (struct xln_bound){
        .nr_nodes = t->size,
        .distance_max = XLN_NONE,
        .distance_sum = UINT64_MAX,
    };
    for (unsigned i = 0; i < t->nr; i++) {
        if (t->vertices[i].nr >= t->size)
            find_near(t, &t->vertices[i], &s->bound);
    }
    if (!t->sums_hold)
        s->bound.distance_sum = 0;
}

bool xln__tree_measure(struct xln__tree *t)
{
    struct search *s = t->s;

    sort_slots(t);
    t->need_bytes = find_least(s);
    for (t->size = s->bound.nr_nodes; t->size <= s->max_nr; t->size++) {
        if (!measure_all(t))
            return false;
        s->bound.nr_nodes = t->size;
        if (find_cost(t)) {
            measure_distances(t);
            return true;
        }
    }
    s->bound.nr_nodes = XLN_NONE;
    return true;
}
