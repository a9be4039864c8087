/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide_cells.h"

/* ---- the virtual nodes ---- */

/* The distances of the cells; if they have none, those of the host. */
static unsigned distance(const struct cells *cells, const struct xln_host *host,
                         const unsigned *node_of, unsigned from, unsigned to)
{
    if (cells->list[from].distances)
        return cells->list[from].distances[to];
    if (from == to)
        return 10;
    return node_of[from] == node_of[to]
               ? 20
               : xln_host_distance(host, node_of[from], node_of[to]);
}

static int copy_vcpus(const struct cell *cell, unsigned nr_vcpus,
                      struct xln_cpumap **vcpus_r)
{
    int rc = xln_cpumap_new(nr_vcpus, vcpus_r);

    if (!rc && cell->vcpus)
        xln_cpumap_or(*vcpus_r, cell->vcpus);
    return rc;
}

/* Their vCPUs' affinities are the user's; those of a guest that is restored
 * follow from its nodes again, unless the user has set them. */
static void find_cpus(const struct cells *cells, const struct xln_host *host,
                      const struct xln_need *need, const struct xln_plan *plan,
                      struct xln_vnode *vnode)
{
    if (!cells->restored || xln_cpumap_is_empty(plan->vcpu_cpus))
        return;
    xln_cpumap_or(vnode->cpus, xln_host_near_cpus(host, vnode->node));
    if (need->pool_cpus)
        xln_cpumap_and(vnode->cpus, need->pool_cpus);
    xln_host_whole_units(host, vnode->cpus);
}

static int fill_vnode(const struct cells *cells, const struct xln_host *host,
                      unsigned nr_vcpus, const unsigned *node_of, unsigned i,
                      struct xln_vnode *vnode)
{
    unsigned j;
    int rc;

    vnode->node = node_of[i];
    vnode->bytes = cells->list[i].bytes;
    rc = copy_vcpus(&cells->list[i], nr_vcpus, &vnode->vcpus);
    if (!rc)
        rc = xln_cpumap_new(xln_host_nr_cpus(host), &vnode->cpus);
    if (rc)
        return rc;
    vnode->distances = calloc(cells->nr, sizeof(*vnode->distances));
    for (j = 0; vnode->distances && j < cells->nr; j++)
        vnode->distances[j] = distance(cells, host, node_of, i, j);
    return vnode->distances ? 0 : -ENOMEM;
}

static int make_vnuma(const struct cells *cells, const struct xln_host *host,
                      const struct xln_need *need,
                      const struct xln_plan *plan, const unsigned *node_of,
                      struct xln_vnuma **vnuma_r)
{
    struct xln_vnuma *vnuma = calloc(1, sizeof(*vnuma));
    unsigned i;
    int rc = 0;

    if (!vnuma)
        return -ENOMEM;
    vnuma->list = calloc(cells->nr, sizeof(*vnuma->list));
    if (!vnuma->list)
        rc = -ENOMEM;
    for (; !rc && vnuma->nr < cells->nr; vnuma->nr++)
        rc = fill_vnode(cells, host, need->nr_vcpus, node_of, vnuma->nr,
                        &vnuma->list[vnuma->nr]);
    for (i = 0; i < vnuma->nr && !rc; i++)
        find_cpus(cells, host, need, plan, &vnuma->list[i]);
    if (rc)
        xln_vnuma_free(vnuma);
    else
        *vnuma_r = vnuma;
    return rc;
}

/* ---- the plan ---- */

static void add_share(struct xln_plan *plan, unsigned node, uint64_t bytes)
{
    unsigned i = 0;

    while (i < plan->nr_shares && plan->shares[i].node != node)
        i++;
    if (i == plan->nr_shares)
        plan->shares[plan->nr_shares++] = (struct xln_share){ node, 0 };
    plan->shares[i].bytes += bytes;
}

/* No longer one of xln_place(), whose figures of sets are of no meaning. */
static int set_plan(struct xln_plan *plan, const struct cells *cells,
                    const unsigned *node_of)
{
    struct xln_share *shares = calloc(cells->nr + 1, sizeof(*shares));
    unsigned i;

    if (!shares)
        return -ENOMEM;
    free(plan->shares);
    plan->shares = shares;
    plan->nr_shares = 0;
    plan->verdict = XLN_FITS;
    plan->relaxed = 0;
    plan->named = plan->exact = true;
    xln_nodemap_zero(plan->nodes);
    for (i = 0; i < cells->nr; i++) {
        xln_nodemap_set(plan->nodes, node_of[i]);
        add_share(plan, node_of[i], cells->list[i].bytes);
    }
    plan->nr_own = plan->nr_shares;
    return 0;
}

/* The CPUs of all virtual nodes together. */
static void set_cpus(struct xln_plan *plan, const struct xln_vnuma *vnuma)
{
    unsigned i;

    xln_cpumap_zero(plan->vcpu_cpus);
    for (i = 0; i < vnuma->nr; i++)
        xln_cpumap_or(plan->vcpu_cpus, vnuma->list[i].cpus);
}

