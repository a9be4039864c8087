/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host from the running hypervisor. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text/from_errno.h"
#include "host.h"
#include "text/units.h"

static void numainfo_fill(struct xln_numainfo *info, unsigned *rows,
                          const xc_meminfo_t *meminfo,
                          const uint32_t *distances, unsigned nr)
{
    unsigned i, j;

    for (i = 0; i < nr; i++) {
        info[i].distances = rows + i * nr;
        for (j = 0; j < nr; j++) {
            uint32_t d = distances[i * nr + j];

            info[i].distances[j] = d == XEN_INVALID_NODE_DIST ? XLN_NONE : d;
        }
        if (meminfo[i].memsize == XEN_INVALID_MEM_SZ)
            continue;
        info[i].online = true;
        info[i].size_bytes = meminfo[i].memsize;
        info[i].free_bytes = meminfo[i].memfree;
    }
}

int xln_get_numainfo(xc_interface *xch, struct xln_numainfo **info_r,
                     unsigned *nr_r)
{
    xc_physinfo_t physinfo;
    xc_meminfo_t *meminfo = NULL;
    uint32_t *distances = NULL;
    struct xln_numainfo *info;
    unsigned nr;
    int rc;

    if (xc_physinfo(xch, &physinfo))
        return xln__from_errno();
    nr = physinfo.max_node_id + 1;
    if (nr == 0 || nr > XLN_MAX_NODES)
        return -EPROTO;

    meminfo = calloc(nr, sizeof(*meminfo));
    distances = calloc((size_t)nr * nr, sizeof(*distances));
    if (!meminfo || !distances) {
        rc = -ENOMEM;
        goto out;
    }
    /* On return it is the number of the last online node, plus one. This is
     * also the length of a row of distances. */
    if (xc_numainfo(xch, &nr, meminfo, distances)) {
        rc = xln__from_errno();
        goto out;
    }

    /* One block has the records, and then their rows. */
    info = calloc(1, nr * sizeof(*info) + (size_t)nr * nr * sizeof(unsigned));
    if (!info) {
        rc = -ENOMEM;
        goto out;
    }
    numainfo_fill(info, (unsigned *)(info + nr), meminfo, distances, nr);
    *info_r = info;
    *nr_r = nr;
    rc = 0;

 out:
    free(meminfo);
    free(distances);
    return rc;
}

void xln_numainfo_free(struct xln_numainfo *info)
{
    free(info);
}

/* The text after the last `option` on Xen's command line; NULL: it is not
 * there. */
static const char *find_option(xc_interface *xch, const char *option,
                               xen_commandline_t line)
{
    const char *s, *value = NULL;

    if (xc_version(xch, XENVER_commandline, line) < 0)
        return NULL;
    line[sizeof(xen_commandline_t) - 1] = '\0';
    for (s = strstr(line, option); s; s = strstr(s + 1, option))
        if (s == line || s[-1] == ' ')
            value = s + strlen(option);
    return value;
}

/* The value of dma_bits= on Xen's command line; 0: none. Xen reads numbers
 * with a prefix, too. */
static unsigned dma_bits_option(xc_interface *xch)
{
    xen_commandline_t line = "";
    const char *value = find_option(xch, "dma_bits=", line);

    return value ? strtoul(value, NULL, 0) : 0;
}

/*
 * Xen keeps part of the first node for last: its DMA zone, as wide as
 * arch_get_dma_bitsize() says (xen/arch/x86/numa.c): a quarter of what the
 * node spans, rounded up to a power of two, at most 4 GiB. With a single node
 * there is none. The node's start is not available; the first node starts
 * at 0 on every PC.
 */
static unsigned dma_bits(xc_interface *xch, const struct xln_host *host,
                         unsigned first)
{
    unsigned bits = dma_bits_option(xch);
    uint64_t last;

    if (bits)
        return bits;
    last = (host->nodes[first].total_bytes >> PAGE_SHIFT) / 4;
    for (bits = PAGE_SHIFT; last > 1; last = (last + 1) / 2)
        bits++;
    return bits < 32 ? bits : 32;
}

static int read_dma(xc_interface *xch, struct xln_host *host)
{
    unsigned node, first = XLN_NONE, bits;
    uint64_t all, bytes, found = 0;

    XLN_FOREACH(xln_nodemap, node, host->exists)
        if (host->nodes[node].total_bytes && first == XLN_NONE)
            first = node;
    if (first == XLN_NONE || xln_nodemap_count(host->exists) < 2)
        return 0;

    bits = dma_bits(xch, host, first);
    if (xc_availheap(xch, 0, bits, -1, &all))
        return xln__from_errno();
    /* Ask for the first node first: almost always it has the whole zone. */
    for (node = first; found < all && node < host->nr_nodes; node++) {
        if (!xln_nodemap_test(host->exists, node))
            continue;
        if (xc_availheap(xch, 0, bits, node, &bytes))
            return xln__from_errno();
        found += bytes;
        /* The zone may have grown since the node's free memory was read. */
        if (bytes > host->nodes[node].free_bytes)
            bytes = host->nodes[node].free_bytes;
        host->nodes[node].dma_bytes = bytes;
    }
    return 0;
}

static void fill_nodes(struct xln_host *host, const struct xln_numainfo *info,
                       const uint64_t *reserved_bytes)
{
    unsigned i, j;

    for (i = 0; i < host->nr_nodes; i++) {
        struct xln_host_node *node = &host->nodes[i];

        if (!info[i].online)
            continue;
        xln_nodemap_set(host->exists, i);
        node->total_bytes = info[i].size_bytes;
        node->free_bytes = info[i].free_bytes;
        node->reserved_bytes = reserved_bytes ? reserved_bytes[i] : 0;
        for (j = 0; j < host->nr_nodes; j++)
            if (info[j].online)
                host->distances[i * host->nr_nodes + j] =
                    info[i].distances[j];
    }
}

