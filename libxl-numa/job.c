/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "job.h"

/* ---- CPUs ---- */

static int find_pool(struct job *job)
{
    const struct xln_host *host = job->host;
    unsigned nr_cpus = xln_host_nr_cpus(host);
    int rc;

    rc = xln_cpumap_new(nr_cpus, &job->pool);
    if (rc)
        return rc;
    for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        if (c && c->online)
            xln_cpumap_set(job->pool, cpu);
    }
    if (job->need->pool_cpus)
        xln_cpumap_and(job->pool, job->need->pool_cpus);
    return 0;
}

/* All masks together; a vCPU without one may run anywhere. */
static void unite_masks(const struct job *job, unsigned nr,
                        const struct xln_cpumap *const *masks,
                        struct xln_cpumap *cpus)
{
    xln_cpumap_zero(cpus);
    for (unsigned vcpu = 0; vcpu < job->need->nr_vcpus; vcpu++) {
        if (vcpu >= nr || !masks[vcpu]) {
            xln_cpumap_fill(cpus);
            return;
        }
        xln_cpumap_or(cpus, masks[vcpu]);
    }
}

static unsigned count_common(const struct xln_cpumap *a,
                             const struct xln_cpumap *b)
{
    unsigned cpu, nr = 0;

    XLN_FOREACH(xln_cpumap, cpu, a)
        nr += xln_cpumap_test(b, cpu);
    return nr;
}

static int compare_cores(const void *a, const void *b)
{
    const struct xln_host_cpu *x = *(const struct xln_host_cpu *const *)a;
    const struct xln_host_cpu *y = *(const struct xln_host_cpu *const *)b;

    if (x->socket != y->socket)
        return x->socket < y->socket ? -1 : 1;
    return (x->core > y->core) - (x->core < y->core);
}

/* The cores with a thread in both; `list` has room for all CPUs. */
static unsigned count_cores(const struct xln_host *host,
                            const struct xln_cpumap *a,
                            const struct xln_cpumap *b,
                            const struct xln_host_cpu **list)
{
    unsigned cpu, nr = 0, nr_cores = 0;

    XLN_FOREACH(xln_cpumap, cpu, a) {
        if (xln_cpumap_test(b, cpu))
            list[nr++] = xln_host_cpu(host, cpu);
    }
    qsort(list, nr, sizeof(*list), compare_cores);
    for (unsigned i = 0; i < nr; i++)
        nr_cores += !i || compare_cores(&list[i - 1], &list[i]);
    return nr_cores;
}

static bool has_memory(const struct job *job, unsigned node)
{
    return xln_host_node(job->host, node)->total_bytes > 0;
}

/*
 * On each node, and how many a domain can have: those of nodes that it can be
 * on, which have memory. Where there are none of these, its memory is remote
 * to any CPU, and all count.
 */
static int count_allowed(struct job *job, unsigned *nr_r)
{
    unsigned nr_near = 0, nr_all = 0;
    const struct xln_host *host = job->host;
    const struct xln_host_cpu **list;
    unsigned node, nr;

    list = calloc(xln_host_nr_cpus(host), sizeof(*list));
    job->nr_allowed = calloc(xln_host_nr_nodes(host),
                             sizeof(*job->nr_allowed));
    if (!list || !job->nr_allowed) {
        free(list);
        return -ENOMEM;
    }
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        const struct xln_cpumap *cpus = xln_host_node(host, node)->cpus;

        nr = job->request->whole_cores ||
                     job->request->vcpus_mode == XLN_VCPUS_CORE
                 ? count_cores(host, cpus, job->allowed, list)
                 : count_common(cpus, job->allowed);
        job->nr_allowed[node] = nr;
        nr_all += nr;
        nr_near += has_memory(job, node) ? nr : 0;
    }
    *nr_r = nr_near ? nr_near : nr_all;
    free(list);
    return 0;
}

/* Cores that are others' are of no use to who asks for free ones. */
static void leave_taken(struct job *job)
{
    for (unsigned cpu = 0; cpu < xln_host_nr_cpus(job->host); cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(job->host, cpu);

        if (c && c->taken)
            xln_cpumap_clear(job->allowed, cpu);
    }
}

