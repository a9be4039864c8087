/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "plan_count.h"

/* Xen has no more numbers for domains. */
#define MAX_DOMAINS DOMID_FIRST_RESERVED

static void look_at_rest(const struct planned *d, struct plan_count *c)
{
    uint64_t bytes;
    unsigned node;

    c->full = true;
    c->of_cpus = d->decision->status == DECIDE_RELAXED &&
                 !(d->decision->plan->relaxed & XLN_RELAXED_MEMORY);
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(d->host)) {
        bytes = xln_host_node_usable(xln_host_node(d->host, node), true,
                                     d->decision->request->dma_reserve_bytes);
        c->left_bytes += bytes;
        if (bytes > c->most_bytes)
            c->most_bytes = bytes;
    }
}

/* Another one. False: it does not fit. */
static bool take(const struct planned *d, struct plan_count *c)
{
    bool first = !c->nr_fit && !c->nr_relaxed && !c->full;

    if (first)
        c->first = d->decision->status;
    if (d->decision->status != DECIDE_FITS && !c->full)
        look_at_rest(d, c);
    if (d->decision->status == DECIDE_NOTHING_FITS)
        return false;
    if (c->full) {
        c->nr_relaxed++;
    } else {
        c->nr_fit++;
        c->by_size[xln_nodemap_count(d->decision->plan->nodes)]++;
    }
    return true;
}

static bool count_all(struct planned *d, const struct xln_host *host,
                      struct plan_count *c)
{
    struct xln_host *next = NULL;
    bool good;

    do {
        good = planner_place(d, next ? next : host);
        xln_host_free(next);
        next = NULL;
        if (!good || !take(d, c))
            break;
        good = planner_next_host(d, &next);
    } while (good && c->nr_fit + c->nr_relaxed < MAX_DOMAINS);
    xln_host_free(next);
    return good;
}

bool plan_count(struct planned *d, const struct xln_host *host,
                struct plan_count *count)
{
    *count = (struct plan_count){ .nr_nodes = xln_host_nr_nodes(host) };
    count->by_size = calloc(count->nr_nodes + 1, sizeof(*count->by_size));
    if (!count->by_size)
        return notes_add_error(d->notes, d->config->source, -ENOMEM, NULL);
    return count_all(d, host, count);
}

void plan_count_dispose(struct plan_count *count)
{
    free(count->by_size);
}
