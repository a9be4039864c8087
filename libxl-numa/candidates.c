/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sets of nodes that a plan was chosen from, and why not another one.
 *
 * The search finds the best set and what had to be relaxed for it. Here
 * every set is built, small ones first, and judged by that; no short cut is
 * taken, as each has to be counted.
 */
#include <errno.h>
#include <stdlib.h>

#include "cores.h"
#include "problem.h"
#include "policy.h"
#include "search.h"
#include "span.h"

/* At this number the list takes some milliseconds. */
#define MAX_SETS (UINT64_C(1) << 16)

struct scan {
    const struct problem *problem;
    const struct xln_policy *policy;
    unsigned need_cpus;
    struct xln__deck *deck;     /* NULL: cores need not suit the vCPUs */

    unsigned *nodes;            /* the nodes that sets are made of */
    unsigned nr;
    unsigned size;              /* the size of the sets that are built now */

    struct xln_candidate best;

    /* The set under construction. */
    struct xln_candidate now;
    unsigned *members;
    unsigned nr_members;

    unsigned max_nr;            /* how many to list; 0: all */
    unsigned list_size;
    bool cut;                   /* sets worse than the last listed one are
                                   dropped */
    struct xln_candidates *found;
};

/* ---- judging ---- */

static bool has_affinities(const struct scan *s)
{
    const struct problem *problem = s->problem;

    for (unsigned i = 0; problem->own_cpus && i < problem->nr_spots; i++) {
        if (!xln_nodemap_intersects(problem->spots[i], s->now.nodes))
            return false;
    }
    return !problem->own_cpus || !s->deck ||
           xln__deck_suffices(s->deck, s->now.nodes);
}

/* Compare sets of equally many nodes. */
static int compare_spans(const struct xln_candidate *a,
                         const struct xln_candidate *b)
{
    return xln__span_compare(
        (struct span){ a->distance_max, a->distance_sum },
        (struct span){ b->distance_max, b->distance_sum });
}

static enum xln_candidate_verdict judge(const struct scan *s)
{
    const struct xln_candidate *now = &s->now, *best = &s->best;

    if (xln_nodemap_equal(now->nodes, best->nodes))
        return XLN_CANDIDATE_CHOSEN;
    if (now->usable_bytes < s->problem->need_bytes)
        return XLN_CANDIDATE_MEMORY;
    if (now->nr_cpus < s->need_cpus)
        return XLN_CANDIDATE_CPUS;
    if (!has_affinities(s))
        return s->problem->nr_hard ? XLN_CANDIDATE_AFFINITY
                                   : XLN_CANDIDATE_CPUS;
    if (s->nr_members > xln_nodemap_count(best->nodes))
        return XLN_CANDIDATE_MORE_NODES;
    if (now->cost != best->cost)
        return XLN_CANDIDATE_PREFERENCE;
    if (compare_spans(now, best))
        return XLN_CANDIDATE_FARTHER;
    if (s->policy->compare(s->problem, s->nr_members, now, best))
        return XLN_CANDIDATE_POLICY;
    return XLN_CANDIDATE_NUMBERS;
}

static int compare_numbers(const struct xln_nodemap *a,
                           const struct xln_nodemap *b)
{
    unsigned x = xln_nodemap_next(a, 0), y = xln_nodemap_next(b, 0);

    while (x == y && x != XLN_NONE) {
        x = xln_nodemap_next(a, x + 1);
        y = xln_nodemap_next(b, y + 1);
    }
    return (x > y) - (x < y);
}

/* 0: chosen, 1: fits, 2: does not fit. */
static int rank(const struct xln_judged *judged)
{
    if (judged->verdict == XLN_CANDIDATE_CHOSEN)
        return 0;
    return judged->verdict < XLN_CANDIDATE_MEMORY ? 1 : 2;
}

static int compare_judged(const void *a, const void *b, void *arg)
{
    const struct xln_judged *x = a, *y = b;
    const struct scan *s = arg;
    unsigned nr_x, nr_y;
    int order = rank(x) - rank(y);

    if (order)
        return order;
    nr_x = xln_nodemap_count(x->set.nodes);
    nr_y = xln_nodemap_count(y->set.nodes);
    if (nr_x != nr_y)
        return nr_x < nr_y ? -1 : 1;
    if (x->set.cost != y->set.cost)
        return x->set.cost < y->set.cost ? -1 : 1;
    order = compare_spans(&x->set, &y->set);
    if (!order)
        order = s->policy->compare(s->problem, nr_x, &x->set, &y->set);
    return order ? order : compare_numbers(x->set.nodes, y->set.nodes);
}

/* ---- keeping the best ---- */

