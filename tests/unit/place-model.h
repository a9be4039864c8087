/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random hosts, and a brute force search on them. Sets are bits of an integer
 * here, and every subset is looked at. Nothing shares code with the library: it
 * follows the words in libxl_numa.h.
 */
#ifndef PLACE_MODEL_H
#define PLACE_MODEL_H

#include "place-cases.h"

#define MAX_RANDOM_NODES 16

struct random_host {
    unsigned nr_nodes, nr_cpus;
    unsigned exists;
    struct {
        uint64_t total, free, dma, reserved, cpus;
    } node[MAX_RANDOM_NODES];
    bool bare;                          /* every other node has no memory */
    unsigned home[MAX_RANDOM_NODES];    /* where a node's CPUs have memory */
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

static inline bool one_in(unsigned n)
{
    return random_below(n) == 0;
}

static inline void random_memory(struct random_host *r, unsigned node)
{
    uint64_t mib = 256 * (1 + random_below(4)) + (one_in(3) ? 3 : 0);

    if (one_in(r->bare ? 2 : 8))
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

static inline void random_distances(struct random_host *r)
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

static inline uint64_t random_cpus(const struct random_host *r)
{
    uint64_t cpus = 0;

    for (unsigned cpu = 0; cpu < r->nr_cpus; cpu++)
        cpus |= (uint64_t)!one_in(3) << cpu;
    return cpus;
}

static inline void random_need(struct random_host *r)
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

static inline uint64_t b_usable(const struct random_host *r, unsigned node,
                                bool dma)
{
    uint64_t bytes = r->node[node].free, kept = r->node[node].dma;

    if (dma && kept > r->dma_reserve)
        kept = r->dma_reserve;
    kept += r->node[node].reserved;
    return bytes > kept ? bytes - kept : 0;
}

static inline uint64_t b_bytes(const struct random_host *r, unsigned set,
                               bool dma)
{
    uint64_t sum = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++)
        sum += set >> node & 1 ? b_usable(r, node, dma) : 0;
    return sum;
}

static inline unsigned b_count(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

static inline uint64_t b_own_cpus(const struct random_host *r, unsigned set)
{
    uint64_t cpus = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++)
        cpus |= set >> node & 1 ? r->node[node].cpus : 0;
    return cpus;
}

static inline unsigned b_far(const struct random_host *r, unsigned a, unsigned b)
{
    unsigned there = r->distance[a][b], back = r->distance[b][a];

    return there > back ? there : back;
}

/* How many CPUs a node has, with those that have been given to it. */
static inline unsigned b_given(const struct random_host *r, const unsigned *homes,
                        unsigned node)
{
    unsigned nr = b_count(r->node[node].cpus);

    for (unsigned other = 0; other < r->nr_nodes; other++) {
        if (other != node && homes[other] == node)
            nr += b_count(r->node[other].cpus);
    }
    return nr;
}

/* Whether `from` would rather belong to `a` than to `b`. */
static inline bool b_rather(const struct random_host *r, const unsigned *homes,
                     unsigned from, unsigned a, unsigned b)
{
    bool a_has = r->node[a].cpus, b_has = r->node[b].cpus;

    if (b_far(r, from, a) != b_far(r, from, b))
        return b_far(r, from, a) < b_far(r, from, b);
    if (a_has != b_has)
        return a_has;
    if (b_given(r, homes, a) != b_given(r, homes, b))
        return b_given(r, homes, a) < b_given(r, homes, b);
    return a < b;
}

static inline unsigned b_choose_home(const struct random_host *r,
                              const unsigned *homes, unsigned from,
                              bool *several)
{
    unsigned best = from;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (!r->node[node].total)
            continue;
        if (best == from || b_rather(r, homes, from, node, best))
            best = node;
    }
    *several = false;
    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (r->node[node].total && node != best && best != from &&
            b_far(r, from, node) == b_far(r, from, best))
            *several = true;
    }
    return best;
}

/* Where the CPUs of each node have their memory: first those of which there is
 * no doubt. */
static inline void b_find_homes(struct random_host *r)
{
    for (unsigned node = 0; node < r->nr_nodes; node++)
        r->home[node] = node;
    for (unsigned doubt = 0; doubt < 2; doubt++) {
        for (unsigned node = 0; node < r->nr_nodes; node++) {
            bool several;
            unsigned home;

            if (r->node[node].total || !r->node[node].cpus)
                continue;
            home = b_choose_home(r, r->home, node, &several);
            if (several == doubt)
                r->home[node] = home;
        }
    }
}

static inline void random_host(struct random_host *r, unsigned nr_nodes)
{
    memset(r, 0, sizeof(*r));
    r->nr_nodes = nr_nodes;
    r->bare = one_in(3);
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
    b_find_homes(r);
    random_need(r);
}

/* Those that count for these nodes. */
static inline uint64_t b_cpus(const struct random_host *r, unsigned set)
{
    uint64_t cpus = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (set >> node & 1 || set >> r->home[node] & 1)
            cpus |= r->node[node].cpus;
    }
    return cpus;
}

