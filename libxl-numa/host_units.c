/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * With core scheduling (sched-gran= on Xen's command line) the scheduler deals
 * with all threads of a core, or all CPUs of a socket, as one unit, and with as
 * many vCPUs of a domain, beginning at its first: they run on the CPUs of one
 * unit at the same time, and have one affinity (xen/common/sched/core.c). The
 * last one that is set counts for all of them. Of a unit it has or lacks the
 * first CPU; the others do not matter.
 *
 * Example: cores of two threads, CPUs 0-1, 2-3. Of a domain with three vCPUs, 0
 * and 1 are together, and 2 is alone. CPUs 1-2 are an affinity for CPUs 2-3, and
 * CPU 1 is none.
 */
#include <errno.h>
#include <stdlib.h>

#include "host.h"

static bool is_online(const struct xln_host *host, unsigned cpu)
{
    return host->cpu_exists[cpu] && host->cpus[cpu].online;
}

/* CPUs that are online, sorted so that the CPUs of a unit are neighbours, the
 * first CPU first. */
struct order {
    const struct xln_host *host;
    enum xln_sched_gran gran;
    unsigned nr, *cpus;
};

static int compare_numbers(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

static int compare_units(const struct order *order, unsigned a, unsigned b)
{
    const struct xln_host_cpu *x = &order->host->cpus[a];
    const struct xln_host_cpu *y = &order->host->cpus[b];
    int r = compare_numbers(x->socket, y->socket);

    if (r || order->gran == XLN_SCHED_SOCKET)
        return r;
    r = compare_numbers(x->node, y->node);
    return r ? r : compare_numbers(x->core, y->core);
}

static int compare_cpus(const void *a, const void *b, void *arg)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    int r = compare_units(arg, x, y);

    return r ? r : compare_numbers(x, y);
}

static void sort_cpus(struct order *order)
{
    for (unsigned cpu = 0; cpu < order->host->nr_cpus; cpu++) {
        if (is_online(order->host, cpu))
            order->cpus[order->nr++] = cpu;
    }
    qsort_r(order->cpus, order->nr, sizeof(*order->cpus), compare_cpus, order);
}

/* The first CPU of the unit of each online CPU. Returns the size of the units:
 * 0 if they have different sizes, XLN_NONE if memory ran out. */
static unsigned group_cpus(const struct xln_host *host,
                           enum xln_sched_gran gran, unsigned *units)
{
    struct order order = { .host = host, .gran = gran };
    unsigned first = 0, size = 0;

    order.cpus = calloc(host->nr_cpus, sizeof(*order.cpus));
    if (!order.cpus)
        return XLN_NONE;
    sort_cpus(&order);
    for (unsigned i = 0; i < order.nr; i++) {
        units[order.cpus[i]] = order.cpus[first];
        if (i + 1 < order.nr &&
            !compare_units(&order, order.cpus[first], order.cpus[i + 1]))
            continue;
        if (first && i + 1 - first != size) {
            size = 0;
            break;
        }
        size = i + 1 - first;
        first = i + 1;
    }
    free(order.cpus);
    return size;
}

/* If the units would have different sizes, Xen takes the next smaller ones. */
static int group_pool(struct xln_host *host, struct xln_host_pool *pool,
                      unsigned *units)
{
    unsigned size = 0, cpu;

    while (pool->sched_gran != XLN_SCHED_CPU && !size) {
        size = group_cpus(host, pool->sched_gran, units);
        if (!size)
            pool->sched_gran--;
    }
    if (size == XLN_NONE)
        return -ENOMEM;
    if (size < 2)
        return 0;
    XLN_FOREACH(xln_cpumap, cpu, pool->cpus) {
        if (cpu < host->nr_cpus && is_online(host, cpu))
            host->units[cpu] = units[cpu];
    }
    return 0;
}

int xln__host_find_units(struct xln_host *host)
{
    unsigned *units = NULL;
    bool any = false;
    int rc = 0;

    for (unsigned i = 0; i < host->nr_pools; i++)
        any |= host->pools[i].sched_gran != XLN_SCHED_CPU;
    if (!any)
        return 0;
    host->units = calloc(host->nr_cpus, sizeof(*host->units));
    units = calloc(host->nr_cpus, sizeof(*units));
    if (!host->units || !units)
        rc = -ENOMEM;
    for (unsigned cpu = 0; cpu < host->nr_cpus && !rc; cpu++)
        host->units[cpu] = cpu;
    for (unsigned i = 0; i < host->nr_pools && !rc; i++)
        rc = group_pool(host, &host->pools[i], units);
    free(units);
    return rc;
}

unsigned xln_host_unit_size(const struct xln_host *host,
                            const struct xln_cpumap *cpus)
{
    unsigned cpu, first = XLN_NONE, size = 0;

    if (!host->units)
        return 1;
    for (cpu = 0; cpu < host->nr_cpus; cpu++) {
        if (!is_online(host, cpu) || (cpus && !xln_cpumap_test(cpus, cpu)))
            continue;
        if (first == XLN_NONE)
            first = host->units[cpu];
        size += host->units[cpu] == first;
    }
    return size ? size : 1;
}

void xln_host_whole_units(const struct xln_host *host, struct xln_cpumap *cpus)
{
    if (!host->units)
        return;
    /* The first CPU of a unit has the lowest number. */
    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++) {
        if (xln_cpumap_test(cpus, host->units[cpu]))
            xln_cpumap_set(cpus, cpu);
        else
            xln_cpumap_clear(cpus, cpu);
    }
}