static int find_allowed(struct job *job)
{
    const struct xln_need *need = job->need;
    unsigned nr_cpus;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(job->host), &job->allowed);
    if (rc)
        return rc;
    unite_masks(job, need->nr_hard, need->hard, job->allowed);
    xln_cpumap_and(job->allowed, job->pool);
    /* Masks outside the pool are libxl's to complain about. */
    if (xln_cpumap_is_empty(job->allowed))
        xln_cpumap_or(job->allowed, job->pool);
    if (job->request->vcpus_mode == XLN_VCPUS_CORE)
        leave_taken(job);

    rc = count_allowed(job, &nr_cpus);
    if (rc)
        return rc;
    job->need_cpus = nr_cpus < need->nr_vcpus ? nr_cpus : need->nr_vcpus;
    return 0;
}

/* ---- load ---- */

/*
 * Two million vCPUs: no node has more. Then the sum over XLN_MAX_NODES stays
 * below 2^63; and a density, at most 2^50 (64 million vCPUs on a CPU), can
 * be multiplied with 2^13.
 */
#define MAX_NODE_LOAD (XLN_LOAD_ONE << 21)
#define MAX_DENSITY (UINT64_C(1) << 50)

static uint64_t load_of_node(const struct job *job, unsigned node)
{
    const struct xln_cpumap *cpus = xln_host_node(job->host, node)->cpus;
    uint64_t load = 0;
    unsigned cpu;

    XLN_FOREACH(xln_cpumap, cpu, cpus) {
        uint64_t more = xln_host_cpu(job->host, cpu)->load;

        if (!xln_cpumap_test(job->allowed, cpu))
            continue;
        if (more > MAX_NODE_LOAD - load)
            return MAX_NODE_LOAD;
        load += more;
    }
    return load;
}

#define DENSITY_OF(crowding) ((crowding) / (XLN_LOAD_ONE / XLN__DENSITY_ONE))

static uint64_t limit_density(uint64_t density)
{
    return density < MAX_DENSITY ? density : MAX_DENSITY;
}

uint64_t xln__job_crowding(const struct job *job, unsigned node)
{
    unsigned nr_cpus = job->nr_allowed[node];

    return nr_cpus ? job->load[node] / nr_cpus : 0;
}

uint64_t xln__job_density(const struct job *job, uint64_t crowding,
                          unsigned nr_cpus)
{
    uint64_t own = job->need->nr_vcpus * XLN__DENSITY_ONE;

    if (!nr_cpus)
        return 0;
    return limit_density(DENSITY_OF(crowding) + own / nr_cpus);
}

static int find_load(struct job *job)
{
    unsigned node, nr_cpus = 0;
    uint64_t load = 0, most = 0, crowding;

    job->load = calloc(xln_host_nr_nodes(job->host), sizeof(*job->load));
    if (!job->load)
        return -ENOMEM;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(job->host)) {
        job->load[node] = load_of_node(job, node);
        crowding = xln__job_crowding(job, node);
        if (crowding > most)
            most = crowding;
        load += job->load[node];
        nr_cpus += job->nr_allowed[node];
    }
    job->fair_density =
        xln__job_density(job, nr_cpus ? load / nr_cpus : 0, nr_cpus);
    job->most_density = limit_density(DENSITY_OF(most));
    return 0;
}

static void find_mean(struct job *job)
{
    uint64_t bytes = 0;
    unsigned node, nr = 0;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(job->host)) {
        bytes += xln_host_node(job->host, node)->total_bytes;
        nr += xln_host_node(job->host, node)->total_bytes > 0;
    }
    job->mean_bytes = nr ? bytes / nr : 0;
}

/* ---- hard affinities ---- */

/* Keep the nodes of one mask, unless another mask asks for as much. */
static int add_spot(struct job *job, const struct xln_cpumap *cpus)
{
    struct xln_nodemap *nodes;
    int rc;

    rc = xln_host_nodes_of_cpus(job->host, cpus, &nodes);
    if (rc)
        return rc;
    for (unsigned i = 0; i < job->nr_spots; i++) {
        if (xln_nodemap_is_subset(job->spots[i], nodes)) {
            xln_nodemap_free(nodes);
            return 0;
        }
    }
    job->spots[job->nr_spots++] = nodes;
    return 0;
}

