/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order in which things are looked at is that of the reasons: what no host
 * could do comes before what this host lacks, and memory before what is made of
 * it. There is a plan in any case, as it has the figures.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide.h"
#include "decide_cells.h"
#include "explain.h"

/* The arguments of a decision. */
struct question {
    const struct xln_host *host;
    const struct xln_need *need;
    const struct decide_guest *guest;
    bool no_vnode;              /* no node can be copied for the guest */
    enum xln_vcpus_mode each;   /* once its virtual nodes have nodes; _NONE */
};

int decide_request(const struct keys *defaults, const struct keys *keys,
                   const char *planned_nodes, struct xln_request **request_r)
{
    struct xln_request *request;
    int rc;

    rc = xln_request_new(&request);
    if (rc)
        return rc;
    if (defaults)
        rc = keys_apply(defaults, request);
    if (!rc && keys)
        rc = keys_apply(keys, request);
    if (!rc && planned_nodes)
        rc = keys_apply_plan(planned_nodes, request);
    if (rc)
        xln_request_free(request);
    else
        *request_r = request;
    return rc;
}

/* ---- warnings ---- */

/* Takes the line; "": there is no line, NULL: memory ran out. */
static int add_warning(struct decision *d, char *line)
{
    char **warnings;

    if (!line)
        return -ENOMEM;
    if (!*line) {
        free(line);
        return 0;
    }
    warnings = realloc(d->warnings, (d->nr_warnings + 1) * sizeof(*warnings));
    if (!warnings) {
        free(line);
        return -ENOMEM;
    }
    d->warnings = warnings;
    warnings[d->nr_warnings++] = line;
    return 0;
}

__attribute__((format(printf, 2, 3)))
static int warn(struct decision *d, const char *fmt, ...)
{
    char *line;
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = vasprintf(&line, fmt, ap);
    va_end(ap);
    return r < 0 ? -ENOMEM : add_warning(d, line);
}

/* A configuration that is read is refused for it; one that was stored, or the
 * host's defaults, is not. */
static int warn_not_strict(struct decision *d, const struct question *q)
{
    if (d->request->mode != XLN_MODE_STRICT || !q->guest->on_demand ||
        q->guest->type == LIBXL_DOMAIN_TYPE_PV)
        return 0;
    return warn(d, "nodes_mode=\"strict\" does not apply to memory that is "
                   "populated on demand (memory < maxmem)");
}

/* ---- the request on this host ---- */

bool decide_binds_each(enum xln_vcpus_mode mode)
{
    return mode == XLN_VCPUS_CORE || mode == XLN_VCPUS_THREAD;
}

/* A recorded request, or the host's defaults, may name nodes of another host:
 * those of this one are left, or the choice of the policy. */
static int drop_absent(struct decision *d, const struct question *q,
                       const char *key, struct xln_nodemap **nodes)
{
    const struct xln_nodemap *here = xln_host_nodes(q->host);
    char *named;
    int rc;

    if (!*nodes || xln_nodemap_is_subset(*nodes, here))
        return 0;
    rc = xln_nodemap_format(*nodes, &named);
    if (rc)
        return rc;
    rc = warn(d, "%s=\"%s\": not all of these nodes are on this host; the "
                 "others are ignored", key, named);
    free(named);
    xln_nodemap_and(*nodes, here);
    if (xln_nodemap_is_empty(*nodes)) {
        xln_nodemap_free(*nodes);
        *nodes = NULL;
    }
    return rc;
}

/* As at its create, except for the virtual nodes, which it still has. */
static void limit_restored(struct decision *d, struct question *q)
{
    struct xln_request *request = d->request;

    if (decide_binds_each(request->vcpus_mode)) {
        q->each = request->vcpus_mode;
        request->vcpus_mode = XLN_VCPUS_SOFT;
    }
    if (request->vnuma == XLN_VNUMA_HOST &&
        request->vcpus_mode == XLN_VCPUS_SOFT)
        request->vcpus_mode = XLN_VCPUS_HARD;
    request->vnuma = XLN_VNUMA_NONE;
}

/* Drop what this guest cannot have. The host's defaults or a record of another
 * host may ask for it; a user's request for it was refused. */
