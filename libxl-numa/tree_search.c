/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The best set by the policy and by numbers, where the distances form a
 * hierarchy: sets are built from the root down. The method is described in
 * tree.c. */
#include <string.h>

#include "halves.h"
#include "tree.h"
#include "tree_inside.h"

#define NR_WORDS (TREE_NODES / 64)

struct task {
    const struct vertex *v;
    unsigned nr;                /* of its nodes that are in the set */
};

struct figures {
    uint64_t cost, distance_sum, min_bytes, max_bytes, max_cpus;
};

struct walk {
    const struct xln__tree *t;
    struct search *s;
    uint64_t need_bytes;        /* or more, where the policy asks for most */

    /* What is left to be decided, and what it comes to at least or at most;
     * what is decided has its place in both. */
    struct task pending[TREE_NODES];
    unsigned nr_pending;
    struct figures figures;
    uint64_t crowding;          /* the most of the slots in the set */

    unsigned twins[TREE_NODES];  /* of a slot: see find_twins() */
    /* Slots that are in the set, that cannot come to be, and that the best
     * set so far has, if it is `best_counts` */
    uint64_t in[NR_WORDS], out[NR_WORDS], best[NR_WORDS];
    bool best_counts;
};

static void set_bit(uint64_t *bits, unsigned slot)
{
    bits[slot / 64] |= UINT64_C(1) << slot % 64;
}

