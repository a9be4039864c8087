/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which nodes libvirt's cells get. */
#include <errno.h>
#include <stdlib.h>

#include "placement/cells.h"
#include "fake-alloc.h"
#include "host.h"
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
        xln_nodemap_set(host->exists, i);
        host->nodes[i].free_bytes = host->nodes[i].total_bytes = mib[i] * MIB;
        for (j = 0; j < NR_NODES; j++)
            host->distances[i * NR_NODES + j] = i == j           ? 10
                                                : i / 2 == j / 2 ? 21
                                                                 : 31;
    }
    for (i = 0; i < NR_CPUS; i++) {
        host->cpu_exists[i] = true;
        host->cpus[i] = (struct xln_host_cpu){
            .online = true, .node = i / 2, .socket = i / 2, .core = i,
        };
    }
    must(xln__host_finish(host));
    return host;
}

/* ---- asking ---- */

static const struct xln_cpumap *hard[8];
static struct xln_need need;
static struct xln_request *request;
static struct cells *cells;

/* A cell of so many MiB for each number; vCPU i is in cell i, bound nowhere. */
static void begin(unsigned nr, const unsigned *mib)
{
    unsigned i;

    need = (struct xln_need){ .nr_vcpus = nr, .nr_hard = nr, .hard = hard };
    must(xln_request_new(&request));
    must(cells_new(nr, &cells));
    for (i = 0; i < nr; i++) {
        cells->list[i].bytes = mib[i] * MIB;
        must(xln_cpumap_new(nr, &cells->list[i].vcpus));
        xln_cpumap_set(cells->list[i].vcpus, i);
    }
}

static void end(void)
{
    unsigned i;

    for (i = 0; i < need.nr_hard; i++) {
        xln_cpumap_free((struct xln_cpumap *)(uintptr_t)hard[i]);
        hard[i] = NULL;
    }
    xln_request_free(request);
    cells_free(cells);
}

static void bind_vcpu(unsigned vcpu, uint8_t cpus)
{
    struct xln_cpumap *mask;
    unsigned cpu;

    must(xln_cpumap_new(NR_CPUS, &mask));
    for (cpu = 0; cpu < NR_CPUS; cpu++)
        if (cpus & 1u << cpu)
            xln_cpumap_set(mask, cpu);
    hard[vcpu] = mask;
}

static struct xln_nodemap *nodes_of(const char *text)
{
    struct xln_nodemap *nodes;

    must(xln_nodemap_new(XLN_MAX_NODES, &nodes));
    must(xln_nodemap_parse(text, 0, nodes, NULL));
    return nodes;
}

/* The nodes of the cells are these, as in "2 3"; or the line is this, and with
 * it the nodes that are nearest to what is asked for. */
static void become(const unsigned *host_mib, const char *wanted,
                   const char *what)
{
    struct xln_host *host = make_host(host_mib);
    char *error = NULL, got[256] = "";
    unsigned node_of[8], i;
    int rc = cells_bind(cells, host, request, &need, node_of, &error);

    if (rc == -ENOSPC)
        snprintf(got, sizeof(got), "%s: ", error);
    for (i = 0; (!rc || rc == -ENOSPC) && i < cells->nr; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%u",
                 i ? " " : "", node_of[i]);
    is_str(got, wanted, what);
    free(error);
    xln_host_free(host);
    end();
}

/* ---- cases ---- */

static const unsigned even[] = { 1000, 1010, 1030, 1020 },
                      small_far[] = { 1000, 1000, 1010, 100 },
                      two[] = { 300, 300 };

static void test_free(void)
{
    begin(2, two);
    become(even, "2 3", "cells are near each other, where most is free");
    begin(2, two);
    become(small_far, "2 0",
           "cells are on other nodes if near ones have no room");
    begin(3, (unsigned[]){ 100, 900, 100 });
    become(small_far, "3 2 0", "the largest cell gets its node first");
    begin(5, (unsigned[]){ 100, 100, 100, 100, 100 });
    become(even, "2 3 1 0 2", "more cells than nodes share them");
    begin(2, (unsigned[]){ 300, 1200 });
    become(even, "cell 1: 1200 MiB needed, not available from one of the nodes "
           "0-3 alone: 3 2", "a cell is on one node, or the domain is not built");
}

static void test_bound(void)
{
    begin(2, two);
    bind_vcpu(0, 0x0c);
    bind_vcpu(1, 0xc0);
    become(even, "1 3", "cells are where their vCPUs are bound");
    begin(2, two);
    bind_vcpu(1, 0x03);
    become(even, "1 0", "a cell whose vCPUs are not bound is near the others");
}

static void test_named(void)
{
    begin(2, two);
    request->nodes = nodes_of("0,3");
    become(even, "0 3", "the nodes of the domain are those of its cells");
    begin(2, two);
    request->nodes = nodes_of("0");
    cells->list[1].nodes = nodes_of("2");
    bind_vcpu(1, 0x03);
    become(even, "0 2", "the <memnode> of a cell comes before all else");
    begin(2, (unsigned[]){ 600, 600 });
    cells->list[0].nodes = nodes_of("1");
    cells->list[1].nodes = nodes_of("1");
    become(even, "cell 1: 600 MiB needed, not available from node 1 alone: 1 0",
           "memory that one cell takes is not available to another");
    begin(2, two);
    cells->list[0].nodes = nodes_of("9");
    become(even, "cell 0: 300 MiB needed, not available from node 9 alone: 2 3",
           "a node that does not exist has no memory");
}

static void test_no_memory(void)
{
    struct xln_host *host = make_host(even);
    unsigned nth = 0, nr_failed = 0, node_of[8];
    char *error;
    int rc;

    begin(2, two);
    cells->list[0].nodes = nodes_of("1");
    do {
        fake_alloc_fail(++nth);
        rc = cells_bind(cells, host, request, &need, node_of, &error);
        fake_alloc_fail(0);
        nr_failed += rc == -ENOMEM;
    } while (rc && nth < 1000);
    ok(!rc && nr_failed == nth - 1 && nr_failed > 4,
       "-ENOMEM is returned, whichever of %u allocations fails",
       nr_failed);
    end();
    xln_host_free(host);
}

int main(void)
{
    test_free();
    test_bound();
    test_named();
    test_no_memory();
    return tap_done();
}
