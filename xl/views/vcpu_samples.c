/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "vcpu_samples.h"

struct sampled {
    uint32_t domid;
    unsigned nr_vcpus;
    uint64_t *time_ns;          /* of each vCPU at the last look */
    uint64_t *seen;             /* by node */
};

struct samples {
    const struct xln_host *host;
    unsigned nr;
    struct sampled *list;
};

static int new_sampled(const struct xln_host *host,
                       const struct xln_domain *domain, struct sampled *s)
{
    s->domid = domain->domid;
    s->nr_vcpus = domain->nr_vcpus;
    s->time_ns = calloc(domain->nr_vcpus + 1, sizeof(*s->time_ns));
    s->seen = calloc(xln_host_nr_nodes(host), sizeof(*s->seen));
    return s->time_ns && s->seen ? 0 : -ENOMEM;
}

void samples_free(struct samples *samples)
{
    unsigned i;

    if (!samples)
        return;
    for (i = 0; i < samples->nr; i++) {
        free(samples->list[i].time_ns);
        free(samples->list[i].seen);
    }
    free(samples->list);
    free(samples);
}

static void count(const struct xln_host *host, struct sampled *s,
                  unsigned cpu)
{
    const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

    if (c && c->node != XLN_NONE)
        s->seen[c->node]++;
}

/* `counts`: what it finds counts. */
static int look(struct samples *samples, xc_interface *xch, bool counts)
{
    xc_vcpuinfo_t info;
    struct sampled *s;
    unsigned vcpu;

    for (s = samples->list; s < samples->list + samples->nr; s++) {
        for (vcpu = 0; vcpu < s->nr_vcpus; vcpu++) {
            if (xc_vcpu_getinfo(xch, s->domid, vcpu, &info)) {
                if (errno != ESRCH)
                    return -errno;
                continue;
            }
            if (counts && info.online && info.cpu_time > s->time_ns[vcpu])
                count(samples->host, s, info.cpu);
            s->time_ns[vcpu] = info.cpu_time;
        }
    }
    return 0;
}

int samples_new(xc_interface *xch, const struct xln_host *host,
                const struct xln_domains *domains, struct samples **samples_r)
{
    struct samples *samples = calloc(1, sizeof(*samples));
    unsigned i;
    int rc = 0;

    if (!samples)
        return -ENOMEM;
    samples->host = host;
    samples->list = calloc(domains->nr + 1, sizeof(*samples->list));
    if (!samples->list)
        rc = -ENOMEM;
    for (i = 0; i < domains->nr && !rc; i++)
        rc = new_sampled(host, &domains->list[i],
                         &samples->list[samples->nr++]);
    if (!rc)
        rc = look(samples, xch, false);
    if (rc) {
        samples_free(samples);
        return rc;
    }
    *samples_r = samples;
    return 0;
}

int samples_take(struct samples *samples, xc_interface *xch)
{
    return look(samples, xch, true);
}

const uint64_t *samples_of(const struct samples *samples, uint32_t domid)
{
    unsigned i;

    for (i = 0; i < samples->nr; i++)
        if (samples->list[i].domid == domid)
            return samples->list[i].seen;
    return NULL;
}
