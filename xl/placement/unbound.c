/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include <libxl_utils.h>

#include <libxl_numa.h>

#include "explain.h"
#include "unbound.h"

/* As libxl finds it. NULL: libxl reports that there is none. */
static const libxl_cpupoolinfo *find_pool(libxl_ctx *ctx,
                                          const libxl_cpupoolinfo *pools,
                                          int nr,
                                          const libxl_domain_config *config)
{
    const char *name = config->c_info.pool_name;
    uint32_t id = config->c_info.poolid;
    int i;

    if (name && libxl_cpupool_qualifier_to_cpupoolid(ctx, name, &id, NULL))
        return NULL;
    for (i = 0; i < nr; i++)
        if (pools[i].poolid == id)
            return &pools[i];
    return NULL;
}

static int copy_cpus(const libxl_cpupoolinfo *pool, struct xln_cpumap **cpus_r)
{
    struct xln_cpumap *cpus;
    unsigned cpu;
    int rc = xln_cpumap_new(pool->cpumap.size * 8, &cpus);

    if (rc)
        return rc;
    libxl_for_each_set_bit(cpu, pool->cpumap)
        xln_cpumap_set(cpus, cpu);
    *cpus_r = cpus;
    return 0;
}

static bool can_run(const libxl_bitmap *map, const struct xln_cpumap *cpus)
{
    unsigned cpu;

    XLN_FOREACH(xln_cpumap, cpu, cpus) {
        if (libxl_bitmap_test(map, cpu))
            return true;
    }
    return false;
}

static char *explain(const libxl_domain_build_info *info,
                     const libxl_cpupoolinfo *pool)
{
    int nr = info->num_vcpu_hard_affinity, vcpu;
    struct xln_cpumap *cpus;
    char *line = NULL;

    if (copy_cpus(pool, &cpus))
        return NULL;
    if (nr > info->max_vcpus)
        nr = info->max_vcpus;
    for (vcpu = 0; vcpu < nr; vcpu++)
        if (!can_run(&info->vcpu_hard_affinity[vcpu], cpus))
            break;
    if (vcpu < nr)
        line = explain_unbound(NULL, vcpu, cpus);
    xln_cpumap_free(cpus);
    return line;
}

char *unbound_explain(libxl_ctx *ctx, const libxl_domain_config *config)
{
    const libxl_cpupoolinfo *pool;
    libxl_cpupoolinfo *pools;
    char *line = NULL;
    int nr;

    if (!config->b_info.num_vcpu_hard_affinity)
        return NULL;
    pools = libxl_list_cpupool(ctx, &nr);
    if (!pools)
        return NULL;
    pool = find_pool(ctx, pools, nr, config);
    if (pool)
        line = explain(&config->b_info, pool);
    libxl_cpupoolinfo_list_free(pools, nr);
    return line;
}
