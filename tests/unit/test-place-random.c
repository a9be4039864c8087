/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placement on many random hosts, compared with a brute force search. */
#include "place-model.h"
#include "sets.h"

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

    if (node_bits(plan->nodes) != a->nodes)
        return "the nodes";
    if (plan->nr_fitting != a->nr_fitting && b_count(a->nodes) == 1)
        return "how many fit";
    if (node_bits(plan->next.nodes) != a->next)
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
    if (node_bits(plan->chosen.nodes) != a->nodes)
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

/* The shares add up, and no node gives more than it has. */
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

/* A node with a smaller share than another has no more to give. */
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

/* Named nodes count also if they have CPUs only. */
static unsigned b_homes(const struct random_host *r, const struct answer *a)
{
    bool limited = r->max_nodes && b_count(r->named) > r->max_nodes;

    return r->named && !limited ? r->named : a->nodes;
}

/* Those with such a CPU, and of the homes those that have CPUs of their own or
 * none at all. */
static unsigned b_vcpu_nodes(const struct random_host *r, unsigned homes,
                             uint64_t cpus)
{
    unsigned nodes = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        bool stands = r->node[node].cpus || !b_cpus(r, 1u << node);

        if (r->node[node].cpus & cpus || (homes >> node & 1 && stands))
            nodes |= 1u << node;
    }
    return nodes;
}

static const char *check_vcpus(const struct random_host *r,
                               const struct answer *a,
                               const struct xln_plan *plan)
{
    unsigned homes = node_bits(plan->vcpu_nodes);
    uint64_t cpus = bits_of_cpus(plan->vcpu_cpus);

    if (cpus != (b_own_cpus(r, homes) & b_pool(r)))
        return "the CPUs to prefer";
    if (!homes != !cpus)
        return "nodes without CPUs, or CPUs without nodes";
    if (b_cpus(r, a->nodes) & b_allowed(r) &&
        cpus != (b_cpus(r, b_homes(r, a)) & b_pool(r)))
        return "the vCPUs are not with their memory";
    if (b_cpus(r, a->nodes) & b_allowed(r) &&
        homes != b_vcpu_nodes(r, b_homes(r, a), cpus))
        return "the nodes of the vCPUs";
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
    ok((seen & 0xff) == 0xff,
       "all combinations of what a plan can relax occur (%#x)", seen);
    nr_right = 0;
    for (unsigned i = 0; i < nr_large; i++)
        nr_right += agrees(i, MAX_RANDOM_NODES, &seen);
    ok(nr_right == nr_large,
       "brute force agrees on %u of %u hosts with 16 nodes", nr_right,
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
    uint64_t there = b_cpus(r, node_bits(plan->vcpu_nodes)), used = 0;
    unsigned homes = 0;

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
    for (unsigned node = 0; node < r->nr_nodes; node++)
        if (node_bits(plan->vcpu_nodes) & ~r->named & 1u << node)
            homes |= 1u << r->home[node];
    if (homes & node_bits(plan->nodes) &&
        homes & ~node_bits(plan->nodes) & ~r->named)
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
    if (b_can_deal(r, b_cpus(r, node_bits(plan->vcpu_nodes)), 0))
        return "but there are enough";
    if (r->named || r->max_nodes || r->nr_hard)
        return NULL;
    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (r->node[node].total && b_cpus(r, 1u << node) & free)
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
       "each vCPU gets a free core, or there are too few, on %u of %u random "
       "hosts",
       nr_right, nr_hosts);
    ok(nr_lack > nr_hosts / 4 && nr_lack < nr_hosts / 4 * 3,
       "there are too few free cores on %u of them", nr_lack);
}

int main(void)
{
    test_random();
    test_random_cores();
    return tap_done();
}
