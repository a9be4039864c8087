/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The masks of xl.conf(5), which bind the vCPUs of all guests to some CPUs. */
#ifndef CPU_MASKS_H
#define CPU_MASKS_H

#include <stdbool.h>

#include <libxl_numa.h>

#define XL_CONF XEN_CONFIG_DIR "/xl.conf"

/* One for all domains, one for PV domains, one for all others. */
#define CPU_MASKS_MAX 3

struct cpu_mask {
    const char *key;            /* "vm.cpumask" */
    char *text;                 /* its value */
    struct xln_cpumap *cpus;
    bool of_pv, of_others;      /* the domains that it is for */
};

struct cpu_masks {
    unsigned nr;
    struct cpu_mask list[CPU_MASKS_MAX];
};

/*
 * Read those that are given; a file that does not exist has none. 0, -ENOMEM,
 * or -EINVAL with a malloc'd line in *error_r that names the file, and the key,
 * the value and what would be right. To be disposed of either way.
 */
int cpu_masks_read(const struct xln_host *host, struct cpu_masks *masks,
                   char **error_r);
void cpu_masks_dispose(struct cpu_masks *masks);

#endif /* CPU_MASKS_H */
