/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

/* ---- making one ---- */

static int alloc_tables(struct xln_host *host)
{
    size_t nr_distances = (size_t)host->nr_nodes * host->nr_nodes;
    int rc;

    host->nr_owners = calloc(1, sizeof(*host->nr_owners));
    if (!host->nr_owners)
        return -ENOMEM;
    *host->nr_owners = 1;
    host->cpus = calloc(host->nr_cpus, sizeof(*host->cpus));
    host->cpu_exists = calloc(host->nr_cpus, sizeof(*host->cpu_exists));
    host->nodes = calloc(host->nr_nodes, sizeof(*host->nodes));
    host->distances = calloc(nr_distances, sizeof(*host->distances));
    if (!host->cpus || !host->cpu_exists || !host->nodes || !host->distances)
        return -ENOMEM;
    if (host->nr_pools) {
        host->pools = calloc(host->nr_pools, sizeof(*host->pools));
        if (!host->pools)
            return -ENOMEM;
    }
    rc = xln_nodemap_new(host->nr_nodes, &host->exists);
    if (rc)
        return rc;

    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++)
        host->cpus[cpu].node = XLN_NONE;
    for (size_t i = 0; i < nr_distances; i++)
        host->distances[i] = XLN_NONE;
    return 0;
}

int xln__host_new(unsigned nr_cpus, unsigned nr_nodes, unsigned nr_pools,
                  struct xln_host **host_r)
{
    struct xln_host *host;
    int rc;

    if (!nr_cpus || nr_cpus > XLN_MAX_CPUS)
        return -ERANGE;
    if (!nr_nodes || nr_nodes > XLN_MAX_NODES)
        return -ERANGE;

    host = calloc(1, sizeof(*host));
    if (!host)
        return -ENOMEM;
    host->nr_cpus = nr_cpus;
    host->nr_nodes = nr_nodes;
    host->nr_pools = nr_pools;
    rc = alloc_tables(host);
    if (rc)
        goto out;

    *host_r = host;
    host = NULL;
    rc = 0;
 out:
    xln_host_free(host);
    return rc;
}

static int check_node(const struct xln_host_node *node)
{
    if (node->total_bytes > XLN__MAX_NODE_BYTES)
        return -EINVAL;
    if (node->free_bytes > node->total_bytes)
        return -EINVAL;
    return node->dma_bytes > node->free_bytes ? -EINVAL : 0;
}

/* An empty CPU set for every node. */
static int alloc_node_cpus(struct xln_host *host, struct xln_cpumap **cpus)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, host->exists) {
        int rc;

        rc = check_node(&host->nodes[node]);
        if (rc)
            return rc;
        rc = xln_cpumap_new(host->nr_cpus, &cpus[node]);
        if (rc)
            return rc;
        host->nodes[node].cpus = cpus[node];
    }
    return 0;
}

int xln__host_finish(struct xln_host *host)
{
    struct xln_cpumap **cpus;
    int rc;

    cpus = calloc(host->nr_nodes, sizeof(struct xln_cpumap *));
    if (!cpus)
        return -ENOMEM;
    host->node_cpus.nr_nodes = host->nr_nodes;
    host->node_cpus.cpus = (const struct xln_cpumap *const *)cpus;
    rc = alloc_node_cpus(host, cpus);
    if (rc)
        return rc;

    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++) {
        unsigned node = host->cpus[cpu].node;

        if (!host->cpu_exists[cpu] || node == XLN_NONE)
            continue;
        if (!xln_nodemap_test(host->exists, node))
            return -EINVAL;
        if (host->cpus[cpu].online)
            xln_cpumap_set(cpus[node], cpu);
    }
    rc = xln__host_find_homes(host);
    return rc ? rc : xln__host_find_units(host);
}

static void free_pool(struct xln_host_pool *pool)
{
    xln_cpumap_free((struct xln_cpumap *)pool->cpus);
    free((char *)pool->name);
}

/* Other threads may have copies. */
static bool is_last_owner(const struct xln_host *host)
{
    return !host->nr_owners ||
           !__atomic_sub_fetch(host->nr_owners, 1, __ATOMIC_ACQ_REL);
}

