/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plan and its result in words. Each function returns one malloc'd line: ""
 * if there is nothing to report, NULL if there is no memory for it.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <libxl_numa.h>

#include "populate.h"
#include "populate_vnodes.h"

/* The plan: "memory from node 2, vCPUs prefer CPUs 4-5". */
char *explain_plan(const struct xln_request *request,
                   const struct xln_need *need, const struct xln_plan *plan);

/* The CPUs in that line: of the plan's those that a vCPU's own hard affinity
 * allows, or all of its own where it allows none of them. *apart_r: it is so
 * for every vCPU, and they are bound whatever the plan says. Empty if the plan
 * leaves the vCPUs as they are. */
int explain_cpus(const struct xln_need *need, const struct xln_plan *plan,
                 struct xln_cpumap **cpus_r, bool *apart_r);

/* Why it is that one and not another. */
char *explain_reason(const struct xln_request *request,
                     const struct xln_plan *plan);

/* Which preferences for devices and other domains there were, and whether they
 * were met; "" if there were none. */
char *explain_preferred(const struct xln_host *host,
                        const struct xln_request *request,
                        const struct xln_need *need,
                        const struct xln_plan *plan);

/* Which CPUs of the plan are on nodes without memory, and how far from their
 * nearest; "" if none is. */
char *explain_far_cpus(const struct xln_host *host,
                       const struct xln_need *need,
                       const struct xln_plan *plan);

/* The line that a better set is not ruled out, and which sets are; "" if the
 * plan is exact. */
char *explain_search(const struct xln_plan *plan);

/* The virtual nodes: "2 virtual nodes: node 1 with 128 MiB and vCPUs 0-1, ..."
 */
char *explain_vnuma(const struct xln_vnuma *vnuma);

/* Which virtual nodes are on the same node; "" if none are. */
char *explain_shared_vnodes(const struct xln_vnuma *vnuma);

/* The line that a vCPU may run on none of `cpus`, the CPUs of its cpupool.
 * `host` NULL: each CPU is scheduled on its own. */
char *explain_unbound(const struct xln_host *host, unsigned vcpu,
                      const struct xln_cpumap *cpus);

/* The cpupool that was chosen; "" if none was. */
char *explain_pool(const struct xln_host_pool *pool);

/* Which vCPUs are scheduled together; "" if each is on its own. */
char *explain_units(const struct xln_host *host, const struct xln_need *need);

/* The line that vCPUs which are scheduled together are in virtual nodes on
 * several nodes; "" if none are. -ENOMEM. */
int explain_split_unit(const struct xln_host *host, const struct xln_need *need,
                       const struct xln_vnuma *vnuma, char **line_r);

/* Why there is no plan that has a core, or a thread, for each vCPU. */
char *explain_no_cores(const struct xln_host *host,
                       const struct xln_request *request,
                       const struct xln_need *need,
                       const struct xln_plan *plan);

/* Why there cannot be the virtual nodes that are asked for: `error` is
 * that of xln_vnuma_new(); -EMSGSIZE: the first one is smaller than the
 * video memory. */
char *explain_no_vnuma(const struct xln_host *host,
                       const struct xln_request *request,
                       const struct xln_need *need,
                       const struct xln_plan *plan, int error);

/* "node 1 has 60 MiB free, 40 MiB usable, ..."; of many nodes the sum. */
char *explain_rooms(const struct xln_host *host,
                    const struct xln_nodemap *nodes,
                    const struct xln_request *request);

/* Why there is not enough memory, on `host` as it was then. `built` is how far
 * it came; `residency`, for what Domain-0 holds, may be NULL. */
char *explain_shortage(const struct xln_host *host,
                       const struct xln_request *request,
                       const struct xln_plan *plan,
                       const struct populate *built,
                       const struct xln_residency *residency);

/* The line that memory is away from the CPUs that the vCPUs are bound to; ""
 * if it is not, or if the user asked for it. `each`: it names single vCPUs,
 * too. */
char *explain_remote(const struct xln_host *host,
                     const struct xln_request *request,
                     const struct xln_need *need, const struct xln_plan *plan,
                     bool each);

/* How much is planned for other nodes than the plan's own; "" if none is. */
char *explain_overflow(const struct xln_plan *plan);

/* How much went to other nodes than the plan's own; "" if none did. */
char *explain_spill(const struct xln_plan *plan, const struct populate *built);

/* How much of a virtual node went to other nodes than `node`; "" if none
 * did. */
char *explain_vnode_spill(const struct populate_vnodes *vnodes, unsigned vnode,
                          unsigned node);

#endif /* EXPLAIN_H */
