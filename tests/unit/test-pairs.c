/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domains that need two of more than 256 nodes, against a look at all pairs. The
 * policy is taken at its word, as in test-balanced.
 */
#include "place-cases.h"

#include "problem.h"

#define NR_NODES 260

struct pair {
    bool found;
    unsigned a, b;
    struct xln_candidate figures;
};

static unsigned distance_of(unsigned kind, unsigned a, unsigned b)
{
    if (a == b)
        return 10;
    return kind == 0   ? 20
           : kind == 1 ? 11 + 5 * random_below(4)
                       : a / 130 == b / 130 ? 12 : 21;
}

/* Memory of a few sizes, or of many; one load and number of CPUs, or many. */
static struct xln_host *random_host(void)
{
    unsigned kind = random_below(3), sizes = random_below(2) ? 3 : 1024;
    bool even = random_below(2);
    struct node_spec specs[NR_NODES];
    struct xln_host *host;

    for (unsigned i = 0; i < NR_NODES; i++)
        specs[i] = (struct node_spec){
            .mib = 1024 + random_below(sizes),
            .cpus = even ? 2 : 1 + random_below(4),
        };
    host = make_host(specs, NR_NODES, NULL);
    for (unsigned i = 0; i < NR_NODES * NR_NODES; i++)
        host->distances[i] = distance_of(kind, i / NR_NODES, i % NR_NODES);
    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++)
        host->cpus[cpu].load = even ? 0 : XLN_LOAD_ONE / 4 * random_below(9);
    return host;
}

static uint64_t crowding_of(const struct problem *problem, unsigned a,
                            unsigned b)
{
    uint64_t x = xln__problem_crowding(problem, a);
    uint64_t y = xln__problem_crowding(problem, b);

    return x > y ? x : y;
}

static struct pair pair_of(const struct problem *problem, unsigned a,
                           unsigned b)
{
    unsigned there = xln_host_distance(problem->host, a, b);
    unsigned back = xln_host_distance(problem->host, b, a);

    return (struct pair){
        true, a, b, {
            .usable_bytes = xln__problem_usable(problem, a, false) +
                            xln__problem_usable(problem, b, false),
            .nr_cpus = problem->nr_allowed[a] + problem->nr_allowed[b],
            .crowding = crowding_of(problem, a, b),
            .cost = problem->costs ? problem->costs[a] + problem->costs[b] : 0,
            .distance_max = there > back ? there : back,
        },
    };
}

static bool fits(const struct problem *problem, const struct pair *p)
{
    for (unsigned i = 0; i < problem->nr_spots; i++) {
        if (!xln_nodemap_test(problem->spots[i], p->a) &&
            !xln_nodemap_test(problem->spots[i], p->b))
            return false;
    }
    return p->figures.usable_bytes >= problem->need_bytes &&
           p->figures.nr_cpus >= problem->need_cpus;
}

/* Pairs come in the order of their numbers. */
static bool is_better(const struct problem *problem, const struct pair *x,
                      const struct pair *y)
{
    const struct xln_candidate *a = &x->figures, *b = &y->figures;

    if (!y->found || a->cost != b->cost)
        return !y->found || a->cost < b->cost;
    if (a->distance_max != b->distance_max)
        return a->distance_max < b->distance_max;
    return problem->request->policy->compare(problem, 2, a, b) < 0;
}

static unsigned find_pairs(const struct problem *problem, struct pair *best,
                           struct pair *next)
{
    unsigned nr = 0;

    *best = *next = (struct pair){ 0 };
    for (unsigned a = 0; a < NR_NODES; a++) {
        for (unsigned b = a + 1; b < NR_NODES; b++) {
            struct pair p = pair_of(problem, a, b);

            if (!fits(problem, &p))
                continue;
            nr++;
            if (is_better(problem, &p, best)) {
                *next = *best;
                *best = p;
            } else if (is_better(problem, &p, next)) {
                *next = p;
            }
        }
    }
    return nr;
}

static bool is_pair(const struct xln_candidate *set, const struct pair *p)
{
    if (!set->nodes || !p->found)
        return !set->nodes && !p->found;
    return xln_nodemap_count(set->nodes) == 2 &&
           xln_nodemap_test(set->nodes, p->a) &&
           xln_nodemap_test(set->nodes, p->b);
}

static bool check(const struct xln_host *host,
                  const struct xln_request *request,
                  const struct xln_need *need, unsigned *nr_r)
{
    struct problem problem;
    struct pair best, next;
    struct xln_plan *plan;
    unsigned nr;
    bool good;

    must(xln__problem_init(&problem, host, request, need));
    nr = find_pairs(&problem, &best, &next);
    must(xln_place(host, request, need, &plan));
    good = !nr || (plan->exact && plan->counted_all &&
                   plan->nr_fitting == nr && is_pair(&plan->chosen, &best) &&
                   is_pair(&plan->next, &next));
    *nr_r += nr > 0;
    xln_plan_free(plan);
    xln__problem_clear(&problem);
    return good;
}

static bool check_seed(unsigned seed, const char *policy, unsigned *nr_r)
{
    static const unsigned mib[] = { 2049, 2050, 2052, 2900, 3900 };
    /* At least one is not bound, so all nodes count. */
    struct xln_need need = { .nr_vcpus = 2 + seed % 4 };
    struct xln_nodemap *with;
    struct xln_cpumap *hard;
    const struct xln_cpumap *masks[1];
    struct xln_request *request;
    struct xln_host *host;
    bool good;

    random_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    host = random_host();
    need.memory_bytes = mib[random_below(5)] * MIB;
    must(xln_nodemap_new(NR_NODES, &with));
    xln_nodemap_set(with, random_below(NR_NODES));
    must(xln_cpumap_new(host->nr_cpus, &hard));
    for (unsigned cpu = 0; cpu < 9; cpu++)
        xln_cpumap_set(hard, cpu);
    masks[0] = hard;
    need.with_nodes = random_below(6) ? NULL : with;
    need.hard = masks;
    need.nr_hard = !random_below(6);
    must(xln_request_new(&request));
    request->policy = xln_policy_by_name(policy);
    good = check(host, request, &need, nr_r);
    xln_request_free(request);
    xln_host_free(host);
    xln_nodemap_free(with);
    xln_cpumap_free(hard);
    if (!good)
        printf("# %s: seed %u\n", policy, seed);
    return good;
}

int main(void)
{
    const char *const *policy = xln_policy_names();

    for (; *policy; policy++) {
        unsigned nr_good = 0, nr = 0;

        for (unsigned seed = 0; seed < 200; seed++)
            nr_good += check_seed(seed, *policy, &nr);
        ok(nr_good == 200 && nr > 50, "%s: the best two of all pairs, %u of 200 "
           "times (%u times there are any)", *policy, nr_good, nr);
    }
    return tap_done();
}
