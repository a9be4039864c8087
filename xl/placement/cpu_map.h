/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The affinities of a configuration: libxl's maps of CPUs. A full map is not an
 * affinity. One that comes from a saved configuration ends behind its last CPU,
 * so it is replaced, not filled.
 */
#ifndef CPU_MAP_H
#define CPU_MAP_H

#include <libxl.h>

/* Make it full, for this host. -ENOMEM: it is empty then. */
int cpu_map_fill(libxl_ctx *ctx, libxl_bitmap *map);

/* Make it the CPUs of `text`, as xln_cpumap_format() or "all" has them. -EINVAL:
 * not of that form, or CPUs that this host cannot have; -ENOMEM. */
int cpu_map_parse(libxl_ctx *ctx, const char *text, libxl_bitmap *map);

/* Free all maps of a list but the first `nr`. */
void cpu_maps_cut(libxl_bitmap **maps, int *nr_maps, int nr);

#endif /* CPU_MAP_H */
