/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ranking goes on where place.c ends: among hosts on which a domain gets
 * what it asks for, the one where it has fewest nodes, then the one where these
 * are nearest to each other, then the one where least is left on them. The last
 * is best fit, as if the nodes of all hosts were those of one: a node is
 * what a domain has to fit into, and large gaps are kept for large domains.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fleet.h"

/* ---- what is planned on a host ---- */

static unsigned widest(const struct xln_host *host,
                       const struct xln_nodemap *nodes)
{
    unsigned a, b, distance, most = 0;

    XLN_FOREACH(xln_nodemap, a, nodes)
        XLN_FOREACH(xln_nodemap, b, nodes) {
            distance = a == b ? 0 : xln_host_distance(host, a, b);
            if (distance > most)
                most = distance;
        }
    return most;
}

static const struct xln_plan *plan_of(const struct offer *offer, unsigned i)
{
    return offer->list[i].decision->plan;
}

/* Memory that is kept for DMA counts where plans count it. */
static bool counts_dma(const struct xln_plan *plan)
{
    return plan->named || plan->relaxed & XLN_RELAXED_DMA;
}

static void count_left(struct offer *offer, unsigned nr,
                       const struct xln_host *host)
{
    const struct xln_host_node *n;
    bool taken, with_dma = false;
    unsigned node, i;
    uint64_t bytes;

    for (i = 0; i < nr; i++)
        with_dma |= counts_dma(plan_of(offer, i));
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        n = xln_host_node(host, node);
        taken = false;
        for (i = 0; i < nr; i++)
            taken |= xln_nodemap_test(plan_of(offer, i)->nodes, node);
        bytes = xln_host_node_usable(
            n, with_dma, offer->list[0].request->dma_reserve_bytes);
        offer->host_left_bytes += bytes;
        offer->left_bytes += taken ? bytes : 0;
    }
}

static bool judge(struct offer *offer, unsigned nr)
{
    struct xln_host *after;
    unsigned i, distance;

    offer->cost = planned_cost(offer->list, nr);
    for (i = 0; i < nr; i++) {
        distance = widest(offer->list[i].host, plan_of(offer, i)->nodes);
        if (distance > offer->distance)
            offer->distance = distance;
    }
    if (!planner_next_host(&offer->list[nr - 1], &after))
        return false;
    count_left(offer, nr, after);
    xln_host_free(after);
    return true;
}

static bool plan_on(struct offer *offer, struct fleet *fleet,
                    const struct fleet_query *what)
{
    const struct xln_host *host;
    unsigned nr = fleet->nr_configs, i;

    if (!planner_begin_borrowing(&offer->planner, fleet->notes, offer->host,
                                 fleet->defaults))
        return false;
    offer->list = calloc(nr, sizeof(*offer->list));
    if (!offer->list)
        return notes_add_error(fleet->notes, offer->host, -ENOMEM, NULL);
    for (i = 0; i < nr; i++)
        if (!planner_prepare(&offer->planner, fleet->configs[i],
                             &offer->list[i]))
            return false;
    host = offer->planner.snapshot->host;
    if (what->optimise ? !planner_optimise(offer->list, nr, host, what->work)
                       : !planner_place_all(offer->list, nr, NULL, host))
        return false;
    return judge(offer, nr);
}

/* ---- ranking ---- */

static uint64_t figure_of(const struct offer *offer, enum fleet_reason what)
{
    if (what == FLEET_LEFT_OUT || !offer->good)
        return !offer->good;
    /* How near a domain came to fitting does not count. */
    if (what > FLEET_UNFIT && offer->cost.nr_unfit)
        return 0;
    switch (what) {
    case FLEET_UNFIT:      return offer->cost.nr_unfit;
    case FLEET_RELAXED:    return offer->cost.nr_relaxed;
    case FLEET_AWAY:       return offer->cost.away_bytes;
    case FLEET_MORE_NODES: return offer->cost.nr_nodes;
    case FLEET_FARTHER:    return offer->distance;
    case FLEET_LEFT:       return offer->left_bytes;
    default:               return 0;
    }
}

