/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From libxl's first hypercall of a build to the plan in its configuration. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "explain.h"
#include "placement.h"
#include "placement_log.h"
#include "preferred_nodes.h"
#include "record.h"

/* A recorded request, or the host's defaults, may name nodes of a host that
 * was: those of this one are left, or the choice of the policy. */
static void drop_absent(const struct placement *p, const char *key,
                        struct xln_nodemap **nodes)
{
    const struct xln_nodemap *here = xln_host_nodes(p->host);
    char *named = NULL;

    if (!*nodes || xln_nodemap_is_subset(*nodes, here))
        return;
    if (!xln_nodemap_format(*nodes, &named))
        xtl_log(p->lg, XTL_WARN, -1, PLACEMENT_LOG,
                "'%s': %s=\"%s\": not all of these nodes are on this host; "
                "the others are ignored",
                p->config->c_info.name, key, named);
    free(named);
    xln_nodemap_and(*nodes, here);
    if (xln_nodemap_is_empty(*nodes)) {
        xln_nodemap_free(*nodes);
        *nodes = NULL;
    }
}

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

/* The user's affinities of one kind, of the vCPUs that there are. */
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

static void dispose_need(struct xln_need *need)
{
    free_masks(need->hard, need->nr_hard);
    free_masks(need->soft, need->nr_soft);
    prefer_dispose(need);
}

/* What the domain needs, from a copy of its configuration that libxl has put
 * its defaults into. */
static int need_of_config(const struct placement *p,
                          const libxl_domain_config *config, uint64_t need_kb,
                          struct xln_need *need)
{
    const libxl_domain_build_info *info = &config->b_info;
    const struct xln_host_pool *pool =
        xln_host_pool(p->host, config->c_info.poolid);
    unsigned nr_cpus = xln_host_nr_cpus(p->host);
    int rc;

    need->memory_bytes = info->target_memkb << 10;
    need->overhead_bytes = (need_kb << 10) - need->memory_bytes;
    need->nr_vcpus = info->max_vcpus;
    need->pool_cpus = pool ? pool->cpus : NULL;
    rc = make_masks(info->vcpu_hard_affinity, info->num_vcpu_hard_affinity,
                    need->nr_vcpus, nr_cpus, &need->hard, &need->nr_hard);
    if (rc)
        return rc;
    return make_masks(info->vcpu_soft_affinity, info->num_vcpu_soft_affinity,
                      need->nr_vcpus, nr_cpus, &need->soft, &need->nr_soft);
}

static int make_need(const struct placement *p, struct xln_need *need)
{
    libxl_domain_config *copy = layout_new_config(p->layout);
    uint64_t need_kb;
    int rc = -EIO;

    if (!copy)
        return -ENOMEM;
    libxl_domain_config_copy(p->ctx, copy, p->config);
    if (!libxl_domain_need_memory(p->ctx, copy, p->domid, &need_kb))
        rc = need_of_config(p, copy, need_kb, need);
    layout_free_config(copy);
    return rc;
}

/* A lock that can't be had costs exactness when creates run side by side, and
 * no create. */
static struct xln_reservations *lock_reservations(const struct placement *p)
{
    struct xln_reservations *held;
    int rc = xln_reservations_lock(RESERVATIONS, p->lock_timeout_ms, &held);

    if (!rc)
        return held;
    placement_warn_failed(
        p, "cannot lock " RESERVATIONS, rc,
        "creates that run at the same time may choose the same node");
    return NULL;
}

/* Whether it matters to the plan where vCPUs are: that takes a hypercall for
 * each of them. */
static bool needs_load(const struct placement *p)
{
    const struct xln_request *request = p->request;
    bool named = request->nodes || request->all_nodes || request->mem_nodes;

    return xln_policy_uses_load(request->policy) &&
           (!named || request->max_nodes) &&
           !p->config->b_info.num_vnuma_nodes &&
           xln_nodemap_count(xln_host_nodes(p->host)) > 1;
}

