/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many vCPUs use which CPUs.
 *
 * A vCPU uses the CPUs that it prefers (soft affinity) among those where
 * it may run (hard affinity, within its cpupool), or to all of the latter where
 * it prefers none. It counts in equal parts on each of these: on which it
 * will be at any moment is the scheduler's choice, and over time that is fair.
 *
 * A vCPU that prefers nothing, as those of an unpinned Domain-0, counts
 * nowhere. The scheduler takes it to where there is room, so it is not a reason
 * to prefer one node to another; and spread over all of them it would only
 * hide how unequal the rest is.
 *
 * All vCPUs of a domain count, whether they run at this moment, are blocked or
 * not yet brought up: a plan is for the life of a guest, and what is idle in
 * one moment, a guest that still boots above all, says little of that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cores.h"
#include "domain.h"
#include "host.h"
#include "reservation.h"

/* ---- adding one up ---- */

void xln_load_add(const struct xln_cpumap *cpus, unsigned nr_vcpus,
                  unsigned nr_cpus, uint64_t *load)
{
    unsigned cpu, nr = xln_cpumap_count(cpus);
    uint64_t part = nr ? nr_vcpus * XLN_LOAD_ONE / nr : 0;

    XLN_FOREACH(xln_cpumap, cpu, cpus) {
        if (cpu < nr_cpus)
            load[cpu] += part;
    }
}

/* The CPUs of a cpupool, as a set of the host's width; of all cpupools where the
 * host does not know this one. */
static int find_pool(const struct xln_host *host, uint32_t pool_id,
                     struct xln_cpumap **cpus_r)
{
    const struct xln_host_pool *pool = xln_host_pool(host, pool_id);

    if (!pool)
        return xln_host_cpus_of_nodes(host, xln_host_nodes(host), cpus_r);
    return xln_cpumap_copy(pool->cpus, cpus_r);
}

/* What the vCPUs of a domain have in common, and a set to work with. */
struct scope {
    const struct xln_host *host;
    struct xln_cpumap *pool, *cpus;
    uint64_t *load;
    struct xln_cpumap *taken;       /* NULL: the caller does not want them */
};

static void scope_end(struct scope *s)
{
    xln_cpumap_free(s->pool);
    xln_cpumap_free(s->cpus);
}

static int scope_begin(const struct xln_host *host, uint32_t pool_id,
                       uint64_t *load, struct scope *s)
{
    int rc;

    *s = (struct scope){ .host = host, .load = load };
    rc = find_pool(host, pool_id, &s->pool);
    if (!rc)
        rc = xln_cpumap_copy(s->pool, &s->cpus);
    if (rc)
        scope_end(s);
    return rc;
}

/* Count vCPUs that use s->cpus, if that is not the whole cpupool. */
static void add_kept(struct scope *s, unsigned nr_vcpus)
{
    if (!xln_cpumap_is_subset(s->pool, s->cpus))
        xln_load_add(s->cpus, nr_vcpus, xln_host_nr_cpus(s->host), s->load);
}

/* Set s->cpus to the CPUs on which a vCPU with these affinities counts. */
static void keep_to(struct scope *s, const struct xln_cpumap *hard,
                    const struct xln_cpumap *soft)
{
    xln_cpumap_zero(s->cpus);
    xln_cpumap_or(s->cpus, s->pool);
    xln_cpumap_and(s->cpus, hard);
    if (xln_cpumap_intersects(s->cpus, soft))
        xln_cpumap_and(s->cpus, soft);
    xln_host_whole_units(s->host, s->cpus);
}

static void add_vcpu(struct scope *s, const struct xln_cpumap *hard,
                     const struct xln_cpumap *soft)
{
    keep_to(s, hard, soft);
    add_kept(s, 1);
}

/* ---- of a plan ---- */

/* The mask of vCPU `vcpu`; vCPUs without a mask have `all`. */
static const struct xln_cpumap *mask_of(const struct xln_cpumap *const *masks,
                                        unsigned nr, unsigned vcpu,
                                        const struct xln_cpumap *all)
{
    return vcpu < nr && masks[vcpu] ? masks[vcpu] : all;
}

