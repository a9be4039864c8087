/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>

#include <libxl_utils.h>

#include <libxl_numa.h>

#include "unbound.h"

/* As libxl finds it. NULL: it is for libxl to say that there is none. */
static const struct xln_host_pool *find_pool(libxl_ctx *ctx,
                                             const struct xln_host *host,
                                             const libxl_domain_config *config)
{
    const char *name = config->c_info.pool_name;
    uint32_t id = config->c_info.poolid;

    if (name && libxl_cpupool_qualifier_to_cpupoolid(ctx, name, &id, NULL))
        return NULL;
    return xln_host_pool(host, id);
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
                     const struct xln_host_pool *pool)
{
    int nr = info->num_vcpu_hard_affinity, vcpu;
    char *cpus, *line = NULL;

    if (nr > info->max_vcpus)
        nr = info->max_vcpus;
    for (vcpu = 0; vcpu < nr; vcpu++)
        if (!can_run(&info->vcpu_hard_affinity[vcpu], pool->cpus))
            break;
    if (vcpu == nr || xln_cpumap_format(pool->cpus, &cpus))
        return NULL;
    if (asprintf(&line, "cpus=: vCPU %d may run on no CPU of this host that is "
                 "in the domain's pool: expected some of CPUs %s", vcpu,
                 cpus) < 0)
        line = NULL;
    free(cpus);
    return line;
}

char *unbound_explain(libxl_ctx *ctx, xentoollog_logger *lg,
                      const libxl_domain_config *config)
{
    const struct xln_host_pool *pool = NULL;
    struct xln_host *host = NULL;
    xc_interface *xch;
    char *line = NULL;

    if (!config->b_info.num_vcpu_hard_affinity)
        return NULL;
    xch = xc_interface_open(lg, NULL, 0);
    if (!xch)
        return NULL;
    if (!xln_host_read(xch, NULL, &host))
        pool = find_pool(ctx, host, config);
    if (pool)
        line = explain(&config->b_info, pool);
    xln_host_free(host);
    xc_interface_close(xch);
    return line;
}
