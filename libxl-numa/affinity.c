/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include <libxl_utils.h>

#include "libxl_numa.h"
#include "text/units.h"

struct xln_affinity {
    libxl_bitmap nodemap;
    libxl_defbool numa_placement;
    /* One of the two affinities of vCPUs, as in libxl_domain_build_info. */
    enum xln_vcpus_mode mode;
    int nr_vcpus;
    libxl_bitmap *vcpus;
    bool each;                      /* each has a core or thread of its own */
    bool kept;                      /* no affinity of either kind, whatever the
                                       mode */
    int nr_kept;
    libxl_bitmap *kept_vcpus;
    bool has_vnodes;                /* otherwise the affinities of the domain
                                       stay */
    int nr_vnodes;
    libxl_vnode_info *vnodes;
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

    /* As wide as the hypervisor's own map, because
     * xc_domain_node_setaffinity() reads that many bytes, whatever the size of
     * the map is. */
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

/* The bits of `map` that are in `cpus`; all bits for NULL. */
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

static int vcpus_fill(libxl_ctx *ctx, const struct xln_plan *plan,
                      const struct xln_need *need,
                      struct xln_affinity *affinity)
{
    const struct xln_cpumap *user, *cpus;
    unsigned i;
    int rc;

    affinity->vcpus = calloc(need->nr_vcpus, sizeof(*affinity->vcpus));
    if (!affinity->vcpus)
        return -ENOMEM;
    for (i = 0; i < need->nr_vcpus; i++) {
        user = i < need->nr_hard ? need->hard[i] : NULL;
        cpus = i < plan->nr_vcpu_cores ? plan->vcpu_cores[i]
                                       : plan->vcpu_cpus;
        affinity->nr_vcpus = i + 1;
        rc = vcpu_fill(ctx, cpus, user, affinity->mode, &affinity->vcpus[i]);
        if (rc)
            return rc;
    }
    return 0;
}

static struct xln_affinity *new_affinity(enum xln_vcpus_mode mode)
{
    struct xln_affinity *affinity = calloc(1, sizeof(*affinity));

    if (!affinity)
        return NULL;
    affinity->mode = mode;
    libxl_defbool_set(&affinity->numa_placement, false);
    return affinity;
}

int xln_affinity_new_kept(struct xln_affinity **affinity_r)
{
    struct xln_affinity *affinity = new_affinity(XLN_VCPUS_NONE);

    if (!affinity)
        return -ENOMEM;
    affinity->kept = true;
    affinity->has_vnodes = true;
    *affinity_r = affinity;
    return 0;
}

int xln_affinity_new(libxl_ctx *ctx, const struct xln_plan *plan,
                     enum xln_vcpus_mode mode, const struct xln_need *need,
                     struct xln_affinity **affinity_r)
{
    bool has_cpus = !xln_cpumap_is_empty(plan->vcpu_cpus);
    struct xln_affinity *affinity;
    int rc;