int decide_cells(const struct cells *cells, const struct xln_host *host,
                 const struct xln_request *request,
                 const struct xln_need *need, struct xln_plan *plan,
                 struct xln_vnuma **vnuma_r, char **reason_r)
{
    unsigned *node_of = calloc(cells->nr + 1, sizeof(*node_of));
    int rc = 0, fit;

    if (!node_of)
        return -ENOMEM;
    fit = cells->listed
              ? cells_look_up(cells, host, node_of, reason_r)
              : cells_bind(cells, host, request, need, node_of, reason_r);
    if (!fit || fit == -ENOSPC) {
        rc = set_plan(plan, cells, node_of);
        if (!rc)
            rc = make_vnuma(cells, host, need, plan, node_of, vnuma_r);
        if (!rc && cells->restored)
            set_cpus(plan, *vnuma_r);
    }
    if (fit == -ENOSPC)
        plan->verdict = XLN_NOTHING_FITS;
    free(node_of);
    return rc ? rc : fit;
}

/* ---- a core for each vCPU ---- */

/* What vCPUs may run on: the CPUs near their virtual nodes, within their own
 * affinities, unless these have none in common. */
struct bounds {
    unsigned nr;
    struct xln_cpumap **cpus;
};

static void free_bounds(struct bounds *bounds)
{
    for (unsigned vcpu = 0; bounds->cpus && vcpu < bounds->nr; vcpu++)
        xln_cpumap_free(bounds->cpus[vcpu]);
    free(bounds->cpus);
}

static const struct xln_vnode *vnode_of(const struct xln_vnuma *vnuma,
                                        unsigned vcpu)
{
    for (unsigned i = 0; i < vnuma->nr; i++) {
        if (xln_cpumap_test(vnuma->list[i].vcpus, vcpu))
            return &vnuma->list[i];
    }
    return &vnuma->list[0];
}

static int find_bounds(const struct xln_vnuma *vnuma,
                       const struct xln_host *host, const struct xln_need *need,
                       struct bounds *bounds)
{
    int rc = 0;

    bounds->nr = need->nr_vcpus;
    bounds->cpus = calloc(need->nr_vcpus, sizeof(struct xln_cpumap *));
    if (!bounds->cpus)
        return -ENOMEM;
    for (unsigned vcpu = 0; vcpu < need->nr_vcpus && !rc; vcpu++) {
        const struct xln_cpumap *own = vcpu < need->nr_hard ? need->hard[vcpu]
                                                            : NULL;
        unsigned node = vnode_of(vnuma, vcpu)->node;

        rc = xln_cpumap_copy(xln_host_near_cpus(host, node),
                             &bounds->cpus[vcpu]);
        if (!rc && own && xln_cpumap_intersects(own, bounds->cpus[vcpu]))
            xln_cpumap_and(bounds->cpus[vcpu], own);
    }
    return rc;
}

static int place_each(const struct xln_host *host, enum xln_vcpus_mode mode,
                      const struct xln_need *need,
                      const struct xln_nodemap *nodes, struct xln_plan **plan_r)
{
    struct xln_request *request;
    int rc = xln_request_new(&request);

    if (rc)
        return rc;
    request->vcpus_mode = mode;
    rc = xln_nodemap_copy(nodes, &request->nodes);
    if (!rc)
        rc = xln_place(host, request, need, plan_r);
    xln_request_free(request);
    return rc;
}

/* Swap what says where vCPUs are. */
static void swap_vcpus(struct xln_plan *a, struct xln_plan *b)
{
    struct xln_plan old = *a;

    a->vcpu_cores = b->vcpu_cores;
    a->nr_vcpu_cores = b->nr_vcpu_cores;
    a->vcpu_cpus = b->vcpu_cpus;
    a->vcpu_nodes = b->vcpu_nodes;
    a->allowed_cpus = b->allowed_cpus;
    b->vcpu_cores = old.vcpu_cores;
    b->nr_vcpu_cores = old.nr_vcpu_cores;
    b->vcpu_cpus = old.vcpu_cpus;
    b->vcpu_nodes = old.vcpu_nodes;
    b->allowed_cpus = old.allowed_cpus;
}

int decide_cells_bind_each(const struct xln_vnuma *vnuma,
                           enum xln_vcpus_mode mode,
                           const struct xln_host *host,
                           const struct xln_need *need, struct xln_plan *plan,
                           bool *bound_r)
{
    struct xln_need bounded = *need;
    struct xln_plan *each = NULL;
    struct bounds bounds = { 0 };
    int rc = find_bounds(vnuma, host, need, &bounds);

    if (!rc) {
        bounded.hard = (const struct xln_cpumap *const *)bounds.cpus;
        bounded.nr_hard = bounds.nr;
        bounded.nr_soft = 0;
        rc = place_each(host, mode, &bounded, plan->nodes, &each);
    }
    if (!rc) {
        *bound_r = !each->lacks_cores;
        if (*bound_r)
            swap_vcpus(plan, each);
    }
    xln_plan_free(each);
    free_bounds(&bounds);
    return rc;
}
