/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "policy.h"
#include "text/units.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int compare_first(const struct problem *problem, unsigned nr,
                         const struct xln_candidate *a,
                         const struct xln_candidate *b)
{
    (void)problem;
    (void)nr;
    (void)a;
    (void)b;
    return 0;
}

static uint64_t price_of_first(const struct problem *problem, unsigned nr,
                               const struct xln_candidate *c)
{
    (void)problem;
    (void)nr;
    (void)c;
    return 0;
}

/* The need is the same for all sets, so the least usable memory leaves least.
 */
static int compare_best(const struct problem *problem, unsigned nr,
                        const struct xln_candidate *a,
                        const struct xln_candidate *b)
{
    (void)problem;
    (void)nr;
    return (a->usable_bytes > b->usable_bytes) -
           (a->usable_bytes < b->usable_bytes);
}

static uint64_t price_of_best(const struct problem *problem, unsigned nr,
                              const struct xln_candidate *c)
{
    (void)problem;
    (void)nr;
    return c->usable_bytes;
}

static int compare_worst(const struct problem *problem, unsigned nr,
                         const struct xln_candidate *a,
                         const struct xln_candidate *b)
{
    return compare_best(problem, nr, b, a);
}

static uint64_t price_of_worst(const struct problem *problem, unsigned nr,
                               const struct xln_candidate *c)
{
    (void)problem;
    (void)nr;
    return UINT64_MAX - c->usable_bytes;
}

/*
 * balanced
 *
 * Best fit keeps large gaps for large domains, but piles up the vCPUs of small
 * ones on one node. Going where there are fewest vCPUs does the opposite: in
 * the long run it splits three times as many domains over nodes. Both have a
 * price, so these are added up, and the node with the least sum is taken:
 *
 *  - what is left over of its memory, as a part of an average node;
 *  - an eighth of its share: its vCPUs per CPU, as a part of those of the whole
 *    host, both with the domain on it;
 *  - twice what its share would be above that of the most crowded node now;
 *  - 0.3 times what its share is above FAIR, divided by the domain's memory as a
 *    part of an average node. There are many small domains, and they find a
 *    place elsewhere; a large one takes what gap there is.
 *
 * If it is known which guests run, what is left over counts a quarter. It
 * stands for the gaps that are lost, and gaps.c knows more of these: how much of
 * the guests' memory will be split because of the choice. That part counts 32
 * times: if an eighth of it is split, as much as four average nodes.
 *
 * So among nodes that have no more than their fair share it is nearly best
 * fit; the farther one is above it, the better has its gap to be.
 *
 * Sets of several nodes are for a domain that fits into no gap: there it is
 * what is left over of a node on average, and three quarters of the share of
 * the most crowded one. The figures come from xl numa-simulate
 * (tools/bench/simulate).
 *
 * Example: 4 nodes of 100 GiB and 10 CPUs, 20 vCPUs on them; a domain of 4
 * vCPUs and 10 GiB. 24 vCPUs on 40 CPUs are 0.6 for each. Node 0 has 8 vCPUs,
 * the most of all; with the domain it would have 1.2 per CPU, twice the fair
 * ones, and 5 GiB left over: 0.05 + 2 / 8 + 2 * (2 - 0.8 / 0.6) + 0.3 * (2 -
 * 1.28) / 0.1 = 3.79. Node 1 has none: 0.4 per CPU and 60 GiB left over are 0.6
 * + 0.67 / 8 = 0.68. Node 1 it is. With 3 vCPUs on node 0, and 9 on another
 * one, it would be node 0: 0.05 + 1.17 / 8 = 0.20.
 */
#define PART (UINT64_C(1) << 12)
#define FAIR (PART * 32 / 25)
/* All memory of the guests, if it were to be split, in average nodes. */
#define SPLIT_PRICE 32
/* A domain counts as at least this part of an average node. */
#define SMALLEST (PART / 1024)

