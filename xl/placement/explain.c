/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "line.h"
#include "text/units.h"

/* For more nodes than this, an explanation has the sum. */
#define EACH_MAX 8

#define PAGES_MIB(pages) ((double)(pages) / 256)

/* There is nothing of the kind. */
static char *nothing(void)
{
    return strdup("");
}

/* "vCPUs bound to a core each: CPUs 0-1, 4-5", in the order of the vCPUs. */
static void line_cores(struct line *line, const struct xln_request *request,
                       const struct xln_plan *plan)
{
    bool threads = request->vcpus_mode == XLN_VCPUS_THREAD;
    unsigned i;

    line_add(line, "vCPUs bound to a %s each: CPUs",
             threads ? "thread" : "core");
    for (i = 0; i < plan->nr_vcpu_cores; i++) {
        line_add(line, i ? ", " : " ");
        line_cpus(line, plan->vcpu_cores[i]);
    }
}

static void line_vcpus(struct line *line, const struct xln_request *request,
                       const struct xln_need *need, const struct xln_plan *plan)
{
    struct xln_cpumap *cpus;
    bool bound;

    if (xln_cpumap_is_empty(plan->vcpu_cpus)) {
        line_add(line, "vCPUs as configured");
    } else if (plan->nr_vcpu_cores) {
        line_cores(line, request, plan);
    } else if (explain_cpus(need, plan, &cpus, &bound)) {
        line_fail(line);
    } else {
        bound = bound || request->vcpus_mode == XLN_VCPUS_HARD;
        line_add(line, "vCPUs %s CPUs ", bound ? "bound to" : "prefer");
        line_cpus(line, cpus);
        xln_cpumap_free(cpus);
    }
}

char *explain_plan(const struct xln_request *request,
                   const struct xln_need *need, const struct xln_plan *plan)
{
    struct line line;

    line_add(line_begin(&line),
             "%" PRIu64 " MiB and %u vCPU%s: memory from ",
             IN_MIB(plan->need_bytes), need->nr_vcpus,
             need->nr_vcpus == 1 ? "" : "s");
    line_nodes(&line, plan->nodes);
    line_add(&line, ", ");
    line_vcpus(&line, request, need, plan);
    return line_end(&line);
}

/* The part of a set that is left after the need. */
static uint64_t left_over(const struct xln_plan *plan,
                          const struct xln_candidate *c)
{
    return c->usable_bytes > plan->need_bytes
               ? c->usable_bytes - plan->need_bytes
               : 0;
}

/* " at 0.50 vCPUs per CPU"; "" where the policy does not look at it. */
static void line_load(struct line *line, const struct xln_request *request,
                      const struct xln_candidate *c)
{
    if (xln_policy_uses_load(request->policy) && c->nr_cpus)
        line_add(line, " at %.2f vCPUs per CPU",
                 (double)c->load / (double)XLN_LOAD_ONE / c->nr_cpus);
}

static void line_next(struct line *line, const struct xln_request *request,
                      const struct xln_plan *plan)
{
    if (!plan->next.nodes)
        return;
    line_add(line, "; next is ");
    line_nodes(line, plan->next.nodes);
    line_add(line, " with %" PRIu64 " MiB",
             IN_MIB(left_over(plan, &plan->next)));
    line_load(line, request, &plan->next);
}

static char *reason_auto(const struct xln_request *request,
                         const struct xln_plan *plan)
{
    struct line line;

    line_begin(&line);
    if (plan->counted_all && plan->nr_fitting == 1)
        line_add(&line, "only one set of nodes fits");
    else
        line_add(&line, "%s fit among %s%u that fit",
                 xln_policy_name(request->policy),
                 plan->counted_all ? "" : "at least ", plan->nr_fitting);
    line_add(&line, ": leaves %" PRIu64 " MiB",
             IN_MIB(left_over(plan, &plan->chosen)));
    line_load(&line, request, &plan->chosen);
    line_next(&line, request, plan);
    if (plan->relaxed & XLN_RELAXED_DMA)
        line_add(&line, "; uses memory that is kept for DMA");
    if (plan->relaxed & XLN_RELAXED_CPUS)
        line_add(&line, "; fewer %s there than vCPUs",
                 request->whole_cores ? "cores" : "CPUs");
    return line_end(&line);
}

