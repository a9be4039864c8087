/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The figures of a host and its domains as OpenMetrics text, for Prometheus.
 * They are all gauges, so Prometheus' older text format has the same form.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdio.h>

#include "residents.h"

/* `residents`: those of the snapshot that are wanted. 0 or -errno. */
int metrics_print(const struct xln_snapshot *snapshot,
                  const struct residents *residents, FILE *f);

#endif /* METRICS_H */
