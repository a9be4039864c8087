/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plans/advise.h"
#include "advise_view.h"
#include "domain_word.h"
#include "placement/record.h"
#include "text/units.h"

enum { NAME, ID, MEMORY, FROM, TO, DISTANCE, THEN, COMMAND };

const struct table_column advise_view_columns[] = {
    [NAME] = { "NAME", "the domain to move", false, true },
    [ID] = { "ID", "its number", true, true },
    [MEMORY] = { "MEMORY", "MiB that are copied: all it has", true, true },
    [FROM] = { "FROM", "the nodes that it has memory on", false, true },
    [TO] = { "TO", "the nodes to move it to", false, true },
    [DISTANCE] = { "DISTANCE", "mean, from its vCPUs to its memory", true,
                   true },
    [THEN] = { "THEN", "the same after the move", true, true },
    [COMMAND] = { "COMMAND", "what to type for it", false, false },
    { 0 }
};

/* The domains that could be moved, and what their `need`s borrow. */
struct guests {
    unsigned nr;
    struct advise_guest *list;
    const struct xln_cpumap ***hard;
};

/* ---- one domain ---- */

/* Where its memory is was recorded when it was made. Else, as on a saved host,
 * Xen has taken it from its nodes in turn. */
static int read_pages(const struct planner *p, const struct xln_domain *d,
                      uint64_t *pages)
{
    const struct xln_host *host = p->snapshot->host;
    unsigned node, nr = 0;
    uint64_t part;
    int rc = -ENOENT;

    if (p->ctx)
        rc = record_read_pages(d->domid, pages, xln_host_nr_nodes(host));
    if (rc != -ENOENT && rc != -EINVAL)
        return rc;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        nr += xln_nodemap_test(d->nodes, node);
    part = nr ? (d->memory_bytes >> PAGE_SHIFT) / nr : 0;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        if (xln_nodemap_test(d->nodes, node))
            pages[node] = part;
    return 0;
}

static int read_vcpu_nodes(const struct xln_host *host,
                           const struct xln_domain *d,
                           const struct xln_host_pool *pool,
                           struct xln_nodemap **nodes_r)
{
    struct xln_cpumap *cpus;
    int rc = xln_domain_cpus(d, pool->cpus, true, &cpus);

    if (rc)
        return rc;
    rc = xln_host_nodes_of_cpus(host, cpus, nodes_r);
    xln_cpumap_free(cpus);
    return rc;
}

/* What it asked for, over the defaults of the host. A record that can't be read
 * asks for nothing. */
static int read_request(const struct planner *p, char *const *recorded,
                        struct xln_request **request_r)
{
    struct keys *keys = NULL;
    char *error = NULL;
    int rc;

    rc = recorded ? keys_read_pairs(recorded, &keys, &error) : 0;
    if (!rc || rc == -EINVAL)
        rc = decide_request(p->defaults, keys, NULL, request_r);
    keys_free(keys);
    free(error);
    return rc;
}

/* What libxl takes for it beside its memory: for PVH and HVM the pages of their
 * page tables (libxl_get_required_paging_memory()), and little else. */
static uint64_t overhead_of(const struct xln_domain *d)
{
    uint64_t mib = d->memory_bytes / MIB;

    if (d->is_pv)
        return MIB;
    return 2 * MIB + 4096 * (256 * (uint64_t)d->nr_vcpus + 2 * mib);
}

/* Its hard affinities, if any vCPU has one that binds. */
static int read_hard(const struct xln_domain *d,
                     const struct xln_host_pool *pool, struct xln_need *need,
                     const struct xln_cpumap ***hard_r)
{
    const struct xln_cpumap **hard;
    bool bound = false;
    unsigned i;

    hard = calloc(d->nr_vcpus, sizeof(*hard));
    if (!hard)
        return -ENOMEM;
    for (i = 0; i < d->nr_vcpus; i++) {
        hard[i] = d->vcpus[i].hard;
        bound |= hard[i] && !xln_cpumap_is_subset(pool->cpus, hard[i]);
    }
    *hard_r = hard;
    if (bound) {
        need->hard = hard;
        need->nr_hard = d->nr_vcpus;
    }
    return 0;
}

