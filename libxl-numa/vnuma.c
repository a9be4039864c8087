/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A virtual node for each node that the plan takes memory from. The guest's
 * kernel then sees how far its memory is from its CPUs, as it is.
 */
#include <errno.h>
#include <stdlib.h>

#include "libxl_numa.h"
#include "text/units.h"

/* What a node's part of the memory is rounded to. */
#define UNIT_BYTES (2 * MIB)

#define LOCAL_DISTANCE 10
/* 255 would be: cannot be reached. */
#define DISTANCE_MAX 254

/* ---- a copy of the host ---- */

/* Those of these CPUs that the domain may use. */
static unsigned count_cpus(const struct xln_cpumap *cpus,
                           const struct xln_need *need)
{
    unsigned cpu, nr = 0;

    XLN_FOREACH(xln_cpumap, cpu, cpus)
        nr += !need->pool_cpus || xln_cpumap_test(need->pool_cpus, cpu);
    return nr;
}

int xln_vnuma_prepare(const struct xln_host *host, const struct xln_need *need,
                      struct xln_request *request)
{
    struct xln_nodemap *nodes;
    unsigned node;
    int rc;

    if (request->vnuma != XLN_VNUMA_HOST)
        return 0;
    rc = xln_nodemap_copy(xln_host_nodes(host), &nodes);
    if (rc)
        return rc;
    if (request->nodes)
        xln_nodemap_and(nodes, request->nodes);
    XLN_FOREACH(xln_nodemap, node, nodes) {
        if (!xln_host_node(host, node)->total_bytes ||
            !count_cpus(xln_host_near_cpus(host, node), need))
            xln_nodemap_clear(nodes, node);
    }
    if (xln_nodemap_is_empty(nodes)) {
        xln_nodemap_free(nodes);
        return -ENOENT;
    }
    xln_nodemap_free(request->nodes);
    xln_nodemap_free(request->mem_nodes);
    free(request->mem_percent);
    request->nodes = nodes;
    request->mem_nodes = NULL;
    request->mem_percent = NULL;
    request->all_nodes = false;
    request->max_nodes = 0;
    /* Its vCPUs are where the host has its CPUs. */
    if (request->vcpus_mode == XLN_VCPUS_SOFT)
        request->vcpus_mode = XLN_VCPUS_HARD;
    return 0;
}

/* ---- memory ---- */

static int add_node(struct xln_vnuma *vnuma, unsigned node, uint64_t bytes,
                    unsigned nr_vcpus)
{
    struct xln_vnode *vnode = &vnuma->list[vnuma->nr];
    int rc = xln_cpumap_new(nr_vcpus, &vnode->vcpus);

    if (rc)
        return rc;
    vnode->node = node;
    vnode->bytes = bytes;
    vnuma->nr++;
    return 0;
}

/* In proportion to the shares, which are of somewhat more than the memory,
 * rounded down to whole units; a share too small for one gives no node. */
static int cut_by_shares(const struct xln_plan *plan,
                         const struct xln_need *need, struct xln_vnuma *vnuma)
{
    long double total = 0;
    uint64_t units = need->memory_bytes / UNIT_BYTES;
    uint64_t mine;
    unsigned i;
    int rc = 0;

    for (i = 0; i < plan->nr_shares; i++)
        total += plan->shares[i].bytes;
    for (i = 0; i < plan->nr_shares && !rc; i++) {
        mine = (long double)units * (plan->shares[i].bytes / total);
        if (mine)
            rc = add_node(vnuma, plan->shares[i].node, mine * UNIT_BYTES,
                          need->nr_vcpus);
    }
    return rc;
}

/* As a copy of the host has it: the same for each. */
static int cut_evenly(const struct xln_plan *plan, const struct xln_need *need,
                      struct xln_vnuma *vnuma)
{
    uint64_t units = need->memory_bytes / UNIT_BYTES;
    unsigned nr = xln_nodemap_count(plan->nodes), node;
    int rc = 0;

