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

static unsigned nr_counted(const struct plan_count *c)
{
    return c->nr_fit + c->nr_relaxed;
}

/* Whether all that a decision says of another one is in its plan. */
static bool is_plain(const struct planned *d)
{
    return d->decision->status == DECIDE_FITS && !d->decision->vnuma &&
           !d->decision->pool && !d->guest.cells;
}

static int count_equal(const struct planned *d, struct plan_count *c,
                       struct xln_host **host)
{
    struct xln_host *next;
    unsigned i;
    int rc = xln_place_equal(*host, d->decision->request, &d->need,
                             MAX_DOMAINS - nr_counted(c), c->by_size, &next);

    if (rc)
        return rc == -ENOTSUP ? 0 : rc;
    c->nr_fit = 0;
    for (i = 1; i <= c->nr_nodes; i++)
        c->nr_fit += c->by_size[i];
    xln_host_free(*host);
    *host = next;
    return 0;
}

/* Those that follow the first and fit as it does: it is on *host. */
static bool count_next(const struct planned *d, struct plan_count *c,
                        struct xln_host **host)
{
    int rc = is_plain(d) ? count_equal(d, c, host) : 0;

    return !rc || notes_add_error(d->notes, d->config->source, rc, NULL);
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
        if (good && nr_counted(c) == 1)
            good = count_next(d, c, &next);
    } while (good && nr_counted(c) < MAX_DOMAINS);
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
