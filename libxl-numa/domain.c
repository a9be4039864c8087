/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The domains of a running hypervisor. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "text/from_errno.h"
#include "text/units.h"

static void dispose(struct xln_domain *d)
{
    unsigned i;

    for (i = 0; d->vcpus && i < d->nr_vcpus; i++) {
        xln_cpumap_free(d->vcpus[i].hard);
        xln_cpumap_free(d->vcpus[i].soft);
    }
    free(d->vcpus);
    xln_nodemap_free(d->nodes);
}

void xln_domains_free(struct xln_domains *domains)
{
    unsigned i;

    if (!domains)
        return;
    for (i = 0; i < domains->nr; i++)
        dispose(&domains->list[i]);
    free(domains->list);
    free(domains);
}

static void add_bits(struct xln_bitmap *set, const uint8_t *map,
                     unsigned nr_bits)
{
    unsigned bit;

    for (bit = 0; bit < nr_bits; bit++)
        if (map[bit / 8] & (1u << bit % 8))
            xln_bitmap_set(set, bit);
}

/* ---- one domain ---- */

int xln__affinity_read(xc_interface *xch, uint32_t domid, unsigned vcpu,
                       unsigned nr_cpus, struct xln_cpumap **hard_r,
                       struct xln_cpumap **soft_r)
{
    xc_cpumap_t hard = xc_cpumap_alloc(xch), soft = xc_cpumap_alloc(xch);
    int rc = -ENOMEM;

    if (!hard || !soft)
        goto out;
    if (xc_vcpu_getaffinity(xch, domid, vcpu, hard, soft,
                            XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)) {
        rc = xln__from_errno();
        goto out;
    }
    rc = xln_cpumap_new(nr_cpus, hard_r);
    if (rc)
        goto out;
    rc = xln_cpumap_new(nr_cpus, soft_r);
    if (rc) {
        xln_cpumap_free(*hard_r);
        *hard_r = NULL;
        goto out;
    }
    add_bits(xln_cpumap_bits(*hard_r), hard, nr_cpus);
    add_bits(xln_cpumap_bits(*soft_r), soft, nr_cpus);

 out:
    free(hard);
    free(soft);
    return rc;
}

static int read_vcpu(xc_interface *xch, uint32_t domid, unsigned vcpu,
                     unsigned nr_cpus, struct xln_vcpu *v)
{
    xc_vcpuinfo_t info;

    if (xc_vcpu_getinfo(xch, domid, vcpu, &info))
        return xln__from_errno();
    v->exists = true;
    v->online = info.online;
    v->blocked = info.blocked;
    v->running = info.running;
    v->cpu = info.cpu;
    v->time_ns = info.cpu_time;
    return xln__affinity_read(xch, domid, vcpu, nr_cpus, &v->hard, &v->soft);
}

/* -ESRCH: it has ended. */
static int look_again(xc_interface *xch, uint32_t domid)
{
    xc_domaininfo_t info;
    int nr = xc_domain_getinfolist(xch, domid, 1, &info);

    if (nr < 0)
        return xln__from_errno();
    return nr && info.domain == domid ? 0 : -ESRCH;
}

static int read_vcpus(xc_interface *xch, unsigned nr_cpus,
                      struct xln_domain *d)
{
    unsigned i;
    int rc;

    if (!d->nr_vcpus)
        return 0;
    d->vcpus = calloc(d->nr_vcpus, sizeof(*d->vcpus));
    if (!d->vcpus)
        return -ENOMEM;
    for (i = 0; i < d->nr_vcpus; i++) {
        rc = read_vcpu(xch, d->domid, i, nr_cpus, &d->vcpus[i]);
        /* Either this number has no vCPU yet, or the domain has ended. */
        if (rc == -ESRCH) {
            d->vcpus[i] = (struct xln_vcpu){ .exists = false };
            rc = look_again(xch, d->domid);
        }
        if (rc)
            return rc;
    }
    return 0;
}

static int read_nodes(xc_interface *xch, struct xln_domain *d)
{
    int max = xc_get_max_nodes(xch), rc;
    xc_nodemap_t map;

    if (max <= 0)
        return xln__from_errno();
    map = xc_nodemap_alloc(xch);
    if (!map)
        return -ENOMEM;
    rc = xc_domain_node_getaffinity(xch, d->domid, map) ? xln__from_errno()
                                                        : 0;
    if (!rc)
        rc = xln_nodemap_new(max, &d->nodes);
    if (!rc)
        add_bits(xln_nodemap_bits(d->nodes), map, max);
    free(map);
    return rc;
}