static void free_shared(struct xln_host *host)
{
    for (unsigned i = 0; host->node_cpus.cpus && i < host->nr_nodes; i++)
        xln_cpumap_free((struct xln_cpumap *)host->node_cpus.cpus[i]);
    for (unsigned i = 0; host->pools && i < host->nr_pools; i++)
        free_pool(&host->pools[i]);
    for (unsigned i = 0; host->near_cpus && i < host->nr_nodes; i++)
        xln_cpumap_free(host->near_cpus[i]);
    free(host->near_cpus);
    free(host->homes);
    free(host->units);
    free((void *)host->node_cpus.cpus);
    free(host->pools);
    free(host->cpu_exists);
    free(host->distances);
    free(host->nr_owners);
    xln_nodemap_free(host->exists);
}

void xln_host_free(struct xln_host *host)
{
    if (!host)
        return;
    if (is_last_owner(host))
        free_shared(host);
    free(host->cpus);
    free(host->nodes);
    free(host->guests);
    free(host);
}

/* ---- copying one ---- */

static void *copy_array(const void *from, size_t nr, size_t size)
{
    void *copy = calloc(nr, size);

    return copy ? memcpy(copy, from, nr * size) : NULL;
}

/* Enough for `nr` guests, of which the host's are the first. */
static uint64_t *copy_guests(const struct xln_host *host, unsigned nr)
{
    uint64_t *copy = calloc((size_t)nr + 1, sizeof(*copy));

    for (unsigned i = 0; copy && i < host->nr_guests; i++)
        copy[i] = host->guests[i];
    return copy;
}

int xln_host_copy(const struct xln_host *host, struct xln_host **copy_r)
{
    struct xln_host *copy = copy_array(host, 1, sizeof(*host));

    if (!copy)
        return -ENOMEM;
    copy->cpus = copy_array(host->cpus, host->nr_cpus, sizeof(*host->cpus));
    copy->nodes = copy_array(host->nodes, host->nr_nodes, sizeof(*host->nodes));
    copy->guests = host->guests ? copy_guests(host, host->nr_guests) : NULL;
    if (!copy->cpus || !copy->nodes || (host->guests && !copy->guests)) {
        free(copy->cpus);
        free(copy->nodes);
        free(copy->guests);
        free(copy);
        return -ENOMEM;
    }
    __atomic_add_fetch(copy->nr_owners, 1, __ATOMIC_RELAXED);
    *copy_r = copy;
    return 0;
}

static void reserve(struct xln_host_node *node, uint64_t bytes)
{
    node->reserved_bytes += bytes;
}

static void release(struct xln_host_node *node, uint64_t bytes)
{
    uint64_t used_bytes = node->total_bytes - node->free_bytes;

    node->free_bytes += bytes < used_bytes ? bytes : used_bytes;
}

/* A copy whose nodes got `change` for each share. */
static int copy_changed(const struct xln_host *host,
                        const struct xln_share *shares, unsigned nr_shares,
                        void (*change)(struct xln_host_node *node,
                                       uint64_t bytes),
                        struct xln_host **host_r)
{
    struct xln_host *copy;
    int rc;

    for (unsigned i = 0; i < nr_shares; i++) {
        if (!xln_nodemap_test(host->exists, shares[i].node))
            return -EINVAL;
    }
    rc = xln_host_copy(host, &copy);
    if (rc)
        return rc;
    for (unsigned i = 0; i < nr_shares; i++)
        change(&copy->nodes[shares[i].node], shares[i].bytes);
    *host_r = copy;
    return 0;
}

int xln_host_reserve(const struct xln_host *host,
                     const struct xln_share *shares, unsigned nr_shares,
                     struct xln_host **host_r)
{
    return copy_changed(host, shares, nr_shares, reserve, host_r);
}

int xln_host_release(const struct xln_host *host,
                     const struct xln_share *shares, unsigned nr_shares,
                     struct xln_host **host_r)
{
    return copy_changed(host, shares, nr_shares, release, host_r);
}

