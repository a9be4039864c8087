/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Virtual nodes: a copy of the host of 2018's libvirt proposal, cases with
 * their expected text, and 10 000 random ones against libxl's own checks.
 */
#include <errno.h>
#include <stdlib.h>

#include "fake-alloc.h"
#include "host.h"
#include "random.h"
#include "tap.h"
#include "text/units.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- hosts ---- */

static struct xln_host *new_host(unsigned nr_cpus, unsigned nr_nodes)
{
    struct xln_host *host;
    unsigned i, j;

    must(xln__host_new(nr_cpus, nr_nodes, 0, &host));
    for (i = 0; i < nr_nodes; i++)
        for (j = 0; j < nr_nodes; j++)
            host->distances[i * nr_nodes + j] = i == j ? 10 : 21;
    return host;
}

static void set_memory(struct xln_host *host, unsigned node, uint64_t bytes)
{
    xln_nodemap_set(host->exists, node);
    host->nodes[node].free_bytes = host->nodes[node].total_bytes = bytes;
}

/* `core` is one for each CPU, unless a test sets it. */
static void set_cpu(struct xln_host *host, unsigned cpu, unsigned node,
                    unsigned core)
{
    host->cpu_exists[cpu] = true;
    host->cpus[cpu] = (struct xln_host_cpu){
        .online = true, .node = node, .socket = node, .core = core,
    };
}

/* cpus[i] CPUs, of one thread each, and mib[i] MiB on node i. */
static struct xln_host *simple_host(unsigned nr, const unsigned *cpus,
                                    const unsigned *mib)
{
    unsigned nr_cpus = 0, cpu = 0, i, j;
    struct xln_host *host;

    for (i = 0; i < nr; i++)
        nr_cpus += cpus[i];
    host = new_host(nr_cpus, nr);
    for (i = 0; i < nr; i++) {
        set_memory(host, i, mib[i] * MIB);
        for (j = 0; j < cpus[i]; j++, cpu++)
            set_cpu(host, cpu, i, cpu);
    }
    must(xln__host_finish(host));
    return host;
}

/* ---- asking ---- */

struct ask {
    const struct xln_host *host;
    struct xln_request *request;
    struct xln_need need;
    struct xln_plan *plan;
    struct xln_vnuma *vnuma;
};

static void begin(struct ask *a, const struct xln_host *host,
                  enum xln_vnuma_mode mode, const char *nodes, uint64_t bytes,
                  unsigned nr_vcpus)
{
    *a = (struct ask){
        .host = host,
        .need = { .memory_bytes = bytes, .nr_vcpus = nr_vcpus },
    };
    must(xln_request_new(&a->request));
    a->request->vnuma = mode;
    if (!nodes)
        return;
    must(xln_nodemap_new(XLN_MAX_NODES, &a->request->nodes));
    must(xln_nodemap_parse(nodes, 0, a->request->nodes, NULL));
}

static int answer(struct ask *a)
{
    int rc = xln_vnuma_prepare(a->host, &a->need, a->request);

    if (rc)
        return rc;
    must(xln_place(a->host, a->request, &a->need, &a->plan));
    return xln_vnuma_new(a->host, a->request, &a->need, a->plan, &a->vnuma);
}

static void end(struct ask *a)
{
    xln_request_free(a->request);
    xln_plan_free(a->plan);
    xln_vnuma_free(a->vnuma);
}

/* "1:2048 0-1 10,21; 2:2048 2-3 21,10": node, MiB, vCPUs, distances. */
static char *vnuma_text(const struct xln_vnuma *vnuma)
{
    char *text = NULL, *vcpus;
    unsigned i, j;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    for (i = 0; vnuma && i < vnuma->nr; i++) {
        const struct xln_vnode *v = &vnuma->list[i];

        must(xln_cpumap_format(v->vcpus, &vcpus));
        fprintf(f, "%s%u:%llu %s ", i ? "; " : "", v->node,
                (unsigned long long)(v->bytes / MIB), *vcpus ? vcpus : "-");
        for (j = 0; j < vnuma->nr; j++)
            fprintf(f, "%s%u", j ? "," : "", v->distances[j]);
        free(vcpus);
    }
    fclose(f);
    return text;
}

