/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A domain that ran is built again by a reboot, a restore or a migration. Its
 * configuration may name a cpupool or CPUs that no longer exist. libxl would
 * then refuse to build it, and the domain would be lost.
 */
#ifndef ADAPT_H
#define ADAPT_H

#include "layout.h"

/*
 * Drop from `config` what is not possible on this host as it is now, each with a
 * warning. These are a cpupool that does not exist or has no CPU (the domain goes
 * into the first one); parameters of another scheduler; affinities without a CPU
 * of the cpupool; and affinities of vCPUs that it does not have. They do not come
 * back.
 * `any_pool`: the plan will choose the cpupool, of those that have CPUs for all
 * hard affinities. -ENOMEM, or -EIO: libxl cannot list the cpupools; then not all
 * of these were checked.
 */
int adapt_config(libxl_ctx *ctx, xentoollog_logger *lg,
                 const struct layout *layout, libxl_domain_config *config,
                 bool any_pool);

/* The same for a soft reset, where the domain keeps its cpupool and
 * affinities. Only the name of the cpupool is checked. */
int adapt_pool(libxl_ctx *ctx, xentoollog_logger *lg,
               libxl_domain_config *config);

#endif /* ADAPT_H */
