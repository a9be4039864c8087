/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_CORE_COUNT_H
#define XLN_CORE_COUNT_H

#include "libxl_numa.h"

/* The cores with a thread in both; `list` has room for all CPUs. Makes
 * *most_threads the number of these threads in a core, if that is more. */
unsigned xln__count_cores(const struct xln_host *host,
                          const struct xln_cpumap *a,
                          const struct xln_cpumap *b,
                          const struct xln_host_cpu **list,
                          unsigned *most_threads);

#endif /* XLN_CORE_COUNT_H */
