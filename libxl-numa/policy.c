/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "policy.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int compare_first(const struct job *job, unsigned nr,
                         const struct xln_candidate *a,
                         const struct xln_candidate *b)
{
    (void)job;
    (void)nr;
    (void)a;
    (void)b;
    return 0;
}

/* The need is the same for all, so least usable is least left over. */
static int compare_best(const struct job *job, unsigned nr,
                        const struct xln_candidate *a,
                        const struct xln_candidate *b)
{
    (void)job;
    (void)nr;
    return (a->usable_bytes > b->usable_bytes) -
           (a->usable_bytes < b->usable_bytes);
}

static int compare_worst(const struct job *job, unsigned nr,
                         const struct xln_candidate *a,
                         const struct xln_candidate *b)
{
    return compare_best(job, nr, b, a);
}

/*
 * balanced
 *
 * Best fit keeps large gaps for large domains, but piles up the vCPUs of small
 * ones on one node. Going where there are fewest vCPUs does the opposite: in
 * the long run it splits three times as many domains over nodes. Both have a
 * price, so the two are added up, and the node with the least sum is taken:
 *
 *  - what is left over of its memory, as a part of an average node; and
 *  - CROWDED times what it has of vCPUs per CPU beyond FAIR times those of
 *    the whole host, as a part of the latter, both with the domain on it.
 *
 * So among nodes that have no more than their fair share it is best fit; the
 * farther one is above it, the better has its gap to be. Sets of several nodes
 * are for a domain that fits into no gap: there it is what is left over of a
 * node on average, and all vCPUs per CPU. FAIR and CROWDED come from
 * xl numa-simulate (tools/bench/simulate).
 *
 * Example: 4 nodes of 100 GiB and 10 CPUs, 20 vCPUs on them; a domain of 4
 * vCPUs and 10 GiB. 24 vCPUs on 40 CPUs are 0.6 for each; up to 0.72 is fair.
 * Node 0 would have 12 vCPUs, 1.2 per CPU, and 5 GiB left over: 0.05 + 1.75 *
 * (1.2 - 0.72) / 0.6 = 1.45. Node 1 would have 4 vCPUs and 60 GiB left over:
 * 0.6. Node 1 it is. With 3 vCPUs there before it, it would be node 0.
 */
#define PART (UINT64_C(1) << 12)
#define FAIR (PART * 6 / 5)
#define CROWDED(parts) ((parts) * 7 / 4)

static uint64_t left_over(const struct job *job, unsigned nr,
                          const struct xln_candidate *c)
{
    uint64_t mib = 0, mean_mib = job->mean_bytes >> 20;

    if (c->usable_bytes > job->need_bytes)
        mib = (c->usable_bytes - job->need_bytes) >> 20;
    return mib * PART / (mean_mib ? mean_mib : 1) / nr;
}

/* Its vCPUs per CPU, in parts of the fair ones. */
static uint64_t share_of(const struct job *job, const struct xln_candidate *c)
{
    uint64_t fair = job->fair_density ? job->fair_density : 1;

    return xln__job_density(job, c->load, c->nr_cpus) * PART / fair;
}

static uint64_t price_of(const struct job *job, unsigned nr,
                         const struct xln_candidate *c)
{
    uint64_t left = left_over(job, nr, c), share = share_of(job, c);

    if (nr > 1)
        return left + share;
    return left + (share > FAIR ? CROWDED(share - FAIR) : 0);
}

static int compare_balanced(const struct job *job, unsigned nr,
                            const struct xln_candidate *a,
                            const struct xln_candidate *b)
{
    uint64_t price_a, price_b;

    /* Where the memory is, nothing runs. */
    if (job->request->mem_nodes)
        return compare_best(job, nr, a, b);
    price_a = price_of(job, nr, a);
    price_b = price_of(job, nr, b);
    if (price_a != price_b)
        return price_a < price_b ? -1 : 1;
    return compare_best(job, nr, a, b);
}

enum { FIRST, BEST, WORST, BALANCED, NR_POLICIES };

static const struct xln_policy policies[NR_POLICIES] = {
    [FIRST] = { "first", "greedy", false, compare_first,
                XLN__BOUND_NUMBERS },
    [BEST] = { "best", "packed", false, compare_best,
               XLN__BOUND_LEAST_BYTES },
    [WORST] = { "worst", "spread", false, compare_worst,
                XLN__BOUND_MOST_BYTES },
    [BALANCED] = { "balanced", NULL, true, compare_balanced,
                   XLN__BOUND_UNKNOWN },
};

/* Beside `policies`, because C can't take its names in an initialiser. */
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