static bool needs_cores(const struct placement *p)
{
    return p->request->vcpus_mode == XLN_VCPUS_CORE &&
           !p->config->b_info.num_vnuma_nodes;
}

static int add_read(struct placement *p, const uint64_t *load,
                    const struct xln_cpumap *taken)
{
    struct xln_host *loaded, *host;
    int rc;

    rc = xln_host_add_load(p->host, load, &loaded);
    if (rc)
        return rc;
    rc = xln_host_take_cores(loaded, taken, &host);
    xln_host_free(loaded);
    if (rc)
        return rc;
    xln_host_free(p->host);
    p->host = host;
    return 0;
}

static int add_load(struct placement *p, xc_interface *xch,
                    const struct xln_reservations *held)
{
    uint64_t *load = calloc(xln_host_nr_cpus(p->host), sizeof(*load));
    struct xln_cpumap *taken;
    int rc;

    if (!load)
        return -ENOMEM;
    rc = xln_cpumap_new(xln_host_nr_cpus(p->host), &taken);
    if (!rc) {
        rc = xln_load_read(xch, held, p->host, load,
                           needs_cores(p) ? taken : NULL,
                           p->config->c_info.uuid.uuid);
        if (!rc)
            rc = add_read(p, load, taken);
        xln_cpumap_free(taken);
    }
    free(load);
    return rc;
}

static int read_host(struct placement *p, xc_interface *xch,
                     struct xln_reservations *held)
{
    uint64_t *reserved = calloc(XLN_MAX_NODES, sizeof(*reserved));
    unsigned node;
    int rc = 0;

    if (!reserved)
        return -ENOMEM;
    if (held)
        rc = xln_reservations_outstanding(held, xch, reserved);
    for (node = 0; node < XLN_MAX_NODES; node++)
        reserved[node] += p->promised[node];
    if (!rc)
        rc = xln_host_read(xch, reserved, &p->host);
    free(reserved);
    if (!rc && (needs_load(p) || needs_cores(p)))
        rc = add_load(p, xch, held);
    return rc;
}

static void reserve(struct placement *p, struct xln_reservations *held,
                    const struct xln_share *shares, unsigned nr_shares,
                    const struct xln_nodemap *vcpu_nodes,
                    const struct xln_cpumap *cores)
{
    int rc;

    if (!held || p->domid == XLN_NONE)
        return;
    rc = xln_reservations_add(held, p->domid, p->config->c_info.uuid.uuid,
                              shares, nr_shares, p->config->b_info.max_vcpus,
                              vcpu_nodes, cores, &p->promise_fd);
    if (rc)
        placement_warn_failed(
            p, "cannot write to " RESERVATIONS, rc,
            "creates that run at the same time may choose the same "
            "node");
}

/* libvirt's cells get their nodes now. */
static int bind_cells(struct placement *p)
{
    libxl_domain_build_info *info = &p->config->b_info;
    int rc;

    if (!p->cells)
        return 0;
    drop_absent(p, "nodes", &p->request->nodes);
    rc = cells_bind(p->cells, p->host, p->request, info, &p->refusal);
    if (!rc)
        libxl_defbool_set(&info->numa_placement, false);
    return rc;
}

/* A hand-written vnuma= list is its own plan: only its memory is counted. */
static int reserve_vnodes(struct placement *p,
                          struct xln_reservations *held)
{
    const libxl_domain_build_info *info = &p->config->b_info;
    struct xln_share *shares = calloc(info->num_vnuma_nodes, sizeof(*shares));
    int i;

    if (!shares)
        return -ENOMEM;
    for (i = 0; i < info->num_vnuma_nodes; i++) {
        shares[i].node = info->vnuma_nodes[i].pnode;
        shares[i].bytes = info->vnuma_nodes[i].memkb << 10;
    }
    reserve(p, held, shares, info->num_vnuma_nodes, NULL, NULL);
    free(shares);
    return 0;
}

/* ---- virtual nodes ---- */

/* What a guest can't have, the host's defaults or a record of another host may
 * still ask for; where a user does, that was refused. */
