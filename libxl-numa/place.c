/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * request + host -> plan.
 *
 * What the arguments say is first turned into a `struct problem`: CPUs, and the
 * nodes that the user named, if any (problem.c). Then a set of nodes is chosen
 * (search.c), memory is shared out over it, and the vCPUs follow.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cores.h"
#include "problem.h"
#include "search.h"
#include "span.h"
#include "text/units.h"

/* Memory is shared out in superpages, because the builders ask for these
 * first. */
#define EXTENT_BYTES (2 * MIB)

/* ---- distances ---- */

struct neighbour {
    unsigned node;
    unsigned distance;      /* distance from the nearest node of the set */
};

static int compare_neighbours(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static unsigned distance_from(const struct xln_host *host,
                              const struct xln_nodemap *nodes, unsigned to)
{
    unsigned from, distance = XLN_NONE;

    XLN_FOREACH(xln_nodemap, from, nodes) {
        struct span span = xln__span_of(host, from, to);

        if (span.max < distance)
            distance = span.max;
    }
    return distance;
}

/* Those nodes of `others` that are not in `nodes`, nearest to these first. */
static int find_neighbours(const struct problem *problem,
                           const struct xln_nodemap *nodes,
                           const struct xln_nodemap *others,
                           struct neighbour **list_r, unsigned *nr_r)
{
    struct neighbour *list;
    unsigned node, nr = 0;

    list = calloc(xln_host_nr_nodes(problem->host), sizeof(*list));
    if (!list)
        return -ENOMEM;
    XLN_FOREACH(xln_nodemap, node, others) {
        if (xln_nodemap_test(nodes, node))
            continue;
        list[nr].node = node;
        list[nr++].distance = distance_from(problem->host, nodes, node);
    }
    qsort(list, nr, sizeof(*list), compare_neighbours);
    *list_r = list;
    *nr_r = nr;
    return 0;
}

/* ---- nodes ---- */

/* The nodes with memory and a CPU near it. */
static int find_with_both(const struct problem *problem,
                          struct xln_nodemap **nodes_r)
{
    unsigned node;
    int rc;

    rc = xln__problem_nodes_with_memory(problem, nodes_r);
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(problem->host)) {
        if (!problem->nr_allowed[node])
            xln_nodemap_clear(*nodes_r, node);
    }
    return 0;
}

int xln__problem_candidates(const struct problem *problem,
                            struct xln_nodemap **nodes_r)
{
    int rc;

    if (problem->named) {
        rc = xln__problem_nodes_with_memory(problem, nodes_r);
        if (!rc)
            xln_nodemap_and(*nodes_r, problem->named);
        return rc;
    }
    rc = find_with_both(problem, nodes_r);
    if (rc || !xln_nodemap_is_empty(*nodes_r))
        return rc;
    /* No node has a CPU for it, so all memory is equally good. */
    xln_nodemap_free(*nodes_r);
    return xln__problem_nodes_with_memory(problem, nodes_r);
}

/* Choose among `candidates`, of which there is at least one. */
static int choose_among(struct problem *problem,
                        const struct xln_nodemap *candidates,
                        struct xln_plan *plan)
{
    struct xln__found found = { 0 };
    int rc;

    rc = xln__search_run(problem, candidates, &found);
    if (rc)
        goto out;
    rc = xln_nodemap_copy(found.best.nodes, &plan->nodes);
    if (rc)
        goto out;
    plan->exact = found.exact;
    plan->bound = found.bound;
    if (problem->named)
        goto out;
    plan->nr_fitting = found.nr_fitting;
    plan->counted_all = found.counted_all;
    plan->chosen = found.best;
    plan->next = found.next;
    found.best.nodes = found.next.nodes = NULL;
 out:
    xln_nodemap_free(found.best.nodes);
    xln_nodemap_free(found.next.nodes);
    return rc;
}

static int choose_auto(struct problem *problem, struct xln_plan *plan)
{
    struct xln_nodemap *candidates = NULL;
    int rc;

    rc = xln__problem_candidates(problem, &candidates);
    if (rc)
        goto out;
    if (xln_nodemap_is_empty(candidates))
        /* The host has no memory at all. */
        rc = xln__problem_new_nodes(problem, &plan->nodes);
    else
        rc = choose_among(problem, candidates, plan);
 out:
    xln_nodemap_free(candidates);
    return rc;
}

