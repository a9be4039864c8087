/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "placement/record.h"
#include "plans/advise_host.h"
#include "text/units.h"
#include "top.h"

/* ---- the snapshot before ---- */

static int compare_domid(const void *key, const void *item)
{
    uint32_t domid = *(const uint32_t *)key;
    const struct xln_domain *d = item;

    return domid < d->domid ? -1 : domid > d->domid;
}

/* The same domain, and not another one with its number. NULL: it is new. */
static struct xln_domain *find_same(const struct xln_snapshot *s,
                                    const struct xln_domain *domain)
{
    struct xln_domain *d = NULL;

    if (s)
        d = bsearch(&domain->domid, s->domains->list, s->domains->nr,
                    sizeof(*d), compare_domid);
    return d && !memcmp(d->uuid, domain->uuid, sizeof(d->uuid)) ? d : NULL;
}

double top_vcpu_percent(const struct top *top, const struct xln_domain *domain,
                        unsigned vcpu)
{
    const struct xln_domain *was = find_same(top->before, domain);
    uint64_t now_ns = domain->vcpus[vcpu].time_ns, was_ns;

    if (!was || was->dying || top->between_s <= 0 || vcpu >= was->nr_vcpus)
        return -1;
    was_ns = was->vcpus[vcpu].time_ns;
    return now_ns < was_ns ? -1 : (now_ns - was_ns) / 1e7 / top->between_s;
}

static double cpu_percent(const struct top *top, const struct xln_domain *d)
{
    double all = -1, one;
    unsigned i;

    for (i = 0; i < d->nr_vcpus; i++) {
        one = top_vcpu_percent(top, d, i);
        if (one >= 0)
            all = all < 0 ? one : all + one;
    }
    return all;
}

/* The record of a domain's build is older than a count. */
static void keep_counts(struct xln_snapshot *was, struct xln_snapshot *s)
{
    const struct xln_domain *d;
    unsigned i;

    for (i = 0; was && i < s->domains->nr; i++) {
        struct xln_snapshot_domain *more = &s->more[i], *counted;

        d = find_same(was, &s->domains->list[i]);
        if (!d || s->domains->list[i].dying ||
            more->memory_source == XLN_MEMORY_COUNTED ||
            d->memory_bytes != s->domains->list[i].memory_bytes)
            continue;
        counted = &was->more[d - was->domains->list];
        if (counted->memory_source != XLN_MEMORY_COUNTED)
            continue;
        free(more->memory);
        more->memory = counted->memory;
        more->nr_memory = counted->nr_memory;
        more->memory_source = counted->memory_source;
        more->memory_time_s = counted->memory_time_s;
        counted->memory = NULL;
        counted->nr_memory = 0;
        counted->memory_source = XLN_MEMORY_UNKNOWN;
    }
}

/* ---- what to do ---- */

static uint64_t room_on(const struct xln_host *host, unsigned node)
{
    return xln_host_node_usable(xln_host_node(host, node), true,
                                XLN_DMA_RESERVE_DEFAULT);
}

/* A move makes a copy next to the domain: on one node of its vCPUs, that with
 * most room, or else on all of them. */
static void advise_move(const struct xln_host *host, struct top_domain *t)
{
    const struct xln_domain *d = t->d->r->domain;
    uint64_t need = d->memory_bytes + advise_overhead(d), most = 0, all = 0;
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, t->d->home) {
        uint64_t room = room_on(host, node);

        all += room;
        if (room <= most)
            continue;
        most = room;
        t->target_node = node;
    }
    t->advice = all >= need ? TOP_MOVE_IT : TOP_NO_ROOM;
    if (most < need)
        t->target_node = XLN_NONE;
}

static void advise(const struct xln_host *host, struct top_domain *t)
{
    const struct resident *r = t->d->r;

    t->target_node = XLN_NONE;
    if (!r->domain->domid)
        return;
    if (t->d->is_remote)
        advise_move(host, t);
    else if (r->source == XLN_MEMORY_UNKNOWN)
        t->advice = TOP_COUNT_IT;
    else if (r->now.known && r->now.apart)
        t->advice = TOP_RUNS_AWAY;
}

/* ---- domains ---- */

static int fill_domains(struct top *top)
{
    const struct map *map = top->map;
    unsigned i;

    top->domains = calloc(map->nr_domains + 1, sizeof(*top->domains));
    if (!top->domains)
        return -ENOMEM;
    for (i = 0; i < map->nr_domains; i++) {
        struct top_domain *t = &top->domains[top->nr_domains++];

        t->d = &map->domains[i];
        t->cpu_percent = cpu_percent(top, t->d->r->domain);
        t->cost = map_cost(t->d);
        advise(top->snapshot->host, t);
    }
    return 0;
}

