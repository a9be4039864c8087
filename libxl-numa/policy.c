/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "policy.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int compare_first(const struct xln_candidate *a,
                         const struct xln_candidate *b)
{
    (void)a;
    (void)b;
    return 0;
}

/* The need is the same for all, so least usable is least left over. */
static int compare_best(const struct xln_candidate *a,
                        const struct xln_candidate *b)
{
    return (a->usable_bytes > b->usable_bytes) -
           (a->usable_bytes < b->usable_bytes);
}

static int compare_worst(const struct xln_candidate *a,
                         const struct xln_candidate *b)
{
    return compare_best(b, a);
}

enum { FIRST, BEST, WORST, NR_POLICIES };

static const struct xln_policy policies[NR_POLICIES] = {
    [FIRST] = { "first", "greedy", compare_first, XLN__BOUND_NUMBERS },
    [BEST] = { "best", "packed", compare_best, XLN__BOUND_LEAST_BYTES },
    [WORST] = { "worst", "spread", compare_worst, XLN__BOUND_MOST_BYTES },
};

/* Beside `policies`, because C can't take its names in an initialiser. */
static const char *const names[NR_POLICIES + 1] = {
    [FIRST] = "first",
    [BEST] = "best",
    [WORST] = "worst",
};

const struct xln_policy *xln_policy_by_name(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(policies); i++) {
        if (!strcmp(name, policies[i].name) ||
            !strcmp(name, policies[i].name_2012))
            return &policies[i];
    }
    return NULL;
}

const struct xln_policy *xln_policy_default(void)
{
    return &policies[BEST];
}

const char *xln_policy_name(const struct xln_policy *policy)
{
    return policy->name;
}

const char *const *xln_policy_names(void)
{
    return names;
}
