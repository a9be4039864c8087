/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From libxl's first hypercall of a build to the plan in its configuration. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "build_need.h"
#include "decide_pool.h"
#include "explain.h"
#include "placement.h"
#include "placement_log.h"
#include "preferred_nodes.h"
#include "record.h"
#include "text/from_errno.h"

/* A lock that is not available costs exactness when creates run side by side,
 * and no create. */
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
    return decide_binds_each(p->request->vcpus_mode) &&
           !p->config->b_info.num_vnuma_nodes;
}

static void replace_host(struct placement *p, struct xln_host *host)
{
    xln_host_free(p->host);
    p->host = host;
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
    if (!rc)
        replace_host(p, host);
    return rc;
}

static int add_guests(struct placement *p, xc_interface *xch)
{
    struct xln_host *host;
    uint64_t *bytes;
    unsigned nr;
    int rc;

    rc = xln_guests_read(xch, p->config->c_info.uuid.uuid, &bytes, &nr);
    if (rc)
        return rc;
    rc = xln_host_add_guests(p->host, bytes, nr, &host);
    free(bytes);
    if (!rc)
        replace_host(p, host);
    return rc;
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
    if (!rc && needs_load(p))
        rc = add_guests(p, xch);
    return rc;
}

static void reserve(struct placement *p, struct xln_reservations *held,
                    const struct xln_share *shares, unsigned nr_shares,
                    const uint64_t *load, const struct xln_cpumap *cores)
{
    int rc;

    if (!held || p->domid == XLN_NONE)
        return;
    rc = xln_reservations_add(held, p->domid, p->config->c_info.uuid.uuid,
                              shares, nr_shares, load,
                              xln_host_nr_cpus(p->host), cores,
                              &p->promise_fd);
    if (rc)
        placement_warn_failed(
            p, "cannot write to " RESERVATIONS, rc,
            "creates that run at the same time may choose the same "
            "node");
}

/* ---- what is decided ---- */

static bool has_choice(const struct placement *p)
{
    return xln_nodemap_count(xln_host_nodes(p->host)) > 1 || needs_cores(p);
}

/* libxl has made it in the first cpupool, and has bound no vCPU yet. A dry run
 * shows it. */
static int enter_pool(struct placement *p, xc_interface *xch)
{
    const struct xln_host_pool *pool = p->decision->pool;
    libxl_domain_create_info *info = &p->config->c_info;

    if (!pool)
        return 0;
    if (p->domid == XLN_NONE) {
        info->pool_name = libxl_cpupoolid_to_name(p->ctx, pool->id);
        return 0;
    }
    return pool->id && xc_cpupool_movedomain(xch, pool->id, p->domid)
               ? xln__from_errno()
               : 0;
}

static void say_vnodes(const struct placement *p)
{
    placement_say_free(p, XTL_DETAIL, explain_vnuma(p->decision->vnuma));
}

static void say_plan(const struct placement *p, const struct xln_need *need)
{
    const struct decision *d = p->decision;

    placement_say_free(p, XTL_DETAIL, explain_plan(d->request, need, d->plan));
    placement_say_free(p, XTL_DETAIL, explain_pool(d->pool));
    placement_say_free(p, XTL_DETAIL, explain_reason(d->request, d->plan));
    placement_say_free(p, XTL_DETAIL,
                       explain_preferred(p->host, d->request, need, d->plan));
    placement_say_free(p, XTL_DETAIL, explain_far_cpus(p->host, need, d->plan));
    placement_say_free(p, XTL_DETAIL, explain_units(p->host, need));
    placement_say_free(p, XTL_DETAIL, explain_search(d->plan));
    if (!d->vnuma)
        return;
    say_vnodes(p);
    placement_say(p, XTL_NOTICE,
                  "it has virtual nodes: only a host with libxl-numa can save or "
                  "restore it");
}

static void say_decision(const struct placement *p,
                         const struct build_need *build)
{
    const struct decision *d = p->decision;
    unsigned i;

    if (build->cells) {
        if (d->status == DECIDE_FITS)
            say_vnodes(p);
        placement_say_free(p, XTL_DETAIL, explain_pool(d->pool));
    } else if (!d->plan->lacks_cores && has_choice(p)) {
        say_plan(p, &build->need);
    }
    for (i = 0; i < d->nr_warnings; i++)
        placement_say(p, XTL_WARN, d->warnings[i]);
}