static void limit_vnuma(struct decision *d, struct question *q)
{
    const struct decide_guest *guest = q->guest;

    if (guest->cells && guest->cells->restored) {
        limit_restored(d, q);
        return;
    }
    if (guest->type != LIBXL_DOMAIN_TYPE_HVM || guest->restored ||
        guest->on_demand)
        d->request->vnuma = XLN_VNUMA_NONE;
    /* The domain lists its virtual nodes, and its vCPUs are where the list
     * says. */
    if (guest->cells) {
        d->request->vnuma = XLN_VNUMA_NONE;
        d->request->vcpus_mode = XLN_VCPUS_NONE;
        d->request->mode = XLN_MODE_PREFERRED;
    }
}

static const char no_vnode[] = "vnuma=\"host\": no node has both CPUs for the "
                               "domain and memory";

/* A copy of the host's nodes, on a host without a node to copy: a guest that
 * ran before comes back without virtual nodes. */
static int prepare_vnuma(struct decision *d, struct question *q)
{
    int rc = xln_vnuma_prepare(q->host, q->need, d->request);

    if (rc != -ENOENT)
        return rc;
    d->request->vnuma = XLN_VNUMA_NONE;
    if (q->guest->again)
        return warn(d, "%s: it gets no virtual nodes", no_vnode);
    q->no_vnode = true;
    return 0;
}

static int fit_request(struct decision *d, struct question *q)
{
    int rc;

    rc = drop_absent(d, q, "nodes", &d->request->nodes);
    if (!rc)
        rc = drop_absent(d, q, "nodes_mem", &d->request->mem_nodes);
    if (rc)
        return rc;
    limit_vnuma(d, q);
    return prepare_vnuma(d, q);
}

/* ---- a guest that reboots ---- */

/* `why`: what it cannot have, as it then takes effect; the line is freed. */
static int place_without(struct decision *d, const struct question *q,
                         const char *what, char *why)
{
    int rc = why ? warn(d, "%s: the domain reboots, so %s is dropped this time",
                        why, what)
                 : -ENOMEM;

    free(why);
    if (rc)
        return rc;
    xln_plan_free(d->plan);
    d->plan = NULL;
    return xln_place(q->host, d->request, q->need, &d->plan);
}

static int drop_cores(struct decision *d, const struct question *q)
{
    bool threads = d->request->vcpus_mode == XLN_VCPUS_THREAD;
    char *why = explain_no_cores(q->host, d->request, q->need, d->plan);

    d->request->vcpus_mode = XLN_VCPUS_SOFT;
    return place_without(d, q, threads ? "\"thread\"" : "\"core\"", why);
}

static int drop_strict(struct decision *d, const struct question *q)
{
    static const struct populate nothing;
    char *why = explain_shortage(q->host, d->request, d->plan, &nothing, NULL);

    d->request->mode = XLN_MODE_PREFERRED;
    return place_without(d, q, "\"strict\"", why);
}

/* `error`: why there can be no virtual nodes, as xln_vnuma_new() gives it. */
static int drop_vnuma(struct decision *d, const struct question *q, int error)
{
    char *why = explain_no_vnuma(q->host, d->request, q->need, d->plan,
                                 error);

    d->request->vnuma = XLN_VNUMA_NONE;
    return place_without(d, q, "vnuma", why);
}

/* A create would refuse this. Now it is dropped, because no user is there to
 * try again. Virtual nodes of its own belong to libxl, or to libvirt. */
static int spare_refusal(struct decision *d, const struct question *q)
{
    int rc = 0;

    if (!q->guest->reboots || q->guest->cells)
        return 0;
    if (d->plan->lacks_cores)
        rc = drop_cores(d, q);
    if (!rc && d->plan->verdict == XLN_NOTHING_FITS &&
        d->request->mode == XLN_MODE_STRICT)
        rc = drop_strict(d, q);
    if (!rc && d->plan->verdict == XLN_NOTHING_FITS &&
        d->request->vnuma != XLN_VNUMA_NONE)
        rc = drop_vnuma(d, q, -ENOSPC);
    return rc;
}

