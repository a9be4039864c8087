/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "label.h"
#include "metrics.h"
#include "text/units.h"

#define PREFIX "xen_numa_"
#define NAME_MAX_CHARACTERS 1024

/* ---- one sample ---- */

static void print_family(FILE *f, const char *name, const char *unit,
                         const char *help)
{
    fprintf(f, "# TYPE " PREFIX "%s gauge\n", name);
    if (*unit)
        fprintf(f, "# UNIT " PREFIX "%s %s\n", name, unit);
    fprintf(f, "# HELP " PREFIX "%s %s\n", name, help);
}

/* A quote or a backslash would end the label's value. */
static void print_escaped(FILE *f, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', f);
        putc(*text, f);
    }
}

static void print_domain(FILE *f, const struct resident *r)
{
    char label[LABEL_SIZE(NAME_MAX_CHARACTERS)];

    fputs("domain=\"", f);
    print_escaped(f, label_put(r->name ? r->name : "", NAME_MAX_CHARACTERS,
                               label));
    fprintf(f, "\",domid=\"%" PRIu32 "\"", r->domain->domid);
}

static void print_value(FILE *f, uint64_t thousandths)
{
    fprintf(f, " %" PRIu64, thousandths / 1000);
    if (thousandths % 1000)
        fprintf(f, ".%03u", (unsigned)(thousandths % 1000));
    putc('\n', f);
}

/* ---- the host ---- */

static void print_time(const struct xln_snapshot *snapshot, FILE *f)
{
    if (snapshot->time_s <= 0)
        return;
    print_family(f, "timestamp_seconds", "seconds",
                 "When these figures were read, in seconds since 1970.");
    fprintf(f, PREFIX "timestamp_seconds %" PRId64 "\n", snapshot->time_s);
}

static uint64_t node_total(const struct xln_host_node *n)
{
    return n->total_bytes;
}

static uint64_t node_free(const struct xln_host_node *n)
{
    return n->free_bytes;
}

static uint64_t node_reserved(const struct xln_host_node *n)
{
    return n->reserved_bytes;
}

static uint64_t node_cpus(const struct xln_host_node *n)
{
    return xln_cpumap_count(n->cpus);
}

static const struct {
    const char *name, *unit, *help;
    uint64_t (*value)(const struct xln_host_node *n);
} node_families[] = {
    { "node_memory_bytes", "bytes", "Memory of the node.", node_total },
    { "node_free_bytes", "bytes", "Free memory of the node.", node_free },
    { "node_reserved_bytes", "bytes",
      "Free memory reserved for creates in flight and for ballooning up.",
      node_reserved },
    { "node_cpus", "", "Online CPUs of the node.", node_cpus },
};

static void print_nodes(const struct xln_host *host, FILE *f)
{
    unsigned i, node;

    for (i = 0; i < sizeof(node_families) / sizeof(*node_families); i++) {
        print_family(f, node_families[i].name, node_families[i].unit,
                     node_families[i].help);
        XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
            fprintf(f, PREFIX "%s{node=\"%u\"}", node_families[i].name, node);
            fprintf(f, " %" PRIu64 "\n",
                    node_families[i].value(xln_host_node(host, node)));
        }
    }
}

/* ---- the domains ---- */

/* Each gives false if the figure is not known. */

static bool domain_memory(const struct resident *r, uint64_t *thousandths_r)
{
    *thousandths_r = r->domain->memory_bytes * 1000;
    return true;
}

static bool domain_vcpus(const struct resident *r, uint64_t *thousandths_r)
{
    uint64_t nr = 0;
    unsigned i;

    for (i = 0; i < r->domain->nr_vcpus; i++)
        nr += r->domain->vcpus[i].exists && r->domain->vcpus[i].online;
    *thousandths_r = nr * 1000;
    return true;
}

static bool domain_local(const struct resident *r, uint64_t *thousandths_r)
{
    *thousandths_r = r->may.local_permille;
    return r->may.known;
}

static bool domain_now_local(const struct resident *r,
                             uint64_t *thousandths_r)
{
    *thousandths_r = r->now.local_permille;
    return r->now.known;
}

static bool domain_distance(const struct resident *r, uint64_t *thousandths_r)
{
    *thousandths_r = r->may.distance_thousandths;
    return r->may.known && r->may.has_distance;
}

static bool domain_age(const struct resident *r, uint64_t *thousandths_r)
{
    *thousandths_r = r->age_s * UINT64_C(1000);
    return r->source != XLN_MEMORY_UNKNOWN && r->age_s >= 0;
}

static const struct {
    const char *name, *unit, *help;
    bool (*value)(const struct resident *r, uint64_t *thousandths_r);
} domain_families[] = {
    { "domain_memory_bytes", "bytes", "Memory that the domain has.",
      domain_memory },
    { "domain_vcpus", "", "Online vCPUs of the domain.", domain_vcpus },
    { "domain_local_ratio", "ratio",
      "Share of its memory on the nodes where its vCPUs may run.",
      domain_local },
    { "domain_now_local_ratio", "ratio",
      "Share of its memory on the nodes where its vCPUs run now.",
      domain_now_local },
    { "domain_mean_distance", "",
      "Mean distance from its vCPUs' nodes to its memory; 10 is local.",
      domain_distance },
    { "domain_node_memory_age_seconds", "seconds",
      "Age of the figures in " PREFIX "domain_node_memory_bytes.",
      domain_age },
};

static void print_domains(const struct residents *residents, FILE *f)
{
    const struct resident *r, *end = residents->list + residents->nr;
    uint64_t thousandths;
    unsigned i;

    for (i = 0; i < sizeof(domain_families) / sizeof(*domain_families); i++) {
        print_family(f, domain_families[i].name, domain_families[i].unit,
                     domain_families[i].help);
        for (r = residents->list; r < end; r++) {
            if (!domain_families[i].value(r, &thousandths))
                continue;
            fprintf(f, PREFIX "%s{", domain_families[i].name);
            print_domain(f, r);
            putc('}', f);
            print_value(f, thousandths);
        }
    }
}

/* Nodes without its memory too: a series that ends is not one that is 0. */
static void print_memory(const struct xln_host *host,
                         const struct residents *residents, FILE *f)
{
    const struct resident *r, *end = residents->list + residents->nr;
    unsigned node;

    print_family(f, "domain_node_memory_bytes", "bytes",
                 "Memory that the domain has on the node.");
    for (r = residents->list; r < end; r++) {
        if (r->source == XLN_MEMORY_UNKNOWN)
            continue;
        XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
            fputs(PREFIX "domain_node_memory_bytes{", f);
            print_domain(f, r);
            fprintf(f, ",node=\"%u\"} %" PRIu64 "\n", node,
                    r->pages[node] << PAGE_SHIFT);
        }
    }
}

int metrics_print(const struct xln_snapshot *snapshot,
                  const struct residents *residents, FILE *f)
{
    print_time(snapshot, f);
    print_nodes(snapshot->host, f);
    print_domains(residents, f);
    print_memory(snapshot->host, residents, f);
    fputs("# EOF\n", f);
    return ferror(f) ? -EIO : 0;
}
