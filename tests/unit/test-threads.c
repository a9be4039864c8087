/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nodes_cpus="thread": each vCPU has a thread of its own, and as many vCPUs as
 * a core has threads are on one core. All sets of nodes and all ways to deal
 * the threads are tried here, on random hosts whose cores differ.
 */
#include <stdlib.h>

#include "host.h"
#include "libxl_numa.h"
#include "random.h"
#include "sets.h"
#include "tap.h"
#include "text/units.h"

#define NODES 3
#define CORES 3                 /* of a node at most */
#define THREADS 3               /* of a core at most */
#define CPUS (NODES * CORES * THREADS)
#define VCPUS 5

/* CPU (node * CORES + core) * THREADS + thread, if it is there. */
struct problem {
    unsigned there, taken;      /* a bit for each CPU; whole cores are taken */
    unsigned nr_vcpus, nr_hard;
    unsigned masks[VCPUS];      /* a bit for each CPU */
    uint64_t bytes;             /* each node has 1 GiB */
};

static unsigned core_of(unsigned cpu)
{
    return cpu / THREADS;
}

static unsigned node_of(unsigned cpu)
{
    return cpu / THREADS / CORES;
}

static unsigned cpus_of_core(unsigned core)
{
    return ((1u << THREADS) - 1) << core * THREADS;
}

/* ---- the answer ---- */

/* What a vCPU may use. */
static unsigned mask_of(const struct problem *p, unsigned vcpu)
{
    unsigned free = p->there & ~p->taken;

    return vcpu < p->nr_hard ? free & p->masks[vcpu] : free;
}

static unsigned allowed(const struct problem *p)
{
    unsigned all = 0;

    for (unsigned vcpu = 0; vcpu < p->nr_vcpus; vcpu++)
        all |= mask_of(p, vcpu);
    return all;
}

/* How many vCPUs are to be on one core. */
static unsigned group_size(const struct problem *p)
{
    unsigned most = 1;

    for (unsigned core = 0; core < NODES * CORES; core++) {
        unsigned nr = (unsigned)__builtin_popcount(allowed(p) &
                                                   cpus_of_core(core));

        most = nr > most ? nr : most;
    }
    return most;
}

static unsigned cpus_of_nodes(unsigned nodes)
{
    unsigned cpus = 0;

    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        cpus |= (nodes >> node_of(cpu) & 1) << cpu;
    return cpus;
}

/*
 * Whether vCPUs from `vcpu` up can have CPUs out of `cpus`. What is left of a
 * core is no longer there for the next group.
 */
static bool can_deal(const struct problem *p, unsigned cpus, unsigned vcpu,
                     unsigned core)
{
    bool begins = vcpu % group_size(p) == 0;

    if (vcpu == p->nr_vcpus)
        return true;
    if (begins && core != XLN_NONE)
        cpus &= ~cpus_of_core(core);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        if (cpus & mask_of(p, vcpu) & 1u << cpu &&
            (begins || core_of(cpu) == core) &&
            can_deal(p, cpus & ~(1u << cpu), vcpu + 1, core_of(cpu)))
            return true;
    }
    return false;
}

/* Nodes without a CPU that is free are in no set. */
static bool have_cpus(const struct problem *p, unsigned nodes)
{
    for (unsigned node = 0; node < NODES; node++) {
        if (nodes >> node & 1 && !(cpus_of_nodes(1u << node) & allowed(p)))
            return false;
    }
    return true;
}

static bool fits(const struct problem *p, unsigned nodes)
{
    return have_cpus(p, nodes) &&
           p->bytes <= GIB * (unsigned)__builtin_popcount(nodes) &&
           can_deal(p, cpus_of_nodes(nodes), 0, XLN_NONE);
}

