/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include <libxl_utils.h>

#include <libxl_numa.h>

#include "cpu_map.h"

int cpu_map_fill(libxl_ctx *ctx, libxl_bitmap *map)
{
    libxl_bitmap_dispose(map);
    libxl_bitmap_init(map);
    if (libxl_cpu_bitmap_alloc(ctx, map, 0))
        return -ENOMEM;
    libxl_bitmap_set_any(map);
    return 0;
}

int cpu_map_parse(libxl_ctx *ctx, const char *text, libxl_bitmap *map)
{
    struct xln_cpumap *cpus;
    unsigned nr_cpus, cpu;
    int rc = cpu_map_fill(ctx, map);

    if (rc)
        return rc;
    nr_cpus = map->size * 8;
    rc = xln_cpumap_new(nr_cpus, &cpus);
    if (rc)
        return rc;
    rc = xln_cpumap_parse(text, NULL, 0, cpus, NULL);
    for (cpu = 0; cpu < nr_cpus && !rc; cpu++)
        if (!xln_cpumap_test(cpus, cpu))
            libxl_bitmap_reset(map, cpu);
    xln_cpumap_free(cpus);
    return rc ? -EINVAL : 0;
}

void cpu_maps_cut(libxl_bitmap **maps, int *nr_maps, int nr)
{
    while (*nr_maps > nr)
        libxl_bitmap_dispose(&(*maps)[--*nr_maps]);
    if (nr)
        return;
    free(*maps);
    *maps = NULL;
}