enum fleet_reason fleet_compare(const struct offer *a, const struct offer *b)
{
    enum fleet_reason what = FLEET_LEFT_OUT;

    while (what < FLEET_ORDER && figure_of(a, what) == figure_of(b, what))
        what++;
    return what;
}

static bool is_better(const struct offer *a, const struct offer *b)
{
    enum fleet_reason what = fleet_compare(a, b);

    return figure_of(a, what) < figure_of(b, what);
}

/* Each behind all that are as good: those stay in their order. */
static void rank(struct fleet *fleet)
{
    struct offer moved;
    unsigned i, at;

    for (i = 1; i < fleet->nr; i++) {
        moved = fleet->offers[i];
        for (at = i; at && is_better(&moved, &fleet->offers[at - 1]); at--)
            fleet->offers[at] = fleet->offers[at - 1];
        fleet->offers[at] = moved;
    }
}

const struct offer *fleet_choice(const struct fleet *fleet)
{
    const struct offer *first = fleet->offers;

    return first->good && !first->cost.nr_unfit ? first : NULL;
}

/* ---- what there is to plan ---- */

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return !strcmp(a, b) || (!stat(a, &x) && !stat(b, &y) &&
                             x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* The host in the ranking, if it is there already. */
static const struct offer *find_host(const struct fleet *fleet,
                                     const char *host)
{
    unsigned i;

    for (i = 0; i < fleet->nr; i++)
        if (fleet->offers[i].host && is_same_file(fleet->offers[i].host, host))
            return &fleet->offers[i];
    return NULL;
}

static bool name_hosts(struct fleet *fleet, const struct fleet_query *what)
{
    const struct offer *same;
    unsigned i;

    fleet->offers = calloc(what->nr_hosts, sizeof(*fleet->offers));
    if (!fleet->offers)
        return notes_add_error(fleet->notes, "numa-plan", -ENOMEM, NULL);
    for (i = 0; i < what->nr_hosts; i++) {
        same = find_host(fleet, what->hosts[i]);
        if (same)
            notes_add(fleet->notes, "%s: the same host as '%s': counted once",
                      what->hosts[i], same->host);
        else
            fleet->offers[fleet->nr++].host = what->hosts[i];
    }
    return true;
}

/* Once for all hosts: they may come through a pipe. */
static bool read_configs(struct fleet *fleet, const struct fleet_query *what)
{
    unsigned i;

    fleet->configs = calloc(what->nr_configs, sizeof(*fleet->configs));
    if (!fleet->configs)
        return notes_add_error(fleet->notes, "numa-plan", -ENOMEM, NULL);
    for (i = 0; i < what->nr_configs; i++, fleet->nr_configs++)
        if (!planner_read_config(fleet->notes, fleet->defaults,
                                 what->words[what->nr_keys + i], what->words,
                                 what->nr_keys, &fleet->configs[i]))
            return false;
    return true;
}

bool fleet_plan(struct fleet *fleet, struct notes *notes,
                const struct fleet_query *what)
{
    bool any = false;
    unsigned i;

    *fleet = (struct fleet){ .notes = notes };
    if (!planner_read_defaults(notes, what->defaults, &fleet->defaults) ||
        !read_configs(fleet, what) || !name_hosts(fleet, what))
        return false;
    for (i = 0; i < fleet->nr; i++) {
        struct offer *offer = &fleet->offers[i];

        offer->good = plan_on(offer, fleet, what);
        if (!offer->good)
            notes_add(notes, "%s: left out", offer->host);
        any |= offer->good;
    }
    rank(fleet);
    return any;
}

void fleet_dispose(struct fleet *fleet)
{
    unsigned i, j;

    for (i = 0; i < fleet->nr; i++) {
        for (j = 0; fleet->offers[i].list && j < fleet->nr_configs; j++)
            planned_dispose(&fleet->offers[i].list[j]);
        free(fleet->offers[i].list);
        planner_end(&fleet->offers[i].planner);
    }
    for (i = 0; i < fleet->nr_configs; i++)
        config_free(fleet->configs[i]);
    free(fleet->configs);
    free(fleet->offers);
    keys_free(fleet->defaults);
}
