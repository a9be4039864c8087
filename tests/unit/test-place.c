/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Placement: a table of hosts, requests and plans; then many random hosts,
 * whose plans are compared with a brute force search that is written from the
 * stated order alone; then large hosts.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "host.h"
#include "policy.h"
#include "random.h"
#include "tap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIB (UINT64_C(1) << 20)
#define MAX_VCPUS 8

/* ------------------------------------------------------------------ */
/* Hosts, requests and plans as text                                   */
/* ------------------------------------------------------------------ */

/* CPUs are numbered through, node by node. */
struct node_spec {
    uint64_t mib;           /* free */
    unsigned cpus;
    uint64_t dma, reserved; /* MiB of these */
    uint64_t total;         /* MiB; 0: all is free */
    bool absent;
};

struct case_spec {
    const char *what;
    const struct node_spec *nodes;  /* ends where cpus and mib are END */
    const unsigned *slit;           /* NULL: 10 and 20 */
    uint64_t need;                  /* MiB */
    unsigned vcpus;                 /* 0: 1 */
    const char *policy;
    const char *named, *mem;        /* "all": all_nodes */
    enum xln_mode mode;
    enum xln_vcpus_mode vcpus_mode;
    unsigned max_nodes;
    const char *pool;
    const char *hard[MAX_VCPUS], *soft[MAX_VCPUS];
    const char *plan;
};

#define NODE(mib_, cpus_, ...) { .mib = mib_, .cpus = cpus_, ##__VA_ARGS__ }
#define END { .cpus = XLN_NONE }

static void fill_node(struct xln_host *host, unsigned node,
                      const struct node_spec *spec)
{
    struct xln_host_node *n = &host->nodes[node];

    if (spec->absent)
        return;
    xln_nodemap_set(host->exists, node);
    n->free_bytes = spec->mib * MIB;
    n->total_bytes = (spec->total ? spec->total : spec->mib) * MIB;
    n->dma_bytes = spec->dma * MIB;
    n->reserved_bytes = spec->reserved * MIB;
}

static struct xln_host *make_host(const struct node_spec *specs, unsigned nr)
{
    unsigned cpu = 0, nr_cpus = 0;
    struct xln_host *host;

    for (unsigned i = 0; i < nr; i++)
        nr_cpus += specs[i].cpus;
    must(xln__host_new(nr_cpus ? nr_cpus : 1, nr, 0, &host));
    for (unsigned node = 0; node < nr; node++) {
        fill_node(host, node, &specs[node]);
        for (unsigned i = 0; i < specs[node].cpus; i++, cpu++) {
            host->cpu_exists[cpu] = true;
            host->cpus[cpu].online = true;
            host->cpus[cpu].node = node;
        }
        for (unsigned to = 0; to < nr; to++)
            host->distances[node * nr + to] = node == to ? 10 : 20;
    }
    must(xln__host_finish(host));
    return host;
}

static struct xln_host *case_host(const struct case_spec *c)
{
    struct xln_host *host;
    unsigned nr = 0;

    while (c->nodes[nr].cpus != XLN_NONE)
        nr++;
    host = make_host(c->nodes, nr);
    if (c->slit)
        memcpy(host->distances, c->slit, nr * nr * sizeof(*c->slit));
    return host;
}

static struct xln_nodemap *nodes_of(const char *text)
{
    struct xln_nodemap *nodes;

    must(xln_nodemap_new(XLN_MAX_NODES, &nodes));
    must(xln_nodemap_parse(text, 0, nodes, NULL));
    return nodes;
}

static struct xln_cpumap *cpus_of(const char *text)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(256, &cpus));
    must(xln_cpumap_parse(text, NULL, 0, cpus, NULL));
    return cpus;
}

static struct xln_request *case_request(const struct case_spec *c)
{
    struct xln_request *request;

    must(xln_request_new(&request));
    /* The cases were written for best fit. */
    request->policy = xln_policy_by_name(c->policy ? c->policy : "best");
    if (c->named && !strcmp(c->named, "all"))
        request->all_nodes = true;
    else if (c->named)
        request->nodes = nodes_of(c->named);
    if (c->mem)
        request->mem_nodes = nodes_of(c->mem);
    request->mode = c->mode;
    request->vcpus_mode = c->vcpus_mode;
    request->max_nodes = c->max_nodes;
    return request;
}

/* "-": none, that vCPU may run anywhere. */
static unsigned parse_masks(const char *const *texts, struct xln_cpumap **cpus)
{
    unsigned nr = 0;

    for (; nr < MAX_VCPUS && texts[nr]; nr++)
        cpus[nr] = strcmp(texts[nr], "-") ? cpus_of(texts[nr]) : NULL;
    return nr;
}

static int place_case(const struct case_spec *c, const struct xln_host *host,
                      struct xln_plan **plan_r)
{
    struct xln_cpumap *hard[MAX_VCPUS], *soft[MAX_VCPUS], *pool = NULL;
    struct xln_request *request = case_request(c);
    struct xln_need need = {
        .memory_bytes = c->need * MIB,
        .nr_vcpus = c->vcpus ? c->vcpus : 1,
        .nr_hard = parse_masks(c->hard, hard),
        .nr_soft = parse_masks(c->soft, soft),
        .hard = (const struct xln_cpumap *const *)hard,
        .soft = (const struct xln_cpumap *const *)soft,
    };
    int rc;

    if (c->pool)
        need.pool_cpus = pool = cpus_of(c->pool);
    rc = xln_place(host, request, &need, plan_r);
    for (unsigned i = 0; i < need.nr_hard; i++)
        xln_cpumap_free(hard[i]);
    for (unsigned i = 0; i < need.nr_soft; i++)
        xln_cpumap_free(soft[i]);
    xln_cpumap_free(pool);
    xln_request_free(request);
    return rc;
}

/* "relaxed(cpus,memory) 0,2: 0=100 2=50 + 3=10 cpus 0-3": the verdict, the
 * node affinity, the shares in MiB, those from elsewhere, the vCPUs' CPUs. */
static void describe(const struct xln_plan *plan, char *text, size_t size)
{
    static const char *const verdicts[] = { "fits", "relaxed", "nothing" };
    static const char *const flags[] = {
        "", "(dma)", "(cpus)", "(dma,cpus)", "(memory)", "(dma,memory)",
        "(cpus,memory)", "(dma,cpus,memory)"
    };
    char *nodes, *cpus;
    size_t at;

    must(xln_nodemap_format(plan->nodes, &nodes));
    must(xln_cpumap_format(plan->vcpu_cpus, &cpus));
    at = snprintf(text, size, "%s%s %s:", verdicts[plan->verdict],
                  flags[plan->relaxed], nodes);
    for (unsigned i = 0; i < plan->nr_shares && at < size; i++)
        at += snprintf(text + at, size - at, "%s %u=%llu",
                       i == plan->nr_own ? " +" : "", plan->shares[i].node,
                       (unsigned long long)(plan->shares[i].bytes / MIB));
    if (at < size)
        snprintf(text + at, size - at, " cpus %s", *cpus ? cpus : "-");
    free(nodes);
    free(cpus);
}

static void run_case(const struct case_spec *c)
{
    struct xln_host *host = case_host(c);
    struct xln_plan *plan = NULL;
    char text[400];
    int rc;

    rc = place_case(c, host, &plan);
    if (rc)
        snprintf(text, sizeof(text), "%s", strerror(-rc));
    else
        describe(plan, text, sizeof(text));
    is_str(text, c->plan, c->what);
    xln_plan_free(plan);
    xln_host_free(host);
}

/* ------------------------------------------------------------------ */
/* The table                                                           */
/* ------------------------------------------------------------------ */

static const struct node_spec one[] = { NODE(1000, 4), END };
static const struct node_spec even[] = {
    NODE(1000, 2), NODE(1000, 2), NODE(1000, 2), NODE(1000, 2), END
};
static const struct node_spec uneven[] = {
    NODE(800, 2), NODE(600, 2), NODE(1000, 2), NODE(600, 2), END
};
/* Node 1 has CPUs only, node 2 memory only. */
static const struct node_spec odd[] = {
    NODE(1000, 2), NODE(0, 2), NODE(1000, 0), NODE(900, 2), END
};
/* Nodes 1 and 3 of five are not there. */
static const struct node_spec sparse[] = {
    NODE(500, 2), { .absent = true }, NODE(600, 2), { .absent = true },
    NODE(700, 2), END
};
static const struct node_spec with_dma[] = {
    NODE(1000, 2, .dma = 400), NODE(700, 2), END
};
static const struct node_spec full[] = {
    NODE(0, 4, .total = 1000), NODE(1000, 2), END
};
static const struct node_spec reserved[] = {
    NODE(1000, 2, .reserved = 900), NODE(500, 2), END
};
static const struct node_spec large[] = {
    NODE(24 << 20, 2), NODE(21 << 20, 2), NODE(24 << 20, 2), END
};
static const struct node_spec dark[] = { NODE(0, 2), NODE(0, 2), END };
static const struct node_spec single_bytes[] = {
    NODE(10, 1), NODE(200, 1), NODE(31, 1), END
};

/* 0-1 and 2-3 are near, 0 and 3 nearest. */
static const unsigned pairs[] = {
    10, 16, 30, 15,
    16, 10, 30, 30,
    30, 30, 10, 16,
    15, 30, 16, 10,
};
/* A chain; the outer ends can't reach each other. */
static const unsigned chain[] = {
    10, 20, 30, XLN_NONE,
    20, 10, 20, 30,
    30, 20, 10, 20,
    XLN_NONE, 30, 20, 10,
};
/* 0 and 1 are near one way only. */
static const unsigned one_way[] = {
    10, 12, 20, 20,
    40, 10, 20, 20,
    20, 20, 10, 20,
    20, 20, 20, 10,
};
/* All equally far at the most, 1 and 3 nearer one way. */
static const unsigned mean[] = {
    10, 20, 20, 20,
    20, 10, 20, 15,
    20, 20, 10, 20,
    20, 15, 20, 10,
};
static const unsigned near_one_way[] = {
    10, 20, 20, 20,
    20, 10, 20, 15,
    20, 20, 10, 20,
    20, 20, 20, 10,
};
static const unsigned unreachable[] = {
    10, XLN_NONE, XLN_NONE, XLN_NONE,
    XLN_NONE, 10, XLN_NONE, XLN_NONE,
    XLN_NONE, XLN_NONE, 10, 255,
    XLN_NONE, XLN_NONE, 255, 10,
};

