/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a module stands in front of functions of the process that it is loaded
 * into.
 */
#ifndef INTERPOSE_H
#define INTERPOSE_H

#include <stdbool.h>

#include <xentoollog.h>

#define EXPORT __attribute__((visibility("default")))

/*
 * The real function of one that a module defines. In libvirtd libxl is not
 * there before its driver is: so at the first call, and not before.
 */
void *interpose_real(const char *name);
#define REAL(name) ((__typeof__(&name))interpose_real(#name))

/* libxl is of another release than this module, which then does nothing; its
 * structures differ from release to release. Said, with what `places` now. */
bool interpose_release_differs(xentoollog_logger *lg, const char *places);

/* Take this module out of LD_PRELOAD, where it is the first: whatever this
 * process starts shall not have it. */
void interpose_leave_preload(void);

#endif /* INTERPOSE_H */
