/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_change.h"

#define MAX_NAMED 3             /* changes that are named; the others counted */

struct changes {
    const struct xln_snapshot *before, *after;
    const uint8_t *moved;
    FILE *f;
    unsigned nr;
};

__attribute__((format(printf, 2, 3)))
static void add(struct changes *c, const char *fmt, ...)
{
    va_list ap;

    if (c->nr++ >= MAX_NAMED)
        return;
    if (c->nr > 1)
        fputs(", ", c->f);
    va_start(ap, fmt);
    vfprintf(c->f, fmt, ap);
    va_end(ap);
}

/* ---- CPUs, nodes and cpupools ---- */

static bool is_online(const struct xln_host *host, unsigned cpu)
{
    const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

    return c && c->online;
}

static void compare_cpus(struct changes *c)
{
    const struct xln_host *before = c->before->host, *after = c->after->host;
    unsigned cpu, nr = xln_host_nr_cpus(before);

    if (xln_host_nr_cpus(after) > nr)
        nr = xln_host_nr_cpus(after);
    for (cpu = 0; cpu < nr; cpu++)
        if (is_online(before, cpu) != is_online(after, cpu))
            add(c, "CPU %u went %s", cpu,
                is_online(after, cpu) ? "online" : "offline");
}

static void compare_nodes(struct changes *c)
{
    if (!xln_nodemap_equal(xln_host_nodes(c->before->host),
                           xln_host_nodes(c->after->host)))
        add(c, "the host has other nodes");
}

static void compare_pools(struct changes *c)
{
    const struct xln_host *before = c->before->host, *after = c->after->host;
    const struct xln_host_pool *was, *is;
    unsigned i;

    for (i = 0; i < xln_host_nr_pools(before); i++) {
        was = xln_host_pool_at(before, i);
        is = xln_host_pool(after, was->id);
        if (!is)
            add(c, "cpupool %u is gone", was->id);
        else if (!xln_cpumap_equal(was->cpus, is->cpus))
            add(c, "cpupool %u has other CPUs", was->id);
    }
    for (i = 0; i < xln_host_nr_pools(after); i++) {
        is = xln_host_pool_at(after, i);
        if (!xln_host_pool(before, is->id))
            add(c, "cpupool %u was created", is->id);
    }
}

/* ---- domains ---- */

static bool counts(const struct changes *c, const struct xln_domain *d)
{
    return d->domid && !d->dying && memcmp(d->uuid, c->moved, sizeof(d->uuid));
}

/* NULL: it is not there. */
static const struct xln_domain *find(const struct xln_snapshot *s,
                                     const uint8_t uuid[16])
{
    unsigned i;

    for (i = 0; i < s->domains->nr; i++)
        if (!s->domains->list[i].dying &&
            !memcmp(s->domains->list[i].uuid, uuid, 16))
            return &s->domains->list[i];
    return NULL;
}

static bool has_same_affinity(const struct xln_domain *a,
                              const struct xln_domain *b)
{
    unsigned i;

    if (a->nr_vcpus != b->nr_vcpus)
        return false;
    for (i = 0; i < a->nr_vcpus; i++) {
        const struct xln_vcpu *v = &a->vcpus[i], *w = &b->vcpus[i];

        if (v->exists != w->exists ||
            (v->exists && (!xln_cpumap_equal(v->hard, w->hard) ||
                           !xln_cpumap_equal(v->soft, w->soft))))
            return false;
    }
    return true;
}

static void compare_domain(struct changes *c, const struct xln_domain *was,
                           const char *name)
{
    const struct xln_domain *is = find(c->after, was->uuid);

    if (!is)
        add(c, "'%s' is gone", name);
    else if (is->domid != was->domid)
        add(c, "'%s' has rebooted or was moved", name);
    else if (is->pool_id != was->pool_id)
        add(c, "'%s' is in another cpupool", name);
    else if (!has_same_affinity(was, is))
        add(c, "the CPU affinity of '%s' was changed", name);
}

static void compare_domains(struct changes *c)
{
    const struct xln_domains *before = c->before->domains,
                             *after = c->after->domains;
    char number[16];
    unsigned i;

    for (i = 0; i < before->nr; i++) {
        const char *name = c->before->more[i].name;

        snprintf(number, sizeof(number), "%" PRIu32, before->list[i].domid);
        if (counts(c, &before->list[i]))
            compare_domain(c, &before->list[i], name ? name : number);
    }
    for (i = 0; i < after->nr; i++) {
        const char *name = c->after->more[i].name;

        snprintf(number, sizeof(number), "%" PRIu32, after->list[i].domid);
        if (counts(c, &after->list[i]) &&
            !find(c->before, after->list[i].uuid))
            add(c, "'%s' was created", name ? name : number);
    }
}

int host_change_find(const struct xln_snapshot *before,
                     const struct xln_snapshot *after, const uint8_t moved[16],
                     struct host_change *change_r)
{
    struct changes c = { .before = before, .after = after, .moved = moved };
    struct host_change change = { .text = NULL };
    size_t size;

    c.f = open_memstream(&change.text, &size);
    if (!c.f)
        return -ENOMEM;
    compare_cpus(&c);
    compare_nodes(&c);
    compare_pools(&c);
    change.other_host = c.nr;
    compare_domains(&c);
    if (c.nr > MAX_NAMED)
        fprintf(c.f, ", and %u more", c.nr - MAX_NAMED);
    if (fclose(c.f) || !change.text) {
        free(change.text);
        return -ENOMEM;
    }
    if (!c.nr) {
        free(change.text);
        change.text = NULL;
    }
    *change_r = change;
    return 0;
}
