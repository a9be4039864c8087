/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Core scheduling: what is one unit, and plans in units. On random hosts a plan
 * is compared with that for one vCPU for each unit on a host with one CPU for
 * each, which nothing is scheduled together with.
 */
#include <stdlib.h>

#include "host.h"
#include "random.h"
#include "tap.h"
#include "text/units.h"

#define NODES 4
#define UNITS 4                 /* of a node at most */
#define THREADS 4
#define VCPUS 12

/* A host of cores of `threads` CPUs, the first of these in a row, then all
 * second ones, and so on: CPU number thread * (NODES * UNITS) + core. */
struct task {
    unsigned threads;
    unsigned nr_units[NODES];
    uint64_t free_bytes[NODES], need_bytes;
    unsigned taken;             /* units, a bit each */
    unsigned nr_vcpus, nr_hard;
    uint64_t hard[VCPUS];       /* CPUs, a bit each; 0: none is given */
    bool core_each, thread_each, whole_cores;
};

static unsigned unit_of(unsigned cpu)
{
    return cpu % (NODES * UNITS);
}

/* `gran` CPU: of each unit the first CPU is all that there is. */
static struct xln_host *make_host(const struct task *t,
                                  enum xln_sched_gran gran)
{
    unsigned threads = gran == XLN_SCHED_CPU ? 1 : t->threads;
    struct xln_cpumap *pool;
    struct xln_host *host;

    must(xln__host_new(NODES * UNITS * threads, NODES, 1, &host));
    must(xln_cpumap_new(host->nr_cpus, &pool));
    for (unsigned node = 0; node < NODES; node++) {
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = 8 * GIB;
        host->nodes[node].free_bytes = t->free_bytes[node];
        for (unsigned to = 0; to < NODES; to++)
            host->distances[node * NODES + to] = node == to ? 10 : 20;
    }
    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++) {
        unsigned unit = unit_of(cpu), node = unit / UNITS;

        if (unit % UNITS >= t->nr_units[node])
            continue;
        host->cpu_exists[cpu] = true;
        host->cpus[cpu] = (struct xln_host_cpu){
            .online = true, .node = node, .socket = node,
            .core = unit % UNITS, .taken = t->taken >> unit & 1,
        };
        xln_cpumap_set(pool, cpu);
    }
    host->pools[0].cpus = pool;
    host->pools[0].sched_gran = gran;
    must(xln__host_finish(host));
    return host;
}

/* That of the last vCPU of a unit that has one; of each unit of CPUs the first
 * counts. 0: there is none. */
static uint64_t mask_of_unit(const struct task *t, unsigned unit)
{
    uint64_t mask = 0;

    for (unsigned v = unit * t->threads;
         v < (unit + 1) * t->threads && v < t->nr_hard; v++)
        mask = t->hard[v] ? t->hard[v] : mask;
    return mask;
}

static struct xln_cpumap *mask_of(uint64_t bits, unsigned nr_cpus)
{
    struct xln_cpumap *cpus;

    if (!bits)
        return NULL;
    must(xln_cpumap_new(nr_cpus, &cpus));
    for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
        if (bits >> cpu & 1)
            xln_cpumap_set(cpus, cpu);
    }
    return cpus;
}