static const struct case_spec policy_cases[] = {
    { "balanced without load: best fit on one node", uneven, .need = 500,
      .policy = "balanced", .plan = "fits 1: 1=500 cpus 2-3" },
    { "first fit takes the lowest node that fits", uneven, .need = 500,
      .policy = "first", .plan = "fits 0: 0=500 cpus 0-1" },
    { "first fit skips a node that is too small", uneven, .need = 900,
      .policy = "first", .plan = "fits 2: 2=900 cpus 4-5" },
    { "best fit leaves least over, lowest node on a tie", uneven, .need = 600,
      .policy = "best", .plan = "fits 1: 1=600 cpus 2-3" },
    { "best fit skips what is too small", uneven, .need = 601,
      .policy = "best", .plan = "fits 0: 0=601 cpus 0-1" },
    { "worst fit leaves most over", uneven, .need = 500, .policy = "worst",
      .plan = "fits 2: 2=500 cpus 4-5" },
    { "worst fit on equal nodes takes the lowest", even, .need = 500,
      .policy = "worst", .plan = "fits 0: 0=500 cpus 0-1" },
    { "best fit on equal nodes takes the lowest", even, .need = 500,
      .policy = "best", .plan = "fits 0: 0=500 cpus 0-1" },
    { "the names of 2012 still work", uneven, .need = 500, .policy = "spread",
      .plan = "fits 2: 2=500 cpus 4-5" },
    { "differences of 3 TiB compare right", large, .need = 1000,
      .plan = "fits 1: 1=1000 cpus 2-3" },
    { "24 TiB nodes: worst fit, lowest on a tie", large, .need = 1000,
      .policy = "worst", .plan = "fits 0: 0=1000 cpus 0-1" },
    { "a guest of 60 TiB is spread", large, .need = 60 << 20,
      .plan = "fits 0-2: 0=20971520 1=20971520 2=20971520 cpus 0-5" },
    { "reserved memory is not free", reserved, .need = 400, .policy = "first",
      .plan = "fits 1: 1=400 cpus 2-3" },
    { "one node is enough for a host", one, .need = 1000, .vcpus = 4,
      .plan = "fits 0: 0=1000 cpus 0-3" },
    { "sparse node numbers are kept", sparse, .need = 650,
      .plan = "fits 4: 4=650 cpus 4-5" },
    { "several of sparse nodes", sparse, .need = 1300,
      .plan = "fits 2,4: 2=600 4=700 cpus 2-5" },
};

static const struct case_spec set_cases[] = {
    { "two nodes where one is too small", even, .need = 1500,
      .plan = "fits 0-1: 0=750 1=750 cpus 0-3" },
    { "the fewest nodes, not the nearest", uneven, .slit = pairs, .need = 1000,
      .plan = "fits 2: 2=1000 cpus 4-5" },
    { "the nearest two", even, .slit = pairs, .need = 1500,
      .plan = "fits 0,3: 0=750 3=750 cpus 0-1,6-7" },
    { "distance goes before the policy", uneven, .slit = pairs, .need = 1100,
      .policy = "worst", .plan = "fits 0,3: 0=550 3=550 cpus 0-1,6-7" },
    { "among equally near pairs the policy decides", uneven, .need = 1100,
      .policy = "worst", .plan = "fits 0,2: 0=550 2=550 cpus 0-1,4-5" },
    { "among equal pairs the lowest: 0,3 goes before 1,2", uneven,
      .slit = (const unsigned[]){ 10, 30, 30, 20, 30, 10, 20, 30,
                                  30, 20, 10, 30, 20, 30, 30, 10 },
      .need = 1100, .policy = "first",
      .plan = "fits 0,3: 0=550 3=550 cpus 0-1,6-7" },
    { "of two directions the longer counts", even, .slit = one_way,
      .need = 1500, .plan = "fits 0,2: 0=750 2=750 cpus 0-1,4-5" },
    { "at equal largest distances the mean decides", even, .slit = mean,
      .need = 2500, .plan = "fits 0-1,3: 0=832 1=834 3=834 cpus 0-3,6-7" },
    { "in the mean too the longer of two directions counts", even,
      .slit = near_one_way, .need = 1500,
      .plan = "fits 0-1: 0=750 1=750 cpus 0-3" },
    { "a node that can't be reached is the farthest", even,
      .slit = unreachable, .need = 1500,
      .plan = "fits 2-3: 2=750 3=750 cpus 4-7" },
    { "unreachable nodes are used where there is no other way", even,
      .slit = unreachable, .need = 2500,
      .plan = "fits 0,2-3: 0=832 2=834 3=834 cpus 0-1,4-7" },
    { "three in a chain", even, .slit = chain, .need = 2500,
      .plan = "fits 0-2: 0=832 1=834 2=834 cpus 0-5" },
    { "more vCPUs than a node has CPUs need two nodes", even, .need = 100,
      .vcpus = 3, .plan = "fits 0-1: 0=50 1=50 cpus 0-3" },
    { "more vCPUs than the host has CPUs need all its CPUs", even,
      .need = 100, .vcpus = 99,
      .plan = "fits 0-3: 0=24 1=24 2=26 3=26 cpus 0-7" },
    { "a full node may lend its CPUs", full, .need = 500, .vcpus = 6,
      .plan = "fits 0-1: 1=500 cpus 0-5" },
    { "nodes_max bounds the set, the rest comes from the nearest", even,
      .slit = pairs, .need = 2500, .max_nodes = 2,
      .plan = "relaxed(memory) 0-1: 0=1000 1=1000 + 3=500 cpus 0-3" },
    { "nodes_max and strict: nothing fits", even, .need = 2500,
      .max_nodes = 2, .mode = XLN_MODE_STRICT,
      .plan = "nothing 0-1: 0=1000 1=1000 cpus 0-3" },
    { "nodes_max gives up CPUs before memory", even, .need = 1500,
      .vcpus = 5, .max_nodes = 2,
      .plan = "relaxed(cpus) 0-1: 0=750 1=750 cpus 0-3" },
};

static const struct case_spec memory_cases[] = {
    { "a memory-less node is never chosen", odd, .need = 10, .policy = "best",
      .plan = "fits 3: 3=10 cpus 4-5" },
    { "a CPU-less node is never chosen", odd, .need = 950, .policy = "worst",
      .plan = "fits 0: 0=950 cpus 0-1" },
    { "the CPU-less node gets what does not fit", odd, .need = 2000,
      .plan = "relaxed(memory) 0,3: 0=1000 3=900 + 2=100 cpus 0-1,4-5" },
    { "more than the host has", odd, .need = 5000,
      .plan = "nothing(memory) 0,3: 0=1000 3=900 + 2=1000 cpus 0-1,4-5" },
    { "strict takes nothing from elsewhere", odd, .need = 2000,
      .mode = XLN_MODE_STRICT,
      .plan = "nothing 0,3: 0=1000 3=900 cpus 0-1,4-5" },
    { "the DMA zone stays out while another node fits", with_dma, .need = 650,
      .policy = "first", .plan = "fits 1: 1=650 cpus 2-3" },
    { "the DMA zone stays out while two nodes fit", with_dma, .need = 900,
      .plan = "fits 0-1: 0=450 1=450 cpus 0-3" },
    { "the DMA zone is used before nothing fits", with_dma, .need = 1500,
      .plan = "fits(dma) 0-1: 0=800 1=700 cpus 0-3" },
    { "the DMA zone is used before two nodes are too many", with_dma,
      .need = 900, .max_nodes = 1, .plan = "fits(dma) 0: 0=900 cpus 0-1" },
    { "a part of the DMA zone always stays out", with_dma, .need = 1637,
      .plan = "nothing(dma) 0-1: 0=936 1=700 cpus 0-3" },
    { "a named node gives its DMA zone, and that is no news", with_dma,
      .need = 900, .named = "0", .plan = "fits 0: 0=900 cpus 0-1" },
    { "elsewhere the DMA zone comes last", with_dma, .need = 1400, .named = "1",
      .plan = "relaxed(dma,memory) 1: 1=700 + 0=700 cpus 2-3" },
    { "elsewhere without the DMA zone", with_dma, .need = 1300, .named = "1",
      .plan = "relaxed(memory) 1: 1=700 + 0=600 cpus 2-3" },
    { "a small node gives what it has, the others equally", single_bytes,
      .need = 100, .named = "0-2",
      .plan = "fits 0-2: 0=10 1=60 2=30 cpus 0-2" },
    { "the last byte is used though it is no extent", single_bytes,
      .need = 241, .named = "0-2",
      .plan = "fits 0-2: 0=10 1=200 2=31 cpus 0-2" },
    { "no memory at all", dark, .need = 10, 
      .plan = "nothing(cpus) : cpus 0-1" },
    { "no memory needed", even, .need = 0, .plan = "fits 0: cpus 0-1" },
};