static int choose_named(struct problem *problem, struct xln_plan *plan)
{
    struct xln_nodemap *candidates = NULL;
    int rc;

    plan->named = true;
    problem->own_dma = true;
    rc = xln__problem_candidates(problem, &candidates);
    if (rc)
        return rc;
    /* Memory comes from those of the nodes that have some. */
    if (xln_nodemap_is_empty(candidates))
        rc = xln__problem_copy_nodes(problem, problem->named, &plan->nodes);
    else if (xln__problem_is_limited(problem))
        rc = choose_among(problem, candidates, plan);
    else
        rc = xln_nodemap_copy(candidates, &plan->nodes);
    xln_nodemap_free(candidates);
    return rc;
}

/* ---- memory ---- */

struct room {
    unsigned node;
    uint64_t usable_bytes;
    uint64_t bytes;             /* its share */
};

static int compare_rooms(const void *a, const void *b)
{
    const struct room *x = a, *y = b;

    if (x->usable_bytes != y->usable_bytes)
        return x->usable_bytes < y->usable_bytes ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static uint64_t min_bytes(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*
 * Share `bytes` out equally, as far as each room goes; returns what is left
 * over. From the smallest room up, each takes its part of what is still to be
 * shared, or all that it has; so what a small one lacks falls equally on the
 * larger ones. Whole extents, except the last; what was lost by that is
 * taken where there is still room.
 *
 * Example, in MiB: 100 over rooms of 10, 200 and 31. 10 takes 10 (less than
 * 100 / 3); 31 takes 30 (less than 90 / 2, a whole extent less than 31); 200
 * takes the other 60.
 */
static uint64_t share_out(struct room *rooms, unsigned nr, uint64_t bytes)
{
    qsort(rooms, nr, sizeof(*rooms), compare_rooms);
    for (unsigned i = 0; i < nr; i++) {
        struct room *room = &rooms[i];

        room->bytes = min_bytes(bytes / (nr - i), room->usable_bytes);
        if (i < nr - 1)
            room->bytes -= room->bytes % EXTENT_BYTES;
        bytes -= room->bytes;
    }
    for (unsigned i = 0; i < nr; i++) {
        uint64_t more = min_bytes(rooms[i].usable_bytes - rooms[i].bytes,
                                  bytes);

        rooms[i].bytes += more;
        bytes -= more;
    }
    return bytes;
}

/* Add to the share of a node; the shares stay in the order of the first
 * addition. */
static void add_share(struct xln_plan *plan, unsigned node, uint64_t bytes)
{
    unsigned i;

    if (!bytes)
        return;
    for (i = 0; i < plan->nr_shares && plan->shares[i].node != node; i++)
        ;
    if (i == plan->nr_shares)
        plan->shares[plan->nr_shares++] = (struct xln_share){ .node = node };
    plan->shares[i].bytes += bytes;
}

static uint64_t share_of(const struct xln_plan *plan, unsigned node)
{
    for (unsigned i = 0; i < plan->nr_shares; i++) {
        if (plan->shares[i].node == node)
            return plan->shares[i].bytes;
    }
    return 0;
}

/* Each node is asked for its percentage; the last one also takes what is left
 * after rounding down to extents. Returns what the nodes do not have. */
static uint64_t share_by_percent(const struct problem *problem,
                                 struct room *rooms, unsigned nr)
{
    const uint8_t *percent = problem->request->mem_percent;
    uint64_t left = problem->need_bytes, asked;
    unsigned i, sum = 0;

    for (i = 0; i < nr; i++) {
        sum += percent[rooms[i].node];
        asked = problem->need_bytes / 100 * percent[rooms[i].node];
        asked -= asked % EXTENT_BYTES;
        if (i == nr - 1 && sum == 100)
            asked = left;
        rooms[i].bytes = min_bytes(asked, rooms[i].usable_bytes);
        left -= min_bytes(rooms[i].bytes, left);
    }
    for (i = 0; i < nr; i++) {
        uint64_t more = min_bytes(rooms[i].usable_bytes - rooms[i].bytes, left);

        rooms[i].bytes += more;
        left -= more;
    }
    return left;
}

/* Take memory from the plan's own nodes; returns what they do not have. */
static int fill_own(const struct problem *problem, struct xln_plan *plan,
                    uint64_t *left_r)
{
    unsigned node, nr = 0;
    struct room *rooms;

    rooms = calloc(xln_host_nr_nodes(problem->host), sizeof(*rooms));
    if (!rooms)
        return -ENOMEM;
    XLN_FOREACH(xln_nodemap, node, plan->nodes) {
        rooms[nr].node = node;
        rooms[nr++].usable_bytes =
            xln__problem_usable(problem, node, problem->own_dma);
    }
    *left_r = problem->request->mem_percent && problem->request->mem_nodes
                  ? share_by_percent(problem, rooms, nr)
                  : share_out(rooms, nr, problem->need_bytes);
    XLN_FOREACH(xln_nodemap, node, plan->nodes) {
        for (unsigned i = 0; i < nr; i++) {
            if (rooms[i].node == node)
                add_share(plan, node, rooms[i].bytes);
        }
    }
    plan->nr_own = plan->nr_shares;
    free(rooms);
    return 0;
}

/* Take memory from other nodes, nearest first; returns what they do not have.
 */
static uint64_t fill_nearest(const struct problem *problem,
                             struct xln_plan *plan, uint64_t left,
                             bool with_dma)
{
    for (unsigned i = 0; i < plan->nr_nearest && left; i++) {
        unsigned node = plan->nearest[i];
        uint64_t bytes = min_bytes(
            xln__problem_usable(problem, node, with_dma) - share_of(plan, node),
            left);

        add_share(plan, node, bytes);
        left -= bytes;
    }
    return left;
}

static int find_nearest(const struct problem *problem, struct xln_plan *plan)
{
    struct xln_nodemap *others = NULL;
    struct neighbour *list = NULL;
    unsigned nr;
    int rc;

    rc = xln__problem_nodes_with_memory(problem, &others);
    if (rc)
        goto out;
    rc = find_neighbours(problem, plan->nodes, others, &list, &nr);
    if (rc)
        goto out;
    rc = -ENOMEM;
    plan->nearest = calloc(nr + 1, sizeof(*plan->nearest));
    if (!plan->nearest)
        goto out;

    for (unsigned i = 0; i < nr; i++)
        plan->nearest[i] = list[i].node;
    plan->nr_nearest = nr;
    rc = 0;
 out:
    free(list);
    xln_nodemap_free(others);
    return rc;
}

/* `brief`: without plan->nearest, if the nodes have all of it. */
static int plan_memory(const struct problem *problem, bool brief,
                       struct xln_plan *plan)
{
    uint64_t left;
    int rc;

    plan->shares =
        calloc(xln_host_nr_nodes(problem->host), sizeof(*plan->shares));
    if (!plan->shares)
        return -ENOMEM;
    rc = fill_own(problem, plan, &left);
    if (!rc && (left || !brief))
        rc = find_nearest(problem, plan);
    if (rc)
        return rc;
    if (problem->request->mode != XLN_MODE_STRICT) {
        left = fill_nearest(problem, plan, left, false);
        left = fill_nearest(problem, plan, left, true);
    }
    if (left)
        plan->verdict = XLN_NOTHING_FITS;
    return 0;
}

/* ---- vCPUs ---- */

/* The nodes to run on, if the request names some. */
static int find_homes(const struct problem *problem,
                      const struct xln_plan *plan, struct xln_nodemap **homes_r)
{
    const struct xln_request *request = problem->request;

    if (request->mem_nodes && request->all_nodes)
        return xln__problem_nodes_with_memory(problem, homes_r);
    if (request->mem_nodes && request->nodes)
        return xln__problem_copy_nodes(problem, request->nodes, homes_r);
    /* Named nodes count also if they have CPUs only. */
    if (problem->named && !request->mem_nodes &&
        !xln__problem_is_limited(problem))
        return xln__problem_copy_nodes(problem, problem->named, homes_r);
    return xln__problem_copy_nodes(problem, plan->nodes, homes_r);
}

static unsigned count_allowed(const struct problem *problem,
                              const struct xln_nodemap *nodes)
{
    unsigned node, nr = 0;

    XLN_FOREACH(xln_nodemap, node, nodes)
        nr += problem->nr_allowed[node];
    return nr;
}

/* CPUs of a node that nodes with CPUs near them do not have yet. */
static unsigned count_more(const struct problem *problem,
                           const struct xln_nodemap *homes, unsigned node)
{
    unsigned other, nr = problem->nr_allowed[node];

    if (xln_nodemap_test(homes, xln_host_home(problem->host, node)))
        return 0;
    XLN_FOREACH(xln_nodemap, other, homes) {
        if (xln_host_home(problem->host, other) == node)
            nr -= problem->nr_allowed[other];
    }
    return nr;
}

/* Instead of nodes without CPUs take the nearest nodes that have enough
 * together. */
static int move_homes(const struct problem *problem, struct xln_nodemap *homes)
{
    struct neighbour *list;
    unsigned nr, nr_cpus = 0;
    int rc;

    rc = find_neighbours(problem, homes, xln_host_nodes(problem->host), &list,
                         &nr);
    if (rc)
        return rc;
    xln_nodemap_zero(homes);
    for (unsigned i = 0; i < nr && nr_cpus < problem->need_cpus; i++) {
        unsigned more = count_more(problem, homes, list[i].node);

        if (more)
            xln_nodemap_set(homes, list[i].node);
        nr_cpus += more;
    }
    free(list);
    return 0;
}

static bool have_cpus(const struct problem *problem,
                      const struct xln_nodemap *nodes)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, nodes) {
        if (!xln_cpumap_is_empty(xln_host_near_cpus(problem->host, node)))
            return true;
    }
    return false;
}

