/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "text/units.h"
#include "virsh.h"

static uint64_t free_kib(const struct xln_host *host, unsigned node)
{
    return xln_host_node(host, node)->free_bytes / KIB;
}

static uint64_t all_free_kib(const struct xln_host *host)
{
    uint64_t kib = 0;
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        kib += free_kib(host, node);
    return kib;
}

/* ---- freecell ---- */

int virsh_print_free(const struct xln_host *host, FILE *f)
{
    fprintf(f, "Total: %" PRIu64 " KiB\n\n", all_free_kib(host));
    return 0;
}

int virsh_print_free_of_node(const struct xln_host *host, unsigned node,
                             FILE *f)
{
    fprintf(f, "%u: %" PRIu64 " KiB\n\n", node, free_kib(host, node));
    return 0;
}

int virsh_print_free_of_all(const struct xln_host *host, FILE *f)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        fprintf(f, "%5u: %10" PRIu64 " KiB\n", node, free_kib(host, node));
    fprintf(f, "--------------------\n");
    fprintf(f, "%5s: %10" PRIu64 " KiB\n\n", "Total", all_free_kib(host));
    return 0;
}

/* ---- nodeinfo ---- */

/* Sockets are those of a node, and libvirt counts one for any host of Xen. */
int virsh_print_nodeinfo(const xc_physinfo_t *info, const char *model,
                         FILE *f)
{
    fprintf(f, "%-20s %s\n", "CPU model:", model);
    fprintf(f, "%-20s %u\n", "CPU(s):", info->nr_cpus);
    fprintf(f, "%-20s %u MHz\n", "CPU frequency:", info->cpu_khz / 1000);
    fprintf(f, "%-20s %d\n", "CPU socket(s):", 1);
    fprintf(f, "%-20s %u\n", "Core(s) per socket:", info->cores_per_socket);
    fprintf(f, "%-20s %u\n", "Thread(s) per core:", info->threads_per_core);
    fprintf(f, "%-20s %u\n", "NUMA cell(s):", info->nr_nodes);
    fprintf(f, "%-20s %" PRIu64 " KiB\n\n", "Memory size:",
            info->total_pages * (PAGE_BYTES / KIB));
    return 0;
}

/* ---- topology ---- */

static bool same_core(const struct xln_host_cpu *a,
                      const struct xln_host_cpu *b)
{
    return a->socket == b->socket && a->core == b->core;
}

/* The CPUs of a node that are threads of one core. */
static int format_siblings(const struct xln_host *host,
                           const struct xln_cpumap *cpus, unsigned cpu,
                           char **text_r)
{
    struct xln_cpumap *siblings;
    unsigned other;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(host), &siblings);
    if (rc)
        return rc;
    XLN_FOREACH(xln_cpumap, other, cpus)
        if (same_core(xln_host_cpu(host, cpu), xln_host_cpu(host, other)))
            xln_cpumap_set(siblings, other);
    rc = xln_cpumap_format(siblings, text_r);
    xln_cpumap_free(siblings);
    return rc;
}

static int print_cpu(const struct xln_host *host,
                     const struct xln_cpumap *cpus, unsigned cpu, FILE *f)
{
    const struct xln_host_cpu *c = xln_host_cpu(host, cpu);
    char *siblings;
    int rc;

    rc = format_siblings(host, cpus, cpu, &siblings);
    if (rc)
        return rc;
    /* Xen does not report dies. */
    fprintf(f,
            "        <cpu id='%u' socket_id='%u' die_id='0' core_id='%u' "
            "siblings='%s'/>\n",
            cpu, c->socket, c->core, siblings);
    free(siblings);
    return 0;
}

static int print_cpus(const struct xln_host *host,
                      const struct xln_cpumap *cpus, FILE *f)
{
    unsigned nr = xln_cpumap_count(cpus), cpu;
    int rc;

    fprintf(f, "      <cpus num='%u'%s>\n", nr, nr ? "" : "/");
    if (!nr)
        return 0;
    XLN_FOREACH(xln_cpumap, cpu, cpus) {
        rc = print_cpu(host, cpus, cpu, f);
        if (rc)
            return rc;
    }
    fprintf(f, "      </cpus>\n");
    return 0;
}

/* Nodes that cannot be reached have no distance, so they are left out. */
static void print_distances(const struct xln_host *host, unsigned node,
                            FILE *f)
{
    unsigned other, distance;

    fprintf(f, "      <distances>\n");
    XLN_FOREACH(xln_nodemap, other, xln_host_nodes(host)) {
        distance = xln_host_distance(host, node, other);
        if (distance != XLN_NONE)
            fprintf(f, "        <sibling id='%u' value='%u'/>\n", other,
                    distance);
    }
    fprintf(f, "      </distances>\n");
}

static int print_cell(const struct xln_host *host, unsigned node, FILE *f)
{
    const struct xln_host_node *n = xln_host_node(host, node);
    int rc;

    fprintf(f, "    <cell id='%u'>\n", node);
    if (n->total_bytes)
        fprintf(f, "      <memory unit='KiB'>%" PRIu64 "</memory>\n",
                n->total_bytes / KIB);
    print_distances(host, node, f);
    rc = print_cpus(host, n->cpus, f);
    fprintf(f, "    </cell>\n");
    return rc;
}

int virsh_print_topology(const struct xln_host *host, FILE *f)
{
    const struct xln_nodemap *nodes = xln_host_nodes(host);
    unsigned node;
    int rc = 0;

    fprintf(f, "<topology>\n  <cells num='%u'>\n", xln_nodemap_count(nodes));
    XLN_FOREACH(xln_nodemap, node, nodes)
        if (!rc)
            rc = print_cell(host, node, f);
    fprintf(f, "  </cells>\n</topology>\n");
    return rc;
}