    XLN_FOREACH(xln_nodemap, node, plan->nodes)
        if (units >= nr && !rc)
            rc = add_node(vnuma, node, units / nr * UNIT_BYTES,
                          need->nr_vcpus);
    return rc;
}

/* A virtual node's memory comes from its own node alone. */
static bool has_room(const struct xln_host *host,
                     const struct xln_request *request,
                     const struct xln_vnode *vnode, uint64_t more)
{
    const struct xln_host_node *n = xln_host_node(host, vnode->node);

    return vnode->bytes + more <=
           xln_host_node_usable(n, true, request->dma_reserve_bytes);
}

/* What the plan has from a node beyond this; a copy has the same from each. */
static int64_t lacks(const struct xln_request *request,
                     const struct xln_plan *plan,
                     const struct xln_vnode *vnode)
{
    unsigned i;

    for (i = 0; i < plan->nr_shares; i++)
        if (plan->shares[i].node == vnode->node &&
            request->vnuma != XLN_VNUMA_HOST)
            return (int64_t)(plan->shares[i].bytes - vnode->bytes);
    return -(int64_t)vnode->bytes;
}

/* Hand out `left` by `step`, each to who lacks most; returns what is left. */
static uint64_t top_up(const struct xln_host *host,
                       const struct xln_request *request,
                       const struct xln_plan *plan, struct xln_vnuma *vnuma,
                       uint64_t left, uint64_t step)
{
    struct xln_vnode *v, *most;
    unsigned i;

    while (step && left >= step) {
        most = NULL;
        for (i = 0; i < vnuma->nr; i++) {
            v = &vnuma->list[i];
            if (has_room(host, request, v, step) &&
                (!most || lacks(request, plan, v) > lacks(request, plan, most)))
                most = v;
        }
        if (!most)
            break;
        most->bytes += step;
        left -= step;
    }
    return left;
}

/*
 * The parts are cut in whole units, which leaves a few of these, and less than
 * one if the memory is an odd number of MiB.
 *
 * Example: 10 GiB by shares of 5, 3 and 3 GiB: of 5120 units 2327, 1396 and
 * 1396; the one that is left goes to who lacks most: 4656, 2792 and 2792 MiB.
 */
static int cut_memory(const struct xln_host *host,
                      const struct xln_request *request,
                      const struct xln_plan *plan, const struct xln_need *need,
                      struct xln_vnuma *vnuma)
{
    unsigned max = plan->nr_shares + xln_nodemap_count(plan->nodes), i;
    uint64_t left = need->memory_bytes;
    int rc;

    vnuma->list = calloc(max + 1, sizeof(*vnuma->list));
    if (!vnuma->list)
        return -ENOMEM;
    rc = request->vnuma == XLN_VNUMA_HOST ? cut_evenly(plan, need, vnuma)
                                          : cut_by_shares(plan, need, vnuma);
    if (rc)
        return rc;
    for (i = 0; i < vnuma->nr; i++) {
        if (!has_room(host, request, &vnuma->list[i], 0))
            return -ENOSPC;
        left -= vnuma->list[i].bytes;
    }
    left = top_up(host, request, plan, vnuma, left, UNIT_BYTES);
    left = top_up(host, request, plan, vnuma, left, UNIT_BYTES / 2);
    left = top_up(host, request, plan, vnuma, left, left);
    return left && vnuma->nr ? -ENOSPC : 0;
}

/* ---- vCPUs ---- */

/* Threads of one core: the guest's vCPUs 0 and 1 are taken for such where the
 * host's CPUs are. */
