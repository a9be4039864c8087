/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The candidates of a plan: on many random hosts the whole list is compared
 * with one that is made by brute force from the stated order alone, and its
 * first with what xln_place() chooses; then single cases, large hosts, and
 * memory that runs out.
 */
#include <errno.h>
#include <stdlib.h>

#include "fake-alloc.h"
#include "host.h"
#include "random.h"
#include "sets.h"
#include "tap.h"
#include "text/units.h"

#define MAX_NODES 10
#define MAX_SETS (1u << MAX_NODES)
#define MAX_VCPUS 6

/* ---- hosts ---- */

static bool one_in(unsigned n)
{
    return random_below(n) == 0;
}

/* A host, and what is to be placed on it. Sets of nodes are bits. */
struct task {
    struct xln_host *host;
    struct xln_request *request;
    struct xln_need need;
    struct xln_cpumap *hard[MAX_VCPUS];
    unsigned nr_nodes;
};

static void fill_node(struct task *t, unsigned node, unsigned *cpu)
{
    struct xln_host_node *n = &t->host->nodes[node];
    unsigned nr_cpus = one_in(8) ? 0 : 1 + random_below(3);

    if (one_in(12))
        return;
    xln_nodemap_set(t->host->exists, node);
    if (!one_in(8))
        n->total_bytes = 256 * MIB * (1 + random_below(4));
    n->free_bytes = one_in(3) ? n->total_bytes / 2 : n->total_bytes;
    if (one_in(5))
        n->dma_bytes = n->free_bytes / 2;
    if (one_in(6))
        n->reserved_bytes = random_below(300) * MIB;
    while (nr_cpus--) {
        t->host->cpu_exists[*cpu] = t->host->cpus[*cpu].online = true;
        t->host->cpus[(*cpu)++].node = node;
    }
}

static void fill_distances(struct task *t)
{
    bool flat = one_in(4);

    for (unsigned a = 0; a < t->nr_nodes; a++) {
        for (unsigned b = 0; b < t->nr_nodes; b++) {
            unsigned d = flat ? 20 : 11 + 5 * random_below(4);

            if (one_in(40))
                d = XLN_NONE;
            t->host->distances[a * t->nr_nodes + b] = a == b ? 10 : d;
        }
    }
}

static void fill_need(struct task *t)
{
    static const char *const policies[] = { "first", "best", "worst" };

    must(xln_request_new(&t->request));
    t->request->policy = xln_policy_by_name(policies[random_below(3)]);
    t->request->max_nodes = one_in(5) ? 1 + random_below(4) : 0;
    t->request->dma_reserve_bytes = one_in(2) ? 0 : 64 * MIB;
    t->need.memory_bytes = (1 + random_below(12)) * 200 * MIB;
    t->need.overhead_bytes = random_below(20) * MIB;
    t->need.nr_vcpus = 1 + random_below(one_in(3) ? 12 : 2);
    if (one_in(3))
        t->need.nr_hard = 1 + random_below(3);
    for (unsigned i = 0; i < t->need.nr_hard; i++) {
        must(xln_cpumap_new(t->host->nr_cpus, &t->hard[i]));
        for (unsigned cpu = 0; cpu < t->host->nr_cpus; cpu++)
            if (one_in(3))
                xln_cpumap_set(t->hard[i], cpu);
    }
    t->need.hard = (const struct xln_cpumap *const *)t->hard;
}

static void random_task(struct task *t, unsigned seed)
{
    unsigned cpu = 0;

    memset(t, 0, sizeof(*t));
    random_state = seed;
    random_below(2);
    t->nr_nodes = 1 + random_below(MAX_NODES);
    must(xln__host_new(3 * t->nr_nodes, t->nr_nodes, 0, &t->host));
    for (unsigned node = 0; node < t->nr_nodes; node++)
        fill_node(t, node, &cpu);
    fill_distances(t);
    must(xln__host_finish(t->host));
    fill_need(t);
}

static void free_task(struct task *t)
{
    xln_host_free(t->host);
    xln_request_free(t->request);
    for (unsigned i = 0; i < MAX_VCPUS; i++)
        xln_cpumap_free(t->hard[i]);
}

/* ---- by brute force ---- */

struct figures {
    unsigned set, nr, cpus, max;
    uint64_t bytes, sum;
    enum xln_candidate_verdict verdict;
};

struct brute {
    const struct task *task;
    unsigned among;             /* the nodes to choose from */
    bool dma, with_cpus;
    unsigned nr;
    struct figures sets[MAX_SETS];
};