static int find_spots(struct job *job)
{
    const struct xln_need *need = job->need;
    unsigned nr = need->nr_hard < need->nr_vcpus ? need->nr_hard
                                                 : need->nr_vcpus;
    struct xln_cpumap *cpus = NULL;
    int rc;

    if (!nr)
        return 0;
    job->spots = calloc(nr, sizeof(struct xln_nodemap *));
    if (!job->spots)
        return -ENOMEM;
    rc = xln_cpumap_new(xln_host_nr_cpus(job->host), &cpus);
    if (rc)
        return rc;

    for (unsigned vcpu = 0; vcpu < nr && !rc; vcpu++) {
        if (!need->hard[vcpu])
            continue;
        xln_cpumap_zero(cpus);
        xln_cpumap_or(cpus, need->hard[vcpu]);
        xln_cpumap_and(cpus, job->allowed);
        if (!xln_cpumap_is_empty(cpus))
            rc = add_spot(job, cpus);
    }
    xln_cpumap_free(cpus);
    return rc;
}

/* ---- nodes that the user named ---- */

uint64_t xln__job_usable(const struct job *job, unsigned node, bool with_dma)
{
    return xln_host_node_usable(xln_host_node(job->host, node), with_dma,
                                job->request->dma_reserve_bytes);
}

/* A set of the host's width; all others are made from it. */
int xln__job_new_nodes(const struct job *job, struct xln_nodemap **nodes_r)
{
    return xln_nodemap_new(xln_host_nr_nodes(job->host), nodes_r);
}

int xln__job_nodes_with_memory(const struct job *job,
                             struct xln_nodemap **nodes_r)
{
    unsigned node;
    int rc;

    rc = xln__job_new_nodes(job, nodes_r);
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(job->host)) {
        if (has_memory(job, node))
            xln_nodemap_set(*nodes_r, node);
    }
    return 0;
}

static int check_nodes(const struct job *job, const struct xln_nodemap *nodes)
{
    if (!nodes)
        return 0;
    if (xln_nodemap_is_empty(nodes) ||
        !xln_nodemap_is_subset(nodes, xln_host_nodes(job->host)))
        return -EINVAL;
    return 0;
}

int xln__job_copy_nodes(const struct job *job, const struct xln_nodemap *nodes,
                      struct xln_nodemap **copy_r)
{
    int rc = xln__job_new_nodes(job, copy_r);

    if (!rc)
        xln_nodemap_or(*copy_r, nodes);
    return rc;
}

/*
 * The nodes that Xen itself would give a domain with these affinities (auto
 * node affinity, domain_update_node_affinity() in xen/common/sched/core.c):
 * of soft and hard together. Where these have no CPU in common it goes by hard
 * alone; then nothing was asked for here, and *nodes_r is NULL.
 */
static int nodes_of_soft(const struct job *job, struct xln_nodemap **nodes_r)
{
    const struct xln_need *need = job->need;
    struct xln_cpumap *cpus;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(job->host), &cpus);
    if (rc)
        return rc;
    unite_masks(job, need->nr_soft, need->soft, cpus);
    xln_cpumap_and(cpus, job->allowed);
    *nodes_r = NULL;
    if (!xln_cpumap_is_empty(cpus))
        rc = xln_host_nodes_of_cpus(job->host, cpus, nodes_r);
    xln_cpumap_free(cpus);
    return rc;
}

static int find_named(struct job *job)
{
    const struct xln_request *request = job->request;
    int rc;

    rc = check_nodes(job, request->nodes);
    if (rc)
        return rc;
    rc = check_nodes(job, request->mem_nodes);
    if (rc)
        return rc;

    if (request->mem_nodes)
        return xln__job_copy_nodes(job, request->mem_nodes, &job->named);
    if (request->all_nodes)
        return xln__job_nodes_with_memory(job, &job->named);
    if (request->nodes)
        return xln__job_copy_nodes(job, request->nodes, &job->named);
    if (!job->need->nr_soft)
        return 0;
    return nodes_of_soft(job, &job->named);
}

bool xln__job_is_limited(const struct job *job)
{
    unsigned max_nr = job->request->max_nodes;

    return job->named && max_nr && max_nr < xln_nodemap_count(job->named);
}

