/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include <xenstore.h>

#include "placement/record.h"
#include "text/clock.h"
#include "text/from_errno.h"
#include "text/units.h"
#include "residents.h"

/* ---- the running host ---- */

static unsigned nr_used(const uint64_t *pages, unsigned nr_nodes)
{
    unsigned node, nr = 0;

    for (node = 0; node < nr_nodes; node++)
        nr += pages[node] > 0;
    return nr;
}

static int set_memory(const uint64_t *pages, unsigned nr_nodes,
                      struct xln_snapshot_domain *more)
{
    unsigned node;

    more->memory = calloc(nr_used(pages, nr_nodes) + 1, sizeof(*more->memory));
    if (!more->memory)
        return -ENOMEM;
    for (node = 0; node < nr_nodes; node++)
        if (pages[node])
            more->memory[more->nr_memory++] = (struct xln_share){
                .node = node, .bytes = pages[node] << PAGE_SHIFT,
            };
    more->memory_source = XLN_MEMORY_AT_BUILD;
    return 0;
}

/* `pages`: room for a number for each node. */
static int read_record(struct xs_handle *xs, const struct xln_domain *domain,
                       uint64_t *pages, unsigned nr_nodes,
                       struct xln_snapshot_domain *more)
{
    int rc = record_read_pages(xs, domain->domid, pages, nr_nodes);

    if (rc)
        return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
    rc = set_memory(pages, nr_nodes, more);
    if (!rc)
        rc = record_read_start(xs, domain->uuid, &more->memory_time_s);
    if (rc == -ENOENT) {
        more->memory_time_s = 0;
        rc = 0;
    }
    return rc;
}

static int read_records(struct xln_snapshot *snapshot)
{
    unsigned nr_nodes = xln_host_nr_nodes(snapshot->host), i;
    uint64_t *pages = calloc(nr_nodes, sizeof(*pages));
    struct xs_handle *xs = xs_open(0);
    int rc = !xs ? xln__from_errno() : pages ? 0 : -ENOMEM;

    for (i = 0; i < snapshot->domains->nr && !rc; i++)
        if (!snapshot->domains->list[i].dying)
            rc = read_record(xs, &snapshot->domains->list[i], pages, nr_nodes,
                             &snapshot->more[i]);
    xs_close(xs);
    free(pages);
    return rc;
}

/* A domain that has ended meanwhile has no name or no record. That says
 * nothing about the domain. */
static void mark_ended(xc_interface *xch, struct xln_snapshot *snapshot)
{
    struct xln_domain *domain = snapshot->domains->list;
    unsigned i;

    for (i = 0; i < snapshot->domains->nr; i++, domain++)
        if (!domain->dying &&
            (!snapshot->more[i].name ||
             snapshot->more[i].memory_source == XLN_MEMORY_UNKNOWN))
            domain->dying = !xln_domain_lives(xch, domain->domid);
}

/* Not an error if not one domain fitted into the ring. */
static int count_pages(xc_interface *xch, struct xln_residency **residency_r,
                       double *report_s_r)
{
    double start = clock_s(CLOCK_MONOTONIC);
    int rc = xln_residency_read(xch, residency_r);

    *report_s_r = clock_s(CLOCK_MONOTONIC) - start;
    return rc == -ENOENT ? 0 : rc;
}

static int add_memory(xc_interface *xch, struct xln_snapshot *snapshot,
                      const struct xln_residency *residency, bool count)
{
    int rc = 0;

    if (residency)
        rc = xln_snapshot_add_residency(snapshot, residency);
    else if (!count)
        rc = read_records(snapshot);
    if (!rc)
        mark_ended(xch, snapshot);
    return rc;
}

int residents_read_host(xc_interface *xch, libxl_ctx *ctx, bool count,
                        struct xln_snapshot **snapshot_r, double *report_s_r)
{
    struct xln_residency *residency = NULL;
    struct xln_snapshot *snapshot = NULL;
    int rc = 0;

    /* Before the snapshot, so that the report has every domain of it, except
     * those that are quite new. */
    *report_s_r = 0;
    if (count)
        rc = count_pages(xch, &residency, report_s_r);
    if (!rc)
        rc = xln_snapshot_read(xch, ctx, RESERVATIONS, &snapshot);
    if (!rc)
        rc = add_memory(xch, snapshot, residency, count);
    xln_residency_free(residency);
    if (rc)
        xln_snapshot_free(snapshot);
    else
        *snapshot_r = snapshot;
    return rc;
}

/* ---- each domain ---- */

static int fill_pages(const struct xln_host *host,
                      const struct xln_snapshot_domain *more,
                      struct resident *r)
{
    unsigned i;

    r->pages = calloc(xln_host_nr_nodes(host), sizeof(*r->pages));
    if (!r->pages)
        return -ENOMEM;
    for (i = 0; i < more->nr_memory; i++)
        r->pages[more->memory[i].node] = more->memory[i].bytes >> PAGE_SHIFT;
    r->source = more->memory_source;
    return 0;
}