static bool vcpu_may(const struct task *t, unsigned vcpu, unsigned cpu)
{
    return vcpu >= t->need.nr_hard || xln_cpumap_test(t->hard[vcpu], cpu);
}

static bool is_online(const struct task *t, unsigned cpu)
{
    return t->host->cpu_exists[cpu] && t->host->cpus[cpu].online;
}

static bool is_allowed(const struct task *t, unsigned cpu)
{
    bool any = false, this = false;

    for (unsigned v = 0; v < t->need.nr_vcpus; v++) {
        this |= vcpu_may(t, v, cpu);
        for (unsigned c = 0; c < t->host->nr_cpus; c++)
            any |= is_online(t, c) && vcpu_may(t, v, c);
    }
    return is_online(t, cpu) && (this || !any);
}

/* CPUs near the set that all vCPUs together, or this one, may use. */
static unsigned count_cpus(const struct task *t, unsigned set, unsigned vcpu)
{
    unsigned nr = 0;

    for (unsigned cpu = 0; cpu < t->host->nr_cpus; cpu++) {
        unsigned node = t->host->cpus[cpu].node;

        if (!is_online(t, cpu) || !(set >> xln_host_home(t->host, node) & 1))
            continue;
        nr += vcpu == XLN_NONE ? is_allowed(t, cpu) : vcpu_may(t, vcpu, cpu);
    }
    return nr;
}

static unsigned most_cpus(const struct task *t)
{
    return count_cpus(t, ~0u, XLN_NONE);
}

static bool has_affinities(const struct task *t, unsigned set)
{
    for (unsigned v = 0; v < t->need.nr_hard && v < t->need.nr_vcpus; v++)
        if (count_cpus(t, ~0u, v) && !count_cpus(t, set, v))
            return false;
    return true;
}

static void add_distance(const struct brute *b, struct figures *f, unsigned x,
                         unsigned y)
{
    const unsigned *distances = b->task->host->distances;
    unsigned there = distances[x * b->task->nr_nodes + y];
    unsigned back = distances[y * b->task->nr_nodes + x];
    unsigned d = there > back ? there : back;

    if (x == y || !(f->set >> x & 1) || !(f->set >> y & 1))
        return;
    f->sum += d;
    f->max = d > f->max ? d : f->max;
}

static void measure(const struct brute *b, struct figures *f, unsigned set)
{
    const struct task *t = b->task;
    unsigned want = t->need.nr_vcpus;
    uint64_t need = t->need.memory_bytes + t->need.overhead_bytes;

    *f = (struct figures){ .set = set, .nr = __builtin_popcount(set) };
    for (unsigned x = 0; x < t->nr_nodes; x++) {
        if (set >> x & 1)
            f->bytes += xln_host_node_usable(&t->host->nodes[x], b->dma,
                                             t->request->dma_reserve_bytes);
        for (unsigned y = 0; y < t->nr_nodes; y++)
            add_distance(b, f, x, y);
    }
    f->cpus = count_cpus(t, set, XLN_NONE);
    if (want > most_cpus(t))
        want = most_cpus(t);
    f->verdict = f->bytes < need                  ? XLN_CANDIDATE_MEMORY
                 : !b->with_cpus                  ? XLN_CANDIDATE_CHOSEN
                 : f->cpus < want                 ? XLN_CANDIDATE_CPUS
                 : !has_affinities(t, set)        ? XLN_CANDIDATE_AFFINITY
                                                  : XLN_CANDIDATE_CHOSEN;
}

static const struct brute *comparing;

static int policy_order(const struct figures *x, const struct figures *y)
{
    const char *name = xln_policy_name(comparing->task->request->policy);
    int more = (x->bytes > y->bytes) - (x->bytes < y->bytes);

    return !strcmp(name, "best") ? more : !strcmp(name, "worst") ? -more : 0;
}

static int compare_figures(const void *a, const void *b)
{
    const struct figures *x = a, *y = b;
    unsigned differ = x->set ^ y->set;

    if ((x->verdict != 0) != (y->verdict != 0))
        return x->verdict ? 1 : -1;
    if (x->nr != y->nr)
        return x->nr < y->nr ? -1 : 1;
    if (x->max != y->max)
        return x->max < y->max ? -1 : 1;
    if (x->sum != y->sum)
        return x->sum < y->sum ? -1 : 1;
    if (policy_order(x, y))
        return policy_order(x, y);
    return x->set & differ & -differ ? -1 : 1;
}

/* The best sets, with as few requirements relaxed as possible. False: nothing
 * fits. */
