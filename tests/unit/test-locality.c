/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The figures of numa-stat, from counts of pages. */
#include <errno.h>
#include <stdlib.h>

#include "host.h"
#include "plans/locality.h"
#include "placement/record.h"
#include "tap.h"

/* Nodes 0, 1 and 3. Nodes 0 and 1 are neighbours; node 3 is far from node 0,
 * and its distance from node 1 is not known. */
static struct xln_host *make_host(void)
{
    static const unsigned nodes[] = { 0, 1, 3 };
    struct xln_host *host;
    unsigned i;

    if (xln__host_new(4, 4, 0, &host))
        abort();
    for (i = 0; i < 3; i++) {
        xln_nodemap_set(host->exists, nodes[i]);
        host->distances[nodes[i] * 4 + nodes[i]] = 10;
    }
    host->distances[0 * 4 + 1] = 20;
    host->distances[1 * 4 + 0] = 22;
    host->distances[0 * 4 + 3] = 30;
    host->distances[3 * 4 + 0] = 35;
    if (xln__host_finish(host))
        abort();
    return host;
}

static struct locality locality(const struct xln_host *host, const char *nodes,
                                uint64_t a, uint64_t b, uint64_t d)
{
    const uint64_t pages[4] = { a, b, 0, d };
    struct xln_nodemap *set;
    struct locality l;

    if (xln_nodemap_new(4, &set) || xln_nodemap_parse(nodes, 0, set, NULL))
        abort();
    locality_of(host, pages, set, &l);
    xln_nodemap_free(set);
    return l;
}

static void test_share(const struct xln_host *host)
{
    struct locality l = locality(host, "1", 0, 100, 0);

    ok(l.known && l.local_permille == 1000 && !l.apart,
       "all memory is local if it is on the node of the vCPUs");
    l = locality(host, "0", 0, 100, 0);
    ok(l.known && !l.local_permille && l.apart,
       "no memory is local if all is elsewhere, and the two are apart");
    l = locality(host, "0-1", 50, 25, 25);
    ok(l.local_permille == 750, "the nodes of the vCPUs count together");
    l = locality(host, "0", 500, 500, 0);
    ok(l.local_permille == 500 && !l.apart,
       "memory and vCPUs are not apart with half of it local");
    l = locality(host, "0", 49999, 50001, 0);
    ok(l.local_permille == 499 && l.apart,
       "memory and vCPUs are apart with a page less than half of it local");
    l = locality(host, "0", 99999, 1, 0);
    ok(l.local_permille == 999,
       "with one page elsewhere the share is less than all");
    ok(!locality(host, "0", 0, 0, 0).known,
       "the share is unknown without memory");
    ok(!locality(host, "", 5, 0, 0).known, "the share is unknown without CPUs");
}

static void test_distance(const struct xln_host *host)
{
    struct locality l = locality(host, "0", 7, 0, 0);

    ok(l.has_distance && l.distance_thousandths == 10000,
       "the distance of local memory is 10");
    l = locality(host, "0", 0, 7, 0);
    ok(l.distance_thousandths == 20000,
       "the distance is that from the vCPUs to the memory");
    l = locality(host, "1", 7, 0, 0);
    ok(l.distance_thousandths == 22000,
       "the distance may differ from the way back");
    l = locality(host, "0-1", 100, 300, 0);
    /* (100 * (10 + 22) + 300 * (20 + 10)) / 800 */
    ok(l.distance_thousandths == 15250,
       "the distance is the mean over pages and the nodes of vCPUs");
    l = locality(host, "0", UINT64_C(1) << 40, UINT64_C(1) << 40, 0);
    ok(l.distance_thousandths == 15000,
       "the distance is right for 4 PiB on each node");
    l = locality(host, "0-1", 7, 0, 1);
    ok(l.known && !l.has_distance,
       "the distance is unknown if one distance is not known");
    l = locality(host, "0-1", 7, 0, 0);
    ok(l.has_distance,
       "an unknown distance to a node without pages does no harm");
}

/* Node 3 has CPUs, but no memory: node 1 is nearest to it. */
static void test_bare(void)
{
    struct xln_host *host;
    struct locality l;

    if (xln__host_new(4, 4, 0, &host))
        abort();
    for (unsigned node = 0; node < 4; node++) {
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = node == 3 ? 0 : 1 << 30;
        host->cpu_exists[node] = host->cpus[node].online = true;
        host->cpus[node].node = node;
        for (unsigned to = 0; to < 4; to++)
            host->distances[node * 4 + to] = node == to       ? 10
                                             : node + to == 4 ? 16
                                                              : 20;
    }
    if (xln__host_finish(host))
        abort();
    l = locality(host, "3", 0, 7, 0);
    ok(l.local_permille == 1000 && !l.apart,
       "the memory nearest to CPUs of a node without memory is local");
    ok(l.distance_thousandths == 16000,
       "its distance is that of the nearest node");
    l = locality(host, "3", 7, 0, 0);
    ok(l.local_permille == 0 && l.apart, "other memory is remote");
    xln_host_free(host);
}

static void test_on_node(void)
{
    static const uint64_t pages[] = { 9900, 100, 0, 0 };
    static const uint64_t few[] = { 9901, 99, 0, 0 };
    static const uint64_t seen[] = { 1, 1, 2, 0 }, none[4];

    ok(locality_on_node(4, pages, seen) == 500,
       "samples count on nodes with a hundredth of the memory");
    ok(locality_on_node(4, few, seen) == 250,
       "samples on a node with less than a hundredth do not count");
    ok(locality_on_node(4, pages, none) == XLN_NONE,
       "the share is unknown without a sample");
    ok(locality_on_node(4, none, seen) == XLN_NONE,
       "the share is unknown for a domain without memory");
}

static void test_record(void)
{
    static const char *const wrong[] = {
        "", "1", "1:", ":5", "1:5,", "1:5,2", "4:1", "1:-5", "-1:5", "1:5 ",
        " 1:5", "1:5;2:6", "1:99999999999999999999", "1:5,,2:6", "x",
        "1:1099511627777",
    };
    uint64_t pages[4] = { 9, 9, 9, 9 };
    unsigned i;

    ok(!record_parse_pages("1:20480,3:7", 4, pages) && !pages[0] &&
       pages[1] == 20480 && !pages[2] && pages[3] == 7,
       "a record gives the pages of each node");
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ok(record_parse_pages(wrong[i], 4, pages) == -EINVAL,
           "'%s' is refused as a record", wrong[i]);
}

int main(void)
{
    struct xln_host *host = make_host();

    test_share(host);
    test_distance(host);
    test_bare();
    test_on_node();
    test_record();
    xln_host_free(host);
    return tap_done();
}
