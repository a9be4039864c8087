/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The placement of stock libxl (4.17 to 4.22), to compare with; written from what
 * is known of it. It looks at sets of as few nodes as possible that have the
 * memory and as many CPUs as the domain has vCPUs. It takes the one on which
 * fewest vCPUs may run, then the one with most memory, then the first that it
 * comes to. A vCPU counts on every node that its hard affinity and the
 * domain's node affinity allow; soft affinity and distances are not looked
 * at. On more than 16 nodes it does nothing.
 *
 * Not imitated: that sums beyond 4 TiB wrap there.
 */
#ifndef STOCK_PLACEMENT_H
#define STOCK_PLACEMENT_H

#include "libxl_numa.h"

#define STOCK_MAX_NODES 16

/*
 * Add the nodes that it would choose to the empty set `nodes`; none: nothing
 * fits, and the domain goes anywhere. free_bytes and nr_vcpus are by node.
 */
void stock_choose(const struct xln_host *host, const uint64_t *free_bytes,
                  const uint64_t *nr_vcpus, const struct xln_need *need,
                  struct xln_nodemap *nodes);

/* Add the vCPUs of these domains as it counts them to nr_vcpus, by node. */
int stock_count(const struct xln_host *host, const struct xln_domains *domains,
                uint64_t *nr_vcpus);

#endif /* STOCK_PLACEMENT_H */
