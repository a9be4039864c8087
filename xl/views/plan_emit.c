/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "plan_emit.h"
#include "vnuma_view.h"

/* A name in a comment cannot end it: no second "-", no other line. */
static void print_name(const char *name, FILE *f)
{
    char last = 0;

    for (; *name; last = *name++)
        fputc(iscntrl((unsigned char)*name) || (*name == '-' && last == '-')
                  ? '?'
                  : *name, f);
}

static bool fits(const struct planned *d)
{
    return d->decision->status != DECIDE_NOTHING_FITS;
}

/* ---- keys ---- */

static int print_key(const char *key, const struct xln_nodemap *nodes, FILE *f)
{
    char *set;
    int rc = xln_nodemap_format(nodes, &set);

    if (rc)
        return rc;
    fprintf(f, "%s = \"%s\"\n", key, set);
    free(set);
    return 0;
}

static int print_mem(const struct planned *d, FILE *f)
{
    const char *separator = "";
    unsigned node;

    if (!d->decision->request->mem_percent)
        return print_key("nodes_mem", d->decision->plan->nodes, f);
    fputs("nodes_mem = \"", f);
    XLN_FOREACH(xln_nodemap, node, d->decision->request->mem_nodes) {
        fprintf(f, "%s%u:%u%%", separator, node,
                d->decision->request->mem_percent[node]);
        separator = ",";
    }
    fputs("\"\n", f);
    return 0;
}

static int print_nodes(const struct planned *d, FILE *f)
{
    const struct xln_plan *plan = d->decision->plan;
    int rc;

    if (!d->decision->request->mem_nodes)
        return print_key("nodes", plan->nodes, f);
    rc = xln_nodemap_is_empty(plan->vcpu_nodes)
             ? 0
             : print_key("nodes", plan->vcpu_nodes, f);
    return rc ? rc : print_mem(d, f);
}

/* For each vCPU, in xl's form. */
static int print_cores(const struct xln_plan *plan, FILE *f)
{
    unsigned i;
    char *cpus;
    int rc;

    fputs("cpus = [", f);
    for (i = 0; i < plan->nr_vcpu_cores; i++) {
        rc = xln_cpumap_format(plan->vcpu_cores[i], &cpus);
        if (rc)
            return rc;
        fprintf(f, "%s\"%s\"", i ? ", " : "", cpus);
        free(cpus);
    }
    fputs("]\n", f);
    return 0;
}

int plan_emit_keys(const struct planned *d, FILE *f)
{
    const struct decision *decision = d->decision;
    int rc;

    fputs("# ", f);
    print_name(d->config->name, f);
    fputs(fits(d) ? "\n" : ": nothing fits\n", f);
    if (!fits(d))
        return 0;
    if (decision->pool && decision->pool->name)
        fprintf(f, "pool = \"%s\"\n", decision->pool->name);
    /* The list names the nodes. */
    rc = decision->vnuma ? vnuma_view_keys(decision->vnuma, f)
                         : print_nodes(d, f);
    return rc || !decision->plan->nr_vcpu_cores
               ? rc
               : print_cores(decision->plan, f);
}

/* ---- libvirt ---- */

/*
 * libvirt has one affinity, which binds. So it is that of the plan, or where
 * the configuration binds a vCPU what both allow, or the configuration's if
 * that is nothing.
 */
static int cpus_of_vcpu(const struct planned *d, unsigned vcpu,
                        struct xln_cpumap **cpus_r)
{
    const struct xln_plan *plan = d->decision->plan;
    const struct xln_cpumap *own = vcpu < d->need.nr_hard ? d->need.hard[vcpu]
                                                          : NULL;
    const struct xln_cpumap *planned =
        xln_cpumap_is_empty(plan->vcpu_cpus) ? plan->allowed_cpus
                                             : plan->vcpu_cpus;
    unsigned i;
    int rc;

    for (i = 0; d->decision->vnuma && i < d->decision->vnuma->nr; i++) {
        const struct xln_vnode *vnode = &d->decision->vnuma->list[i];

        if (xln_cpumap_test(vnode->vcpus, vcpu) &&
            !xln_cpumap_is_empty(vnode->cpus))
            planned = vnode->cpus;
    }
    if (vcpu < plan->nr_vcpu_cores)
        planned = plan->vcpu_cores[vcpu];
    rc = xln_cpumap_copy(planned, cpus_r);
    if (rc || !own)
        return rc;
    if (xln_cpumap_intersects(*cpus_r, own)) {
        xln_cpumap_and(*cpus_r, own);
    } else {
        xln_cpumap_zero(*cpus_r);
        xln_cpumap_or(*cpus_r, own);
    }
    return 0;
}

static int format_vcpu(const struct planned *d, unsigned vcpu, char **text_r)
{
    struct xln_cpumap *cpus = NULL;
    int rc = cpus_of_vcpu(d, vcpu, &cpus);

    if (!rc)
        rc = xln_cpumap_format(cpus, text_r);
    xln_cpumap_free(cpus);
    return rc;
}

static int print_pin(const struct planned *d, unsigned vcpu, FILE *f)
{
    char *cpus;
    int rc = format_vcpu(d, vcpu, &cpus);

    if (rc)
        return rc;
    fprintf(f, "  <vcpupin vcpu='%u' cpuset='%s'/>\n", vcpu, cpus);
    free(cpus);
    return 0;
}

/* If each vCPU has CPUs of its own, <vcpu> has those that all may use. */
static int print_vcpus(const struct planned *d, FILE *f)
{
    bool each = (d->config->hard.nr && !d->config->hard.of_all) ||
                d->decision->vnuma ||
                d->decision->plan->nr_vcpu_cores;
    unsigned vcpu;
    char *cpus;
    int rc;

    rc = each ? xln_cpumap_format(d->decision->plan->allowed_cpus, &cpus)
              : format_vcpu(d, 0, &cpus);
    if (rc)
        return rc;
    fprintf(f, "<vcpu placement='static' cpuset='%s'>%u</vcpu>\n", cpus,
            d->need.nr_vcpus);
    free(cpus);
    if (!each)
        return 0;
    fputs("<cputune>\n", f);
    for (vcpu = 0; vcpu < d->need.nr_vcpus && !rc; vcpu++)
        rc = print_pin(d, vcpu, f);
    fputs("</cputune>\n", f);
    return rc;
}

/* libvirt prefers one node only; "interleave" takes several in turn, and goes
 * elsewhere when they are full, as a plan does. */
static int print_memory(const struct planned *d, FILE *f)
{
    const struct xln_nodemap *nodes = d->decision->plan->nodes;
    char *set;
    int rc = xln_nodemap_format(nodes, &set);

    if (rc)
        return rc;
    fprintf(f, "<numatune>\n  <memory mode='%s' nodeset='%s'/>\n",
            d->decision->request->mode == XLN_MODE_STRICT ? "strict"
            : xln_nodemap_count(nodes) == 1     ? "preferred"
                                                : "interleave",
            set);
    free(set);
    if (d->decision->vnuma)
        rc = vnuma_view_memnodes(d->decision->vnuma, f);
    fputs("</numatune>\n", f);
    return rc;
}

int plan_emit_libvirt(const struct planned *d, FILE *f)
{
    int rc;

    fputs("<!-- ", f);
    print_name(d->config->name, f);
    fputs(fits(d) ? " -->\n" : ": nothing fits -->\n", f);
    if (!fits(d))
        return 0;
    rc = print_vcpus(d, f);
    if (!rc)
        rc = print_memory(d, f);
    return rc || !d->decision->vnuma
               ? rc
               : vnuma_view_cells(d->decision->vnuma, f);
}