static void is_vnuma(struct ask *a, const char *expected, const char *what)
{
    int rc = answer(a);
    char *text = rc ? strdup(strerror(-rc)) : vnuma_text(a->vnuma);

    is_str(text, expected, what);
    free(text);
    end(a);
}

/* ---- CPUs on nodes without memory ---- */

static void is_cpus(const struct xln_cpumap *cpus, const char *expected,
                    const char *what)
{
    char *text;

    must(xln_cpumap_format(cpus, &text));
    is_str(text, expected, what);
    free(text);
}

/* Four dies of 16 CPUs, of which two have memory; each is as near to one as to
 * the other. */
static void test_half_bare(void)
{
    static const unsigned cpus[] = { 16, 16, 16, 16 };
    static const unsigned mib[] = { 16384, 0, 16384, 0 };
    struct xln_host *host = simple_host(4, cpus, mib);
    struct ask a;

    begin(&a, host, XLN_VNUMA_HOST, NULL, 8 * GIB, 64);
    must(answer(&a));
    ok(a.plan->verdict == XLN_FITS && a.vnuma->nr == 2,
       "a copy of a host with memory on half of its nodes has two nodes");
    is_cpus(a.plan->vcpu_cpus, "0-63", "the copy has all CPUs");
    is_cpus(a.vnuma->list[0].cpus, "0-31",
            "the first node has the CPUs near its memory");
    is_cpus(a.vnuma->list[1].cpus, "32-63",
            "the second node has the CPUs near its memory");
    ok(xln_cpumap_count(a.vnuma->list[0].vcpus) == 32 &&
           xln_cpumap_count(a.vnuma->list[1].vcpus) == 32,
       "each node has as many vCPUs as CPUs");
    end(&a);

    begin(&a, host, XLN_VNUMA_AUTO, NULL, 20 * GIB, 64);
    must(answer(&a));
    is_cpus(a.vnuma->list[1].cpus, "32-63",
            "with \"auto\" a node has the CPUs near its memory, too");
    end(&a);
    xln_host_free(host);
}

/* ---- the proposal of 2018 ---- */

/* Eight sockets of 15 cores, whose second threads are CPUs 120 to 239. */
static struct xln_host *proposal_host(void)
{
    static const unsigned slit[8][8] = {
        { 10, 21, 31, 21, 21, 31, 31, 31 }, { 21, 10, 21, 31, 31, 21, 31, 31 },
        { 31, 21, 10, 21, 31, 31, 21, 31 }, { 21, 31, 21, 10, 31, 31, 31, 21 },
        { 21, 31, 31, 31, 10, 21, 21, 31 }, { 31, 21, 31, 31, 21, 10, 31, 21 },
        { 31, 31, 21, 31, 21, 31, 10, 21 }, { 31, 31, 31, 21, 31, 21, 21, 10 },
    };
    struct xln_host *host = new_host(240, 8);
    unsigned cpu, i, j;

    for (i = 0; i < 8; i++) {
        set_memory(host, i, 128 * GIB);
        for (j = 0; j < 8; j++)
            host->distances[i * 8 + j] = slit[i][j];
    }
    for (cpu = 0; cpu < 240; cpu++)
        set_cpu(host, cpu, cpu % 120 / 15, cpu % 120 % 15);
    must(xln__host_finish(host));
    return host;
}

