/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In the installed xl: put the virtual nodes of a domain that is saved or
 * migrated into its configuration, and tell libxl that it has none.
 *
 *     xl save v FILE
 *       libxl_retrieve_domain_configuration   what Xen has is put in
 *       libxl_write_exactly                   the file's header: an xl without
 *                                             this module refuses the file
 *       libxl_domain_suspend
 *         xc_domain_getvnuma                  "none", or libxl would refuse
 */
#ifndef VNODES_H
#define VNODES_H

#include <stdbool.h>

#include "placement/keep.h"
#include "placement/layout.h"

/* xl has asked for the configuration of `domid`, of which `keep` is to hold:
 * a stored list of virtual nodes gets their nodes of now. `sends`: it is saved
 * or sent; `moves`: for numa-move. 0; -EIO, -EINVAL, -ENOMEM. */
int vnodes_put(xentoollog_logger *lg, uint32_t domid, const struct keep *keep,
               bool sends, bool moves, libxl_domain_config *config);

/* Call it before libxl_domain_suspend(), and vnodes_show() after it: see
 * hidden_vnodes.h. False: the domain has virtual nodes that cannot go with it.
 */
bool vnodes_begin_suspend(xentoollog_logger *lg, uint32_t domid);

/* Whether the file that is restored says that it has virtual nodes. */
bool vnodes_are_received(void);

#endif /* VNODES_H */