static inline uint64_t b_pool(const struct random_host *r)
{
    return b_cpus(r, r->exists) & (r->pool ? r->pool : UINT64_MAX);
}

static inline uint64_t b_allowed(const struct random_host *r)
{
    uint64_t masks = 0;

    for (unsigned vcpu = 0; vcpu < r->nr_vcpus; vcpu++)
        masks |= vcpu < r->nr_hard ? r->hard[vcpu] : UINT64_MAX;
    return masks & b_pool(r) ? masks & b_pool(r) : b_pool(r);
}

/* Of two neighbours on a node, counted from its lowest CPU, the first stands
 * for both as far as cores are to be counted. */
static inline unsigned b_count_cpus(const struct random_host *r, uint64_t cpus)
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

static inline unsigned b_most_cpus(const struct random_host *r)
{
    return b_count_cpus(r, b_allowed(r));
}

static inline bool b_has_cpus(const struct random_host *r, unsigned set)
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

static inline unsigned b_with_memory(const struct random_host *r)
{
    unsigned set = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++)
        set |= (unsigned)(r->node[node].total > 0) << node;
    return set;
}

static inline unsigned b_from(const struct random_host *r, unsigned set,
                              unsigned to)
{
    unsigned least = XLN_NONE;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (set >> node & 1 && b_far(r, node, to) < least)
            least = b_far(r, node, to);
    }
    return least;
}

static inline unsigned b_candidates(const struct random_host *r)
{
    unsigned homes = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (r->node[node].cpus & b_allowed(r))
            homes |= 1u << r->home[node];
    }
    homes &= b_with_memory(r);
    return homes ? homes : b_with_memory(r);
}

struct b_score {
    unsigned nr, not_devices, not_preferred, max;
    uint64_t far, sum, bytes;
};

/* Both ways; what is unreachable is not farther than all others together. */
static inline uint64_t b_to_device(const struct random_host *r, unsigned device,
                                   unsigned node)
{
    uint64_t sum = (uint64_t)r->distance[device][node] +
                   r->distance[node][device];

    return sum < 65535 ? sum : 65535;
}

static inline void b_preferences(const struct random_host *r, unsigned set,
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

static inline struct b_score b_score(const struct random_host *r, unsigned set,
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

static inline uint64_t b_vcpus(const struct random_host *r, uint64_t cpus)
{
    uint64_t nr = 0;

    for (unsigned cpu = 0; cpu < r->nr_cpus; cpu++)
        nr += cpus >> cpu & 1 ? r->load[cpu] : 0;
    return nr;
}

/* In parts of 2^24 vCPUs for a CPU: those of others, and the domain's own. */
static inline uint64_t b_others(const struct random_host *r, uint64_t cpus)
{
    return cpus ? (b_vcpus(r, cpus) << 24) / b_count_cpus(r, cpus) : 0;
}

static inline uint64_t b_own(const struct random_host *r, uint64_t cpus)
{
    return cpus ? ((uint64_t)r->nr_vcpus << 24) / b_count_cpus(r, cpus) : 0;
}

/* The load of the most crowded node of a set. */
static inline uint64_t b_crowding(const struct random_host *r, unsigned set)
{
    uint64_t most = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        uint64_t others = b_others(r, b_cpus(r, 1u << node) & b_allowed(r));

        if (set >> node & 1 && r->home[node] == node && others > most)
            most = others;
    }
    return most;
}

/* What balanced adds up, in parts of 2^12. */
static inline uint64_t b_price(const struct random_host *r, unsigned set,
                               bool dma)
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

static inline bool b_better(const struct random_host *r, unsigned a, unsigned b,
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
    return a & ((a ^ b) & -(a ^ b));    /* the set with the lowest number that
                                           differs */
}

enum b_cpus { B_NO_CPU, B_ONE_CPU, B_ALL_CPUS };

static inline bool b_has_one(const struct random_host *r, unsigned set)
{
    return b_cpus(r, set) & b_allowed(r);
}

static inline bool b_search(const struct random_host *r, unsigned candidates,
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
static inline unsigned b_with_both(const struct random_host *r, unsigned set)
{
    unsigned both = 0;

    for (unsigned node = 0; node < r->nr_nodes; node++) {
        if (set >> node & 1 && b_usable(r, node, true) &&
            b_has_one(r, 1u << node))
            both |= 1u << node;
    }
    return both;
}

/* The most memory on the fewest nodes, then the lowest numbers; with a CPU if
 * some node with memory has one. */
static inline void b_most(const struct random_host *r, unsigned candidates,
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

/* Relax one requirement after another. */
static inline bool b_search_all(const struct random_host *r,
                                unsigned candidates, struct answer *answer)
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

static inline void brute_force(const struct random_host *r,
                               struct answer *answer)
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

#endif /* PLACE_MODEL_H */