static const struct case_spec named_cases[] = {
    { "named nodes share equally", even, .need = 300, .named = "1-2",
      .plan = "fits 1-2: 1=150 2=150 cpus 2-5" },
    { "what is no whole extent is on the last", even, .need = 301,
      .named = "1-2", .plan = "fits 1-2: 1=150 2=151 cpus 2-5" },
    { "a named node is taken even if another fits better", uneven,
      .need = 160, .named = "2", .plan = "fits 2: 2=160 cpus 4-5" },
    { "what does not fit goes to the nearest", even, .slit = pairs,
      .need = 2500, .named = "0",
      .plan = "relaxed(memory) 0: 0=1000 + 3=1000 1=500 cpus 0-1" },
    { "nearest of equals is the lowest", even, .need = 1500, .named = "2",
      .plan = "relaxed(memory) 2: 2=1000 + 0=500 cpus 4-5" },
    { "near is near to any of the set, the worse way", even, .slit = one_way,
      .need = 1500, .named = "1",
      .plan = "relaxed(memory) 1: 1=1000 + 2=500 cpus 2-3" },
    { "strict: it fails instead", even, .need = 1500, .named = "2",
      .mode = XLN_MODE_STRICT, .plan = "nothing 2: 2=1000 cpus 4-5" },
    { "strict that fits", even, .need = 1000, .named = "2",
      .mode = XLN_MODE_STRICT, .plan = "fits 2: 2=1000 cpus 4-5" },
    { "all: every node with memory, CPU-less ones too", odd, .need = 300,
      .named = "all", .plan = "fits 0,2-3: 0=100 2=100 3=100 cpus 0-1,4-5" },
    { "a named full node stays in the affinity", full, .need = 300,
      .named = "0-1", .plan = "fits 0-1: 1=300 cpus 0-5" },
    { "a named memory-less node: memory from the nearest", odd, .need = 300,
      .named = "1", .plan = "relaxed(memory) 1: + 0=300 cpus 2-3" },
    { "a named memory-less node and strict", odd, .need = 300, .named = "1",
      .mode = XLN_MODE_STRICT, .plan = "nothing 1: cpus 2-3" },
    { "more vCPUs than CPUs on a named node is as asked", even, .need = 300,
      .vcpus = 8, .named = "1", .plan = "fits 1: 1=300 cpus 2-3" },
    { "a node that is not there", sparse, .need = 300, .named = "0-1",
      .plan = "Invalid argument" },
    { "a node beyond the last", even, .need = 300, .named = "4",
      .plan = "Invalid argument" },
    { "no node named", even, .need = 300, .named = "",
      .plan = "Invalid argument" },
    { "a memory node that is not there", even, .need = 300, .mem = "9",
      .plan = "Invalid argument" },
    { "nodes_max: the best of those named", uneven, .need = 500,
      .named = "0,2-3", .max_nodes = 1, .plan = "fits 3: 3=500 cpus 6-7" },
    { "nodes_max: the nearest pair of those named", even, .slit = pairs,
      .need = 1500, .named = "1-3", .max_nodes = 2,
      .plan = "fits 2-3: 2=750 3=750 cpus 4-7" },
    { "nodes_max that does not bind: all of those named", uneven, .need = 400,
      .named = "0,3", .max_nodes = 2,
      .plan = "fits 0,3: 0=200 3=200 cpus 0-1,6-7" },
    { "nodes_max counts CPUs too", even, .need = 100, .vcpus = 4,
      .named = "all", .max_nodes = 3,
      .plan = "fits 0-1: 0=50 1=50 cpus 0-3" },
    { "nodes_max without enough CPUs is as asked", even, .need = 100,
      .vcpus = 8, .named = "all", .max_nodes = 3,
      .plan = "fits 0: 0=100 cpus 0-1" },
    { "nodes_max without enough memory: most of it", uneven, .need = 1900,
      .named = "0-2", .max_nodes = 2,
      .plan = "relaxed(memory) 0,2: 0=800 2=1000 + 1=100 cpus 0-1,4-5" },
};

static const struct case_spec cpu_cases[] = {
    { "cpus= decides the node", even, .need = 100, .hard = { "6-7" },
      .plan = "fits 3: 3=100 cpus 6-7" },
    { "cpus= of two nodes leaves the choice", uneven, .need = 100,
      .hard = { "0-3" }, .plan = "fits 1: 1=100 cpus 2-3" },
    { "vCPUs with their CPUs on two nodes need both", even, .need = 100,
      .vcpus = 2, .hard = { "1", "6" },
      .plan = "fits 0,3: 0=50 3=50 cpus 0-1,6-7" },
    { "one node that serves two masks is enough", even, .need = 100,
      .vcpus = 2, .hard = { "1-3", "3-5" }, .plan = "fits 1: 1=100 cpus 2-3" },
    { "a vCPU without a mask may run anywhere", even, .need = 100, .vcpus = 3,
      .hard = { "6", "6" }, .plan = "fits 0,3: 0=50 3=50 cpus 0-1,6-7" },
    { "masks of vCPUs that are not there do not count", even, .need = 100,
      .vcpus = 1, .hard = { "2", "6" }, .plan = "fits 1: 1=100 cpus 2-3" },
    { "as many CPUs as the masks allow", even, .need = 100, .vcpus = 4,
      .hard = { "1", "1", "1", "1" }, .plan = "fits 0: 0=100 cpus 0-1" },
    { "a pool decides the node, too", even, .need = 100, .pool = "4-7",
      .plan = "fits 2: 2=100 cpus 4-5" },
    { "a pool of half a node", even, .need = 100, .vcpus = 2, .pool = "3-5",
      .plan = "fits 2: 2=100 cpus 4-5" },
    { "only CPUs of the pool are preferred", even, .need = 100, .pool = "3",
      .plan = "fits 1: 1=100 cpus 3" },
    { "cpus= outside the pool is not for us to judge", even, .need = 100,
      .pool = "4-7", .hard = { "0-1" }, .plan = "fits 2: 2=100 cpus 4-5" },
    { "one mask outside the pool is ignored", even, .need = 100, .vcpus = 2,
      .pool = "4-7", .hard = { "0", "6" }, .plan = "fits 3: 3=100 cpus 6-7" },
    { "a pool without CPUs", even, .need = 100, .pool = "",
      .plan = "fits 0: 0=100 cpus -" },
    { "cpus= on a node without memory: from the nearest", odd, .need = 100,
      .hard = { "2-3" }, .slit = pairs,
      .plan = "relaxed(cpus) 0: 0=100 cpus 2-3" },
    { "a mask on a node without memory is given up", odd, .need = 100,
      .vcpus = 2, .hard = { "2", "4" },
      .plan = "relaxed(cpus) 3: 3=100 cpus 4-5" },
    { "cpus= on a node that is too full spills to the nearest", even,
      .slit = pairs, .need = 1500, .hard = { "2-3" },
      .plan = "relaxed(memory) 1: 1=1000 + 0=500 cpus 2-3" },
    { "nodes elsewhere than cpus= are done as asked", even, .need = 100,
      .named = "1", .hard = { "6-7" }, .plan = "fits 1: 1=100 cpus 2-3" },
    { "nodes outside the pool leave the vCPUs alone", even, .need = 100,
      .named = "1", .pool = "6-7", .plan = "fits 1: 1=100 cpus -" },
    { "nodes half in the pool", even, .need = 100, .named = "1,3",
      .pool = "6-7", .plan = "fits 1,3: 1=50 3=50 cpus 6-7" },
};

static const struct case_spec vcpu_cases[] = {
    { "none: vCPUs are left alone", even, .need = 100,
      .vcpus_mode = XLN_VCPUS_NONE, .plan = "fits 0: 0=100 cpus -" },
    { "hard: the same CPUs as soft", even, .need = 100,
      .vcpus_mode = XLN_VCPUS_HARD, .plan = "fits 0: 0=100 cpus 0-1" },
    { "no memory beside some CPUs: as many as there are elsewhere", odd,
      .need = 100, .vcpus = 5, .plan = "fits 0,3: 0=50 3=50 cpus 0-1,4-5" },
    { "nodes_mem: memory there, vCPUs on nodes", odd, .need = 100,
      .named = "3", .mem = "2", .plan = "fits 2: 2=100 cpus 4-5" },
    { "nodes_mem with nodes=all", odd, .need = 100, .named = "all",
      .mem = "2", .plan = "fits 2: 2=100 cpus 0-1,4-5" },
    { "a memory-only node: vCPUs on the nearest", odd, .need = 100,
      .slit = pairs, .mem = "2", .plan = "fits 2: 2=100 cpus 4-5" },
    { "a memory-only node: as many nearest as the vCPUs need", odd,
      .need = 100, .slit = pairs, .vcpus = 3, .mem = "2",
      .plan = "fits 2: 2=100 cpus 0-1,4-5" },
    { "nearest nodes with allowed CPUs", odd, .need = 100, .slit = pairs,
      .vcpus = 2, .hard = { "0-3", "0-3" }, .mem = "2",
      .plan = "fits 2: 2=100 cpus 0-1" },
    { "a memory-only node may be named in nodes", odd, .need = 100,
      .slit = pairs, .named = "2", .plan = "fits 2: 2=100 cpus 4-5" },
    { "nodes_mem is not asked for CPUs", odd, .need = 100, .vcpus = 2,
      .mem = "2-3", .max_nodes = 1, .plan = "fits 3: 3=100 cpus 4-5" },
    { "nodes_mem and nodes_max", odd, .need = 950, .vcpus = 2,
      .mem = "2-3", .max_nodes = 1, .slit = pairs,
      .plan = "fits 2: 2=950 cpus 4-5" },
    { "cpus= of one vCPU, another may run anywhere", even, .need = 100,
      .vcpus = 2, .hard = { "-", "4-5" }, .plan = "fits 2: 2=100 cpus 4-5" },
    { "cpus_soft= names its nodes", uneven, .need = 100, .soft = { "4-7" },
      .plan = "fits 2-3: 2=50 3=50 cpus -" },
    { "cpus_soft= within cpus=", even, .need = 100, .hard = { "0-5" },
      .soft = { "4-7" }, .plan = "fits 2: 2=100 cpus -" },
    { "cpus_soft= outside cpus= does not count", even, .need = 100,
      .hard = { "0-3" }, .soft = { "6" },
      .plan = "fits 0: 0=100 cpus -" },
    { "a vCPU without cpus_soft= prefers all", even, .need = 80, .vcpus = 2,
      .soft = { "6" }, .plan = "fits 0-3: 0=20 1=20 2=20 3=20 cpus -" },
    { "cpus_soft= with a pool", even, .need = 100, .pool = "2-5",
      .soft = { "5-7" }, .plan = "fits 2: 2=100 cpus -" },
    { "cpus_soft= beside nodes: memory by nodes", even, .need = 100,
      .named = "1", .soft = { "6" }, .plan = "fits 1: 1=100 cpus -" },
    { "cpus_soft= and nodes_max", uneven, .need = 100, .soft = { "4-7" },
      .max_nodes = 1, .plan = "fits 3: 3=100 cpus -" },
    { "cpus_soft= in a pool without CPUs: the policy chooses", even,
      .need = 100, .pool = "", .soft = { "6" },
      .plan = "fits 0: 0=100 cpus -" },
};

