/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The best single node, without the second best and without a count: most
 * domains fit on one. */
#include "search_state.h"

static bool has_spots(const struct search *s, unsigned slot)
{
    const uint64_t *spots = s->spots_of + (size_t)slot * s->nr_words;

    for (unsigned i = 0; i < s->nr_words; i++) {
        if (s->missing[i] & ~spots[i])
            return false;
    }
    return true;
}

/* Whether a slot has the same figures as the one before it, and so is no better:
 * mostly nodes are alike. */
static bool is_as_before(const struct search *s, unsigned at)
{
    const struct slot *x, *y;

    if (!at || s->nr_words)
        return false;
    x = &s->slots[at];
    y = x - 1;
    return x->bytes == y->bytes && x->crowding == y->crowding &&
           x->nr_cpus == y->nr_cpus && x->cost == y->cost &&
           x->load == y->load;
}

/* Whether `a` is better than the best so far, by its price. */
static bool is_cheaper(const struct search *s, const struct xln_candidate *a,
                       uint64_t price, const struct xln_candidate *best,
                       uint64_t best_price)
{
    if (a->cost != best->cost)
        return a->cost < best->cost;
    if (price != best_price)
        return price < best_price;
    return s->policy->compare(s->problem, 1, a, best) < 0;
}

unsigned xln__search_single(const struct search *s)
{
    uint64_t best_price = UINT64_MAX;
    struct xln_candidate best = { 0 };
    unsigned found = XLN_NONE;

    /* Whether cores suit the vCPUs is not seen by figures. */
    if (s->need_cores)
        return XLN_NONE;
    for (unsigned i = 0; i < s->nr; i++) {
        const struct slot *slot = &s->slots[i];
        struct xln_candidate figures = {
            .usable_bytes = slot->bytes, .nr_cpus = slot->nr_cpus,
            .cost = slot->cost, .load = slot->load, .crowding = slot->crowding,
        };
        uint64_t price;

        if (slot->bytes < s->need_bytes || slot->nr_cpus < s->need_cpus ||
            is_as_before(s, i) || !has_spots(s, i))
            continue;
        price = s->policy->price(s->problem, 1, &figures);
        if (found == XLN_NONE ||
            is_cheaper(s, &figures, price, &best, best_price)) {
            found = slot->node;
            best = figures;
            best_price = price;
        }
    }
    return found;
}