static bool brute_force(struct brute *b)
{
    unsigned max = b->task->request->max_nodes;

    for (int level = 0; level < 4; level++) {
        b->dma = level & 1;
        b->with_cpus = level < 2;
        b->nr = 0;
        for (unsigned set = 1; set < MAX_SETS; set++)
            if (!(set & ~b->among) &&
                (!max || (unsigned)__builtin_popcount(set) <= max))
                measure(b, &b->sets[b->nr++], set);
        comparing = b;
        qsort(b->sets, b->nr, sizeof(*b->sets), compare_figures);
        if (b->nr && !b->sets[0].verdict)
            return true;
    }
    return false;
}

/* Why the others that fit are not the first. */
static void judge(struct brute *b)
{
    const struct figures *best = &b->sets[0];

    for (unsigned i = 1; i < b->nr; i++) {
        struct figures *f = &b->sets[i];

        if (f->verdict)
            continue;
        f->verdict = f->nr > best->nr ? XLN_CANDIDATE_MORE_NODES
                     : f->max != best->max || f->sum != best->sum
                         ? XLN_CANDIDATE_FARTHER
                     : policy_order(f, best) ? XLN_CANDIDATE_POLICY
                                             : XLN_CANDIDATE_NUMBERS;
    }
}

/* ---- comparing ---- */

static bool same(const struct xln_judged *got, const struct figures *f)
{
    return node_bits(got->set.nodes) == f->set && got->verdict == f->verdict &&
           got->set.usable_bytes == f->bytes && got->set.nr_cpus == f->cpus &&
           got->set.distance_max == f->max && got->set.distance_sum == f->sum;
}

static const char *compare_all(const struct brute *b,
                               const struct xln_candidates *all)
{
    if (all->nr != b->nr || all->max_nodes_seen)
        return "how many there are";
    for (unsigned i = 0; i < b->nr; i++)
        if (!same(&all->list[i], &b->sets[i]))
            return "a candidate or its place";
    return NULL;
}

/* A short list is the beginning of the long one, the rest is counted. */
static const char *compare_short(const struct brute *b,
                                 const struct xln_candidates *some,
                                 unsigned max_nr)
{
    uint64_t others[XLN_NR_CANDIDATE_VERDICTS] = { 0 };

    if (some->nr != (b->nr < max_nr ? b->nr : max_nr))
        return "the length of the short list";
    for (unsigned i = 0; i < some->nr; i++)
        if (!same(&some->list[i], &b->sets[i]))
            return "the short list";
    for (unsigned i = some->nr; i < b->nr; i++)
        others[b->sets[i].verdict]++;
    return memcmp(others, some->nr_others, sizeof(others)) ? "the counts"
                                                           : NULL;
}

static const char *compare_plan(const struct xln_candidates *all,
                                const struct xln_plan *plan)
{
    unsigned nr = xln_nodemap_count(plan->nodes);

    if (!xln_nodemap_equal(all->list[0].set.nodes, plan->nodes))
        return "the first is not what xln_place() chooses";
    if (all->list[0].verdict != XLN_CANDIDATE_CHOSEN)
        return "the first is not said to be chosen";
    if (all->need_bytes != plan->need_bytes)
        return "the need";
    if (plan->next.nodes &&
        !xln_nodemap_equal(all->list[1].set.nodes, plan->next.nodes))
        return "the second is not the plan's next";
    if (plan->nr_fitting && nr == 1 && all->nr > plan->nr_fitting &&
        all->list[plan->nr_fitting].verdict < XLN_CANDIDATE_MORE_NODES)
        return "more fit than the plan says";
    return NULL;
}

static const char *compare_task(const struct task *t, struct brute *b,
                                bool fits)
{
    struct xln_candidates *all = NULL, *some = NULL;
    unsigned max_nr = 1 + random_below(7);
    struct xln_plan *plan = NULL;
    const char *wrong;

    must(xln_place(t->host, t->request, &t->need, &plan));
    must(xln_candidates_find(t->host, t->request, &t->need, 0, &all));
    must(xln_candidates_find(t->host, t->request, &t->need, max_nr, &some));
    wrong = compare_plan(all, plan);
    if (!wrong && fits)
        wrong = compare_all(b, all);
    if (!wrong && fits)
        wrong = compare_short(b, some, max_nr);
    if (!wrong && !fits && all->nr != b->nr)
        wrong = "how many don't fit";
    xln_candidates_free(all);
    xln_candidates_free(some);
    xln_plan_free(plan);
    return wrong;
}

/* Nodes with memory and an allowed CPU. */
static unsigned with_both(const struct task *t)
{
    unsigned set = 0;

    for (unsigned node = 0; node < t->nr_nodes; node++)
        if (t->host->nodes[node].total_bytes &&
            count_cpus(t, 1u << node, XLN_NONE))
            set |= 1u << node;
    return set;
}

