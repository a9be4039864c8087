/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* On which nodes a domain comes back that has virtual nodes already. */
#include <errno.h>

#include "host.h"
#include "placement/decide_pool.h"
#include "placement/vnuma_record.h"
#include "tap.h"
#include "text/units.h"

#define NR_NODES 4
#define NR_CPUS 8

/* Two CPUs on each node; 0 and 1 are near each other, 2 and 3 too. */
static struct xln_host *make_host(const unsigned *mib)
{
    struct xln_host *host;
    unsigned i, j;

    must(xln__host_new(NR_CPUS, NR_NODES, 0, &host));
    for (i = 0; i < NR_NODES; i++) {
        if (mib[i])
            xln_nodemap_set(host->exists, i);
        host->nodes[i].free_bytes = host->nodes[i].total_bytes = mib[i] * MIB;
        for (j = 0; j < NR_NODES; j++)
            host->distances[i * NR_NODES + j] = i == j           ? 10
                                                : i / 2 == j / 2 ? 21
                                                                 : 31;
    }
    for (i = 0; i < NR_CPUS; i++) {
        host->cpu_exists[i] = mib[i / 2];
        host->cpus[i] = (struct xln_host_cpu){
            .online = true, .node = i / 2, .socket = i / 2, .core = i,
        };
    }
    must(xln__host_finish(host));
    return host;
}

/* ---- asking ---- */

/* The distance of the two virtual nodes. */
#define NEAR 21
#define FAR 31

static const unsigned even[] = { 1000, 1010, 1030, 1020 },
                      small_1[] = { 1000, 100, 900, 900 },
                      only_2[] = { 0, 0, 1000, 0 },
                      two_small[] = { 0, 0, 300, 200 };

static struct xln_request *request;

static void begin(void)
{
    must(xln_request_new(&request));
}

static void want(struct xln_nodemap **nodes, const char *text)
{
    must(xln_nodemap_new(XLN_MAX_NODES, nodes));
    must(xln_nodemap_parse(text, 0, *nodes, NULL));
}

static struct cells *make_cells(unsigned distance, const char *node_0,
                                const char *node_1)
{
    struct vnuma_record *record;
    struct cells *cells;
    char text[256], *error;

    snprintf(text, sizeof(text),
             "vcpus=0 memory=0-10000000 distances=10,%u%s;"
             "vcpus=1 memory=10000000-20000000 distances=%u,10%s",
             distance, node_0, distance, node_1);
    must(vnuma_record_parse(text, &record, &error));
    must(vnuma_record_cells(record, 512 * MIB, &cells));
    vnuma_record_free(record);
    return cells;
}

/* "2 3", "refused: ...", or with a reason; then what each vCPU prefers, and the
 * warnings. */
static void tell(const struct decision *d, char *text, size_t size)
{
    const char *separator = "";
    size_t n = 0;
    unsigned i;
    char *cpus;

    if (d->reason)
        n = snprintf(text, size, "%s: %s: ",
                     d->refused ? "refused" : "short", d->reason);
    for (i = 0; i < d->vnuma->nr; i++, separator = " ") {
        must(xln_cpumap_format(d->vnuma->list[i].cpus, &cpus));
        n += snprintf(text + n, size - n, "%s%u (%s)", separator,
                      d->vnuma->list[i].node, cpus);
        free(cpus);
    }
    for (i = 0; i < d->nr_warnings; i++)
        n += snprintf(text + n, size - n, "; %s", d->warnings[i]);
}

/* Takes the cells, and the request. */
static void comes(const unsigned *host_mib, struct cells *cells,
                  const char *expected, const char *what)
{
    struct xln_host *host = make_host(host_mib);
    const struct xln_need need = {
        .memory_bytes = 512 * MIB, .nr_vcpus = 2,
    };
    const struct decide_guest guest = {
        .type = LIBXL_DOMAIN_TYPE_HVM, .restored = true, .again = true,
        .cells = cells,
    };
    struct decision *d;
    char text[1024];

    must(decide(host, request, &need, &guest, &d));
    tell(d, text, sizeof(text));
    is_str(text, expected, what);
    decision_free(d);
    cells_free(cells);
    xln_host_free(host);
    xln_request_free(request);
}

/* ---- cases ---- */

static void test_nodes(void)
{
    begin();
    comes(even, make_cells(NEAR, "", ""), "2 (4-5) 3 (6-7)",
          "virtual nodes take the node with most room, and one at the guest's "
          "distance");
    begin();
    comes(even, make_cells(FAR, "", ""), "2 (4-5) 1 (2-3)",
          "virtual nodes that are far for the guest take distant nodes");
    begin();
    comes(even, make_cells(NEAR, " node=3", " node=0"), "3 (6-7) 0 (0-1)",
          "the node named for a virtual node comes first");
    begin();
    want(&request->nodes, "0,3");
    comes(even, make_cells(NEAR, "", ""), "0 (0-1) 3 (6-7)",
          "the nodes of the request come second");
    begin();
    want(&request->nodes, "0,3");
    want(&request->mem_nodes, "1-2");
    comes(even, make_cells(NEAR, "", ""), "1 (2-3) 2 (4-5)",
          "the nodes of nodes_mem= count as nodes of the request");
}

