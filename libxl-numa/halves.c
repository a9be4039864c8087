/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "halves.h"
#include "policy.h"

/*
 * The nodes are cut into two halves, of lower and of higher numbers. All
 * subsets of each half are listed: by numbers of nodes and CPUs, which make a
 * kind, and by memory within a kind. Take a kind of one half and one of the
 * other, whose numbers of nodes add up to what is looked for. One walk up the
 * first and down the second finds the least memory that is enough: what goes
 * with more of the first has to have less of the second. So 24 nodes take some
 * thousand steps, where there are millions of sets.
 *
 * Subsets that are alike in nodes, CPUs and memory stand for each other: the
 * one with the lowest numbers is kept. That makes nodes that are equal cheap.
 *
 * A policy may look at the most crowded node too. Then this is done for each
 * crowding that some node has, the lowest first, with those nodes that are not
 * more crowded. A set that is best is found with its own: of sets that are not
 * more crowded and have as many CPUs none with less memory is worse. It ends
 * when even the least memory with the most CPUs would not be better.
 *
 * Example: need 9 from two of the nodes 0 to 3, which have 4, 6, 5 and 3. The
 * halves have kinds of one node, {0: 4, 1: 6} and {3: 3, 2: 5}. 4 needs 5: 2,
 * in total 9. 6 needs 3: 3, in total 9 too. {0,2} has lower numbers than {1,3}.
 * Kinds of two nodes and none have 10 and 8.
 */
struct subset {
    uint64_t bytes;
    unsigned mask;              /* of the half's slots */
    unsigned nr, nr_cpus;
};

/* Subsets of as many nodes and CPUs, a run in `list`. */
struct kind {
    unsigned at, nr_subsets;
    unsigned nr, nr_cpus;
};

struct half {
    const unsigned *slots;
    unsigned nr;
    struct subset *all, *list;  /* all; without some, and without twins */
    struct kind *kinds;
    unsigned nr_all, nr_list, nr_kinds;
};

struct halves {
    struct search *s;
    const struct xln__window *window;
    struct xln_candidate fixed;         /* the figures of the fixed slots */
    struct half low, high;
    uint64_t least_bytes;       /* of any set that has enough */
    unsigned most_cpus;         /* and these, at most */
};

/* A set: the masks of both halves, those of the lower one below. */
struct match {
    uint64_t bytes, mask;
};

/* ---- the subsets of a half ---- */

/* < 0: `a` has lower numbers. */
static int compare_masks(uint64_t a, uint64_t b)
{
    uint64_t differ = a ^ b;

    return !differ ? 0 : a & differ & -differ ? -1 : 1;
}

