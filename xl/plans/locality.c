/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "locality.h"

static uint64_t sum(const uint64_t *counts, unsigned nr)
{
    uint64_t total = 0;
    unsigned i;

    for (i = 0; i < nr; i++)
        total += counts[i];
    return total;
}

/* The distances from each of the nodes to this one, added up. */
static unsigned distance_sum(const struct xln_host *host,
                             const struct xln_nodemap *from, unsigned to)
{
    unsigned node, distance, all = 0;

    XLN_FOREACH(xln_nodemap, node, from) {
        distance = xln_host_distance(host, node, to);
        if (distance == XLN_NONE)
            return XLN_NONE;
        all += distance;
    }
    return all;
}

/*
 * 100 pages on node 0 and 300 on node 1, vCPUs on nodes 1 and 2, distances 10,
 * 20 to a neighbour and 30 beyond: (100 * (20 + 30) + 300 * (10 + 20)) /
 * (400 * 2) = 17.5
 */
static bool mean_distance(const struct xln_host *host, const uint64_t *pages,
                          const struct xln_nodemap *vcpu_nodes,
                          struct locality *l)
{
    uint64_t weighted = 0;
    unsigned node, distance;

    for (node = 0; node < xln_host_nr_nodes(host); node++) {
        if (!pages[node])
            continue;
        distance = distance_sum(host, vcpu_nodes, node);
        if (distance == XLN_NONE)
            return false;
        weighted += pages[node] * distance;
    }
    l->distance_thousandths = weighted * 1000 /
        (l->total_pages * xln_nodemap_count(vcpu_nodes));
    return true;
}

/* Whether no memory is nearer to the CPUs of some node. */
static bool is_local(const struct xln_host *host,
                     const struct xln_nodemap *vcpu_nodes, unsigned node)
{
    unsigned from;

    XLN_FOREACH(xln_nodemap, from, vcpu_nodes) {
        if (from == node || xln_host_home(host, from) == node)
            return true;
    }
    return false;
}

void locality_of(const struct xln_host *host, const uint64_t *pages,
                 const struct xln_nodemap *vcpu_nodes,
                 struct locality *locality_r)
{
    struct locality l = { 0 };
    uint64_t local = 0;
    unsigned node;

    l.total_pages = sum(pages, xln_host_nr_nodes(host));
    l.known = l.total_pages && !xln_nodemap_is_empty(vcpu_nodes);
    if (l.known) {
        for (node = 0; node < xln_host_nr_nodes(host); node++)
            local += is_local(host, vcpu_nodes, node) ? pages[node] : 0;
        l.local_permille = local * 1000 / l.total_pages;
        l.apart = local < l.total_pages - local;
        l.has_distance = mean_distance(host, pages, vcpu_nodes, &l);
    }
    *locality_r = l;
}

unsigned locality_on_node(unsigned nr_nodes, const uint64_t *pages,
                          const uint64_t *seen)
{
    uint64_t memory = sum(pages, nr_nodes), all = sum(seen, nr_nodes), on = 0;
    unsigned node;

    if (!memory || !all)
        return XLN_NONE;
    for (node = 0; node < nr_nodes; node++)
        if (pages[node] >= memory / 100 + !!(memory % 100))
            on += seen[node];
    return on * 1000 / all;
}