static void test_modes(void)
{
    begin();
    request->vnuma = XLN_VNUMA_HOST;
    comes(even, make_cells(NEAR, "", ""), "2 (4-5) 3 (6-7)",
          "the copy of another host keeps its virtual nodes");
    begin();
    request->vcpus_mode = XLN_VCPUS_CORE;
    comes(even, make_cells(NEAR, "", ""), "2 (4-5) 3 (6-7)",
          "nodes_cpus=core leaves restored virtual nodes where they are");
}

/* "2 3": the CPUs that vCPUs are bound to, and the warnings. */
static void is_bound(enum xln_vcpus_mode mode, const char *taken,
                     const char *expected, const char *what)
{
    const struct xln_need need = { .memory_bytes = 512 * MIB, .nr_vcpus = 2 };
    struct cells *cells = make_cells(NEAR, "", "");
    const struct decide_guest guest = {
        .type = LIBXL_DOMAIN_TYPE_HVM, .restored = true, .again = true,
        .cells = cells,
    };
    struct xln_host *host = make_host(even), *with_taken;
    struct xln_cpumap *cpus;
    struct decision *d;
    char text[256] = "";
    size_t n = 0;

    must(xln_cpumap_new(NR_CPUS, &cpus));
    if (*taken)
        must(xln_cpumap_parse(taken, NULL, 0, cpus, NULL));
    must(xln_host_take_cores(host, cpus, &with_taken));
    begin();
    request->vcpus_mode = mode;
    must(decide(with_taken, request, &need, &guest, &d));
    for (unsigned i = 0; i < d->plan->nr_vcpu_cores; i++)
        n += snprintf(text + n, sizeof(text) - n, "%u ",
                      xln_cpumap_next(d->plan->vcpu_cores[i], 0));
    for (unsigned i = 0; i < d->nr_warnings; i++)
        n += snprintf(text + n, sizeof(text) - n, "%s", d->warnings[i]);
    is_str(text, expected, what);
    decision_free(d);
    cells_free(cells);
    xln_cpumap_free(cpus);
    xln_host_free(with_taken);
    xln_host_free(host);
    xln_request_free(request);
}

static void test_bound(void)
{
    is_bound(XLN_VCPUS_CORE, "", "4 6 ",
             "each vCPU has a core near its virtual node");
    is_bound(XLN_VCPUS_THREAD, "4,6", "5 7 ", "each vCPU has a free thread near its virtual node");
    is_bound(XLN_VCPUS_THREAD, "4-5",
             "nodes_cpus=\"thread\": its virtual nodes have too few free threads: "
             "the vCPUs prefer the CPUs of these nodes", "without free threads the guest is restored, with a warning");
    is_bound(XLN_VCPUS_SOFT, "", "", "nodes_cpus=soft binds no vCPU");
}

/* As libvirt's XML demands their nodes. */
static struct cells *demand(struct cells *cells)
{
    unsigned i;

    for (i = 0; i < cells->nr; i++)
        cells->list[i].demanded = true;
    return cells;
}

static void test_short(void)
{
    begin();
    comes(small_1, make_cells(NEAR, " node=1", " node=0"),
          "2 (4-5) 0 (0-1)",
          "a virtual node whose old node has no room takes another node");
    begin();
    comes(small_1, demand(make_cells(NEAR, " node=1", " node=0")),
          "short: virtual node 0: 256 MiB needed, not available from node 1 "
          "alone: 2 (4-5) 0 (0-1)",
          "a virtual node whose named node has no room takes another one, "
          "with a reason");
    begin();
    comes(only_2, make_cells(NEAR, "", ""), "2 (4-5) 2 (4-5); virtual nodes "
          "0-1 share node 2: the guest still sees separate nodes",
          "a warning reports that two virtual nodes share a node");
    begin();
    comes(two_small, make_cells(NEAR, "", ""), "short: virtual node 1: 256 MiB "
          "needed, not available from one of the nodes 2-3 alone: 2 (4-5) "
          "3 (6-7)", "a domain comes back although a node is too small");
    begin();
    request->mode = XLN_MODE_STRICT;
    comes(two_small, make_cells(NEAR, "", ""), "refused: virtual node 1: 256 "
          "MiB needed, not available from one of the nodes 2-3 alone: 2 (4-5) "
          "3 (6-7)", "with strict the domain does not come back");
}

int main(void)
{
    test_nodes();
    test_modes();
    test_bound();
    test_short();
    return tap_done();
}