/* Fewest nodes, then lowest numbers; 0: there is none. */
static unsigned best_set(const struct problem *p)
{
    unsigned best = 0;

    for (unsigned nodes = 1; nodes < 1u << NODES; nodes++) {
        int nr = __builtin_popcount(nodes), nr_best = __builtin_popcount(best);
        bool lower = nodes & ((nodes ^ best) & -(nodes ^ best));

        if (fits(p, nodes) &&
            (!best || nr < nr_best || (nr == nr_best && lower)))
            best = nodes;
    }
    return best;
}

/* ---- the plan ---- */

static struct xln_host *make_host(const struct problem *p)
{
    struct xln_host *host;

    must(xln__host_new(CPUS, NODES, 0, &host));
    for (unsigned node = 0; node < NODES; node++) {
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = host->nodes[node].free_bytes = GIB;
        for (unsigned to = 0; to < NODES; to++)
            host->distances[node * NODES + to] = node == to ? 10 : 20;
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        host->cpu_exists[cpu] = true;
        host->cpus[cpu] = (struct xln_host_cpu){
            .online = p->there >> cpu & 1, .node = node_of(cpu),
            .socket = node_of(cpu), .core = core_of(cpu),
            .taken = p->taken >> cpu & 1,
        };
    }
    must(xln__host_finish(host));
    return host;
}

static struct xln_cpumap *map_of(unsigned bits)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(CPUS, &cpus));
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        if (bits >> cpu & 1)
            xln_cpumap_set(cpus, cpu);
    }
    return cpus;
}

static unsigned bits_of(const struct xln_cpumap *cpus)
{
    unsigned cpu, bits = 0;

    XLN_FOREACH(xln_cpumap, cpu, cpus)
        bits |= 1u << cpu;
    return bits;
}

static struct xln_request *new_request(enum xln_vcpus_mode mode)
{
    struct xln_request *request;

    must(xln_request_new(&request));
    request->vcpus_mode = mode;
    request->vnuma = XLN_VNUMA_AUTO;
    request->policy = xln_policy_by_name("first");
    return request;
}

/* The vCPUs of a virtual node have their threads on its node. */
static bool vnodes_follow(const struct xln_vnuma *vnuma,
                          const struct xln_plan *plan)
{
    for (unsigned i = 0; vnuma && i < vnuma->nr; i++) {
        for (unsigned vcpu = 0; vcpu < plan->nr_vcpu_cores; vcpu++) {
            unsigned cpu = xln_cpumap_next(plan->vcpu_cores[vcpu], 0);

            if (xln_cpumap_test(vnuma->list[i].vcpus, vcpu) !=
                (node_of(cpu) == vnuma->list[i].node))
                return false;
        }
    }
    return true;
}

/* NULL, or what is wrong with the vCPUs' threads. */
static const char *check_threads(const struct problem *p,
                                 const struct xln_plan *plan)
{
    unsigned used = 0, size = group_size(p), core = 0, cores = 0;

    for (unsigned vcpu = 0; vcpu < plan->nr_vcpu_cores; vcpu++) {
        unsigned bits = bits_of(plan->vcpu_cores[vcpu]);
        unsigned at = core_of((unsigned)__builtin_ctz(bits | 1u << 31));

        if (__builtin_popcount(bits) != 1)
            return "not one thread";
        if (bits & used)
            return "a thread twice";
        if (bits & ~mask_of(p, vcpu))
            return "a thread that it may not use";
        if (vcpu % size && at != core)
            return "siblings apart";
        if (vcpu % size == 0 && cores >> at & 1)
            return "two groups on a core";
        if (!xln_nodemap_test(plan->nodes, node_of(at * THREADS)))
            return "a thread of another node";
        core = at;
        cores |= 1u << at;
        used |= bits;
    }
    return used == bits_of(plan->vcpu_cpus) ? NULL : "other CPUs in all";
}