static void sort(struct scan *s)
{
    if (s->found->nr)
        qsort_r(s->found->list, s->found->nr, sizeof(*s->found->list),
                compare_judged, s);
}

/* Leave the best `max_nr` in the list; the others are only counted. */
static void cut(struct scan *s)
{
    struct xln_candidates *found = s->found;

    sort(s);
    while (s->max_nr && found->nr > s->max_nr) {
        struct xln_judged *last = &found->list[--found->nr];

        found->nr_others[last->verdict]++;
        xln_nodemap_free(last->set.nodes);
        s->cut = true;
    }
}

static int make_room(struct scan *s)
{
    unsigned size = s->list_size ? 2 * s->list_size : 64;
    struct xln_judged *list;

    if (s->max_nr && s->found->nr / 2 >= s->max_nr)
        cut(s);
    if (s->found->nr < s->list_size)
        return 0;
    list = realloc(s->found->list, size * sizeof(*list));
    if (!list)
        return -ENOMEM;
    s->found->list = list;
    s->list_size = size;
    return 0;
}

/* Judge the set under construction, and keep it if it may be listed. */
static int add(struct scan *s)
{
    struct xln_candidates *found = s->found;
    struct xln_judged judged = { s->now, judge(s) };
    int rc;

    if (s->cut && compare_judged(&judged, &found->list[s->max_nr - 1], s) > 0) {
        found->nr_others[judged.verdict]++;
        return 0;
    }
    rc = make_room(s);
    if (rc)
        return rc;
    rc = xln_nodemap_copy(s->now.nodes, &judged.set.nodes);
    if (!rc)
        found->list[found->nr++] = judged;
    return rc;
}

/* ---- building the sets ---- */

static void push(struct scan *s, unsigned node)
{
    const struct problem *problem = s->problem;
    struct span span = { s->now.distance_max, s->now.distance_sum };
    uint64_t crowding = xln__problem_crowding(problem, node);

    for (unsigned i = 0; i < s->nr_members; i++)
        span = xln__span_add(span,
                             xln__span_of(problem->host, node, s->members[i]));
    s->members[s->nr_members++] = node;
    xln_nodemap_set(s->now.nodes, node);
    s->now.usable_bytes += xln__problem_usable(problem, node, problem->own_dma);
    s->now.nr_cpus += problem->nr_allowed[node];
    s->now.cost += problem->costs ? problem->costs[node] : 0;
    s->now.load += problem->load[node];
    if (crowding > s->now.crowding)
        s->now.crowding = crowding;
    s->now.distance_max = span.max;
    s->now.distance_sum = span.sum;
}

/* Remove the last node; `before` has the figures without it. */
static void pop(struct scan *s, const struct xln_candidate *before)
{
    xln_nodemap_clear(s->now.nodes, s->members[--s->nr_members]);
    s->now = *before;
}

/* Complete the set in every way with nodes from the `from`th up. */
static int extend(struct scan *s, unsigned from)
{
    struct xln_candidate before = s->now;
    int rc = 0;

    if (s->nr_members == s->size)
        return add(s);
    for (; from + (s->size - s->nr_members) <= s->nr && !rc; from++) {
        push(s, s->nodes[from]);
        rc = extend(s, from + 1);
        pop(s, &before);
    }
    return rc;
}

/* Judge one given set. */
static int add_set(struct scan *s, const struct xln_nodemap *nodes)
{
    struct xln_candidate before = s->now;
    unsigned node;
    int rc;

    XLN_FOREACH(xln_nodemap, node, nodes) {
        /* A named node may have no memory. */
        push(s, node);
    }
    rc = add(s);
    xln_nodemap_zero(s->now.nodes);
    s->nr_members = 0;
    s->now = before;
    return rc;
}

/* The largest size up to which there are at most MAX_SETS sets; at least 1. */
static unsigned largest_size(unsigned nr, unsigned max_size)
{
    uint64_t nr_of_size = 1, sum = 0;
    unsigned size = 0;

    while (size < max_size) {
        nr_of_size = nr_of_size * (nr - size) / (size + 1);
        sum += nr_of_size;
        if (sum > MAX_SETS && size)
            break;
        size++;
    }
    return size;
}

static int scan_all(struct scan *s)
{
    unsigned max = s->problem->request->max_nodes, largest;
    int rc = 0;

    if (!max || max > s->nr)
        max = s->nr;
    largest = largest_size(s->nr, max);
    for (s->size = 1; s->size <= largest && !rc; s->size++)
        rc = extend(s, 0);
    if (largest < max)
        s->found->max_nodes_seen = largest;
    /* It is listed in any case. */
    if (!rc && xln_nodemap_count(s->best.nodes) > largest)
        rc = add_set(s, s->best.nodes);
    return rc;
}

