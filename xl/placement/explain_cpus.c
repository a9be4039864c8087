/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines about CPUs: those that are far from memory, those without which a
 * vCPU cannot run, and those that are scheduled together. */
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "line.h"

/* Add what a vCPU with these CPUs of its own, or NULL, runs on by the plan. */
static void add_own(const struct xln_plan *plan, const struct xln_cpumap *own,
                    struct xln_cpumap *some, struct xln_cpumap *cpus,
                    bool *apart)
{
    xln_cpumap_zero(some);
    xln_cpumap_or(some, plan->vcpu_cpus);
    if (!own) {
        *apart = false;
    } else if (xln_cpumap_intersects(some, own)) {
        *apart = false;
        xln_cpumap_and(some, own);
    } else {
        xln_cpumap_zero(some);
        xln_cpumap_or(some, own);
    }
    xln_cpumap_or(cpus, some);
}

int explain_cpus(const struct xln_need *need, const struct xln_plan *plan,
                 struct xln_cpumap **cpus_r, bool *apart_r)
{
    struct xln_cpumap *cpus = NULL, *some = NULL;
    bool planned = !xln_cpumap_is_empty(plan->vcpu_cpus);
    unsigned vcpu;
    int rc = xln_cpumap_copy(plan->vcpu_cpus, &cpus);

    if (!rc)
        rc = xln_cpumap_copy(plan->vcpu_cpus, &some);
    if (rc) {
        xln_cpumap_free(cpus);
        return rc;
    }
    *apart_r = planned && need->nr_vcpus && !plan->nr_vcpu_cores;
    if (*apart_r) {
        xln_cpumap_zero(cpus);
        for (vcpu = 0; vcpu < need->nr_vcpus; vcpu++)
            add_own(plan, vcpu < need->nr_hard ? need->hard[vcpu] : NULL, some,
                    cpus, apart_r);
    }
    if (xln_cpumap_intersects(cpus, plan->allowed_cpus))
        xln_cpumap_and(cpus, plan->allowed_cpus);
    xln_cpumap_free(some);
    *cpus_r = cpus;
    return 0;
}

/* Between a node without memory and the nearest with some. */
static unsigned home_distance(const struct xln_host *host, unsigned node)
{
    unsigned home = xln_host_home(host, node);
    unsigned there = xln_host_distance(host, node, home);
    unsigned back = xln_host_distance(host, home, node);

    return there > back ? there : back;
}

/* Nodes with the same home and distance, and their CPUs. */
struct far_group {
    struct xln_nodemap *nodes;
    struct xln_cpumap *cpus;
};

/* Make the group that begins with `first`, and take it out of `left`. */
static void group_far(const struct xln_host *host, unsigned first,
                      struct xln_nodemap *left, struct far_group *group)
{
    unsigned node;

    xln_nodemap_zero(group->nodes);
    xln_cpumap_zero(group->cpus);
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        if (!xln_nodemap_test(left, node) ||
            xln_host_home(host, node) != xln_host_home(host, first) ||
            home_distance(host, node) != home_distance(host, first))
            continue;
        xln_nodemap_set(group->nodes, node);
        xln_cpumap_or(group->cpus, xln_host_node(host, node)->cpus);
    }
    xln_nodemap_andnot(left, group->nodes);
}

/* "CPUs 4-7 are on node 2, which has no memory: distance 16 from node 1" */
static void line_far(struct line *line, const struct xln_host *host,
                     const struct far_group *group)
{
    unsigned first = xln_nodemap_next(group->nodes, 0);
    unsigned distance = home_distance(host, first);
    unsigned home = xln_host_home(host, first);
    bool one = xln_cpumap_count(group->cpus) == 1;

    line_add(line, "CPU%s ", one ? "" : "s");
    line_cpus(line, group->cpus);
    line_add(line, " %s on ", one ? "is" : "are");
    line_nodes(line, group->nodes);
    line_add(line, ", which %s no memory: ",
             xln_nodemap_count(group->nodes) == 1 ? "has" : "have");
    if (distance == XLN_NONE)
        line_add(line, "distance from node %u unknown", home);
    else
        line_add(line, "distance %u from node %u", distance, home);
}

/* `left`: nodes without memory that `cpus` are on. */
static void line_far_groups(struct line *line, const struct xln_host *host,
                            const struct xln_cpumap *cpus,
                            struct xln_nodemap *left)
{
    struct far_group group = { NULL, NULL };
    unsigned first;

    if (xln_nodemap_copy(left, &group.nodes) ||
        xln_cpumap_copy(cpus, &group.cpus))
        line_fail(line);
    while (group.cpus && (first = xln_nodemap_next(left, 0)) != XLN_NONE) {
        group_far(host, first, left, &group);
        xln_cpumap_and(group.cpus, cpus);
        line_far(line, host, &group);
        line_add(line, "%s", xln_nodemap_is_empty(left) ? "" : "; ");
    }
    xln_nodemap_free(group.nodes);
    xln_cpumap_free(group.cpus);
}

