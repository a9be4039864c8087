/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "text/units.h"

#define PAGES_MIB(pages) ((double)(pages) / 256)

/* The text of a stream that open_memstream() made; NULL if there is no memory
 * for it: fclose() says so, or is silent and leaves NULL. */
static char *finish(FILE *f, char **text)
{
    if (!fclose(f))
        return *text;
    free(*text);
    return NULL;
}

/* "node 2" or "nodes 1-2"; NULL if there is no memory for it. */
static char *nodes_text(const struct xln_nodemap *nodes)
{
    char *set, *text;

    if (xln_nodemap_format(nodes, &set))
        return NULL;
    if (asprintf(&text, "node%s %s", xln_nodemap_count(nodes) == 1 ? "" : "s",
                 set) < 0)
        text = NULL;
    free(set);
    return text;
}

/* A part of a line for which there was no memory. */
static const char *or_unknown(const char *text)
{
    return text ? text : "?";
}

/* "vCPUs bound to a core each: 0-1, 4-5", in the order of the vCPUs. */
static char *cores_text(const struct xln_plan *plan)
{
    char *text = NULL, *cpus;
    unsigned i;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fputs("vCPUs bound to a core each: CPUs", f);
    for (i = 0; i < plan->nr_vcpu_cores; i++) {
        if (xln_cpumap_format(plan->vcpu_cores[i], &cpus))
            break;
        fprintf(f, "%s %s", i ? "," : "", cpus);
        free(cpus);
    }
    return finish(f, &text);
}

int explain_cpus(const struct xln_plan *plan, struct xln_cpumap **cpus_r)
{
    int rc = xln_cpumap_copy(plan->vcpu_cpus, cpus_r);

    if (!rc && xln_cpumap_intersects(*cpus_r, plan->allowed_cpus))
        xln_cpumap_and(*cpus_r, plan->allowed_cpus);
    return rc;
}

static int format_cpus(const struct xln_plan *plan, char **text_r)
{
    struct xln_cpumap *cpus;
    int rc = explain_cpus(plan, &cpus);

    if (rc)
        return rc;
    rc = xln_cpumap_format(cpus, text_r);
    xln_cpumap_free(cpus);
    return rc;
}

static char *vcpus_text(const struct xln_request *request,
                        const struct xln_plan *plan)
{
    char *cpus, *text;

    if (xln_cpumap_is_empty(plan->vcpu_cpus))
        return strdup("vCPUs as configured");
    if (plan->nr_vcpu_cores)
        return cores_text(plan);
    if (format_cpus(plan, &cpus))
        return NULL;
    if (asprintf(&text, "vCPUs %s CPUs %s",
                 request->vcpus_mode == XLN_VCPUS_HARD ? "bound to" : "prefer",
                 cpus) < 0)
        text = NULL;
    free(cpus);
    return text;
}

char *explain_plan(const struct xln_request *request,
                   const struct xln_need *need, const struct xln_plan *plan)
{
    char *nodes = nodes_text(plan->nodes), *vcpus = vcpus_text(request, plan);
    char *text;

    if (asprintf(&text, "%" PRIu64 " MiB and %u vCPU%s: memory from %s, %s",
                 IN_MIB(plan->need_bytes), need->nr_vcpus,
                 need->nr_vcpus == 1 ? "" : "s", or_unknown(nodes),
                 or_unknown(vcpus)) < 0)
        text = NULL;
    free(nodes);
    free(vcpus);
    return text;
}

/* What stays of a set that holds what is needed. */
static uint64_t left_over(const struct xln_plan *plan,
                          const struct xln_candidate *c)
{
    return c->usable_bytes > plan->need_bytes
               ? c->usable_bytes - plan->need_bytes
               : 0;
}

/* ", 0.50 vCPUs per CPU"; "" where the policy does not look at it. */
static void append_load(FILE *f, const struct xln_request *request,
                        const struct xln_candidate *c)
{
    if (xln_policy_uses_load(request->policy) && c->nr_cpus)
        fprintf(f, ", beside %.2f vCPUs per CPU",
                (double)c->load / (double)XLN_LOAD_ONE / c->nr_cpus);
}