/* ---- preferences ---- */

/* Counts of devices and nodes, and distances to devices, added up over up to
 * XLN_MAX_NODES nodes: what stands in front counts for more than all that
 * follows can come to. No guest has more devices than these. */
#define MAX_DEVICES 255u
#define COST_DISTANCE_MAX 65535u
#define COST_OF_DOMAIN (UINT64_C(1) << 34)
#define COST_OF_DEVICE (UINT64_C(1) << 46)

/* On each node, no more than MAX_DEVICES of them all. Returns the most. */
static unsigned count_devices(const struct job *job, unsigned *nr_devices)
{
    const struct xln_need *need = job->need;
    unsigned node, most = 0, left = MAX_DEVICES;

    if (!need->device_nodes)
        return 0;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(job->host)) {
        unsigned nr = need->nr_devices ? need->nr_devices[node] : 1;

        if (!xln_nodemap_test(need->device_nodes, node))
            continue;
        if (nr > left)
            nr = left;
        left -= nr;
        nr_devices[node] = nr;
        if (nr > most)
            most = nr;
    }
    return most;
}

/* There and back. */
static uint64_t cost_of_way(const struct xln_host *host, unsigned a, unsigned b)
{
    uint64_t sum = (uint64_t)xln_host_distance(host, a, b) +
                   xln_host_distance(host, b, a);

    return sum < COST_DISTANCE_MAX ? sum : COST_DISTANCE_MAX;
}

static uint64_t cost_of(const struct job *job, const unsigned *nr_devices,
                        unsigned most, unsigned node)
{
    const struct xln_need *need = job->need;
    uint64_t cost = (most - nr_devices[node]) * COST_OF_DEVICE;
    unsigned at;

    if (need->with_nodes && !xln_nodemap_test(need->with_nodes, node))
        cost += COST_OF_DOMAIN;
    if (need->apart_nodes && xln_nodemap_test(need->apart_nodes, node))
        cost += COST_OF_DOMAIN;
    XLN_FOREACH(xln_nodemap, at, xln_host_nodes(job->host)) {
        if (nr_devices[at])
            cost += nr_devices[at] * cost_of_way(job->host, at, node);
    }
    return cost;
}

static int find_costs(struct job *job)
{
    const struct xln_need *need = job->need;
    unsigned *nr_devices, most, node;

    if (!need->device_nodes && !need->with_nodes && !need->apart_nodes)
        return 0;
    nr_devices = calloc(xln_host_nr_nodes(job->host), sizeof(*nr_devices));
    job->costs = calloc(xln_host_nr_nodes(job->host), sizeof(*job->costs));
    if (!nr_devices || !job->costs) {
        free(nr_devices);
        return -ENOMEM;
    }
    most = count_devices(job, nr_devices);
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(job->host))
        job->costs[node] = cost_of(job, nr_devices, most, node);
    free(nr_devices);
    return 0;
}

int xln__job_init(struct job *job, const struct xln_host *host,
                  const struct xln_request *request,
                  const struct xln_need *need)
{
    uint64_t extra_bytes = need->overhead_bytes;
    int rc;

    *job = (struct job){ .host = host, .request = request, .need = need };

    if (!need->nr_vcpus)
        return -EINVAL;
    job->need_bytes = need->memory_bytes + extra_bytes;
    if (job->need_bytes < extra_bytes)
        job->need_bytes = UINT64_MAX;

    rc = find_pool(job);
    if (rc)
        return rc;
    rc = find_allowed(job);
    if (rc)
        return rc;
    rc = find_load(job);
    if (rc)
        return rc;
    find_mean(job);
    rc = find_spots(job);
    if (rc)
        return rc;
    rc = find_costs(job);
    if (rc)
        return rc;
    return find_named(job);
}

void xln__job_clear(struct job *job)
{
    for (unsigned i = 0; i < job->nr_spots; i++)
        xln_nodemap_free(job->spots[i]);
    free(job->spots);
    free(job->nr_allowed);
    free(job->costs);
    free(job->load);
    xln_cpumap_free(job->pool);
    xln_cpumap_free(job->allowed);
    xln_nodemap_free(job->named);
}
