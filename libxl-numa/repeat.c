/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A domain changes little of a host: the memory of its nodes, and the load of
 * their CPUs. The rest stays as it is for the next one, so it is found once: the
 * CPUs that each node has for the domain, the distances, the preferences.
 *
 * As long as a domain fits on one node, the plan for it needs no search, only a
 * look at each node. Where its vCPUs run does not depend on the domains before
 * it, so that is found once for each node.
 */
#include <errno.h>
#include <stdlib.h>

#include "host.h"
#include "problem.h"
#include "repeat.h"
#include "search.h"

/* What a domain with some plan does to the host. */
struct effect {
    unsigned nr_loads, nr_shares;
    struct {
        unsigned cpu;
        uint64_t load;
    } *loads;
    struct xln_share *shares;
    struct xln_nodemap *nodes;      /* with another load, or other memory */
};

struct xln__repeat {
    struct xln_host *host;
    struct problem problem;
    struct xln__searcher *searcher; /* NULL: no node has memory */
    bool no_single;                 /* none fits on one node any more */
    struct effect *of_single;       /* [node]; `nodes` NULL: not known yet */
};

/* ---- an effect ---- */

static void dispose(struct effect *effect)
{
    free(effect->loads);
    free(effect->shares);
    xln_nodemap_free(effect->nodes);
}

static int note_loads(const struct xln_host *host, const uint64_t *load,
                      struct effect *effect)
{
    unsigned cpu, nr = 0;

    for (cpu = 0; cpu < host->nr_cpus; cpu++)
        nr += load[cpu] > 0;
    effect->loads = calloc(nr + 1, sizeof(*effect->loads));
    if (!effect->loads)
        return -ENOMEM;
    for (cpu = 0; cpu < host->nr_cpus; cpu++) {
        if (!load[cpu])
            continue;
        effect->loads[effect->nr_loads].cpu = cpu;
        effect->loads[effect->nr_loads++].load = load[cpu];
        if (!host->cpu_exists[cpu] || host->cpus[cpu].node == XLN_NONE)
            continue;
        xln_nodemap_set(effect->nodes, host->cpus[cpu].node);
        xln_nodemap_set(effect->nodes, host->homes[host->cpus[cpu].node]);
    }
    return 0;
}

static int note_shares(const struct xln_plan *plan, struct effect *effect)
{
    effect->shares = calloc(plan->nr_shares + 1, sizeof(*effect->shares));
    if (!effect->shares)
        return -ENOMEM;
    for (unsigned i = 0; i < plan->nr_shares; i++) {
        effect->shares[effect->nr_shares++] = plan->shares[i];
        xln_nodemap_set(effect->nodes, plan->shares[i].node);
    }
    return 0;
}

/* To be disposed of either way. */
static int effect_of(const struct xln__repeat *r, const struct xln_plan *plan,
                     struct effect *effect)
{
    uint64_t *load = calloc(r->host->nr_cpus, sizeof(*load));
    int rc = load ? xln_load_of_plan(plan, r->problem.need, r->host, load)
                  : -ENOMEM;

    if (!rc)
        rc = xln__problem_new_nodes(&r->problem, &effect->nodes);
    if (!rc)
        rc = note_loads(r->host, load, effect);
    if (!rc)
        rc = note_shares(plan, effect);
    free(load);
    return rc;
}

static void apply(struct xln__repeat *r, const struct effect *effect)
{
    unsigned i;

    xln__gaps_drop(&r->problem.gaps, r->host, effect->nodes);
    for (i = 0; i < effect->nr_loads; i++)
        r->host->cpus[effect->loads[i].cpu].load += effect->loads[i].load;
    for (i = 0; i < effect->nr_shares; i++)
        r->host->nodes[effect->shares[i].node].reserved_bytes +=
            effect->shares[i].bytes;
    xln__gaps_add(&r->problem.gaps, r->host, effect->nodes);
    xln__problem_add_load(&r->problem, effect->nodes);
    xln__searcher_update(r->searcher, effect->nodes);
}

/* ---- the next one ---- */

/* Make the plan on these nodes. *fits_r: as it is asked for; to be disposed of
 * either way. */
static int plan_on(const struct xln__repeat *r, const struct xln_nodemap *nodes,
                   bool *fits_r, struct effect *effect)
{
    struct xln_plan *plan;
    int rc = xln__problem_plan(&r->problem, nodes, &plan);

    if (rc)
        return rc;
    *fits_r = plan->verdict == XLN_FITS;
    if (*fits_r)
        rc = effect_of(r, plan, effect);
    xln_plan_free(plan);
    return rc;
}

