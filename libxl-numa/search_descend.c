/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nearer sets than the best one, where distances differ.
 *
 * One node after another is put in the place of one of the set, always the pair
 * that gains most, until none does. That ends at a set to which no single
 * exchange is nearer, which may not be the nearest. So it begins again and
 * again, each time with another node put into the best set, or taken out of it,
 * whatever it costs; that node stays so until the first other exchange is made.
 *
 * What a node adds to the set's distances is kept for every node, so that a
 * pair is compared by three numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "search_state.h"

/* What a set is judged by, or by how much two differ: pairs that are farther
 * apart than the limit are worse than any sum. */
struct worth {
    int64_t cost, nr_over, sum;
};

struct descent {
    struct search *s;
    unsigned limit;             /* no pair of nodes is to be farther apart */
    bool *in;                   /* [slot] */
    struct worth *worths;       /* of each slot, with the set: [slot] */
    uint64_t bytes, nr_cpus;    /* of the set */
};

static int compare_worths(struct worth a, struct worth b)
{
    if (a.cost != b.cost)
        return a.cost < b.cost ? -1 : 1;
    if (a.nr_over != b.nr_over)
        return a.nr_over < b.nr_over ? -1 : 1;
    return (a.sum > b.sum) - (a.sum < b.sum);
}

/* Add a slot, or remove it. */
static void add(struct descent *d, unsigned slot, int sign)
{
    const unsigned *distances = xln__distances_of(d->s, slot);

    d->in[slot] = sign > 0;
    d->bytes += (uint64_t)sign * d->s->slots[slot].bytes;
    d->nr_cpus += (uint64_t)(int64_t)sign * d->s->slots[slot].nr_cpus;
    for (unsigned i = 0; i < d->s->nr; i++) {
        d->worths[i].sum += sign * (int64_t)distances[i];
        d->worths[i].nr_over += sign * (distances[i] > d->limit);
    }
    xln__search_spend(d->s, d->s->nr);
}

static void begin(struct descent *d, unsigned limit)
{
    struct search *s = d->s;

    d->limit = limit;
    d->bytes = d->nr_cpus = 0;
    memset(d->in, 0, s->nr * sizeof(*d->in));
    for (unsigned i = 0; i < s->nr; i++)
        d->worths[i] = (struct worth){ .cost = (int64_t)s->slots[i].cost };
    for (unsigned i = 0; i < s->best.nr; i++)
        add(d, s->best.slots[i], 1);
}

/* Whether the set has enough with one slot in the place of another. */
static bool has_enough(const struct descent *d, unsigned out, unsigned in)
{
    const struct slot *a = &d->s->slots[out], *b = &d->s->slots[in];

    return d->bytes - a->bytes + b->bytes >= d->s->need_bytes &&
           d->nr_cpus - a->nr_cpus + b->nr_cpus >= d->s->need_cpus;
}

static struct worth gain_of(const struct descent *d, unsigned out, unsigned in)
{
    const struct worth *a = &d->worths[out], *b = &d->worths[in];
    unsigned between = xln__distances_of(d->s, out)[in];

    return (struct worth){
        .cost = b->cost - a->cost,
        .nr_over = b->nr_over - a->nr_over - (between > d->limit),
        .sum = b->sum - a->sum - (int64_t)between,
    };
}

/* Make the exchange that gains most and does not move `fixed`; or the one with
 * `fixed` that costs least. False: there is none. */
static bool exchange(struct descent *d, unsigned fixed, bool with_fixed)
{
    struct worth best = { 0 };
    unsigned nr = d->s->nr, best_out = XLN_NONE, best_in = XLN_NONE;

    for (unsigned out = 0; out < nr; out++) {
        for (unsigned in = 0; d->in[out] && in < nr; in++) {
            bool has_fixed = out == fixed || in == fixed;
            struct worth gain;

            if (d->in[in] || has_fixed != with_fixed || !has_enough(d, out, in))
                continue;
            gain = gain_of(d, out, in);
            if ((with_fixed && best_in == XLN_NONE) ||
                compare_worths(gain, best) < 0) {
                best = gain;
                best_out = out;
                best_in = in;
            }
        }
    }
    xln__search_spend(d->s, 2 * d->s->best.nr * (nr - d->s->best.nr));
    if (best_in == XLN_NONE)
        return false;
    add(d, best_out, -1);
    add(d, best_in, 1);
    return true;
}

/* Whether it has become the best one. */
static bool offer(struct descent *d)
{
    struct search *s = d->s;
    uint64_t before = s->nr_better;

    xln__search_clear(s);
    for (unsigned i = 0; i < s->nr; i++) {
        if (d->in[i])
            xln__search_push(s, i);
    }
    if (xln__search_fits(s))
        xln__search_offer(s);
    return s->nr_better != before;
}

/* With another node in the best set, or without one of it. */
static bool descend(struct descent *d, unsigned limit, unsigned fixed)
{
    begin(d, limit);
    if (fixed != XLN_NONE &&
        (!exchange(d, fixed, true) || !exchange(d, fixed, false)))
        return false;
    while (d->s->budget && exchange(d, XLN_NONE, false))
        ;
    return offer(d);
}

/* Begin at each node, as long as one of the last `nr` led to a better set. */
static void descend_all(struct descent *d)
{
    struct search *s = d->s;
    unsigned nr_idle = 0;

    for (unsigned i = 0; s->budget && nr_idle < s->nr; i = (i + 1) % s->nr) {
        unsigned max = s->best.figures.distance_max;

        nr_idle++;
        if (descend(d, max, i))
            nr_idle = 0;
    }
}

void xln__search_descend(struct search *s)
{
    struct descent d = { .s = s };

    if (!s->best.nr || !xln__span_compare(s->least, s->most))
        return;
    d.in = calloc(s->nr, sizeof(*d.in));
    d.worths = calloc(s->nr, sizeof(*d.worths));
    if (d.in && d.worths) {
        while (s->budget &&
               descend(&d, s->best.figures.distance_max - 1, XLN_NONE))
            ;
        descend_all(&d);
    }
    free(d.in);
    free(d.worths);
}
