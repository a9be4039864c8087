/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

/*
 * Nodes that are at most d apart from a neighbour, and so on, are a cluster at
 * d; a set whose largest distance is d lies in one cluster at d. The clusters
 * at all distances form a tree: one that is cut in two at the largest of its
 * gaps is a vertex with two children, a node by itself is a leaf. Clusters are
 * found by always going on to the node that is nearest to any before (Prim):
 * in that order every cluster is a run, and `gap` is how far each was.
 *
 * Example: 0 and 1, and 2 and 3, are 15 apart, all others 30. The order is 0,
 * 1, 2, 3 with gaps of 15, 30 and 15; the root is cut before 2.
 *
 * Two nodes are at least as far apart as the gap of the vertex where they
 * part. With that for a distance each vertex and number of nodes has a list of
 * what can be had: of the sets of so many nodes in the cluster, the figures of
 * those to which no other is equal or better in all of cost, distances,
 * memory, CPUs and affinities. A vertex' lists follow from its children's: a
 * nodes of the left and b of the right have a * b pairs across. The root's say
 * how few nodes can do and at what cost, and all of them together how near
 * these can be to each other: tree_measure(). As distances are but larger than
 * gaps these are bounds, and the number of nodes and the cost are exact.
 *
 * Where all distances are those of the gaps (sockets on boards, a hierarchy)
 * the distances are exact too. What is left is to choose by the policy and by
 * numbers among the sets of just these figures: tree_search() builds them top
 * down, from how many nodes each child has, and the lists tell it which
 * divisions have no such set.
 */
#define MAX_NODES 256
#define NR_WORDS (MAX_NODES / 64)
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
    uint64_t min_bytes[MAX_NODES + 1], max_bytes[MAX_NODES + 1];
    uint64_t min_cpus[MAX_NODES + 1], max_cpus[MAX_NODES + 1];
};

struct xln__tree {
    struct search *s;
    unsigned order[MAX_NODES];  /* the slots */
    struct span gaps[MAX_NODES];    /* before each position but the first */
    struct vertex *vertices;    /* children first, the root last */
    unsigned nr;
    bool is_hierarchy;
    bool sums_hold;             /* the gaps' sums are no larger, either */

    unsigned positions[MAX_NODES];  /* of the slots in the order */
    unsigned by_bytes[MAX_NODES], by_cpus[MAX_NODES];   /* slots, ascending */
    unsigned size;              /* of the sets that are measured */
    uint64_t need_bytes;        /* what their memory comes to at least */
    struct outside outside;     /* the vertex that is measured */
};

/* ---- the clusters ---- */

static const struct span *span_of(const struct search *s, unsigned a,
                                  unsigned b)
{
    return &s->spans[(size_t)a * s->nr + b];
}

static void find_order(struct xln__tree *t)
{
    const struct search *s = t->s;
    struct span nearest[MAX_NODES];
    bool taken[MAX_NODES] = { false };
    unsigned last = 0;

    for (unsigned i = 0; i < s->nr; i++)
        nearest[i] = (struct span){ XLN_NONE, UINT64_MAX };
    t->order[0] = 0;
    for (unsigned at = 1; at < s->nr; at++) {
        unsigned best = XLN_NONE;

        taken[last] = true;
        for (unsigned i = 0; i < s->nr; i++) {
            if (taken[i])
                continue;
            if (xln__span_compare(*span_of(s, last, i), nearest[i]) < 0)
                nearest[i] = *span_of(s, last, i);
            if (best == XLN_NONE ||
                xln__span_compare(nearest[i], nearest[best]) < 0)
                best = i;
        }
        t->order[at] = last = best;
        t->gaps[at] = nearest[best];
    }
}

static void compare_gaps(struct xln__tree *t)
{
    t->is_hierarchy = t->sums_hold = true;
    for (unsigned a = 0; a < t->s->nr; a++) {
        struct span gap = { 0, 0 };

        for (unsigned b = a + 1; b < t->s->nr; b++) {
            const struct span *span = span_of(t->s, t->order[a], t->order[b]);

            if (xln__span_compare(t->gaps[b], gap) > 0)
                gap = t->gaps[b];
            if (xln__span_compare(*span, gap))
                t->is_hierarchy = false;
            if (gap.sum > span->sum)
                t->sums_hold = false;
        }
    }
}

/* Make the vertex of a run, after its children. Returns its number, or LEAF:
 * there is no memory for it. */
