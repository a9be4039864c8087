/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Assumptions about what other programs' descriptions of a host leave out. Each
 * adds to a note: one line, with parts separated by "; ".
 */
#ifndef XLN_HOST_ASSUME_H
#define XLN_HOST_ASSUME_H

#include "host.h"

/* Add to a note that starts as NULL; malloc'd. */
__attribute__((format(printf, 2, 3)))
int xln__note(char **note, const char *fmt, ...);

/* The first cpupool, of a host that was made for one, has all CPUs that are
 * online, as on a Xen that has just started. */
int xln__assume_pool(struct xln_host *host);

/* Assume that no domain is on the host: all memory is free. */
int xln__assume_free(struct xln_host *host, char **note);

/*
 * Where `known` (nr_nodes * nr_nodes) is false: 10 to itself and 20 to any
 * other, as for a machine whose firmware has no distances.
 */
int xln__assume_distances(struct xln_host *host, const bool *known,
                          char **note);

/* Say that no plan will use some CPUs. */
int xln__note_offline(const struct xln_host *host, char **note);

/* Say that CPUs which are online are on no node: nothing is planned there. */
int xln__note_homeless(const struct xln_host *host, char **note);

#endif /* XLN_HOST_ASSUME_H */