static void run_cases(const struct case_spec *cases, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        run_case(&cases[i]);
}

/* ------------------------------------------------------------------ */
/* Balanced                                                            */
/* ------------------------------------------------------------------ */

static void add_vcpus(struct xln_host *host, unsigned node, uint64_t nr)
{
    unsigned cpu, nr_cpus = xln_cpumap_count(host->nodes[node].cpus);

    XLN_FOREACH(xln_cpumap, cpu, host->nodes[node].cpus)
        host->cpus[cpu].load += nr * (XLN_LOAD_ONE / nr_cpus);
}

/* `vcpus` by node; "" if it is as planned, else what the plan is. */
static void run_balanced(const char *what, const struct case_spec *c,
                         const uint64_t *vcpus)
{
    struct xln_host *host = case_host(c);
    struct xln_plan *plan;
    char text[400];

    for (unsigned node = 0; node < host->nr_nodes; node++) {
        if (xln_nodemap_test(host->exists, node))
            add_vcpus(host, node, vcpus[node]);
    }
    must(place_case(c, host, &plan));
    describe(plan, text, sizeof(text));
    is_str(text, c->plan, what);
    xln_plan_free(plan);
    xln_host_free(host);
}

static const struct node_spec wide[] = {
    NODE(15 << 10, 10, .total = 100 << 10),
    NODE(70 << 10, 10, .total = 100 << 10),
    NODE(75 << 10, 10, .total = 100 << 10),
    NODE(80 << 10, 10, .total = 100 << 10), END
};

static void test_balanced(void)
{
    struct case_spec c = {
        .nodes = wide, .need = 10 << 10, .vcpus = 4, .policy = "balanced",
        .plan = "fits 1: 1=10240 cpus 10-19",
    };
    struct case_spec far = {
        .nodes = even, .slit = pairs, .need = 1500, .policy = "balanced",
        .plan = "fits 0,3: 0=750 3=750 cpus 0-1,6-7",
    };
    struct case_spec pool = {
        .nodes = even, .need = 100, .policy = "balanced", .pool = "0,2,4,6",
        .plan = "fits 0: 0=100 cpus 0",
    };
    struct case_spec mem = {
        .nodes = wide, .need = 10 << 10, .policy = "balanced", .mem = "0-1",
        .max_nodes = 1, .plan = "fits 0: 0=10240 cpus 0-9",
    };

    run_balanced("a crowded node is left for a larger gap", &c,
                 (const uint64_t[]){ 8, 0, 8, 4 });
    c.plan = "fits 0: 0=10240 cpus 0-9";
    run_balanced("below the fair share it is best fit", &c,
                 (const uint64_t[]){ 3, 0, 8, 9 });
    run_balanced("a million vCPUs on each node: best fit", &c,
                 (const uint64_t[]){ 1000000, 1000000, 1000000, 1000000 });
    c.plan = "fits 1: 1=10240 cpus 10-19";
    run_balanced("a million on the one with the best gap", &c,
                 (const uint64_t[]){ 1000000, 100000, 100000, 100000 });
    run_balanced("distance goes before load", &far,
                 (const uint64_t[]){ 50, 0, 0, 50 });
    run_balanced("CPUs that are not its pool's don't count", &pool,
                 (const uint64_t[]){ 0, 8, 8, 8 });
    run_balanced("nodes_mem: nothing runs there, so it is best fit", &mem,
                 (const uint64_t[]){ 100, 0, 0, 0 });
}

/* Small domains, one after the other, each on the host as it is then: how many
 * vCPUs the fullest node gets. */
static uint64_t pile(const char *policy, unsigned nr)
{
    struct case_spec c = {
        .nodes = wide, .need = 1 << 10, .vcpus = 2, .policy = policy
    };
    struct xln_host *host = case_host(&c);
    uint64_t vcpus[4] = { 0 }, most = 0;

    while (nr--) {
        struct xln_plan *plan;
        unsigned node;

        must(place_case(&c, host, &plan));
        node = xln_nodemap_next(plan->nodes, 0);
        vcpus[node] += 2;
        add_vcpus(host, node, 2);
        host->nodes[node].reserved_bytes += c.need * MIB;
        xln_plan_free(plan);
        if (vcpus[node] > most)
            most = vcpus[node];
    }
    xln_host_free(host);
    return most;
}

static void test_piles(void)
{
    ok(pile("best", 12) == 24, "best fit piles 12 small domains on one node");
    ok(pile("first", 12) == 24, "and so does first fit");
    ok(pile("balanced", 12) <= 8, "balanced gives each node about as many");
}

/* ------------------------------------------------------------------ */
/* What a plan says beside that                                        */
/* ------------------------------------------------------------------ */

static struct xln_plan *plan_of(const struct case_spec *c)
{
    struct xln_host *host = case_host(c);
    struct xln_plan *plan;

    must(place_case(c, host, &plan));
    xln_host_free(host);        /* the plan keeps nothing of it */
    return plan;
}

static bool is_only(const struct xln_nodemap *nodes, unsigned node)
{
    return nodes && xln_nodemap_count(nodes) == 1 &&
           xln_nodemap_test(nodes, node);
}

static void test_reasons(void)
{
    static const struct case_spec single = {
        .nodes = uneven, .need = 700
    };
    static const struct case_spec last = { .nodes = uneven, .need = 900 };
    static const struct case_spec pair = {
        .nodes = even, .slit = pairs, .need = 1500
    };
    static const struct case_spec by_name = {
        .nodes = even, .need = 100, .named = "1"
    };
    struct xln_plan *plan = plan_of(&single);

    ok(plan->nr_fitting == 2, "two nodes fit");
    ok(is_only(plan->chosen.nodes, 0) &&
       plan->chosen.usable_bytes == 800 * MIB && plan->chosen.nr_cpus == 2 &&
       plan->chosen.distance_max == 0 && plan->chosen.distance_sum == 0,
       "the chosen one is shown with its figures");
    ok(is_only(plan->next.nodes, 2) && plan->next.usable_bytes == 1000 * MIB,
       "so is the next best");
    ok(!plan->named, "nobody named it");
    xln_plan_free(plan);

    plan = plan_of(&last);
    ok(plan->nr_fitting == 1 && !plan->next.nodes,
       "where one node fits there is no next best");
    xln_plan_free(plan);

    plan = plan_of(&pair);
    ok(plan->chosen.distance_max == 15 && plan->chosen.distance_sum == 30 &&
       plan->next.distance_max == 16 &&
       xln_nodemap_test(plan->next.nodes, 0) &&
       xln_nodemap_test(plan->next.nodes, 1),
       "of two nodes the distance is shown, next best is next nearest");
    xln_plan_free(plan);

    plan = plan_of(&by_name);
    ok(plan->named && !plan->nr_fitting && !plan->chosen.nodes &&
       !plan->next.nodes, "a named node needs no reason");
    xln_plan_free(plan);
}

static void test_nearest(void)
{
    static const struct case_spec c = {
        .nodes = odd, .slit = pairs, .need = 100, .named = "0"
    };
    static const struct case_spec cut_off = {
        .nodes = even, .slit = chain, .need = 100, .named = "3"
    };
    struct xln_plan *plan = plan_of(&c);

    ok(plan->nr_nearest == 2 && plan->nearest[0] == 3 && plan->nearest[1] == 2,
       "all other nodes with memory are listed, nearest first");
    xln_plan_free(plan);
    plan = plan_of(&cut_off);
    ok(plan->nr_nearest == 3 && plan->nearest[0] == 2 &&
       plan->nearest[2] == 0, "an unreachable node is the last resort");
    xln_plan_free(plan);
}

static void test_need(void)
{
    struct xln_need need = { .memory_bytes = 300 * MIB, .nr_vcpus = 0 };
    struct xln_host *host = make_host(even, 4);
    struct xln_plan *plan = NULL;
    struct xln_request *request;

    must(xln_request_new(&request));
    ok(xln_place(host, request, &need, &plan) == -EINVAL && !plan,
       "a domain has a vCPU");
    need.nr_vcpus = 1;
    need.reserved[15] = 1;
    ok(xln_place(host, request, &need, &plan) == -EINVAL && !plan,
       "a need with an unknown member is refused, not ignored");
    need.reserved[15] = 0;
    request->reserved[0] = 1;
    ok(xln_place(host, request, &need, &plan) == -EINVAL && !plan,
       "and so is a request");
    request->reserved[0] = 0;
    need.overhead_bytes = 701 * MIB;
    must(xln_place(host, request, &need, &plan));
    ok(plan->need_bytes == 1001 * MIB && xln_nodemap_count(plan->nodes) == 2,
       "overhead counts as memory does");
    xln_plan_free(plan);
    need.memory_bytes = UINT64_MAX;
    must(xln_place(host, request, &need, &plan));
    ok(plan->verdict == XLN_NOTHING_FITS && plan->nr_shares == 4,
       "a need beyond all numbers does not wrap");
    xln_plan_free(plan);
    xln_plan_free(NULL);
    xln_request_free(request);
    xln_host_free(host);
}

static void test_request(void)
{
    struct xln_request *request, *copy;

    must(xln_request_new(&request));
    ok(!request->all_nodes && !request->nodes && !request->mem_nodes &&
       request->policy == xln_policy_default() &&
       request->mode == XLN_MODE_PREFERRED &&
       request->vcpus_mode == XLN_VCPUS_SOFT && !request->max_nodes &&
       request->dma_reserve_bytes == 64 * MIB,
       "a new request is auto, balanced, preferred, soft");
    must(xln_request_copy(request, &copy));
    ok(!copy->nodes && !copy->mem_nodes, "a copy has no more than that");
    xln_request_free(copy);

    request->nodes = nodes_of("1-2");
    request->mem_nodes = nodes_of("3");
    request->max_nodes = 7;
    must(xln_request_copy(request, &copy));
    ok(copy->max_nodes == 7 && copy->nodes != request->nodes &&
       xln_nodemap_equal(copy->nodes, request->nodes) &&
       xln_nodemap_equal(copy->mem_nodes, request->mem_nodes),
       "a copy has its own nodes");
    xln_request_free(request);
    xln_request_free(copy);
    xln_request_free(NULL);
}