static int find_single(struct xln__repeat *r, unsigned node)
{
    struct xln_nodemap *nodes;
    bool fits;
    int rc = xln__problem_new_nodes(&r->problem, &nodes);

    if (rc)
        return rc;
    xln_nodemap_set(nodes, node);
    r->problem.own_dma = false;
    r->problem.own_cpus = true;
    rc = plan_on(r, nodes, &fits, &r->of_single[node]);
    xln_nodemap_free(nodes);
    return rc;
}

static int next_single(struct xln__repeat *r, unsigned node)
{
    int rc = r->of_single[node].nodes ? 0 : find_single(r, node);

    if (!rc)
        apply(r, &r->of_single[node]);
    return rc;
}

static int next_of_several(struct xln__repeat *r, unsigned *nr_nodes_r)
{
    struct effect effect = { 0 };
    struct xln__found found = { 0 };
    bool fits = false;
    int rc = xln__searcher_find(r->searcher, &found);

    if (!rc)
        rc = plan_on(r, found.best.nodes, &fits, &effect);
    if (!rc && fits) {
        apply(r, &effect);
        *nr_nodes_r = xln_nodemap_count(found.best.nodes);
    }
    dispose(&effect);
    xln_nodemap_free(found.best.nodes);
    xln_nodemap_free(found.next.nodes);
    return rc;
}

int xln__repeat_next(struct xln__repeat *r, unsigned *nr_nodes_r)
{
    unsigned node = XLN_NONE;

    *nr_nodes_r = 0;
    if (!r->searcher)
        return 0;
    if (!r->no_single)
        node = xln__searcher_single(r->searcher);
    r->no_single = node == XLN_NONE;
    if (r->no_single)
        return next_of_several(r, nr_nodes_r);
    *nr_nodes_r = 1;
    return next_single(r, node);
}

/* ---- beginning and end ---- */

static int begin(struct xln__repeat *r, const struct xln_request *request,
                 const struct xln_need *need)
{
    struct xln_nodemap *candidates = NULL;
    int rc = xln__problem_init(&r->problem, r->host, request, need);

    if (!rc && (r->problem.named || xln__problem_binds_each(&r->problem)))
        rc = -ENOTSUP;
    if (rc)
        return rc;
    r->of_single = calloc(r->host->nr_nodes, sizeof(*r->of_single));
    rc = r->of_single ? xln__problem_candidates(&r->problem, &candidates)
                      : -ENOMEM;
    if (!rc && !xln_nodemap_is_empty(candidates))
        rc = xln__searcher_new(&r->problem, candidates, &r->searcher);
    if (!rc && r->searcher)
        xln__searcher_hurry(r->searcher);
    xln_nodemap_free(candidates);
    return rc;
}

int xln__repeat_begin(const struct xln_host *host,
                      const struct xln_request *request,
                      const struct xln_need *need, struct xln__repeat **r_r)
{
    struct xln__repeat *r = calloc(1, sizeof(*r));
    int rc = r ? xln_host_copy(host, &r->host) : -ENOMEM;

    if (rc) {
        free(r);
        return rc;
    }
    rc = begin(r, request, need);
    if (rc)
        xln__repeat_end(r);
    else
        *r_r = r;
    return rc;
}

const struct xln_host *xln__repeat_host(const struct xln__repeat *r)
{
    return r->host;
}

void xln__repeat_end(struct xln__repeat *r)
{
    if (!r)
        return;
    for (unsigned i = 0; r->of_single && i < r->host->nr_nodes; i++)
        dispose(&r->of_single[i]);
    free(r->of_single);
    xln__searcher_free(r->searcher);
    xln__problem_clear(&r->problem);
    xln_host_free(r->host);
    free(r);
}

/* ---- all of them ---- */

int xln_place_equal(const struct xln_host *host,
                    const struct xln_request *request,
                    const struct xln_need *need, unsigned max_nr,
                    unsigned *by_nodes, struct xln_host **host_r)
{
    struct xln__repeat *r;
    unsigned nr_nodes = 1;
    int rc = xln__repeat_begin(host, request, need, &r);

    if (rc)
        return rc;
    for (unsigned nr = 0; !rc && nr_nodes && nr < max_nr; nr++) {
        rc = xln__repeat_next(r, &nr_nodes);
        if (!rc && nr_nodes)
            by_nodes[nr_nodes]++;
    }
    if (!rc)
        rc = xln_host_copy(xln__repeat_host(r), host_r);
    xln__repeat_end(r);
    return rc;
}