/* Note the nodes of these CPUs; and homes, unless all CPUs near them are on
 * other nodes. */
static int note_homes(const struct problem *problem,
                      const struct xln_nodemap *homes,
                      const struct xln_cpumap *cpus, struct xln_plan *plan)
{
    const struct xln_host *host = problem->host;
    struct xln_nodemap *nodes;
    unsigned node;
    int rc;

    rc = xln_host_nodes_of_cpus(host, cpus, &nodes);
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, homes) {
        if (!xln_cpumap_is_empty(xln_host_node(host, node)->cpus) ||
            xln_cpumap_is_empty(xln_host_near_cpus(host, node)))
            xln_nodemap_set(nodes, node);
    }
    xln_nodemap_or(plan->vcpu_nodes, nodes);
    xln_nodemap_free(nodes);
    return 0;
}

/*
 * If the nodes have CPUs, but none that the vCPUs may use, it depends on who
 * chose the nodes. The user's choice applies as it is (within the cpupool,
 * because Xen ignores soft affinity outside hard).
 */
static int plan_vcpus(const struct problem *problem, struct xln_plan *plan)
{
    struct xln_nodemap *homes = NULL;
    struct xln_cpumap *cpus = NULL;
    int rc;

    rc = find_homes(problem, plan, &homes);
    if (rc)
        goto out;
    if (!count_allowed(problem, homes) &&
        !(plan->named && have_cpus(problem, homes))) {
        rc = move_homes(problem, homes);
        if (rc)
            goto out;
    }
    if (xln__problem_binds_each(problem)) {
        rc = xln__cores_deal(problem, homes, plan);
        goto out;
    }
    rc = xln_host_near_cpus_of_nodes(problem->host, homes, &cpus);
    if (rc)
        goto out;
    /* A unit that is on several nodes is used as a whole. */
    if (problem->unit_size > 1)
        xln_host_whole_units(problem->host, cpus);
    xln_cpumap_and(cpus, problem->pool);
    xln_cpumap_or(plan->vcpu_cpus, cpus);
    if (!xln_cpumap_is_empty(cpus))
        rc = note_homes(problem, homes, cpus, plan);
 out:
    xln_nodemap_free(homes);
    xln_cpumap_free(cpus);
    return rc;
}