static void fill(struct xln_domain *d, const xc_domaininfo_t *info)
{
    d->domid = info->domain;
    memcpy(d->uuid, info->handle, sizeof(d->uuid));
    d->dying = info->flags & XEN_DOMINF_dying;
    d->is_pv = !(info->flags & XEN_DOMINF_hvm_guest);
    d->pool_id = info->cpupool;
    d->memory_bytes = info->tot_pages << PAGE_SHIFT;
    d->claimed_bytes = info->outstanding_pages << PAGE_SHIFT;
    /* max_vcpu_id is all ones before the first vCPU exists. */
    d->nr_vcpus = info->max_vcpu_id + 1;
}

static int read_domain(xc_interface *xch, const xc_domaininfo_t *info,
                       unsigned nr_cpus, struct xln_domain *d)
{
    int rc;

    fill(d, info);
    if (d->dying)
        return 0;
    rc = read_nodes(xch, d);
    return rc ? rc : read_vcpus(xch, nr_cpus, d);
}

/* ---- all of them ---- */

/* Add a domain at the end of the list. -ESRCH: it has ended meanwhile. */
static int add_domain(xc_interface *xch, const xc_domaininfo_t *info,
                      unsigned nr_cpus, struct xln_domains *domains)
{
    struct xln_domain *list, d = { 0 };
    int rc = read_domain(xch, info, nr_cpus, &d);

    if (!rc) {
        list = realloc(domains->list, (domains->nr + 1) * sizeof(d));
        if (list) {
            domains->list = list;
            list[domains->nr++] = d;
            return 0;
        }
        rc = -ENOMEM;
    }
    dispose(&d);
    return rc;
}

#define BATCH 256               /* number of domains in the answer of one
                                   hypercall */

int xln__each_domain(xc_interface *xch, xln__visit_domain *visit, void *arg)
{
    xc_domaininfo_t *info = calloc(BATCH, sizeof(*info));
    uint32_t next = 0;
    int nr, i, rc = 0;

    if (!info)
        return -ENOMEM;
    do {
        nr = xc_domain_getinfolist(xch, next, BATCH, info);
        if (nr < 0)
            rc = xln__from_errno();
        for (i = 0; i < nr && !rc; i++)
            rc = visit(arg, &info[i]);
        if (nr > 0)
            next = info[nr - 1].domain + 1;
    } while (!rc && nr == BATCH);
    free(info);
    return rc;
}

static int read_batch(xc_interface *xch, uint32_t first, unsigned max,
                      unsigned nr_cpus, struct xln_domains *domains)
{
    xc_domaininfo_t *info = calloc(max, sizeof(*info));
    int nr, i, rc = 0;

    if (!info)
        return -ENOMEM;
    nr = xc_domain_getinfolist(xch, first, max, info);
    if (nr < 0)
        rc = xln__from_errno();
    for (i = 0; i < nr && !rc; i++) {
        rc = add_domain(xch, &info[i], nr_cpus, domains);
        if (rc == -ESRCH)
            rc = 0;
    }
    if (!rc && nr > 0)
        rc = info[nr - 1].domain + 1;
    free(info);
    return rc;
}

static int read_some(xc_interface *xch, uint32_t domid,
                     struct xln_domains *domains)
{
    int nr_cpus = xc_get_max_cpus(xch), next = 0;

    if (nr_cpus <= 0)
        return xln__from_errno();
    if (domid != XLN_NONE) {
        next = read_batch(xch, domid, 1, nr_cpus, domains);
        if (next < 0)
            return next;
        return domains->nr && domains->list[0].domid == domid ? 0 : -ESRCH;
    }
    do {
        next = read_batch(xch, next, BATCH, nr_cpus,
                          domains);
    } while (next > 0);
    return next;
}

int xln_domains_read(xc_interface *xch, uint32_t domid,
                     struct xln_domains **domains_r)
{
    struct xln_domains *domains = calloc(1, sizeof(*domains));
    int rc;

