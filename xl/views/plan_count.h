/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLAN_COUNT_H
#define PLAN_COUNT_H

#include "plans/planner.h"

/* How many domains like this one fit on the host, one after the other, and
 * what runs out first. Prints it, and gives the exit code: as for a plan of
 * the first of them. */
int plan_count(struct planned *d, const struct xln_host *host, bool json);

#endif /* PLAN_COUNT_H */