/* Another process allocates the memory of a restored domain. */
static void share(struct placement *p)
{
    int rc = p->helper == RESTORE_HELPER_IS_LIBXLS
                 ? -ENOENT
                 : restore_share(&p->restored, p->domid, &p->restore);

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
    const struct decision *d = p->decision;
    int rc;

    rc = xln_affinity_new(p->ctx, d->plan, d->request->vcpus_mode, need,
                          &p->affinity);
    if (rc)
        return rc;
    if (d->vnuma)
        rc = xln_affinity_add_vnuma(p->ctx, d->vnuma, need, p->affinity);
    if (!rc)
        rc = populate_init(&p->restored.built, d->plan,
                           d->request->mode == XLN_MODE_STRICT && !p->reboots,
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
 * The CPUs too that the user binds it to, whatever was planned: what vCPUs will
 * stay near is what the next create is to see.
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
    const struct xln_plan *plan = p->decision->plan;
    uint64_t *load = calloc(xln_host_nr_cpus(p->host), sizeof(*load));
    struct xln_cpumap *cores = NULL;
    int rc = -ENOMEM;

    if (load)
        rc = xln_cpumap_new(xln_host_nr_cpus(p->host), &cores);
    if (!rc)
        rc = xln_cores_of_plan(plan, p->decision->request->vcpus_mode, need,
                               p->host, cores);
    if (!rc)
        rc = xln_load_of_plan(plan, need, p->host, load);
    if (!rc)
        reserve(p, held, plan->shares, plan->nr_shares, load, cores);
    xln_cpumap_free(cores);
    free(load);
    return rc;
}

/* Virtual nodes that the configuration itself has are its own plan: libvirt's
 * get their nodes now, and all that is reserved is their memory. */
static int enact_cells(struct placement *p, struct xln_reservations *held)
{
    const struct xln_plan *plan = p->decision->plan;
    const struct xln_vnuma *vnuma = p->decision->vnuma;
    libxl_domain_build_info *info = &p->config->b_info;
    unsigned i;

    reserve(p, held, plan->shares, plan->nr_shares, NULL, NULL);
    if (!p->cells)
        return 0;
    for (i = 0; i < vnuma->nr; i++)
        info->vnuma_nodes[i].pnode = vnuma->list[i].node;
    libxl_defbool_set(&info->numa_placement, false);
    return 0;
}

/* Xen does not report on which nodes they are, and the guest asks for them
 * again at a soft reset. */
static void set_vnuma(struct placement *p, xc_interface *xch,
                      const unsigned *node_of)
{
    int rc = p->domid == XLN_NONE
                 ? 0
                 : vnuma_record_set(xch, p->domid, p->vnodes, node_of);

    if (rc)
        placement_warn_failed(p, "cannot give it its virtual nodes", rc,
                              "the guest sees them, but Xen does not know "
                              "them");
}

/* libxl does not know them while it restores: it would only set soft affinities,
 * which is done here. */
static int enact_restored(struct placement *p, const struct xln_need *need,
                          const unsigned *node_of)
{
    const struct decision *d = p->decision;
    const bool strict = d->request->mode == XLN_MODE_STRICT;
    int rc;

    rc = populate_vnodes_init(&p->restored.vnodes, p->vnodes, p->host, node_of,
                              strict, need->memory_bytes);
    if (!rc)
        rc = populate_vnodes_sum(&p->restored.vnodes, &p->restored.built);
    if (!rc)
        rc = xln_affinity_new(p->ctx, d->plan, d->request->vcpus_mode, need,
                              &p->affinity);
    if (!rc)
        rc = xln_affinity_keep_vnuma(p->ctx, d->vnuma, need, p->affinity);
    if (!rc)
        return 0;
    xln_affinity_free(p->affinity);
    p->affinity = NULL;
    populate_vnodes_dispose(&p->restored.vnodes);
    populate_dispose(&p->restored.built);
    return rc;
}

/* Give it the virtual nodes that it had when it was saved. */
static int enact_vnodes(struct placement *p, xc_interface *xch,
                        struct xln_reservations *held,
                        const struct xln_need *need)
{
    const struct xln_vnuma *vnuma = p->decision->vnuma;
    unsigned node_of[XLN_VNUMA_MAX_NODES], i;
    int rc;

    for (i = 0; i < vnuma->nr; i++)
        node_of[i] = vnuma->list[i].node;
    if (p->decision->reason && p->domid != XLN_NONE)
        xtl_log(p->lg, XTL_WARN, -1, PLACEMENT_LOG,
                "'%s': %s: other nodes are used",
                p->config->c_info.name, p->decision->reason);
    rc = reserve_plan(p, held, need);
    if (!rc)
        rc = enact_restored(p, need, node_of);
    if (rc)
        return rc;
    set_vnuma(p, xch, node_of);
    if (p->domid != XLN_NONE)
        share(p);
    xln_affinity_swap(p->affinity, &p->config->b_info);
    return 0;
}

/* On one node there is nothing to set, but a reason why it does not fit. */
static int decide_and_enact(struct placement *p, xc_interface *xch,
                            struct xln_reservations *held,
                            struct build_need *build)
{
    const struct decision *d;
    int rc = decide(p->host, p->request, &build->need, &build->guest,
                    &p->decision);

    if (rc)
        return rc;
    d = p->decision;
    decision_set_pool(d, &build->need);
    say_decision(p, build);
    if (d->refused)
        return -ENOSPC;
    rc = enter_pool(p, xch);
    if (rc)
        return rc;
    if (p->restoring && p->vnodes)
        return enact_vnodes(p, xch, held, &build->need);
    /* No node of the host has memory to speak of: for xl to say. */
    if (!has_choice(p) || xln_nodemap_is_empty(d->plan->nodes))
        return 0;
    if (build->cells)
        return enact_cells(p, held);
    rc = reserve_plan(p, held, &build->need);
    return rc ? rc : enact(p, &build->need);
}

/* A domain that ran before comes back, if libxl can manage it. */
static int read_devices(struct placement *p, struct build_need *build)
{
    struct pci_devices devices;
    int rc;

    pci_devices_read(p->ctx, p->layout, p->config, &devices);
    rc = prefer_running(p->host, &devices, &p->preferred, &build->need);
    if (!rc && !build->guest.again)
        rc = pci_devices_explain(&devices, &build->device_refusal);
    build->guest.device_refusal = build->device_refusal;
    pci_devices_dispose(&devices);
    return rc;
}

/* All that is decided from. */
static int read_all(struct placement *p, xc_interface *xch,
                    struct xln_reservations *held, struct build_need *build)
{
    int rc = read_host(p, xch, held);

    if (!rc)
        rc = build_need_fill(p, build);
    return rc ? rc : read_devices(p, build);
}

static int plan_locked(struct placement *p, xc_interface *xch,
                       struct xln_reservations *held)
{
    struct build_need build = { 0 };
    int rc = read_all(p, xch, held, &build);

    if (!rc)
        rc = decide_and_enact(p, xch, held, &build);
    build_need_dispose(&build);
    return rc;
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
        placement_warn_failed(p, "cannot plan", rc,
                              p->vnodes ? "placed by libxl itself: the memory of "
                                          "its virtual nodes is mixed"
                                        : "placed by libxl itself");
        rc = 0;
    }
    return rc;
}