static void fill_cpus(struct xln_host *host, const xc_cputopo_t *topo,
                      const struct xln_cpumap *online)
{
    unsigned i;

    for (i = 0; i < host->nr_cpus; i++) {
        if (topo[i].core == XEN_INVALID_CORE_ID)
            continue;
        host->cpu_exists[i] = true;
        host->cpus[i].online = xln_cpumap_test(online, i);
        host->cpus[i].core = topo[i].core;
        host->cpus[i].socket = topo[i].socket;
        host->cpus[i].node =
            topo[i].node == XEN_INVALID_NODE_ID ? XLN_NONE : topo[i].node;
    }
}

static void add_cpus(struct xln_cpumap *cpus, xc_cpumap_t map, unsigned nr_cpus)
{
    unsigned cpu;

    for (cpu = 0; cpu < nr_cpus; cpu++)
        if (map[cpu / 8] & (1u << cpu % 8))
            xln_cpumap_set(cpus, cpu);
}

static int add_pool(struct xln_host *host, const xc_cpupoolinfo_t *info)
{
    struct xln_host_pool *pools =
        realloc(host->pools, (host->nr_pools + 1) * sizeof(*pools));
    struct xln_cpumap *cpus;
    int rc;

    if (!pools)
        return -ENOMEM;
    host->pools = pools;
    rc = xln_cpumap_new(host->nr_cpus, &cpus);
    if (rc)
        return rc;
    add_cpus(cpus, info->cpumap, host->nr_cpus);
    pools[host->nr_pools] = (struct xln_host_pool){
        .id = info->cpupool_id, .cpus = cpus,
    };
    host->nr_pools++;
    return 0;
}

/* sched-gran= on Xen's command line applies to all cpupools. */
static enum xln_sched_gran sched_gran_option(xc_interface *xch)
{
    xen_commandline_t line = "";
    const char *value = find_option(xch, "sched-gran=", line);
    size_t len = value ? strcspn(value, " ") : 0;

    return len == 4 && !memcmp(value, "core", len)     ? XLN_SCHED_CORE
           : len == 6 && !memcmp(value, "socket", len) ? XLN_SCHED_SOCKET
                                                       : XLN_SCHED_CPU;
}

/* All cpupools; and in `online` their CPUs and those in no cpupool. */
static int read_pools(xc_interface *xch, struct xln_host *host,
                      struct xln_cpumap *online)
{
    xc_cpupoolinfo_t *info;
    xc_cpumap_t unassigned;
    unsigned next = 0;
    int rc;

    /* Xen answers with the first cpupool whose number is `next` or above. */
    while ((info = xc_cpupool_getinfo(xch, next))) {
        rc = add_pool(host, info);
        next = info->cpupool_id + 1;
        xc_cpupool_infofree(xch, info);
        if (rc)
            return rc;
        xln_cpumap_or(online, host->pools[host->nr_pools - 1].cpus);
    }
    /* Xen returns an error after the last cpupool, too. Any other error is a
     * failure. */
    if (errno != ENOENT || !host->nr_pools)
        return xln__from_errno();

    unassigned = xc_cpupool_freeinfo(xch);
    if (!unassigned)
        return xln__from_errno();
    add_cpus(online, unassigned, host->nr_cpus);
    free(unassigned);
    return 0;
}

static int read_topology(xc_interface *xch, xc_cputopo_t **topo_r,
                         unsigned *nr_cpus_r)
{
    int max = xc_get_max_cpus(xch);
    unsigned nr_cpus = max;
    xc_cputopo_t *topo;

    if (max < 0)
        return xln__from_errno();
    if (max == 0 || nr_cpus > XLN_MAX_CPUS)
        return -EPROTO;
    topo = calloc(nr_cpus, sizeof(*topo));
    if (!topo)
        return -ENOMEM;
    if (xc_cputopoinfo(xch, &nr_cpus, topo)) {
        int rc = xln__from_errno();

        free(topo);
        return rc;
    }
    *topo_r = topo;
    *nr_cpus_r = nr_cpus;
    return 0;
}

int xln_host_read(xc_interface *xch, const uint64_t *reserved_bytes,
                  struct xln_host **host_r)
{
    struct xln_numainfo *info = NULL;
    struct xln_host *host = NULL;
    struct xln_cpumap *online = NULL;
    xc_cputopo_t *topo = NULL;
    unsigned nr_nodes, nr_cpus;
    int rc;

    rc = read_topology(xch, &topo, &nr_cpus);
    if (rc)
        goto out;
    rc = xln_get_numainfo(xch, &info, &nr_nodes);
    if (rc)
        goto out;
    rc = xln_cpumap_new(nr_cpus, &online);
    if (rc)
        goto out;
    rc = xln__host_new(nr_cpus, nr_nodes, 0, &host);
    if (rc)
        goto out;
    rc = read_pools(xch, host, online);
    if (rc)
        goto out;
    fill_nodes(host, info, reserved_bytes);
    fill_cpus(host, topo, online);
    for (unsigned i = 0; i < host->nr_pools; i++)
        host->pools[i].sched_gran = sched_gran_option(xch);
    rc = read_dma(xch, host);
    if (rc)
        goto out;
    rc = xln__host_finish(host);
    if (rc)
        goto out;
    *host_r = host;
    host = NULL;

 out:
    free(topo);
    xln_numainfo_free(info);
    xln_cpumap_free(online);
    xln_host_free(host);
    return rc;
}
