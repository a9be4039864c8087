/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order in which domains are planned. It places as many domains as
 * possible; of orders that place as many, it is one in which least has to be
 * given up.
 *
 * The small domains are most in number, but if they come first, the big ones
 * have to be split. So the order is found in two steps. First the domains are
 * planned as they stand, from the biggest down and from the smallest up. What
 * the best of these orders places is then planned again, from the biggest down,
 * and the others behind it. While a domain gets less than it gets alone on the
 * host, it is moved to the front and all are planned again. The best of all
 * orders that were tried counts.
 *
 * Example: two nodes of 8 GiB, two domains of 7 GiB and four of 3 GiB. From the
 * biggest down, the two of 7 GiB are placed and nothing else. From the smallest
 * up, the four of 3 GiB are, two on each node.
 *
 * How many orders are tried depends on the sizes only, so the same domains
 * always get the same plan.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "planner.h"

/* As many orders as make this many decisions, each counted once for every node
 * of the host; but MIN_ORDERS at least. */
#define MAX_DECISIONS 100000
#define MIN_ORDERS 8

/* The result for a domain that is alone on the host. */
struct alone {
    enum decide_status status;
    unsigned nr_nodes;
};

struct optimiser {
    struct planned *list;
    unsigned nr;
    const struct xln_host *host;
    const struct work *work;
    struct alone *alone;        /* [nr] */
    unsigned least_unfit;       /* no order leaves out fewer */
    unsigned nr_tried, max_tried;

    unsigned *order;            /* the one that was planned last */
    unsigned *others;           /* [nr]; to work with */
    unsigned *best;             /* of all that were tried; its cost, and */
    struct planned_cost cost;
    bool *placed;               /* [nr]: which domains it places */
};

struct planned_cost planned_cost(const struct planned *list, unsigned nr)
{
    struct planned_cost cost = { 0 };
    unsigned i, j;

    for (i = 0; i < nr; i++) {
        const struct decision *d = list[i].decision;
        const struct xln_plan *plan = d->plan;

        if (d->status == DECIDE_NOTHING_FITS) {
            cost.nr_unfit++;
            continue;
        }
        cost.nr_relaxed += d->status == DECIDE_RELAXED;
        cost.nr_nodes += xln_nodemap_count(plan->nodes);
        for (j = plan->nr_own; j < plan->nr_shares; j++)
            cost.away_bytes += plan->shares[j].bytes;
    }
    return cost;
}

static bool is_less(const struct planned_cost *a,
                    const struct planned_cost *b)
{
    if (a->nr_unfit != b->nr_unfit)
        return a->nr_unfit < b->nr_unfit;
    if (a->nr_relaxed != b->nr_relaxed)
        return a->nr_relaxed < b->nr_relaxed;
    if (a->away_bytes != b->away_bytes)
        return a->away_bytes < b->away_bytes;
    return a->nr_nodes < b->nr_nodes;
}

static bool is_placed(const struct planned *d)
{
    return d->decision->status != DECIDE_NOTHING_FITS;
}

/* Plan in the order of o->order, and keep it if it is the best so far. */
static bool attempt(struct optimiser *o)
{
    struct planned_cost cost;
    unsigned i;

    work_tell(o->work, o->nr_tried++, o->max_tried);
    if (!planner_place_all(o->list, o->nr, o->order, o->host))
        return false;
    cost = planned_cost(o->list, o->nr);
    if (!is_less(&cost, &o->cost))
        return true;
    o->cost = cost;
    memcpy(o->best, o->order, o->nr * sizeof(*o->order));
    for (i = 0; i < o->nr; i++)
        o->placed[i] = is_placed(&o->list[i]);
    return true;
}

/* ---- orders by size ---- */

static uint64_t size_of(const struct planned *d)
{
    return d->need.memory_bytes + d->need.overhead_bytes;
}

static int compare_sizes(const void *a, const void *b, void *arg)
{
    unsigned i = *(const unsigned *)a, j = *(const unsigned *)b;
    const struct planned *list = arg;
    uint64_t x = size_of(&list[i]), y = size_of(&list[j]);

    if (x != y)
        return x > y ? -1 : 1;
    return (i > j) - (i < j);
}

static void sort_down(struct optimiser *o)
{
    for (unsigned i = 0; i < o->nr; i++)
        o->order[i] = i;
    qsort_r(o->order, o->nr, sizeof(*o->order), compare_sizes, o->list);
}

static void reverse(unsigned *order, unsigned nr)
{
    for (unsigned i = 0; i < nr / 2; i++) {
        unsigned last = order[nr - 1 - i];

        order[nr - 1 - i] = order[i];
        order[i] = last;
    }
}

/* What the best order places, from the biggest down; then the others, from the
 * smallest up. Returns the number of the former. */
static unsigned sort_placed(struct optimiser *o)
{
    unsigned nr = 0, nr_others = 0;

    sort_down(o);
    for (unsigned i = 0; i < o->nr; i++) {
        if (o->placed[o->order[i]])
            o->order[nr++] = o->order[i];
        else
            o->others[nr_others++] = o->order[i];
    }
    reverse(o->others, nr_others);
    memcpy(o->order + nr, o->others, nr_others * sizeof(*o->order));
    return nr;
}

