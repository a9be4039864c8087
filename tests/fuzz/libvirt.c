/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's capabilities. A host that was read is printed as `xl numa-info
 * --xml` prints it, and must be read the same: what is not in there is assumed
 * in both.
 */
#include "fuzz.h"
#include "host_capabilities.h"
#include "hosts.h"
#include "views/virsh.h"

static struct xln_host *read_host(const char *text, size_t size)
{
    return read_as(xln__host_from_capabilities, text, size);
}

static void claim_sound(const struct xln_host *host)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        const struct xln_host_node *n = xln_host_node(host, node);

        claim(n->free_bytes == n->total_bytes && !n->dma_bytes &&
              !n->reserved_bytes, "node %u: its memory", node);
        claim_distances(host, node);
    }
}

/* Nothing is printed for an offline CPU. */
static bool has_cpus(const struct xln_host *host)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        if (!xln_cpumap_is_empty(xln_host_node(host, node)->cpus))
            return true;
    return false;
}

/* No distances are printed for a node that cannot be reached. */
static bool is_cut_off(const struct xln_host *host, unsigned node)
{
    unsigned other;

    XLN_FOREACH(xln_nodemap, other, xln_host_nodes(host))
        if (xln_host_distance(host, node, other) != XLN_NONE)
            return false;
    return true;
}

static void claim_same_node(const struct xln_host *a, const struct xln_host *b,
                            unsigned node)
{
    const struct xln_host_node *x = xln_host_node(a, node);
    const struct xln_host_node *y = xln_host_node(b, node);
    unsigned cpu;

    claim(x->total_bytes >> 10 == y->total_bytes >> 10,
          "node %u: other memory", node);
    claim(xln_cpumap_equal(x->cpus, y->cpus), "node %u: other CPUs", node);
    XLN_FOREACH(xln_cpumap, cpu, x->cpus) {
        const struct xln_host_cpu *c = xln_host_cpu(a, cpu);
        const struct xln_host_cpu *d = xln_host_cpu(b, cpu);

        claim(c->socket == d->socket && c->core == d->core,
              "CPU %u: another core", cpu);
    }
    if (!is_cut_off(a, node))
        claim_same_distances(a, b, node);
}

static void claim_same(const struct xln_host *host)
{
    struct xln_host *again;
    unsigned node;
    size_t size;
    char *text;
    FILE *f = open_memstream(&text, &size);

    need(f, "open_memstream");
    claim(!virsh_print_topology(host, f), "it can't be printed");
    need(!fclose(f), "fclose");
    again = read_host(text, size);
    claim(again, "what was printed can't be read");
    claim(xln_nodemap_equal(xln_host_nodes(host), xln_host_nodes(again)),
          "other nodes");
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        claim_same_node(host, again, node);
    xln_host_free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xln_host *host = read_host((const char *)data, size);

    if (!host)
        return 0;
    claim_sound(host);
    if (has_cpus(host))
        claim_same(host);
    xln_host_free(host);
    return 0;
}
