/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The search on hosts that are too large for brute force over all sets (which
 * test-place.c has for small ones): that what is said to be the best set is.
 * It is compared with all sets of its size where these are few enough to be
 * counted, else with all that differ from it in two nodes.
 */
#include <stdlib.h>

#include "host.h"
#include "policy.h"
#include "random.h"
#include "tap.h"
#include "text/units.h"

#define TIB (UINT64_C(1) << 40)
#define MAX_NODES 64

/* A host, a guest, and a set as it is judged here. */
struct task {
    unsigned nr, nr_cpus[MAX_NODES];
    uint64_t bytes[MAX_NODES];
    unsigned distance[MAX_NODES][MAX_NODES];
    uint64_t need;
    unsigned vcpus;
    const char *policy;
};

struct figures {
    uint64_t bytes, sum;
    unsigned cpus, max;
};

/* ---- hosts ---- */

enum shape { FLAT, SOCKETS, BOARDS, CHAOS, NR_SHAPES };

static unsigned shape_distance(enum shape shape, unsigned a, unsigned b)
{
    switch (shape) {
    case FLAT:
        return 20;
    case SOCKETS:
        return a / 8 == b / 8 ? 12 : 21;
    case BOARDS:
        return a / 4 == b / 4 ? 12 : a / 16 == b / 16 ? 20 : 32;
    default:
        return 11 + random_below(40);
    }
}

/* Equal nodes, or as guests of whole MiB or of odd pages leave them. */
static uint64_t random_bytes(unsigned kind)
{
    switch (kind) {
    case 0:
        return 64 * 1024 * MIB;
    case 1:
        return (1 + random_below(64)) * 1024 * MIB;
    default:
        return (1 + random_below(1 << 24)) * UINT64_C(4096);
    }
}

/* The guest has most of what so many nodes have at the most. */
static void random_guest(struct task *t, unsigned nr_wanted)
{
    uint64_t total = 0, largest = 0;

    for (unsigned i = 0; i < t->nr; i++) {
        total += t->bytes[i];
        if (t->bytes[i] > largest)
            largest = t->bytes[i];
    }
    t->need = total / t->nr * nr_wanted;
    t->need -= t->need / 100 * random_below(20);
    t->vcpus = 1 + random_below(2 * nr_wanted);
    t->policy = xln_policy_names()[random_below(3)];
}

static void random_task(struct task *t, unsigned nr, enum shape shape,
                        unsigned nr_wanted)
{
    unsigned kind = random_below(3), numbers[MAX_NODES];
    bool even = random_below(2);

    memset(t, 0, sizeof(*t));
    t->nr = nr;
    for (unsigned i = 0; i < nr; i++) {
        unsigned other = random_below(i + 1);

        numbers[i] = i;
        /* Clusters need not be runs of numbers. */
        if (kind == 2) {
            numbers[i] = numbers[other];
            numbers[other] = i;
        }
        t->bytes[i] = random_bytes(kind);
        t->nr_cpus[i] = even ? 4 : 1 + random_below(8);
    }
    for (unsigned a = 0; a < nr; a++) {
        for (unsigned b = 0; b < nr; b++)
            t->distance[a][b] =
                a == b ? 10 : shape_distance(shape, numbers[a], numbers[b]);
    }
    random_guest(t, nr_wanted);
}

static struct xln_host *host_of(const struct task *t)
{
    unsigned nr_cpus = 0, cpu = 0;
    struct xln_host *host;

    for (unsigned i = 0; i < t->nr; i++)
        nr_cpus += t->nr_cpus[i];
    must(xln__host_new(nr_cpus, t->nr, 0, &host));
    for (unsigned i = 0; i < t->nr; i++) {
        xln_nodemap_set(host->exists, i);
        host->nodes[i].free_bytes = host->nodes[i].total_bytes = t->bytes[i];
        for (unsigned end = cpu + t->nr_cpus[i]; cpu < end; cpu++) {
            host->cpu_exists[cpu] = host->cpus[cpu].online = true;
            host->cpus[cpu].node = i;
        }
        for (unsigned to = 0; to < t->nr; to++)
            host->distances[i * t->nr + to] = t->distance[i][to];
    }
    must(xln__host_finish(host));
    return host;
}

static struct xln_plan *plan_of(const struct task *t)
{
    struct xln_need need = { .memory_bytes = t->need, .nr_vcpus = t->vcpus };
    struct xln_host *host = host_of(t);
    struct xln_request *request;
    struct xln_plan *plan;

    must(xln_request_new(&request));
    request->policy = xln_policy_by_name(t->policy);
    must(xln_place(host, request, &need, &plan));
    xln_request_free(request);
    xln_host_free(host);
    return plan;
}