static bool try_sizes(struct optimiser *o)
{
    for (unsigned i = 0; i < o->nr; i++)
        o->order[i] = i;
    if (!attempt(o))
        return false;
    sort_down(o);
    if (!attempt(o))
        return false;
    reverse(o->order, o->nr);
    return attempt(o);
}

/* ---- repairs ---- */

static bool gets_less(const struct optimiser *o, unsigned which)
{
    const struct decision *d = o->list[which].decision;
    const struct alone *alone = &o->alone[which];

    if (alone->status == DECIDE_NOTHING_FITS)
        return false;
    if (d->status != alone->status)
        return d->status != DECIDE_FITS;
    return xln_nodemap_count(d->plan->nodes) > alone->nr_nodes;
}

static void move_to_front(unsigned *order, unsigned at)
{
    unsigned moved = order[at];

    memmove(order + 1, order, at * sizeof(*order));
    order[0] = moved;
}

/* The first of `*nr` domains that gets less; if none does and more might be
 * placed, the next domain after these. False: there is nothing to repair. */
static bool repair(struct optimiser *o, unsigned *nr)
{
    unsigned i;

    for (i = 0; i < *nr && !gets_less(o, o->order[i]); i++)
        ;
    if (i == *nr) {
        if (o->cost.nr_unfit <= o->least_unfit)
            return false;
        while (i < o->nr && !gets_less(o, o->order[i]))
            i++;
        if (i == o->nr)
            return false;
        ++*nr;
    }
    move_to_front(o->order, i);
    return i > 0;
}

static bool try_orders(struct optimiser *o)
{
    unsigned nr;

    o->cost.nr_unfit = UINT_MAX;
    if (!try_sizes(o))
        return false;
    nr = sort_placed(o);
    do {
        if (!attempt(o))
            return false;
    } while (repair(o, &nr) && o->nr_tried < o->max_tried);
    return true;
}

/* ---- what is possible ---- */

/* Each on a host of its own. */
static bool place_alone(struct optimiser *o)
{
    for (unsigned i = 0; i < o->nr; i++) {
        struct planned *d = &o->list[i];

        if (!planner_place(d, o->host))
            return false;
        o->alone[i].status = d->decision->status;
        o->alone[i].nr_nodes = xln_nodemap_count(d->decision->plan->nodes);
    }
    return true;
}

static uint64_t usable_bytes(const struct optimiser *o)
{
    uint64_t bytes = 0;
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(o->host))
        bytes += xln_host_node_usable(xln_host_node(o->host, node), true, 0);
    return bytes;
}

/* As many small domains as the memory allows. */
static void find_least_unfit(struct optimiser *o)
{
    uint64_t bytes = usable_bytes(o);
    unsigned nr = 0, i;

    sort_down(o);
    for (i = o->nr; i--;) {
        if (o->alone[o->order[i]].status == DECIDE_NOTHING_FITS)
            continue;
        if (size_of(&o->list[o->order[i]]) > bytes)
            break;
        bytes -= size_of(&o->list[o->order[i]]);
        nr++;
    }
    o->least_unfit = o->nr - nr;
}

static void find_max_tried(struct optimiser *o)
{
    unsigned nr_nodes = xln_nodemap_count(xln_host_nodes(o->host));
    uint64_t nr = MAX_DECISIONS / ((uint64_t)o->nr * nr_nodes);

    o->max_tried = nr > MIN_ORDERS ? nr : MIN_ORDERS;
}

/* ---- all of it ---- */

static bool optimise(struct optimiser *o)
{
    struct planned *copy;

    if (!place_alone(o))
        return false;
    find_least_unfit(o);
    find_max_tried(o);
    if (!try_orders(o))
        return false;
    copy = calloc(o->nr, sizeof(*copy));
    if (!copy)
        return notes_add_error(o->list->notes, "numa-plan", -ENOMEM, NULL);
    memcpy(copy, o->list, o->nr * sizeof(*copy));
    for (unsigned i = 0; i < o->nr; i++)
        o->list[i] = copy[o->best[i]];
    free(copy);
    return planner_place_all(o->list, o->nr, NULL, o->host);
}

bool planner_optimise(struct planned *list, unsigned nr,
                      const struct xln_host *host, const struct work *work)
{
    struct optimiser o = {
        .list = list,
        .nr = nr,
        .host = host,
        .work = work,
        .alone = calloc(nr, sizeof(*o.alone)),
        .order = calloc(nr, sizeof(*o.order)),
        .others = calloc(nr, sizeof(*o.others)),
        .best = calloc(nr, sizeof(*o.best)),
        .placed = calloc(nr, sizeof(*o.placed)),
    };
    bool good;

    if (o.alone && o.order && o.others && o.best && o.placed)
        good = optimise(&o);
    else
        good = notes_add_error(list->notes, "numa-plan", -ENOMEM, NULL);
    free(o.alone);
    free(o.order);
    free(o.others);
    free(o.best);
    free(o.placed);
    return good;
}