static char *reason_auto(const struct xln_request *request,
                         const struct xln_plan *plan)
{
    char *next = plan->next.nodes ? nodes_text(plan->next.nodes) : NULL;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f) {
        free(next);
        return NULL;
    }
    fprintf(f, "%s fit among %s%u that fit: leaves %" PRIu64 " MiB",
            xln_policy_name(request->policy),
            plan->counted_all ? "" : "at least ", plan->nr_fitting,
            IN_MIB(left_over(plan, &plan->chosen)));
    append_load(f, request, &plan->chosen);
    if (next) {
        fprintf(f, "; next is %s with %" PRIu64 " MiB", next,
                IN_MIB(left_over(plan, &plan->next)));
        append_load(f, request, &plan->next);
    } else {
        fputs("; nothing else fits", f);
    }
    if (plan->relaxed & XLN_RELAXED_DMA)
        fputs("; takes from what is kept for DMA", f);
    if (plan->relaxed & XLN_RELAXED_CPUS)
        fputs(request->whole_cores ? "; fewer cores there than vCPUs"
                                   : "; fewer CPUs there than vCPUs", f);
    free(next);
    return finish(f, &text);
}

char *explain_reason(const struct xln_request *request,
                     const struct xln_plan *plan)
{
    if (plan->relaxed & XLN_RELAXED_MEMORY)
        return strdup(plan->named ? "the nodes are named, but too small"
                                  : "no set of nodes fits: most of it goes "
                                    "where most is free");
    if (plan->named)
        return strdup("the nodes are named");
    return reason_auto(request, plan);
}

char *explain_search(const struct xln_plan *plan)
{
    const struct xln_bound *bound = &plan->bound;
    char *text = NULL;
    size_t size;
    FILE *f;

    if (plan->exact)
        return NULL;
    f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    fputs("heuristic: there may be a better set of nodes", f);
    if (bound->nr_nodes > 1)
        fprintf(f, "; none of fewer than %u fits", bound->nr_nodes);
    if (bound->nr_nodes == xln_nodemap_count(plan->nodes) &&
        bound->distance_max)
        fprintf(f, ", and none has a largest distance below %u",
                bound->distance_max);
    return finish(f, &text);
}

static unsigned nearest_distance(const struct xln_host *host,
                                 const struct xln_nodemap *from,
                                 const struct xln_nodemap *to)
{
    unsigned i, j, distance, least = XLN_NONE;

    XLN_FOREACH(xln_nodemap, i, from)
        XLN_FOREACH(xln_nodemap, j, to) {
            distance = xln_host_distance(host, i, j);
            if (distance < least)
                least = distance;
        }
    return least;
}

/* "on node 3, which the plan has", "on nodes 2-3, of which the plan has 3",
 * "on node 3, which the plan has not". */
static void append_overlap(FILE *f, const struct xln_nodemap *nodes,
                           const struct xln_plan *plan)
{
    struct xln_nodemap *common = NULL;
    char *all = nodes_text(nodes), *set = NULL;

    if (!xln_nodemap_copy(nodes, &common)) {
        xln_nodemap_and(common, plan->nodes);
        if (xln_nodemap_format(common, &set))
            set = NULL;
    }
    fprintf(f, "on %s, ", or_unknown(all));
    if (!xln_nodemap_intersects(nodes, plan->nodes))
        fputs("which the plan has not", f);
    else if (xln_nodemap_is_subset(nodes, plan->nodes))
        fputs("which the plan has", f);
    else
        fprintf(f, "of which the plan has %s", or_unknown(set));
    xln_nodemap_free(common);
    free(all);
    free(set);
}

static void append_devices(FILE *f, const struct xln_host *host,
                           const struct xln_need *need,
                           const struct xln_plan *plan)
{
    unsigned distance;

    fputs("PCI devices are ", f);
    append_overlap(f, need->device_nodes, plan);
    if (xln_nodemap_intersects(need->device_nodes, plan->nodes))
        return;
    distance = nearest_distance(host, need->device_nodes, plan->nodes);
    if (distance != XLN_NONE)
        fprintf(f, ", distance %u", distance);
}

char *explain_preferred(const struct xln_host *host,
                        const struct xln_request *request,
                        const struct xln_need *need,
                        const struct xln_plan *plan)
{
    const char *separator = "";
    char *text = NULL;
    size_t size;
    FILE *f;

    if (!need->device_nodes && !need->with_nodes && !need->apart_nodes)
        return NULL;
    f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    if (need->device_nodes) {
        append_devices(f, host, need, plan);
        separator = "; ";
    }
    if (need->with_nodes) {
        fprintf(f, "%swith '%s', ", separator, request->with);
        append_overlap(f, need->with_nodes, plan);
        separator = "; ";
    }
    if (need->apart_nodes) {
        fprintf(f, "%sapart from '%s', ", separator, request->apart);
        append_overlap(f, need->apart_nodes, plan);
    }
    return finish(f, &text);
}

