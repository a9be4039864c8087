/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "need.h"
#include "text/units.h"

/* ---- memory ---- */

static bool is_pv(const struct config *config)
{
    return config->type == LIBXL_DOMAIN_TYPE_PV;
}

/*
 * For the hypervisor's own tables of a domain: 1 MiB for each vCPU, a page for
 * each MiB if it has a map from its pages to the machine's, and one more if
 * its page tables are shadowed. libxl counts PV as if they always were.
 */
static uint64_t shadow_bytes(const struct config *config)
{
    bool hap = config->hap && !is_pv(config);

    if (config->shadow_bytes != UINT64_MAX)
        return config->shadow_bytes;
    return config->nr_vcpus * MIB +
           (!is_pv(config) + !hap) * (config->maxmem_bytes / MIB) * PAGE_BYTES;
}

/* Page tables of an IOMMU, of four levels, where those of the domain do not
 * serve for it. With HAP they do, on any machine of today. */
static uint64_t iommu_bytes(const struct config *config)
{
    uint64_t pages = config->maxmem_bytes / PAGE_BYTES, tables = 0;
    unsigned level;

    if (!config->nr_devices || (!is_pv(config) && config->hap))
        return 0;
    for (level = 0; level < 4; level++) {
        pages = (pages + 511) / 512;
        tables += pages;
    }
    return tables * PAGE_BYTES;
}

uint64_t need_bytes(const struct config *config)
{
    uint64_t bytes = config->memory_bytes + shadow_bytes(config) +
                     iommu_bytes(config) + config->stub_bytes;

    bytes += is_pv(config) ? MIB : 2 * MIB;
    return (bytes + 2 * MIB - 1) / (2 * MIB) * (2 * MIB);
}

char *need_text(const struct config *config)
{
    uint64_t overhead = need_bytes(config) - config->memory_bytes;
    const char *kind = is_pv(config)                            ? "PV"
                       : config->type == LIBXL_DOMAIN_TYPE_PVH ? "PVH"
                                                                : "HVM";
    char *text;

    if (asprintf(&text, "%" PRIu64 " MiB of it are overhead, by libxl's figures "
                 "for %s%s", overhead / MIB, kind,
                 is_pv(config) ? "" : config->hap ? " with HAP"
                                                  : " without HAP") < 0)
        return NULL;
    return text;
}

/* ---- CPUs ---- */

static int wrong_list(const struct config *config, const char *key,
                      const char *list, char **error_r)
{
    if (asprintf(error_r, "%s: %s=\"%.200s\": expected CPUs of this host such "
                 "as \"0-3,^2\", \"nodes:0-1\" or \"all\"", config->source, key,
                 list) >= 0)
        return -EINVAL;
    *error_r = NULL;
    return -ENOMEM;
}

static int make_mask(const char *list, const struct xln_host *host,
                     const struct xln_cpumap *bound,
                     const struct xln_cpumap **mask_r)
{
    struct xln_cpumap *mask;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(host), &mask);
    if (rc)
        return rc;
    *mask_r = mask;
    rc = xln_cpumap_parse(list, xln_host_node_cpus(host),
                          XLN_PARSE_SKIP_ABSENT, mask, NULL);
    if (!rc && bound)
        xln_cpumap_and(mask, bound);
    return rc;
}

/* A mask for each vCPU; a list for all vCPUs is that of each. */
static int make_masks(const struct config *config, const char *key,
                      const struct config_cpus *cpus,
                      const struct xln_host *host,
                      const struct xln_cpumap *bound,
                      const struct xln_cpumap *const **masks_r,
                      unsigned *nr_r, char **error_r)
{
    unsigned nr = cpus->of_all ? config->nr_vcpus : cpus->nr, i;
    const struct xln_cpumap **masks;
    const char *list;
    int rc = 0;

    masks = calloc(nr + 1, sizeof(*masks));
    if (!masks)
        return -ENOMEM;
    *masks_r = masks;
    *nr_r = nr;
    for (i = 0; i < nr && !rc; i++) {
        list = cpus->lists[cpus->of_all ? 0 : i];
        rc = make_mask(list, host, bound, &masks[i]);
        if (rc == -EINVAL || rc == -ERANGE)
            return wrong_list(config, key, list, error_r);
    }
    return rc;
}

int need_fill(const struct config *config, const struct xln_host *host,
              const struct xln_cpumap *pool_cpus,
              const struct xln_cpumap *bound, struct xln_need *need,
              char **error_r)
{
    static char all[] = "all", *const lists[] = { all };
    struct config_cpus hard = config->hard;
    int rc;

    *error_r = NULL;
    need->memory_bytes = config->memory_bytes;
    need->overhead_bytes = need_bytes(config) - config->memory_bytes;
    need->nr_vcpus = config->nr_vcpus;
    need->pool_cpus = pool_cpus;
    if (bound && !hard.nr)
        hard = (struct config_cpus){ 1, (char **)(uintptr_t)lists, true };
    rc = make_masks(config, "cpus", &hard, host, bound, &need->hard,
                    &need->nr_hard, error_r);
    if (rc)
        return rc;
    return make_masks(config, "cpus_soft", &config->soft, host, NULL,
                      &need->soft, &need->nr_soft, error_r);
}

static void free_masks(const struct xln_cpumap *const *masks, unsigned nr)
{
    unsigned i;

    for (i = 0; masks && i < nr; i++)
        xln_cpumap_free((struct xln_cpumap *)(uintptr_t)masks[i]);
    free((void *)(uintptr_t)masks);
}

void need_dispose(struct xln_need *need)
{
    free_masks(need->hard, need->nr_hard);
    free_masks(need->soft, need->nr_soft);
    prefer_dispose(need);
}