static void add_planned(const struct xln_plan *plan,
                        const struct xln_need *need, struct scope *s)
{
    unsigned nr_masks = need->nr_hard > need->nr_soft ? need->nr_hard
                                                      : need->nr_soft;
    unsigned vcpu;

    for (vcpu = 0; vcpu < need->nr_vcpus && vcpu <= nr_masks; vcpu++) {
        const struct xln_cpumap *soft = plan->vcpu_cpus;

        if (xln_cpumap_is_empty(soft))
            soft = mask_of(need->soft, need->nr_soft, vcpu, s->pool);
        keep_to(s, mask_of(need->hard, need->nr_hard, vcpu, s->pool), soft);
        add_kept(s, vcpu < nr_masks ? 1 : need->nr_vcpus - nr_masks);
    }
}

int xln_load_of_plan(const struct xln_plan *plan, const struct xln_need *need,
                     const struct xln_host *host, uint64_t *load)
{
    struct scope s;
    int rc;

    rc = scope_begin(host, XLN_NONE, load, &s);
    if (rc)
        return rc;
    if (need->pool_cpus) {
        xln_cpumap_zero(s.pool);
        xln_cpumap_or(s.pool, need->pool_cpus);
    }
    add_planned(plan, need, &s);
    scope_end(&s);
    return 0;
}

/* ---- of domains that were read ---- */

static int add_domain(const struct xln_host *host,
                      const struct xln_domain *domain, uint64_t *load)
{
    struct scope s;
    int rc;

    if (domain->dying || !domain->vcpus)
        return 0;
    rc = scope_begin(host, domain->pool_id, load, &s);
    if (rc)
        return rc;
    for (unsigned i = 0; i < domain->nr_vcpus; i++) {
        const struct xln_vcpu *v = &domain->vcpus[i];

        if (v->exists)
            add_vcpu(&s, v->hard, v->soft);
    }
    scope_end(&s);
    return 0;
}

int xln_load_of_domains(const struct xln_domains *domains,
                        const struct xln_host *host, uint64_t *load)
{
    int rc = 0;

    for (unsigned i = 0; i < domains->nr && !rc; i++)
        rc = add_domain(host, &domains->list[i], load);
    return rc;
}

/* ---- of the running host ---- */

/* -ESRCH does not matter: no vCPU has this number, or the domain has ended
 * meanwhile. */
static int read_vcpu(xc_interface *xch, uint32_t domid, unsigned vcpu,
                     struct scope *s)
{
    struct xln_cpumap *hard, *soft;
    int rc;

    rc = xln__affinity_read(xch, domid, vcpu, xln_host_nr_cpus(s->host), &hard,
                            &soft);
    if (rc)
        return rc == -ESRCH ? 0 : rc;
    add_vcpu(s, hard, soft);
    if (s->taken)
        xln__cores_hold(s->host, s->pool, hard, s->taken);
    xln_cpumap_free(hard);
    xln_cpumap_free(soft);
    return 0;
}

static void add_promise(const struct xln__promise *promise, struct scope *s)
{
    unsigned nr_cpus = xln_host_nr_cpus(s->host);

    if (s->taken)
        xln_cpumap_or(s->taken, promise->cores);
    for (unsigned i = 0; i < promise->nr_runs; i++) {
        const struct xln__load_run *run = &promise->runs[i];

        for (unsigned cpu = run->first; cpu <= run->last && cpu < nr_cpus;
             cpu++)
            s->load[cpu] += run->load;
    }
}

/* What the load of each domain is added to. */
struct reading {
    xc_interface *xch;
    const struct xln_reservations *held;
    const struct xln_host *host;
    uint64_t *load;
    struct xln_cpumap *taken;
    const uint8_t *self;
};

static int read_domain(void *arg, const xc_domaininfo_t *info)
{
    const struct reading *r = arg;
    const struct xln__promise *promise;
    struct scope s;
    int rc;

    if (info->flags & XEN_DOMINF_dying)
        return 0;
    rc = scope_begin(r->host, info->cpupool, r->load, &s);
    if (rc)
        return rc;
    if (!r->self || memcmp(info->handle, r->self, sizeof(info->handle)))
        s.taken = r->taken;
    promise = xln__reservations_promise(r->held, info->domain);
    if (promise)
        add_promise(promise, &s);
    /* max_vcpu_id is all ones before the first vCPU exists. */
    for (unsigned i = 0; !promise && i < info->max_vcpu_id + 1 && !rc; i++)
        rc = read_vcpu(r->xch, info->domain, i, &s);
    scope_end(&s);
    return rc;
}

int xln_load_read(xc_interface *xch, const struct xln_reservations *held,
                  const struct xln_host *host, uint64_t *load,
                  struct xln_cpumap *taken, const uint8_t *self)
{
    struct reading reading = { xch, held, host, load, taken, self };

    return xln__each_domain(xch, read_domain, &reading);
}
