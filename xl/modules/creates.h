/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The domains that this process makes just now, and how what libxl asks of the
 * hypervisor for them comes to their placements: for a module that is loaded
 * into the process, xl's or libvirtd's.
 */
#ifndef CREATES_H
#define CREATES_H

#include <stdbool.h>

#include "placement/placement.h"

#define EXPORT __attribute__((visibility("default")))

/*
 * The real function of one that a module defines. In libvirtd libxl is not
 * there before its driver is: so at the first call, and not before.
 */
void *creates_real(const char *name);
#define REAL(name) ((__typeof__(&name))creates_real(#name))

/* To be called by a module's libxl_ctx_alloc(): this process has libxl, so it
 * is no libxl-save-helper. `ctx` NULL: but no context. */
void creates_begin(libxl_ctx *ctx, xentoollog_logger *lg);

/* libxl is of another release than this module, which then does nothing; its
 * structures differ from release to release. Said, with what `places` now. */
bool creates_release_differs(xentoollog_logger *lg, const char *places);

/* Take this module out of LD_PRELOAD, where it is the first: whatever this
 * process starts shall not have it. */
void creates_leave_preload(void);

struct create;

/* Takes over `p`. NULL: there is no memory, and `p` was ended. */
struct create *creates_enter(struct placement *p);

/* Gives the placement back. */
struct placement *creates_leave(struct create *create);

/* Whether a domain is being made. */
bool creates_any(void);

#endif /* CREATES_H */
