/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "core_count.h"
#include "problem.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* ---- CPUs ---- */

static int find_pool(struct problem *problem)
{
    const struct xln_host *host = problem->host;
    unsigned nr_cpus = xln_host_nr_cpus(host);
    int rc;

    rc = xln_cpumap_new(nr_cpus, &problem->pool);
    if (rc)
        return rc;
    for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        if (c && c->online)
            xln_cpumap_set(problem->pool, cpu);
    }
    if (problem->need->pool_cpus)
        xln_cpumap_and(problem->pool, problem->need->pool_cpus);
    return 0;
}

/* All masks together; a vCPU without one may run anywhere. */
static void unite_masks(const struct problem *problem, unsigned nr,
                        const struct xln_cpumap *const *masks,
                        struct xln_cpumap *cpus)
{
    xln_cpumap_zero(cpus);
    for (unsigned vcpu = 0; vcpu < problem->need->nr_vcpus; vcpu++) {
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

/* ---- scheduling units ---- */

/* In blocks of this many. */
static unsigned count_blocks(unsigned nr, unsigned size)
{
    return nr / size + !!(nr % size);
}

unsigned xln__problem_nr_units(const struct problem *problem)
{
    return count_blocks(problem->need->nr_vcpus, problem->unit_size);
}

unsigned xln__problem_nr_groups(const struct problem *problem)
{
    return count_blocks(problem->need->nr_vcpus, problem->group_size);
}

/* The mask of the last vCPU of the unit that has one. */
static const struct xln_cpumap *mask_of_unit(
    const struct problem *problem, const struct xln_cpumap *const *masks,
    unsigned nr, unsigned vcpu)
{
    unsigned first = vcpu - vcpu % problem->unit_size;
    const struct xln_cpumap *mask = NULL;

    for (unsigned i = first; i < nr && i < first + problem->unit_size; i++)
        mask = masks[i] ? masks[i] : mask;
    return mask;
}

static void free_masks(const struct problem *problem,
                       struct xln_cpumap **masks)
{
    for (unsigned i = 0; masks && i < problem->need->nr_vcpus; i++)
        xln_cpumap_free(masks[i]);
    free(masks);
}

/* A mask for each vCPU. */
static int join_masks(const struct problem *problem,
                      const struct xln_cpumap *const *masks, unsigned nr,
                      struct xln_cpumap ***masks_r)
{
    unsigned nr_vcpus = problem->need->nr_vcpus;
    struct xln_cpumap **joined = calloc(nr_vcpus, sizeof(struct xln_cpumap *));
    int rc = joined ? 0 : -ENOMEM;

    for (unsigned vcpu = 0; vcpu < nr_vcpus && !rc; vcpu++) {
        const struct xln_cpumap *mask = mask_of_unit(problem, masks, nr, vcpu);

        if (!mask)
            continue;
        rc = xln_cpumap_new(xln_host_nr_cpus(problem->host), &joined[vcpu]);
        if (rc)
            break;
        xln_cpumap_or(joined[vcpu], mask);
        xln_host_whole_units(problem->host, joined[vcpu]);
    }
    if (rc)
        free_masks(problem, joined);
    else
        *masks_r = joined;
    return rc;
}

static int find_units(struct problem *problem)
{
    const struct xln_need *need = problem->need;
    int rc = 0;

    problem->unit_size = xln_host_unit_size(problem->host, need->pool_cpus);
    problem->hard = need->hard;
    problem->soft = need->soft;
    problem->nr_hard = need->nr_hard;
    problem->nr_soft = need->nr_soft;
    if (problem->unit_size == 1)
        return 0;
    if (need->nr_hard) {
        rc = join_masks(problem, need->hard, need->nr_hard,
                        &problem->own_hard);
        problem->hard = (const struct xln_cpumap *const *)problem->own_hard;
        problem->nr_hard = need->nr_vcpus;
    }
    if (need->nr_soft && !rc) {
        rc = join_masks(problem, need->soft, need->nr_soft,
                        &problem->own_soft);
        problem->soft = (const struct xln_cpumap *const *)problem->own_soft;
        problem->nr_soft = need->nr_vcpus;
    }
    return rc;
}

/* ---- counting CPUs ---- */

static bool has_memory(const struct problem *problem, unsigned node)
{
    return xln_host_node(problem->host, node)->total_bytes > 0;
}

/* Whether the CPUs of the node are counted as its own. */
static bool is_home(const struct problem *problem, unsigned node)
{
    return xln_host_home(problem->host, node) == node;
}

static bool counts_cores(const struct problem *problem)
{
    return problem->request->whole_cores ||
           problem->request->vcpus_mode == XLN_VCPUS_CORE;
}

bool xln__problem_by_threads(const struct problem *problem)
{
    return problem->request->vcpus_mode == XLN_VCPUS_THREAD;
}

bool xln__problem_binds_each(const struct problem *problem)
{
    return problem->request->vcpus_mode == XLN_VCPUS_CORE ||
           xln__problem_by_threads(problem);
}

/* The most threads of a core that the domain may use, on the nodes that are
 * named for its vCPUs. */
static int find_group(struct problem *problem)
{
    const struct xln_host *host = problem->host;
    const struct xln_nodemap *named = problem->request->nodes;
    const struct xln_host_cpu **list;
    unsigned node, size = 0, of_others = 1;

    problem->group_size = problem->unit_size;
    if (problem->unit_size > 1 || !xln__problem_by_threads(problem))
        return 0;
    list = calloc(xln_host_nr_cpus(host), sizeof(*list));
    if (!list)
        return -ENOMEM;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        bool counts = !named || xln_nodemap_test(named, node);

        xln__count_cores(host, xln_host_near_cpus(host, node),
                         problem->allowed, list,
                         counts ? &size : &of_others);
    }
    problem->group_size = size ? size : of_others;
    free(list);
    return 0;
}

/* For each node, and how many a domain can have in all. */
static int count_allowed(struct problem *problem, unsigned *nr_r)
{
    const struct xln_host *host = problem->host;
    const struct xln_host_cpu **list;
    unsigned node, nr, nr_all = 0, most_threads = 0;

    list = calloc(xln_host_nr_cpus(host), sizeof(*list));
    problem->nr_allowed =
        calloc(xln_host_nr_nodes(host), sizeof(*problem->nr_allowed));
    if (!list || !problem->nr_allowed) {
        free(list);
        return -ENOMEM;
    }
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        const struct xln_cpumap *cpus = xln_host_near_cpus(host, node);

        nr = !counts_cores(problem) ? count_common(cpus, problem->allowed)
             : problem->unit_size > 1
                 ? count_blocks(count_common(cpus, problem->allowed),
                                problem->unit_size)
                 : xln__count_cores(host, cpus, problem->allowed, list,
                                    &most_threads);
        problem->nr_allowed[node] = nr;
        nr_all += is_home(problem, node) ? nr : 0;
    }
    *nr_r = nr_all;
    free(list);
    return 0;
}