/* `bytes` as a part of the memory of an average node. */
static uint64_t part_of_node(const struct problem *problem, uint64_t bytes)
{
    uint64_t mean_mib = IN_MIB(problem->mean_bytes);

    return IN_MIB(bytes) * PART / (mean_mib ? mean_mib : 1);
}

static uint64_t left_over(const struct problem *problem, unsigned nr,
                          const struct xln_candidate *c)
{
    if (c->usable_bytes <= problem->need_bytes)
        return 0;
    return part_of_node(problem, c->usable_bytes - problem->need_bytes) / nr;
}

/* vCPUs per CPU, as parts of the fair share. */
static uint64_t share_of(const struct problem *problem, uint64_t density)
{
    return density * PART / (problem->fair_density ? problem->fair_density : 1);
}

static uint64_t above(uint64_t share, uint64_t limit)
{
    return share > limit ? share - limit : 0;
}

static uint64_t price_of_crowd(const struct problem *problem, uint64_t share)
{
    uint64_t size = part_of_node(problem, problem->need_bytes);

    return 3 * above(share, FAIR) * PART / 10 /
           (size > SMALLEST ? size : SMALLEST);
}

static uint64_t price_of_balanced(const struct problem *problem, unsigned nr,
                                  const struct xln_candidate *c)
{
    uint64_t share, price;

    /* No vCPU runs where the memory is. */
    if (problem->request->mem_nodes)
        return price_of_best(problem, nr, c);
    share = share_of(problem,
                     xln__problem_density(problem, c->crowding, c->nr_cpus));
    price = left_over(problem, nr, c);
    if (nr > 1)
        return price + share * 3 / 4;
    if (problem->gaps.known)
        price = price / 4 +
                SPLIT_PRICE * xln__gaps_loss(&problem->gaps, c->usable_bytes) /
                    (XLN__LOSS_ONE / PART);
    return price + share / 8 +
           2 * above(share, share_of(problem, problem->most_density)) +
           price_of_crowd(problem, share);
}

static int compare_balanced(const struct problem *problem, unsigned nr,
                            const struct xln_candidate *a,
                            const struct xln_candidate *b)
{
    uint64_t price_a = price_of_balanced(problem, nr, a);
    uint64_t price_b = price_of_balanced(problem, nr, b);

    if (price_a != price_b)
        return price_a < price_b ? -1 : 1;
    return compare_best(problem, nr, a, b);
}

enum { FIRST, BEST, WORST, BALANCED, NR_POLICIES };

static const struct xln_policy policies[NR_POLICIES] = {
    [FIRST] = { "first", "greedy", false, compare_first, price_of_first,
                XLN__BOUND_NUMBERS },
    [BEST] = { "best", "packed", false, compare_best, price_of_best,
               XLN__BOUND_LEAST_BYTES },
    [WORST] = { "worst", "spread", false, compare_worst, price_of_worst,
                XLN__BOUND_MOST_BYTES },
    [BALANCED] = { "balanced", NULL, true, compare_balanced,
                   price_of_balanced, XLN__BOUND_UNKNOWN },
};

/* Apart from `policies`, because C cannot take its names in an initialiser. */
static const char *const names[NR_POLICIES + 1] = {
    [FIRST] = "first",
    [BEST] = "best",
    [WORST] = "worst",
    [BALANCED] = "balanced",
};

const struct xln_policy *xln_policy_by_name(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(policies); i++) {
        const char *old = policies[i].name_2012;

        if (!strcmp(name, policies[i].name) || (old && !strcmp(name, old)))
            return &policies[i];
    }
    return NULL;
}

const struct xln_policy *xln_policy_default(void)
{
    return &policies[BALANCED];
}

bool xln_policy_uses_load(const struct xln_policy *policy)
{
    return policy->uses_load;
}

const char *xln_policy_name(const struct xln_policy *policy)
{
    return policy->name;
}

const char *const *xln_policy_names(void)
{
    return names;
}