static void test_policies(void)
{
    const char *const *names = xln_policy_names();
    bool found = true;
    unsigned nr;

    for (nr = 0; names[nr]; nr++) {
        const struct xln_policy *policy = xln_policy_by_name(names[nr]);

        found &= policy && !strcmp(xln_policy_name(policy), names[nr]);
    }
    ok(nr == 4 && found, "every policy is found by its name");
    is_str(xln_policy_name(xln_policy_default()), "balanced",
           "balanced is the default");
    ok(xln_policy_uses_load(xln_policy_by_name("balanced")) &&
       !xln_policy_uses_load(xln_policy_by_name("first")) &&
       !xln_policy_uses_load(xln_policy_by_name("best")) &&
       !xln_policy_uses_load(xln_policy_by_name("worst")),
       "it alone looks at the load");
    ok(xln_policy_by_name("greedy") == xln_policy_by_name("first") &&
       xln_policy_by_name("packed") == xln_policy_by_name("best") &&
       xln_policy_by_name("spread") == xln_policy_by_name("worst"),
       "and by its name of 2012");
    ok(!xln_policy_by_name("bset") && !xln_policy_by_name("") &&
       !xln_policy_by_name("First"), "nothing else is a policy");
}

/* ------------------------------------------------------------------ */
/* Brute force                                                         */
/* ------------------------------------------------------------------ */

/*
 * Sets are bits of an integer here, and every subset is looked at. Nothing
 * below shares code with the library; it follows the words in libxl_numa.h.
 */
#define MAX_RANDOM_NODES 16

struct random_host {
    unsigned nr_nodes, nr_cpus;
    unsigned exists;
    struct {
        uint64_t total, free, dma, reserved, cpus;
    } node[MAX_RANDOM_NODES];
    unsigned distance[MAX_RANDOM_NODES][MAX_RANDOM_NODES];

    uint64_t need, dma_reserve, pool;   /* pool 0: none given */
    unsigned nr_vcpus, nr_hard, max_nodes, named;
    uint64_t hard[MAX_VCPUS];
    unsigned devices, with, apart;      /* nodes; 0: none */
    unsigned load[64];                  /* vCPUs on each CPU */
    bool strict, whole_cores, core_each;
    uint64_t taken;             /* CPUs, whole cores */
    const char *policy;
};

struct answer {
    unsigned nodes, next, nr_fitting;
    bool with_dma, cpus_given_up;
    uint64_t own;               /* usable on `nodes` */
};

static bool one_in(unsigned n)
{
    return random_below(n) == 0;
}

static void random_memory(struct random_host *r, unsigned node)
{
    uint64_t mib = 256 * (1 + random_below(4)) + (one_in(3) ? 3 : 0);

    if (one_in(8))
        return;
    r->node[node].total = mib * MIB;
    r->node[node].free = one_in(3) ? mib * MIB / 2 + random_below(5) * 4096
                                   : mib * MIB;
    if (one_in(12))
        r->node[node].free = 0;
    if (one_in(4))
        r->node[node].dma = r->node[node].free / (1 + random_below(3));
    if (one_in(5))
        r->node[node].reserved = random_below(300) * MIB;
}

static void random_distances(struct random_host *r)
{
    bool symmetric = !one_in(3), flat = one_in(4), broken = one_in(6);

    for (unsigned a = 0; a < r->nr_nodes; a++) {
        for (unsigned b = 0; b < r->nr_nodes; b++) {
            unsigned d = flat ? 20 : 11 + 5 * random_below(4);

            if (broken && one_in(6))
                d = XLN_NONE;
            if (symmetric && b < a)
                d = r->distance[b][a];
            r->distance[a][b] = a == b ? 10 : d;
        }
    }
}

static uint64_t random_cpus(const struct random_host *r)
{
    uint64_t cpus = 0;

    for (unsigned cpu = 0; cpu < r->nr_cpus; cpu++)
        cpus |= (uint64_t)!one_in(3) << cpu;
    return cpus;
}

static void random_need(struct random_host *r)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < r->nr_nodes; i++)
        total += r->node[i].total;
    r->need = total / 64 * random_below(one_in(2) ? 20 : 70);
    if (one_in(3))
        r->need = (1 + random_below(4)) * 256 * MIB;
    r->nr_vcpus = 1 + random_below(one_in(3) ? 3 * r->nr_nodes : 3);
    r->dma_reserve = one_in(2) ? 0 : 64 * MIB;
    if (one_in(4))
        r->pool = random_cpus(r);
    if (one_in(3))
        r->nr_hard = 1 + random_below(4);
    for (unsigned i = 0; i < r->nr_hard; i++)
        r->hard[i] = one_in(2) ? UINT64_C(3) << random_below(r->nr_cpus)
                               : random_cpus(r);
    r->max_nodes = one_in(4) ? 1 + random_below(3) : 0;
    r->strict = one_in(3);
    r->policy = xln_policy_names()[random_below(4)];
    for (unsigned cpu = 0; cpu < r->nr_cpus; cpu++)
        r->load[cpu] = one_in(2) ? random_below(6) : 0;
    r->whole_cores = one_in(4);
    if (one_in(6))
        r->devices = r->exists & (1 + random_below(1u << r->nr_nodes));
    if (one_in(6))
        r->with = r->exists & random_below(1u << r->nr_nodes);
    if (one_in(6))
        r->apart = r->exists & random_below(1u << r->nr_nodes);
    if (one_in(5))
        r->named = r->exists & random_below(1u << r->nr_nodes);
}

static void random_host(struct random_host *r, unsigned nr_nodes)
{
    memset(r, 0, sizeof(*r));
    r->nr_nodes = nr_nodes;
    for (unsigned node = 0; node < nr_nodes; node++) {
        if (one_in(10))
            continue;
        r->exists |= 1u << node;
        random_memory(r, node);
        for (unsigned i = one_in(8) ? 0 : 1 + random_below(3); i; i--)
            r->node[node].cpus |= UINT64_C(1) << r->nr_cpus++;
    }
    r->nr_cpus += !r->nr_cpus;
    random_distances(r);
    random_need(r);
}

static uint64_t b_usable(const struct random_host *r, unsigned node, bool dma)
{
    uint64_t bytes = r->node[node].free, kept = r->node[node].dma;

    if (dma && kept > r->dma_reserve)
        kept = r->dma_reserve;
    kept += r->node[node].reserved;
    return bytes > kept ? bytes - kept : 0;
}

static uint64_t b_bytes(const struct random_host *r, unsigned set, bool dma)
{
    uint64_t sum = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++)
        sum += set >> node & 1 ? b_usable(r, node, dma) : 0;
    return sum;
}

static uint64_t b_cpus(const struct random_host *r, unsigned set)
{
    uint64_t cpus = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++)
        cpus |= set >> node & 1 ? r->node[node].cpus : 0;
    return cpus;
}

static uint64_t b_pool(const struct random_host *r)
{
    return b_cpus(r, r->exists) & (r->pool ? r->pool : UINT64_MAX);
}

static uint64_t b_allowed(const struct random_host *r)
{
    uint64_t masks = 0;

    for (unsigned vcpu = 0; vcpu < r->nr_vcpus; vcpu++)
        masks |= vcpu < r->nr_hard ? r->hard[vcpu] : UINT64_MAX;
    return masks & b_pool(r) ? masks & b_pool(r) : b_pool(r);
}

static unsigned b_count(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

/* Of two neighbours on a node, counted from its lowest CPU, the first stands
 * for both as far as cores are to be counted. */
static unsigned b_count_cpus(const struct random_host *r, uint64_t cpus)
{
    unsigned nr = 0;

    if (!r->whole_cores)
        return b_count(cpus);
    for (unsigned node = 0; node < r->nr_nodes; node++) {
        for (uint64_t left = r->node[node].cpus; left;) {
            uint64_t first = left & -left, core;

            core = first | (left & first << 1);
            nr += (core & cpus) != 0;
            left &= ~core;
        }
    }
    return nr;
}

/* On nodes with memory; if there are none there, on all. */
static unsigned b_most_cpus(const struct random_host *r)
{
    uint64_t near = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++)
        near |= r->node[node].total ? r->node[node].cpus : 0;
    near &= b_allowed(r);
    return b_count_cpus(r, near ? near : b_allowed(r));
}

static bool b_has_cpus(const struct random_host *r, unsigned set)
{
    uint64_t cpus = b_cpus(r, set), allowed = b_allowed(r);
    unsigned want = r->nr_vcpus;

    for (unsigned v = 0; v < r->nr_hard && v < r->nr_vcpus; v++) {
        if (r->hard[v] & b_pool(r) && !(r->hard[v] & b_pool(r) & cpus))
            return false;
    }
    if (want > b_most_cpus(r))
        want = b_most_cpus(r);
    return b_count_cpus(r, cpus & allowed) >= want;
}

static unsigned b_with_memory(const struct random_host *r)
{
    unsigned set = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++)
        set |= (unsigned)(r->node[node].total > 0) << node;
    return set;
}

static unsigned b_far(const struct random_host *r, unsigned a, unsigned b)
{
    unsigned there = r->distance[a][b], back = r->distance[b][a];

    return there > back ? there : back;
}

static unsigned b_from(const struct random_host *r, unsigned set, unsigned to)
{
    unsigned least = XLN_NONE;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (set >> node & 1 && b_far(r, node, to) < least)
            least = b_far(r, node, to);
    }
    return least;
}

static unsigned b_candidates(const struct random_host *r)
{
    unsigned set = 0, homes = 0, least = XLN_NONE;

    for (unsigned node = 0; node < r->nr_nodes; node++)
        homes |= (unsigned)!!(r->node[node].cpus & b_allowed(r)) << node;
    if (homes & b_with_memory(r))
        return homes & b_with_memory(r);
    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (b_with_memory(r) >> node & 1 && b_from(r, homes, node) < least)
            least = b_from(r, homes, node);
    }
    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (b_from(r, homes, node) == least)
            set |= 1u << node;
    }
    return set & b_with_memory(r);
}

struct b_score {
    unsigned nr, not_devices, not_preferred, max;
    uint64_t far, sum, bytes;
};

