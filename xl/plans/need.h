/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the domain of a configuration needs from a host, as a create passes it
 * to xln_place(). */
#ifndef NEED_H
#define NEED_H

#include "placement/config.h"

/*
 * Memory with all that libxl adds to it: the figures of
 * libxl_domain_need_memory(), which needs Xen. They are the same in 4.17 to
 * 4.22.
 */
uint64_t need_bytes(const struct config *config);

/* How that was computed: "12 MiB of it overhead, ...". Malloc'd; NULL: no
 * memory for it. */
char *need_text(const struct config *config);

/*
 * Fill in *need, to be disposed of in any case; it must be zero before.
 * `pool_cpus` is borrowed. `bound`: CPUs that every vCPU is bound to as well
 * (xl.conf); NULL: none. -EINVAL and a line in *error_r: a list of CPUs is
 * none.
 */
int need_fill(const struct config *config, const struct xln_host *host,
              const struct xln_cpumap *pool_cpus,
              const struct xln_cpumap *bound, struct xln_need *need,
              char **error_r);
void need_dispose(struct xln_need *need);

#endif /* NEED_H */
