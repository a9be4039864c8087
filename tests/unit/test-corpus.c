/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guests of many sizes, planned with each policy on the
 * host in each file. Each plan has enough memory and CPUs on nodes that it may
 * use, and no set of nodes is better by the order that xln_place() states: all
 * sets of up to as many nodes as the plan has are looked at, without a line of
 * the library's search.
 *
 * Files: those of tests/hosts, and of $HWLOC_XML, a directory of *.xml.
 */
#include <glob.h>
#include <stdlib.h>

#include "libxl_numa_foreign.h"
#include "libxl_numa.h"
#include "tap.h"
#include "text/units.h"

#define MAX_NODES 64            /* a set is a uint64_t */
#define MAX_SETS 200000         /* to look at, for one plan */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------------ */
/* The stated order                                                     */
/* ------------------------------------------------------------------ */

/* What a plan is for, by node; nodes are numbered through here. */
struct problem {
    const struct xln_host *host;
    unsigned nr, number[MAX_NODES];     /* nodes that may be chosen */
    uint64_t plain[MAX_NODES];          /* usable, without the DMA zone */
    uint64_t all[MAX_NODES];            /* and with it, less what is kept */
    unsigned cpus[MAX_NODES];           /* that the guest may use */
    unsigned far[MAX_NODES][MAX_NODES]; /* the larger of both directions */
    unsigned devices[MAX_NODES];
    uint64_t way[MAX_NODES];            /* to all devices and back */

    uint64_t need;
    unsigned need_cpus, max_nodes;
    const char *policy;
    bool named;
};

/* The requirements that count, relaxed from first to last until a set meets
 * them. The DMA zone of named nodes counts from the start. */
enum cpus { ALL_CPUS, ONE_CPU, NO_CPU };

static const struct level {
    bool dma;
    enum cpus cpus;
} levels[] = { { false, ALL_CPUS }, { true, ALL_CPUS },
               { false, ONE_CPU }, { true, ONE_CPU }, { true, NO_CPU } };

struct score {
    unsigned nr, max, cpus, devices;
    uint64_t sum, bytes, way;
};

static struct score score_of(const struct problem *p, uint64_t set, bool dma)
{
    struct score score = { 0 };

    for (unsigned a = 0; a < p->nr; a++) {
        if (!(set >> a & 1))
            continue;
        score.nr++;
        score.bytes += dma ? p->all[a] : p->plain[a];
        score.cpus += p->cpus[a];
        score.devices += p->devices[a];
        score.way += p->way[a];
        for (unsigned b = 0; b < p->nr; b++) {
            if (a == b || !(set >> b & 1))
                continue;
            if (p->far[a][b] > score.max)
                score.max = p->far[a][b];
            score.sum += p->far[a][b];
        }
    }
    return score;
}

static bool has_all(const struct problem *p, const struct score *s,
                    const struct level *level)
{
    unsigned cpus = level->cpus == ALL_CPUS  ? p->need_cpus
                    : level->cpus == ONE_CPU ? 1
                                             : 0;

    return s->bytes >= p->need && s->cpus >= cpus;
}

/* Whether a set is better than another; both fit. */
static bool is_better(const struct problem *p, uint64_t a,
                      const struct score *x, uint64_t b, const struct score *y)
{
    if (x->nr != y->nr)
        return x->nr < y->nr;
    if (x->devices != y->devices)
        return x->devices > y->devices;
    if (x->way != y->way)
        return x->way < y->way;
    if (x->max != y->max)
        return x->max < y->max;
    if (x->sum != y->sum)
        return x->sum < y->sum;
    if (!strcmp(p->policy, "best") && x->bytes != y->bytes)
        return x->bytes < y->bytes;
    if (!strcmp(p->policy, "worst") && x->bytes != y->bytes)
        return x->bytes > y->bytes;
    /* The lowest number that only one of them has. */
    return a & ((a ^ b) & -(a ^ b));
}

/* The next larger number with as many bits. */
static uint64_t next_set(uint64_t set)
{
    uint64_t low = set & -set, sum = set + low;

    return sum | ((set ^ sum) / low) >> 2;
}

static double nr_sets(unsigned nr, unsigned size)
{
    double sets = 1;

    for (unsigned i = 0; i < size; i++)
        sets = sets * (nr - i) / (i + 1);
    return sets;
}