/* Taken cores do not count if each vCPU needs a free one. */
static void leave_taken(struct problem *problem)
{
    for (unsigned cpu = 0; cpu < xln_host_nr_cpus(problem->host); cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(problem->host, cpu);

        if (c && c->taken)
            xln_cpumap_clear(problem->allowed, cpu);
    }
}

static int find_allowed(struct problem *problem)
{
    unsigned nr_cpus;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(problem->host), &problem->allowed);
    if (rc)
        return rc;
    unite_masks(problem, problem->nr_hard, problem->hard, problem->allowed);
    xln_cpumap_and(problem->allowed, problem->pool);
    /* libxl complains about masks outside the cpupool. */
    if (xln_cpumap_is_empty(problem->allowed))
        xln_cpumap_or(problem->allowed, problem->pool);
    if (xln__problem_binds_each(problem))
        leave_taken(problem);

    rc = find_group(problem);
    if (!rc)
        rc = count_allowed(problem, &nr_cpus);
    if (rc)
        return rc;
    problem->need_cpus = xln__problem_nr_units(problem);
    if (!counts_cores(problem))
        problem->need_cpus *= problem->unit_size;
    if (problem->need_cpus > nr_cpus)
        problem->need_cpus = nr_cpus;
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

static uint64_t load_of_node(const struct problem *problem, unsigned node)
{
    const struct xln_cpumap *cpus = xln_host_near_cpus(problem->host, node);
    uint64_t load = 0;
    unsigned cpu;

    XLN_FOREACH(xln_cpumap, cpu, cpus) {
        uint64_t more = xln_host_cpu(problem->host, cpu)->load;

        if (!xln_cpumap_test(problem->allowed, cpu))
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

uint64_t xln__problem_crowding(const struct problem *problem, unsigned node)
{
    unsigned nr_cpus = problem->nr_allowed[node];

    return nr_cpus ? problem->load[node] / nr_cpus : 0;
}

uint64_t xln__problem_density(const struct problem *problem, uint64_t crowding,
                              unsigned nr_cpus)
{
    uint64_t own = problem->need->nr_vcpus * XLN__DENSITY_ONE;

    if (!nr_cpus)
        return 0;
    return limit_density(DENSITY_OF(crowding) + own / nr_cpus);
}

void xln__problem_add_load(struct problem *problem,
                           const struct xln_nodemap *nodes)
{
    unsigned node, nr_cpus = problem->nr_home_cpus;
    uint64_t before, crowding;

    XLN_FOREACH(xln_nodemap, node, nodes) {
        before = problem->load[node];
        problem->load[node] = load_of_node(problem, node);
        if (!is_home(problem, node))
            continue;
        problem->home_load += problem->load[node] - before;
        crowding = xln__problem_crowding(problem, node);
        if (crowding > problem->most_crowding)
            problem->most_crowding = crowding;
    }
    problem->fair_density = xln__problem_density(
        problem, nr_cpus ? problem->home_load / nr_cpus : 0, nr_cpus);
    problem->most_density = limit_density(DENSITY_OF(problem->most_crowding));
}

static int find_load(struct problem *problem)
{
    const struct xln_nodemap *nodes = xln_host_nodes(problem->host);
    unsigned node;

    problem->load =
        calloc(xln_host_nr_nodes(problem->host), sizeof(*problem->load));
    if (!problem->load)
        return -ENOMEM;
    XLN_FOREACH(xln_nodemap, node, nodes) {
        if (is_home(problem, node))
            problem->nr_home_cpus += problem->nr_allowed[node];
    }
    xln__problem_add_load(problem, nodes);
    return 0;
}

static void find_mean(struct problem *problem)
{
    uint64_t bytes = 0;
    unsigned node, nr = 0;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(problem->host)) {
        bytes += xln_host_node(problem->host, node)->total_bytes;
        nr += xln_host_node(problem->host, node)->total_bytes > 0;
    }
    problem->mean_bytes = nr ? bytes / nr : 0;
}

/* ---- hard affinities ---- */

/* Keep the nodes of one mask, unless another mask asks for as much. */
static int add_spot(struct problem *problem, const struct xln_cpumap *cpus)
{
    struct xln_nodemap *nodes;
    int rc;

    rc = xln_host_homes_of_cpus(problem->host, cpus, &nodes);
    if (rc)
        return rc;
    for (unsigned i = 0; i < problem->nr_spots; i++) {
        if (xln_nodemap_is_subset(problem->spots[i], nodes)) {
            xln_nodemap_free(nodes);
            return 0;
        }
    }
    problem->spots[problem->nr_spots++] = nodes;
    return 0;
}

static int find_spots(struct problem *problem)
{
    const struct xln_need *need = problem->need;
    unsigned nr = problem->nr_hard < need->nr_vcpus ? problem->nr_hard
                                                    : need->nr_vcpus;
    struct xln_cpumap *cpus = NULL;
    int rc;

    if (!nr)
        return 0;
    problem->spots = calloc(nr, sizeof(struct xln_nodemap *));
    if (!problem->spots)
        return -ENOMEM;
    rc = xln_cpumap_new(xln_host_nr_cpus(problem->host), &cpus);
    if (rc)
        return rc;

    for (unsigned vcpu = 0; vcpu < nr && !rc; vcpu++) {
        if (!problem->hard[vcpu])
            continue;
        xln_cpumap_zero(cpus);
        xln_cpumap_or(cpus, problem->hard[vcpu]);
        xln_cpumap_and(cpus, problem->allowed);
        if (!xln_cpumap_is_empty(cpus))
            rc = add_spot(problem, cpus);
    }
    xln_cpumap_free(cpus);
    return rc;
}

/* ---- nodes that the user named ---- */

uint64_t xln__problem_usable(const struct problem *problem, unsigned node,
                             bool with_dma)
{
    return xln_host_node_usable(xln_host_node(problem->host, node), with_dma,
                                problem->request->dma_reserve_bytes);
}

/* An empty set of the host's width, from which all others are made. */
int xln__problem_new_nodes(const struct problem *problem,
                           struct xln_nodemap **nodes_r)
{
    return xln_nodemap_new(xln_host_nr_nodes(problem->host), nodes_r);
}

int xln__problem_nodes_with_memory(const struct problem *problem,
                                   struct xln_nodemap **nodes_r)
{
    unsigned node;
    int rc;

    rc = xln__problem_new_nodes(problem, nodes_r);
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(problem->host)) {
        if (has_memory(problem, node))
            xln_nodemap_set(*nodes_r, node);
    }
    return 0;
}

