/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of fewer nodes than the best one has. */
#include <stdlib.h>

#include "search_state.h"

/* The weights of memory and CPUs together, a power of two. */
#define WEIGHTS 1024

struct weighed {
    uint64_t value;
    unsigned slot;
};

static int compare_weighed(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;

    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Put those slots first that have most of what is needed. */
static void weigh(struct search *s, struct weighed *list, unsigned of_bytes)
{
    for (unsigned i = 0; i < s->nr; i++) {
        struct xln__parts parts = xln__search_parts(s, i);

        list[i] = (struct weighed){ .slot = i };
        list[i].value = of_bytes * parts.bytes +
                        (WEIGHTS - of_bytes) * parts.cpus;
    }
    qsort(list, s->nr, sizeof(*list), compare_weighed);
    xln__search_spend(s, 32 * s->nr);
}

/* Build the set of the first `nr`, with another slot in the place of one. */
static void take(struct search *s, const struct weighed *list, unsigned nr,
                 unsigned out, unsigned in)
{
    xln__search_clear(s);
    for (unsigned i = 0; i < nr; i++)
        xln__search_push(s, i == out ? list[in].slot : list[i].slot);
}

static bool offer(struct search *s)
{
    return xln__search_fits(s) && xln__search_offer(s) &&
           s->best.nr == s->now.nr;
}

/* The first `nr` lack something: one of the others may have it, in the place
 * of one that has more than enough of the other. */
static bool offer_exchanged(struct search *s, const struct weighed *list,
                            unsigned nr)
{
    uint64_t bytes = s->now.figures.usable_bytes;
    uint64_t nr_cpus = s->now.figures.nr_cpus;

    xln__search_spend(s, (uint64_t)nr * (s->nr - nr));
    for (unsigned out = 0; out < nr; out++) {
        const struct slot *a = &s->slots[list[out].slot];

        for (unsigned in = nr; in < s->nr; in++) {
            const struct slot *b = &s->slots[list[in].slot];

            if (bytes - a->bytes + b->bytes < s->need_bytes ||
                nr_cpus - a->nr_cpus + b->nr_cpus < s->need_cpus)
                continue;
            take(s, list, nr, out, in);
            if (offer(s))
                return true;
        }
    }
    return false;
}

/*
 * Look for a set of `nr` nodes. The nodes with most memory may lack CPUs, and
 * those with most CPUs memory: the weight of what a set lacks is raised until
 * it lacks the other, and so on in halves. False: there is none that any
 * weights lead to.
 */
static bool offer_fewer(struct search *s, struct weighed *list, unsigned nr)
{
    unsigned of_bytes = WEIGHTS / 2;

    for (unsigned step = WEIGHTS / 4; step; step /= 2) {
        weigh(s, list, of_bytes);
        take(s, list, nr, nr, nr);
        if (offer(s))
            return true;
        of_bytes = s->now.figures.usable_bytes < s->need_bytes
                       ? of_bytes + step
                       : of_bytes - step;
    }
    return offer_exchanged(s, list, nr);
}

void xln__search_fewer(struct search *s)
{
    struct weighed *list = calloc(s->nr, sizeof(*list));

    if (!list)
        return;
    while (s->budget && s->best.nr > s->bound.nr_nodes &&
           offer_fewer(s, list, s->best.nr - 1))
        ;
    free(list);
}