int xln_host_add_load(const struct xln_host *host, const uint64_t *load,
                      struct xln_host **host_r)
{
    struct xln_host *copy;
    int rc;

    rc = xln_host_copy(host, &copy);
    if (rc)
        return rc;
    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++)
        copy->cpus[cpu].load += load[cpu];
    *host_r = copy;
    return 0;
}

int xln_host_add_guests(const struct xln_host *host, const uint64_t *bytes,
                        unsigned nr_guests, struct xln_host **host_r)
{
    struct xln_host *copy;
    uint64_t *guests;
    int rc;

    if (nr_guests > UINT_MAX - 1 - host->nr_guests)
        return -EINVAL;
    guests = copy_guests(host, host->nr_guests + nr_guests);
    rc = guests ? xln_host_copy(host, &copy) : -ENOMEM;
    if (rc) {
        free(guests);
        return rc;
    }
    for (unsigned i = 0; i < nr_guests; i++)
        guests[copy->nr_guests++] = bytes[i];
    free(copy->guests);
    copy->guests = guests;
    *host_r = copy;
    return 0;
}

bool xln_host_guests_known(const struct xln_host *host)
{
    return host->guests;
}

/* ---- reading one ---- */

unsigned xln_host_nr_cpus(const struct xln_host *host)
{
    return host->nr_cpus;
}

unsigned xln_host_nr_nodes(const struct xln_host *host)
{
    return host->nr_nodes;
}

unsigned xln_host_nr_pools(const struct xln_host *host)
{
    return host->nr_pools;
}

const struct xln_host_cpu *xln_host_cpu(const struct xln_host *host,
                                        unsigned cpu)
{
    if (cpu >= host->nr_cpus || !host->cpu_exists[cpu])
        return NULL;
    return &host->cpus[cpu];
}

const struct xln_host_node *xln_host_node(const struct xln_host *host,
                                          unsigned node)
{
    if (!xln_nodemap_test(host->exists, node))
        return NULL;
    return &host->nodes[node];
}

const struct xln_host_pool *xln_host_pool(const struct xln_host *host,
                                          unsigned pool)
{
    for (unsigned i = 0; i < host->nr_pools; i++) {
        if (host->pools[i].id == pool)
            return &host->pools[i];
    }
    return NULL;
}

const struct xln_host_pool *xln_host_pool_at(const struct xln_host *host,
                                             unsigned index)
{
    return index < host->nr_pools ? &host->pools[index] : NULL;
}

const struct xln_nodemap *xln_host_nodes(const struct xln_host *host)
{
    return host->exists;
}

const struct xln_node_cpus *xln_host_node_cpus(const struct xln_host *host)
{
    return &host->node_cpus;
}

unsigned xln_host_distance(const struct xln_host *host, unsigned from,
                           unsigned to)
{
    if (!xln_nodemap_test(host->exists, from) ||
        !xln_nodemap_test(host->exists, to))
        return XLN_NONE;
    return host->distances[(size_t)from * host->nr_nodes + to];
}

int xln_host_nodes_of_cpus(const struct xln_host *host,
                           const struct xln_cpumap *cpus,
                           struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *nodes;
    unsigned cpu;
    int rc;

    rc = xln_nodemap_new(host->nr_nodes, &nodes);
    if (rc)
        return rc;
    XLN_FOREACH(xln_cpumap, cpu, cpus) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        if (c && c->online && c->node != XLN_NONE)
            xln_nodemap_set(nodes, c->node);
    }
    *nodes_r = nodes;
    return 0;
}

int xln_host_cpus_of_nodes(const struct xln_host *host,
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
            xln_cpumap_or(cpus, host->nodes[node].cpus);
    }
    *cpus_r = cpus;
    return 0;
}

/* ---- memory ---- */

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

uint64_t xln_host_node_usable(const struct xln_host_node *node, bool with_dma,
                              uint64_t dma_reserve_bytes)
{
    uint64_t kept_bytes = node->dma_bytes;

    if (with_dma && kept_bytes > dma_reserve_bytes)
        kept_bytes = dma_reserve_bytes;
    return less(less(node->free_bytes, kept_bytes), node->reserved_bytes);
}
