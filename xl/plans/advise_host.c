/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "advise_host.h"
#include "placement/creator.h"
#include "placement/record.h"
#include "text/from_errno.h"
#include "text/units.h"

/* ---- one domain ---- */

/* Without a record Xen has taken it from the domain's nodes in turn. */
static void assume_pages(const struct xln_host *host, const struct xln_domain *d,
                         uint64_t *pages)
{
    unsigned node, nr = 0;
    uint64_t part;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        nr += xln_nodemap_test(d->nodes, node);
    part = nr ? (d->memory_bytes >> PAGE_SHIFT) / nr : 0;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        if (xln_nodemap_test(d->nodes, node))
            pages[node] = part;
}

/* The place of its memory was recorded when it was built, or a saved host has
 * it. */
static int read_pages(const struct planner *p, struct xs_handle *xs,
                      unsigned index, uint64_t *pages)
{
    const struct xln_host *host = p->snapshot->host;
    const struct xln_domain *d = &p->snapshot->domains->list[index];
    const struct xln_snapshot_domain *more = &p->snapshot->more[index];
    unsigned i;
    int rc = -ENOENT;

    if (p->ctx)
        rc = record_read_pages(xs, d->domid, pages, xln_host_nr_nodes(host));
    if (rc != -ENOENT && rc != -EINVAL)
        return rc;
    for (i = 0; i < more->nr_memory; i++)
        pages[more->memory[i].node] = more->memory[i].bytes >> PAGE_SHIFT;
    if (more->memory_source == XLN_MEMORY_UNKNOWN)
        assume_pages(host, d, pages);
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

/* The request of the domain, over the defaults of the host. A record that
 * cannot be read asks for nothing. */
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

/* For PVH and HVM the pages of their page tables
 * (libxl_get_required_paging_memory()), and little else. */
uint64_t advise_overhead(const struct xln_domain *d)
{
    uint64_t mib = d->memory_bytes / MIB;

    if (d->is_pv)
        return MIB;
    return 2 * MIB + PAGE_BYTES * (256 * (uint64_t)d->nr_vcpus + 2 * mib);
}

/* The hard affinities of the domain, if any vCPU has one that is not all CPUs.
 */
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

/* Whether the request names nodes that the host does not have: then the domain
 * stays where it is. */
static bool asks_absent(const struct xln_host *host,
                        const struct xln_request *request)
{
    const struct xln_nodemap *here = xln_host_nodes(host);

    return (request->nodes && !xln_nodemap_is_subset(request->nodes, here)) ||
           (request->mem_nodes &&
            !xln_nodemap_is_subset(request->mem_nodes, here));
}

static int read_guest(const struct planner *p, struct xs_handle *xs,
                      unsigned index, const struct xln_host_pool *pool,
                      struct advise_guest *guest,
                      const struct xln_cpumap ***hard)
{
    const struct xln_snapshot *s = p->snapshot;
    const struct xln_domain *d = &s->domains->list[index];
    int rc;

    guest->name = s->more[index].name;
    guest->domid = d->domid;
    memcpy(guest->uuid, d->uuid, sizeof(guest->uuid));
    guest->need = (struct xln_need){
        .memory_bytes = d->memory_bytes,
        .overhead_bytes = advise_overhead(d),
        .nr_vcpus = d->nr_vcpus,
        .pool_cpus = pool->cpus,
    };
    /* A move makes it anew, with the memory that it has. */
    guest->kind = (struct decide_guest){
        .type = d->is_pv ? LIBXL_DOMAIN_TYPE_PV : LIBXL_DOMAIN_TYPE_HVM,
        .restored = true,
        .again = true,
    };
    guest->libvirts = p->ctx && creator_is_libvirt(p->ctx, d->domid);
    guest->pages = calloc(xln_host_nr_nodes(s->host), sizeof(*guest->pages));
    if (!guest->pages)
        return -ENOMEM;
    rc = read_pages(p, xs, index, guest->pages);
    if (!rc)
        rc = read_hard(d, pool, &guest->need, hard);
    if (!rc)
        rc = read_vcpu_nodes(s->host, d, pool, &guest->vcpu_nodes);
    if (!rc)
        rc = read_request(p, s->more[index].request, &guest->request);
    if (!rc)
        guest->asks_absent = asks_absent(s->host, guest->request);
    return rc;
}

/* ---- all of them ---- */

static void drop_last(struct advise_guests *guests)
{
    struct advise_guest *guest = &guests->list[--guests->nr];

    free(guest->pages);
    xln_nodemap_free(guest->vcpu_nodes);
    xln_request_free(guest->request);
    *guest = (struct advise_guest){ 0 };
    free(guests->hard[guests->nr]);
    guests->hard[guests->nr] = NULL;
}

static void guests_dispose(struct advise_guests *guests)
{
    while (guests->nr)
        drop_last(guests);
    free(guests->list);
    free(guests->hard);
}

static int guests_read(const struct planner *p, struct xs_handle *xs,
                       struct advise_guests *guests)
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
        rc = read_guest(p, xs, i, pool, &guests->list[guests->nr],
                        &guests->hard[guests->nr]);
        guests->nr++;
    }
    return rc;
}

/* On the running host, from its records. */
static int guests_open(const struct planner *p, struct advise_guests *guests)
{
    struct xs_handle *xs = p->ctx ? xs_open(0) : NULL;
    int rc;

    if (p->ctx && !xs)
        return xln__from_errno();
    rc = guests_read(p, xs, guests);
    xs_close(xs);
    return rc;
}

/* ---- advice ---- */

int advise_fix(struct advise_fixed *fixed, const uint8_t uuid[16])
{
    uint8_t (*more)[16] = realloc(fixed->uuids,
                                  (fixed->nr + 1) * sizeof(*more));

    if (!more)
        return -ENOMEM;
    memcpy(more[fixed->nr++], uuid, sizeof(*more));
    fixed->uuids = more;
    return 0;
}

static bool is_fixed(const struct advise_fixed *fixed, const uint8_t uuid[16])
{
    unsigned i;

    for (i = 0; i < fixed->nr; i++)
        if (!memcmp(fixed->uuids[i], uuid, sizeof(fixed->uuids[i])))
            return true;
    return false;
}

static void mark_fixed(const struct advise_fixed *fixed,
                       struct advise_guests *guests)
{
    unsigned i;

    for (i = 0; i < guests->nr; i++)
        guests->list[i].fixed = is_fixed(fixed, guests->list[i].uuid);
}

int advise_host(const struct planner *planner, const struct planned *d,
                const struct advise_fixed *fixed, struct host_advice *a)
{
    struct advise_wish wish;
    int rc;

    *a = (struct host_advice){ .host = planner->snapshot->host };
    rc = guests_open(planner, &a->guests);
    if (rc)
        return rc;
    if (fixed)
        mark_fixed(fixed, &a->guests);
    if (!d)
        return advise_heal(a->host, a->guests.list, a->guests.nr, &a->advice);
    wish = (struct advise_wish){ d->request, &d->need, &d->guest };
    return advise_room(a->host, a->guests.list, a->guests.nr, &wish, &a->advice,
                       &a->plan);
}

void host_advice_dispose(struct host_advice *a)
{
    xln_plan_free(a->plan);
    advice_free(a->advice);
    guests_dispose(&a->guests);
}