/* Both ways; what is unreachable is not farther than all others together. */
static uint64_t b_to_device(const struct random_host *r, unsigned device,
                            unsigned node)
{
    uint64_t sum = (uint64_t)r->distance[device][node] +
                   r->distance[node][device];

    return sum < 65535 ? sum : 65535;
}

static void b_preferences(const struct random_host *r, unsigned set,
                          struct b_score *score)
{
    if (r->devices)
        score->not_devices = b_count(set & ~r->devices);
    if (r->with)
        score->not_preferred = b_count(set & ~r->with);
    score->not_preferred += b_count(set & r->apart);
    for (unsigned a = 0; a < r->nr_nodes; a++) {
        for (unsigned b = 0; b < r->nr_nodes; b++) {
            if (set >> a & 1 && r->devices >> b & 1)
                score->far += b_to_device(r, b, a);
        }
    }
}

static struct b_score b_score(const struct random_host *r, unsigned set,
                              bool dma)
{
    struct b_score score = { .nr = b_count(set),
                             .bytes = b_bytes(r, set, dma) };

    b_preferences(r, set, &score);

    for (unsigned a = 0; a < r->nr_nodes; a++) {
        for (unsigned b = 0; b < r->nr_nodes; b++) {
            if (a == b || !(set >> a & 1) || !(set >> b & 1))
                continue;
            if (r->distance[a][b] > score.max)
                score.max = r->distance[a][b];
            score.sum += r->distance[a][b] > r->distance[b][a]
                             ? r->distance[a][b]
                             : r->distance[b][a];
        }
    }
    return score;
}

static uint64_t b_vcpus(const struct random_host *r, uint64_t cpus)
{
    uint64_t nr = 0;

    for (unsigned cpu = 0; cpu < r->nr_cpus; cpu++)
        nr += cpus >> cpu & 1 ? r->load[cpu] : 0;
    return nr;
}

/* In parts of 2^24 vCPUs for a CPU: those of others, and the domain's own. */
static uint64_t b_others(const struct random_host *r, uint64_t cpus)
{
    return cpus ? (b_vcpus(r, cpus) << 24) / b_count_cpus(r, cpus) : 0;
}

static uint64_t b_own(const struct random_host *r, uint64_t cpus)
{
    return cpus ? ((uint64_t)r->nr_vcpus << 24) / b_count_cpus(r, cpus) : 0;
}

/* Of the most crowded node of a set. */
static uint64_t b_crowding(const struct random_host *r, unsigned set)
{
    uint64_t most = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        uint64_t others = b_others(r, r->node[node].cpus & b_allowed(r));

        if (set >> node & 1 && others > most)
            most = others;
    }
    return most;
}

/* What balanced adds up, in parts of 2^12. */
static uint64_t b_price(const struct random_host *r, unsigned set, bool dma)
{
    uint64_t all = b_allowed(r), cpus = b_cpus(r, set) & all, mean_mib = 0;
    uint64_t fair = b_others(r, all) + b_own(r, all), left, share, most, size;

    for (unsigned node = 0; node < r->nr_nodes; node++)
        mean_mib += r->node[node].total;
    mean_mib = mean_mib / b_count(b_with_memory(r)) >> 20;
    left = ((b_bytes(r, set, dma) - r->need) >> 20 << 12) / mean_mib /
           b_count(set);
    fair = fair ? fair : 1;
    share = cpus ? ((b_crowding(r, set) + b_own(r, cpus)) << 12) / fair : 0;
    if (b_count(set) > 1)
        return left + share * 3 / 4;
    most = (b_crowding(r, (1u << r->nr_nodes) - 1) << 12) / fair;
    size = (r->need >> 20 << 12) / mean_mib;
    left += share / 8 + (share > most ? 2 * (share - most) : 0);
    if (share > 5242)
        left += (share - 5242) * 3 * 4096 / 10 / (size > 4 ? size : 4);
    return left;
}

static bool b_better(const struct random_host *r, unsigned a, unsigned b,
                     bool dma)
{
    struct b_score x = b_score(r, a, dma), y = b_score(r, b, dma);

    if (x.nr != y.nr)
        return x.nr < y.nr;
    if (x.not_devices != y.not_devices)
        return x.not_devices < y.not_devices;
    if (x.not_preferred != y.not_preferred)
        return x.not_preferred < y.not_preferred;
    if (x.far != y.far)
        return x.far < y.far;
    if (x.max != y.max)
        return x.max < y.max;
    if (x.sum != y.sum)
        return x.sum < y.sum;
    if (!strcmp(r->policy, "balanced") &&
        b_price(r, a, dma) != b_price(r, b, dma))
        return b_price(r, a, dma) < b_price(r, b, dma);
    if ((!strcmp(r->policy, "best") || !strcmp(r->policy, "balanced")) &&
        x.bytes != y.bytes)
        return x.bytes < y.bytes;
    if (!strcmp(r->policy, "worst") && x.bytes != y.bytes)
        return x.bytes > y.bytes;
    return a & ((a ^ b) & -(a ^ b));    /* who has the lowest that differs */
}

enum b_cpus { B_NO_CPU, B_ONE_CPU, B_ALL_CPUS };

static bool b_has_one(const struct random_host *r, unsigned set)
{
    return b_cpus(r, set) & b_allowed(r);
}

static bool b_search(const struct random_host *r, unsigned candidates,
                     bool dma, enum b_cpus cpus, struct answer *answer)
{
    unsigned best = 0, next = 0, nr = 0;

    for (unsigned set = 1; set < 1u << r->nr_nodes; set++) {
        if (set & ~candidates || b_bytes(r, set, dma) < r->need)
            continue;
        if (r->max_nodes && b_count(set) > r->max_nodes)
            continue;
        if (cpus == B_ALL_CPUS && !b_has_cpus(r, set))
            continue;
        if (cpus == B_ONE_CPU && !b_has_one(r, set))
            continue;
        if (!best || b_count(set) < b_count(best))
            best = next = nr = 0;
        if (best && b_count(set) > b_count(best))
            continue;
        nr++;
        if (!best || b_better(r, set, best, dma)) {
            next = best;
            best = set;
        } else if (!next || b_better(r, set, next, dma)) {
            next = set;
        }
    }
    answer->nodes = best;
    answer->next = next;
    answer->nr_fitting = nr;
    answer->with_dma = dma;
    answer->cpus_given_up = cpus != B_ALL_CPUS;
    return best;
}

/* Nodes of a set that have both memory and a CPU. */
static unsigned b_with_both(const struct random_host *r, unsigned set)
{
    unsigned both = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (set >> node & 1 && b_usable(r, node, true) &&
            b_has_one(r, 1u << node))
            both |= 1u << node;
    }
    return both;
}

/* The most memory on the fewest nodes, lowest numbers; with a CPU where there
 * is one beside memory. */
static void b_most(const struct random_host *r, unsigned candidates,
                   struct answer *answer)
{
    unsigned best = 0, with_both = b_with_both(r, candidates);

    for (unsigned set = 1; set < 1u << r->nr_nodes; set++) {
        uint64_t bytes = b_bytes(r, set, true), most = b_bytes(r, best, true);

        if (set & ~candidates ||
            (r->max_nodes && b_count(set) > r->max_nodes))
            continue;
        if (with_both && !(set & with_both))
            continue;
        if (!best || bytes > most ||
            (bytes == most && b_count(set) < b_count(best)) ||
            (bytes == most && b_count(set) == b_count(best) &&
             set & ((set ^ best) & -(set ^ best))))
            best = set;
    }
    answer->nodes = best;
    answer->with_dma = true;
    answer->cpus_given_up = !b_has_cpus(r, best);
}

/* With ever less asked for. */
static bool b_search_all(const struct random_host *r, unsigned candidates,
                         struct answer *answer)
{
    int least = b_has_one(r, candidates) ? B_ONE_CPU : B_NO_CPU;

    if (r->named)
        least = B_NO_CPU;
    for (int cpus = B_ALL_CPUS; cpus >= least; cpus--) {
        if (!r->named && b_search(r, candidates, false, cpus, answer))
            return true;
        if (b_search(r, candidates, true, cpus, answer))
            return true;
    }
    return false;
}

static void brute_force(const struct random_host *r, struct answer *answer)
{
    unsigned candidates = r->named ? r->named & b_with_memory(r)
                                   : b_candidates(r);

    memset(answer, 0, sizeof(*answer));
    if (r->named && (!candidates || !r->max_nodes ||
                     b_count(r->named) <= r->max_nodes)) {
        answer->nodes = candidates ? candidates : r->named;
        answer->with_dma = true;
    } else if (!b_search_all(r, candidates, answer)) {
        b_most(r, candidates, answer);
    }
    answer->own = b_bytes(r, answer->nodes, answer->with_dma);
    if (r->named) {
        answer->cpus_given_up = false;
        answer->nr_fitting = answer->next = 0;
    }
}

/* ------------------------------------------------------------------ */
/* The library's answer to the same                                    */
/* ------------------------------------------------------------------ */

static struct xln_host *host_of_random(const struct random_host *r)
{
    struct xln_host *host;

    must(xln__host_new(r->nr_cpus, r->nr_nodes, 0, &host));
    for (unsigned node = 0; node < r->nr_nodes; node++) {
        struct xln_host_node *n = &host->nodes[node];
        unsigned nr = 0;

        if (r->exists >> node & 1)
            xln_nodemap_set(host->exists, node);
        n->total_bytes = r->node[node].total;
        n->free_bytes = r->node[node].free;
        n->dma_bytes = r->node[node].dma;
        n->reserved_bytes = r->node[node].reserved;
        for (unsigned cpu = 0; cpu < r->nr_cpus; cpu++) {
            if (!(r->node[node].cpus >> cpu & 1))
                continue;
            host->cpu_exists[cpu] = host->cpus[cpu].online = true;
            host->cpus[cpu].node = node;
            host->cpus[cpu].socket = node;
            host->cpus[cpu].core = nr++ / 2;
            host->cpus[cpu].load = r->load[cpu] * XLN_LOAD_ONE;
            host->cpus[cpu].taken = r->taken >> cpu & 1;
        }
        for (unsigned to = 0; to < r->nr_nodes; to++)
            host->distances[node * r->nr_nodes + to] = r->distance[node][to];
    }
    must(xln__host_finish(host));
    return host;
}

