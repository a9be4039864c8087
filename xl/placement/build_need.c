/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include <libxl_utils.h>

#include "build_need.h"
#include "preferred_nodes.h"
#include "text/units.h"

/* ---- CPUs ---- */

static int make_mask(const libxl_bitmap *map, unsigned nr_cpus,
                     const struct xln_cpumap **mask_r)
{
    struct xln_cpumap *mask;
    unsigned cpu;
    int rc;

    rc = xln_cpumap_new(nr_cpus, &mask);
    if (rc)
        return rc;
    for (cpu = 0; cpu < nr_cpus; cpu++)
        if (libxl_bitmap_test(map, cpu))
            xln_cpumap_set(mask, cpu);
    *mask_r = mask;
    return 0;
}

/* The user's affinities of one kind, of the domain's vCPUs. */
static int make_masks(const libxl_bitmap *maps, int nr_maps, unsigned nr_vcpus,
                      unsigned nr_cpus,
                      const struct xln_cpumap *const **masks_r, unsigned *nr_r)
{
    unsigned nr = nr_maps < (int)nr_vcpus ? (unsigned)nr_maps : nr_vcpus, i;
    const struct xln_cpumap **masks;
    int rc = 0;

    masks = calloc(nr + 1, sizeof(*masks));
    if (!masks)
        return -ENOMEM;
    *masks_r = masks;
    *nr_r = nr;
    for (i = 0; i < nr && !rc; i++)
        rc = make_mask(&maps[i], nr_cpus, &masks[i]);
    return rc;
}

static void free_masks(const struct xln_cpumap *const *masks, unsigned nr)
{
    unsigned i;

    for (i = 0; masks && i < nr; i++)
        xln_cpumap_free((struct xln_cpumap *)(uintptr_t)masks[i]);
    free((void *)(uintptr_t)masks);
}

/* ---- virtual nodes ---- */

static int read_cell(const libxl_vnode_info *vnode, unsigned nr_vcpus,
                     unsigned nr_cells, struct cell *cell)
{
    unsigned i;
    int rc;

    cell->bytes = vnode->memkb * KIB;
    rc = xln_cpumap_new(nr_vcpus, &cell->vcpus);
    if (rc)
        return rc;
    libxl_for_each_set_bit(i, vnode->vcpus)
        xln_cpumap_set(cell->vcpus, i);
    cell->distances = calloc(nr_cells, sizeof(*cell->distances));
    if (!cell->distances)
        return -ENOMEM;
    for (i = 0; i < nr_cells && i < (unsigned)vnode->num_distances; i++)
        cell->distances[i] = vnode->distances[i];
    return 0;
}

/* libvirt's have their nodes by its XML, a list's by itself. */
static int read_nodes(const struct cells *said, const libxl_vnode_info *vnode,
                      unsigned i, struct cell *cell)
{
    int rc;

    if (said)
        return i < said->nr && said->list[i].nodes
                   ? xln_nodemap_copy(said->list[i].nodes, &cell->nodes)
                   : 0;
    rc = xln_nodemap_new(XLN_MAX_NODES, &cell->nodes);
    return rc ? rc : xln_nodemap_set(cell->nodes, vnode->pnode);
}

/* The virtual nodes that it had, with the nodes that libvirt's XML names for
 * each. */
static int read_kept(const struct placement *p, uint64_t memory_bytes,
                     struct cells **cells_r)
{
    const struct cells *said = p->cells;
    struct cell *cell;
    struct cells *cells;
    unsigned i;
    int rc = vnuma_record_cells(p->vnodes, memory_bytes, &cells);

    if (rc)
        return rc;
    for (i = 0; !rc && said && said->nr == cells->nr && i < cells->nr; i++) {
        cell = &cells->list[i];
        if (!said->list[i].nodes || cell->nodes)
            continue;
        cell->demanded = true;
        rc = xln_nodemap_copy(said->list[i].nodes, &cell->nodes);
    }
    if (rc)
        cells_free(cells);
    else
        *cells_r = cells;
    return rc;
}

static int read_cells(const struct placement *p,
                      const libxl_domain_build_info *info,
                      struct cells **cells_r)
{
    unsigned nr = info->num_vnuma_nodes, i;
    const struct cells *said = p->cells;
    struct cells *cells;
    int rc = 0;

    if (p->restoring && p->vnodes)
        return read_kept(p, info->max_memkb * KIB, cells_r);
    if (!nr)
        return 0;
    rc = cells_new(nr, &cells);
    if (rc)
        return rc;
    cells->listed = !said;
    for (i = 0; i < nr && !rc; i++) {
        rc = read_cell(&info->vnuma_nodes[i], info->max_vcpus, nr,
                       &cells->list[i]);
        if (!rc)
            rc = read_nodes(said, &info->vnuma_nodes[i], i, &cells->list[i]);
    }
    if (rc)
        cells_free(cells);
    else
        *cells_r = cells;
    return rc;
}

/* ---- all of it ---- */

static void describe(const struct placement *p,
                     const libxl_domain_config *config,
                     struct decide_guest *guest)
{
    const libxl_domain_build_info *info = &config->b_info;

    guest->type = config->c_info.type;
    guest->on_demand = info->target_memkb < info->max_memkb;
    guest->restored = p->restoring;
    guest->again = p->again || p->restoring;
    guest->reboots = p->reboots;
    guest->any_pool = p->any_pool;
    guest->video_bytes = info->video_memkb == LIBXL_MEMKB_DEFAULT
                             ? 0
                             : info->video_memkb * KIB;
}

static int fill_need(const struct placement *p,
                     const libxl_domain_config *config, uint64_t need_kb,
                     struct xln_need *need)
{
    const libxl_domain_build_info *info = &config->b_info;
    const struct xln_host_pool *pool =
        xln_host_pool(p->host, config->c_info.poolid);
    unsigned nr_cpus = xln_host_nr_cpus(p->host);
    int rc;

    need->memory_bytes = info->target_memkb * KIB;
    need->overhead_bytes = need_kb * KIB - need->memory_bytes;
    need->nr_vcpus = info->max_vcpus;
    need->pool_cpus = pool ? pool->cpus : NULL;
    rc = make_masks(info->vcpu_hard_affinity, info->num_vcpu_hard_affinity,
                    need->nr_vcpus, nr_cpus, &need->hard, &need->nr_hard);
    if (rc)
        return rc;
    return make_masks(info->vcpu_soft_affinity, info->num_vcpu_soft_affinity,
                      need->nr_vcpus, nr_cpus, &need->soft, &need->nr_soft);
}

/* libxl puts its defaults into a copy. If there is no device model, the create
 * itself reports it. */
int build_need_fill(const struct placement *p, struct build_need *build)
{
    libxl_domain_config *copy = layout_new_config(p->layout);
    uint64_t need_kb;
    int rc = -EIO;

    if (!copy)
        return -ENOMEM;
    libxl_domain_config_copy(p->ctx, copy, p->config);
    layout_expect_device_model(p->layout, copy);
    if (!libxl_domain_need_memory(p->ctx, copy, p->domid, &need_kb)) {
        describe(p, copy, &build->guest);
        rc = fill_need(p, copy, need_kb, &build->need);
        if (!rc)
            rc = read_cells(p, &copy->b_info, &build->cells);
        build->guest.cells = build->cells;
    }
    layout_free_config(copy);
    return rc;
}

void build_need_dispose(struct build_need *build)
{
    free_masks(build->need.hard, build->need.nr_hard);
    free_masks(build->need.soft, build->need.nr_soft);
    prefer_dispose(&build->need);
    cells_free(build->cells);
    free(build->device_refusal);
}
