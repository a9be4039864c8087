/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts as hwloc describes them: from the XML of `lstopo --of xml`, and from
 * hwloc's synthetic strings. */
#ifndef XLN_HOST_HWLOC_H
#define XLN_HOST_HWLOC_H

#include "host.h"

/*
 * A host from hwloc XML, of hwloc 1.x to 3.x. *note_r: a malloc'd line of what
 * had to be assumed, or NULL. -EINVAL: with a malloc'd line in *error_r.
 *
 * A node's CPUs are those that hwloc calls local to it. Where several nodes
 * are local to a CPU it is on the one of ordinary memory, then on that with
 * the fewest CPUs, then on the lowest; the others have no CPUs then, as
 * Linux and Xen have it. CPUs that are offline or not allowed are there and
 * offline; those without a PU are not there. Of a node that is not allowed
 * nothing is free.
 */
int xln__host_from_hwloc(const char *text, size_t size,
                         struct xln_host **host_r, char **note_r,
                         char **error_r);

/* The largest host that a synthetic string may describe. hwloc's time grows
 * with the square: this is a second. */
#define XLN__SYNTHETIC_MAX_CPUS 8192

/*
 * A host from a synthetic string: "node:4 core:8 pu:2". As above; -ENOSYS:
 * built without hwloc.
 */
int xln__host_from_synthetic(const char *string, struct xln_host **host_r,
                             char **note_r, char **error_r);

#endif /* XLN_HOST_HWLOC_H */