    if (!has_cpus)
        mode = XLN_VCPUS_NONE;
    else if (mode == XLN_VCPUS_CORE || mode == XLN_VCPUS_THREAD)
        mode = XLN_VCPUS_HARD;
    affinity = new_affinity(mode);
    if (!affinity)
        return -ENOMEM;
    affinity->each = plan->nr_vcpu_cores > 0;
    rc = nodemap_fill(ctx, plan->nodes, &affinity->nodemap);
    if (!rc && has_cpus)
        rc = vcpus_fill(ctx, plan, need, affinity);
    if (rc) {
        xln_affinity_free(affinity);
        return rc;
    }
    *affinity_r = affinity;
    return 0;
}

/* ---- virtual nodes ---- */

static int vnode_fill(libxl_ctx *ctx, const struct xln_vnuma *vnuma,
                      unsigned i, unsigned nr_vcpus, libxl_vnode_info *info)
{
    const struct xln_vnode *vnode = &vnuma->list[i];
    unsigned vcpu, j;
    int rc;

    libxl_vnode_info_init(info);
    info->memkb = vnode->bytes / KIB;
    info->pnode = vnode->node;
    info->distances = calloc(vnuma->nr, sizeof(*info->distances));
    if (!info->distances)
        return -ENOMEM;
    info->num_distances = vnuma->nr;
    for (j = 0; j < vnuma->nr; j++)
        info->distances[j] = vnode->distances[j];
    rc = from_libxl(libxl_cpu_bitmap_alloc(ctx, &info->vcpus, nr_vcpus));
    if (rc)
        return rc;
    XLN_FOREACH(xln_cpumap, vcpu, vnode->vcpus)
        libxl_bitmap_set(&info->vcpus, vcpu);
    return 0;
}

static int vnodes_fill(libxl_ctx *ctx, const struct xln_vnuma *vnuma,
                       unsigned nr_vcpus, struct xln_affinity *affinity)
{
    unsigned i;
    int rc = 0;

    affinity->vnodes = calloc(vnuma->nr, sizeof(*affinity->vnodes));
    if (!affinity->vnodes)
        return -ENOMEM;
    affinity->has_vnodes = true;
    for (i = 0; i < vnuma->nr && !rc; i++) {
        affinity->nr_vnodes = i + 1;
        rc = vnode_fill(ctx, vnuma, i, nr_vcpus, &affinity->vnodes[i]);
    }
    return rc;
}

static const struct xln_cpumap *cpus_of_vcpu(const struct xln_vnuma *vnuma,
                                             unsigned vcpu)
{
    unsigned i;

    for (i = 0; i < vnuma->nr; i++)
        if (xln_cpumap_test(vnuma->list[i].vcpus, vcpu))
            return vnuma->list[i].cpus;
    return NULL;
}

/* Each vCPU with an affinity from the plan gets that of its virtual node. One with
 * a core of its own has it already. */
static int narrow_vcpus(libxl_ctx *ctx, const struct xln_vnuma *vnuma,
                        const struct xln_need *need,
                        struct xln_affinity *affinity)
{
    const struct xln_cpumap *cpus, *user;
    int i, rc = 0;

    for (i = 0; !affinity->each && i < affinity->nr_vcpus && !rc; i++) {
        cpus = cpus_of_vcpu(vnuma, i);
        if (!cpus || xln_cpumap_is_empty(cpus))
            continue;
        user = (unsigned)i < need->nr_hard ? need->hard[i] : NULL;
        libxl_bitmap_dispose(&affinity->vcpus[i]);
        libxl_bitmap_init(&affinity->vcpus[i]);
        rc = vcpu_fill(ctx, cpus, user, affinity->mode, &affinity->vcpus[i]);
    }
    return rc;
}

int xln_affinity_keep_vnuma(libxl_ctx *ctx, const struct xln_vnuma *vnuma,
                            const struct xln_need *need,
                            struct xln_affinity *affinity)
{
    affinity->has_vnodes = true;
    return narrow_vcpus(ctx, vnuma, need, affinity);
}

int xln_affinity_add_vnuma(libxl_ctx *ctx, const struct xln_vnuma *vnuma,
                           const struct xln_need *need,
                           struct xln_affinity *affinity)
{
    int rc = narrow_vcpus(ctx, vnuma, need, affinity);

    return rc ? rc : vnodes_fill(ctx, vnuma, need->nr_vcpus, affinity);
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
    if (affinity->mode == XLN_VCPUS_SOFT || affinity->kept) {
        SWAP(affinity->nr_vcpus, info->num_vcpu_soft_affinity);
        SWAP(affinity->vcpus, info->vcpu_soft_affinity);
    } else if (affinity->mode == XLN_VCPUS_HARD) {
        SWAP(affinity->nr_vcpus, info->num_vcpu_hard_affinity);
        SWAP(affinity->vcpus, info->vcpu_hard_affinity);
    }
    if (affinity->kept) {
        SWAP(affinity->nr_kept, info->num_vcpu_hard_affinity);
        SWAP(affinity->kept_vcpus, info->vcpu_hard_affinity);
    }
    if (affinity->has_vnodes) {
        SWAP(affinity->nr_vnodes, info->num_vnuma_nodes);
        SWAP(affinity->vnodes, info->vnuma_nodes);
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
    for (i = 0; i < affinity->nr_vnodes; i++)
        libxl_vnode_info_dispose(&affinity->vnodes[i]);
    free(affinity->vnodes);
    libxl_bitmap_dispose(&affinity->nodemap);
    free(affinity);
}