static struct xln_plan *plan_of(const struct task *t,
                                const struct xln_host *host, bool in_units)
{
    unsigned nr = in_units ? (t->nr_vcpus + t->threads - 1) / t->threads
                           : t->nr_vcpus;
    unsigned nr_hard = !t->nr_hard ? 0 : in_units ? nr : t->nr_hard;
    struct xln_cpumap *hard[VCPUS];
    struct xln_need need = {
        .memory_bytes = t->need_bytes,
        .nr_vcpus = nr,
        .pool_cpus = host->pools[0].cpus,
        .hard = (const struct xln_cpumap *const *)hard,
        .nr_hard = nr_hard,
    };
    struct xln_request *request;
    struct xln_plan *plan;

    for (unsigned v = 0; v < nr_hard; v++)
        hard[v] = mask_of(in_units ? mask_of_unit(t, v) : t->hard[v],
                          host->nr_cpus);
    must(xln_request_new(&request));
    request->policy = xln_policy_by_name("best");
    request->whole_cores = t->whole_cores;
    /* With units a thread each is the same as a core each. */
    if (t->core_each)
        request->vcpus_mode = t->thread_each && !in_units ? XLN_VCPUS_THREAD
                                                          : XLN_VCPUS_CORE;
    must(xln_place(host, request, &need, &plan));
    for (unsigned v = 0; v < nr_hard; v++)
        xln_cpumap_free(hard[v]);
    xln_request_free(request);
    return plan;
}

/* Whether `cpus` are all CPUs of the units whose first CPUs are `firsts`. */
static bool are_whole(const struct xln_cpumap *cpus,
                      const struct xln_cpumap *firsts, unsigned nr_cpus)
{
    for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
        if (xln_cpumap_test(cpus, cpu) !=
            xln_cpumap_test(firsts, unit_of(cpu)))
            return false;
    }
    return true;
}

/* NULL: nothing is. */
static const char *what_differs(const struct task *t,
                                const struct xln_plan *plan,
                                const struct xln_plan *expected)
{
    unsigned nr_cpus = NODES * UNITS * t->threads;

    if (plan->verdict != expected->verdict ||
        plan->relaxed != expected->relaxed)
        return "the verdict";
    if (!xln_nodemap_equal(plan->nodes, expected->nodes))
        return "the nodes";
    if (plan->lacks_cores != expected->lacks_cores ||
        plan->nr_free_cores != expected->nr_free_cores)
        return "how many are free";
    if (!are_whole(plan->vcpu_cpus, expected->vcpu_cpus, nr_cpus))
        return "the CPUs";
    if (plan->nr_vcpu_cores != (expected->nr_vcpu_cores ? t->nr_vcpus : 0))
        return "how many have a core";
    for (unsigned v = 0; v < plan->nr_vcpu_cores; v++) {
        if (!are_whole(plan->vcpu_cores[v],
                       expected->vcpu_cores[v / t->threads], nr_cpus))
            return "the core of a vCPU";
    }
    return NULL;
}

static void random_task(struct task *t, unsigned seed)
{
    memset(t, 0, sizeof(*t));
    random_state = seed;
    random_below(2);
    t->threads = 2 + random_below(THREADS - 1);
    for (unsigned node = 0; node < NODES; node++) {
        t->nr_units[node] = random_below(UNITS + 1);
        t->free_bytes[node] = (1 + random_below(8)) * GIB;
    }
    t->nr_units[0] += !t->nr_units[0];
    t->need_bytes = (1 + random_below(10)) * GIB;
    t->nr_vcpus = 1 + random_below(VCPUS);
    t->core_each = random_below(2);
    t->thread_each = random_below(2);
    t->whole_cores = t->core_each || random_below(2);
    if (t->core_each)
        t->taken = random_below(1u << 16) & random_below(1u << 16);
    if (random_below(3))
        return;
    t->nr_hard = 1 + random_below(t->nr_vcpus);
    /* Some CPU that is there is in each; what else is may not be. */
    for (unsigned v = 0; v < t->nr_hard; v++) {
        if (random_below(4))
            t->hard[v] = 1 | (UINT64_C(1) << random_below(63)) |
                         (UINT64_C(1) << random_below(63));
    }
}