static unsigned threads_of(const struct xln_host *host,
                           const struct xln_cpumap *cpus)
{
    unsigned first = xln_cpumap_next(cpus, 0), cpu, nr = 1;
    const struct xln_host_cpu *a, *b;

    if (first == XLN_NONE)
        return 1;
    a = xln_host_cpu(host, first);
    XLN_FOREACH(xln_cpumap, cpu, cpus) {
        b = xln_host_cpu(host, cpu);
        nr += cpu != first && a->socket == b->socket && a->core == b->core &&
              a->node == b->node;
    }
    return nr;
}

/* The one that takes vCPUs: vnode and, as its weight, CPUs. */
struct taker {
    unsigned vnode;
    unsigned weight;
    unsigned nr_cores;
};

/* The vnode that is on the home of `node`, else the nearest. */
static unsigned vnode_near(const struct xln_host *host,
                           const struct xln_vnuma *vnuma, unsigned node)
{
    unsigned i, distance, best = 0, least = XLN_NONE;

    for (i = 0; i < vnuma->nr; i++) {
        if (vnuma->list[i].node == xln_host_home(host, node))
            return i;
        distance = xln_host_distance(host, node, vnuma->list[i].node);
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

static int compare_takers(const void *a, const void *b)
{
    const struct taker *x = a, *y = b;

    return (x->vnode > y->vnode) - (x->vnode < y->vnode);
}

static void add_weight(struct taker *takers, unsigned *nr, unsigned vnode,
                       unsigned weight)
{
    unsigned i;

    for (i = 0; i < *nr && takers[i].vnode != vnode; i++)
        ;
    if (i == *nr)
        takers[(*nr)++] = (struct taker){ .vnode = vnode };
    takers[i].weight += weight;
}

/* The vnodes on or near nodes with CPUs to run on. Where the user's own
 * affinities stand, those of all nodes with memory. */
static unsigned find_takers(const struct xln_host *host,
                            const struct xln_need *need,
                            const struct xln_plan *plan,
                            const struct xln_vnuma *vnuma,
                            struct taker *takers)
{
    const struct xln_nodemap *homes = xln_nodemap_is_empty(plan->vcpu_nodes)
                                          ? plan->nodes
                                          : plan->vcpu_nodes;
    unsigned node, nr_cpus, nr = 0;

    XLN_FOREACH(xln_nodemap, node, homes) {
        nr_cpus = count_cpus(xln_host_node(host, node)->cpus, need);
        if (nr_cpus)
            add_weight(takers, &nr, vnode_near(host, vnuma, node), nr_cpus);
    }
    if (!nr)
        add_weight(takers, &nr, 0, 1);
    qsort(takers, nr, sizeof(*takers), compare_takers);
    return nr;
}

/* Whose part is furthest from whole cores, so that each comes as near to it as
 * can be. (Sainte-Lague's method.) */
static unsigned most_due(const struct taker *takers, unsigned nr)
{
    unsigned i, best = 0;

    for (i = 1; i < nr; i++)
        if ((uint64_t)takers[i].weight * (2 * takers[best].nr_cores + 1) >
            (uint64_t)takers[best].weight * (2 * takers[i].nr_cores + 1))
            best = i;
    return best;
}

/* Hand out the cores one by one: first one for each, then in proportion. */
static void share_cores(struct taker *takers, unsigned nr, unsigned nr_cores,
                        bool even)
{
    unsigned i;

    for (i = 0; i < nr; i++) {
        if (even)
            takers[i].weight = 1;
        takers[i].nr_cores = i < nr_cores;
    }
    for (i = nr; i < nr_cores; i++)
        takers[most_due(takers, nr)].nr_cores++;
}

/* vCPUs in a row for each, by whole cores. */
static void deal_blocks(const struct taker *takers, unsigned nr,
                        unsigned threads, unsigned nr_vcpus,
                        struct xln_vnuma *vnuma)
{
    unsigned vcpu = 0, i, left;

    for (i = 0; i < nr; i++)
        for (left = takers[i].nr_cores * threads; left && vcpu < nr_vcpus;
             left--)
            xln_cpumap_set(vnuma->list[takers[i].vnode].vcpus, vcpu++);
}

/* `run` vCPUs for each in turn. */
static void deal_round(const struct taker *takers, unsigned nr, unsigned run,
                       unsigned nr_vcpus, struct xln_vnuma *vnuma)
{
    unsigned vcpu;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++)
        xln_cpumap_set(vnuma->list[takers[vcpu / run % nr].vnode].vcpus, vcpu);
}

static unsigned nr_cores_of(unsigned nr_vcpus, unsigned threads)
{
    return (nr_vcpus + threads - 1) / threads;
}

/* vCPUs of one scheduling unit, `unit` many, stay together. */
static void deal(enum xln_vnuma_vcpus how, struct taker *takers, unsigned nr,
                 unsigned threads, unsigned unit, unsigned nr_vcpus,
                 struct xln_vnuma *vnuma)
{
    if (threads < unit)
        threads = unit;
    switch (how) {
    case XLN_VNUMA_VCPUS_ROUND_ROBIN:
        deal_round(takers, nr, unit, nr_vcpus, vnuma);
        break;
    case XLN_VNUMA_VCPUS_SIBLINGS:
        deal_round(takers, nr, threads, nr_vcpus, vnuma);
        break;
    case XLN_VNUMA_VCPUS_CONTIGUOUS:
        share_cores(takers, nr, nr_cores_of(nr_vcpus, unit), true);
        deal_blocks(takers, nr, unit, nr_vcpus, vnuma);
        break;
    default:
        /* Where there is not a core for each, a thread for each. */
        if (nr_cores_of(nr_vcpus, threads) < nr)
            threads = unit;
        share_cores(takers, nr, nr_cores_of(nr_vcpus, threads), false);
        deal_blocks(takers, nr, threads, nr_vcpus, vnuma);
    }
}

/* Each vCPU has a core, and is in the virtual node there, or the nearest. */
static void follow_cores(const struct xln_host *host,
                         const struct xln_plan *plan, struct xln_vnuma *vnuma)
{
    for (unsigned vcpu = 0; vcpu < plan->nr_vcpu_cores; vcpu++) {
        unsigned cpu = xln_cpumap_next(plan->vcpu_cores[vcpu], 0);
        unsigned vnode = vnode_near(host, vnuma, xln_host_cpu(host, cpu)->node);

        xln_cpumap_set(vnuma->list[vnode].vcpus, vcpu);
    }
}

static enum xln_vnuma_vcpus dealing_of(const struct xln_request *request)
{
    if (request->vnuma_vcpus != XLN_VNUMA_VCPUS_DEFAULT)
        return request->vnuma_vcpus;
    return request->vnuma == XLN_VNUMA_HOST ? XLN_VNUMA_VCPUS_ROUND_ROBIN
                                            : XLN_VNUMA_VCPUS_PROPORTIONAL;
}

static int deal_vcpus(const struct xln_host *host,
                      const struct xln_request *request,
                      const struct xln_need *need, const struct xln_plan *plan,
                      struct xln_vnuma *vnuma)
{
    const struct xln_cpumap *cpus = xln_cpumap_is_empty(plan->vcpu_cpus)
                                        ? plan->allowed_cpus
                                        : plan->vcpu_cpus;
    struct taker *takers;
    unsigned nr;

    if (plan->nr_vcpu_cores) {
        follow_cores(host, plan, vnuma);
        return 0;
    }
    takers = calloc(vnuma->nr, sizeof(*takers));
    if (!takers)
        return -ENOMEM;
    nr = find_takers(host, need, plan, vnuma, takers);
    deal(dealing_of(request), takers, nr, threads_of(host, cpus),
         xln_host_unit_size(host, need->pool_cpus), need->nr_vcpus, vnuma);
    free(takers);
    return 0;
}

/* What its vCPUs are to prefer: the CPUs of their own node, as far as they are
 * among those of the plan. None where the user's affinities stand alone. */
static int find_cpus(const struct xln_host *host, const struct xln_plan *plan,
                     struct xln_vnuma *vnuma)
{
    unsigned i;
    int rc = 0;

    for (i = 0; i < vnuma->nr && !rc; i++) {
        struct xln_vnode *vnode = &vnuma->list[i];
        const struct xln_cpumap *own = xln_host_near_cpus(host, vnode->node);

        rc = xln_cpumap_copy(plan->vcpu_cpus, &vnode->cpus);
        if (!rc && xln_cpumap_intersects(vnode->cpus, own))
            xln_cpumap_and(vnode->cpus, own);
    }
    return rc;
}

/* ---- distances ---- */

/* The host's, scaled so that local is 10, and never nearer than that. */
static unsigned scale_distance(const struct xln_host *host, unsigned from,
                               unsigned to)
{
    unsigned local = xln_host_distance(host, from, from);
    unsigned distance = xln_host_distance(host, from, to);

    if (distance == XLN_NONE)
        return DISTANCE_MAX;
    if (local != XLN_NONE && local)
        distance = distance * LOCAL_DISTANCE / local;
    return distance < LOCAL_DISTANCE ? LOCAL_DISTANCE
           : distance > DISTANCE_MAX ? DISTANCE_MAX
                                     : distance;
}

static int find_distances(const struct xln_host *host,
                          struct xln_vnuma *vnuma)
{
    unsigned i, j;

    for (i = 0; i < vnuma->nr; i++) {
        struct xln_vnode *vnode = &vnuma->list[i];

        vnode->distances = calloc(vnuma->nr, sizeof(*vnode->distances));
        if (!vnode->distances)
            return -ENOMEM;
        for (j = 0; j < vnuma->nr; j++)
            vnode->distances[j] =
                i == j ? LOCAL_DISTANCE
                       : scale_distance(host, vnode->node,
                                        vnuma->list[j].node);
    }
    return 0;
}

/* ---- all of it ---- */

static int fill(const struct xln_host *host, const struct xln_request *request,
                const struct xln_need *need, const struct xln_plan *plan,
                struct xln_vnuma *vnuma)
{
    int rc = cut_memory(host, request, plan, need, vnuma);

    if (rc)
        return rc;
    if (vnuma->nr > XLN_VNUMA_MAX_NODES)
        return -E2BIG;
    if (vnuma->nr < 2)
        return 0;
    rc = deal_vcpus(host, request, need, plan, vnuma);
    if (!rc)
        rc = find_cpus(host, plan, vnuma);
    return rc ? rc : find_distances(host, vnuma);
}

int xln_vnuma_new(const struct xln_host *host,
                  const struct xln_request *request,
                  const struct xln_need *need, const struct xln_plan *plan,
                  struct xln_vnuma **vnuma_r)
{
    struct xln_vnuma *vnuma = NULL;
    int rc = 0;

    if (request->vnuma == XLN_VNUMA_NONE)
        goto out;
    rc = plan->verdict == XLN_NOTHING_FITS ? -ENOSPC : 0;
    if (rc)
        goto out;
    vnuma = calloc(1, sizeof(*vnuma));
    rc = vnuma ? fill(host, request, need, plan, vnuma) : -ENOMEM;
 out:
    /* One node needs no telling. */
    if (vnuma && (rc || vnuma->nr < 2)) {
        xln_vnuma_free(vnuma);
        vnuma = NULL;
    }
    if (!rc)
        *vnuma_r = vnuma;
    return rc;
}

void xln_vnuma_free(struct xln_vnuma *vnuma)
{
    unsigned i;

    if (!vnuma)
        return;
    for (i = 0; i < vnuma->nr; i++) {
        xln_cpumap_free(vnuma->list[i].vcpus);
        xln_cpumap_free(vnuma->list[i].cpus);
        free(vnuma->list[i].distances);
    }
    free(vnuma->list);
    free(vnuma);
}
