/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include <libxl_utils.h>

#include <libxl_numa.h>

#include "adapt.h"
#include "cpu_map.h"

/* What is checked, and where it must apply. */
struct adapt {
    libxl_ctx *ctx;
    xentoollog_logger *lg;
    const struct layout *layout;
    libxl_domain_config *config;
    libxl_cpupoolinfo *pools;
    int nr_pools;
    const libxl_cpupoolinfo *pool;      /* the domain's */
};

#define warn(a, format, ...)                                      \
    xtl_log((a)->lg, XTL_WARN, -1, "numa", "'%s': " format,       \
            (a)->config->c_info.name, __VA_ARGS__)

/* ---- the cpupool ---- */

static const libxl_cpupoolinfo *pool_of_id(const struct adapt *a, uint32_t id)
{
    int i;

    for (i = 0; i < a->nr_pools; i++)
        if (a->pools[i].poolid == id)
            return &a->pools[i];
    return NULL;
}

/* The cpupool that libxl will find; NULL: none. */
static const libxl_cpupoolinfo *named_pool(const struct adapt *a)
{
    const char *name = a->config->c_info.pool_name;
    uint32_t id = a->config->c_info.poolid;

    if (name &&
        libxl_cpupool_qualifier_to_cpupoolid(a->ctx, name, &id, NULL))
        return NULL;
    return pool_of_id(a, id);
}

static void leave_pool(struct adapt *a, const char *why)
{
    libxl_domain_create_info *info = &a->config->c_info;

    warn(a, "pool=\"%s\": %s: it is dropped, and the domain is in cpupool '%s'",
         info->pool_name ? info->pool_name : "", why, a->pool->pool_name);
    free(info->pool_name);
    info->pool_name = NULL;
    info->poolid = a->pool->poolid;
}

/* Xen makes no domain in a cpupool without CPUs. The first one always has
 * some. */
static int find_pool(struct adapt *a)
{
    const libxl_cpupoolinfo *named;

    a->pools = libxl_list_cpupool(a->ctx, &a->nr_pools);
    a->pool = a->pools ? pool_of_id(a, 0) : NULL;
    if (!a->pool)
        return -EIO;
    named = named_pool(a);
    if (!named)
        leave_pool(a, "this host has no such cpupool");
    else if (libxl_bitmap_is_empty(&named->cpumap))
        leave_pool(a, "this cpupool has no CPU");
    else
        a->pool = named;
    return 0;
}

/* ---- the scheduler ---- */

/* What was read of a running domain names its scheduler. Without the name libxl
 * gives to that of the cpupool what it has a parameter for. */
static void drop_scheduler(const struct adapt *a)
{
    libxl_domain_sched_params *params = layout_sched_params(a->layout,
                                                            a->config);

    if (params->sched == LIBXL_SCHEDULER_UNKNOWN ||
        params->sched == a->pool->sched)
        return;
    warn(a, "its scheduling parameters are those of %s, but cpupool '%s' uses "
            "%s: those that do not apply are dropped",
         libxl_scheduler_to_string(params->sched), a->pool->pool_name,
         libxl_scheduler_to_string(a->pool->sched));
    params->sched = LIBXL_SCHEDULER_UNKNOWN;
}

/* ---- affinities ---- */

/* The maps of one kind, and those that are dropped. */
struct drop {
    const char *kind;
    libxl_bitmap **maps;
    int *nr_maps;
    struct xln_bitmap *vcpus;
    struct xln_cpumap *cpus;            /* all that they had */
};

static bool holds(const struct adapt *a, const libxl_bitmap *map)
{
    unsigned cpu;

    libxl_for_each_set_bit(cpu, a->pool->cpumap)
        if (libxl_bitmap_test(map, cpu))
            return true;
    return false;
}

static int make_sets(struct drop *d)
{
    unsigned nr_cpus = 1;
    int i, rc;

    for (i = 0; i < *d->nr_maps; i++)
        if ((*d->maps)[i].size * 8 > nr_cpus)
            nr_cpus = (*d->maps)[i].size * 8;
    rc = xln_bitmap_new(*d->nr_maps, &d->vcpus);
    return rc ? rc : xln_cpumap_new(nr_cpus, &d->cpus);
}

static int drop_map(const struct adapt *a, struct drop *d, int vcpu)
{
    libxl_bitmap *map = &(*d->maps)[vcpu];
    unsigned cpu;

    libxl_for_each_set_bit(cpu, *map)
        xln_cpumap_set(d->cpus, cpu);
    xln_bitmap_set(d->vcpus, vcpu);
    return cpu_map_fill(a->ctx, map);
}