/* The best of all sets of one size; 0: none has all of it. */
static uint64_t best_of_size(const struct problem *p, unsigned size,
                             const struct level *level)
{
    uint64_t end = p->nr < 64 ? UINT64_C(1) << p->nr : 0;
    struct score best_score = { 0 };
    uint64_t best = 0, set = size < 64 ? (UINT64_C(1) << size) - 1 : ~0ul;

    for (double left = nr_sets(p->nr, size); left >= 1; left--) {
        struct score score = score_of(p, set, level->dma);

        if (has_all(p, &score, level) &&
            (!best || is_better(p, set, &score, best, &best_score))) {
            best = set;
            best_score = score;
        }
        set = next_set(set);
        if (end && set >= end)
            break;
    }
    return best;
}

static unsigned max_size(const struct problem *p)
{
    return p->max_nodes && p->max_nodes < p->nr ? p->max_nodes : p->nr;
}

static int compare_bytes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x < *y) - (*x > *y);
}

/* No fewer nodes than these have the memory: so many of the largest. */
static unsigned least_size(const struct problem *p, const struct level *level)
{
    uint64_t bytes[MAX_NODES], sum = 0;
    unsigned size;

    memcpy(bytes, level->dma ? p->all : p->plain, sizeof(bytes));
    qsort(bytes, p->nr, sizeof(*bytes), compare_bytes);
    for (size = 0; size < p->nr && sum < p->need; size++)
        sum += bytes[size];
    return sum < p->need ? XLN_NONE : size;
}

struct answer {
    uint64_t set;               /* 0: nothing fits */
    const struct level *level;
    bool known;                 /* false: too many sets to look at */
};

/* No larger sets than brute force can examine. */
static struct answer answer_of(const struct problem *p)
{
    struct answer answer = { .known = true };
    double left = MAX_SETS;

    for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
        answer.level = &levels[i];
        if (p->named && !answer.level->dma)
            continue;
        for (unsigned size = least_size(p, answer.level);
             size <= max_size(p); size++) {
            left -= nr_sets(p->nr, size);
            if (left < 0)
                return (struct answer){ .known = false };
            answer.set = best_of_size(p, size, answer.level);
            if (answer.set)
                return answer;
        }
    }
    return answer;
}

/* ------------------------------------------------------------------ */
/* A plan, and what is wrong with it                                    */
/* ------------------------------------------------------------------ */

struct guest {
    uint64_t bytes;
    unsigned vcpus, max_nodes;
    const struct xln_cpumap *pool;      /* NULL: all CPUs */
    bool named;                         /* all nodes of the host are */
    unsigned *devices;                  /* on each node; NULL: none */
};

static unsigned count_cpus(const struct xln_cpumap *cpus,
                           const struct xln_cpumap *pool)
{
    unsigned cpu, nr = 0;

    XLN_FOREACH(xln_cpumap, cpu, cpus)
        nr += !pool || xln_cpumap_test(pool, cpu);
    return nr;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static void add_node(struct problem *p, unsigned node, unsigned cpus)
{
    const struct xln_host_node *n = xln_host_node(p->host, node);
    uint64_t kept = n->dma_bytes;

    p->plain[p->nr] = less(n->free_bytes, kept + n->reserved_bytes);
    if (kept > 64 * MIB)
        kept = 64 * MIB;
    p->all[p->nr] = less(n->free_bytes, kept + n->reserved_bytes);
    p->cpus[p->nr] = cpus;
    p->number[p->nr++] = node;
}

static unsigned there_and_back(const struct xln_host *host, unsigned a,
                               unsigned b)
{
    return xln_host_distance(host, a, b) + xln_host_distance(host, b, a);
}

static unsigned larger_distance(const struct xln_host *host, unsigned a,
                                unsigned b)
{
    unsigned there = xln_host_distance(host, a, b);
    unsigned back = xln_host_distance(host, b, a);

    return there > back ? there : back;
}

static void add_devices(struct problem *p, const struct guest *guest)
{
    unsigned at;

    for (unsigned a = 0; a < p->nr; a++) {
        p->devices[a] = guest->devices[p->number[a]];
        XLN_FOREACH(xln_nodemap, at, xln_host_nodes(p->host))
            p->way[a] += (uint64_t)guest->devices[at] *
                         there_and_back(p->host, at, p->number[a]);
    }
}

/* All nodes with memory and a CPU near it for the guest; if they are named,
 * those without a CPU too. */
static void state_problem(struct problem *p, const struct guest *guest)
{
    unsigned nr_cpus = 0, node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(p->host)) {
        const struct xln_host_node *n = xln_host_node(p->host, node);
        unsigned cpus = count_cpus(xln_host_near_cpus(p->host, node),
                                   guest->pool);

        if (!n->total_bytes || (!cpus && !guest->named))
            continue;
        add_node(p, node, cpus);
        nr_cpus += cpus;
    }
    for (unsigned a = 0; a < p->nr; a++)
        for (unsigned b = 0; b < p->nr; b++)
            p->far[a][b] = larger_distance(p->host, p->number[a],
                                           p->number[b]);
    if (guest->devices)
        add_devices(p, guest);
    p->named = guest->named;
    p->need = guest->bytes;
    p->need_cpus = guest->vcpus < nr_cpus ? guest->vcpus : nr_cpus;
    p->max_nodes = guest->max_nodes;
}