static int check_nodes(const struct problem *problem,
                       const struct xln_nodemap *nodes)
{
    if (!nodes)
        return 0;
    if (xln_nodemap_is_empty(nodes) ||
        !xln_nodemap_is_subset(nodes, xln_host_nodes(problem->host)))
        return -EINVAL;
    return 0;
}

int xln__problem_copy_nodes(const struct problem *problem,
                            const struct xln_nodemap *nodes,
                            struct xln_nodemap **copy_r)
{
    int rc = xln__problem_new_nodes(problem, copy_r);

    if (!rc)
        xln_nodemap_or(*copy_r, nodes);
    return rc;
}

/*
 * The nodes that Xen itself would give a domain with these affinities (auto
 * node affinity, domain_update_node_affinity() in xen/common/sched/core.c):
 * of soft and hard together; but the nearest with memory instead of one without.
 * Where these have no CPU in common hard alone counts; then nothing was
 * asked for here, and *nodes_r is NULL.
 */
static int nodes_of_soft(const struct problem *problem,
                         struct xln_nodemap **nodes_r)
{
    struct xln_cpumap *cpus;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(problem->host), &cpus);
    if (rc)
        return rc;
    unite_masks(problem, problem->nr_soft, problem->soft, cpus);
    xln_cpumap_and(cpus, problem->allowed);
    *nodes_r = NULL;
    if (!xln_cpumap_is_empty(cpus))
        rc = xln_host_homes_of_cpus(problem->host, cpus, nodes_r);
    xln_cpumap_free(cpus);
    return rc;
}

