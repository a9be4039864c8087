/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placement on large hosts. */

#include "place-cases.h"

/* Nodes of 100 to 131 GiB with 4 CPUs; `chaos`: distances as they fall,
 * otherwise by how far the numbers are apart. */
static struct xln_host *large_host(unsigned nr, bool chaos)
{
    struct node_spec *specs = calloc(nr, sizeof(*specs));
    struct xln_host *host;

    random_state = nr;
    for (unsigned i = 0; i < nr; i++)
        specs[i] = (struct node_spec){
            .mib = 102400 + 1024 * random_below(32), .cpus = 4
        };
    host = make_host(specs, nr, NULL);
    for (unsigned a = 0; a < nr; a++) {
        for (unsigned b = 0; b < nr; b++) {
            unsigned apart = a > b ? a - b : b - a;

            host->distances[a * nr + b] =
                chaos ? 11 + random_below(200) : 10 + apart;
        }
    }
    free(specs);
    return host;
}

static struct xln_plan *place_on(const struct xln_host *host, uint64_t mib,
                                 unsigned max_nodes)
{
    struct xln_need need = { .memory_bytes = mib * MIB, .nr_vcpus = 4 };
    struct xln_request *request;
    struct xln_plan *plan;

    must(xln_request_new(&request));
    request->max_nodes = max_nodes;
    must(xln_place(host, request, &need, &plan));
    xln_request_free(request);
    return plan;
}

static bool same_plan(const struct xln_plan *a, const struct xln_plan *b)
{
    return a->verdict == b->verdict && xln_nodemap_equal(a->nodes, b->nodes) &&
           a->nr_shares == b->nr_shares &&
           !memcmp(a->shares, b->shares, a->nr_shares * sizeof(*a->shares));
}

static void test_64(bool chaos)
{
    struct xln_host *host = large_host(64, chaos);
    struct xln_plan *plan, *again;

    plan = place_on(host, 64 << 20, 0);
    ok(plan->verdict == XLN_NOTHING_FITS && plan->nr_own == 64,
       "nothing fits if all nodes together have too little memory");
    xln_plan_free(plan);

    plan = place_on(host, 3300000, 0);
    ok(plan->verdict == XLN_FITS && xln_nodemap_count(plan->nodes) <= 30,
       "a domain of 3300000 MiB fits on %u nodes",
       xln_nodemap_count(plan->nodes));
    again = place_on(host, 3300000, 0);
    ok(same_plan(plan, again), "planning again gives the same plan");
    xln_plan_free(plan);
    xln_plan_free(again);

    plan = place_on(host, 500000, 0);
    ok(plan->verdict == XLN_FITS && xln_nodemap_count(plan->nodes) <= 5,
       "a domain of 500000 MiB fits on %u nodes",
       xln_nodemap_count(plan->nodes));
    xln_plan_free(plan);

    plan = place_on(host, 3300000, 20);
    ok(plan->verdict == XLN_FITS_RELAXED && plan->nr_own == 20 &&
       plan->relaxed == XLN_RELAXED_MEMORY,
       "with nodes_max=20 a plan uses 20 nodes, and others for the rest");
    xln_plan_free(plan);
    xln_host_free(host);
}

/* Three of 64 nodes, spread over the numbers, are near to each other. */
static void test_needle(void)
{
    struct xln_host *host = large_host(64, true);
    static const unsigned near[] = { 5, 31, 62 };
    struct xln_plan *plan;

    for (size_t i = 0; i < ARRAY_SIZE(near); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(near); j++)
            host->distances[near[i] * 64 + near[j]] = 10;
    }
    plan = place_on(host, 300000, 0);
    ok(xln_nodemap_test(plan->nodes, 5) && xln_nodemap_test(plan->nodes, 31) &&
       xln_nodemap_test(plan->nodes, 62), "the nearest three are found");
    xln_plan_free(plan);
    xln_host_free(host);
}

static void test_largest(void)
{
    struct xln_host *host = large_host(XLN_MAX_NODES, true);
    struct xln_plan *plan;

    plan = place_on(host, 60 << 20, 0);
    ok(plan->verdict == XLN_FITS, "a domain of 60 TiB fits on %u nodes",
       xln_nodemap_count(plan->nodes));
    xln_plan_free(plan);
    xln_host_free(host);
}

static void test_many_masks(void)
{
    struct xln_host *host = large_host(64, true);
    struct xln_cpumap *masks[64];
    struct xln_need need = {
        .memory_bytes = MIB, .nr_vcpus = 64, .nr_hard = 64,
        .hard = (const struct xln_cpumap *const *)masks,
    };
    struct xln_request *request;
    struct xln_plan *plan;

    for (unsigned i = 0; i < 64; i++) {
        must(xln_cpumap_new(256, &masks[i]));
        xln_cpumap_set(masks[i], i * 4);
        xln_cpumap_set(masks[i], (i * 28 + 61) % 256);
    }
    must(xln_request_new(&request));
    must(xln_place(host, request, &need, &plan));
    ok(plan->verdict == XLN_FITS && xln_nodemap_count(plan->nodes) < 48,
       "64 vCPUs, each bound to two of 64 nodes, fit on %u",
       xln_nodemap_count(plan->nodes));
    xln_plan_free(plan);
    xln_request_free(request);
    for (unsigned i = 0; i < 64; i++)
        xln_cpumap_free(masks[i]);
    xln_host_free(host);
}

int main(void)
{
    test_64(false);
    test_64(true);
    test_needle();
    test_largest();
    test_many_masks();
    return tap_done();
}
