/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hypervisor that is made of tables, for the calls that read domains. */
#ifndef DOMAIN_XEN_H
#define DOMAIN_XEN_H

#include <errno.h>
#include <stdlib.h>

#include "fake-alloc.h"
#include "host.h"
#include "reservation.h"
#include "sets.h"
#include "tap.h"

#define MAX_CPUS 128
#define MAX_NODES 64
#define MAX_DOMAINS 320
#define FAILED EFAULT
#define NEVER UINT_MAX

/* ---- the hypervisor ---- */

struct domain {
    uint32_t domid;
    bool dying, is_hvm;
    unsigned nr_vcpus;
    uint64_t missing;           /* vCPU numbers below nr_vcpus, as bits */
    unsigned offline;           /* vCPUs from this number up */
    unsigned gone_at;           /* the call from which on it isn't there */
    uint8_t hard[MAX_CPUS / 8], soft[MAX_CPUS / 8];
};

static struct {
    struct domain domains[MAX_DOMAINS];     /* by domid */
    unsigned nr_domains;
    unsigned nr_calls, nr_lists, fail_at;
    const char *failed;         /* the name of the call that did */
} xen;

static inline bool fails(const char *name)
{
    if (++xen.nr_calls != xen.fail_at)
        return false;
    xen.failed = name;
    errno = FAILED;
    return true;
}

static inline struct domain *find(uint32_t domid)
{
    unsigned i;

    for (i = 0; i < xen.nr_domains; i++)
        if (xen.domains[i].domid == domid &&
            xen.nr_calls < xen.domains[i].gone_at)
            return &xen.domains[i];
    errno = ESRCH;
    return NULL;
}

/* Like Xen: EINVAL beyond the last vCPU, ESRCH for a number without a vCPU. */
static inline struct domain *find_vcpu(uint32_t domid, uint32_t vcpu)
{
    struct domain *d = find(domid);

    if (!d)
        return NULL;
    if (vcpu < d->nr_vcpus && !(d->missing >> vcpu & 1))
        return d;
    errno = vcpu < d->nr_vcpus ? ESRCH : EINVAL;
    return NULL;
}

/* These stand in for libxenctrl's. */

int xc_get_max_cpus(xc_interface *xch)
{
    (void)xch;
    return fails(__func__) ? -1 : MAX_CPUS;
}

int xc_get_max_nodes(xc_interface *xch)
{
    (void)xch;
    return fails(__func__) ? -1 : MAX_NODES;
}

xc_cpumap_t xc_cpumap_alloc(xc_interface *xch)
{
    (void)xch;
    return calloc(1, MAX_CPUS / 8);
}

xc_nodemap_t xc_nodemap_alloc(xc_interface *xch)
{
    (void)xch;
    return calloc(1, MAX_NODES / 8);
}

static inline void tell(xc_domaininfo_t *info, const struct domain *d)
{
    memset(info, 0, sizeof(*info));
    info->domain = d->domid;
    info->flags = (d->dying ? XEN_DOMINF_dying : 0) |
                  (d->is_hvm ? XEN_DOMINF_hvm_guest : 0);
    info->tot_pages = 1000 + d->domid;
    info->outstanding_pages = 7;
    info->cpupool = 5;
    info->max_vcpu_id = d->nr_vcpus - 1;
    memset(info->handle, 0xa0, sizeof(info->handle));
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain,
                          unsigned int max_domains, xc_domaininfo_t *info)
{
    unsigned i, nr = 0;

    (void)xch;
    if (fails(__func__))
        return -1;
    xen.nr_lists++;
    for (i = 0; i < xen.nr_domains && nr < max_domains; i++)
        if (xen.domains[i].domid >= first_domain &&
            xen.nr_calls < xen.domains[i].gone_at)
            tell(&info[nr++], &xen.domains[i]);
    return nr;
}

int xc_domain_node_getaffinity(xc_interface *xch, uint32_t domid,
                               xc_nodemap_t nodemap)
{
    (void)xch;
    if (fails(__func__) || !find(domid))
        return -1;
    nodemap[0] = 1u << domid % 8;
    nodemap[MAX_NODES / 8 - 1] = 0x80;
    return 0;
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu,
                    xc_vcpuinfo_t *info)
{
    const struct domain *d;

    (void)xch;
    if (fails(__func__))
        return -1;
    d = find_vcpu(domid, vcpu);
    if (!d)
        return -1;
    memset(info, 0, sizeof(*info));
    info->online = vcpu < d->offline;
    info->blocked = vcpu % 2;
    info->running = info->online && !info->blocked;
    info->cpu = 100 + vcpu;
    info->cpu_time = UINT64_C(5000000000) * (vcpu + 1);
    return 0;
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t cpumap_hard_inout,
                        xc_cpumap_t cpumap_soft_inout, uint32_t flags)
{
    const struct domain *d;

    (void)xch;
    if (fails(__func__))
        return -1;
    d = find_vcpu(domid, vcpu);
    if (!d)
        return -1;
    if (flags != (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(cpumap_hard_inout, d->hard, sizeof(d->hard));
    memcpy(cpumap_soft_inout, d->soft, sizeof(d->soft));
    return 0;
}

/* ---- hosts ---- */

static inline void set_bits(uint8_t *map, unsigned first, unsigned last)
{
    for (; first <= last; first++)
        map[first / 8] |= 1u << first % 8;
}

static inline struct domain *add(uint32_t domid, unsigned nr_vcpus)
{
    struct domain *d = &xen.domains[xen.nr_domains++];

    *d = (struct domain){ .domid = domid, .nr_vcpus = nr_vcpus,
                          .offline = NEVER, .gone_at = NEVER };
    set_bits(d->hard, 0, MAX_CPUS - 1);
    set_bits(d->soft, 64, 70);
    return d;
}

/* Domain 0 with two vCPUs, and guests 3 and 4 with one and three. */
static inline struct domain *three_domains(void)
{
    memset(&xen, 0, sizeof(xen));
    add(0, 2);
    add(3, 1);
    return add(4, 3);
}

/* NULL and *rc_r if they can't be read. */
static inline struct xln_domains *try_read(uint32_t domid, int *rc_r)
{
    struct xln_domains *domains = NULL;

    *rc_r = xln_domains_read(NULL, domid, &domains);
    return domains;
}

static inline struct xln_domains *read_all(void)
{
    int rc;
    struct xln_domains *domains = try_read(XLN_NONE, &rc);

    must(rc);
    return domains;
}

static inline bool domids_are(const struct xln_domains *domains,
                              const char *expected)
{
    char text[256] = "";
    unsigned i;
    int n = 0;

    for (i = 0; i < domains->nr; i++)
        n += snprintf(text + n, sizeof(text) - n, "%s%u", i ? " " : "",
                      domains->list[i].domid);
    if (strcmp(text, expected))
        printf("# %s, expected %s\n", text, expected);
    return !strcmp(text, expected);
}

#endif /* DOMAIN_XEN_H */
