/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts, requests and plans as text. */
#ifndef PLACE_CASES_H
#define PLACE_CASES_H

#include <errno.h>
#include <stdlib.h>

#include "host.h"
#include "policy.h"
#include "random.h"
#include "tap.h"
#include "text/units.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_VCPUS 8

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

static inline void fill_node(struct xln_host *host, unsigned node,
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

/* `slit` NULL: 10 and 20. */
static inline struct xln_host *make_host(const struct node_spec *specs,
                                         unsigned nr, const unsigned *slit)
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
            host->distances[node * nr + to] = slit         ? slit[node * nr + to]
                                              : node == to ? 10
                                                           : 20;
    }
    must(xln__host_finish(host));
    return host;
}

static inline struct xln_host *case_host(const struct case_spec *c)
{
    unsigned nr = 0;

    while (c->nodes[nr].cpus != XLN_NONE)
        nr++;
    return make_host(c->nodes, nr, c->slit);
}

static inline struct xln_nodemap *nodes_of(const char *text)
{
    struct xln_nodemap *nodes;

    must(xln_nodemap_new(XLN_MAX_NODES, &nodes));
    must(xln_nodemap_parse(text, 0, nodes, NULL));
    return nodes;
}

static inline struct xln_cpumap *cpus_of(const char *text)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(256, &cpus));
    must(xln_cpumap_parse(text, NULL, 0, cpus, NULL));
    return cpus;
}

static inline struct xln_request *case_request(const struct case_spec *c)
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
static inline unsigned parse_masks(const char *const *texts,
                                   struct xln_cpumap **cpus)
{
    unsigned nr = 0;

    for (; nr < MAX_VCPUS && texts[nr]; nr++)
        cpus[nr] = strcmp(texts[nr], "-") ? cpus_of(texts[nr]) : NULL;
    return nr;
}

static inline int place_case(const struct case_spec *c,
                             const struct xln_host *host,
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
static inline void describe(const struct xln_plan *plan, char *text,
                            size_t size)
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

static inline void run_case(const struct case_spec *c)
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

static inline void run_cases(const struct case_spec *cases, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        run_case(&cases[i]);
}

#endif /* PLACE_CASES_H */