static void test_random(void)
{
    static struct brute brute;
    const unsigned nr_tasks = 1500;
    unsigned nr_right = 0, nr_fit = 0, nr = 0;
    const char *wrong;
    struct task task;

    for (unsigned i = 0; i < nr_tasks; i++) {
        bool fits;

        random_task(&task, i);
        brute = (struct brute){ .task = &task, .among = with_both(&task) };
        if (brute.among) {
            fits = brute_force(&brute);
            if (fits)
                judge(&brute);
            wrong = compare_task(&task, &brute, fits);
            if (wrong)
                printf("# task %u: %s\n", i, wrong);
            nr++;
            nr_fit += fits;
            nr_right += !wrong;
        }
        free_task(&task);
    }
    ok(nr_right == nr, "brute force agrees on %u of %u random hosts",
       nr_right, nr);
    ok(nr_fit > nr / 2 && nr_fit < nr,
       "something fits on %u of them, and nothing on the others", nr_fit);
}

/* ---- single cases ---- */

/* `nr` nodes of a GiB and two CPUs, the farther the more numbers between. */
static void even_task(struct task *t, unsigned nr, uint64_t need_mib)
{
    memset(t, 0, sizeof(*t));
    t->nr_nodes = nr;
    must(xln__host_new(2 * nr, nr, 0, &t->host));
    for (unsigned node = 0; node < nr; node++) {
        xln_nodemap_set(t->host->exists, node);
        t->host->nodes[node].total_bytes = 1024 * MIB;
        t->host->nodes[node].free_bytes = 1024 * MIB;
        for (unsigned cpu = 2 * node; cpu < 2 * node + 2; cpu++) {
            t->host->cpu_exists[cpu] = t->host->cpus[cpu].online = true;
            t->host->cpus[cpu].node = node;
        }
        for (unsigned to = 0; to < nr; to++)
            t->host->distances[node * nr + to] = 10 + 5 * abs((int)node -
                                                              (int)to);
    }
    must(xln__host_finish(t->host));
    must(xln_request_new(&t->request));
    t->need.memory_bytes = need_mib * MIB;
    t->need.nr_vcpus = 1;
}

static struct xln_nodemap *nodes_of(const char *text)
{
    struct xln_nodemap *nodes;

    must(xln_nodemap_new(64, &nodes));
    must(xln_nodemap_parse(text, 0, nodes, NULL));
    return nodes;
}

/* "1 2 ...": the sets of a list, and the counts of the others. */
static char *describe(const struct xln_candidates *c)
{
    char *text = NULL, *nodes;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    for (unsigned i = 0; i < c->nr; i++) {
        must(xln_nodemap_format(c->list[i].set.nodes, &nodes));
        fprintf(f, "%s:%d ", nodes, c->list[i].verdict);
        free(nodes);
    }
    for (unsigned i = 0; i < XLN_NR_CANDIDATE_VERDICTS; i++)
        if (c->nr_others[i])
            fprintf(f, "+%d*%llu ", i, (unsigned long long)c->nr_others[i]);
    fprintf(f, "seen %u", c->max_nodes_seen);
    fclose(f);
    return text;
}

static void is_list(const struct task *t, unsigned max_nr,
                    const char *expected, const char *what)
{
    struct xln_candidates *c;
    char *text;

    must(xln_candidates_find(t->host, t->request, &t->need, max_nr, &c));
    text = describe(c);
    is_str(text, expected, what);
    free(text);
    xln_candidates_free(c);
}

static void test_named(void)
{
    struct xln_candidates *c;
    struct task t;

    even_task(&t, 4, 500);
    t.request->nodes = nodes_of("1-2");
    is_list(&t, 0, "1-2:0 seen 0", "the named nodes are the only candidate");
    t.request->max_nodes = 1;
    is_list(&t, 0, "1:0 2:1 seen 0",
            "with nodes_max the sets of named nodes are the candidates");
    must(xln_candidates_find(t.host, t.request, &t.need, 0, &c));
    ok(node_bits(c->left_out) == 0x9 && !node_bits(c->without_memory),
       "nodes that are not named are listed as left out");
    xln_candidates_free(c);
    free_task(&t);
}