static void append_vnode(FILE *f, const struct xln_vnode *vnode)
{
    char *vcpus = NULL;
    unsigned nr = xln_cpumap_count(vnode->vcpus);

    if (nr && xln_cpumap_format(vnode->vcpus, &vcpus))
        return;
    fprintf(f, "node %u with %" PRIu64 " MiB and %s%s", vnode->node,
            IN_MIB(vnode->bytes), nr == 0   ? "no vCPU"
                               : nr == 1 ? "vCPU "
                                         : "vCPUs ",
            vcpus ? vcpus : "");
    free(vcpus);
}

char *explain_vnuma(const struct xln_vnuma *vnuma)
{
    char *text = NULL;
    unsigned i;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fprintf(f, "%u virtual nodes: ", vnuma->nr);
    for (i = 0; i < vnuma->nr; i++) {
        if (i)
            fputs(", ", f);
        append_vnode(f, &vnuma->list[i]);
    }
    return finish(f, &text);
}

char *explain_unbound(unsigned vcpu, const struct xln_cpumap *cpus)
{
    char *set, *text;

    if (xln_cpumap_format(cpus, &set))
        return NULL;
    if (asprintf(&text, "cpus=: vCPU %u may run on no CPU of this host that is "
                 "in the domain's pool: expected some of CPUs %s", vcpu,
                 set) < 0)
        text = NULL;
    free(set);
    return text;
}

char *explain_no_cores(const struct xln_host *host,
                       const struct xln_need *need,
                       const struct xln_plan *plan)
{
    const struct xln_nodemap *among = xln_nodemap_is_empty(plan->vcpu_nodes)
                                          ? xln_host_nodes(host)
                                          : plan->vcpu_nodes;
    char *nodes = nodes_text(among), *text;
    bool enough = plan->nr_free_cores >= need->nr_vcpus;

    if (asprintf(&text, "nodes_cpus=\"core\": %u vCPU%s need%s a free core%s, "
                 "%s %s %u free%s", need->nr_vcpus,
                 need->nr_vcpus == 1 ? "" : "s",
                 need->nr_vcpus == 1 ? "s" : "",
                 need->nr_vcpus == 1 ? "" : " each", or_unknown(nodes),
                 xln_nodemap_count(among) == 1 ? "has" : "have",
                 plan->nr_free_cores,
                 enough          ? ", but not within each one's cpus="
                 : need->nr_hard ? " within cpus="
                                 : "") < 0)
        text = NULL;
    free(nodes);
    return text;
}

char *explain_no_vnuma(const struct xln_request *request,
                       const struct xln_plan *plan, int error)
{
    const char *why = error == -E2BIG
                          ? "a guest can have 32 virtual nodes at most"
                      : error == -EMSGSIZE
                          ? "the first virtual node is smaller than the video "
                            "memory, which is to be in it"
                          : "they have not the memory that their virtual nodes "
                            "need";
    char *nodes = nodes_text(plan->nodes), *text;

    if (asprintf(&text, "vnuma=\"%s\" over %s: %s",
                 request->vnuma == XLN_VNUMA_HOST ? "host" : "auto",
                 or_unknown(nodes), why) < 0)
        text = NULL;
    free(nodes);
    return text;
}

/* "node 2 has 949 MiB free (885 MiB usable; Domain-0 holds 12 MiB there)" */
static void append_node(FILE *f, const struct xln_host *host, unsigned node,
                        const struct xln_request *request,
                        const struct xln_residency_domain *dom0)
{
    const struct xln_host_node *n = xln_host_node(host, node);

    if (!n->total_bytes) {
        fprintf(f, "node %u has no memory", node);
        return;
    }
    fprintf(f, "node %u has %" PRIu64 " MiB free, %" PRIu64 " MiB usable",
            node, IN_MIB(n->free_bytes),
            IN_MIB(xln_host_node_usable(n, true, request->dma_reserve_bytes)));
    if (dom0)
        fprintf(f, " (Domain-0 holds %.0f MiB there)",
                PAGES_MIB(dom0->pages[node]));
}

