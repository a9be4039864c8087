/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of a decision that is about virtual nodes from the domain's own
 * configuration. */
#ifndef DECIDE_CELLS_H
#define DECIDE_CELLS_H

#include "cells.h"

/*
 * Find the nodes of the cells. `plan` is made into the plan for them: their
 * memory is its shares. -ENOSPC and a malloc'd line in *reason_r: they do not
 * fit, and the plan says so; it and *vnuma_r are then what a hand-written list
 * asks for, or as near as there is to what libvirt's cells ask for. -ENOMEM.
 */
int decide_cells(const struct cells *cells, const struct xln_host *host,
                 const struct xln_request *request,
                 const struct xln_need *need, struct xln_plan *plan,
                 struct xln_vnuma **vnuma_r, char **reason_r);

/*
 * Give each vCPU a core or a thread of its own, by `mode`, near the node of its
 * virtual node: in `plan`. False in *bound_r: there are too few of these, and
 * the plan stays as it is. 0 or -ENOMEM.
 */
int decide_cells_bind_each(const struct xln_vnuma *vnuma,
                           enum xln_vcpus_mode mode,
                           const struct xln_host *host,
                           const struct xln_need *need, struct xln_plan *plan,
                           bool *bound_r);

#endif /* DECIDE_CELLS_H */
