/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNBOUND_H
#define UNBOUND_H

#include <libxl.h>

/*
 * Whether a vCPU of the configuration may run on no CPU of the domain's cpupool,
 * as cpus= has it. libxl would find that out when the domain is half made, and
 * say it in six lines. NULL: each may run, or that cannot be told; else a
 * malloc'd line.
 */
char *unbound_explain(libxl_ctx *ctx, const libxl_domain_config *config);

#endif /* UNBOUND_H */
