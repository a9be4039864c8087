/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Output of numactl -H, xl info -n and lscpu -p. A host that was read is
 * printed as xl info -n does it, and must be read the same.
 */
#include <inttypes.h>

#include "fuzz.h"
#include "host_text.h"
#include "hosts.h"

static bool is_planned_with(const struct xln_host_cpu *cpu)
{
    return cpu && cpu->online && cpu->node != XLN_NONE;
}

/* ---- as xl has it ---- */

static void print_cpus(const struct xln_host *host, FILE *f)
{
    fputs("cpu_topology           :\ncpu:    core    socket     node\n", f);
    for (unsigned cpu = 0; cpu < xln_host_nr_cpus(host); cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        if (is_planned_with(c))
            fprintf(f, "%3u:    %4u     %4u     %4u\n", cpu, c->core, c->socket,
                    c->node);
    }
}

static void print_nodes(const struct xln_host *host, FILE *f)
{
    unsigned node;

    fputs("numa_info              :\n"
          "node:    memsize    memfree    distances\n", f);
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        const struct xln_host_node *n = xln_host_node(host, node);

        fprintf(f, "%4u:    %6" PRIu64 "     %6" PRIu64 "      ", node,
                n->total_bytes >> 20, n->free_bytes >> 20);
        for (unsigned to = 0; to < xln_host_nr_nodes(host); to++)
            fprintf(f, "%s%d", to ? "," : "",
                    (int)xln_host_distance(host, node, to));
        putc('\n', f);
    }
}

/* ---- what was read ---- */

static unsigned claim_sound(const struct xln_host *host)
{
    unsigned node, nr = 0;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        const struct xln_host_node *n = xln_host_node(host, node);

        claim(n->free_bytes <= n->total_bytes, "node %u: its memory", node);
        claim_distances(host, node);
    }
    for (unsigned cpu = 0; cpu < xln_host_nr_cpus(host); cpu++)
        nr += is_planned_with(xln_host_cpu(host, cpu));
    return nr;
}

static void claim_same(const struct xln_host *a, const struct xln_host *b)
{
    unsigned node;

    claim(xln_nodemap_equal(xln_host_nodes(a), xln_host_nodes(b)),
          "other nodes");
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(a)) {
        const struct xln_host_node *x = xln_host_node(a, node);
        const struct xln_host_node *y = xln_host_node(b, node);

        claim(x->total_bytes == y->total_bytes &&
              x->free_bytes == y->free_bytes, "node %u: other memory", node);
        claim(xln_cpumap_equal(x->cpus, y->cpus), "node %u: other CPUs", node);
        claim_same_distances(a, b, node);
    }
}

static void claim_comes_back(const struct xln_host *host)
{
    struct xln_host *again;
    size_t size;
    char *text;
    FILE *f = open_memstream(&text, &size);

    need(f, "open_memstream");
    print_cpus(host, f);
    print_nodes(host, f);
    need(!fclose(f), "fclose");
    again = read_as(xln__host_from_xl_info, text, size);
    claim(again, "what was printed cannot be read");
    claim_same(host, again);
    xln_host_free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct xln_host *host = NULL;

    if (xln__is_numactl(text, size))
        host = read_as(xln__host_from_numactl, text, size);
    else if (xln__is_xl_info(text, size))
        host = read_as(xln__host_from_xl_info, text, size);
    else
        host = read_as(xln__host_from_lscpu, text, size);
    if (host && claim_sound(host))
        claim_comes_back(host);
    xln_host_free(host);
    return 0;
}
