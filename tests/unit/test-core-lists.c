/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nodes_cpus="core" for vCPUs that have lists of CPUs of their own: the plan
 * is the best of the sets of nodes that have a core for each of them. All sets
 * and all ways to deal the cores are tried here, on random hosts.
 */
#include <stdlib.h>

#include "host.h"
#include "libxl_numa.h"
#include "random.h"
#include "sets.h"
#include "tap.h"
#include "text/units.h"

#define NODES 4
#define CORES 3                 /* of a node at most, each with one CPU */
#define VCPUS 4

struct problem {
    unsigned nr_cores[NODES];   /* CPU node * CORES + i, i below that */
    unsigned nr_vcpus;
    unsigned masks[VCPUS];      /* a bit for each CPU */
};

/* ---- the answer ---- */

static bool is_there(const struct problem *p, unsigned nodes, unsigned cpu)
{
    return nodes >> cpu / CORES & 1 && cpu % CORES < p->nr_cores[cpu / CORES];
}

/* Whether vCPUs from `vcpu` up can have CPUs that are not in `used`. */
static bool can_deal(const struct problem *p, unsigned nodes, unsigned vcpu,
                     unsigned used)
{
    if (vcpu == p->nr_vcpus)
        return true;
    for (unsigned cpu = 0; cpu < NODES * CORES; cpu++) {
        if (is_there(p, nodes, cpu) && p->masks[vcpu] >> cpu & 1 &&
            !(used >> cpu & 1) &&
            can_deal(p, nodes, vcpu + 1, used | 1u << cpu))
            return true;
    }
    return false;
}

/* Whether the nodes of `a` are to be taken rather than those of `b`: fewer,
 * then lower numbers; memory and distances are alike. */
static bool is_better(unsigned a, unsigned b)
{
    int nr_a = __builtin_popcount(a), nr_b = __builtin_popcount(b);

    if (nr_a != nr_b)
        return nr_a < nr_b;
    return a & ((a ^ b) & -(a ^ b));
}

/* 0: no set. */
static unsigned best_set(const struct problem *p)
{
    unsigned best = 0;

    for (unsigned nodes = 1; nodes < 1u << NODES; nodes++) {
        if (can_deal(p, nodes, 0, 0) && (!best || is_better(nodes, best)))
            best = nodes;
    }
    return best;
}

/* ---- the plan ---- */

static struct xln_host *make_host(const struct problem *p)
{
    struct xln_host *host;

    must(xln__host_new(NODES * CORES, NODES, 0, &host));
    for (unsigned node = 0; node < NODES; node++) {
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = host->nodes[node].free_bytes = GIB;
        for (unsigned to = 0; to < NODES; to++)
            host->distances[node * NODES + to] = node == to ? 10 : 20;
        for (unsigned i = 0; i < p->nr_cores[node]; i++) {
            struct xln_host_cpu *c = &host->cpus[node * CORES + i];

            host->cpu_exists[node * CORES + i] = true;
            c->online = true;
            c->node = c->socket = node;
            c->core = i;
        }
    }
    must(xln__host_finish(host));
    return host;
}

static struct xln_cpumap *mask_of(unsigned bits)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(NODES * CORES, &cpus));
    for (unsigned cpu = 0; cpu < NODES * CORES; cpu++) {
        if (bits >> cpu & 1)
            xln_cpumap_set(cpus, cpu);
    }
    return cpus;
}

static struct xln_plan *plan_of(const struct problem *p,
                                struct xln_candidates **candidates_r)
{
    struct xln_cpumap *hard[VCPUS];
    struct xln_need need = {
        .memory_bytes = GIB / 4,
        .nr_vcpus = p->nr_vcpus,
        .nr_hard = p->nr_vcpus,
        .hard = (const struct xln_cpumap *const *)hard,
    };
    struct xln_host *host = make_host(p);
    struct xln_request *request;
    struct xln_plan *plan;

    must(xln_request_new(&request));
    request->vcpus_mode = XLN_VCPUS_CORE;
    request->policy = xln_policy_by_name("first");
    for (unsigned i = 0; i < p->nr_vcpus; i++)
        hard[i] = mask_of(p->masks[i]);
    must(xln_place(host, request, &need, &plan));
    must(xln_candidates_find(host, request, &need, 0, candidates_r));
    for (unsigned i = 0; i < p->nr_vcpus; i++)
        xln_cpumap_free(hard[i]);
    xln_request_free(request);
    xln_host_free(host);
    return plan;
}

/* A set is reported to fit if it does, and only then. */
static bool judges_right(const struct problem *p,
                         const struct xln_candidates *candidates)
{
    for (unsigned i = 0; i < candidates->nr; i++) {
        const struct xln_judged *judged = &candidates->list[i];

        if ((judged->verdict < XLN_CANDIDATE_MEMORY) !=
            can_deal(p, node_bits(judged->set.nodes), 0, 0))
            return false;
    }
    return true;
}

static bool is_right(const struct problem *p)
{
    struct xln_candidates *candidates;
    struct xln_plan *plan = plan_of(p, &candidates);
    unsigned best = best_set(p);
    bool right;

    if (best)
        right = plan->verdict == XLN_FITS && node_bits(plan->nodes) == best &&
                plan->nr_vcpu_cores == p->nr_vcpus &&
                judges_right(p, candidates);
    else
        right = plan->lacks_cores && plan->verdict == XLN_NOTHING_FITS;
    xln_candidates_free(candidates);
    xln_plan_free(plan);
    return right;
}

/* ---- tests ---- */

static void test_next_node(void)
{
    /* CPUs 0 to 2 are on one node, 3 on the next: vCPU 0 has to go there, as
     * the other ones have no choice. */
    const struct problem p = {
        .nr_cores = { 3, 1, 0, 0 }, .nr_vcpus = 3, .masks = { 9, 1, 6 },
    };

    ok(is_right(&p),
       "a plan uses one more node if that node has the core that suits");
}

static void fill_random(struct problem *p)
{
    unsigned all = 0;

    *p = (struct problem){ .nr_vcpus = 1 + random_below(VCPUS) };
    for (unsigned node = 0; node < NODES; node++) {
        p->nr_cores[node] = random_below(CORES + 1);
        for (unsigned i = 0; i < p->nr_cores[node]; i++)
            all |= 1u << (node * CORES + i);
    }
    for (unsigned i = 0; i < p->nr_vcpus; i++)
        p->masks[i] = random_below(1u << NODES * CORES) & all;
}

/* A list without any CPU of the host is not for the plan. */
static bool is_fair(const struct problem *p)
{
    for (unsigned i = 0; i < p->nr_vcpus; i++) {
        if (!p->masks[i])
            return false;
    }
    return true;
}

static void test_random(void)
{
    unsigned nr = 0, nr_right = 0, nr_fit = 0;
    struct problem p;

    while (nr < 3000) {
        fill_random(&p);
        if (!is_fair(&p))
            continue;
        nr++;
        nr_right += is_right(&p);
        nr_fit += best_set(&p) != 0;
    }
    ok(nr_right == nr && nr_fit > 500, "%u of %u random lists are planned "
       "right, %u of them fit", nr_right, nr, nr_fit);
}

int main(void)
{
    test_next_node();
    test_random();
    return tap_done();
}
