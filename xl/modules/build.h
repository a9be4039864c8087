/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libxl asks of the hypervisor while it builds a domain, and how that
 * reaches the domain's placement: the module's xc_ functions.
 */
#ifndef BUILD_H
#define BUILD_H

#include <libxl.h>

/* To be called by a module's libxl_ctx_alloc(): this process has libxl, so it
 * is not libxl-save-helper. `ctx` NULL: but no context. */
void build_serve(libxl_ctx *ctx, xentoollog_logger *lg);

#endif /* BUILD_H */
