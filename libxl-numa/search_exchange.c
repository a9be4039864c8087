/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets that differ from the best one in one node. */
#include <string.h>

#include "search_state.h"

#define MAX_NODES 256

/* Put each node that is not in the best set in the place of one that is. */
static void exchange_one(struct search *s, unsigned without)
{
    struct set *now = &s->now;
    struct xln_candidate before;
    unsigned in[MAX_NODES], nr = 0;
    bool is_best[MAX_NODES] = { false };

    xln__search_clear(s);
    for (unsigned i = 0; i < s->best.nr; i++) {
        is_best[s->best.slots[i]] = true;
        if (i != without)
            in[nr++] = s->best.slots[i];
    }
    for (unsigned i = 0; i < nr; i++)
        xln__search_push(s, in[i]);
    before = now->figures;
    for (unsigned slot = 0; slot < s->nr; slot++) {
        if (is_best[slot])
            continue;
        xln__search_push(s, slot);
        if (xln__search_fits(s))
            xln__search_offer(s);
        s->in_now[slot] = false;
        memcpy(now->slots, in, nr * sizeof(*in));
        now->nr = nr;
        now->figures = before;
    }
}

void xln__search_exchange(struct search *s)
{
    if (s->nr > MAX_NODES)
        return;
    for (unsigned i = 0; i < s->best.nr && s->budget; i++)
        exchange_one(s, i);
}
