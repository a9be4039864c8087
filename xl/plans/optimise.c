/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order in which domains are planned. The biggest first leaves the small
 * ones to fill the gaps. Where one still does not get what it asks for, that
 * one is moved to the front and all are planned again: a repair, as often as
 * there are domains at most. The best of all orders that were tried counts,
 * the given one among them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "planner.h"

struct attempt {
    unsigned *order;
    struct planned_cost cost;
};

struct planned_cost planned_cost(const struct planned *list, unsigned nr)
{
    struct planned_cost cost = { 0 };
    unsigned i, j;

    for (i = 0; i < nr; i++) {
        const struct decision *d = list[i].decision;
        const struct xln_plan *plan = d->plan;

        cost.nr_unfit += d->status == DECIDE_NOTHING_FITS;
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

/* Plan in the order of `now`, and keep it if it is the best so far. */
static bool attempt(struct planned *list, unsigned nr, struct attempt *now,
                    struct attempt *best, const struct xln_host *host)
{
    if (!planner_place_all(list, nr, now->order, host))
        return false;
    now->cost = planned_cost(list, nr);
    if (is_less(&now->cost, &best->cost)) {
        best->cost = now->cost;
        memcpy(best->order, now->order, nr * sizeof(*now->order));
    }
    return true;
}

static int compare_sizes(const void *a, const void *b, void *arg)
{
    unsigned i = *(const unsigned *)a, j = *(const unsigned *)b;
    const struct planned *list = arg;
    uint64_t x = list[i].need.memory_bytes + list[i].need.overhead_bytes;
    uint64_t y = list[j].need.memory_bytes + list[j].need.overhead_bytes;

    if (x != y)
        return x > y ? -1 : 1;
    return (i > j) - (i < j);
}

/* The first that does not get what it asks for goes to the front. False: all
 * do, or it is there already. */
static bool repair(const struct planned *list, unsigned nr, unsigned *order)
{
    unsigned i, bad;

    for (i = 0; i < nr && list[order[i]].decision->status == DECIDE_FITS; i++)
        ;
    if (i == 0 || i == nr)
        return false;
    bad = order[i];
    memmove(order + 1, order, i * sizeof(*order));
    order[0] = bad;
    return true;
}

static bool try_orders(struct planned *list, unsigned nr, struct attempt *now,
                       struct attempt *best, const struct xln_host *host,
                       const struct work *work)
{
    unsigned i;

    best->cost.nr_unfit = UINT_MAX;
    for (i = 0; i < nr; i++)
        now->order[i] = i;
    if (!attempt(list, nr, now, best, host))
        return false;
    qsort_r(now->order, nr, sizeof(*now->order), compare_sizes, list);
    if (!attempt(list, nr, now, best, host))
        return false;
    for (i = 0; i < nr && repair(list, nr, now->order); i++) {
        work_tell(work, i, nr);
        if (!attempt(list, nr, now, best, host))
            return false;
    }
    return true;
}

bool planner_optimise(struct planned *list, unsigned nr,
                      const struct xln_host *host, const struct work *work)
{
    struct attempt now = { calloc(nr, sizeof(unsigned)), { 0 } };
    struct attempt best = { calloc(nr, sizeof(unsigned)), { 0 } };
    struct planned *copy = calloc(nr, sizeof(*copy));
    bool good = false;
    unsigned i;

    if (!now.order || !best.order || !copy) {
        notes_add_error(list->notes, "numa-plan", -ENOMEM, NULL);
        goto out;
    }
    if (!try_orders(list, nr, &now, &best, host, work))
        goto out;
    memcpy(copy, list, nr * sizeof(*copy));
    for (i = 0; i < nr; i++)
        list[i] = copy[best.order[i]];
    good = planner_place_all(list, nr, NULL, host);
 out:
    free(now.order);
    free(best.order);
    free(copy);
    return good;
}