/* ---- the plan ---- */

/* Whether the chosen nodes have the CPUs that the domain should have. */
static bool cpus_suffice(const struct problem *problem,
                         const struct xln_plan *plan)
{
    for (unsigned i = 0; i < problem->nr_spots; i++) {
        if (!xln_nodemap_intersects(problem->spots[i], plan->nodes))
            return false;
    }
    return count_allowed(problem, plan->nodes) >= problem->need_cpus;
}

static bool uses_dma(const struct problem *problem, const struct xln_plan *plan)
{
    /* The user expects it on nodes that the configuration names. */
    for (unsigned i = plan->named ? plan->nr_own : 0; i < plan->nr_shares;
         i++) {
        if (plan->shares[i].bytes >
            xln__problem_usable(problem, plan->shares[i].node, false))
            return true;
    }
    return false;
}

static void judge(const struct problem *problem, struct xln_plan *plan)
{
    if (uses_dma(problem, plan))
        plan->relaxed |= XLN_RELAXED_DMA;
    if (!plan->named && !cpus_suffice(problem, plan))
        plan->relaxed |= XLN_RELAXED_CPUS;
    if (plan->nr_shares > plan->nr_own)
        plan->relaxed |= XLN_RELAXED_MEMORY;
    if (plan->verdict != XLN_NOTHING_FITS &&
        plan->relaxed & ~XLN_RELAXED_DMA)
        plan->verdict = XLN_FITS_RELAXED;
}