/* ---- beginning and end ---- */

static int scan_begin(struct scan *s, const struct xln_nodemap *nodes)
{
    unsigned node;
    int rc;

    s->nodes = calloc(xln_nodemap_count(nodes) + 1, sizeof(*s->nodes));
    s->members =
        calloc(xln_host_nr_nodes(s->problem->host), sizeof(*s->members));
    if (!s->nodes || !s->members)
        return -ENOMEM;
    rc = xln__problem_new_nodes(s->problem, &s->now.nodes);
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, nodes)
        s->nodes[s->nr++] = node;
    return 0;
}

/* The user's own set: those of the named nodes that have memory. */
static int scan_named(struct scan *s, struct problem *problem,
                      const struct xln_nodemap *nodes)
{
    int rc;

    problem->own_dma = true;
    problem->own_cpus = false;
    if (xln_nodemap_is_empty(nodes))
        nodes = problem->named;
    rc = xln__problem_copy_nodes(problem, nodes, &s->best.nodes);
    return rc ? rc : add_set(s, nodes);
}

static int scan_search(struct scan *s, struct problem *problem,
                       const struct xln_nodemap *nodes)
{
    struct xln__found found = { 0 };
    int rc;

    if (xln_nodemap_is_empty(nodes))
        return 0;
    rc = xln__search_run(problem, nodes, &found);
    s->best = found.best;
    xln_nodemap_free(found.next.nodes);
    if (rc)
        return rc;
    s->need_cpus = problem->set_cpus;
    rc = xln__deck_new(problem, nodes, &s->deck);
    return rc ? rc : scan_all(s);
}

static int scan(struct scan *s, struct problem *problem)
{
    struct xln_nodemap *nodes;
    int rc;

    rc = xln__problem_candidates(problem, &nodes);
    if (rc)
        return rc;
    rc = scan_begin(s, nodes);
    if (!rc && problem->named && !xln__problem_is_limited(problem))
        rc = scan_named(s, problem, nodes);
    else if (!rc)
        rc = scan_search(s, problem, nodes);
    if (!rc) {
        cut(s);
        xln_nodemap_or(s->found->left_out, xln_host_nodes(problem->host));
        xln_nodemap_andnot(s->found->left_out, nodes);
        xln_nodemap_andnot(s->found->left_out, s->found->without_memory);
    }
    xln_nodemap_free(nodes);
    return rc;
}

static int new_candidates(const struct problem *problem,
                          struct xln_candidates **found_r)
{
    struct xln_candidates *found = calloc(1, sizeof(*found));
    struct xln_nodemap *with_memory = NULL;
    int rc;

    if (!found)
        return -ENOMEM;
    found->need_bytes = problem->need_bytes;
    rc = xln__problem_nodes_with_memory(problem, &with_memory);
    if (!rc)
        rc = xln__problem_new_nodes(problem, &found->left_out);
    if (!rc)
        rc = xln__problem_copy_nodes(problem, xln_host_nodes(problem->host),
                                     &found->without_memory);
    if (!rc)
        xln_nodemap_andnot(found->without_memory, with_memory);
    xln_nodemap_free(with_memory);
    if (rc) {
        xln_candidates_free(found);
        return rc;
    }
    *found_r = found;
    return 0;
}

int xln_candidates_find(const struct xln_host *host,
                        const struct xln_request *request,
                        const struct xln_need *need, unsigned max_nr,
                        struct xln_candidates **candidates_r)
{
    struct scan s = { .max_nr = max_nr };
    struct problem problem;
    int rc;

    rc = xln__problem_init(&problem, host, request, need);
    if (rc)
        goto out;
    s.problem = &problem;
    s.policy = request->policy ? request->policy : xln_policy_default();
    rc = new_candidates(&problem, &s.found);
    if (rc)
        goto out;
    rc = scan(&s, &problem);
    if (rc)
        goto out;

    *candidates_r = s.found;
    s.found = NULL;
 out:
    xln__problem_clear(&problem);
    free(s.nodes);
    free(s.members);
    xln_nodemap_free(s.now.nodes);
    xln_nodemap_free(s.best.nodes);
    xln__deck_free(s.deck);
    xln_candidates_free(s.found);
    return rc;
}

void xln_candidates_free(struct xln_candidates *candidates)
{
    if (!candidates)
        return;
    for (unsigned i = 0; i < candidates->nr; i++)
        xln_nodemap_free(candidates->list[i].set.nodes);
    free(candidates->list);
    xln_nodemap_free(candidates->without_memory);
    xln_nodemap_free(candidates->left_out);
    free(candidates);
}