static int read_guest(const struct planner *p, unsigned index,
                      const struct xln_host_pool *pool,
                      struct advise_guest *guest,
                      const struct xln_cpumap ***hard)
{
    const struct xln_snapshot *s = p->snapshot;
    const struct xln_domain *d = &s->domains->list[index];
    int rc;

    guest->name = s->more[index].name;
    guest->domid = d->domid;
    guest->need = (struct xln_need){
        .memory_bytes = d->memory_bytes,
        .overhead_bytes = overhead_of(d),
        .nr_vcpus = d->nr_vcpus,
        .pool_cpus = pool->cpus,
    };
    /* A move makes it anew, with the memory that it has. */
    guest->kind = (struct decide_guest){
        .type = d->is_pv ? LIBXL_DOMAIN_TYPE_PV : LIBXL_DOMAIN_TYPE_HVM,
        .restored = true,
        .again = true,
    };
    guest->pages = calloc(xln_host_nr_nodes(s->host), sizeof(*guest->pages));
    if (!guest->pages)
        return -ENOMEM;
    rc = read_pages(p, d, guest->pages);
    if (!rc)
        rc = read_hard(d, pool, &guest->need, hard);
    if (!rc)
        rc = read_vcpu_nodes(s->host, d, pool, &guest->vcpu_nodes);
    if (!rc)
        rc = read_request(p, s->more[index].request, &guest->request);
    return rc;
}

/* ---- all of them ---- */

static void drop_last(struct guests *guests)
{
    struct advise_guest *guest = &guests->list[--guests->nr];

    free(guest->pages);
    xln_nodemap_free(guest->vcpu_nodes);
    xln_request_free(guest->request);
    *guest = (struct advise_guest){ 0 };
    free(guests->hard[guests->nr]);
    guests->hard[guests->nr] = NULL;
}

static void guests_dispose(struct guests *guests)
{
    while (guests->nr)
        drop_last(guests);
    free(guests->list);
    free(guests->hard);
}

/* Nodes that a request names and the host has not got: it stays. */
static bool is_possible(const struct xln_host *host,
                        const struct xln_request *request)
{
    const struct xln_nodemap *here = xln_host_nodes(host);

    return (!request->nodes || xln_nodemap_is_subset(request->nodes, here)) &&
           (!request->mem_nodes ||
            xln_nodemap_is_subset(request->mem_nodes, here));
}

static int guests_read(const struct planner *p, struct guests *guests)
{
    const struct xln_domains *domains = p->snapshot->domains;
    const struct xln_host_pool *pool;
    unsigned i;
    int rc = 0;

    guests->list = calloc(domains->nr + 1, sizeof(*guests->list));
    guests->hard = calloc(domains->nr + 1, sizeof(*guests->hard));
    if (!guests->list || !guests->hard)
        return -ENOMEM;
    for (i = 0; i < domains->nr && !rc; i++) {
        const struct xln_domain *d = &domains->list[i];

        pool = xln_host_pool(p->snapshot->host, d->pool_id);
        if (!d->domid || d->dying || !d->memory_bytes || !d->nr_vcpus || !pool)
            continue;
        rc = read_guest(p, i, pool, &guests->list[guests->nr],
                        &guests->hard[guests->nr]);
        guests->nr++;
        if (!rc && !is_possible(p->snapshot->host,
                                guests->list[guests->nr - 1].request))
            drop_last(guests);
    }
    return rc;
}

/* ---- the table ---- */

