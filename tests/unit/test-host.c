/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "host.h"
#include "tap.h"
#include "text/units.h"

static void add_node(struct xln_host *host, unsigned node, uint64_t mib)
{
    xln_nodemap_set(host->exists, node);
    host->nodes[node].total_bytes = mib * MIB;
    host->nodes[node].free_bytes = mib * MIB;
}

static void add_cpu(struct xln_host *host, unsigned cpu, unsigned node,
                    bool online)
{
    host->cpu_exists[cpu] = true;
    host->cpus[cpu].node = node;
    host->cpus[cpu].online = online;
}

/*
 * Nodes 0, 2 and 3 (no CPUs), CPUs 0-1 on node 0, 2 (offline) and 3 on node
 * 2, 5 on an unknown node; no CPU 4. Pool 7 has CPUs 0 and 3.
 */
static struct xln_host *sparse_host(void)
{
    struct xln_host *host;
    struct xln_cpumap *cpus;

    if (xln__host_new(6, 4, 1, &host) || xln_cpumap_new(6, &cpus))
        abort();
    add_node(host, 0, 1024);
    add_node(host, 2, 2048);
    add_node(host, 3, 4096);
    add_cpu(host, 0, 0, true);
    add_cpu(host, 1, 0, true);
    add_cpu(host, 2, 2, false);
    add_cpu(host, 3, 2, true);
    add_cpu(host, 5, XLN_NONE, true);
    xln_cpumap_set(cpus, 0);
    xln_cpumap_set(cpus, 3);
    host->pools[0].id = 7;
    host->pools[0].cpus = cpus;
    host->distances[0 * 4 + 2] = 21;
    host->distances[2 * 4 + 0] = 17;
    host->distances[0 * 4 + 1] = 99;
    return host;
}

static void test_bounds(void)
{
    struct xln_host *host = NULL;

    ok(xln__host_new(0, 1, 0, &host) == -ERANGE,
       "a host without a CPU is refused");
    ok(xln__host_new(1, 0, 0, &host) == -ERANGE,
       "a host without a node is refused");
    ok(xln__host_new(XLN_MAX_CPUS + 1, 1, 0, &host) == -ERANGE,
       "too many CPUs are refused");
    ok(xln__host_new(1, XLN_MAX_NODES + 1, 0, &host) == -ERANGE,
       "too many nodes are refused");
    ok(!host, "a failure returns no host");
    ok(xln__host_new(XLN_MAX_CPUS, XLN_MAX_NODES, 0, &host) == 0,
       "the largest host can be made");
    ok(xln__host_finish(host) == 0,
       "a host without memory, distances and cpupools is valid");
    ok(xln_host_distance(host, 0, 0) == XLN_NONE,
       "distances are unknown before they are set");
    xln_host_free(host);
    xln_host_free(NULL);
    ok(true, "freeing NULL does nothing");
}

static void is_cpus(const struct xln_cpumap *cpus, const char *expected,
                    const char *what)
{
    char *text = NULL;

    if (cpus && xln_cpumap_format(cpus, &text))
        abort();
    is_str(text, expected, what);
    free(text);
}

static void is_nodes(const struct xln_nodemap *nodes, const char *expected,
                     const char *what)
{
    char *text = NULL;

    if (nodes && xln_nodemap_format(nodes, &text))
        abort();
    is_str(text, expected, what);
    free(text);
}

