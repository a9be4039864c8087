/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "stock_placement.h"

struct stock {
    const struct xln_need *need;
    unsigned nr, size;
    unsigned nodes[STOCK_MAX_NODES];    /* those that have CPUs */
    uint64_t free_bytes[STOCK_MAX_NODES], nr_vcpus[STOCK_MAX_NODES];
    unsigned nr_cpus[STOCK_MAX_NODES];

    /* The best set so far, a bit for each of the above. */
    unsigned best;
    uint64_t best_vcpus, best_bytes;
};

/* Add the `at`th of them, or not, and those after it. */
static void try_sets(struct stock *s, unsigned at, unsigned size, unsigned set,
                     uint64_t bytes, unsigned nr_cpus, uint64_t nr_vcpus)
{
    if (size == s->size) {
        if (bytes < s->need->memory_bytes + s->need->overhead_bytes ||
            nr_cpus < s->need->nr_vcpus)
            return;
        if (s->best && (nr_vcpus > s->best_vcpus ||
                        (nr_vcpus == s->best_vcpus && bytes <= s->best_bytes)))
            return;
        s->best = set;
        s->best_vcpus = nr_vcpus;
        s->best_bytes = bytes;
        return;
    }
    if (s->nr - at < s->size - size)
        return;
    try_sets(s, at + 1, size + 1, set | 1u << at, bytes + s->free_bytes[at],
             nr_cpus + s->nr_cpus[at], nr_vcpus + s->nr_vcpus[at]);
    try_sets(s, at + 1, size, set, bytes, nr_cpus, nr_vcpus);
}

static bool fill(struct stock *s, const struct xln_host *host,
                 const uint64_t *free_bytes, const uint64_t *nr_vcpus)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        unsigned nr = xln_cpumap_count(xln_host_node(host, node)->cpus);

        if (!nr)
            continue;
        if (s->nr == STOCK_MAX_NODES)
            return false;
        s->nodes[s->nr] = node;
        s->nr_cpus[s->nr] = nr;
        s->free_bytes[s->nr] = free_bytes[node];
        s->nr_vcpus[s->nr++] = nr_vcpus[node];
    }
    return true;
}

/* Where all nodes have as many CPUs, as many nodes as the vCPUs need. */
static unsigned least_size(const struct stock *s)
{
    for (unsigned i = 1; i < s->nr; i++) {
        if (s->nr_cpus[i] != s->nr_cpus[0])
            return 1;
    }
    return s->nr ? (s->need->nr_vcpus + s->nr_cpus[0] - 1) / s->nr_cpus[0] : 1;
}

void stock_choose(const struct xln_host *host, const uint64_t *free_bytes,
                  const uint64_t *nr_vcpus, const struct xln_need *need,
                  struct xln_nodemap *nodes)
{
    struct stock s = { .need = need };

    if (!fill(&s, host, free_bytes, nr_vcpus))
        return;
    for (s.size = least_size(&s); s.size <= s.nr && !s.best; s.size++)
        try_sets(&s, 0, 0, 0, 0, 0, 0);
    for (unsigned i = 0; i < s.nr; i++) {
        if (s.best & 1u << i)
            xln_nodemap_set(nodes, s.nodes[i]);
    }
}

static int count_vcpu(const struct xln_host *host,
                      const struct xln_domain *domain,
                      const struct xln_vcpu *vcpu, uint64_t *nr_vcpus)
{
    const struct xln_host_pool *pool = xln_host_pool(host, domain->pool_id);
    struct xln_nodemap *nodes = NULL;
    struct xln_cpumap *cpus;
    unsigned node;
    int rc;

    rc = xln_cpumap_copy(vcpu->hard, &cpus);
    if (rc)
        return rc;
    if (pool)
        xln_cpumap_and(cpus, pool->cpus);
    rc = xln_host_nodes_of_cpus(host, cpus, &nodes);
    xln_cpumap_free(cpus);
    if (rc)
        return rc;
    xln_nodemap_and(nodes, domain->nodes);
    XLN_FOREACH(xln_nodemap, node, nodes)
        nr_vcpus[node]++;
    xln_nodemap_free(nodes);
    return 0;
}

int stock_count(const struct xln_host *host, const struct xln_domains *domains,
                uint64_t *nr_vcpus)
{
    int rc = 0;

    for (unsigned i = 0; domains && i < domains->nr; i++) {
        const struct xln_domain *d = &domains->list[i];

        for (unsigned v = 0; d->vcpus && v < d->nr_vcpus && !rc; v++) {
            if (d->vcpus[v].exists)
                rc = count_vcpu(host, d, &d->vcpus[v], nr_vcpus);
        }
    }
    return rc;
}
