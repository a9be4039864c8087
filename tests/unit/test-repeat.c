/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domains that are all alike: placed in one go they are where they would be if
 * each were placed by itself.
 */
#include "place-model.h"

#include "repeat.h"

/* ---- one after another ---- */

struct series {
    struct xln_host *host;
    struct xln_request *request;
    struct xln_need need;
    struct xln_cpumap *pool, *hard[2];
    const struct xln_cpumap *hard_r[2];
    struct xln_nodemap *with;
};

static unsigned random_distance(unsigned kind, unsigned a, unsigned b)
{
    if (a == b)
        return 10;
    return kind == 0 ? 20 : kind == 1 ? 11 + 5 * random_below(4)
                                      : a / 4 == b / 4 ? 12 : 21;
}

/* The same, but it is known which guests run. */
static struct xln_host *with_guests(struct xln_host *host)
{
    uint64_t bytes[40];
    unsigned nr = random_below(40);
    struct xln_host *with;

    for (unsigned i = 0; i < nr; i++)
        bytes[i] = (1 + random_below(5000)) * MIB;
    must(xln_host_add_guests(host, bytes, nr, &with));
    xln_host_free(host);
    return with;
}

static struct xln_host *random_host_of(unsigned nr)
{
    struct node_spec *specs = calloc(nr, sizeof(*specs));
    unsigned kind = random_below(3), same = random_below(2);
    struct xln_host *host;

    for (unsigned i = 0; i < nr; i++)
        specs[i] = (struct node_spec){
            .mib = same ? 4096 : 256 * random_below(24),
            .cpus = one_in(9) ? 0 : 1 + random_below(4),
        };
    specs[0].mib = 4096;
    specs[0].cpus = 4;
    host = make_host(specs, nr, NULL);
    for (unsigned i = 0; i < nr * nr; i++)
        host->distances[i] = random_distance(kind, i / nr, i % nr);
    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++)
        host->cpus[cpu].load = XLN_LOAD_ONE / 4 * random_below(6);
    for (unsigned i = 0; i < nr; i++) {
        if (one_in(4))
            host->nodes[i].dma_bytes = host->nodes[i].free_bytes / 4;
        if (one_in(4))
            host->nodes[i].reserved_bytes = random_below(512) * MIB;
    }
    free(specs);
    return one_in(2) ? host : with_guests(host);
}

static struct xln_cpumap *random_mask(const struct xln_host *host)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(host->nr_cpus, &cpus));
    for (unsigned cpu = 0; cpu < host->nr_cpus; cpu++) {
        if (!one_in(3))
            xln_cpumap_set(cpus, cpu);
    }
    return cpus;
}

static void random_request_of(struct series *c)
{
    static const enum xln_vcpus_mode modes[] = { XLN_VCPUS_SOFT,
                                                 XLN_VCPUS_HARD,
                                                 XLN_VCPUS_NONE };
    struct xln_request *request;

    must(xln_request_new(&request));
    request->policy =
        xln_policy_by_name(xln_policy_names()[random_below(4)]);
    request->vcpus_mode = modes[random_below(3)];
    request->mode = one_in(3) ? XLN_MODE_STRICT : XLN_MODE_PREFERRED;
    request->max_nodes = one_in(4) ? 1 + random_below(3) : 0;
    request->whole_cores = one_in(4);
    request->dma_reserve_bytes = one_in(2) ? 0 : 64 * MIB;
    c->request = request;
}

static void random_series(struct series *c, unsigned nr)
{
    *c = (struct series){ .host = random_host_of(nr) };
    random_request_of(c);
    c->need.memory_bytes = (100 + random_below(2000)) * MIB;
    c->need.overhead_bytes = random_below(3) * MIB;
    c->need.nr_vcpus = 1 + random_below(4);
    if (one_in(3))
        c->need.pool_cpus = c->pool = random_mask(c->host);
    if (one_in(3)) {
        c->hard_r[0] = c->hard[0] = random_mask(c->host);
        c->hard_r[1] = c->hard[1] = one_in(2) ? NULL : random_mask(c->host);
        c->need.hard = c->hard_r;
        c->need.nr_hard = c->need.nr_vcpus < 2 ? 1 : 2;
    }
    if (one_in(4)) {
        must(xln_nodemap_new(nr, &c->with));
        xln_nodemap_set(c->with, random_below(nr));
        if (one_in(2))
            c->need.with_nodes = c->with;
        else
            c->need.apart_nodes = c->with;
    }
}

static void free_series(struct series *c)
{
    xln_host_free(c->host);
    xln_request_free(c->request);
    xln_cpumap_free(c->pool);
    xln_cpumap_free(c->hard[0]);
    xln_cpumap_free(c->hard[1]);
    xln_nodemap_free(c->with);
}

/* It runs now, if it is known what runs. */
static void add_guest(const struct xln_plan *plan, struct xln_host **host)
{
    struct xln_host *with;

    if (!xln_host_guests_known(*host))
        return;
    must(xln_host_add_guests(*host, &plan->need_bytes, 1, &with));
    xln_host_free(*host);
    *host = with;
}

/* As a create does. 0: it does not fit as asked; else on how many nodes. */
static unsigned place_one(const struct series *c, struct xln_host **host)
{
    uint64_t *load = calloc((*host)->nr_cpus, sizeof(*load));
    struct xln_host *loaded, *next;
    struct xln_plan *plan;
    unsigned nr = 0;

    must(xln_place(*host, c->request, &c->need, &plan));
    if (plan->verdict == XLN_FITS) {
        nr = xln_nodemap_count(plan->nodes);
        must(xln_load_of_plan(plan, &c->need, *host, load));
        must(xln_host_add_load(*host, load, &loaded));
        must(xln_host_reserve(loaded, plan->shares, plan->nr_shares, &next));
        xln_host_free(loaded);
        xln_host_free(*host);
        *host = next;
        add_guest(plan, host);
    }
    xln_plan_free(plan);
    free(load);
    return nr;
}