    if (!domains)
        return -ENOMEM;
    rc = read_some(xch, domid, domains);
    if (rc) {
        xln_domains_free(domains);
        return rc;
    }
    *domains_r = domains;
    return 0;
}

/* ---- what follows from it ---- */

int xln_domain_cpus(const struct xln_domain *domain,
                    const struct xln_cpumap *pool_cpus, bool soft,
                    struct xln_cpumap **cpus_r)
{
    struct xln_cpumap *all = NULL, *one = NULL;
    unsigned i;
    int rc;

    rc = xln_cpumap_new(xln_cpumap_nr_bits(pool_cpus), &all);
    for (i = 0; i < domain->nr_vcpus && !rc; i++) {
        const struct xln_vcpu *v = &domain->vcpus[i];

        if (!v->exists)
            continue;
        rc = xln_cpumap_copy(pool_cpus, &one);
        if (rc)
            break;
        xln_cpumap_and(one, v->hard);
        if (soft && xln_cpumap_intersects(one, v->soft))
            xln_cpumap_and(one, v->soft);
        xln_cpumap_or(all, one);
        xln_cpumap_free(one);
    }
    if (rc) {
        xln_cpumap_free(all);
        return rc;
    }
    *cpus_r = all;
    return 0;
}

/* ---- changing them ---- */

/* In a map of `size` bytes; -EINVAL: it does not fit. */
static int put_bits(const struct xln_bitmap *set, uint8_t *map, int size)
{
    unsigned bit;

    XLN_FOREACH(xln_bitmap, bit, set) {
        if (bit / 8 >= (unsigned)size)
            return -EINVAL;
        map[bit / 8] |= 1u << bit % 8;
    }
    return 0;
}

static int make_map(xc_interface *xch, const struct xln_cpumap *cpus,
                    xc_cpumap_t *map_r)
{
    int size = xc_get_cpumap_size(xch), rc;
    xc_cpumap_t map;

    if (size <= 0)
        return xln__from_errno();
    map = xc_cpumap_alloc(xch);
    if (!map)
        return -ENOMEM;
    rc = put_bits(xln_cpumap_bits(cpus), map, size);
    if (rc)
        free(map);
    else
        *map_r = map;
    return rc;
}

int xln_vcpu_pin(xc_interface *xch, uint32_t domid, unsigned vcpu,
                 const struct xln_cpumap *hard, const struct xln_cpumap *soft,
                 bool force)
{
    xc_cpumap_t hard_map = NULL, soft_map = NULL;
    uint32_t flags = force ? XEN_VCPUAFFINITY_FORCE : 0;
    int rc = 0;

    if (hard) {
        flags |= XEN_VCPUAFFINITY_HARD;
        rc = make_map(xch, hard, &hard_map);
    }
    if (soft && !rc) {
        flags |= XEN_VCPUAFFINITY_SOFT;
        rc = make_map(xch, soft, &soft_map);
    }
    if (!rc && xc_vcpu_setaffinity(xch, domid, vcpu, hard_map, soft_map, flags))
        rc = xln__from_errno();
    free(hard_map);
    free(soft_map);
    return rc;
}

int xln_domain_set_nodes(xc_interface *xch, uint32_t domid,
                         const struct xln_nodemap *nodes)
{
    int size = xc_get_nodemap_size(xch), rc = 0;
    xc_nodemap_t map;

    if (size <= 0)
        return xln__from_errno();
    map = xc_nodemap_alloc(xch);
    if (!map)
        return -ENOMEM;
    /* Every node that Xen can name, which is more than any host has. Xen takes
     * this as the request to follow the vCPUs. */
    if (nodes)
        rc = put_bits(xln_nodemap_bits(nodes), map, size);
    else
        memset(map, 0xff, size);
    if (!rc && xc_domain_node_setaffinity(xch, domid, map))
        rc = xln__from_errno();
    free(map);
    return rc;
}

bool xln_domain_lives(xc_interface *xch, uint32_t domid)
{
    xc_domaininfo_t info;
    int nr = xc_domain_getinfolist(xch, domid, 1, &info);

    /* If Xen does not answer, the domain counts as existing. */
    return nr < 0 || (nr && info.domain == domid &&
                      !(info.flags & XEN_DOMINF_dying));
}