/* Sets that are said to fit do, and no others. */
static bool judges_right(const struct problem *p, const struct xln_host *host,
                         const struct xln_request *request,
                         const struct xln_need *need)
{
    struct xln_candidates *candidates;
    bool right = true;

    must(xln_candidates_find(host, request, need, 0, &candidates));
    for (unsigned i = 0; i < candidates->nr; i++) {
        const struct xln_judged *judged = &candidates->list[i];

        right &= (judged->verdict < XLN_CANDIDATE_MEMORY) ==
                 fits(p, node_bits(judged->set.nodes));
    }
    xln_candidates_free(candidates);
    return right;
}

static const char *check(const struct problem *p, const struct xln_host *host,
                         const struct xln_request *request,
                         const struct xln_need *need,
                         const struct xln_plan *plan)
{
    unsigned best = best_set(p);
    struct xln_vnuma *vnuma = NULL;
    const char *wrong = NULL;

    if (!best)
        return plan->verdict == XLN_FITS ? "fits" : check_threads(p, plan);
    if (plan->verdict != XLN_FITS || plan->nr_vcpu_cores != p->nr_vcpus)
        return "does not fit";
    if (node_bits(plan->nodes) != best)
        return "other nodes";
    must(xln_vnuma_new(host, request, need, plan, &vnuma));
    if (!vnodes_follow(vnuma, plan))
        wrong = "virtual nodes elsewhere";
    xln_vnuma_free(vnuma);
    if (!wrong && !judges_right(p, host, request, need))
        wrong = "a set is misjudged";
    return wrong ? wrong : check_threads(p, plan);
}

static const char *check_problem(const struct problem *p)
{
    struct xln_request *request = new_request(XLN_VCPUS_THREAD);
    struct xln_host *host = make_host(p);
    struct xln_cpumap *hard[VCPUS];
    struct xln_need need = {
        .memory_bytes = p->bytes,
        .nr_vcpus = p->nr_vcpus,
        .nr_hard = p->nr_hard,
        .hard = (const struct xln_cpumap *const *)hard,
    };
    struct xln_plan *plan;
    const char *wrong;

    for (unsigned i = 0; i < p->nr_hard; i++)
        hard[i] = map_of(p->masks[i]);
    must(xln_place(host, request, &need, &plan));
    wrong = check(p, host, request, &need, plan);
    for (unsigned i = 0; i < p->nr_hard; i++)
        xln_cpumap_free(hard[i]);
    xln_plan_free(plan);
    xln_request_free(request);
    xln_host_free(host);
    return wrong;
}

/* ---- tests ---- */

static void test_cases(void)
{
    static const struct {
        struct problem p;
        unsigned nodes;
        const char *name;
    } cases[] = {
        { { .there = 0333333333, .nr_vcpus = 4, .bytes = GIB / 2 }, 1,
          "four vCPUs are on two cores of one node" },
        { { .there = 0333333333, .nr_vcpus = 5, .bytes = GIB / 2 }, 1,
          "a vCPU without a sibling has a core too" },
        { { .there = 0111111111, .nr_vcpus = 3, .bytes = GIB / 2 }, 1,
          "with smt=0 a thread is a core" },
        { { .there = 0333333113, .nr_vcpus = 4, .bytes = GIB / 2 }, 2,
          "siblings need a core with all its threads" },
        { { .there = 0333333113, .nr_vcpus = 3, .bytes = GIB / 2 }, 1,
          "the last vCPU is content with a core of one thread" },
        { { .there = 0333333333, .taken = 0000000030, .nr_vcpus = 5,
            .bytes = GIB / 2 }, 2, "a core that is taken does not count" },
        { { .there = 0333333333, .nr_vcpus = 4, .nr_hard = 4,
            .bytes = GIB / 2, .masks = { 2, 1, 030, 030 } }, 1,
          "siblings change places where their lists want it" },
        { { .there = 0333333333, .nr_vcpus = 2, .nr_hard = 2,
            .bytes = GIB / 2, .masks = { 1, 032 } }, 1,
          "a list leaves out a thread that would separate siblings" },
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *wrong = check_problem(&cases[i].p);

        ok(!wrong && best_set(&cases[i].p) == cases[i].nodes, "%s%s%s",
           cases[i].name, wrong ? ": " : "", wrong ? wrong : "");
    }
}