static bool same_hosts(const struct xln_host *a, const struct xln_host *b)
{
    for (unsigned i = 0; i < a->nr_nodes; i++) {
        if (a->nodes[i].reserved_bytes != b->nodes[i].reserved_bytes)
            return false;
    }
    for (unsigned cpu = 0; cpu < a->nr_cpus; cpu++) {
        if (a->cpus[cpu].load != b->cpus[cpu].load)
            return false;
    }
    return true;
}

/* How many were placed; -1: not as one after another. */
static int compare_ways(const struct series *c, unsigned most)
{
    struct xln__repeat *r;
    struct xln_host *host;
    unsigned nr_nodes, expected, nr = 0;
    bool same;

    must(xln_host_copy(c->host, &host));
    must(xln__repeat_begin(c->host, c->request, &c->need, &r));
    do {
        expected = place_one(c, &host);
        must(xln__repeat_next(r, &nr_nodes));
        same = nr_nodes == expected && same_hosts(host, xln__repeat_host(r));
        nr += nr_nodes > 0;
    } while (same && nr_nodes && nr < most);
    xln__repeat_end(r);
    xln_host_free(host);
    return same ? (int)nr : -1;
}

static void test_random(unsigned nr_nodes, unsigned nr_rounds, unsigned most)
{
    unsigned nr_same = 0, nr_placed = 0;

    for (unsigned round = 0; round < nr_rounds; round++) {
        struct series c;
        int nr;

        random_state = 1000 * nr_nodes + round;
        random_series(&c, nr_nodes);
        nr = compare_ways(&c, most);
        nr_same += nr >= 0;
        nr_placed += nr > 0 ? (unsigned)nr : 0;
        free_series(&c);
    }
    ok(nr_same == nr_rounds && nr_placed > nr_rounds,
       "%u nodes: %u of %u series are as one after another (%u domains)",
       nr_nodes, nr_same, nr_rounds, nr_placed);
}

static void test_all_at_once(void)
{
    static const struct node_spec specs[] = { NODE(1000, 4), NODE(500, 4) };
    struct xln_need need = { .memory_bytes = 300 * MIB, .nr_vcpus = 1 };
    struct xln_host *host = make_host(specs, 2, NULL), *full;
    unsigned by_nodes[3] = { 0 }, limited[3] = { 0 };
    struct xln_request *request;

    must(xln_request_new(&request));
    must(xln_place_equal(host, request, &need, 100, by_nodes, &full));
    ok(by_nodes[1] == 4 && by_nodes[2] == 1 && !by_nodes[0],
       "three on a node, one on the other, one on both");
    ok(full->nodes[0].reserved_bytes + full->nodes[1].reserved_bytes ==
       1500 * MIB, "the host has them all");
    xln_host_free(full);
    must(xln_place_equal(host, request, &need, 2, limited, &full));
    ok(limited[1] == 2 && !limited[2], "two if no more are to be placed");
    xln_host_free(full);
    xln_request_free(request);
    xln_host_free(host);
}

/* More than 256 nodes, in a hurry: other sets, but as many domains. */
static void test_many_full(uint64_t mib)
{
    unsigned nr = 300, by_nodes[301] = { 0 }, one_by_one = 0, at_once = 0;
    struct series c = { .need = { .memory_bytes = mib * MIB, .nr_vcpus = 1 } };
    struct xln_host *host, *full;

    random_state = mib;
    c.host = random_host_of(nr);
    must(xln_request_new(&c.request));
    must(xln_place_equal(c.host, c.request, &c.need, 10000, by_nodes, &full));
    for (unsigned i = 1; i <= nr; i++)
        at_once += by_nodes[i];
    must(xln_host_copy(c.host, &host));
    while (place_one(&c, &host))
        one_by_one++;
    ok(at_once * 100 >= one_by_one * 99 && at_once > 10 &&
       at_once < 10000,
       "%u nodes, %u MiB each: %u domains; one after another %u", nr,
       (unsigned)mib, at_once, one_by_one);
    xln_host_free(full);
    xln_host_free(host);
    free_series(&c);
}

static void test_refused(void)
{
    struct xln__repeat *r;
    struct series c;

    random_series(&c, 4);
    c.request->vcpus_mode = XLN_VCPUS_CORE;
    ok(xln__repeat_begin(c.host, c.request, &c.need, &r) == -ENOTSUP,
       "a core for each vCPU: not in one go");
    c.request->vcpus_mode = XLN_VCPUS_THREAD;
    ok(xln__repeat_begin(c.host, c.request, &c.need, &r) == -ENOTSUP,
       "a thread for each vCPU: not in one go");
    c.request->vcpus_mode = XLN_VCPUS_SOFT;
    c.request->all_nodes = true;
    ok(xln__repeat_begin(c.host, c.request, &c.need, &r) == -ENOTSUP,
       "nodes that the user names: not in one go");
    free_series(&c);
}

int main(void)
{
    test_random(2, 200, 100);
    test_random(5, 300, 100);
    test_random(12, 100, 100);
    test_random(60, 10, 60);
    test_random(300, 8, 40);
    test_many_full(6000);
    test_all_at_once();
    test_refused();
    return tap_done();
}
