/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cpupool of the chosen node. A domain runs in one cpupool, but its memory
 * may come from all nodes. So the nodes are chosen first, as if all cpupools
 * were one, and the cpupool with most of their CPUs is tried first. If the
 * domain fits there, that is the plan. Else all cpupools are tried, and the one
 * is taken in which least has to be given up.
 *
 *     cpupool 0 has CPUs 0-3 of node 0, cpupool 1 has CPUs 4-7 of node 1;
 *     node 0 has 4 GiB free, node 1 has 8; 6 GiB: node 1, so cpupool 1
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide_pool.h"

struct choice {
    const struct xln_host *host;
    const struct xln_request *request;
    const struct xln_need *need;
    const struct decide_guest *guest;
    struct xln_cpumap *near;        /* to the nodes that are chosen first */
    struct decision *best;          /* NULL: none yet */
};

static const char unbound[] = "pool=\"auto\": no cpupool has a CPU of cpus= for "
                              "each vCPU";

/* ---- cpupools ---- */

static unsigned nr_near(const struct choice *choice,
                        const struct xln_host_pool *pool)
{
    unsigned nr = 0, cpu;

    XLN_FOREACH(xln_cpumap, cpu, pool->cpus) {
        nr += xln_cpumap_test(choice->near, cpu);
    }
    return nr;
}

static const struct xln_host_pool *nearest(const struct choice *choice)
{
    const struct xln_host_pool *pool, *best = NULL;
    unsigned i;

    for (i = 0; (pool = xln_host_pool_at(choice->host, i)); i++)
        if (!best || nr_near(choice, pool) > nr_near(choice, best))
            best = pool;
    return best;
}

/* Xen refuses a vCPU without a CPU, and a domain in a cpupool without one. */
static bool binds_all(const struct choice *choice,
                      const struct xln_host_pool *pool)
{
    const struct xln_need *need = choice->need;
    unsigned i;

    for (i = 0; i < need->nr_hard; i++)
        if (need->hard[i] && !xln_cpumap_intersects(need->hard[i], pool->cpus))
            return false;
    return !xln_cpumap_is_empty(pool->cpus);
}

/* CPUs that it lacks for a vCPU each. */
static unsigned nr_lacking(const struct choice *choice,
                           const struct xln_host_pool *pool)
{
    unsigned nr = xln_cpumap_count(pool->cpus);

    return nr < choice->need->nr_vcpus ? choice->need->nr_vcpus - nr : 0;
}

/* ---- decisions ---- */

/* How much must be relaxed; the worst comes first. */
static unsigned loss(const struct decision *d)
{
    if (d->status == DECIDE_NOTHING_FITS)
        return d->refused ? 4 : 3;
    if (d->status == DECIDE_RELAXED)
        return d->plan->relaxed & XLN_RELAXED_MEMORY ? 2 : 1;
    return 0;
}

static uint64_t own_bytes(const struct xln_plan *plan)
{
    uint64_t bytes = 0;
    unsigned i;

    for (i = 0; i < plan->nr_own; i++)
        bytes += plan->shares[i].bytes;
    return bytes;
}

static bool is_better(const struct choice *choice, const struct decision *d)
{
    const struct decision *best = choice->best;

    if (!best || loss(d) != loss(best))
        return !best || loss(d) < loss(best);
    if (nr_lacking(choice, d->pool) != nr_lacking(choice, best->pool))
        return nr_lacking(choice, d->pool) < nr_lacking(choice, best->pool);
    if (nr_near(choice, d->pool) != nr_near(choice, best->pool))
        return nr_near(choice, d->pool) > nr_near(choice, best->pool);
    return own_bytes(d->plan) > own_bytes(best->plan);
}

static bool is_perfect(const struct choice *choice)
{
    const struct decision *d = choice->best;

    return d && !loss(d) && !nr_lacking(choice, d->pool);
}

static int try_pool(struct choice *choice, const struct xln_host_pool *pool)
{
    struct xln_need need = *choice->need;
    struct decision *d;
    int rc;

    if (!binds_all(choice, pool))
        return 0;
    need.pool_cpus = pool->cpus;
    rc = decide_in_pool(choice->host, choice->request, &need, choice->guest,
                        &d);
    if (rc)
        return rc;
    d->pool = pool;
    if (is_better(choice, d)) {
        decision_free(choice->best);
        choice->best = d;
    } else {
        decision_free(d);
    }
    return 0;
}

/* ---- the choice ---- */

/* Decide as if all cpupools were one. */
static int decide_freely(const struct choice *choice, struct decision **d_r)
{
    struct xln_need need = *choice->need;
    const struct xln_host_pool *pool;
    struct xln_cpumap *all;
    unsigned i;
    int rc = xln_cpumap_new(xln_host_nr_cpus(choice->host), &all);

    if (rc)
        return rc;
    for (i = 0; (pool = xln_host_pool_at(choice->host, i)); i++)
        xln_cpumap_or(all, pool->cpus);
    need.pool_cpus = all;
    rc = decide_in_pool(choice->host, choice->request, &need, choice->guest,
                        d_r);
    xln_cpumap_free(all);
    return rc;
}

static int find_near(struct choice *choice, const struct decision *d)
{
    const struct xln_plan *plan = d->plan;

    return xln_cpumap_is_empty(plan->vcpu_cpus)
               ? xln_host_near_cpus_of_nodes(choice->host, plan->nodes,
                                             &choice->near)
               : xln_cpumap_copy(plan->vcpu_cpus, &choice->near);
}

static int try_pools(struct choice *choice)
{
    const struct xln_host_pool *first = nearest(choice), *pool;
    unsigned i;
    int rc = try_pool(choice, first);

    for (i = 0; !rc && !is_perfect(choice); i++) {
        pool = xln_host_pool_at(choice->host, i);
        if (!pool)
            break;
        if (pool != first)
            rc = try_pool(choice, pool);
    }
    return rc;
}

/* Takes `d`, which was decided freely. */
static int refuse_unbound(struct decision *d, struct decision **decision_r)
{
    free(d->reason);
    d->reason = strdup(unbound);
    d->status = DECIDE_NOTHING_FITS;
    d->refused = true;
    d->lacks_memory = false;
    if (!d->reason) {
        decision_free(d);
        return -ENOMEM;
    }
    *decision_r = d;
    return 0;
}

int decide(const struct xln_host *host, const struct xln_request *request,
           const struct xln_need *need, const struct decide_guest *guest,
           struct decision **decision_r)
{
    struct choice choice = { .host = host, .request = request, .need = need,
                             .guest = guest };
    struct decision *freely;
    int rc;

    if (!guest->any_pool || !xln_host_nr_pools(host))
        return decide_in_pool(host, request, need, guest, decision_r);
    rc = decide_freely(&choice, &freely);
    if (rc)
        return rc;
    rc = find_near(&choice, freely);
    if (!rc)
        rc = try_pools(&choice);
    xln_cpumap_free(choice.near);
    if (!rc && !choice.best)
        return refuse_unbound(freely, decision_r);
    decision_free(freely);
    if (rc)
        decision_free(choice.best);
    else
        *decision_r = choice.best;
    return rc;
}