static void test_lookups(const struct xln_host *host)
{
    const struct xln_node_cpus *node_cpus = xln_host_node_cpus(host);

    ok(xln_host_nr_cpus(host) == 6 && xln_host_nr_nodes(host) == 4,
       "the host has the numbers that were asked for");
    ok(xln_host_cpu(host, 3) && xln_host_cpu(host, 3)->node == 2,
       "a CPU is on its node");
    ok(!xln_host_cpu(host, 4) && !xln_host_cpu(host, 6),
       "a CPU that does not exist is NULL");
    ok(xln_host_node(host, 2) &&
       xln_host_node(host, 2)->total_bytes == 2048 * MIB,
       "a node has its memory");
    ok(!xln_host_node(host, 1) && !xln_host_node(host, 4) &&
       !xln_host_node(host, XLN_NONE), "a node that does not exist is NULL");
    ok(xln_host_pool(host, 7) && !xln_host_pool(host, 0),
       "cpupools are found by their number");
    is_cpus(xln_host_pool(host, 7)->cpus, "0,3", "a cpupool has its CPUs");
    is_nodes(xln_host_nodes(host), "0,2-3", "node numbers with gaps are kept");
    is_cpus(xln_host_node(host, 0)->cpus, "0-1", "a node has its CPUs");
    is_cpus(xln_host_node(host, 2)->cpus, "3", "an offline CPU does not count");
    is_cpus(xln_host_node(host, 3)->cpus, "", "a node may have no CPU");
    ok(node_cpus->nr_nodes == 4 && !node_cpus->cpus[1] &&
       node_cpus->cpus[2] == xln_host_node(host, 2)->cpus,
       "the parser's table has these sets, and NULL for numbers without a "
       "node");
}

static void test_distances(const struct xln_host *host)
{
    ok(xln_host_distance(host, 0, 2) == 21 &&
       xln_host_distance(host, 2, 0) == 17,
       "the two directions of a distance may differ");
    ok(xln_host_distance(host, 0, 3) == XLN_NONE,
       "an unknown distance is XLN_NONE");
    ok(xln_host_distance(host, 0, 1) == XLN_NONE &&
       xln_host_distance(host, 0, 4) == XLN_NONE &&
       xln_host_distance(host, XLN_NONE, 0) == XLN_NONE,
       "the distance to a node that does not exist is XLN_NONE");
}

static void test_conversions(const struct xln_host *host)
{
    struct xln_cpumap *cpus;
    struct xln_nodemap *nodes;

    if (xln_cpumap_new(100, &cpus))
        abort();
    xln_cpumap_set(cpus, 1);
    xln_cpumap_set(cpus, 2);
    xln_cpumap_set(cpus, 5);
    xln_cpumap_set(cpus, 99);
    if (xln_host_nodes_of_cpus(host, cpus, &nodes))
        abort();
    is_nodes(nodes, "0",
             "CPUs that are offline, absent or on no node have no node");
    xln_cpumap_free(cpus);

    xln_nodemap_fill(nodes);
    if (xln_host_cpus_of_nodes(host, nodes, &cpus))
        abort();
    is_cpus(cpus, "0-1,3",
            "all nodes together have all online CPUs that are on a node");
    ok(xln_cpumap_nr_bits(cpus) == 6 && xln_nodemap_nr_bits(nodes) == 4,
       "sets of a host have the host's width");
    xln_cpumap_free(cpus);
    xln_nodemap_free(nodes);
}

static int finish_with(uint64_t total, uint64_t free_bytes, uint64_t dma,
                       unsigned cpu_node)
{
    struct xln_host *host;
    int rc;

    if (xln__host_new(2, 3, 0, &host))
        abort();
    xln_nodemap_set(host->exists, 1);
    host->nodes[1].total_bytes = total;
    host->nodes[1].free_bytes = free_bytes;
    host->nodes[1].dma_bytes = dma;
    add_cpu(host, 0, 1, true);
    add_cpu(host, 1, cpu_node, true);
    rc = xln__host_finish(host);
    xln_host_free(host);
    return rc;
}

