/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The search by the policy "balanced" on hosts of 17 to 20 nodes, beside all
 * sets of as many nodes as it chose. The policy is taken at its word: what is
 * tested is that no set is better by it.
 */
#include "host.h"
#include "policy.h"
#include "problem.h"
#include "random.h"
#include "tap.h"
#include "text/units.h"

#define MAX_NODES 20

enum shape { FLAT, SOCKETS, CHAOS };

static unsigned distance_of(enum shape shape, unsigned a, unsigned b)
{
    if (a == b)
        return 10;
    if (shape == CHAOS)
        return 11 + (a * b * 7919 + (a + b) * 104729) % 5;
    return shape == SOCKETS && a / 10 == b / 10 ? 12 : 20;
}

/* Equal nodes, whole GiB, or odd pages. */
static uint64_t random_bytes(unsigned kind)
{
    return kind == 0   ? 32 * GIB
           : kind == 1 ? (1 + random_below(64)) * GIB
                       : (1 + random_below(1 << 24)) * UINT64_C(4096);
}

/* The same, but it is known which guests run. */
static struct xln_host *with_guests(struct xln_host *host)
{
    uint64_t bytes[40];
    unsigned nr = random_below(40);
    struct xln_host *with;

    for (unsigned i = 0; i < nr; i++)
        bytes[i] = random_bytes(random_below(3));
    must(xln_host_add_guests(host, bytes, nr, &with));
    xln_host_free(host);
    return with;
}

static struct xln_host *random_host(unsigned nr, enum shape shape)
{
    unsigned kind = random_below(3), nr_cpus[MAX_NODES], all = 0, cpu = 0;
    bool even = random_below(2);
    struct xln_host *host;

    for (unsigned i = 0; i < nr; i++)
        all += nr_cpus[i] = even ? 4 : 1 + random_below(6);
    must(xln__host_new(all, nr, 0, &host));
    for (unsigned i = 0; i < nr; i++) {
        unsigned load = random_below(3) ? random_below(30) : 0;

        xln_nodemap_set(host->exists, i);
        host->nodes[i].free_bytes = random_bytes(kind);
        host->nodes[i].total_bytes = 64 * GIB;
        for (unsigned end = cpu + nr_cpus[i]; cpu < end; cpu++) {
            host->cpu_exists[cpu] = host->cpus[cpu].online = true;
            host->cpus[cpu].node = i;
            host->cpus[cpu].load = XLN_LOAD_ONE / 10 * load;
        }
        for (unsigned to = 0; to < nr; to++)
            host->distances[i * nr + to] = distance_of(shape, i, to);
    }
    must(xln__host_finish(host));
    return random_below(2) ? host : with_guests(host);
}

static uint64_t total_bytes(const struct xln_host *host)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < host->nr_nodes; i++)
        total += host->nodes[i].free_bytes;
    return total;
}

/* ---- judging ---- */

static struct xln_candidate figures_of(const struct problem *problem,
                                       enum shape shape, unsigned set)
{
    struct xln_candidate f = { 0 };

    for (unsigned i = 0; i < problem->host->nr_nodes; i++) {
        uint64_t crowding = xln__problem_crowding(problem, i);

        if (!(set >> i & 1))
            continue;
        f.usable_bytes += xln__problem_usable(problem, i, false);
        f.nr_cpus += problem->nr_allowed[i];
        f.crowding = crowding > f.crowding ? crowding : f.crowding;
        for (unsigned j = 0; j < i; j++) {
            unsigned d = set >> j & 1 ? distance_of(shape, i, j) : 0;

            f.distance_max = d > f.distance_max ? d : f.distance_max;
            f.distance_sum += d;
        }
    }
    return f;
}

/* Whether a fits and is better than b; sets are of `nr` nodes. */
static bool is_better(const struct problem *problem, unsigned nr,
                      const struct xln_candidate *a, unsigned set_a,
                      const struct xln_candidate *b, unsigned set_b)
{
    unsigned differ = set_a ^ set_b;
    int order;

    if (a->usable_bytes < problem->need_bytes ||
        a->nr_cpus < problem->need_cpus)
        return false;
    if (a->distance_max != b->distance_max)
        return a->distance_max < b->distance_max;
    if (a->distance_sum != b->distance_sum)
        return a->distance_sum < b->distance_sum;
    order = problem->request->policy->compare(problem, nr, a, b);
    return order ? order < 0 : set_a & differ & -differ;
}

/* The next number with as many bits. */
static unsigned next_set(unsigned set)
{
    unsigned low = set & -set, next = set + low;

    return next | ((set ^ next) / low >> 2);
}

static bool is_best(const struct problem *problem, enum shape shape,
                    const struct xln_plan *plan)
{
    unsigned nr = xln_nodemap_count(plan->nodes), chosen = 0, node, set;
    struct xln_candidate best, other;

    XLN_FOREACH(xln_nodemap, node, plan->nodes)
        chosen |= 1U << node;
    best = figures_of(problem, shape, chosen);
    for (set = (1U << nr) - 1; set < 1U << problem->host->nr_nodes;
         set = next_set(set)) {
        other = figures_of(problem, shape, set);
        if (is_better(problem, nr, &other, set, &best, chosen))
            return false;
    }
    return plan->exact;
}

static bool is_right(enum shape shape, unsigned seed)
{
    struct xln_need need = { .nr_vcpus = 1 };
    struct xln_request *request;
    struct problem problem;
    struct xln_host *host;
    struct xln_plan *plan;
    unsigned nr, part;
    bool right;

    random_state = seed;
    random_below(2);
    nr = MAX_NODES - random_below(4);
    host = random_host(nr, shape);
    part = 2 * nr + random_below(12 * nr);
    need.memory_bytes = total_bytes(host) / (16 * nr) * part;
    need.nr_vcpus += random_below(2 * nr);
    must(xln_request_new(&request));
    request->policy = xln_policy_by_name("balanced");
    must(xln_place(host, request, &need, &plan));
    must(xln__problem_init(&problem, host, request, &need));
    right = plan->verdict == XLN_FITS && is_best(&problem, shape, plan);
    if (!right)
        printf("# seed %u: %u nodes, %u vCPUs\n", seed, nr, need.nr_vcpus);
    xln__problem_clear(&problem);
    xln_plan_free(plan);
    xln_request_free(request);
    xln_host_free(host);
    return right;
}

static void test_hosts(enum shape shape, unsigned nr_hosts, const char *what)
{
    unsigned nr_right = 0;

    if (getenv("THOROUGH"))
        nr_hosts *= 8;
    for (unsigned i = 0; i < nr_hosts; i++)
        nr_right += is_right(shape, 1000 * shape + i);
    ok(nr_right == nr_hosts, "%s: %u of %u plans are proven and right", what,
       nr_right, nr_hosts);
}

int main(void)
{
    test_hosts(FLAT, 25, "nodes that are equally far");
    test_hosts(SOCKETS, 15, "two sockets");
    test_hosts(CHAOS, 15, "any distances");
    return tap_done();
}