/* In the problem's numbers; ~0: it has a node that may not be chosen. */
static uint64_t set_of(const struct problem *p, const struct xln_nodemap *nodes)
{
    uint64_t set = 0;
    unsigned nr = 0;

    for (unsigned i = 0; i < p->nr; i++) {
        bool in = xln_nodemap_test(nodes, p->number[i]);

        set |= (uint64_t)in << i;
        nr += in;
    }
    return nr == xln_nodemap_count(nodes) ? set : ~UINT64_C(0);
}

/* Shares are on the plan's nodes, not more than these have. */
static const char *wrong_with_shares(const struct problem *p,
                                     const struct xln_plan *plan, bool dma)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < plan->nr_shares; i++) {
        const struct xln_share *share = &plan->shares[i];
        unsigned node = 0;

        while (node < p->nr && p->number[node] != share->node)
            node++;
        if (node == p->nr || !xln_nodemap_test(plan->nodes, share->node))
            return "memory of another node";
        if (share->bytes > (dma ? p->all[node] : p->plain[node]))
            return "more than a node has";
        sum += share->bytes;
    }
    return sum == p->need ? NULL : "not all of the memory";
}

static unsigned relaxed_of(const struct level *level)
{
    return (level->dma ? XLN_RELAXED_DMA : 0) |
           (level->cpus != ALL_CPUS ? XLN_RELAXED_CPUS : 0);
}

/* Plans without a known answer still have these properties. */
static const char *wrong_with_fit(const struct problem *p,
                                  const struct xln_plan *plan, uint64_t set)
{
    const struct level level = {
        .dma = plan->relaxed & XLN_RELAXED_DMA,
        .cpus = plan->relaxed & XLN_RELAXED_CPUS ? ONE_CPU : ALL_CPUS,
    };
    struct score score = score_of(p, set, level.dma);

    if (!has_all(p, &score, &level))
        return "too little memory or too few CPUs";
    if (score.nr > max_size(p))
        return "too many nodes";
    return wrong_with_shares(p, plan, level.dma);
}

/* They are on the plan's nodes, or on nodes without memory that are nearest to
 * one of these. */
static const char *wrong_with_vcpus(const struct problem *p,
                                    const struct xln_plan *plan)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(p->host)) {
        const struct xln_cpumap *cpus = xln_host_node(p->host, node)->cpus;
        bool in = xln_nodemap_test(plan->nodes, node);
        bool there = xln_nodemap_test(plan->vcpu_nodes, node);
        bool runs = xln_cpumap_intersects(plan->vcpu_cpus, cpus);

        if (there && !xln_nodemap_test(plan->nodes,
                                       xln_host_home(p->host, node)))
            return "vCPUs on other nodes";
        if (there ? !in && !runs : runs || (in && !xln_cpumap_is_empty(cpus)))
            return "the nodes of the vCPUs are not those of their CPUs";
    }
    return NULL;
}