static void fill_random(struct problem *p)
{
    bool masks = random_below(2);

    *p = (struct problem){ .nr_vcpus = 1 + random_below(VCPUS) };
    p->bytes = GIB / 2 + GIB * random_below(NODES);
    for (unsigned core = 0; core < NODES * CORES; core++) {
        unsigned bits = random_below(3) ? 3 : random_below(1 << THREADS);

        p->there |= bits << core * THREADS;
        if (random_below(5) == 0)
            p->taken |= cpus_of_core(core);
    }
    p->nr_hard = masks ? random_below(p->nr_vcpus + 1) : 0;
    for (unsigned i = 0; i < p->nr_hard; i++)
        p->masks[i] = random_below(1u << CPUS) | 7u << random_below(CPUS);
}

/* A list without any CPU is not for the plan, nor is a host without one. */
static bool is_fair(const struct problem *p)
{
    for (unsigned vcpu = 0; vcpu < p->nr_vcpus; vcpu++) {
        if (!mask_of(p, vcpu))
            return false;
    }
    return true;
}

static void test_random(void)
{
    unsigned nr = 0, nr_right = 0, nr_fit = 0;
    struct problem p;

    while (nr < 3000) {
        const char *wrong;

        fill_random(&p);
        if (!is_fair(&p))
            continue;
        nr++;
        wrong = check_problem(&p);
        if (wrong)
            printf("# %09o, taken %09o, %u vCPUs, %u lists: %s\n", p.there,
                   p.taken, p.nr_vcpus, p.nr_hard, wrong);
        nr_right += !wrong;
        nr_fit += best_set(&p) != 0;
    }
    ok(nr_right == nr && nr_fit > 500, "%u of %u random hosts are planned "
       "right, on %u of them it fits", nr_right, nr, nr_fit);
}

/* Plan one more domain, and add its cores to p->taken. Returns the CPUs that
 * its vCPUs may run on. */
static unsigned add_domain(struct problem *p, enum xln_vcpus_mode mode)
{
    struct xln_request *request = new_request(mode);
    struct xln_need need = { .memory_bytes = GIB / 8,
                             .nr_vcpus = 1 + random_below(VCPUS) };
    struct xln_host *host = make_host(p);
    struct xln_cpumap *taken = map_of(0);
    struct xln_plan *plan;
    unsigned cpus;

    must(xln_place(host, request, &need, &plan));
    must(xln_cores_of_plan(plan, mode, &need, host, taken));
    p->taken |= bits_of(taken);
    cpus = plan->lacks_cores ? 0 : bits_of(plan->vcpu_cpus);
    xln_plan_free(plan);
    xln_cpumap_free(taken);
    xln_request_free(request);
    xln_host_free(host);
    return cpus;
}

static void test_together(void)
{
    unsigned nr = 0, nr_shared = 0;

    for (unsigned i = 0; i < 500; i++) {
        struct problem p;
        unsigned cores = 0, cpus;

        fill_random(&p);
        p.taken = 0;
        do {
            unsigned mine = 0;

            cpus = add_domain(&p, random_below(2) ? XLN_VCPUS_CORE
                                                  : XLN_VCPUS_THREAD);
            for (unsigned cpu = 0; cpu < CPUS; cpu++)
                mine |= (cpus >> cpu & 1) << core_of(cpu);
            nr += cpus != 0;
            nr_shared += (mine & cores) != 0;
            cores |= mine;
        } while (cpus);
    }
    ok(nr > 1000 && !nr_shared, "of %u domains with a core or a thread for "
       "each vCPU none shares a core", nr);
}

int main(void)
{
    test_cases();
    test_random();
    test_together();
    return tap_done();
}