static int drop_maps(const struct adapt *a, struct drop *d)
{
    int i, rc = 0;

    for (i = 0; i < *d->nr_maps && !rc; i++)
        if (!holds(a, &(*d->maps)[i]))
            rc = drop_map(a, d, i);
    return rc;
}

static void warn_dropped(const struct adapt *a, const struct drop *d)
{
    struct xln_cpumap *there = NULL;
    char *vcpus = NULL, *cpus = NULL, *pool = NULL;
    unsigned cpu;

    if (!xln_cpumap_new(a->pool->cpumap.size * 8, &there)) {
        libxl_for_each_set_bit(cpu, a->pool->cpumap)
            xln_cpumap_set(there, cpu);
        if (!xln_bitmap_format(d->vcpus, &vcpus) &&
            !xln_cpumap_format(d->cpus, &cpus) &&
            !xln_cpumap_format(there, &pool))
            warn(a, "%s affinity of vCPU%s %s: CPUs %s: cpupool '%s' has only "
                    "CPUs %s: it is dropped", d->kind,
                 xln_bitmap_count(d->vcpus) == 1 ? "" : "s", vcpus, cpus,
                 a->pool->pool_name, pool);
    }
    xln_cpumap_free(there);
    free(vcpus);
    free(cpus);
    free(pool);
}

/* Nothing is left of that kind: the same as none. */
static void cut_full(struct drop *d)
{
    int i;

    for (i = 0; i < *d->nr_maps; i++)
        if (!libxl_bitmap_is_full(&(*d->maps)[i]))
            return;
    cpu_maps_cut(d->maps, d->nr_maps, 0);
}

static int adapt_maps(const struct adapt *a, const char *kind,
                      libxl_bitmap **maps, int *nr_maps)
{
    struct drop d = { .kind = kind, .maps = maps, .nr_maps = nr_maps };
    int nr_vcpus = a->config->b_info.max_vcpus, rc;

    if (nr_vcpus && *nr_maps > nr_vcpus) {
        warn(a, "%s affinity of vCPUs %d and up, of %d vCPUs: it is dropped",
             kind, nr_vcpus, nr_vcpus);
        cpu_maps_cut(maps, nr_maps, nr_vcpus);
    }
    if (!*nr_maps)
        return 0;
    rc = make_sets(&d);
    if (!rc)
        rc = drop_maps(a, &d);
    if (!rc && !xln_bitmap_is_empty(d.vcpus)) {
        warn_dropped(a, &d);
        cut_full(&d);
    }
    xln_bitmap_free(d.vcpus);
    xln_cpumap_free(d.cpus);
    return rc;
}

/* ---- any cpupool ---- */

static bool holds_all(const struct adapt *a)
{
    const libxl_domain_build_info *info = &a->config->b_info;
    int i;

    for (i = 0; i < info->num_vcpu_hard_affinity && i < info->max_vcpus; i++)
        if (!holds(a, &info->vcpu_hard_affinity[i]))
            return false;
    return true;
}

/* False: no cpupool has CPUs for all of its hard affinities, and it goes on with
 * those that hold in the first one. */
static bool find_any(struct adapt *a)
{
    const libxl_cpupoolinfo *first = a->pool;
    int i;

    for (i = 0; i < a->nr_pools; i++) {
        a->pool = &a->pools[i];
        if (!libxl_bitmap_is_empty(&a->pool->cpumap) && holds_all(a))
            return true;
    }
    a->pool = first;
    return false;
}

/* ---- the whole ---- */

int adapt_config(libxl_ctx *ctx, xentoollog_logger *lg,
                 const struct layout *layout, libxl_domain_config *config,
                 bool any_pool)
{
    struct adapt a = { .ctx = ctx, .lg = lg, .layout = layout,
                       .config = config };
    libxl_domain_build_info *info = &config->b_info;
    int rc = find_pool(&a);
    bool found = !rc && any_pool && find_any(&a);

    if (!rc) {
        drop_scheduler(&a);
        rc = adapt_maps(&a, "hard", &info->vcpu_hard_affinity,
                        &info->num_vcpu_hard_affinity);
    }
    if (!rc && !found)
        rc = adapt_maps(&a, "soft", &info->vcpu_soft_affinity,
                        &info->num_vcpu_soft_affinity);
    if (a.pools)
        libxl_cpupoolinfo_list_free(a.pools, a.nr_pools);
    return rc;
}

int adapt_pool(libxl_ctx *ctx, xentoollog_logger *lg,
               libxl_domain_config *config)
{
    struct adapt a = { .ctx = ctx, .lg = lg, .config = config };
    int rc = find_pool(&a);

    if (a.pools)
        libxl_cpupoolinfo_list_free(a.pools, a.nr_pools);
    return rc;
}
