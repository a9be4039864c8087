/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "ahead.h"

/*
 * A set has to be a clique in the graph of the pairs of nodes that are not
 * farther apart than it may be. A node goes with it only if it is near to all
 * of it, and has as many neighbours among the others that are as are still to
 * be added. What is left has to have enough memory and CPUs.
 *
 * The distances of a set that is completed with some nodes are those that it
 * has; for each node those to the set; and half of those to the other nodes
 * that are added, as each pair is counted from both sides. These are at least
 * the least that the node has to any. So the sum is at least that over the
 * nodes for which it comes to least.
 *
 * Example: {0} of 0 to 4, and two are to be added. 1 to 4 are 10, 10, 30 and 30
 * from 0; 1 and 2 are 40 apart, all others 20. 1 comes to 10 + 20 / 2, as does
 * 2; 3 and 4 to 30 + 20 / 2. The sum is 40 at least, and in truth 60.
 */
struct xln__ahead {
    unsigned nr;
    /* Pairs at a distance of at most `max`, and of less: a bit for each slot.
     */
    bool is_paired;
    unsigned max;
    uint64_t within[AHEAD_NODES], nearer[AHEAD_NODES];
    unsigned by_bytes[AHEAD_NODES], by_cpus[AHEAD_NODES];    /* descending */
    /* The least sum of distances of slot i to `count` from slot `from` up:
     * [(i * (nr + 1) + from) * (nr + 1) + count] */
    uint64_t *least;
};

/* ---- beginning and end ---- */

static uint64_t *least_row(const struct xln__ahead *a, unsigned slot,
                           unsigned from)
{
    return a->least + ((size_t)slot * (a->nr + 1) + from) * (a->nr + 1);
}

static void fill_least(struct xln__ahead *a, const struct search *s,
                       unsigned slot)
{
    uint64_t sorted[AHEAD_NODES];
    unsigned nr = 0;

    for (unsigned from = a->nr; from-- > 0;) {
        uint64_t *row = least_row(a, slot, from);

        if (from != slot) {
            uint64_t sum = xln__span_between(s, slot, from).sum;
            unsigned at = nr++;

            for (; at && sorted[at - 1] > sum; at--)
                sorted[at] = sorted[at - 1];
            sorted[at] = sum;
        }
        for (unsigned i = 0; i < nr; i++)
            row[i + 1] = row[i] + sorted[i];
    }
}

static void sort_slots(struct xln__ahead *a, const struct search *s)
{
    for (unsigned i = 0; i < a->nr; i++) {
        unsigned bytes = i, cpus = i;

        for (; bytes && s->slots[a->by_bytes[bytes - 1]].bytes <
                            s->slots[i].bytes; bytes--)
            a->by_bytes[bytes] = a->by_bytes[bytes - 1];
        a->by_bytes[bytes] = i;
        for (; cpus && s->slots[a->by_cpus[cpus - 1]].nr_cpus <
                           s->slots[i].nr_cpus; cpus--)
            a->by_cpus[cpus] = a->by_cpus[cpus - 1];
        a->by_cpus[cpus] = i;
    }
}

struct xln__ahead *xln__ahead_new(const struct search *s)
{
    size_t size = s->nr + (size_t)1;
    struct xln__ahead *a;

    if (s->nr > AHEAD_NODES || !xln__span_compare(s->least, s->most))
        return NULL;
    a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->nr = s->nr;
    a->least = calloc(size * size * size, sizeof(*a->least));
    if (!a->least) {
        free(a);
        return NULL;
    }
    for (unsigned slot = 0; slot < s->nr; slot++)
        fill_least(a, s, slot);
    sort_slots(a, s);
    return a;
}

void xln__ahead_free(struct xln__ahead *a)
{
    if (!a)
        return;
    free(a->least);
    free(a);
}

/* ---- what goes with the set ---- */

static void find_pairs(struct xln__ahead *a, const struct search *s,
                       unsigned max)
{
    if (a->is_paired && a->max == max)
        return;
    a->is_paired = true;
    a->max = max;
    for (unsigned i = 0; i < a->nr; i++) {
        a->within[i] = a->nearer[i] = 0;
        for (unsigned j = 0; j < a->nr; j++) {
            unsigned distance = xln__distances_of(s, i)[j];

            if (i == j)
                continue;
            a->within[i] |= (uint64_t)(distance <= max) << j;
            a->nearer[i] |= (uint64_t)(distance < max) << j;
        }
    }
}

static unsigned lowest(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits);
}

static unsigned count(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

/* Whether `left` of these slots have the memory and CPUs that the set lacks. */
static bool have_enough(const struct xln__ahead *a, const struct search *s,
                        uint64_t slots, unsigned left)
{
    uint64_t bytes = s->now.figures.usable_bytes;
    uint64_t cpus = s->now.figures.nr_cpus;
    unsigned nr[2] = { 0, 0 };

    for (unsigned i = 0; i < a->nr; i++) {
        if (nr[0] < left && slots >> a->by_bytes[i] & 1) {
            bytes += s->slots[a->by_bytes[i]].bytes;
            nr[0]++;
        }
        if (nr[1] < left && slots >> a->by_cpus[i] & 1) {
            cpus += s->slots[a->by_cpus[i]].nr_cpus;
            nr[1]++;
        }
    }
    return bytes >= s->need_bytes && cpus >= s->need_cpus;
}

/* The slots above `slot` that are paired with all of the set, and with enough
 * of each other; 0: they cannot complete it. */
static uint64_t find_mates(const struct xln__ahead *a, const struct search *s,
                           const uint64_t *pairs, unsigned slot, unsigned left)
{
    uint64_t mates = slot + 1 < 64 ? UINT64_MAX << (slot + 1) : 0, before;

    for (unsigned i = 0; i < s->now.nr; i++)
        mates &= pairs[s->now.slots[i]];
    do {
        before = mates;
        for (uint64_t rest = mates; rest; rest &= rest - 1) {
            if (count(pairs[lowest(rest)] & mates) + 1 < left)
                mates &= ~(UINT64_C(1) << lowest(rest));
        }
    } while (mates != before);
    return count(mates) >= left && have_enough(a, s, mates, left) ? mates : 0;
}

/* The least that `left` of these slots add to the sum of distances, twice. */
static uint64_t least_sum(const struct xln__ahead *a, uint64_t slots,
                          unsigned slot, unsigned left, const struct span *to)
{
    uint64_t sorted[AHEAD_NODES] = { 0 }, sum = 0;
    unsigned nr = 0;

    for (; slots; slots &= slots - 1) {
        unsigned i = lowest(slots), at = nr;
        uint64_t value = 2 * to[i].sum + least_row(a, i, slot + 1)[left - 1];

        if (nr < left)
            nr++;
        else if (sorted[--at] <= value)
            continue;
        for (; at && sorted[at - 1] > value; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = value;
    }
    for (unsigned i = 0; i < nr; i++)
        sum += sorted[i];
    return sum;
}

bool xln__ahead_may_be_near(struct xln__ahead *a, const struct search *s,
                            unsigned slot, unsigned left,
                            const struct span *to, struct span limit,
                            bool none_nearer)
{
    struct span now = xln__set_span(&s->now);
    uint64_t mates;

    find_pairs(a, s, limit.max);
    if (now.max > limit.max)
        return false;
    if (!none_nearer && now.max < limit.max &&
        find_mates(a, s, a->nearer, slot, left))
        return true;
    mates = find_mates(a, s, a->within, slot, left);
    return mates && 2 * now.sum + least_sum(a, mates, slot, left, to) <=
                        2 * limit.sum;
}