static void test_left_out(void)
{
    struct xln_candidates *c;
    struct task t;

    even_task(&t, 4, 500);
    t.host->nodes[2].total_bytes = t.host->nodes[2].free_bytes = 0;
    must(xln_cpumap_new(8, &t.hard[0]));
    must(xln_cpumap_parse("0-1,4-7", NULL, 0, t.hard[0], NULL));
    t.need.hard = (const struct xln_cpumap *const *)t.hard;
    t.need.nr_hard = 1;
    must(xln_candidates_find(t.host, t.request, &t.need, 0, &c));
    ok(node_bits(c->left_out) == 0x2 && node_bits(c->without_memory) == 0x4,
       "nodes that the vCPUs may not use, and nodes without memory, are left "
       "out");
    xln_candidates_free(c);
    free_task(&t);
}

static void test_large(void)
{
    struct task t;

    even_task(&t, 16, 500);
    is_list(&t, 1, "0:0 +1*15 +5*65519 seen 0",
            "all sets of 16 nodes are considered");
    free_task(&t);
    even_task(&t, 64, 500);
    is_list(&t, 2, "0:0 1:1 +1*62 +5*43680 seen 3",
            "of 64 nodes sets of up to three are listed, and a field reports "
            "that");
    free_task(&t);
    even_task(&t, 64, 5000);
    is_list(&t, 1, "0-4:0 +6*43744 seen 3",
            "the chosen set is listed although it is larger");
    free_task(&t);
}

static void test_errors(void)
{
    struct xln_candidates *c = NULL;
    struct task t;

    even_task(&t, 4, 500);
    t.need.nr_vcpus = 0;
    ok(xln_candidates_find(t.host, t.request, &t.need, 0, &c) == -EINVAL && !c,
       "a need without vCPUs is refused, as by xln_place()");
    t.need.nr_vcpus = 1;
    t.request->nodes = nodes_of("9");
    ok(xln_candidates_find(t.host, t.request, &t.need, 0, &c) == -EINVAL && !c,
       "a node that does not exist is refused, as by xln_place()");
    free_task(&t);
    even_task(&t, 4, 500);
    for (unsigned node = 0; node < 4; node++)
        t.host->nodes[node].total_bytes = t.host->nodes[node].free_bytes = 0;
    is_list(&t, 0, "seen 0", "a host without memory has no candidates");
    free_task(&t);
    xln_candidates_free(NULL);
}

/* ---- promises ---- */

static void test_reserve(void)
{
    struct xln_share shares[] = { { 1, 600 * MIB }, { 3, 10 * MIB } };
    struct xln_host *host = NULL;
    struct xln_plan *plan;
    struct task t;

    even_task(&t, 4, 500);
    t.request->policy = xln_policy_by_name("best");
    must(xln_host_reserve(t.host, shares, 2, &host));
    ok(xln_host_node(host, 1)->reserved_bytes == 600 * MIB &&
       !xln_host_node(t.host, 1)->reserved_bytes,
       "a copy has the reservation, and the host does not");
    ok(xln_cpumap_equal(xln_host_node(host, 2)->cpus,
                        xln_host_node(t.host, 2)->cpus) &&
       xln_host_distance(host, 0, 3) == 25,
       "a copy is the host in everything else");
    must(xln_place(host, t.request, &t.need, &plan));
    ok(node_bits(plan->nodes) == 0x8,
       "the next plan uses what is left on the copy");
    xln_plan_free(plan);
    xln_host_free(host);
    host = NULL;
    shares[0].node = 4;
    ok(xln_host_reserve(t.host, shares, 1, &host) == -EINVAL && !host,
       "a reservation on a node that does not exist is refused");
    free_task(&t);
}

static int find_once(const struct task *t)
{
    struct xln_candidates *c = NULL;
    int rc = xln_candidates_find(t->host, t->request, &t->need, 2, &c);

    xln_candidates_free(c);
    return rc;
}

static int reserve_once(const struct task *t)
{
    const struct xln_share share = { 1, 600 * MIB };
    struct xln_host *host = NULL;
    int rc = xln_host_reserve(t->host, &share, 1, &host);

    xln_host_free(host);
    return rc;
}

static void without_memory(const char *what, int (*once)(const struct task *))
{
    unsigned nth = 0, failed = 0;
    struct task t;
    int rc;

    even_task(&t, 6, 1500);
    do {
        fake_alloc_fail(++nth);
        rc = once(&t);
        fake_alloc_fail(0);
        failed += rc == -ENOMEM;
    } while (rc && nth < 10000);
    ok(!rc && failed == nth - 1 && failed > 2,
       "%s: -ENOMEM is returned, whichever of its %u allocations "
       "fails", what, failed);
    free_task(&t);
}

int main(void)
{
    test_random();
    test_named();
    test_left_out();
    test_large();
    test_errors();
    test_reserve();
    without_memory("candidates", find_once);
    without_memory("a copied host", reserve_once);
    return tap_done();
}