char *explain_shortage(const struct xln_host *host,
                       const struct xln_request *request,
                       const struct xln_plan *plan,
                       const struct populate *built,
                       const struct xln_residency *residency)
{
    bool strict = request->mode == XLN_MODE_STRICT;
    const struct xln_nodemap *nodes = strict ? plan->nodes
                                             : xln_host_nodes(host);
    const struct xln_residency_domain *dom0 =
        residency ? xln_residency_domain(residency, 0) : NULL;
    char *text = NULL, *set = nodes_text(nodes);
    const char *separator = "; ";
    uint64_t granted = populate_granted(built, NULL);
    size_t size;
    unsigned node;
    FILE *f = open_memstream(&text, &size);

    if (!f) {
        free(set);
        return NULL;
    }
    fprintf(f, "%s%" PRIu64 " MiB needed, not to be had from %s",
            strict ? "nodes_mode=\"strict\": " : "", IN_MIB(plan->need_bytes),
            or_unknown(set));
    if (granted)
        fprintf(f, ", which ended at %.1f MiB", PAGES_MIB(granted));
    XLN_FOREACH(xln_nodemap, node, nodes) {
        fputs(separator, f);
        append_node(f, host, node, request, dom0);
        separator = ", ";
    }
    free(set);
    return finish(f, &text);
}

char *explain_remote(const struct xln_host *host,
                     const struct xln_request *request,
                     const struct xln_plan *plan)
{
    const struct xln_cpumap *cpus = plan->allowed_cpus;
    struct xln_nodemap *cpu_nodes = NULL;
    char *text = NULL, *memory = NULL, *run = NULL, *set = NULL;
    char away[16];
    unsigned distance;

    if (!plan->named || request->mem_nodes ||
        xln_host_nodes_of_cpus(host, cpus, &cpu_nodes) ||
        xln_nodemap_is_empty(cpu_nodes) ||
        xln_nodemap_intersects(cpu_nodes, plan->nodes))
        goto out;
    memory = nodes_text(plan->nodes);
    run = nodes_text(cpu_nodes);
    if (xln_cpumap_format(cpus, &set))
        goto out;
    distance = nearest_distance(host, cpu_nodes, plan->nodes);
    if (distance == XLN_NONE)
        strcpy(away, "unknown");
    else
        snprintf(away, sizeof(away), "%u", distance);
    if (asprintf(&text,
                 "memory on %s is remote: the vCPUs may only run on CPUs %s "
                 "(%s), distance %s",
                 or_unknown(memory), set, or_unknown(run), away) < 0)
        text = NULL;

 out:
    xln_nodemap_free(cpu_nodes);
    free(memory);
    free(run);
    free(set);
    return text;
}

char *explain_overflow(const struct xln_plan *plan)
{
    uint64_t away = 0;
    char *text = NULL, *set;
    size_t size;
    unsigned i;
    FILE *f;

    for (i = plan->nr_own; i < plan->nr_shares; i++)
        away += plan->shares[i].bytes;
    if (!away)
        return NULL;
    set = nodes_text(plan->nodes);
    f = open_memstream(&text, &size);
    if (!f) {
        free(set);
        return NULL;
    }
    fprintf(f, "%" PRIu64 " of %" PRIu64 " MiB do not fit on %s:", IN_MIB(away),
            IN_MIB(plan->need_bytes), or_unknown(set));
    for (i = plan->nr_own; i < plan->nr_shares; i++)
        fprintf(f, "%s %" PRIu64 " MiB to node %u", i > plan->nr_own ? "," : "",
                IN_MIB(plan->shares[i].bytes), plan->shares[i].node);
    free(set);
    return finish(f, &text);
}

char *explain_spill(const struct xln_plan *plan, const struct populate *built)
{
    uint64_t total = populate_granted(built, NULL);
    uint64_t away = total - populate_granted(built, plan->nodes);
    const char *separator = ":";
    char *text = NULL, *set;
    size_t size;
    unsigned i;
    FILE *f;

    if (!away)
        return NULL;
    set = nodes_text(plan->nodes);
    f = open_memstream(&text, &size);
    if (!f) {
        free(set);
        return NULL;
    }
    fprintf(f, "%.1f of %.1f MiB did not fit on %s", PAGES_MIB(away),
            PAGES_MIB(total), or_unknown(set));
    for (i = 0; i < built->nr_nodes; i++) {
        if (!built->nodes[i].granted_pages ||
            xln_nodemap_test(plan->nodes, built->nodes[i].node))
            continue;
        fprintf(f, "%s %.1f MiB went to node %u", separator,
                PAGES_MIB(built->nodes[i].granted_pages),
                built->nodes[i].node);
        separator = ",";
    }
    free(set);
    return finish(f, &text);
}
