/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A core is what has the same node, socket and core number: the CPUs in it are
 * its threads (siblings). With core scheduling it is a whole scheduling unit.
 *
 * It is taken if some vCPU can run nowhere else: if the hard affinity of that,
 * within its domain's cpupool, has CPUs of this core alone. A vCPU that may run
 * on two cores or more holds neither of them, and one that only prefers a core
 * (soft affinity) does not hold it: the scheduler can always take these
 * elsewhere.
 */
#include <errno.h>
#include <stdlib.h>

#include "cores.h"
#include "host.h"

bool xln__cores_same(const struct xln_host *host, unsigned a, unsigned b)
{
    const struct xln_host_cpu *x = xln_host_cpu(host, a);
    const struct xln_host_cpu *y = xln_host_cpu(host, b);

    if (x && y && host->units && host->units[a] == host->units[b])
        return true;
    return x && y && x->node == y->node && x->socket == y->socket &&
           x->core == y->core;
}

static void add_siblings(const struct xln_host *host, unsigned cpu,
                         struct xln_cpumap *taken)
{
    for (unsigned i = 0; i < xln_host_nr_cpus(host); i++) {
        if (xln__cores_same(host, cpu, i))
            xln_cpumap_set(taken, i);
    }
}

void xln__cores_hold(const struct xln_host *host,
                     const struct xln_cpumap *pool,
                     const struct xln_cpumap *hard, struct xln_cpumap *taken)
{
    unsigned cpu, first = XLN_NONE;

    XLN_FOREACH(xln_cpumap, cpu, hard) {
        if (!xln_cpumap_test(pool, cpu) ||
            (host->units && cpu < host->nr_cpus && host->units[cpu] != cpu))
            continue;
        if (first == XLN_NONE)
            first = cpu;
        else if (!xln__cores_same(host, first, cpu))
            return;
    }
    if (first != XLN_NONE && !xln_cpumap_test(taken, first))
        add_siblings(host, first, taken);
}

/* Make `hard` what vCPU `vcpu` may run on once the plan is carried out. */
static void find_hard(const struct xln_plan *plan, enum xln_vcpus_mode mode,
                      const struct xln_need *need, unsigned vcpu,
                      struct xln_cpumap *hard)
{
    const struct xln_cpumap *planned = NULL;

    xln_cpumap_fill(hard);
    if (vcpu < need->nr_hard && need->hard[vcpu])
        xln_cpumap_and(hard, need->hard[vcpu]);
    if (vcpu < plan->nr_vcpu_cores)
        planned = plan->vcpu_cores[vcpu];
    else if (mode == XLN_VCPUS_HARD && !xln_cpumap_is_empty(plan->vcpu_cpus))
        planned = plan->vcpu_cpus;
    if (planned && xln_cpumap_intersects(hard, planned))
        xln_cpumap_and(hard, planned);
}

int xln_cores_of_plan(const struct xln_plan *plan, enum xln_vcpus_mode mode,
                      const struct xln_need *need,
                      const struct xln_host *host, struct xln_cpumap *taken)
{
    struct xln_cpumap *pool = NULL, *hard = NULL;
    int rc;

    rc = xln_host_cpus_of_nodes(host, xln_host_nodes(host), &pool);
    if (!rc)
        rc = xln_cpumap_new(xln_host_nr_cpus(host), &hard);
    if (rc)
        goto out;
    if (need->pool_cpus)
        xln_cpumap_and(pool, need->pool_cpus);
    for (unsigned vcpu = 0; vcpu < need->nr_vcpus; vcpu++) {
        /* All vCPUs that follow are like this one. */
        bool last = vcpu >= need->nr_hard && vcpu >= plan->nr_vcpu_cores;

        find_hard(plan, mode, need, vcpu, hard);
        xln__cores_hold(host, pool, hard, taken);
        if (last)
            break;
    }
 out:
    xln_cpumap_free(pool);
    xln_cpumap_free(hard);
    return rc;
}

static int add_domain(const struct xln_host *host,
                      const struct xln_domain *domain,
                      struct xln_cpumap *taken)
{
    const struct xln_host_pool *known = xln_host_pool(host, domain->pool_id);
    struct xln_cpumap *pool;
    int rc;

    if (domain->dying || !domain->vcpus)
        return 0;
    rc = known ? xln_cpumap_copy(known->cpus, &pool)
               : xln_host_cpus_of_nodes(host, xln_host_nodes(host), &pool);
    if (rc)
        return rc;
    for (unsigned i = 0; i < domain->nr_vcpus; i++) {
        if (domain->vcpus[i].exists)
            xln__cores_hold(host, pool, domain->vcpus[i].hard, taken);
    }
    xln_cpumap_free(pool);
    return 0;
}

int xln_cores_of_domains(const struct xln_domains *domains,
                         const struct xln_host *host,
                         struct xln_cpumap *taken)
{
    int rc = 0;

    for (unsigned i = 0; i < domains->nr && !rc; i++)
        rc = add_domain(host, &domains->list[i], taken);
    return rc;
}

int xln_host_take_cores(const struct xln_host *host,
                        const struct xln_cpumap *taken,
                        struct xln_host **host_r)
{
    struct xln_host *copy;
    unsigned cpu;
    int rc;

    rc = xln_host_copy(host, &copy);
    if (rc)
        return rc;
    XLN_FOREACH(xln_cpumap, cpu, taken) {
        if (cpu < copy->nr_cpus)
            copy->cpus[cpu].taken = true;
    }
    *host_r = copy;
    return 0;
}