static void limit_vnuma(const struct placement *p)
{
    const libxl_domain_build_info *info = &p->config->b_info;

    if (p->config->c_info.type != LIBXL_DOMAIN_TYPE_HVM || p->restoring ||
        p->request->vcpus_mode == XLN_VCPUS_CORE ||
        info->target_memkb != info->max_memkb)
        p->request->vnuma = XLN_VNUMA_NONE;
}

/* To be said when xl has given up, as the last line. */
static int refuse(struct placement *p, int error)
{
    p->refusal = explain_no_vnuma(p->request, p->plan, error);
    return -ENOSPC;
}

static int plan_vnuma(struct placement *p, const struct xln_need *need)
{
    uint64_t video_kb = p->config->b_info.video_memkb;
    int rc = xln_vnuma_new(p->host, p->request, need, p->plan, &p->vnuma);

    if (rc == -ENOSPC || rc == -E2BIG)
        return refuse(p, rc);
    if (rc || !p->vnuma)
        return rc;
    if (video_kb != LIBXL_MEMKB_DEFAULT &&
        p->vnuma->list[0].bytes < video_kb << 10)
        return refuse(p, -ENOMEM);
    placement_say_free(p, XTL_DETAIL, explain_vnuma(p->vnuma));
    placement_say(p, XTL_NOTICE,
                  "with virtual nodes it can not be saved or migrated");
    return 0;
}

static void say_plan(const struct placement *p, const struct xln_need *need)
{
    placement_say_free(p, XTL_DETAIL, explain_plan(p->request, need, p->plan));
    placement_say_free(p, XTL_DETAIL, explain_reason(p->request, p->plan));
    placement_say_free(p, XTL_DETAIL,
                       explain_preferred(p->host, p->request, need, p->plan));
    placement_say_free(p, XTL_DETAIL, explain_search(p->plan));
    placement_say_free(p, XTL_WARN,
                       explain_remote(p->host, p->request, p->plan));
}

/* What a strict request can not have, whatever the plan: a configuration that
 * was stored is not refused for it as one that is read would be. */
static void warn_not_strict(const struct placement *p)
{
    const libxl_domain_build_info *info = &p->config->b_info;

    if (p->config->c_info.type != LIBXL_DOMAIN_TYPE_PV &&
        info->target_memkb < info->max_memkb)
        placement_say(p, XTL_WARN,
                      "nodes_mode=\"strict\" does not hold for memory that "
                      "is populated on demand (memory < maxmem)");
}

/* A restored domain's memory is asked for by another process. */
static void share(struct placement *p)
{
    int rc = p->helper == RESTORE_HELPER_IS_LIBXLS
                 ? -ENOENT
                 : restore_share(&p->built, p->domid, &p->restore);

    if (!rc && p->helper == RESTORE_HELPER_TO_TELL)
        rc = restore_tell(p->restore);
    if (rc)
        placement_warn_failed(
            p, "cannot hand the plan to libxl-save-helper", rc,
            "memory follows node affinity, and may be elsewhere");
}

/* Put the plan where libxl, and populate.c, will look for it. */
static int enact(struct placement *p, const struct xln_need *need)
{
    int rc;

    rc = xln_affinity_new(p->ctx, p->plan, p->request->vcpus_mode, need,
                          &p->affinity);
    if (rc)
        return rc;
    if (p->vnuma)
        rc = xln_affinity_add_vnuma(p->ctx, p->vnuma, need, p->affinity);
    if (!rc)
        rc = populate_init(&p->built, p->plan,
                           p->request->mode == XLN_MODE_STRICT,
                           need->memory_bytes);
    if (rc) {
        xln_affinity_free(p->affinity);
        p->affinity = NULL;
        return rc;
    }
    if (p->restoring && p->domid != XLN_NONE)
        share(p);
    xln_affinity_swap(p->affinity, &p->config->b_info);
    return 0;
}