static struct xln_cpumap *cpus_of_bits(uint64_t bits)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(64, &cpus));
    for (unsigned cpu = 0; cpu < 64; cpu++) {
        if (bits >> cpu & 1)
            xln_cpumap_set(cpus, cpu);
    }
    return cpus;
}

static uint64_t bits_of_cpus(const struct xln_cpumap *cpus)
{
    uint64_t bits = 0;
    unsigned cpu;

    XLN_FOREACH(xln_cpumap, cpu, cpus)
        bits |= UINT64_C(1) << cpu;
    return bits;
}

static unsigned bits_of_nodes(const struct xln_nodemap *nodes)
{
    unsigned node, bits = 0;

    if (!nodes)
        return 0;
    XLN_FOREACH(xln_nodemap, node, nodes)
        bits |= 1u << node;
    return bits;
}

static struct xln_nodemap *nodes_of_bits(const struct random_host *r,
                                         unsigned bits)
{
    struct xln_nodemap *nodes;

    if (!bits)
        return NULL;
    must(xln_nodemap_new(r->nr_nodes, &nodes));
    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (bits >> node & 1)
            xln_nodemap_set(nodes, node);
    }
    return nodes;
}

static struct xln_request *request_of_random(const struct random_host *r)
{
    struct xln_request *request;

    must(xln_request_new(&request));
    request->policy = xln_policy_by_name(r->policy);
    request->mode = r->strict ? XLN_MODE_STRICT : XLN_MODE_PREFERRED;
    request->whole_cores = r->whole_cores;
    if (r->core_each)
        request->vcpus_mode = XLN_VCPUS_CORE;
    request->max_nodes = r->max_nodes;
    request->dma_reserve_bytes = r->dma_reserve;
    request->nodes = nodes_of_bits(r, r->named);
    return request;
}

static struct xln_plan *plan_of_random(const struct random_host *r)
{
    struct xln_host *host = host_of_random(r);
    struct xln_request *request = request_of_random(r);
    struct xln_cpumap *pool = r->pool ? cpus_of_bits(r->pool) : NULL;
    struct xln_nodemap *devices = nodes_of_bits(r, r->devices);
    struct xln_nodemap *with = nodes_of_bits(r, r->with);
    struct xln_nodemap *apart = nodes_of_bits(r, r->apart);
    struct xln_cpumap *hard[MAX_VCPUS];
    struct xln_need need = {
        .memory_bytes = r->need,
        .nr_vcpus = r->nr_vcpus,
        .pool_cpus = pool,
        .nr_hard = r->nr_hard,
        .hard = (const struct xln_cpumap *const *)hard,
        .device_nodes = devices,
        .with_nodes = with,
        .apart_nodes = apart,
    };
    struct xln_plan *plan;

    for (unsigned i = 0; i < r->nr_hard; i++)
        hard[i] = cpus_of_bits(r->hard[i]);
    must(xln_place(host, request, &need, &plan));
    for (unsigned i = 0; i < r->nr_hard; i++)
        xln_cpumap_free(hard[i]);
    xln_cpumap_free(pool);
    xln_nodemap_free(devices);
    xln_nodemap_free(with);
    xln_nodemap_free(apart);
    xln_request_free(request);
    xln_host_free(host);
    return plan;
}

/* NULL: as it must be; else what is wrong. */
static const char *check_choice(const struct random_host *r,
                                const struct answer *a,
                                const struct xln_plan *plan)
{
    unsigned others = b_with_memory(r) & ~a->nodes;
    enum xln_verdict verdict = XLN_FITS;

    if (bits_of_nodes(plan->nodes) != a->nodes)
        return "the nodes";
    if (plan->nr_fitting != a->nr_fitting && b_count(a->nodes) == 1)
        return "how many fit";
    if (bits_of_nodes(plan->next.nodes) != a->next)
        return "the next best";
    if (!plan->exact)
        return "it is not said to be exact";
    if (plan->counted_all ? plan->nr_fitting != a->nr_fitting
                          : plan->nr_fitting > a->nr_fitting)
        return "how many were counted";
    if (!(plan->relaxed & XLN_RELAXED_CPUS) != !a->cpus_given_up)
        return "CPUs given up";
    if (plan->relaxed & XLN_RELAXED_CPUS)
        verdict = XLN_FITS_RELAXED;
    if (r->need > a->own) {
        bool enough = r->need - a->own <= b_bytes(r, others, true);

        verdict = enough && !r->strict ? XLN_FITS_RELAXED : XLN_NOTHING_FITS;
    }
    return plan->verdict != verdict ? "the verdict" : NULL;
}

static const char *check_chosen(const struct random_host *r,
                                const struct answer *a,
                                const struct xln_plan *plan)
{
    struct b_score score = b_score(r, a->nodes, a->with_dma);
    uint64_t cpus = b_cpus(r, a->nodes) & b_allowed(r);

    if (r->named)
        return plan->chosen.nodes ? "a reason for named nodes" : NULL;
    if (bits_of_nodes(plan->chosen.nodes) != a->nodes)
        return "the chosen nodes";
    if (plan->chosen.usable_bytes != score.bytes ||
        plan->chosen.nr_cpus != b_count_cpus(r, cpus) ||
        plan->chosen.load !=
            b_vcpus(r, cpus) * XLN_LOAD_ONE ||
        plan->chosen.crowding >> 8 != b_crowding(r, a->nodes) ||
        plan->chosen.distance_max != score.max ||
        plan->chosen.distance_sum != score.sum)
        return "the figures of the chosen";
    return NULL;
}

/* Shares add up, and nobody gives more than he has. */
static const char *check_sums(const struct random_host *r,
                              const struct answer *a,
                              const struct xln_plan *plan)
{
    uint64_t own = 0, far = 0, capacity;
    bool dma = false;

    for (unsigned i = 0; i < plan->nr_shares; i++) {
        const struct xln_share *s = &plan->shares[i];
        bool is_own = i < plan->nr_own;

        if (!s->bytes || is_own != (a->nodes >> s->node & 1))
            return "a share's place";
        if (s->bytes > b_usable(r, s->node, is_own ? a->with_dma : true))
            return "a share's size";
        if (s->bytes > b_usable(r, s->node, false) && !(is_own && r->named))
            dma = true;
        *(is_own ? &own : &far) += s->bytes;
    }
    if (own != (r->need < a->own ? r->need : a->own))
        return "the sum of the own shares";
    capacity = b_bytes(r, b_with_memory(r) & ~a->nodes, true);
    if (capacity > r->need - own)
        capacity = r->need - own;
    if (far != (r->strict ? 0 : capacity))
        return "the sum of the other shares";
    if (!(plan->relaxed & XLN_RELAXED_DMA) != !dma)
        return "the DMA zone";
    if (!(plan->relaxed & XLN_RELAXED_MEMORY) != !far)
        return "memory given up";
    return NULL;
}

/* Who has a smaller share than another has no more to give. */
static const char *check_equal(const struct random_host *r,
                               const struct answer *a,
                               const struct xln_plan *plan)
{
    const uint64_t slack = 2 * MIB * (plan->nr_own + 1);
    uint64_t most = 0;

    for (unsigned i = 0; i < plan->nr_own; i++) {
        if (i && plan->shares[i].node <= plan->shares[i - 1].node)
            return "the order of the own shares";
        if (plan->shares[i].bytes > most)
            most = plan->shares[i].bytes;
    }
    for (unsigned i = 0; i < plan->nr_own; i++) {
        const struct xln_share *s = &plan->shares[i];

        if (s->bytes + slack < most &&
            s->bytes + 2 * MIB < b_usable(r, s->node, a->with_dma))
            return "equal shares";
    }
    return NULL;
}

static const char *check_order(const struct random_host *r,
                               const struct answer *a,
                               const struct xln_plan *plan)
{
    unsigned seen = a->nodes, at = 0, before = 0;

    for (unsigned i = 0; i < plan->nr_nearest; i++) {
        unsigned node = plan->nearest[i];
        unsigned distance = b_from(r, a->nodes, node);

        if (seen >> node & 1 || distance < before ||
            (i && distance == before && node < plan->nearest[i - 1]))
            return "the order of the nearest";
        seen |= 1u << node;
        before = distance;
    }
    if (seen != (b_with_memory(r) | a->nodes))
        return "who is among the nearest";
    for (unsigned i = plan->nr_own; i + 1 < plan->nr_shares; i++) {
        const struct xln_share *s = &plan->shares[i];

        if (s->bytes < b_usable(r, s->node, false))
            return "a near node passed over";
        while (at < plan->nr_nearest && plan->nearest[at] != s->node)
            at++;
        if (at == plan->nr_nearest && !(plan->relaxed & XLN_RELAXED_DMA))
            return "the order of the other shares";
    }
    return NULL;
}

/* Of named nodes those too that have CPUs alone. */
static unsigned b_homes(const struct random_host *r, const struct answer *a)
{
    bool limited = r->max_nodes && b_count(r->named) > r->max_nodes;

    return r->named && !limited ? r->named : a->nodes;
}

static const char *check_vcpus(const struct random_host *r,
                               const struct answer *a,
                               const struct xln_plan *plan)
{
    unsigned homes = bits_of_nodes(plan->vcpu_nodes);
    uint64_t cpus = bits_of_cpus(plan->vcpu_cpus);

    if (cpus != (b_cpus(r, homes) & b_pool(r)))
        return "the CPUs to prefer";
    if (!homes != !cpus)
        return "nodes without CPUs, or CPUs without nodes";
    if (b_cpus(r, a->nodes) & b_allowed(r) && homes != b_homes(r, a))
        return "the vCPUs are not with their memory";
    if (!r->named && b_allowed(r) && !(cpus & b_allowed(r)))
        return "the vCPUs are sent where they may not run";
    return NULL;
}

typedef const char *checker(const struct random_host *r,
                            const struct answer *a,
                            const struct xln_plan *plan);