static void clear_bit(uint64_t *bits, unsigned slot)
{
    bits[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

static bool test_bit(const uint64_t *bits, unsigned slot)
{
    return bits[slot / 64] >> slot % 64 & 1;
}

static void add_task(struct walk *w, const struct vertex *v, unsigned nr)
{
    const struct part *part = &v->parts[nr];

    w->pending[w->nr_pending++] = (struct task){ v, nr };
    w->figures.cost += part->min_cost;
    w->figures.distance_sum += part->min_distance;
    w->figures.min_bytes += part->min_bytes;
    w->figures.max_bytes += part->max_bytes;
    w->figures.max_cpus += part->max_cpus;
}

/* Whether some set of this task can go with the least and the most of all
 * others. */
static bool can_do(const struct walk *w, unsigned number)
{
    const struct task *task = &w->pending[number];
    const struct part *part = &task->v->parts[task->nr];
    const struct figures *f = &w->figures;
    const struct search *s = w->s;

    for (unsigned i = 0; i < part->nr; i++) {
        const struct state *state = &part->states[i];

        if (f->cost - part->min_cost + state->cost <= s->bound_cost &&
            f->distance_sum - part->min_distance + state->distance_sum <=
                s->bound.distance_sum &&
            f->max_bytes - part->max_bytes + state->bytes >= w->need_bytes &&
            f->max_cpus - part->max_cpus + state->nr_cpus >= s->need_cpus)
            return true;
    }
    return false;
}

/* Whether the set can still come to have lower numbers than the best one: not
 * if it lacks a lower one than any that it may have more. */
static bool may_be_lower(const struct walk *w)
{
    for (unsigned i = 0; i < NR_WORDS; i++) {
        uint64_t lacks = w->out[i] & w->best[i];
        uint64_t more = ~w->out[i] & ~w->best[i];

        if (lacks || more)
            return !lacks || (more && (more & -more) < (lacks & -lacks));
    }
    return false;
}

/* Whether it may become better than the best one, which is as few, as cheap
 * and as near. */
static bool may_be_better(const struct walk *w)
{
    const struct xln_candidate *best = &w->s->best.figures;
    uint64_t least = max(w->figures.min_bytes, w->need_bytes);
    struct xln_candidate figures;
    int order;

    switch (w->s->policy->bound) {
    case XLN__BOUND_NUMBERS:
        return may_be_lower(w);
    case XLN__BOUND_LEAST_BYTES:
        return least < best->usable_bytes ||
               (least == best->usable_bytes && may_be_lower(w));
    case XLN__BOUND_MOST_BYTES:
        return w->figures.max_bytes > best->usable_bytes ||
               (w->figures.max_bytes == best->usable_bytes &&
                may_be_lower(w));
    default:
        figures = (struct xln_candidate){
            .usable_bytes = least,
            .nr_cpus = (unsigned)w->s->top_cpus[w->s->bound.nr_nodes],
            .crowding = w->crowding,
        };
        order = w->s->policy->compare(w->s->problem, w->s->bound.nr_nodes,
                                      &figures, best);
        return order < 0 || (!order && may_be_lower(w));
    }
}

static void look_at_best(struct walk *w)
{
    const struct search *s = w->s;
    const struct set *best = &s->best;
    struct span bound = { s->bound.distance_max, s->bound.distance_sum };

    w->best_counts = best->nr == s->bound.nr_nodes &&
                     best->figures.cost == s->bound_cost &&
                     !xln__span_compare(xln__set_span(best), bound);
    memset(w->best, 0, sizeof(w->best));
    for (unsigned i = 0; i < best->nr; i++)
        set_bit(w->best, best->slots[i]);
}

static void offer_set(struct walk *w)
{
    struct search *s = w->s;

    xln__search_clear(s);
    for (unsigned slot = 0; slot < s->nr; slot++) {
        if (test_bit(w->in, slot))
            xln__search_push(s, slot);
    }
    if (!xln__search_fits(s))
        return;
    xln__search_offer(s);
    look_at_best(w);
}

static void step(struct walk *w);

static void decide_leaf(struct walk *w, const struct task *task)
{
    unsigned slot = w->t->order[task->v->at];

    if (!task->nr) {
        set_bit(w->out, slot);
        step(w);
        clear_bit(w->out, slot);
    } else if (w->twins[slot] == XLN_NONE ||
               !test_bit(w->out, w->twins[slot])) {
        uint64_t before = w->crowding;

        set_bit(w->in, slot);
        w->crowding = max(before, w->s->slots[slot].crowding);
        step(w);
        w->crowding = before;
        clear_bit(w->in, slot);
    }
}

static void decide_inner(struct walk *w, const struct task *task)
{
    const struct vertex *left = &w->t->vertices[task->v->left];
    const struct vertex *right = &w->t->vertices[task->v->right];
    struct figures before = w->figures;
    unsigned nr_pending = w->nr_pending, nr = task->nr;
    unsigned fewest = nr > right->nr ? nr - right->nr : 0;

    for (unsigned a = min(nr, left->nr) + 1; a-- > fewest;) {
        w->figures.distance_sum +=
            (uint64_t)a * (nr - a) * task->v->gap.sum;
        add_task(w, right, nr - a);
        add_task(w, left, a);
        if (can_do(w, nr_pending) && can_do(w, nr_pending + 1))
            step(w);
        w->figures = before;
        w->nr_pending = nr_pending;
    }
}

/* Complete the set in every way in which it may become the best one. */
static void step(struct walk *w)
{
    struct search *s = w->s;
    struct figures before = w->figures;
    struct task task;

    xln__search_spend(s, s->policy->bound == XLN__BOUND_UNKNOWN ? 96 : 16);
    if (!s->budget || (w->best_counts && !may_be_better(w)))
        return;
    if (!w->nr_pending) {
        xln__search_spend(s, (uint64_t)s->bound.nr_nodes * s->bound.nr_nodes);
        offer_set(w);
        return;
    }
    task = w->pending[--w->nr_pending];
    if (task.v->left == LEAF) {
        decide_leaf(w, &task);
    } else {
        const struct part *part = &task.v->parts[task.nr];

        w->figures.cost -= part->min_cost;
        w->figures.distance_sum -= part->min_distance;
        w->figures.min_bytes -= part->min_bytes;
        w->figures.max_bytes -= part->max_bytes;
        w->figures.max_cpus -= part->max_cpus;
        decide_inner(w, &task);
        w->figures = before;
    }
    w->pending[w->nr_pending++] = task;
}

/* False: nothing is known of its sets. */
static bool halve_cluster(struct walk *w, const struct vertex *v)
{
    struct search *s = w->s;
    struct xln__window window = { .size = s->bound.nr_nodes, .span = v->gap };

    if (!xln__tree_has_windows(w->t, v) || v->nr > HALVES_MAX)
        return false;
    for (unsigned i = 0; i < v->nr; i++)
        window.slots[i] = w->t->order[v->at + i];
    window.nr = v->nr;
    xln__tree_sort_slots(window.slots, window.nr);
    window.span.sum *= (uint64_t)window.size * (window.size - 1) / 2;
    window.cost = s->slots[window.slots[0]].cost * window.size;
    if (!xln__halves_search(s, &window))
        return false;
    look_at_best(w);
    return true;
}

/* Build the sets in one cluster. */
static void walk_cluster(struct walk *w, const struct vertex *v)
{
    if (halve_cluster(w, v))
        return;
    memset(w->out, 0xff, sizeof(w->out));
    for (unsigned i = 0; i < v->nr; i++)
        clear_bit(w->out, w->t->order[v->at + i]);
    w->nr_pending = 0;
    memset(&w->figures, 0, sizeof(w->figures));
    add_task(w, v, w->s->bound.nr_nodes);
    if (can_do(w, 0))
        step(w);
}

/* How far the node at a position is from the nearest. */
static struct span nearest_gap(const struct xln__tree *t, unsigned at)
{
    bool last = at + 1 == t->s->nr;

    if (!at)
        return last ? (struct span){ 0, 0 } : t->gaps[1];
    if (last || xln__span_compare(t->gaps[at], t->gaps[at + 1]) < 0)
        return t->gaps[at];
    return t->gaps[at + 1];
}

static bool is_twin(const struct xln__tree *t, unsigned a, unsigned b)
{
    const struct search *s = t->s;
    unsigned slot_a = t->order[a], slot_b = t->order[b];
    const struct slot *x = &s->slots[slot_a], *y = &s->slots[slot_b];
    struct span span = xln__span_between(s, slot_a, slot_b);

    return x->bytes == y->bytes && x->nr_cpus == y->nr_cpus &&
           x->cost == y->cost &&
           (x->crowding == y->crowding || !xln_policy_uses_load(s->policy)) &&
           (!s->nr_words || s->spots_of[slot_a] == s->spots_of[slot_b]) &&
           !xln__span_compare(span, nearest_gap(t, a)) &&
           !xln__span_compare(span, nearest_gap(t, b));
}

/*
 * Nodes in a cluster that are alike in every figure can stand for each other.
 * So one of them is only taken if the one before it is: the other set has
 * lower numbers and is as good.
 */
static void find_twins(struct walk *w)
{
    const struct xln__tree *t = w->t;

    for (unsigned at = 0; at < t->s->nr; at++) {
        unsigned *twin = &w->twins[t->order[at]];

        *twin = XLN_NONE;
        for (unsigned before = at; before-- > 0 && *twin == XLN_NONE;) {
            if (t->order[before] < t->order[at] && is_twin(t, before, at))
                *twin = t->order[before];
        }
    }
}

/* The most memory of the sets of just the bound's figures. */
static uint64_t find_most(const struct xln__tree *t)
{
    const struct xln_bound *bound = &t->s->bound;
    uint64_t most = 0;

    for (unsigned i = 0; i < t->nr; i++) {
        const struct vertex *v = &t->vertices[i];
        const struct part *part = &v->parts[bound->nr_nodes];

        if (v->nr < bound->nr_nodes || v->gap.max > bound->distance_max)
            continue;
        for (unsigned j = 0; j < part->nr; j++) {
            const struct state *state = &part->states[j];

            if (state->cost == t->s->bound_cost &&
                state->distance_sum == bound->distance_sum &&
                xln__state_suffices(t->s, state))
                most = max(most, state->bytes);
        }
    }
    return most;
}

/* A cluster as large as can be within the bound. */
static void walk_all(struct walk *w, unsigned vertex)
{
    const struct vertex *v = &w->t->vertices[vertex];

    if (v->nr < w->s->bound.nr_nodes)
        return;
    if (v->gap.max <= w->s->bound.distance_max) {
        walk_cluster(w, v);
        return;
    }
    walk_all(w, v->left);
    walk_all(w, v->right);
}

bool xln__tree_search(struct xln__tree *t)
{
    struct search *s = t->s;
    struct walk w = { .t = t, .s = s, .need_bytes = t->need_bytes };
    bool complete;

    if (!t->is_hierarchy)
        return false;
    if (s->policy->bound == XLN__BOUND_MOST_BYTES)
        w.need_bytes = find_most(t);
    find_twins(&w);
    look_at_best(&w);
    walk_all(&w, t->nr - 1);
    complete = s->budget;
    if (!complete)
        xln__tree_polish(t);
    xln__search_exchange(s);
    return complete;
}
