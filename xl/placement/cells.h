/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The virtual nodes that libvirt makes of <cell>s. Its driver for Xen puts cell
 * i on node i; here each gets the node that the domain's XML means, or one that
 * has room for it.
 */
#ifndef CELLS_H
#define CELLS_H

#include <libxl.h>

#include <libxl_numa.h>

/* What <memnode> says of each cell. */
struct cells {
    unsigned nr;
    struct xln_nodemap **nodes;     /* of a cell; NULL: nothing is said */
};

/* One for `nr` cells of which nothing is said. 0 or -ENOMEM. */
int cells_new(unsigned nr, struct cells **cells_r);
void cells_free(struct cells *cells);

/*
 * Give each virtual node of `info` its node, as libxl is to have them. Those of
 * a cell are the nodes of its <memnode>; else those that its vCPUs are bound
 * to; else those that `request` names, in their order; else any with memory,
 * the one with most room first. The cells with fewest nodes to choose from go
 * first, then the largest. Each takes one that has room for it and no other
 * cell, if there is one, near to the others. -ENOSPC and a malloc'd line in
 * *error_r: one gets none; or -ENOMEM.
 */
int cells_bind(const struct cells *cells, const struct xln_host *host,
               const struct xln_request *request,
               libxl_domain_build_info *info, char **error_r);

#endif /* CELLS_H */