static const char *compare_random(const struct random_host *r,
                                  const struct answer *a,
                                  const struct xln_plan *plan)
{
    static checker *const checkers[] = {
        check_choice, check_chosen, check_sums, check_equal, check_order,
        check_vcpus
    };
    const char *wrong = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(checkers) && !wrong; i++)
        wrong = checkers[i](r, a, plan);
    return wrong;
}

static bool agrees(unsigned seed, unsigned nr_nodes, unsigned *seen)
{
    struct random_host r;
    struct answer answer;
    struct xln_plan *plan;
    const char *wrong;
    char text[400];

    random_state = seed;
    random_below(2);
    random_host(&r, nr_nodes ? nr_nodes : 1 + random_below(10));
    brute_force(&r, &answer);
    plan = plan_of_random(&r);
    wrong = compare_random(&r, &answer, plan);
    if (wrong) {
        describe(plan, text, sizeof(text));
        printf("# host %u: %s: %s; nodes should be %#x, need %llu\n", seed,
               wrong, text, answer.nodes,
               (unsigned long long)(r.need / MIB));
    }
    *seen |= 1u << (plan->relaxed + (plan->verdict == XLN_NOTHING_FITS) * 8);
    xln_plan_free(plan);
    return !wrong;
}

static void test_random(void)
{
    /* With sanitizers all of them take a minute. */
    const unsigned nr_hosts = getenv("THOROUGH") ? 100000 : 20000;
    const unsigned nr_large = 25;
    unsigned nr_right = 0, seen = 0;

    for (unsigned i = 0; i < nr_hosts; i++)
        nr_right += agrees(i, 0, &seen);
    ok(nr_right == nr_hosts, "brute force agrees on %u of %u random hosts",
       nr_right, nr_hosts);
    ok((seen & 0xff) == 0xff, "among them each combination of what can be "
       "given up (%#x)", seen);
    nr_right = 0;
    for (unsigned i = 0; i < nr_large; i++)
        nr_right += agrees(i, MAX_RANDOM_NODES, &seen);
    ok(nr_right == nr_large, "and on %u of %u with 16 nodes", nr_right,
       nr_large);
}

/* ------------------------------------------------------------------ */
/* A core for each vCPU                                                 */
/* ------------------------------------------------------------------ */

/* The core of a CPU: see b_count_cpus(). */
static uint64_t b_core(const struct random_host *r, unsigned cpu)
{
    for (unsigned node = 0; node < r->nr_nodes; node++) {
        for (uint64_t left = r->node[node].cpus; left;) {
            uint64_t first = left & -left, core = first | (left & first << 1);

            if (core >> cpu & 1)
                return core;
            left &= ~core;
        }
    }
    return 0;
}

static void take_some(struct random_host *r)
{
    for (unsigned cpu = 0; cpu < r->nr_cpus; cpu++) {
        if (one_in(5))
            r->taken |= b_core(r, cpu);
    }
}

static uint64_t b_mask(const struct random_host *r, unsigned vcpu)
{
    return b_pool(r) & ~r->taken & (vcpu < r->nr_hard ? r->hard[vcpu]
                                                      : UINT64_MAX);
}

/* Try every way to give vCPU `vcpu` and those after it a core of `cpus`. */
static bool b_can_deal(const struct random_host *r, uint64_t cpus,
                       unsigned vcpu)
{
    if (vcpu == r->nr_vcpus)
        return true;
    for (uint64_t left = cpus & b_mask(r, vcpu); left;) {
        uint64_t core = b_core(r, (unsigned)__builtin_ctzll(left));

        if (b_can_deal(r, cpus & ~core, vcpu + 1))
            return true;
        left &= ~core;
    }
    return false;
}

static const char *check_cores(const struct random_host *r,
                               const struct xln_plan *plan)
{
    uint64_t there = b_cpus(r, bits_of_nodes(plan->vcpu_nodes)), used = 0;

    if (plan->nr_vcpu_cores != r->nr_vcpus)
        return "not a core for each";
    for (unsigned vcpu = 0; vcpu < r->nr_vcpus; vcpu++) {
        uint64_t cpus = bits_of_cpus(plan->vcpu_cores[vcpu]), core;

        if (!cpus)
            return "no CPU";
        core = b_core(r, (unsigned)__builtin_ctzll(cpus));
        if (cpus != (core & b_mask(r, vcpu)))
            return "not a free core, or not all of it that is allowed";
        if (used & core)
            return "a core of two vCPUs";
        if (cpus & ~there)
            return "a core elsewhere";
        used |= core;
    }
    if (xln_nodemap_intersects(plan->nodes, plan->vcpu_nodes) &&
        !xln_nodemap_is_subset(plan->vcpu_nodes, plan->nodes) &&
        bits_of_nodes(plan->vcpu_nodes) & ~r->named)
        return "a node that is not the memory's";
    return NULL;
}

/* Rightly so: these nodes have too few; and where the plan may have any, the
 * nodes with memory have too few, or not enough memory. */
static const char *check_lack(const struct random_host *r,
                              const struct xln_plan *plan)
{
    uint64_t free = b_pool(r) & ~r->taken;
    unsigned set = 0;

    if (plan->verdict != XLN_NOTHING_FITS || plan->nr_vcpu_cores)
        return "the verdict";
    if (b_can_deal(r, b_cpus(r, bits_of_nodes(plan->vcpu_nodes)), 0))
        return "but there are enough";
    if (r->named || r->max_nodes || r->nr_hard)
        return NULL;
    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (r->node[node].total && r->node[node].cpus & free)
            set |= 1u << node;
    }
    return r->need <= b_bytes(r, set, true) &&
                   b_can_deal(r, b_cpus(r, set), 0)
               ? "but other nodes have enough"
               : NULL;
}

static void test_random_cores(void)
{
    unsigned nr_hosts = 5000, nr_right = 0, nr_lack = 0;

    for (unsigned i = 0; i < nr_hosts; i++) {
        struct random_host r;
        struct xln_plan *plan;
        const char *wrong;

        random_state = i;
        random_host(&r, 1 + random_below(6));
        take_some(&r);
        r.core_each = r.whole_cores = true;
        if (r.nr_vcpus > 5)
            r.nr_vcpus = 5;
        plan = plan_of_random(&r);
        wrong = plan->lacks_cores ? check_lack(&r, plan)
                                  : check_cores(&r, plan);
        if (wrong)
            printf("# host %u: %s\n", i, wrong);
        nr_right += !wrong;
        nr_lack += plan->lacks_cores;
        xln_plan_free(plan);
    }
    ok(nr_right == nr_hosts,
       "a free core for each vCPU, or too few, on %u of %u random hosts",
       nr_right, nr_hosts);
    ok(nr_lack > nr_hosts / 4 && nr_lack < nr_hosts / 4 * 3,
       "on %u of them there are too few", nr_lack);
}

/* ------------------------------------------------------------------ */
/* Large hosts                                                         */
/* ------------------------------------------------------------------ */

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
    host = make_host(specs, nr);
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

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Place, and say how long it took. */
static struct xln_plan *place_timed(const struct xln_host *host, uint64_t mib,
                                    unsigned max_nodes, const char *what)
{
    struct xln_need need = { .memory_bytes = mib * MIB, .nr_vcpus = 4 };
    struct xln_request *request;
    struct xln_plan *plan;
    double start, taken;

    must(xln_request_new(&request));
    request->max_nodes = max_nodes;
    start = seconds();
    must(xln_place(host, request, &need, &plan));
    taken = seconds() - start;
    printf("# %.1f ms: %s\n", taken * 1e3, what);
    ok(taken < 5, "%s: ends at once", what);
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

    plan = place_timed(host, 64 << 20, 0, "64 nodes, nothing fits");
    ok(plan->verdict == XLN_NOTHING_FITS && plan->nr_own == 64,
       "all nodes together have not enough");
    xln_plan_free(plan);

    plan = place_timed(host, 3300000, 0, "a guest that needs 30 of 64 nodes");
    ok(plan->verdict == XLN_FITS && xln_nodemap_count(plan->nodes) <= 30,
       "it fits on %u nodes", xln_nodemap_count(plan->nodes));
    again = place_timed(host, 3300000, 0, "the same again");
    ok(same_plan(plan, again), "the plan is the same");
    xln_plan_free(plan);
    xln_plan_free(again);

    plan = place_timed(host, 500000, 0, "a guest that needs 5 of 64 nodes");
    ok(plan->verdict == XLN_FITS && xln_nodemap_count(plan->nodes) <= 5,
       "it fits on %u nodes", xln_nodemap_count(plan->nodes));
    xln_plan_free(plan);

    plan = place_timed(host, 3300000, 20, "no 20 of 64 nodes have enough");
    ok(plan->verdict == XLN_FITS_RELAXED && plan->nr_own == 20 &&
       plan->relaxed == XLN_RELAXED_MEMORY, "20 nodes, then the nearest");
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
    plan = place_timed(host, 300000, 0, "a guest that needs 3 of 64 nodes");
    ok(xln_nodemap_test(plan->nodes, 5) && xln_nodemap_test(plan->nodes, 31) &&
       xln_nodemap_test(plan->nodes, 62), "the nearest three are found");
    xln_plan_free(plan);
    xln_host_free(host);
}

static void test_largest(void)
{
    struct xln_host *host = large_host(XLN_MAX_NODES, true);
    struct xln_plan *plan;

    plan = place_timed(host, 60 << 20, 0, "1024 nodes");
    ok(plan->verdict == XLN_FITS, "it fits on %u nodes",
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
    test_request();
    test_policies();
    run_cases(policy_cases, ARRAY_SIZE(policy_cases));
    test_balanced();
    test_piles();
    run_cases(set_cases, ARRAY_SIZE(set_cases));
    run_cases(memory_cases, ARRAY_SIZE(memory_cases));
    run_cases(named_cases, ARRAY_SIZE(named_cases));
    run_cases(cpu_cases, ARRAY_SIZE(cpu_cases));
    run_cases(vcpu_cases, ARRAY_SIZE(vcpu_cases));
    test_reasons();
    test_nearest();
    test_need();
    test_random();
    test_random_cores();
    test_64(false);
    test_64(true);
    test_needle();
    test_largest();
    test_many_masks();
    return tap_done();
}
