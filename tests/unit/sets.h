/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets compared with the text that they are printed as, or as integers. */
#ifndef SETS_H
#define SETS_H

#include <stdlib.h>

#include <libxl_numa.h>

#include "tap.h"

/* Both may be NULL. Shows what differs; without memory they do. */
static inline bool bits_are(const struct xln_bitmap *set, const char *expected)
{
    char *text = NULL;
    bool same;

    if (!set || !expected)
        return !set && !expected;
    same = !xln_bitmap_format(set, &text) && !strcmp(text, expected);
    if (!same)
        printf("# %s, expected %s\n", text ? text : "?", expected);
    free(text);
    return same;
}

static inline bool cpus_are(const struct xln_cpumap *cpus, const char *expected)
{
    return bits_are(cpus ? xln_cpumap_bits(cpus) : NULL, expected);
}

static inline bool nodes_are(const struct xln_nodemap *nodes,
                             const char *expected)
{
    return bits_are(nodes ? xln_nodemap_bits(nodes) : NULL, expected);
}

/* A set for a host with up to 32 nodes; NULL: none. */
static inline unsigned node_bits(const struct xln_nodemap *nodes)
{
    unsigned node, bits = 0;

    if (!nodes)
        return 0;
    XLN_FOREACH(xln_nodemap, node, nodes)
        bits |= 1u << node;
    return bits;
}

#endif /* SETS_H */