static unsigned make_vertex(struct xln__tree *t, unsigned at, unsigned nr)
{
    struct vertex v = { .at = at, .nr = nr, .left = LEAF, .right = LEAF };

    if (nr > 1) {
        unsigned cut = at + 1;

        for (unsigned i = at + 2; i < at + nr; i++) {
            if (xln__span_compare(t->gaps[i], t->gaps[cut]) > 0)
                cut = i;
        }
        v.gap = t->gaps[cut];
        v.left = make_vertex(t, at, cut - at);
        v.right = make_vertex(t, cut, at + nr - cut);
        if (v.left == LEAF || v.right == LEAF)
            return LEAF;
    }
    v.parts = calloc(nr + 1, sizeof(*v.parts));
    if (!v.parts)
        return LEAF;
    t->vertices[t->nr] = v;
    return t->nr++;
}

int xln__tree_new(struct search *s, struct xln__tree **tree_r)
{
    struct xln__tree *t;

    if (s->nr > MAX_NODES || s->nr_words > 1)
        return 0;
    t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->s = s;
    t->vertices = calloc(2 * s->nr, sizeof(*t->vertices));
    if (!t->vertices)
        goto fail;
    find_order(t);
    compare_gaps(t);
    if (make_vertex(t, 0, s->nr) == LEAF)
        goto fail;
    *tree_r = t;
    return 0;

 fail:
    xln__tree_free(t);
    return -ENOMEM;
}

void xln__tree_free(struct xln__tree *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->nr; i++) {
        for (unsigned nr = 0; nr <= t->vertices[i].nr; nr++)
            free(t->vertices[i].parts[nr].states);
        free(t->vertices[i].parts);
    }
    free(t->vertices);
    free(t);
}

/* ---- what can be had ---- */

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
    xln__sets_spend(s, 8 + 2 * part->nr);
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

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
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

static bool has_enough(const struct search *s, const struct state *state)
{
    return state->bytes >= s->need_bytes && state->nr_cpus >= s->need_cpus &&
           !(s->nr_words && s->missing[0] & ~state->spots);
}

/* The least cost of a set of t->size nodes. False: none fits. */
static bool find_cost(const struct xln__tree *t)
{
    const struct part *part = &t->vertices[t->nr - 1].parts[t->size];
    bool found = false;

    t->s->bound_cost = UINT64_MAX;
    for (unsigned i = 0; i < part->nr; i++) {
        if (!has_enough(t->s, &part->states[i]))
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

        if (state->cost == t->s->bound_cost && has_enough(t->s, state) &&
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
    xln__sets_spend(t->s, nr);
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

/* ---- the best by policy and numbers ---- */

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
    struct task pending[MAX_NODES];
    unsigned nr_pending;
    struct figures figures;

    unsigned twins[MAX_NODES];  /* of a slot: see find_twins() */
    /* Slots that are in the set, that can't come to be, and that the best
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
        return true;
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

    xln__sets_clear(s);
    for (unsigned slot = 0; slot < s->nr; slot++) {
        if (test_bit(w->in, slot))
            xln__sets_push(s, slot);
    }
    if (!xln__sets_fits(s))
        return;
    xln__sets_offer(s);
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
        set_bit(w->in, slot);
        step(w);
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

    xln__sets_spend(s, 16);
    if (!s->budget || (w->best_counts && !may_be_better(w)))
        return;
    if (!w->nr_pending) {
        xln__sets_spend(s, (uint64_t)s->bound.nr_nodes * s->bound.nr_nodes);
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

/* Build the sets in one cluster. */
static void walk_cluster(struct walk *w, const struct vertex *v)
{
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
    struct span span = *span_of(s, slot_a, slot_b);

    return x->bytes == y->bytes && x->nr_cpus == y->nr_cpus &&
           x->cost == y->cost &&
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
        if (t->s->policy->bound == XLN__BOUND_UNKNOWN)
            continue;
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
                has_enough(t->s, state))
                most = max(most, state->bytes);
        }
    }
    return most;
}

/* Put each node that is not in the best set in the place of one that is. */
static void offer_exchanged(struct search *s, unsigned without)
{
    struct set *now = &s->now;
    struct xln_candidate before;
    unsigned in[MAX_NODES], nr = 0;
    bool is_best[MAX_NODES] = { false };

    xln__sets_clear(s);
    for (unsigned i = 0; i < s->best.nr; i++) {
        is_best[s->best.slots[i]] = true;
        if (i != without)
            in[nr++] = s->best.slots[i];
    }
    for (unsigned i = 0; i < nr; i++)
        xln__sets_push(s, in[i]);
    before = now->figures;
    for (unsigned slot = 0; slot < s->nr; slot++) {
        if (is_best[slot])
            continue;
        xln__sets_push(s, slot);
        if (xln__sets_fits(s))
            xln__sets_offer(s);
        memcpy(now->slots, in, nr * sizeof(*in));
        now->nr = nr;
        now->figures = before;
    }
}

/* The second best is in most cases the best with one node exchanged. */
static void offer_exchanges(struct search *s)
{
    for (unsigned i = 0; i < s->best.nr; i++)
        offer_exchanged(s, i);
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
    offer_exchanges(s);
    return complete;
}
