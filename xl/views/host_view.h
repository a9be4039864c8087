/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host with what is on it, as one command sees it. */
#ifndef HOST_VIEW_H
#define HOST_VIEW_H

#include <libxl.h>

#include "libxl_numa.h"

struct host_view {
    struct xln_snapshot *snapshot;      /* every domain has a name in it */
    const struct xln_host *host;        /* those of the snapshot */
    /* NULL of a saved host: what it has of them is with the nodes. */
    const struct xln_reservation_list *reservations;
    const struct xln_domains *domains;  /* NULL: a saved host without them */

    /* Pages that domains were granted when they were built, by node, and how
     * many domains nothing is known of. Domain-0 is not counted here. NULL:
     * a saved host, which has no such records. */
    uint64_t *granted_pages;
    unsigned nr_unrecorded;

    struct xln_nodemap *whole;  /* the nodes that have both CPUs and memory */
};

/* The running host. 0, or -errno and what could not be read. To be disposed of
 * either way. */
int host_view_read(xc_interface *xch, libxl_ctx *ctx, struct host_view *view,
                   const char **what_r);
/* A saved host; takes over the snapshot. To be disposed of either way. */
int host_view_of(struct xln_snapshot *snapshot, struct host_view *view);
void host_view_dispose(struct host_view *view);

/*
 * Whether a domain prefers some of the nodes. One that does not care has all
 * nodes where it may run for its node affinity, and those without CPUs or
 * without memory are not always among them.
 */
bool host_view_is_placed(const struct host_view *view,
                         const struct xln_domain *domain);

/* The domain that a reservation is for; NULL: it is being destroyed. */
const struct xln_domain *host_view_domain_of(const struct host_view *view,
                                             const struct xln_reservation *r);

#endif /* HOST_VIEW_H */