/* Without whole cores threads count, which is the same. */
static void test_random(void)
{
    const unsigned nr_tasks = 5000;
    unsigned nr_right = 0, nr_lack = 0;

    for (unsigned i = 0; i < nr_tasks; i++) {
        struct xln_plan *plan, *expected;
        struct xln_host *host, *small;
        const char *wrong;
        struct task t;

        random_task(&t, i);
        host = make_host(&t, XLN_SCHED_CORE);
        small = make_host(&t, XLN_SCHED_CPU);
        plan = plan_of(&t, host, false);
        expected = plan_of(&t, small, true);
        wrong = what_differs(&t, plan, expected);
        if (wrong)
            printf("# host %u: %s\n", i, wrong);
        nr_right += !wrong;
        nr_lack += plan->lacks_cores;
        xln_plan_free(plan);
        xln_plan_free(expected);
        xln_host_free(host);
        xln_host_free(small);
    }
    ok(nr_right == nr_tasks, "%u of %u plans on random hosts use whole units",
       nr_right, nr_tasks);
    ok(nr_lack && nr_lack < nr_tasks / 2,
       "on %u of them too few units are free", nr_lack);
}

/* ---- single hosts ---- */

static void is_whole(const struct xln_host *host, const char *text,
                     const char *expected, const char *what)
{
    struct xln_cpumap *cpus;
    char *got;

    must(xln_cpumap_new(host->nr_cpus, &cpus));
    must(xln_cpumap_parse(text, NULL, 0, cpus, NULL));
    xln_host_whole_units(host, cpus);
    must(xln_cpumap_format(cpus, &got));
    is_str(got, expected, what);
    free(got);
    xln_cpumap_free(cpus);
}

/* Two sockets of two cores with two threads each; CPU 7 may be offline. */
static struct xln_host *small_host(enum xln_sched_gran gran, bool all_online)
{
    struct xln_cpumap *pool;
    struct xln_host *host;

    must(xln__host_new(8, 1, 1, &host));
    must(xln_cpumap_new(8, &pool));
    xln_nodemap_set(host->exists, 0);
    for (unsigned cpu = 0; cpu < 8; cpu++) {
        host->cpu_exists[cpu] = true;
        host->cpus[cpu] = (struct xln_host_cpu){
            .online = all_online || cpu < 7, .socket = cpu / 4,
            .core = cpu / 2 % 2,
        };
        if (host->cpus[cpu].online)
            xln_cpumap_set(pool, cpu);
    }
    host->pools[0].cpus = pool;
    host->pools[0].sched_gran = gran;
    must(xln__host_finish(host));
    return host;
}

static void test_units(void)
{
    struct xln_host *host = small_host(XLN_SCHED_CPU, true), *copy;

    ok(xln_host_unit_size(host, NULL) == 1,
       "without core scheduling each CPU is a unit");
    is_whole(host, "1,3", "1,3",
             "without core scheduling an affinity is used as it is");
    xln_host_free(host);

    host = small_host(XLN_SCHED_CORE, true);
    ok(xln_host_unit_size(host, host->pools[0].cpus) == 2,
       "with sched-gran=core two threads are a unit");
    is_whole(host, "0,3,6-7", "0-1,6-7",
             "an affinity has a core if it has the core's first CPU");
    is_whole(host, "1,3", "", "an affinity without first CPUs has no core");
    must(xln_host_copy(host, &copy));
    ok(xln_host_unit_size(copy, NULL) == 2,
       "a copy of the host has the same units");
    xln_host_free(copy);
    xln_host_free(host);

    host = small_host(XLN_SCHED_SOCKET, true);
    ok(xln_host_unit_size(host, NULL) == 4,
       "with sched-gran=socket four CPUs are a unit");
    is_whole(host, "0-3,5", "0-3",
             "an affinity has a socket if it has the socket's first CPU");
    xln_host_free(host);

    host = small_host(XLN_SCHED_SOCKET, false);
    ok(xln_host_unit_size(host, NULL) == 1 &&
           host->pools[0].sched_gran == XLN_SCHED_CPU,
       "each CPU is a unit if the sockets have unequal numbers of CPUs");
    xln_host_free(host);
}

int main(void)
{
    test_units();
    test_random();
    return tap_done();
}