static void test_validation(void)
{
    const uint64_t most = UINT64_C(1) << 52;

    ok(finish_with(9, 9, 9, 1) == 0,
       "a host may be free and in the DMA zone as a whole");
    ok(finish_with(9, 10, 0, 1) == -EINVAL,
       "more free memory than memory is refused");
    ok(finish_with(9, 4, 5, 1) == -EINVAL,
       "more memory in the DMA zone than free memory is refused");
    ok(finish_with(9, 9, 0, 0) == -EINVAL,
       "a CPU on a node that does not exist is refused");
    ok(finish_with(9, 9, 0, 3) == -EINVAL,
       "a CPU on a node out of range is refused");
    ok(finish_with(9, 9, 0, XLN_NONE) == 0, "the node of a CPU may be unknown");
    ok(finish_with(most, most, 0, 1) == 0, "a node may have 4 PiB");
    ok(finish_with(most + 1, 0, 0, 1) == -EINVAL,
       "a node of more than 4 PiB is refused");
}

static void test_usable(void)
{
    static const struct {
        uint64_t free_bytes, dma, reserved, dma_reserve;
        uint64_t without, with;
        const char *what;
    } cases[] = {
        { 100, 0, 0, 64, 100, 100, "what is free is usable" },
        { 100, 80, 0, 64, 20, 36, "of the DMA zone a part stays out" },
        { 100, 50, 0, 64, 50, 50, "a DMA zone below that part stays out" },
        { 100, 80, 0, 0, 20, 100, "without such a part all can be used" },
        { 100, 0, 30, 64, 70, 70, "what is reserved is not usable" },
        { 100, 80, 30, 64, 0, 6, "both go off" },
        { 100, 80, 90, 64, 0, 0, "usable is never below nothing" },
        { UINT64_MAX, 0, UINT64_MAX, 0, 0, 0, "numbers do not wrap" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xln_host_node node = {
            .free_bytes = cases[i].free_bytes,
            .dma_bytes = cases[i].dma,
            .reserved_bytes = cases[i].reserved,
        };
        uint64_t reserve = cases[i].dma_reserve;

        ok(xln_host_node_usable(&node, false, reserve) == cases[i].without &&
           xln_host_node_usable(&node, true, reserve) == cases[i].with,
           "%s", cases[i].what);
    }
}

static void test_pools(const struct xln_host *host)
{
    const struct xln_host_pool *pool = xln_host_pool_at(host, 0);

    ok(xln_host_nr_pools(host) == 1 && pool && pool->id == 7 &&
           pool == xln_host_pool(host, 7),
       "the cpupools of a host can be walked");
    ok(!xln_host_pool_at(host, 1), "no cpupool follows the last one");
}

/* A host whose node 2 has half of its memory in use. */
static void test_release(const struct xln_host *host)
{
    const struct xln_share used[] = { { 0, 512 * MIB }, { 2, 1024 * MIB } };
    const struct xln_share more = { 0, UINT64_MAX }, none = { 1, 1 };
    struct xln_host *busy, *after, *wrong = NULL;

    if (xln_host_copy(host, &busy))
        abort();
    ok(xln_host_nr_cpus(busy) == 6 && xln_host_nr_nodes(busy) == 4 &&
           xln_host_distance(busy, 2, 0) == 17 && xln_host_pool(busy, 7) &&
           xln_cpumap_equal(xln_host_node(busy, 0)->cpus,
                            xln_host_node(host, 0)->cpus),
       "a copy has what the host has");
    busy->nodes[0].free_bytes = 0;
    busy->nodes[2].free_bytes = 1024 * MIB;

    if (xln_host_release(busy, used, 2, &after))
        abort();
    ok(xln_host_node(after, 0)->free_bytes == 512 * MIB &&
           xln_host_node(after, 2)->free_bytes == 2048 * MIB,
       "on a copy the memory of a domain can be counted as free");
    ok(xln_host_node(busy, 0)->free_bytes == 0 &&
           xln_host_node(busy, 2)->free_bytes == 1024 * MIB,
       "the host itself does not change");
    xln_host_free(after);

    if (xln_host_release(busy, &more, 1, &after))
        abort();
    ok(xln_host_node(after, 0)->free_bytes == 1024 * MIB,
       "a node never has more free memory than memory");
    ok(xln_host_release(busy, &none, 1, &wrong) == -EINVAL && !wrong,
       "memory of a node that the host does not have is -EINVAL");
    xln_host_free(after);
    xln_host_free(busy);
}

/* Memory on nodes 1 and 3; node 2 is nearer to node 3, node 0 to node 1; node
 * 4 is as near to one as to the other. */
static struct xln_host *bare_host(void)
{
    static const unsigned slit[5][5] = {
        { 10, 16, 20, 30, 30 }, { 16, 10, 20, 30, 21 },
        { 20, 20, 10, 12, 20 }, { 30, 30, 17, 10, 21 },
        { 30, 21, 20, 21, 10 },
    };
    struct xln_host *host;

    if (xln__host_new(10, 5, 0, &host))
        abort();
    for (unsigned node = 0; node < 5; node++) {
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = node % 2 ? 1024 * MIB : 0;
        for (unsigned to = 0; to < 5; to++)
            host->distances[node * 5 + to] = slit[node][to];
        for (unsigned cpu = 2 * node; cpu < 2 * node + 2; cpu++) {
            host->cpu_exists[cpu] = host->cpus[cpu].online = true;
            host->cpus[cpu].node = node;
        }
    }
    if (xln__host_finish(host))
        abort();
    return host;
}

static void test_homes(void)
{
    struct xln_host *host = bare_host(), *copy;
    struct xln_nodemap *nodes;
    struct xln_cpumap *cpus;

    ok(xln_host_home(host, 0) == 1 && xln_host_home(host, 2) == 3,
       "CPUs of a node without memory belong to the nearest node with memory");
    ok(xln_host_home(host, 4) == 1,
       "CPUs as near to two nodes belong to the lower one");
    ok(xln_host_home(host, 1) == 1, "a node with memory is its own home");
    ok(xln_host_home(host, 5) == XLN_NONE,
       "a node that does not exist has no home");
    is_cpus(xln_host_near_cpus(host, 1), "0-3,8-9",
            "node 1 has the CPUs near it");
    is_cpus(xln_host_near_cpus(host, 3), "4-7", "node 3 has the CPUs near it");
    is_cpus(xln_host_near_cpus(host, 2), "4-5", "node 2 keeps its own CPUs");
    ok(!xln_host_near_cpus(host, 5),
       "a node that does not exist has no CPUs near it");
    is_cpus(xln_host_node(host, 1)->cpus, "2-3", "CPUs on a node stay on it");

    if (xln_host_homes_of_cpus(host, xln_host_node(host, 2)->cpus, &nodes))
        abort();
    ok(xln_nodemap_count(nodes) == 1 && xln_nodemap_test(nodes, 3),
       "the homes of CPUs are the nodes with their memory");
    if (xln_host_near_cpus_of_nodes(host, nodes, &cpus))
        abort();
    is_cpus(cpus, "4-7", "the CPUs of these homes are found");
    xln_cpumap_free(cpus);
    xln_nodemap_free(nodes);

    if (xln_host_copy(host, &copy))
        abort();
    ok(xln_host_home(copy, 4) == 1, "a copy has the same homes");
    xln_host_free(host);
    ok(xln_host_home(copy, 4) == 1 && xln_host_distance(copy, 2, 3) == 12,
       "a copy has its homes when the host is freed");
    is_cpus(xln_host_near_cpus(copy, 1), "0-3,8-9",
            "a copy has the sets of CPUs near its nodes");
    xln_host_free(copy);
}

int main(void)
{
    struct xln_host *host = sparse_host();

    test_bounds();
    ok(xln__host_finish(host) == 0, "a host with gaps in its numbers is valid");
    test_lookups(host);
    test_distances(host);
    test_conversions(host);
    test_pools(host);
    test_release(host);
    xln_host_free(host);
    test_validation();
    test_homes();
    test_usable();
    return tap_done();
}
