/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains that are all alike, placed one after another. */
#ifndef XLN_REPEAT_H
#define XLN_REPEAT_H

#include "libxl_numa.h"

struct xln__repeat;

/*
 * Begin on a copy of the host. `request` and `need` are borrowed until the end.
 * 0, -ENOMEM, what xln_place() returns for wrong arguments, or -ENOTSUP: the
 * domains get cores of their own, or the user named the nodes.
 */
int xln__repeat_begin(const struct xln_host *host,
                      const struct xln_request *request,
                      const struct xln_need *need, struct xln__repeat **r);

/*
 * Place the next one as xln_place() does, and then count its memory and its
 * vCPUs on the host as xln_host_reserve(), xln_load_of_plan() and
 * xln_host_add_load() do. *nr_nodes_r: how many nodes it has; 0: it does not
 * fit as it asks, and is not on the host.
 */
int xln__repeat_next(struct xln__repeat *r, unsigned *nr_nodes_r);

/* The host with all that were placed. It dies with `r`. */
const struct xln_host *xln__repeat_host(const struct xln__repeat *r);
void xln__repeat_end(struct xln__repeat *r);

#endif /* XLN_REPEAT_H */