static void test_proposal(void)
{
    static const char *const cpusets[] = {
        "0-14,120-134", "15-29,135-149", "30-44,150-164", "45-59,165-179",
        "60-74,180-194", "75-89,195-209", "90-104,210-224", "105-119,225-239",
    };
    struct xln_host *host = proposal_host();
    struct ask a;
    unsigned i;
    char *text;

    begin(&a, host, XLN_VNUMA_HOST, NULL, 64 * GIB, 16);
    must(answer(&a));
    text = vnuma_text(a.vnuma);
    is_str(text,
           "0:8192 0,8 10,21,31,21,21,31,31,31; "
           "1:8192 1,9 21,10,21,31,31,21,31,31; "
           "2:8192 2,10 31,21,10,21,31,31,21,31; "
           "3:8192 3,11 21,31,21,10,31,31,31,21; "
           "4:8192 4,12 21,31,31,31,10,21,21,31; "
           "5:8192 5,13 31,21,31,31,21,10,31,21; "
           "6:8192 6,14 31,31,21,31,21,31,10,21; "
           "7:8192 7,15 31,31,31,21,31,21,21,10",
           "the cells and distances are those of the proposal of 2018");
    free(text);
    for (i = 0; i < 8; i++) {
        must(xln_cpumap_format(a.vnuma->list[i].cpus, &text));
        is_str(text, cpusets[i],
               "the vcpupin elements are those of the proposal of 2018");
        free(text);
    }
    end(&a);

    begin(&a, host, XLN_VNUMA_HOST, "0,1", 4 * GIB, 8);
    a.request->vnuma_vcpus = XLN_VNUMA_VCPUS_SIBLINGS;
    is_vnuma(&a, "0:2048 0-1,4-5 10,21; 1:2048 2-3,6-7 21,10",
             "\"siblings\" deals cores to the nodes in turn");
    begin(&a, host, XLN_VNUMA_HOST, "0,1", 4 * GIB, 7);
    a.request->vnuma_vcpus = XLN_VNUMA_VCPUS_CONTIGUOUS;
    is_vnuma(&a, "0:2048 0-3 10,21; 1:2048 4-6 21,10",
             "\"contiguous\" gives each node consecutive vCPUs");
    begin(&a, host, XLN_VNUMA_AUTO, "0,1", 4 * GIB, 7);
    is_vnuma(&a, "0:2048 0-3 10,21; 1:2048 4-6 21,10",
             "\"proportional\" keeps siblings together");
    begin(&a, host, XLN_VNUMA_AUTO, NULL, 4 * GIB, 7);
    is_vnuma(&a, "", "a domain on one node gets no virtual nodes");
    xln_host_free(host);
}

/* ---- cases ---- */

static void test_auto(void)
{
    static const unsigned cpus[] = { 4, 3, 2 }, mib[] = { 6000, 4000, 2000 };
    struct xln_host *host = simple_host(3, cpus, mib);
    struct ask a;

    begin(&a, host, XLN_VNUMA_AUTO, "0-2", 10 * GIB, 7);
    is_vnuma(&a, "0:4240 0-2 10,21,21; 1:4000 3-4 21,10,21; "
                 "2:2000 5-6 21,21,10",
             "7 vCPUs and 10 GiB are cut in proportion to three unequal nodes");
    begin(&a, host, XLN_VNUMA_AUTO, "0-1", 1001 * MIB, 1);
    is_vnuma(&a, "0:501 0 10,21; 1:500 - 21,10",
             "the first node gets an odd MiB, and one vCPU is on one of two "
             "nodes");
    begin(&a, host, XLN_VNUMA_NONE, "0-1", 1001 * MIB, 1);
    is_vnuma(&a, "", "without vnuma= a domain gets no virtual nodes");
    begin(&a, host, XLN_VNUMA_HOST, NULL, 9 * GIB, 3);
    is_vnuma(&a, strerror(ENOSPC),
             "a copy fails if a node is too small for its part");
    begin(&a, host, XLN_VNUMA_AUTO, NULL, 20 * GIB, 3);
    is_vnuma(&a, strerror(ENOSPC),
             "virtual nodes fail if the host has too little memory");
    xln_host_free(host);
}

static void ask_parts(struct ask *a, unsigned node, uint8_t part,
                      unsigned other, uint8_t rest)
{
    must(xln_nodemap_new(XLN_MAX_NODES, &a->request->mem_nodes));
    a->request->mem_percent = calloc(XLN_MAX_NODES, 1);
    xln_nodemap_set(a->request->mem_nodes, node);
    xln_nodemap_set(a->request->mem_nodes, other);
    a->request->mem_percent[node] = part;
    a->request->mem_percent[other] = rest;
}