char *explain_reason(const struct xln_request *request,
                     const struct xln_plan *plan)
{
    if (plan->relaxed & XLN_RELAXED_MEMORY)
        return strdup(plan->named ? "the nodes are named, but too small"
                                  : "no set of nodes fits: the plan uses the "
                                    "set with most memory");
    if (plan->named)
        return strdup("the nodes are named");
    return reason_auto(request, plan);
}

char *explain_search(const struct xln_plan *plan)
{
    const struct xln_bound *bound = &plan->bound;
    struct line line;

    if (plan->exact)
        return nothing();
    line_add(line_begin(&line),
             "heuristic: there may be a better set of nodes");
    if (bound->nr_nodes > 1)
        line_add(&line, "; no set of fewer than %u nodes fits",
                 bound->nr_nodes);
    if (bound->nr_nodes == xln_nodemap_count(plan->nodes) &&
        bound->distance_max)
        line_add(&line, ", and none has a largest distance below %u",
                 bound->distance_max);
    return line_end(&line);
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

/* "on node 3, which the plan uses", "on nodes 2-3, of which the plan uses 3",
 * "on node 3, which the plan does not use". */
static void line_overlap(struct line *line, const struct xln_nodemap *nodes,
                         const struct xln_plan *plan)
{
    struct xln_nodemap *common;

    line_add(line, "on ");
    line_nodes(line, nodes);
    if (!xln_nodemap_intersects(nodes, plan->nodes)) {
        line_add(line, ", which the plan does not use");
    } else if (xln_nodemap_is_subset(nodes, plan->nodes)) {
        line_add(line, ", which the plan uses");
    } else if (xln_nodemap_copy(nodes, &common)) {
        line_fail(line);
    } else {
        xln_nodemap_and(common, plan->nodes);
        line_add(line, ", of which the plan uses ");
        line_node_set(line, common);
        xln_nodemap_free(common);
    }
}

static void line_devices(struct line *line, const struct xln_host *host,
                         const struct xln_need *need,
                         const struct xln_plan *plan)
{
    unsigned distance;

    line_add(line, "PCI devices are ");
    line_overlap(line, need->device_nodes, plan);
    if (xln_nodemap_intersects(need->device_nodes, plan->nodes))
        return;
    distance = nearest_distance(host, need->device_nodes, plan->nodes);
    if (distance != XLN_NONE)
        line_add(line, ", distance %u", distance);
}

char *explain_preferred(const struct xln_host *host,
                        const struct xln_request *request,
                        const struct xln_need *need,
                        const struct xln_plan *plan)
{
    const char *separator = "";
    struct line line;

    if (!need->device_nodes && !need->with_nodes && !need->apart_nodes)
        return nothing();
    line_begin(&line);
    if (need->device_nodes) {
        line_devices(&line, host, need, plan);
        separator = "; ";
    }
    if (need->with_nodes) {
        line_add(&line, "%swith '%s', ", separator, request->with);
        line_overlap(&line, need->with_nodes, plan);
        separator = "; ";
    }
    if (need->apart_nodes) {
        line_add(&line, "%sapart from '%s', ", separator, request->apart);
        line_overlap(&line, need->apart_nodes, plan);
    }
    return line_end(&line);
}

static void line_vnode(struct line *line, const struct xln_vnode *vnode)
{
    unsigned nr = xln_cpumap_count(vnode->vcpus);

    line_add(line, "node %u with %" PRIu64 " MiB and %s", vnode->node,
             IN_MIB(vnode->bytes), nr == 0   ? "no vCPU"
                                   : nr == 1 ? "vCPU "
                                             : "vCPUs ");
    if (nr)
        line_cpus(line, vnode->vcpus);
}

char *explain_vnuma(const struct xln_vnuma *vnuma)
{
    struct line line;
    unsigned i;

    line_add(line_begin(&line), "%u virtual nodes: ", vnuma->nr);
    for (i = 0; i < vnuma->nr; i++) {
        if (i)
            line_add(&line, ", ");
        line_vnode(&line, &vnuma->list[i]);
    }
    return line_end(&line);
}

/* The virtual nodes on the node of `vnode`; false: it is alone there, or not
 * the first. */
static bool find_sharing(const struct xln_vnuma *vnuma, unsigned vnode,
                         struct xln_nodemap *sharing)
{
    unsigned i;

    xln_nodemap_zero(sharing);
    for (i = 0; i < vnuma->nr; i++)
        if (vnuma->list[i].node == vnuma->list[vnode].node)
            xln_nodemap_set(sharing, i);
    return xln_nodemap_next(sharing, 0) == vnode &&
           xln_nodemap_count(sharing) > 1;
}

char *explain_shared_vnodes(const struct xln_vnuma *vnuma)
{
    struct xln_nodemap *sharing;
    const char *separator = "";
    struct line line;
    unsigned i;

    line_begin(&line);
    if (xln_nodemap_new(vnuma->nr, &sharing)) {
        line_fail(&line);
        return line_end(&line);
    }
    for (i = 0; i < vnuma->nr; i++) {
        if (!find_sharing(vnuma, i, sharing))
            continue;
        line_add(&line, "%svirtual nodes ", separator);
        line_node_set(&line, sharing);
        line_add(&line, " share node %u", vnuma->list[i].node);
        separator = ", ";
    }
    xln_nodemap_free(sharing);
    return line_end(&line);
}

/* Why the free ones do not suffice. */
static const char *no_use(const struct xln_need *need,
                          const struct xln_plan *plan, unsigned nr_needed,
                          bool threads)
{
    if (plan->nr_free_cores < nr_needed)
        return need->nr_hard ? " within cpus=" : "";
    if (!threads)
        return ", but not within each one's cpus=";
    return need->nr_hard ? ", but not siblings within each one's cpus="
                         : ", but not all siblings";
}

char *explain_no_cores(const struct xln_host *host,
                       const struct xln_request *request,
                       const struct xln_need *need,
                       const struct xln_plan *plan)
{
    const struct xln_nodemap *among = xln_nodemap_is_empty(plan->vcpu_nodes)
                                          ? xln_host_nodes(host)
                                          : plan->vcpu_nodes;
    unsigned size = xln_host_unit_size(host, need->pool_cpus);
    unsigned nr_cores = (need->nr_vcpus + size - 1) / size;
    bool by_thread = request->vcpus_mode == XLN_VCPUS_THREAD;
    bool threads = by_thread && size == 1;
    bool one = need->nr_vcpus == 1;
    struct line line;

    line_add(line_begin(&line), "nodes_cpus=\"%s\": %u vCPU%s need%s a free "
             "%s%s, ", by_thread ? "thread" : "core", need->nr_vcpus,
             one ? "" : "s", one ? "s" : "", threads ? "thread" : "core",
             one ? "" : size > 1 ? " for each scheduling unit" : " each");
    line_nodes(&line, among);
    line_add(&line, " %s %u free%s",
             xln_nodemap_count(among) == 1 ? "has" : "have",
             plan->nr_free_cores, no_use(need, plan, nr_cores, threads));
    return line_end(&line);
}

/* "node 2 has 949 MiB free (885 MiB usable; Domain-0 holds 12 MiB there)" */
static void line_room(struct line *line, const struct xln_host *host,
                      unsigned node, const struct xln_request *request,
                      const struct xln_residency_domain *dom0)
{
    const struct xln_host_node *n = xln_host_node(host, node);

    if (!n->total_bytes) {
        line_add(line, "node %u has no memory", node);
        return;
    }
    line_add(line, "node %u has %" PRIu64 " MiB free, %" PRIu64 " MiB usable",
             node, IN_MIB(n->free_bytes),
             IN_MIB(xln_host_node_usable(n, true,
                                         request->dma_reserve_bytes)));
    if (dom0)
        line_add(line, " (Domain-0 holds %.0f MiB there)",
                 PAGES_MIB(dom0->pages[node]));
}

/* "16 nodes have 949 MiB free, 885 MiB usable, from 12 MiB on node 3 to ..." */
static void line_sum(struct line *line, const struct xln_host *host,
                     const struct xln_nodemap *nodes,
                     const struct xln_request *request)
{
    uint64_t free_bytes = 0, usable = 0, least = UINT64_MAX, most = 0, bytes;
    unsigned node, least_node = 0, most_node = 0, nr = 0;

    XLN_FOREACH(xln_nodemap, node, nodes) {
        const struct xln_host_node *n = xln_host_node(host, node);

        if (!n->total_bytes)
            continue;
        nr++;
        bytes = xln_host_node_usable(n, true, request->dma_reserve_bytes);
        free_bytes += n->free_bytes;
        usable += bytes;
        if (bytes < least) {
            least = bytes;
            least_node = node;
        }
        if (nr == 1 || bytes > most) {
            most = bytes;
            most_node = node;
        }
    }
    line_add(line, "%u nodes have %" PRIu64 " MiB free, %" PRIu64 " MiB usable",
             nr, IN_MIB(free_bytes), IN_MIB(usable));
    if (nr && IN_MIB(least) == IN_MIB(most))
        line_add(line, ": %" PRIu64 " MiB on each", IN_MIB(least));
    else if (nr)
        line_add(line, ": from %" PRIu64 " MiB on node %u to %" PRIu64 " MiB on "
                 "node %u; 'xl numa-info' shows each", IN_MIB(least),
                 least_node, IN_MIB(most), most_node);
}

/* Each of a few nodes, or the sum of many. */
static void line_rooms(struct line *line, const struct xln_host *host,
                       const struct xln_nodemap *nodes,
                       const struct xln_request *request,
                       const struct xln_residency_domain *dom0)
{
    const char *separator = "";
    unsigned node;

    if (xln_nodemap_count(nodes) > EACH_MAX) {
        line_sum(line, host, nodes, request);
        return;
    }
    XLN_FOREACH(xln_nodemap, node, nodes) {
        line_add(line, "%s", separator);
        line_room(line, host, node, request, dom0);
        separator = ", ";
    }
}

char *explain_rooms(const struct xln_host *host,
                    const struct xln_nodemap *nodes,
                    const struct xln_request *request)
{
    struct line line;

    line_rooms(line_begin(&line), host, nodes, request, NULL);
    return line_end(&line);
}

/* "4500 MiB needed on each; node 0 has 8192 MiB free, ..." */
static void line_each(struct line *line, const struct xln_host *host,
                      const struct xln_request *request,
                      const struct xln_need *need,
                      const struct xln_plan *plan)
{
    bool host_copy = request->vnuma == XLN_VNUMA_HOST;
    unsigned nr = xln_nodemap_count(plan->nodes);

    line_add(line, "%" PRIu64 " MiB needed%s; ",
             IN_MIB(host_copy && nr ? need->memory_bytes / nr
                                    : need->memory_bytes),
             host_copy ? " on each" : "");
    line_rooms(line, host, plan->nodes, request, NULL);
}

char *explain_no_vnuma(const struct xln_host *host,
                       const struct xln_request *request,
                       const struct xln_need *need,
                       const struct xln_plan *plan, int error)
{
    struct line line;

    line_add(line_begin(&line), "vnuma=\"%s\" over ",
             request->vnuma == XLN_VNUMA_HOST ? "host" : "auto");
    line_nodes(&line, plan->nodes);
    line_add(&line, ": ");
    if (error == -E2BIG)
        line_add(&line, "a guest can have 32 virtual nodes at most");
    else if (error == -EMSGSIZE)
        line_add(&line, "the first virtual node is smaller than the video "
                        "memory, which must fit into it");
    else
        line_each(&line, host, request, need, plan);
    return line_end(&line);
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
    uint64_t granted = populate_granted(built, NULL);
    struct line line;

    line_add(line_begin(&line), "%s%" PRIu64 " MiB needed, not available from ",
             strict ? "nodes_mode=\"strict\": " : "",
             IN_MIB(plan->need_bytes));
    line_nodes(&line, nodes);
    if (granted)
        line_add(&line, ", which ended at %.1f MiB", PAGES_MIB(granted));
    line_add(&line, "; ");
    line_rooms(&line, host, nodes, request, dom0);
    return line_end(&line);
}

/* ---- memory that is remote ---- */

/* Some vCPUs, and the CPUs that they may use. */
struct remote {
    struct xln_cpumap *vcpus, *cpus;
    struct xln_nodemap *nodes;          /* of the CPUs */
};

/* Whether these CPUs are on other nodes than the memory, and none is nearest
 * to it. */
static int are_remote(const struct xln_host *host, const struct xln_plan *plan,
                      const struct xln_cpumap *cpus, bool *remote_r)
{
    struct xln_nodemap *nodes = NULL, *homes = NULL;
    int rc = xln_host_nodes_of_cpus(host, cpus, &nodes);

    if (!rc)
        rc = xln_host_homes_of_cpus(host, cpus, &homes);
    if (!rc)
        *remote_r = !xln_nodemap_is_empty(nodes) &&
                    !xln_nodemap_intersects(nodes, plan->nodes) &&
                    !xln_nodemap_intersects(homes, plan->nodes);
    xln_nodemap_free(nodes);
    xln_nodemap_free(homes);
    return rc;
}

/* Add a vCPU, if it can run on none of the CPUs near the memory. */
static int add_remote(const struct xln_host *host, const struct xln_need *need,
                      const struct xln_plan *plan, unsigned vcpu,
                      struct remote *remote)
{
    const struct xln_cpumap *own = vcpu < need->nr_hard ? need->hard[vcpu]
                                                        : NULL;
    struct xln_cpumap *cpus;
    bool is_remote = false;
    int rc = xln_cpumap_copy(plan->allowed_cpus, &cpus);

    if (rc)
        return rc;
    if (own)
        xln_cpumap_and(cpus, own);
    rc = are_remote(host, plan, cpus, &is_remote);
    if (is_remote) {
        xln_cpumap_set(remote->vcpus, vcpu);
        xln_cpumap_or(remote->cpus, cpus);
    }
    xln_cpumap_free(cpus);
    return rc;
}

static int find_remote(const struct xln_host *host, const struct xln_need *need,
                       const struct xln_plan *plan, struct remote *remote)
{
    unsigned vcpu;
    int rc = xln_cpumap_new(need->nr_vcpus, &remote->vcpus);

    if (!rc)
        rc = xln_cpumap_copy(plan->allowed_cpus, &remote->cpus);
    if (rc)
        return rc;
    xln_cpumap_zero(remote->cpus);
    for (vcpu = 0; vcpu < need->nr_vcpus && !rc; vcpu++)
        rc = add_remote(host, need, plan, vcpu, remote);
    return rc ? rc
              : xln_host_nodes_of_cpus(host, remote->cpus, &remote->nodes);
}

/* "memory on node 2 is remote: the vCPUs may only run on CPUs 0-1 (node 0),
 * distance 31", "... is remote to vCPU 0, which may ..." */
static void line_remote(struct line *line, const struct xln_host *host,
                        const struct xln_need *need,
                        const struct xln_plan *plan,
                        const struct remote *remote)
{
    unsigned nr = xln_cpumap_count(remote->vcpus);
    unsigned distance = nearest_distance(host, remote->nodes, plan->nodes);

    line_add(line, "memory on ");
    line_nodes(line, plan->nodes);
    if (nr == need->nr_vcpus) {
        line_add(line, " is remote: the vCPUs");
    } else {
        line_add(line, " is remote to vCPU%s ", nr == 1 ? "" : "s");
        line_cpus(line, remote->vcpus);
        line_add(line, ", which");
    }
    line_add(line, " may only run on CPUs ");
    line_cpus(line, remote->cpus);
    line_add(line, " (");
    line_nodes(line, remote->nodes);
    if (distance == XLN_NONE)
        line_add(line, "), distance unknown");
    else
        line_add(line, "), distance %u", distance);
}

char *explain_remote(const struct xln_host *host,
                     const struct xln_request *request,
                     const struct xln_need *need, const struct xln_plan *plan,
                     bool each)
{
    struct remote remote = { NULL, NULL, NULL };
    struct line line;
    unsigned nr;

    if (!plan->named || request->mem_nodes)
        return nothing();
    line_begin(&line);
    if (find_remote(host, need, plan, &remote)) {
        line_fail(&line);
    } else {
        nr = xln_cpumap_count(remote.vcpus);
        if (nr && (each || nr == need->nr_vcpus))
            line_remote(&line, host, need, plan, &remote);
    }
    xln_cpumap_free(remote.vcpus);
    xln_cpumap_free(remote.cpus);
    xln_nodemap_free(remote.nodes);
    return line_end(&line);
}

char *explain_overflow(const struct xln_plan *plan)
{
    struct line line;
    uint64_t away = 0;
    unsigned i;

    for (i = plan->nr_own; i < plan->nr_shares; i++)
        away += plan->shares[i].bytes;
    if (!away)
        return nothing();
    line_add(line_begin(&line), "%" PRIu64 " of %" PRIu64 " MiB do not fit on ",
             IN_MIB(away), IN_MIB(plan->need_bytes));
    line_nodes(&line, plan->nodes);
    for (i = plan->nr_own; i < plan->nr_shares; i++)
        line_add(&line, "%s %" PRIu64 " MiB to node %u",
                 i > plan->nr_own ? "," : ":", IN_MIB(plan->shares[i].bytes),
                 plan->shares[i].node);
    return line_end(&line);
}

char *explain_spill(const struct xln_plan *plan, const struct populate *built)
{
    uint64_t total = populate_granted(built, NULL);
    uint64_t away = total - populate_granted(built, plan->nodes);
    const char *separator = ":";
    struct line line;
    unsigned i;

    if (!away)
        return nothing();
    line_add(line_begin(&line), "%.1f of %.1f MiB did not fit on ",
             PAGES_MIB(away), PAGES_MIB(total));
    line_nodes(&line, plan->nodes);
    for (i = 0; i < built->nr_nodes; i++) {
        if (!built->nodes[i].granted_pages ||
            xln_nodemap_test(plan->nodes, built->nodes[i].node))
            continue;
        line_add(&line, "%s %.1f MiB went to node %u", separator,
                 PAGES_MIB(built->nodes[i].granted_pages),
                 built->nodes[i].node);
        separator = ",";
    }
    return line_end(&line);
}

char *explain_vnode_spill(const struct populate_vnodes *vnodes, unsigned vnode,
                          unsigned node)
{
    uint64_t away = populate_vnodes_granted(vnodes, vnode, node);
    struct line line;

    if (!away)
        return nothing();
    line_add(line_begin(&line), "%.1f of %.1f MiB of virtual node %u did not "
             "fit on node %u, and went to others", PAGES_MIB(away),
             PAGES_MIB(populate_vnodes_granted(vnodes, vnode, XLN_NONE)),
             vnode, node);
    return line_end(&line);
}