static const char *wrong_with_plan(const struct problem *p,
                                   const struct xln_plan *plan,
                                   const struct answer *answer)
{
    uint64_t set = set_of(p, plan->nodes);
    const char *wrong;

    if (plan->need_bytes != p->need)
        return "another need";
    if (set == ~UINT64_C(0))
        return "a node that may not be chosen";
    if (answer->known && !answer->set)
        return plan->verdict != XLN_FITS && (plan->verdict == XLN_NOTHING_FITS
               || plan->relaxed & XLN_RELAXED_MEMORY)
                   ? NULL : "there is no such set";
    if (answer->known && set != answer->set)
        return "there is a better set";
    /* A choice of the user is not relaxed. */
    if (p->named)
        return wrong_with_shares(p, plan, true);
    if (answer->known && plan->relaxed != relaxed_of(answer->level))
        return "another reason";
    if (!answer->known && plan->relaxed & XLN_RELAXED_MEMORY)
        return NULL;
    wrong = wrong_with_fit(p, plan, set);
    return wrong ? wrong : wrong_with_vcpus(p, plan);
}

/* ------------------------------------------------------------------ */
/* Guests                                                               */
/* ------------------------------------------------------------------ */

struct count {
    unsigned nr, right, compared;
};

static void complain_of(const struct problem *p, const struct guest *guest,
                        const struct answer *answer,
                        const struct xln_plan *plan, const char *wrong)
{
    char *got;

    must(xln_nodemap_format(plan->nodes, &got));
    printf("# %s: %llu KiB, %u vCPUs, %s%s%s%s, up to %u: nodes %s; should be",
           wrong, (unsigned long long)guest->bytes >> 10, guest->vcpus,
           p->policy, guest->pool ? ", half of the CPUs" : "",
           guest->named ? ", named" : "", guest->devices ? ", devices" : "",
           guest->max_nodes, got);
    for (unsigned i = 0; i < p->nr; i++)
        if (answer->set >> i & 1)
            printf(" %u", p->number[i]);
    putchar('\n');
    free(got);
}

static void plan_guest(const struct xln_host *host, const struct guest *guest,
                       const char *policy, struct count *count)
{
    struct xln_need need = {
        .memory_bytes = guest->bytes - MIB, .overhead_bytes = MIB,
        .nr_vcpus = guest->vcpus, .pool_cpus = guest->pool,
        .device_nodes = guest->devices ? xln_host_nodes(host) : NULL,
        .nr_devices = guest->devices,
    };
    struct problem p = { .host = host, .policy = policy };
    struct xln_request *request;
    struct answer answer;
    struct xln_plan *plan;
    const char *wrong;

    must(xln_request_new(&request));
    request->policy = xln_policy_by_name(policy);
    request->max_nodes = guest->max_nodes;
    if (guest->named)
        must(xln_nodemap_copy(xln_host_nodes(host), &request->nodes));
    must(xln_place(host, request, &need, &plan));
    state_problem(&p, guest);
    if (!p.nr)
        goto out;
    answer = answer_of(&p);
    wrong = wrong_with_plan(&p, plan, &answer);
    if (wrong)
        complain_of(&p, guest, &answer, plan, wrong);
    count->nr++;
    count->right += !wrong;
    count->compared += answer.known;
 out:
    xln_plan_free(plan);
    xln_request_free(request);
}

static void plan_with_policies(const struct xln_host *host,
                               const struct guest *guest, struct count *count)
{
    const char *const *policy;

    /* Those that go by memory; test-place.c has balanced. */
    for (policy = xln_policy_names(); *policy; policy++) {
        if (!xln_policy_uses_load(xln_policy_by_name(*policy)))
            plan_guest(host, guest, *policy, count);
    }
}

/* Sizes at which something changes: what nodes have, and what all have. */
static unsigned find_sizes(const struct xln_host *host, uint64_t *sizes)
{
    uint64_t least = UINT64_MAX, most = 0, all = 0;
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        const struct xln_host_node *n = xln_host_node(host, node);
        uint64_t usable = less(n->free_bytes,
                               n->dma_bytes + n->reserved_bytes);

        all += usable;
        most = usable > most ? usable : most;
        if (usable > 4 * MIB && usable < least)
            least = usable;
    }
    if (!all)
        return 0;
    sizes[0] = 2 * MIB;
    sizes[1] = least;
    sizes[2] = most;
    sizes[3] = most + 1;
    sizes[4] = most + least + 2 * MIB;
    sizes[5] = all / 2 + MIB;
    sizes[6] = all + MIB;
    sizes[7] = 2 * all + MIB;
    return 8;
}

/* Every second CPU that is online. */
static struct xln_cpumap *half_of_cpus(const struct xln_host *host)
{
    struct xln_cpumap *half;
    unsigned nr = 0;