/* Node 2 has no CPU: it is a virtual node if its memory is asked for. */
static void test_memory_only(void)
{
    static const unsigned cpus[] = { 2, 2, 0 }, mib[] = { 1000, 1000, 500 };
    struct xln_host *host = simple_host(3, cpus, mib);
    struct ask a;

    begin(&a, host, XLN_VNUMA_HOST, NULL, 600 * MIB, 4);
    is_vnuma(&a, "0:300 0,2 10,21; 1:300 1,3 21,10",
             "a copy has no node without CPUs");
    begin(&a, host, XLN_VNUMA_AUTO, "1-2", 600 * MIB, 3);
    is_vnuma(&a, "1:300 0-2 10,21; 2:300 - 21,10",
             "a domain can name a node without CPUs for a virtual node");
    begin(&a, host, XLN_VNUMA_AUTO, NULL, 600 * MIB, 3);
    ask_parts(&a, 0, 75, 2, 25);
    is_vnuma(&a, "0:450 0-2 10,21; 2:150 - 21,10",
             "a virtual node can have a quarter of the memory on a node "
             "without CPUs");
    begin(&a, host, XLN_VNUMA_AUTO, NULL, 1000 * MIB, 3);
    ask_parts(&a, 0, 40, 2, 60);
    is_vnuma(&a, "0:500 0-2 10,21; 2:500 - 21,10",
             "memory that one node lacks comes from the other");
    begin(&a, host, XLN_VNUMA_HOST, "2", 100 * MIB, 3);
    is_vnuma(&a, strerror(ENOENT), "a copy of nodes without CPUs fails");
    xln_host_free(host);
}

static void test_limits(void)
{
    unsigned cpus[33], mib[33], i;
    struct xln_host *host;
    struct ask a;

    for (i = 0; i < 33; i++)
        cpus[i] = 1, mib[i] = 100;
    host = simple_host(33, cpus, mib);
    begin(&a, host, XLN_VNUMA_AUTO, "0-32", 330 * MIB, 2);
    is_vnuma(&a, strerror(E2BIG), "more than 32 virtual nodes are refused");
    xln_host_free(host);

    host = simple_host(2, cpus, mib);
    host->distances[0] = 20;            /* local */
    host->distances[1] = 30;
    host->distances[2] = 7;
    host->distances[3] = 10;
    begin(&a, host, XLN_VNUMA_AUTO, "0-1", 20 * MIB, 2);
    is_vnuma(&a, "0:10 0 10,15; 1:10 1 10,10",
             "distances are scaled to a local distance of 10, and none is "
             "less");
    host->distances[1] = XLN_NONE;
    host->distances[2] = 900;
    begin(&a, host, XLN_VNUMA_AUTO, "0-1", 20 * MIB, 2);
    is_vnuma(&a, "0:10 0 10,254; 1:10 1 254,10",
             "a distance is cut to what a byte holds");
    xln_host_free(host);
}

/* ---- random ones ---- */

static struct xln_host *random_host(void)
{
    unsigned nr = 1 + random_below(9), threads = 1 + random_below(2), cpu, i;
    struct xln_host *host = new_host(nr * 12, nr);

    for (i = 0; i < nr; i++)
        set_memory(host, i, random_below(8) ? random_below(20000) * MIB : 0);
    for (i = 0; i < nr * nr; i++)
        host->distances[i] = random_below(20) ? 5 + random_below(60) : XLN_NONE;
    for (cpu = 0; cpu < nr * 12; cpu++)
        if (cpu == 0 || random_below(3))
            set_cpu(host, cpu, cpu / 12 == 1 ? 0 : cpu / 12,
                    cpu / threads);
    must(xln__host_finish(host));
    return host;
}

static bool memory_holds(const struct ask *a)
{
    uint64_t sum = 0;
    unsigned i;

    for (i = 0; i < a->vnuma->nr; i++) {
        const struct xln_vnode *v = &a->vnuma->list[i];

        if (!v->bytes || v->bytes % MIB ||
            v->bytes > a->host->nodes[v->node].free_bytes)
            return false;
        sum += v->bytes;
    }
    return sum == a->need.memory_bytes;
}

