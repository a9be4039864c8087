/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CPUs on nodes without memory belong to the node whose memory is nearest to
 * them, their home. Of the two directions the larger distance counts, as
 * between any two nodes.
 *
 * Of equally near nodes it is one that has CPUs of its own, then the one with
 * the fewest CPUs so far, then the lowest. Nodes with only one nearest come
 * first.
 *
 * Example: memory on nodes 0 and 2, 16 CPUs on each of nodes 0 to 3, all
 * distances 16. Node 1 belongs to node 0. Then that has 32 CPUs, and node 3
 * belongs to node 2.
 */
#include <errno.h>
#include <stdlib.h>

#include "host.h"

static bool has_memory(const struct xln_host *host, unsigned node)
{
    return host->nodes[node].total_bytes > 0;
}

/* The larger of the two directions. */
static unsigned distance_of(const struct xln_host *host, unsigned a, unsigned b)
{
    unsigned there = host->distances[(size_t)a * host->nr_nodes + b];
    unsigned back = host->distances[(size_t)b * host->nr_nodes + a];

    return there > back ? there : back;
}

/* The distance to the nearest memory, and how many nodes are as near. */
static unsigned find_nearest(const struct xln_host *host, unsigned from,
                             unsigned *nr_r)
{
    unsigned node, least = XLN_NONE;

    *nr_r = 0;
    XLN_FOREACH(xln_nodemap, node, host->exists) {
        unsigned distance = distance_of(host, from, node);

        if (!has_memory(host, node) || distance > least)
            continue;
        *nr_r = distance < least ? 1 : *nr_r + 1;
        least = distance;
    }
    return least;
}

/* The node at this distance that the CPUs of `from` belong to. */
static unsigned choose_home(const struct xln_host *host, unsigned from,
                            unsigned distance, const unsigned *nr_cpus)
{
    unsigned node, best = from;

    XLN_FOREACH(xln_nodemap, node, host->exists) {
        bool own = !xln_cpumap_is_empty(host->nodes[node].cpus), best_own;

        if (!has_memory(host, node) ||
            distance_of(host, from, node) != distance)
            continue;
        best_own = !xln_cpumap_is_empty(host->nodes[best].cpus);
        if (best == from || (own && !best_own) ||
            (own == best_own && nr_cpus[node] < nr_cpus[best]))
            best = node;
    }
    return best;
}

static void find_homes(struct xln_host *host, unsigned *nr_cpus)
{
    unsigned node, nr;

    XLN_FOREACH(xln_nodemap, node, host->exists) {
        host->homes[node] = node;
        nr_cpus[node] = xln_cpumap_count(host->nodes[node].cpus);
    }
    for (unsigned several = 0; several < 2; several++) {
        XLN_FOREACH(xln_nodemap, node, host->exists) {
            unsigned distance;

            if (has_memory(host, node) || !nr_cpus[node])
                continue;
            distance = find_nearest(host, node, &nr);
            if (!nr || (nr > 1) != several)
                continue;
            host->homes[node] = choose_home(host, node, distance, nr_cpus);
            nr_cpus[host->homes[node]] += nr_cpus[node];
        }
    }
}

static int join_cpus(struct xln_host *host)
{
    struct xln_cpumap *cpus;
    unsigned node, home;
    int rc;

    XLN_FOREACH(xln_nodemap, node, host->exists) {
        home = host->homes[node];
        if (home == node)
            continue;
        if (!host->near_cpus[home]) {
            rc = xln_cpumap_copy(host->nodes[home].cpus, &cpus);
            if (rc)
                return rc;
            host->near_cpus[home] = cpus;
        }
        xln_cpumap_or(host->near_cpus[home], host->nodes[node].cpus);
    }
    return 0;
}

int xln__host_find_homes(struct xln_host *host)
{
    unsigned *nr_cpus = calloc(host->nr_nodes, sizeof(*nr_cpus));
    int rc = -ENOMEM;

    host->homes = calloc(host->nr_nodes, sizeof(*host->homes));
    host->near_cpus = calloc(host->nr_nodes, sizeof(struct xln_cpumap *));
    if (nr_cpus && host->homes && host->near_cpus) {
        find_homes(host, nr_cpus);
        rc = join_cpus(host);
    }
    free(nr_cpus);
    return rc;
}

unsigned xln_host_home(const struct xln_host *host, unsigned node)
{
    return xln_nodemap_test(host->exists, node) ? host->homes[node] : XLN_NONE;
}

const struct xln_cpumap *xln_host_near_cpus(const struct xln_host *host,
                                            unsigned node)
{
    if (!xln_nodemap_test(host->exists, node))
        return NULL;
    return host->near_cpus[node] ? host->near_cpus[node]
                                 : host->nodes[node].cpus;
}

int xln_host_near_cpus_of_nodes(const struct xln_host *host,
                                const struct xln_nodemap *nodes,
                                struct xln_cpumap **cpus_r)
{
    struct xln_cpumap *cpus;
    unsigned node;
    int rc;

    rc = xln_cpumap_new(host->nr_cpus, &cpus);
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, host->exists) {
        if (xln_nodemap_test(nodes, node))
            xln_cpumap_or(cpus, xln_host_near_cpus(host, node));
    }
    *cpus_r = cpus;
    return 0;
}

int xln_host_homes_of_cpus(const struct xln_host *host,
                           const struct xln_cpumap *cpus,
                           struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *nodes;
    unsigned node;
    int rc;

    rc = xln_nodemap_new(host->nr_nodes, &nodes);
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, host->exists) {
        if (xln_cpumap_intersects(host->nodes[node].cpus, cpus))
            xln_nodemap_set(nodes, host->homes[node]);
    }
    *nodes_r = nodes;
    return 0;
}