/* ---- the verdict ---- */

/* Takes the reason; NULL: there is no memory for it. */
static int refuse(struct decision *d, enum decide_status status, char *reason)
{
    d->status = status;
    d->refused = true;
    d->reason = reason;
    return reason ? 0 : -ENOMEM;
}

static int may_run(const struct question *q, const struct xln_cpumap *hard,
                   bool *may_r)
{
    struct xln_cpumap *cpus;
    int rc = xln_cpumap_copy(q->need->pool_cpus, &cpus);

    if (rc)
        return rc;
    xln_cpumap_and(cpus, hard);
    xln_host_whole_units(q->host, cpus);
    *may_r = !xln_cpumap_is_empty(cpus);
    xln_cpumap_free(cpus);
    return 0;
}

/* Xen refuses a vCPU without a CPU when the domain is half built. XLN_NONE:
 * there is no such vCPU. */
static int find_unbound(const struct question *q, unsigned *vcpu_r)
{
    const struct xln_need *need = q->need;
    bool may = true;
    unsigned vcpu;
    int rc = 0;

    *vcpu_r = XLN_NONE;
    if (!need->pool_cpus || q->guest->again)
        return 0;
    for (vcpu = 0; vcpu < need->nr_hard && may && !rc; vcpu++) {
        if (need->hard[vcpu])
            rc = may_run(q, need->hard[vcpu], &may);
        if (!rc && !may)
            *vcpu_r = vcpu;
    }
    return rc;
}

/* Without virtual nodes and without strict there may be enough memory when it
 * is allocated. */
static int lack_memory(struct decision *d, const struct question *q)
{
    static const struct populate nothing;
    int rc = refuse(d, DECIDE_NOTHING_FITS,
                    explain_shortage(q->host, d->request, d->plan, &nothing,
                                     NULL));

    d->lacks_memory = true;
    d->refused = d->request->mode == XLN_MODE_STRICT ||
                 d->request->vnuma != XLN_VNUMA_NONE;
    return rc;
}

static int give_vnodes(struct decision *d, const struct question *q)
{
    int rc = xln_vnuma_new(q->host, d->request, q->need, d->plan, &d->vnuma);

    if (!rc && d->vnuma && d->vnuma->list[0].bytes < q->guest->video_bytes)
        rc = -EMSGSIZE;
    if (rc != -ENOSPC && rc != -E2BIG && rc != -EMSGSIZE)
        return rc;
    xln_vnuma_free(d->vnuma);
    d->vnuma = NULL;
    if (q->guest->reboots)
        return drop_vnuma(d, q, rc);
    return refuse(d, DECIDE_NOTHING_FITS,
                  explain_no_vnuma(q->host, d->request, q->need, d->plan,
                                   rc));
}

static int warn_split_unit(struct decision *d, const struct question *q)
{
    char *line;
    int rc = explain_split_unit(q->host, q->need, d->vnuma, &line);

    return rc ? rc : add_warning(d, line);
}

/* Warn if several virtual nodes share a node. */
static int warn_shared(struct decision *d, const struct question *q)
{
    char *line;
    int rc;

    if (!q->guest->cells->restored)
        return 0;
    line = explain_shared_vnodes(d->vnuma);
    if (!line || !*line)
        return add_warning(d, line);
    rc = warn(d, "%s: the guest still sees separate nodes", line);
    free(line);
    return rc;
}

/* Give the vCPUs of a restored guest cores or threads near the nodes that its virtual
 * nodes have now. */
static int bind_each(struct decision *d, const struct question *q)
{
    const char *what = q->each == XLN_VCPUS_CORE ? "core" : "thread";
    bool bound;
    int rc;

    if (q->each == XLN_VCPUS_NONE)
        return 0;
    rc = decide_cells_bind_each(d->vnuma, q->each, q->host, q->need, d->plan,
                                &bound);
    if (rc)
        return rc;
    if (bound)
        d->request->vcpus_mode = q->each;
    return bound ? 0
                 : warn(d, "nodes_cpus=\"%s\": its virtual nodes have too few "
                           "free %ss: the vCPUs prefer the CPUs of these nodes",
                        what, what);
}