const struct top_domain *top_find(const struct top *top, uint32_t domid)
{
    unsigned i;

    for (i = 0; i < top->nr_domains; i++)
        if (top->domains[i].d->r->domain->domid == domid)
            return &top->domains[i];
    return NULL;
}

/* ---- nodes and sockets ---- */

static int add_node(const struct map_node *n, unsigned number,
                    unsigned nr_running, struct top_place *place)
{
    unsigned i;

    if (!place->nodes && xln_nodemap_new(XLN_MAX_NODES, &place->nodes))
        return -ENOMEM;
    xln_nodemap_set(place->nodes, n->node);
    place->number = number;
    place->total_bytes += n->total_bytes;
    place->free_bytes += n->free_bytes;
    place->nr_cpus += n->nr_cpus;
    place->nr_running += nr_running;
    for (i = 0; i < n->nr_parts; i++) {
        place->local_bytes +=
            n->parts[i].kind == MAP_LOCAL ? n->parts[i].bytes : 0;
        place->remote_bytes +=
            n->parts[i].kind == MAP_REMOTE ? n->parts[i].bytes : 0;
    }
    return 0;
}

/* `nr_running`: by node. Of a domain that is dying no vCPU was read. */
static void count_running(const struct xln_snapshot *s, unsigned *nr_running)
{
    const struct xln_host_cpu *cpu;
    const struct xln_domain *d;
    unsigned i, v;

    for (i = 0; i < s->domains->nr; i++) {
        d = &s->domains->list[i];
        for (v = 0; !d->dying && v < d->nr_vcpus; v++) {
            cpu = d->vcpus[v].running
                      ? xln_host_cpu(s->host, d->vcpus[v].cpu) : NULL;
            if (cpu && cpu->node != XLN_NONE)
                nr_running[cpu->node]++;
        }
    }
}

/* The map has the nodes of a socket next to each other. */
static int add_nodes(struct top *top, const unsigned *nr_running)
{
    const struct map *map = top->map;
    unsigned i, nr_running_here;
    int rc = 0;

    for (i = 0; i < map->nr_nodes && !rc; i++) {
        const struct map_node *n = &map->nodes[i];

        nr_running_here = nr_running[n->node];
        rc = add_node(n, n->node, nr_running_here,
                      &top->nodes[top->nr_nodes++]);
        if (!i || n->socket != n[-1].socket)
            top->nr_sockets++;
        if (!rc)
            rc = add_node(n, n->socket, nr_running_here,
                          &top->sockets[top->nr_sockets - 1]);
    }
    return rc;
}

static int fill_places(struct top *top)
{
    unsigned *nr_running = calloc(xln_host_nr_nodes(top->snapshot->host),
                                  sizeof(*nr_running));
    int rc = -ENOMEM;

    top->nodes = calloc(top->map->nr_nodes + 1, sizeof(*top->nodes));
    top->sockets = calloc(top->map->nr_nodes + 1, sizeof(*top->sockets));
    if (nr_running && top->nodes && top->sockets) {
        count_running(top->snapshot, nr_running);
        rc = add_nodes(top, nr_running);
    }
    free(nr_running);
    return rc;
}

/* ---- all of it ---- */

static void free_places(struct top_place *places, unsigned nr)
{
    while (nr--)
        xln_nodemap_free(places[nr].nodes);
    free(places);
}

void top_dispose(struct top *top)
{
    free_places(top->nodes, top->nr_nodes);
    free_places(top->sockets, top->nr_sockets);
    free(top->domains);
    map_free(top->map);
    xln_snapshot_free(top->snapshot);
    xln_snapshot_free(top->before);
    *top = (struct top){ 0 };
}

int top_add(struct top *top, struct xln_snapshot *snapshot, double time_s)
{
    struct top next = {
        .snapshot = snapshot, .time_s = time_s, .before = top->snapshot,
        .between_s = time_s - top->time_s,
    };
    int rc;

    keep_counts(top->snapshot, snapshot);
    rc = map_new(snapshot, &next.map);
    if (!rc)
        rc = fill_domains(&next);
    if (!rc)
        rc = fill_places(&next);
    if (rc) {
        next.before = NULL;
        top_dispose(&next);
        return rc;
    }
    top->snapshot = NULL;
    top_dispose(top);
    *top = next;
    return 0;
}