static void put_from(const struct xln_host *host,
                     const struct advise_guest *guest, struct table *table)
{
    struct xln_nodemap *from;
    unsigned node;
    int rc;

    rc = xln_nodemap_new(xln_host_nr_nodes(host), &from);
    if (rc) {
        table_fail(table, rc);
        return;
    }
    for (node = 0; node < xln_host_nr_nodes(host); node++)
        if (guest->pages[node])
            xln_nodemap_set(from, node);
    table_set(table, FROM, xln_nodemap_bits(from));
    xln_nodemap_free(from);
}

static void put_distance(struct table *table, unsigned column,
                         unsigned thousandths)
{
    if (thousandths != XLN_NONE)
        table_real(table, column, thousandths / 1000.0, "%u.%u",
                   thousandths / 1000, thousandths / 100 % 10);
}

/* Under the table too, to be pasted as it stands. */
static void put_command(const struct advise_move *move, struct table *table)
{
    char word[DOMAIN_WORD_MAX], *nodes = NULL, *command = NULL;
    int rc = xln_nodemap_format(move->nodes, &nodes);

    if (!rc && asprintf(&command, "xl numa-move %s %s",
                        domain_word(move->guest->name, move->guest->domid,
                                    word),
                        nodes) < 0) {
        command = NULL;
        rc = -ENOMEM;
    }
    if (rc)
        table_fail(table, rc);
    else
        table_text(table, COMMAND, command);
    if (!rc)
        table_below(table, "%s", command);
    free(nodes);
    free(command);
}

static void put_move(const struct xln_host *host,
                     const struct advise_move *move, struct table *table)
{
    const struct advise_guest *guest = move->guest;

    table_row(table);
    table_text(table, NAME, guest->name);
    table_count(table, ID, guest->domid);
    table_mib(table, MEMORY, move->bytes);
    put_from(host, guest, table);
    table_set(table, TO, xln_nodemap_bits(move->nodes));
    put_distance(table, DISTANCE, move->before);
    put_distance(table, THEN, move->after);
    put_command(move, table);
}

static void put_outcome(const struct advice *advice, const struct planned *d,
                        const struct xln_plan *plan, struct table *table)
{
    char *nodes;
    int rc;

    if (!d && advice->nr)
        return;
    if (!d) {
        table_below(table, "no move would bring memory nearer to its vCPUs");
        return;
    }
    if (!plan) {
        table_below(table, "no moves make room for '%s' on one node",
                    d->config->name);
        return;
    }
    rc = xln_nodemap_format(plan->nodes, &nodes);
    if (rc) {
        table_fail(table, rc);
        return;
    }
    table_below(table, "'%s' %sfits on node %s", d->config->name,
                advice->nr ? "then " : "", nodes);
    free(nodes);
}

static int make_table(const struct xln_host *host, const struct advice *advice,
                      const struct planned *d, const struct xln_plan *plan,
                      struct table **table_r)
{
    unsigned i;
    int rc;

    rc = table_new(advise_view_columns, "moves", table_r);
    if (rc)
        return rc;
    for (i = 0; i < advice->nr; i++)
        put_move(host, &advice->moves[i], *table_r);
    put_outcome(advice, d, plan, *table_r);
    return 0;
}

int advise_view_table(const struct planner *planner, const struct planned *d,
                      struct table **table_r, bool *fits_r)
{
    const struct xln_host *host = planner->snapshot->host;
    struct guests guests = { 0 };
    struct advice *advice = NULL;
    struct advise_wish wish;
    struct xln_plan *plan = NULL;
    int rc;

    if (d)
        wish = (struct advise_wish){ d->request, &d->need, &d->guest };
    rc = guests_read(planner, &guests);
    if (!rc)
        rc = d ? advise_room(host, guests.list, guests.nr, &wish, &advice,
                             &plan)
               : advise_heal(host, guests.list, guests.nr, &advice);
    if (!rc)
        rc = make_table(host, advice, d, plan, table_r);
    *fits_r = !d || plan;
    xln_plan_free(plan);
    advice_free(advice);
    guests_dispose(&guests);
    return rc;
}
