/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What running domains have been promised, and do not have yet: `xl mem-set`
 * has raised the target of one, and it balloons up at its own pace.
 */
#ifndef XLN_BALLOONING_H
#define XLN_BALLOONING_H

#include "libxl_numa.h"

/*
 * Add to reserved_bytes[XLN_MAX_NODES] what domains are still to take: the
 * difference of each one's target and of what it has, in equal parts on the
 * nodes of its node affinity, which is how Xen will grant it. Domains that are
 * being made have no target yet: for those see xln_reservations_outstanding().
 * -ENOMEM, or -errno of the hypercall or of the connection to xenstore;
 * reserved_bytes may have changed then.
 */
int xln__ballooning_add(xc_interface *xch, uint64_t *reserved_bytes);

#endif /* XLN_BALLOONING_H */