/* ---- judging ---- */

static struct figures with(const struct task *t, const unsigned *nodes,
                           unsigned nr, struct figures f)
{
    unsigned last = nodes[nr - 1];

    f.bytes += t->bytes[last];
    f.cpus += t->nr_cpus[last];
    for (unsigned i = 0; i + 1 < nr; i++) {
        unsigned there = t->distance[nodes[i]][last];
        unsigned back = t->distance[last][nodes[i]];

        f.sum += 2 * (uint64_t)(there > back ? there : back);
        if (there > f.max)
            f.max = there;
        if (back > f.max)
            f.max = back;
    }
    return f;
}

static struct figures figures_of(const struct task *t, const unsigned *nodes,
                                 unsigned nr)
{
    struct figures f = { 0 };

    for (unsigned i = 1; i <= nr; i++)
        f = with(t, nodes, i, f);
    return f;
}

static unsigned all_cpus(const struct task *t)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < t->nr; i++)
        nr += t->nr_cpus[i];
    return nr;
}

static bool fits(const struct task *t, const struct figures *f)
{
    unsigned want = all_cpus(t) < t->vcpus ? all_cpus(t) : t->vcpus;

    return f->bytes >= t->need && f->cpus >= want;
}

/* < 0: x is better; of equally many nodes, without the numbers. */
static int compare(const struct task *t, const struct figures *x,
                   const struct figures *y)
{
    if (x->max != y->max)
        return x->max < y->max ? -1 : 1;
    if (x->sum != y->sum)
        return x->sum < y->sum ? -1 : 1;
    if (x->bytes == y->bytes || !strcmp(t->policy, "first"))
        return 0;
    return (x->bytes < y->bytes) == !strcmp(t->policy, "best") ? -1 : 1;
}