/*
 * The cores too that the user binds it to, whatever was planned.
 *
 * A claim of libxl's is on the host as a whole, so what is planned is kept for
 * the domain by our own record alone. A hypervisor that takes claims on single
 * nodes would be asked for plan->shares here, once this is known not to fail
 * for other reasons, and the claim would end where placement_end() ends the
 * record. As of Xen 4.22 there is none.
 */
static int reserve_plan(struct placement *p,
                        struct xln_reservations *held,
                        const struct xln_need *need)
{
    const struct xln_plan *plan = p->plan;
    struct xln_cpumap *cores;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(p->host), &cores);
    if (rc)
        return rc;
    rc = xln_cores_of_plan(plan, p->request->vcpus_mode, need, p->host, cores);
    if (!rc)
        reserve(p, held, plan->shares, plan->nr_shares, plan->vcpu_nodes,
                cores);
    xln_cpumap_free(cores);
    return rc;
}

static int plan_domain(struct placement *p, struct xln_reservations *held)
{
    struct xln_need need = { 0 };
    int rc;

    drop_absent(p, "nodes", &p->request->nodes);
    drop_absent(p, "nodes_mem", &p->request->mem_nodes);
    limit_vnuma(p);
    rc = make_need(p, &need);
    if (rc)
        goto out;
    rc = prefer_running(p->ctx, p->host, p->layout, p->config, &p->preferred,
                        &need);
    if (rc)
        goto out;
    rc = xln_vnuma_prepare(p->host, &need, p->request);
    if (rc)
        goto out;
    rc = xln_place(p->host, p->request, &need, &p->plan);
    if (rc)
        goto out;
    if (p->plan->lacks_cores) {
        p->refusal = explain_no_cores(p->host, &need, p->plan);
        rc = -ENOSPC;
        goto out;
    }
    say_plan(p, &need);
    if (p->request->mode == XLN_MODE_STRICT) {
        warn_not_strict(p);
        if (p->plan->verdict == XLN_NOTHING_FITS) {
            p->short_of_memory = true;
            rc = -ENOSPC;
            goto out;
        }
    }
    /* No node of the host has memory to speak of: for xl to say. */
    if (xln_nodemap_is_empty(p->plan->nodes))
        goto out;
    rc = plan_vnuma(p, &need);
    if (rc)
        goto out;
    rc = reserve_plan(p, held, &need);
    if (!rc)
        rc = enact(p, &need);

 out:
    dispose_need(&need);
    return rc;
}

static int plan_locked(struct placement *p, xc_interface *xch,
                       struct xln_reservations *held)
{
    int rc;

    rc = read_host(p, xch, held);
    /* One node: there is nothing to choose but cores. */
    if (rc || (xln_nodemap_count(xln_host_nodes(p->host)) < 2 &&
               !needs_cores(p)))
        return rc;
    if (p->config->b_info.num_vnuma_nodes) {
        rc = bind_cells(p);
        return rc ? rc : reserve_vnodes(p, held);
    }
    return plan_domain(p, held);
}

/* The domain keeps its memory, so it keeps its nodes; and what was set while it
 * ran, of which its configuration may know nothing. */
static int keep_all(struct placement *p)
{
    int rc = xln_affinity_new_kept(&p->affinity);

    if (!rc)
        xln_affinity_swap(p->affinity, &p->config->b_info);
    return rc;
}

static int plan_anew(struct placement *p, xc_interface *xch)
{
    struct xln_reservations *held;
    int rc;

    if (p->unprepared)
        return p->unprepared;
    held = lock_reservations(p);
    rc = plan_locked(p, xch, held);
    xln_reservations_unlock(held);
    return rc;
}

int placement_plan(struct placement *p, xc_interface *xch, uint32_t domid)
{
    int rc;

    p->domid = domid;
    rc = p->resetting ? keep_all(p) : plan_anew(p, xch);
    if (rc && rc != -ENOSPC) {
        placement_warn_failed(p, "cannot plan", rc, "placed by libxl itself");
        rc = 0;
    }
    return rc;
}