static int find_named(struct problem *problem)
{
    const struct xln_request *request = problem->request;
    int rc;

    rc = check_nodes(problem, request->nodes);
    if (rc)
        return rc;
    rc = check_nodes(problem, request->mem_nodes);
    if (rc)
        return rc;

    if (request->mem_nodes)
        return xln__problem_copy_nodes(problem, request->mem_nodes,
                                       &problem->named);
    if (request->all_nodes)
        return xln__problem_nodes_with_memory(problem, &problem->named);
    if (request->nodes)
        return xln__problem_copy_nodes(problem, request->nodes,
                                       &problem->named);
    if (!problem->need->nr_soft)
        return 0;
    return nodes_of_soft(problem, &problem->named);
}

bool xln__problem_is_limited(const struct problem *problem)
{
    unsigned max_nr = problem->request->max_nodes;

    return problem->named && max_nr &&
           max_nr < xln_nodemap_count(problem->named);
}

/* ---- preferences ---- */

/* Counts of devices and nodes, and distances to devices, added up over up to
 * XLN_MAX_NODES nodes: what stands in front counts for more than all that
 * follows can come to. No guest has more devices than these. */
#define MAX_DEVICES 255u
#define COST_DISTANCE_MAX 65535u
#define COST_OF_DOMAIN (UINT64_C(1) << 34)
#define COST_OF_DEVICE (UINT64_C(1) << 46)