char *explain_far_cpus(const struct xln_host *host,
                       const struct xln_need *need,
                       const struct xln_plan *plan)
{
    struct xln_nodemap *nodes = NULL;
    struct xln_cpumap *cpus;
    struct line line;
    unsigned node;
    bool apart;

    if (explain_cpus(need, plan, &cpus, &apart))
        return NULL;
    line_begin(&line);
    if (xln_host_nodes_of_cpus(host, cpus, &nodes)) {
        line_fail(&line);
    } else {
        XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
            if (xln_host_home(host, node) == node)
                xln_nodemap_clear(nodes, node);
        }
        line_far_groups(&line, host, cpus, nodes);
    }
    xln_nodemap_free(nodes);
    xln_cpumap_free(cpus);
    return line_end(&line);
}

/* The first CPU of each scheduling unit. */
static void line_first_cpus(struct line *line, const struct xln_host *host,
                            const struct xln_cpumap *cpus)
{
    struct xln_cpumap *firsts = NULL, *one = NULL;
    unsigned cpu;

    if (xln_cpumap_copy(cpus, &firsts) || xln_cpumap_copy(cpus, &one)) {
        line_fail(line);
    } else {
        XLN_FOREACH(xln_cpumap, cpu, cpus) {
            xln_cpumap_zero(one);
            xln_cpumap_set(one, cpu);
            xln_host_whole_units(host, one);
            if (xln_cpumap_is_empty(one))
                xln_cpumap_clear(firsts, cpu);
        }
        line_cpus(line, firsts);
    }
    xln_cpumap_free(firsts);
    xln_cpumap_free(one);
}

char *explain_unbound(const struct xln_host *host, unsigned vcpu,
                      const struct xln_cpumap *cpus)
{
    unsigned size = host ? xln_host_unit_size(host, cpus) : 1;
    struct line line;

    line_add(line_begin(&line), "cpus=: vCPU %u may run on no CPU of this host "
             "that is in the domain's cpupool: expected some of CPUs ", vcpu);
    if (size == 1)
        line_cpus(&line, cpus);
    else
        line_first_cpus(&line, host, cpus);
    if (size > 1)
        line_add(&line, ", the first of each %u that Xen schedules together",
                 size);
    return line_end(&line);
}

char *explain_pool(const struct xln_host_pool *pool)
{
    struct line line;

    if (!pool)
        return strdup("");
    line_begin(&line);
    if (pool->name)
        line_add(&line, "cpupool '%s', with CPUs ", pool->name);
    else
        line_add(&line, "cpupool %u, with CPUs ", pool->id);
    line_cpus(&line, pool->cpus);
    return line_end(&line);
}

char *explain_units(const struct xln_host *host, const struct xln_need *need)
{
    unsigned size = xln_host_unit_size(host, need->pool_cpus);
    struct line line;

    if (size == 1 || need->nr_vcpus == 1)
        return strdup("");
    line_add(line_begin(&line), "core scheduling: vCPUs run in groups of %u, "
                                "from vCPU 0 on: a group shares the CPUs of "
                                "one unit, and one affinity",
             size);
    return line_end(&line);
}

/* The nodes of those virtual nodes that have some of these vCPUs. */
static void find_nodes(const struct xln_vnuma *vnuma, unsigned first,
                       unsigned last, struct xln_nodemap *nodes)
{
    xln_nodemap_zero(nodes);
    for (unsigned i = 0; i < vnuma->nr; i++) {
        unsigned vcpu = xln_cpumap_next(vnuma->list[i].vcpus, first);

        if (vcpu != XLN_NONE && vcpu <= last)
            xln_nodemap_set(nodes, vnuma->list[i].node);
    }
}

static char *explain_split(unsigned first, unsigned last, unsigned size,
                           const struct xln_nodemap *nodes)
{
    struct line line;

    line_add(line_begin(&line), "core scheduling: vCPUs %u-%u run together, but "
             "their virtual nodes are on ", first, last);
    line_nodes(&line, nodes);
    line_add(&line, ": some run far from their memory; give each virtual node "
             "whole groups of %u vCPUs, from vCPU 0 on", size);
    return line_end(&line);
}

int explain_split_unit(const struct xln_host *host, const struct xln_need *need,
                       const struct xln_vnuma *vnuma, char **line_r)
{
    unsigned size = xln_host_unit_size(host, need->pool_cpus), first;
    struct xln_nodemap *nodes;
    int rc = xln_nodemap_new(XLN_MAX_NODES, &nodes);

    if (rc)
        return rc;
    *line_r = NULL;
    for (first = 0; first < need->nr_vcpus && !*line_r && !rc; first += size) {
        unsigned last = first + size < need->nr_vcpus ? first + size - 1
                                                      : need->nr_vcpus - 1;

        find_nodes(vnuma, first, last, nodes);
        if (xln_nodemap_count(nodes) < 2)
            continue;
        *line_r = explain_split(first, last, size, nodes);
        rc = *line_r ? 0 : -ENOMEM;
    }
    if (!*line_r && !rc)
        *line_r = strdup("");
    xln_nodemap_free(nodes);
    return *line_r ? 0 : -ENOMEM;
}