/* Whether only the user's affinities apply. With a core or a thread of its own a
 * vCPU has all that it can get, so soft affinity does not matter. */
static bool leaves_vcpus(const struct problem *problem)
{
    return problem->request->vcpus_mode == XLN_VCPUS_NONE ||
           (problem->need->nr_soft && !xln__problem_binds_each(problem));
}

static int new_plan(const struct problem *problem, struct xln_plan **plan_r)
{
    struct xln_plan *plan = calloc(1, sizeof(*plan));
    int rc;

    if (!plan)
        return -ENOMEM;
    plan->need_bytes = problem->need_bytes;
    plan->exact = true;
    rc = xln__problem_new_nodes(problem, &plan->vcpu_nodes);
    if (!rc)
        rc = xln_cpumap_new(xln_host_nr_cpus(problem->host), &plan->vcpu_cpus);
    if (!rc)
        rc = xln_cpumap_copy(problem->allowed, &plan->allowed_cpus);
    if (rc)
        xln_plan_free(plan);
    else
        *plan_r = plan;
    return rc;
}

/* What follows from its nodes. */
static int finish_plan(const struct problem *problem, bool brief,
                       struct xln_plan *plan)
{
    int rc = plan_memory(problem, brief, plan);

    if (rc)
        return rc;
    judge(problem, plan);
    return leaves_vcpus(problem) ? 0 : plan_vcpus(problem, plan);
}

int xln__problem_plan(const struct problem *problem,
                      const struct xln_nodemap *nodes,
                      struct xln_plan **plan_r)
{
    struct xln_plan *plan;
    int rc = new_plan(problem, &plan);

    if (rc)
        return rc;
    rc = xln_nodemap_copy(nodes, &plan->nodes);
    if (!rc)
        rc = finish_plan(problem, true, plan);
    if (rc)
        xln_plan_free(plan);
    else
        *plan_r = plan;
    return rc;
}

int xln_place(const struct xln_host *host, const struct xln_request *request,
              const struct xln_need *need, struct xln_plan **plan_r)
{
    struct xln_plan *plan = NULL;
    struct problem problem;
    int rc;

    rc = xln__problem_init(&problem, host, request, need);
    if (!rc)
        rc = new_plan(&problem, &plan);
    if (!rc)
        rc = problem.named ? choose_named(&problem, plan)
                           : choose_auto(&problem, plan);
    if (!rc)
        rc = finish_plan(&problem, false, plan);
    xln__problem_clear(&problem);
    if (rc)
        xln_plan_free(plan);
    else
        *plan_r = plan;
    return rc;
}

void xln_plan_free(struct xln_plan *plan)
{
    if (!plan)
        return;
    xln_nodemap_free(plan->nodes);
    free(plan->shares);
    free(plan->nearest);
    xln_nodemap_free(plan->vcpu_nodes);
    xln_cpumap_free(plan->vcpu_cpus);
    for (unsigned i = 0; i < plan->nr_vcpu_cores; i++)
        xln_cpumap_free(plan->vcpu_cores[i]);
    free(plan->vcpu_cores);
    xln_cpumap_free(plan->allowed_cpus);
    xln_nodemap_free(plan->chosen.nodes);
    xln_nodemap_free(plan->next.nodes);
    free(plan);
}