/* By kind, then memory. */
static int compare_figures(const struct subset *a, const struct subset *b)
{
    if (a->nr != b->nr)
        return a->nr < b->nr ? -1 : 1;
    if (a->nr_cpus != b->nr_cpus)
        return a->nr_cpus < b->nr_cpus ? -1 : 1;
    return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static int compare_subsets(const struct subset *a, const struct subset *b)
{
    int order = compare_figures(a, b);

    return order ? order : compare_masks(a->mask, b->mask);
}

/* Add to each subset the same with one more slot. They stay in order, and are
 * merged with those without it, from the end. */
static void add_slot(struct half *half, const struct slot *slot, unsigned bit)
{
    unsigned nr = half->nr_all, without = nr, with = nr;
    struct subset *all = half->all, *other = half->list;

    for (unsigned i = 0; i < nr; i++) {
        other[i] = all[i];
        other[i].bytes += slot->bytes;
        other[i].mask |= bit;
        other[i].nr_cpus += slot->nr_cpus;
        other[i].nr++;
    }
    for (unsigned at = 2 * nr; with; at--) {
        bool higher = without && compare_subsets(&all[without - 1],
                                                 &other[with - 1]) > 0;

        all[at - 1] = higher ? all[without - 1] : other[with - 1];
        without -= higher;
        with -= !higher;
    }
    half->nr_all = 2 * nr;
}

static bool half_new(const struct search *s, const unsigned *slots, unsigned nr,
                     struct half *half)
{
    size_t size = (size_t)1 << nr;

    half->slots = slots;
    half->nr = nr;
    half->all = calloc(size, sizeof(*half->all));
    half->list = calloc(size, sizeof(*half->list));
    half->kinds = calloc(size, sizeof(*half->kinds));
    if (!half->all || !half->list || !half->kinds)
        return false;
    half->nr_all = 1;
    for (unsigned i = 0; i < nr; i++)
        add_slot(half, &s->slots[slots[i]], 1U << i);
    return true;
}

static void half_free(struct half *half)
{
    free(half->all);
    free(half->list);
    free(half->kinds);
}

static void list_subset(struct half *half, const struct subset *subset)
{
    struct kind *kind = half->kinds + half->nr_kinds;

    if (!half->nr_kinds || kind[-1].nr != subset->nr ||
        kind[-1].nr_cpus != subset->nr_cpus) {
        *kind++ = (struct kind){ .at = half->nr_list, .nr = subset->nr,
                                 .nr_cpus = subset->nr_cpus };
        half->nr_kinds++;
    }
    kind[-1].nr_subsets++;
    half->list[half->nr_list++] = *subset;
}

/* List the subsets with no node that is more crowded, without twins. */
static void half_list(struct search *s, struct half *half, uint64_t crowding)
{
    unsigned crowded = 0;

    for (unsigned i = 0; i < half->nr; i++) {
        if (s->slots[half->slots[i]].crowding > crowding)
            crowded |= 1U << i;
    }
    half->nr_list = half->nr_kinds = 0;
    for (unsigned i = 0; i < half->nr_all; i++) {
        const struct subset *subset = &half->all[i];
        unsigned nr = half->nr_list;

        if (!(subset->mask & crowded) &&
            (!nr || compare_figures(&half->list[nr - 1], subset)))
            list_subset(half, subset);
    }
    xln__search_spend(s, 2 * half->nr_all);
}

/* ---- both halves ---- */

/* The part of `need` that is missing. */
static uint64_t lack(uint64_t need, uint64_t there)
{
    return need > there ? need - there : 0;
}

/* The least memory that is enough, of a subset of each kind. */
static bool find_match(struct halves *h, const struct kind *low,
                       const struct kind *high, struct match *match)
{
    const struct subset *a = &h->low.list[low->at];
    const struct subset *b = &h->high.list[high->at];
    uint64_t need = lack(h->s->need_bytes, h->fixed.usable_bytes);
    unsigned above = high->nr_subsets;
    bool found = false;

    for (unsigned i = 0; i < low->nr_subsets; i++) {
        struct match m;

        while (above && a[i].bytes + b[above - 1].bytes >= need)
            above--;
        if (above == high->nr_subsets)
            continue;
        m.bytes = a[i].bytes + b[above].bytes;
        m.mask = a[i].mask | (uint64_t)b[above].mask << h->low.nr;
        if (!found || m.bytes < match->bytes ||
            (m.bytes == match->bytes && compare_masks(m.mask, match->mask) < 0))
            *match = m;
        found = true;
    }
    xln__search_spend(h->s, 4 + 2 * (low->nr_subsets + high->nr_subsets));
    return found;
}

/* Whether the best set is as near and as cheap as these. */
static bool is_comparable(const struct halves *h)
{
    const struct xln__window *w = h->window;
    const struct set *best = &h->s->best;

    return best->nr == w->size + w->nr_fixed &&
           best->figures.cost == w->cost &&
           !xln__span_compare(xln__set_span(best), w->span);
}

/* Whether a set with this and the fixed may be better than the best one,
 * or as good. */
static bool may_be_best(const struct halves *h, uint64_t bytes,
                        unsigned nr_cpus, uint64_t crowding)
{
    const struct search *s = h->s;
    struct xln_candidate figures = h->fixed;

    figures.usable_bytes += bytes;
    figures.nr_cpus += nr_cpus;
    if (figures.crowding < crowding)
        figures.crowding = crowding;
    return !is_comparable(h) ||
           s->policy->compare(s->problem, s->best.nr, &figures,
                              &s->best.figures) <= 0;
}

static void offer(struct halves *h, const struct match *match)
{
    const struct xln__window *w = h->window;
    struct search *s = h->s;

    xln__search_clear(s);
    for (unsigned i = 0; i < w->nr_fixed; i++)
        xln__search_push(s, w->fixed[i]);
    for (unsigned i = 0; i < w->nr; i++) {
        if (match->mask >> i & 1)
            xln__search_push(s, w->slots[i]);
    }
    xln__search_offer(s);
}

/* The work for two kinds that go together. */
typedef void pair_fn(struct halves *h, const struct kind *low,
                     const struct kind *high, uint64_t crowding);

static void take_least(struct halves *h, const struct kind *low,
                       const struct kind *high, uint64_t crowding)
{
    struct match match;

    (void)crowding;
    if (!find_match(h, low, high, &match))
        return;
    if (match.bytes < h->least_bytes)
        h->least_bytes = match.bytes;
    if (low->nr_cpus + high->nr_cpus > h->most_cpus)
        h->most_cpus = low->nr_cpus + high->nr_cpus;
}

static void take_best(struct halves *h, const struct kind *low,
                      const struct kind *high, uint64_t crowding)
{
    unsigned nr_cpus = low->nr_cpus + high->nr_cpus;
    struct match match;

    xln__search_spend(h->s, 64);
    if (may_be_best(h, h->least_bytes, nr_cpus, crowding) &&
        find_match(h, low, high, &match) &&
        may_be_best(h, match.bytes, nr_cpus, crowding))
        offer(h, &match);
}

/* All pairs of kinds that make a set of the size, with enough CPUs. */
static void take_all(struct halves *h, uint64_t crowding, pair_fn *take)
{
    struct half *low = &h->low, *high = &h->high;
    unsigned first = 0, size = h->window->size;
    unsigned need_cpus = lack(h->s->need_cpus, h->fixed.nr_cpus);

    half_list(h->s, low, crowding);
    half_list(h->s, high, crowding);
    for (unsigned i = low->nr_kinds; i-- > 0 && h->s->budget;) {
        const struct kind *a = &low->kinds[i];

        if (a->nr > size)
            continue;
        /* With fewer of one half there are more of the other. */
        while (first < high->nr_kinds && high->kinds[first].nr + a->nr < size)
            first++;
        for (unsigned j = first; j < high->nr_kinds; j++) {
            const struct kind *b = &high->kinds[j];

            if (a->nr + b->nr > size)
                break;
            if (a->nr_cpus + b->nr_cpus >= need_cpus)
                take(h, a, b, crowding);
        }
    }
}

/* ---- the crowding ---- */

static int compare_crowding(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The crowding of the slots in ascending order; only the last value if the
 * policy does not use it. */
static unsigned list_crowding(const struct halves *h, uint64_t *list)
{
    const struct xln__window *w = h->window;
    unsigned nr = w->nr, different = 0;

    for (unsigned i = 0; i < nr; i++) {
        list[i] = h->s->slots[w->slots[i]].crowding;
        if (list[i] < h->fixed.crowding)
            list[i] = h->fixed.crowding;
    }
    qsort(list, nr, sizeof(*list), compare_crowding);
    for (unsigned i = 0; i < nr; i++) {
        if (!different || list[i] != list[different - 1])
            list[different++] = list[i];
    }
    if (!xln_policy_uses_load(h->s->policy)) {
        list[0] = list[different - 1];
        different = 1;
    }
    return different;
}

static void search(struct halves *h)
{
    uint64_t list[HALVES_MAX];
    unsigned nr = list_crowding(h, list);

    h->least_bytes = UINT64_MAX;
    take_all(h, list[nr - 1], take_least);
    if (h->least_bytes == UINT64_MAX)
        return;
    for (unsigned i = 0; i < nr && h->s->budget; i++) {
        if (!may_be_best(h, h->least_bytes, h->most_cpus, list[i]))
            break;
        take_all(h, list[i], take_best);
    }
}

static void add_fixed(struct halves *h)
{
    for (unsigned i = 0; i < h->window->nr_fixed; i++) {
        const struct slot *slot = &h->s->slots[h->window->fixed[i]];

        h->fixed.usable_bytes += slot->bytes;
        h->fixed.nr_cpus += slot->nr_cpus;
        if (slot->crowding > h->fixed.crowding)
            h->fixed.crowding = slot->crowding;
    }
}

bool xln__halves_search(struct search *s, const struct xln__window *w)
{
    struct halves h = { .s = s, .window = w };
    unsigned nr_low = w->nr / 2;
    bool good;

    add_fixed(&h);
    good = half_new(s, w->slots, nr_low, &h.low) &&
           half_new(s, w->slots + nr_low, w->nr - nr_low, &h.high);
    xln__search_spend(s, UINT64_C(16) << (w->nr - nr_low));
    if (good)
        search(&h);
    half_free(&h.low);
    half_free(&h.high);
    return good && s->budget;
}
