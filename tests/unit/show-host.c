/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * show-host WORD: a host from a file or a synthetic string as the lines that
 * tests/hosts/NAME.host has; show-host --hwloc WORD: as XML of hwloc.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_hwloc.h"
#include "libxl_numa_foreign.h"

static void show_cpu(const struct xln_host *host, unsigned cpu)
{
    const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

    if (!c)
        return;
    printf("cpu %u: ", cpu);
    if (c->node == XLN_NONE)
        printf("no node");
    else
        printf("node %u", c->node);
    printf(", socket %u, core %u%s\n", c->socket, c->core,
           c->online ? "" : ", offline");
}

static void show_node(const struct xln_host *host, unsigned node)
{
    const struct xln_host_node *n = xln_host_node(host, node);
    unsigned other;
    char *cpus;

    if (xln_cpumap_format(n->cpus, &cpus))
        abort();
    printf("node %u: %" PRIu64 " bytes", node, n->total_bytes);
    if (n->free_bytes != n->total_bytes)
        printf(", %" PRIu64 " free", n->free_bytes);
    printf(", cpus %s, distances", *cpus ? cpus : "none");
    free(cpus);
    XLN_FOREACH(xln_nodemap, other, xln_host_nodes(host)) {
        unsigned distance = xln_host_distance(host, node, other);

        if (distance == XLN_NONE)
            printf(" -");
        else
            printf(" %u", distance);
    }
    putchar('\n');
}

static void show(const struct xln_host *host, const char *note)
{
    unsigned node;

    printf("note: %s\n", note ? note : "none");
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        show_node(host, node);
    for (unsigned cpu = 0; cpu < xln_host_nr_cpus(host); cpu++)
        show_cpu(host, cpu);
}

int main(int argc, char **argv)
{
    bool as_hwloc = argc == 3 && !strcmp(argv[1], "--hwloc");
    struct xln_snapshot *snapshot = NULL;
    char *note = NULL, *error = NULL;
    int rc;

    if (argc != 2 && !as_hwloc)
        return 2;
    if (xln_snapshot_open(argv[argc - 1], &snapshot, &note, &error)) {
        printf("%s\n", error ? error : "no memory");
        free(error);
        return 1;
    }
    rc = 0;
    if (as_hwloc)
        rc = xln_host_save_hwloc(snapshot->host, stdout);
    else
        show(snapshot->host, note);
    free(note);
    xln_snapshot_free(snapshot);
    return rc != 0;
}