static int compare_numbers(const unsigned *a, const unsigned *b, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

/* The set of a plan, to be compared with others. */
struct answer {
    const struct task *t;
    unsigned nodes[MAX_NODES], nr;
    struct figures figures;
    unsigned other[MAX_NODES];
    bool beaten;
};

static void compare_other(struct answer *a, const struct figures *f)
{
    int order;

    if (!fits(a->t, f))
        return;
    order = compare(a->t, f, &a->figures);
    if (!order)
        order = compare_numbers(a->other, a->nodes, a->nr);
    a->beaten = a->beaten || order < 0;
}

/* Complete a->other in every way with nodes from `from` up. */
static void enumerate(struct answer *a, unsigned nr, unsigned from,
                      struct figures f)
{
    if (nr == a->nr) {
        compare_other(a, &f);
        return;
    }
    for (; from + (a->nr - nr) <= a->t->nr; from++) {
        a->other[nr] = from;
        enumerate(a, nr + 1, from + 1, with(a->t, a->other, nr + 1, f));
    }
}

static int compare_unsigned(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return (x > y) - (x < y);
}

/* Another set in which the ith and the jth have made room for x and y. */
static void compare_exchanged(struct answer *a, unsigned i, unsigned j,
                              unsigned x, unsigned y)
{
    struct figures f;

    memcpy(a->other, a->nodes, sizeof(a->nodes));
    a->other[i] = x;
    a->other[j] = y;
    qsort(a->other, a->nr, sizeof(*a->other), compare_unsigned);
    f = figures_of(a->t, a->other, a->nr);
    compare_other(a, &f);
}

static bool is_in(const struct answer *a, unsigned node)
{
    for (unsigned i = 0; i < a->nr; i++) {
        if (a->nodes[i] == node)
            return true;
    }
    return false;
}

/* i == j: one node is exchanged. */
static void exchange(struct answer *a)
{
    for (unsigned i = 0; i < a->nr; i++) {
        for (unsigned x = 0; x < a->t->nr; x++) {
            if (is_in(a, x))
                continue;
            compare_exchanged(a, i, i, x, x);
            for (unsigned n = 0; n < 40; n++) {
                unsigned j = random_below(a->nr), y = random_below(a->t->nr);

                if (i != j && x != y && !is_in(a, y))
                    compare_exchanged(a, i, j, x, y);
            }
        }
    }
}

static double nr_sets(unsigned nr, unsigned size)
{
    double sets = 1;

    for (unsigned i = 0; i < size; i++)
        sets = sets * (nr - i) / (i + 1);
    return sets;
}

/* Whether fewer nodes can't do: not the largest of each. */
static bool is_fewest(const struct task *t, unsigned nr)
{
    uint64_t bytes[MAX_NODES], sum = 0;
    struct answer fewer = { .t = t, .nr = nr - 1 };

    memcpy(bytes, t->bytes, sizeof(bytes));
    for (unsigned i = 0; i + 1 < nr; i++) {
        unsigned most = i;

        for (unsigned j = i; j < t->nr; j++)
            most = bytes[j] > bytes[most] ? j : most;
        sum += bytes[most];
        bytes[most] = bytes[i];
    }
    if (sum < t->need)
        return true;
    /* It may be for the CPUs: count them all, if it can be done. */
    if (nr == 1 || nr_sets(t->nr, nr - 1) > 1e6)
        return nr > 1;
    fewer.figures.max = UINT_MAX;
    enumerate(&fewer, 0, 0, (struct figures){ 0 });
    return !fewer.beaten;
}

/* NULL: as it must be; else what is wrong. */
static const char *check_plan(const struct task *t, const struct xln_plan *plan,
                              double max_sets)
{
    struct answer a = { .t = t };
    unsigned node;

    if (!plan->exact)
        return "it is not said to be exact";
    if (plan->verdict != XLN_FITS)
        return NULL;
    XLN_FOREACH(xln_nodemap, node, plan->nodes)
        a.nodes[a.nr++] = node;
    a.figures = figures_of(t, a.nodes, a.nr);
    if (!fits(t, &a.figures))
        return "it does not fit";
    if (a.figures.max != plan->bound.distance_max ||
        a.figures.sum != plan->bound.distance_sum)
        return "the distances";
    if (!is_fewest(t, a.nr))
        return "fewer nodes are enough";
    if (nr_sets(t->nr, a.nr) <= max_sets)
        enumerate(&a, 0, 0, (struct figures){ 0 });
    else
        exchange(&a);
    return a.beaten ? "another set is better" : NULL;
}

static bool is_right(const struct task *t, double max_sets)
{
    struct xln_plan *plan = plan_of(t);
    const char *wrong = check_plan(t, plan, max_sets);

    if (wrong)
        printf("# %s: %u nodes, %s fit of %llu bytes and %u vCPUs\n", wrong,
               t->nr, t->policy, (unsigned long long)t->need, t->vcpus);
    xln_plan_free(plan);
    return !wrong;
}

/* ---- tests ---- */

static void test_hosts(unsigned nr_nodes, enum shape shape, unsigned nr_hosts,
                       double max_sets, const char *what)
{
    unsigned nr_right = 0;
    struct task t;

    if (getenv("THOROUGH")) {
        nr_hosts *= 4;
        max_sets *= 10;
    }
    for (unsigned i = 0; i < nr_hosts; i++) {
        random_state = 1000 * shape + i;
        random_below(2);
        random_task(&t, nr_nodes, shape, 1 + random_below(nr_nodes - 1));
        nr_right += is_right(&t, max_sets);
    }
    ok(nr_right == nr_hosts, "%s: %u of %u are proven and right", what,
       nr_right, nr_hosts);
}

/* How few nodes have enough, by the most memory that so many nodes with so many
 * CPUs have. */
static unsigned fewest_of(const struct task *t)
{
    static uint64_t most[MAX_NODES + 1][8 * MAX_NODES + 1];
    unsigned nr_cpus = 0, fewest = t->nr;

    memset(most, 0, sizeof(most));
    for (unsigned i = 0; i < t->nr; i++) {
        nr_cpus += t->nr_cpus[i];
        for (unsigned nr = i + 1; nr > 0; nr--) {
            for (unsigned cpus = nr_cpus; cpus >= t->nr_cpus[i]; cpus--) {
                unsigned rest = cpus - t->nr_cpus[i];
                uint64_t bytes = most[nr - 1][rest] + t->bytes[i];

                if ((nr == 1 ? rest == 0 : most[nr - 1][rest] > 0) &&
                    bytes > most[nr][cpus])
                    most[nr][cpus] = bytes;
            }
        }
    }
    for (unsigned nr = t->nr; nr > 0; nr--) {
        for (unsigned cpus = t->vcpus; cpus <= nr_cpus; cpus++)
            fewest = most[nr][cpus] >= t->need ? nr : fewest;
    }
    return fewest;
}

/* Nodes with much memory have few CPUs: the largest of each are too many. */
static void test_memory_or_cpus(void)
{
    unsigned nr_right = 0, nr_hosts = 40;
    double mean = 0;

    for (unsigned i = 0; i < nr_hosts; i++) {
        struct xln_plan *plan;
        struct task t;
        unsigned nr;

        random_state = 100 + i;
        random_task(&t, 40 + i % 25, CHAOS, 20);
        for (unsigned node = 0; node < t.nr; node++) {
            t.bytes[node] = (1 + random_below(64)) * 1024 * MIB;
            t.nr_cpus[node] = 8 - t.bytes[node] / (10 * 1024 * MIB);
        }
        t.need = 0;
        t.vcpus = 0;
        for (unsigned node = 0; node < 20; node++) {
            t.need += t.bytes[node];
            t.vcpus += t.nr_cpus[node];
        }
        plan = plan_of(&t);
        nr = xln_nodemap_count(plan->nodes);
        nr_right += nr == fewest_of(&t);
        mean += (double)plan->chosen.distance_sum / nr / (nr - 1) / nr_hosts;
        xln_plan_free(plan);
    }
    ok(nr_right == nr_hosts,
       "%u of %u plans have as few nodes as their memory and CPUs "
       "need", nr_right, nr_hosts);
    ok(mean < 34.5,
       "the nodes of the plans have a mean distance of %.3f", mean);
}

/* Five of 64 nodes without a hierarchy: too many to be sure. */
static void test_heuristic(void)
{
    struct xln_plan *plan, *again;
    struct task t;

    random_state = 1;
    random_task(&t, 64, CHAOS, 20);
    for (unsigned i = 0; i < t.nr; i++) {
        t.bytes[i] = (100 + random_below(32)) * 1024 * MIB;
        t.nr_cpus[i] = 4;
    }
    t.need = UINT64_C(1700) * 1024 * MIB;
    t.vcpus = 4;
    plan = plan_of(&t);
    again = plan_of(&t);
    ok(!plan->exact,
       "with random distances a search that ended early is marked");
    ok(plan->bound.nr_nodes == xln_nodemap_count(plan->nodes) &&
       plan->bound.distance_max > 10 &&
       plan->bound.distance_max <= plan->chosen.distance_max &&
       plan->bound.distance_sum <= plan->chosen.distance_sum,
       "the plan has as few nodes as possible, and a bound for the distance");
    ok(xln_nodemap_equal(plan->nodes, again->nodes),
       "planning again gives the same plan");
    xln_plan_free(plan);
    xln_plan_free(again);
}

/* All have the most memory or the most CPUs, none both. */
static void test_nothing(void)
{
    struct xln_plan *plan;
    struct task t;

    random_state = 2;
    random_task(&t, 64, CHAOS, 8);
    for (unsigned i = 0; i < t.nr; i++) {
        t.bytes[i] = i % 2 ? 100 * 1024 * MIB : MIB;
        t.nr_cpus[i] = i % 2 ? 1 : 8;
    }
    t.need = 32 * UINT64_C(100) * 1024 * MIB;
    t.vcpus = 260;
    plan = plan_of(&t);
    ok(plan->exact && plan->verdict == XLN_FITS &&
       xln_nodemap_count(plan->nodes) == 32 + 29,
       "61 of 64 nodes are needed if some have memory and others CPUs");
    xln_plan_free(plan);
    t.need += 32 * MIB + 1;
    plan = plan_of(&t);
    ok(plan->exact && plan->verdict == XLN_NOTHING_FITS,
       "it is proven that nothing fits a byte above the total");
    xln_plan_free(plan);
}

static void test_sizes(void)
{
    struct xln_plan *plan;
    struct task t;

    random_state = 3;
    random_task(&t, 8, FLAT, 2);
    for (unsigned i = 0; i < t.nr; i++) {
        t.bytes[i] = (40 + 3 * i) * TIB;
        t.nr_cpus[i] = 4;
    }
    t.vcpus = 1000000;
    t.need = 45 * TIB;
    t.policy = "best";
    plan = plan_of(&t);
    ok(xln_nodemap_count(plan->nodes) == 8, "a million vCPUs need all CPUs");
    xln_plan_free(plan);
    t.vcpus = 1;
    plan = plan_of(&t);
    ok(xln_nodemap_count(plan->nodes) == 1 &&
       xln_nodemap_test(plan->nodes, 2), "best fit works on nodes of many TiB");
    xln_plan_free(plan);
    t.need = 95 * TIB;
    plan = plan_of(&t);
    ok(plan->chosen.usable_bytes == 95 * TIB,
       "two nodes that have exactly 95 TiB are found");
    xln_plan_free(plan);
    t.policy = "worst";
    plan = plan_of(&t);
    ok(plan->chosen.usable_bytes == 119 * TIB,
       "worst fit takes the set that leaves 3 TiB more");
    xln_plan_free(plan);
}

int main(void)
{
    test_hosts(24, CHAOS, 20, 3e5, "24 nodes, any distances");
    test_hosts(24, FLAT, 40, 3e5, "24 nodes, equally far");
    test_hosts(64, SOCKETS, 60, 3e5, "8 sockets of 8 nodes");
    test_hosts(64, BOARDS, 60, 3e5, "4 boards of 4 sockets of 4 nodes");
    test_memory_or_cpus();
    test_heuristic();
    test_nothing();
    test_sizes();
    return tap_done();
}
