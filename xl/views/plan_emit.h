/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan to paste into a configuration. */
#ifndef PLAN_EMIT_H
#define PLAN_EMIT_H

#include "plans/planner.h"

/* Our keys, for an xl configuration. */
int plan_emit_keys(const struct planned *d, FILE *f);

/* Elements of libvirt's domain XML. */
int plan_emit_libvirt(const struct planned *d, FILE *f);

#endif /* PLAN_EMIT_H */
