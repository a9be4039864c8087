/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include <libxl_utils.h>

#include "libxl_numa.h"

struct xln_affinity {
    libxl_bitmap nodemap;
    libxl_defbool numa_placement;
    /* One vCPU affinity of the two, as libxl_domain_build_info has it. */
    enum xln_vcpus_mode mode;
    int nr_vcpus;
    libxl_bitmap *vcpus;
};

static int from_libxl(int r)
{
    return r == ERROR_NOMEM ? -ENOMEM : r ? -EIO : 0;
}

static int nodemap_fill(libxl_ctx *ctx, const struct xln_nodemap *nodes,
                        libxl_bitmap *nodemap)
{
    unsigned node;
    int rc;

    /* As wide as the hypervisor's own map: xc_domain_node_setaffinity() reads
     * that many bytes whatever the map's size says. */
    rc = from_libxl(libxl_node_bitmap_alloc(ctx, nodemap, 0));
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, nodes) {
        if (node / 8 >= nodemap->size)
            return -EINVAL;
        libxl_bitmap_set(nodemap, node);
    }
    return 0;
}

/* Bits of `map` that are in `cpus`; all of them for NULL. */
static void keep_cpus(libxl_bitmap *map, const struct xln_cpumap *cpus)
{
    unsigned cpu;

    for (cpu = 0; cpus && cpu < map->size * 8; cpu++)
        if (!xln_cpumap_test(cpus, cpu))
            libxl_bitmap_reset(map, cpu);
}

/*
 * One vCPU's affinity. The user's own mask is never lost: a hard affinity is
 * what both allow, or the user's alone if they have nothing in common; a soft
 * one that the hard one makes unreachable would mean nothing, and becomes all.
 */
static int vcpu_fill(libxl_ctx *ctx, const struct xln_cpumap *cpus,
                     const struct xln_cpumap *user, enum xln_vcpus_mode mode,
                     libxl_bitmap *map)
{
    bool apart = user && !xln_cpumap_intersects(user, cpus);
    int rc;

    rc = from_libxl(libxl_cpu_bitmap_alloc(ctx, map, 0));
    if (rc)
        return rc;
    libxl_bitmap_set_any(map);
    if (!apart)
        keep_cpus(map, cpus);
    if (mode == XLN_VCPUS_HARD)
        keep_cpus(map, user);
    return 0;
}

static int vcpus_fill(libxl_ctx *ctx, const struct xln_cpumap *cpus,
                      const struct xln_need *need,
                      struct xln_affinity *affinity)
{
    const struct xln_cpumap *user;
    unsigned i;
    int rc;

    affinity->vcpus = calloc(need->nr_vcpus, sizeof(*affinity->vcpus));
    if (!affinity->vcpus)
        return -ENOMEM;
    for (i = 0; i < need->nr_vcpus; i++) {
        user = i < need->nr_hard ? need->hard[i] : NULL;
        affinity->nr_vcpus = i + 1;
        rc = vcpu_fill(ctx, cpus, user, affinity->mode, &affinity->vcpus[i]);
        if (rc)
            return rc;
    }
    return 0;
}

int xln_affinity_of_nodes(libxl_ctx *ctx, const struct xln_nodemap *nodes,
                          struct xln_affinity **affinity_r)
{
    struct xln_affinity *affinity = calloc(1, sizeof(*affinity));
    int rc;

    if (!affinity)
        return -ENOMEM;
    affinity->mode = XLN_VCPUS_NONE;
    libxl_defbool_set(&affinity->numa_placement, false);
    rc = nodemap_fill(ctx, nodes, &affinity->nodemap);
    if (rc) {
        xln_affinity_free(affinity);
        return rc;
    }
    *affinity_r = affinity;
    return 0;
}

int xln_affinity_new(libxl_ctx *ctx, const struct xln_plan *plan,
                     enum xln_vcpus_mode mode, const struct xln_need *need,
                     struct xln_affinity **affinity_r)
{
    struct xln_affinity *affinity;
    int rc;

    rc = xln_affinity_of_nodes(ctx, plan->nodes, &affinity);
    if (rc)
        return rc;
    if (!xln_cpumap_is_empty(plan->vcpu_cpus)) {
        affinity->mode = mode;
        rc = vcpus_fill(ctx, plan->vcpu_cpus, need, affinity);
        if (rc) {
            xln_affinity_free(affinity);
            return rc;
        }
    }
    *affinity_r = affinity;
    return 0;
}

#define SWAP(a, b)                                                            \
    do {                                                                      \
        __typeof__(a) swap_ = (a);                                            \
        (a) = (b);                                                            \
        (b) = swap_;                                                          \
    } while (0)

void xln_affinity_swap(struct xln_affinity *affinity,
                       libxl_domain_build_info *info)
{
    SWAP(affinity->nodemap, info->nodemap);
    SWAP(affinity->numa_placement, info->numa_placement);
    if (affinity->mode == XLN_VCPUS_SOFT) {
        SWAP(affinity->nr_vcpus, info->num_vcpu_soft_affinity);
        SWAP(affinity->vcpus, info->vcpu_soft_affinity);
    } else if (affinity->mode == XLN_VCPUS_HARD) {
        SWAP(affinity->nr_vcpus, info->num_vcpu_hard_affinity);
        SWAP(affinity->vcpus, info->vcpu_hard_affinity);
    }
}

void xln_affinity_free(struct xln_affinity *affinity)
{
    int i;

    if (!affinity)
        return;
    for (i = 0; i < affinity->nr_vcpus; i++)
        libxl_bitmap_dispose(&affinity->vcpus[i]);
    free(affinity->vcpus);
    libxl_bitmap_dispose(&affinity->nodemap);
    free(affinity);
}
