/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output of numa-stat for monitoring, instead of a table. */
#ifndef MONITORING_H
#define MONITORING_H

#include "views/residents.h"

#define ALARM_MAX 99            /* percent */

/* Both give the exit code. `residents`: those that are asked for. */

/* All figures, to the file `path`, or to standard output if it is empty. */
int monitoring_export(const struct xln_snapshot *snapshot,
                      const struct residents *residents, const char *path);

/* A line if more than `percent` of the memory of a domain is remote. If not
 * `named`, Domain-0 does not count: its vCPUs run everywhere. */
int monitoring_alarm(const struct residents *residents, unsigned percent,
                     bool named);

#endif /* MONITORING_H */
