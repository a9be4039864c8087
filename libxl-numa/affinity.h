/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_AFFINITY_H
#define XLN_AFFINITY_H

#include "libxl_numa.h"

/*
 * For a domain that is restored, and has its virtual nodes from elsewhere: the
 * affinities follow from these, and the configuration has none of its own while
 * it is swapped. 0 or -ENOMEM.
 */
int xln__affinity_narrow(libxl_ctx *ctx, const struct xln_vnuma *vnuma,
                         const struct xln_need *need,
                         struct xln_affinity *affinity);

#endif /* XLN_AFFINITY_H */