/* Someone may have set the clock back. */
static int64_t age_of(const struct xln_snapshot *snapshot,
                      const struct xln_snapshot_domain *more)
{
    int64_t age_s = snapshot->time_s - more->memory_time_s;

    return snapshot->time_s > 0 && more->memory_time_s > 0 && age_s >= 0
               ? age_s : -1;
}

static int find_may_nodes(const struct xln_host *host, struct resident *r)
{
    const struct xln_host_pool *pool = xln_host_pool(host, r->domain->pool_id);
    struct xln_cpumap *cpus;
    int rc;

    if (!pool)
        return 0;
    rc = xln_domain_cpus(r->domain, pool->cpus, true, &cpus);
    if (rc)
        return rc;
    rc = xln_host_nodes_of_cpus(host, cpus, &r->may_nodes);
    xln_cpumap_free(cpus);
    return rc;
}

/* The nodes of its online vCPUs, of all or of those that run. */
static int find_nodes(const struct xln_host *host, const struct resident *r,
                      bool running, struct xln_nodemap **nodes_r)
{
    const struct xln_host_cpu *cpu;
    const struct xln_vcpu *v;
    unsigned i;
    int rc = xln_nodemap_new(xln_host_nr_nodes(host), nodes_r);

    for (i = 0; i < r->domain->nr_vcpus && !rc; i++) {
        v = &r->domain->vcpus[i];
        cpu = v->exists && v->online && (v->running || !running)
                  ? xln_host_cpu(host, v->cpu) : NULL;
        if (cpu && cpu->node != XLN_NONE)
            xln_nodemap_set(*nodes_r, cpu->node);
    }
    return rc;
}

static int find_running(const struct xln_host *host, struct resident *r)
{
    struct xln_nodemap *nodes;
    int rc = find_nodes(host, r, true, &nodes);

    if (rc)
        return rc;
    locality_of(host, r->pages, nodes, &r->running);
    xln_nodemap_free(nodes);
    return 0;
}

static int fill(const struct xln_snapshot *snapshot, unsigned i,
                struct resident *r)
{
    const struct xln_host *host = snapshot->host;
    int rc;

    r->domain = &snapshot->domains->list[i];
    r->name = snapshot->more[i].name;
    r->age_s = age_of(snapshot, &snapshot->more[i]);
    rc = fill_pages(host, &snapshot->more[i], r);
    if (!rc)
        rc = find_may_nodes(host, r);
    if (!rc)
        rc = find_nodes(host, r, false, &r->now_nodes);
    if (!rc)
        rc = find_running(host, r);
    if (rc)
        return rc;
    if (r->may_nodes)
        locality_of(host, r->pages, r->may_nodes, &r->may);
    locality_of(host, r->pages, r->now_nodes, &r->now);
    return 0;
}

static void dispose(struct resident *r)
{
    free(r->pages);
    xln_nodemap_free(r->may_nodes);
    xln_nodemap_free(r->now_nodes);
}

void residents_free(struct residents *residents)
{
    unsigned i;

    if (!residents)
        return;
    for (i = 0; i < residents->nr; i++)
        dispose(&residents->list[i]);
    free(residents->list);
    free(residents);
}

static bool is_among(uint32_t domid, const uint32_t *domids, unsigned nr)
{
    unsigned i;

    for (i = 0; i < nr; i++)
        if (domids[i] == domid)
            return true;
    return false;
}

void residents_keep(struct residents *residents, const uint32_t *domids,
                    unsigned nr)
{
    unsigned i, kept = 0;

    for (i = 0; i < residents->nr; i++) {
        if (is_among(residents->list[i].domain->domid, domids, nr))
            residents->list[kept++] = residents->list[i];
        else
            dispose(&residents->list[i]);
    }
    residents->nr = kept;
}

unsigned resident_remote_permille(const struct resident *r)
{
    unsigned local = 1000;

    if (!r->may.known && !r->running.known)
        return XLN_NONE;
    if (r->may.known)
        local = r->may.local_permille;
    if (r->running.known && r->running.local_permille < local)
        local = r->running.local_permille;
    return 1000 - local;
}

int residents_new(const struct xln_snapshot *snapshot,
                  struct residents **residents_r)
{
    struct residents *residents = calloc(1, sizeof(*residents));
    unsigned i;
    int rc = 0;

    if (!residents)
        return -ENOMEM;
    residents->list = calloc(snapshot->domains->nr + 1,
                             sizeof(*residents->list));
    if (!residents->list)
        rc = -ENOMEM;
    for (i = 0; i < snapshot->domains->nr && !rc; i++)
        if (!snapshot->domains->list[i].dying)
            rc = fill(snapshot, i, &residents->list[residents->nr++]);
    if (rc)
        residents_free(residents);
    else
        *residents_r = residents;
    return rc;
}