/* The devices on each node, at most MAX_DEVICES together. Returns the largest
 * number. */
static unsigned count_devices(const struct problem *problem,
                              unsigned *nr_devices)
{
    const struct xln_need *need = problem->need;
    unsigned node, most = 0, left = MAX_DEVICES;

    if (!need->device_nodes)
        return 0;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(problem->host)) {
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

/* The distance in both directions. */
static uint64_t cost_of_way(const struct xln_host *host, unsigned a, unsigned b)
{
    uint64_t sum =
        (uint64_t)xln_host_distance(host, a, b) + xln_host_distance(host, b, a);

    return sum < COST_DISTANCE_MAX ? sum : COST_DISTANCE_MAX;
}

static uint64_t cost_of(const struct problem *problem,
                        const unsigned *nr_devices, unsigned most,
                        unsigned node)
{
    const struct xln_need *need = problem->need;
    uint64_t cost = (most - nr_devices[node]) * COST_OF_DEVICE;
    unsigned at;

    if (need->with_nodes && !xln_nodemap_test(need->with_nodes, node))
        cost += COST_OF_DOMAIN;
    if (need->apart_nodes && xln_nodemap_test(need->apart_nodes, node))
        cost += COST_OF_DOMAIN;
    XLN_FOREACH(xln_nodemap, at, xln_host_nodes(problem->host)) {
        if (nr_devices[at])
            cost += nr_devices[at] * cost_of_way(problem->host, at, node);
    }
    return cost;
}

static int find_costs(struct problem *problem)
{
    const struct xln_need *need = problem->need;
    unsigned *nr_devices, most, node;

    if (!need->device_nodes && !need->with_nodes && !need->apart_nodes)
        return 0;
    nr_devices = calloc(xln_host_nr_nodes(problem->host), sizeof(*nr_devices));
    problem->costs =
        calloc(xln_host_nr_nodes(problem->host), sizeof(*problem->costs));
    if (!nr_devices || !problem->costs) {
        free(nr_devices);
        return -ENOMEM;
    }
    most = count_devices(problem, nr_devices);
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(problem->host))
        problem->costs[node] = cost_of(problem, nr_devices, most, node);
    free(nr_devices);
    return 0;
}

/* A member that this library does not know may change the meaning, so it must
 * not be ignored. */
static bool is_known(const struct xln_request *request,
                     const struct xln_need *need)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < ARRAY_SIZE(request->reserved); i++)
        bits |= request->reserved[i];
    for (size_t i = 0; i < ARRAY_SIZE(need->reserved); i++)
        bits |= need->reserved[i];
    return !bits;
}

int xln__problem_init(struct problem *problem, const struct xln_host *host,
                      const struct xln_request *request,
                      const struct xln_need *need)
{
    uint64_t extra_bytes = need->overhead_bytes;
    int rc;

    *problem = (struct problem){.host = host, .request = request, .need = need};

    if (!need->nr_vcpus || !is_known(request, need))
        return -EINVAL;
    problem->need_bytes = need->memory_bytes + extra_bytes;
    if (problem->need_bytes < extra_bytes)
        problem->need_bytes = UINT64_MAX;

    rc = find_units(problem);
    if (rc)
        return rc;
    rc = find_pool(problem);
    if (rc)
        return rc;
    rc = find_allowed(problem);
    if (rc)
        return rc;
    rc = find_load(problem);
    if (rc)
        return rc;
    find_mean(problem);
    xln__gaps_init(&problem->gaps, host, problem->need_bytes);
    rc = find_spots(problem);
    if (rc)
        return rc;
    rc = find_costs(problem);
    if (rc)
        return rc;
    return find_named(problem);
}

void xln__problem_clear(struct problem *problem)
{
    for (unsigned i = 0; i < problem->nr_spots; i++)
        xln_nodemap_free(problem->spots[i]);
    free(problem->spots);
    free_masks(problem, problem->own_hard);
    free_masks(problem, problem->own_soft);
    free(problem->nr_allowed);
    free(problem->costs);
    free(problem->load);
    xln_cpumap_free(problem->pool);
    xln_cpumap_free(problem->allowed);
    xln_nodemap_free(problem->named);
}