/* ---- before Domain-0 gives up memory for it ---- */

/* The host with so much more free memory on each node, as far as a node has
 * that. */
static int with_more(const struct xln_host *host, uint64_t bytes,
                     struct xln_host **host_r)
{
    const struct xln_nodemap *nodes = xln_host_nodes(host);
    struct xln_share *shares = calloc(xln_host_nr_nodes(host),
                                      sizeof(*shares));
    unsigned nr = 0, node;
    int rc = -ENOMEM;

    if (!shares)
        return rc;
    XLN_FOREACH(xln_nodemap, node, nodes) {
        shares[nr++] = (struct xln_share){ .node = node, .bytes = bytes };
    }
    rc = xln_host_release(host, shares, nr, host_r);
    free(shares);
    return rc;
}

static int decide_with_more(const struct placement *p,
                            const struct build_need *build, uint64_t bytes,
                            bool *refused_r)
{
    struct decision *decision = NULL;
    struct xln_host *host;
    int rc = with_more(p->host, bytes, &host);

    if (rc)
        return rc;
    rc = decide(host, p->request, &build->need, &build->guest, &decision);
    if (!rc)
        *refused_r = decision->refused;
    decision_free(decision);
    xln_host_free(host);
    return rc;
}

/* The report is about the host as it is now. */
static int foresee(struct placement *p, xc_interface *xch,
                   struct xln_reservations *held, uint64_t more_bytes,
                   bool *refused_r)
{
    struct build_need build = { 0 };
    bool refused = false;
    int rc = read_all(p, xch, held, &build);

    if (!rc)
        rc = decide(p->host, p->request, &build.need, &build.guest,
                    &p->decision);
    if (!rc && p->decision->refused)
        rc = decide_with_more(p, &build, more_bytes, &refused);
    if (!rc && refused) {
        decision_set_pool(p->decision, &build.need);
        say_decision(p, &build);
    }
    build_need_dispose(&build);
    *refused_r = !rc && refused;
    return rc;
}

/* Discard the early decision, so that the domain can be planned. */
static void forget_foreseen(struct placement *p)
{
    decision_free(p->decision);
    p->decision = NULL;
    xln_host_free(p->host);
    p->host = NULL;
}

bool placement_refuses(struct placement *p, xc_interface *xch,
                       uint64_t more_bytes)
{
    struct xln_reservations *held = NULL;
    bool refused = false;

    if (p->unprepared)
        return false;
    xln_reservations_lock(RESERVATIONS, p->lock_timeout_ms, &held);
    foresee(p, xch, held, more_bytes, &refused);
    xln_reservations_unlock(held);
    if (!refused)
        forget_foreseen(p);
    return refused;
}
