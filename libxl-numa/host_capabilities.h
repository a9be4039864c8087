/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_HOST_CAPABILITIES_H
#define XLN_HOST_CAPABILITIES_H

#include "host.h"

/*
 * A host from the XML of `virsh capabilities`, or only its <topology> as `xl
 * numa-info --xml` prints it. *note_r: a malloc'd line of what had to be
 * assumed, or NULL. -EINVAL: with a malloc'd line in *error_r.
 *
 * A CPU without socket_id is offline. Where a cell has distances but to some
 * cells, the others cannot be reached from it.
 */
int xln__host_from_capabilities(const char *text, size_t size,
                                struct xln_host **host_r, char **note_r,
                                char **error_r);

#endif /* XLN_HOST_CAPABILITIES_H */
