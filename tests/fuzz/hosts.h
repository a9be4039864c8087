/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is claimed of every host, wherever it was read from. */
#ifndef FUZZ_HOSTS_H
#define FUZZ_HOSTS_H

#include <libxl_numa.h>

#include "fuzz.h"

static inline void claim_distances(const struct xln_host *host, unsigned node)
{
    unsigned other, distance;

    XLN_FOREACH(xln_nodemap, other, xln_host_nodes(host)) {
        distance = xln_host_distance(host, node, other);
        claim(distance == XLN_NONE || (distance >= 10 && distance < 255),
              "a distance of %u", distance);
    }
}

static inline void claim_same_distances(const struct xln_host *a,
                                        const struct xln_host *b,
                                        unsigned node)
{
    unsigned other;

    XLN_FOREACH(xln_nodemap, other, xln_host_nodes(a))
        claim(xln_host_distance(a, node, other) ==
              xln_host_distance(b, node, other), "another distance from %u "
              "to %u", node, other);
}

#endif /* FUZZ_HOSTS_H */