    must(xln_cpumap_new(xln_host_nr_cpus(host), &half));
    for (unsigned cpu = 0; cpu < xln_host_nr_cpus(host); cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        if (c && c->online && nr++ % 2)
            xln_cpumap_set(half, cpu);
    }
    return half;
}

static unsigned most_cpus(const struct xln_host *host)
{
    unsigned node, most = 1;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        unsigned nr = xln_cpumap_count(xln_host_node(host, node)->cpus);

        most = nr > most ? nr : most;
    }
    return most;
}

/* None, one and two in turn. */
static unsigned *some_devices(const struct xln_host *host)
{
    unsigned nr = xln_host_nr_nodes(host);
    unsigned *devices = calloc(nr, sizeof(*devices));

    if (!devices)
        abort();
    for (unsigned i = 0; i < nr; i++)
        devices[i] = xln_host_node(host, i) ? i % 3 : 0;
    return devices;
}

static const struct kind {
    unsigned max_nodes;
    bool named, devices;
} kinds[] = {
    { 0, false, false }, { 2, false, false }, { 1, true, false },
    { 2, false, true },
};

static void plan_guests(const struct xln_host *host, struct count *count)
{
    const unsigned most = most_cpus(host);
    const unsigned vcpus[] = { 1, most, most + 1, 3 * most };
    unsigned nr_nodes = xln_nodemap_count(xln_host_nodes(host));
    unsigned *devices = some_devices(host);
    struct xln_cpumap *half = half_of_cpus(host);
    uint64_t sizes[8];
    unsigned nr_sizes = find_sizes(host, sizes);

    for (unsigned i = 0; i < nr_sizes * ARRAY_SIZE(vcpus) * 8; i++) {
        const struct kind *kind = &kinds[i % ARRAY_SIZE(kinds)];
        struct guest guest = {
            .max_nodes = kind->max_nodes,
            .named = kind->named,
            .devices = kind->devices ? devices : NULL,
            .pool = i / 4 % 2 ? half : NULL,
            .vcpus = vcpus[i / 8 % ARRAY_SIZE(vcpus)],
            .bytes = sizes[i / 8 / ARRAY_SIZE(vcpus)],
        };

        if (guest.pool && xln_cpumap_is_empty(half))
            continue;
        /* They are all taken. */
        if (guest.named && nr_nodes <= guest.max_nodes)
            continue;
        plan_with_policies(host, &guest, count);
    }
    free(devices);
    xln_cpumap_free(half);
}

/* ------------------------------------------------------------------ */
/* Files                                                                */
/* ------------------------------------------------------------------ */

/* hwloc's sources have machines without any memory. */
static void test_host(const char *path)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    struct xln_snapshot *snapshot = NULL;
    char *note = NULL, *error = NULL;
    struct count count = { 0 };
    unsigned nr_nodes;

    if (xln_snapshot_open(path, &snapshot, &note, &error)) {
        ok(false, "%s", error);
        free(error);
        return;
    }
    nr_nodes = xln_nodemap_count(xln_host_nodes(snapshot->host));
    if (nr_nodes <= MAX_NODES)
        plan_guests(snapshot->host, &count);
    ok(count.right == count.nr &&
       (nr_nodes > 12 || count.compared == count.nr),
       "%s: %u of %u plans are right, %u of them compared with all sets",
       name, count.right, count.nr, count.compared);
    free(note);
    xln_snapshot_free(snapshot);
}

static void test_all(const char *directory, const char *pattern)
{
    char path[4096];
    glob_t files;

    snprintf(path, sizeof(path), "%s/%s", directory, pattern);
    if (glob(path, 0, NULL, &files))
        return;
    for (size_t i = 0; i < files.gl_pathc; i++)
        test_host(files.gl_pathv[i]);
    globfree(&files);
}

int main(void)
{
    const char *top = getenv("top_srcdir"), *foreign = getenv("HWLOC_XML");
    char hosts[4096];

    snprintf(hosts, sizeof(hosts), "%s/tests/hosts", top ? top : ".");
    test_all(hosts, "*.json");
    test_all(hosts, "*/*.json");
    test_all(hosts, "*/*.xml");
    test_all(hosts, "*/*.txt");
    ok(tap_run >= 25, "the directory has hosts to plan for");
    if (foreign)
        test_all(foreign, "*.xml");
    return tap_done();
}
