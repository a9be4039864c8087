/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a module interposes functions of the process that it is loaded into.
 */
#ifndef INTERPOSE_H
#define INTERPOSE_H

#include <stdbool.h>

#include "placement/layout.h"

#define EXPORT __attribute__((visibility("default")))

/*
 * The real function of one that a module defines. In libvirtd libxl is not
 * there before its driver is: so at the first call, and not before.
 */
void *interpose_real(const char *name);
#define REAL(name) ((__typeof__(&name))interpose_real(#name))

/* Ask this process's libxl for its layout. False: it is not one that can be
 * served, and the module must do nothing; a warning says so, and what `places`
 * domains now. */
bool interpose_learn(libxl_ctx *ctx, xentoollog_logger *lg, const char *places,
                     struct layout *layout_r);

/* Remove this module from LD_PRELOAD, where it is the first entry. Programs
 * that this process starts do not get it. */
void interpose_leave_preload(void);

#endif /* INTERPOSE_H */