/* The virtual nodes of a restored guest may take memory from several nodes. */
static bool must_fit(const struct decision *d, const struct decide_guest *guest)
{
    if (guest->cells->restored)
        return d->request->mode == XLN_MODE_STRICT;
    return !guest->cells->listed && !guest->reboots;
}

/* A hand-written list is libxl's to build, so a create is worth a try. A domain
 * that reboots is made in any case. */
static int judge_cells(struct decision *d, const struct question *q)
{
    const struct cells *cells = q->guest->cells;
    char *reason = NULL;
    int rc = 0;

    if (!cells->listed && !q->guest->again)
        rc = cells_check_vcpus(cells, q->need->nr_vcpus, &reason);
    if (rc == -ENOSPC)
        return refuse(d, DECIDE_NOTHING_FITS, reason);
    if (!rc)
        rc = decide_cells(cells, q->host, d->request, q->need, d->plan,
                          &d->vnuma, &reason);
    if (rc != -ENOSPC) {
        free(reason);
        if (!rc)
            rc = warn_split_unit(d, q);
        if (!rc)
            rc = bind_each(d, q);
        return rc ? rc : warn_shared(d, q);
    }
    rc = refuse(d, DECIDE_NOTHING_FITS, reason);
    d->refused = must_fit(d, q->guest);
    if (!rc && !d->refused && !cells->listed && !cells->restored)
        rc = warn(d, "%s: the domain reboots, so that cell is on another node "
                  "this time", reason);
    return rc;
}

static int judge(struct decision *d, const struct question *q)
{
    unsigned vcpu;
    int rc = find_unbound(q, &vcpu);

    if (rc)
        return rc;
    if (vcpu != XLN_NONE)
        return refuse(d, DECIDE_NOTHING_FITS,
                      explain_unbound(q->host, vcpu, q->need->pool_cpus));
    if (q->guest->device_refusal)
        return refuse(d, DECIDE_NOTHING_FITS, strdup(q->guest->device_refusal));
    if (q->guest->cells)
        return judge_cells(d, q);
    if (q->no_vnode)
        return refuse(d, DECIDE_NOTHING_FITS, strdup(no_vnode));
    if (d->plan->lacks_cores)
        return refuse(d, DECIDE_NOTHING_FITS,
                      explain_no_cores(q->host, d->request, q->need,
                                       d->plan));
    if (d->plan->verdict == XLN_NOTHING_FITS)
        return lack_memory(d, q);
    d->status = d->plan->verdict == XLN_FITS ? DECIDE_FITS : DECIDE_RELAXED;
    return give_vnodes(d, q);
}

int decide_in_pool(const struct xln_host *host,
                   const struct xln_request *request,
                   const struct xln_need *need,
                   const struct decide_guest *guest,
                   struct decision **decision_r)
{
    struct question q = { .host = host, .need = need, .guest = guest,
                          .each = XLN_VCPUS_NONE };
    struct decision *d = calloc(1, sizeof(*d));
    int rc = d ? xln_request_copy(request, &d->request) : -ENOMEM;

    if (!rc)
        rc = fit_request(d, &q);
    if (!rc)
        rc = xln_place(host, d->request, need, &d->plan);
    if (!rc)
        rc = spare_refusal(d, &q);
    if (!rc)
        rc = judge(d, &q);
    if (!rc)
        rc = warn_not_strict(d, &q);
    if (!rc)
        rc = add_warning(d, explain_remote(host, d->request, need, d->plan,
                                           !guest->again));
    if (rc)
        decision_free(d);
    else
        *decision_r = d;
    return rc;
}

void decision_set_pool(const struct decision *d, struct xln_need *need)
{
    if (d->pool)
        need->pool_cpus = d->pool->cpus;
}

void decision_free(struct decision *d)
{
    unsigned i;

    if (!d)
        return;
    for (i = 0; i < d->nr_warnings; i++)
        free(d->warnings[i]);
    free(d->warnings);
    free(d->reason);
    xln_vnuma_free(d->vnuma);
    xln_plan_free(d->plan);
    xln_request_free(d->request);
    free(d);
}