static bool vcpus_hold(const struct ask *a)
{
    unsigned vcpu, i, nr;

    for (vcpu = 0; vcpu < a->need.nr_vcpus; vcpu++) {
        for (i = nr = 0; i < a->vnuma->nr; i++)
            nr += xln_cpumap_test(a->vnuma->list[i].vcpus, vcpu);
        if (nr != 1)
            return false;
    }
    return true;
}

static bool distances_hold(const struct ask *a)
{
    unsigned i, j;

    for (i = 0; i < a->vnuma->nr; i++) {
        const unsigned *row = a->vnuma->list[i].distances;

        for (j = 0; j < a->vnuma->nr; j++)
            if (row[j] < row[i] || row[j] > 254)
                return false;
        if (row[i] != 10)
            return false;
    }
    return true;
}

/* No vnode of a node with CPUs goes without a vCPU while another has two. */
static bool no_idle_vnode(const struct ask *a)
{
    unsigned i, most = 0;
    bool idle = false;

    for (i = 0; i < a->vnuma->nr; i++) {
        const struct xln_vnode *v = &a->vnuma->list[i];
        unsigned nr = xln_cpumap_count(v->vcpus);

        most = nr > most ? nr : most;
        idle |= !nr && xln_nodemap_test(a->plan->vcpu_nodes, v->node) &&
                !xln_cpumap_is_empty(a->host->nodes[v->node].cpus);
    }
    return !idle || most < 2;
}

static void test_random(void)
{
    unsigned i, nr_given = 0, bad_memory = 0, bad_vcpus = 0, bad_distances = 0;
    unsigned bad_idle = 0;

    random_state = 6;
    for (i = 0; i < 10000; i++) {
        struct xln_host *host = random_host();
        struct ask a;

        begin(&a, host, random_below(3) ? XLN_VNUMA_AUTO : XLN_VNUMA_HOST, NULL,
              (1 + random_below(40000)) * MIB, 1 + random_below(40));
        a.request->all_nodes = !random_below(3);
        a.request->vnuma_vcpus = (enum xln_vnuma_vcpus)random_below(5);
        if (!answer(&a) && a.vnuma) {
            nr_given++;
            bad_memory += !memory_holds(&a);
            bad_vcpus += !vcpus_hold(&a);
            bad_distances += !distances_hold(&a);
            bad_idle += a.request->vnuma_vcpus == XLN_VNUMA_VCPUS_DEFAULT &&
                        !no_idle_vnode(&a);
        }
        end(&a);
        xln_host_free(host);
    }
    ok(nr_given > 2000, "many of 10000 random guests get virtual nodes (%u)",
       nr_given);
    ok(!bad_memory,
       "their sizes are exact to the MiB, and no node is empty or too small "
       "(%u)", bad_memory);
    ok(!bad_vcpus, "each vCPU is in one of them (%u)", bad_vcpus);
    ok(!bad_distances,
       "the local distance is 10, and no node is nearer (%u)", bad_distances);
    ok(!bad_idle,
       "no virtual node is without a vCPU if there are enough (%u)", bad_idle);
}

/* ---- no memory ---- */

static void test_no_memory(void)
{
    static const unsigned cpus[] = { 2, 2 }, mib[] = { 1000, 1000 };
    struct xln_host *host = simple_host(2, cpus, mib);
    unsigned n = 0;
    struct ask a;
    int rc;

    begin(&a, host, XLN_VNUMA_HOST, NULL, 600 * MIB, 4);
    must(xln_vnuma_prepare(a.host, &a.need, a.request));
    must(xln_place(a.host, a.request, &a.need, &a.plan));
    do {
        fake_alloc_fail(++n);
        rc = xln_vnuma_new(a.host, a.request, &a.need, a.plan, &a.vnuma);
        fake_alloc_fail(0);
    } while (rc == -ENOMEM);
    ok(!rc && n > 5,
       "virtual nodes survive the failure of each allocation (%u)", n - 1);
    end(&a);
    xln_host_free(host);
}

int main(void)
{
    test_half_bare();
    test_proposal();
    test_auto();
    test_memory_only();
    test_limits();
    test_random();
    test_no_memory();
    return tap_done();
}
