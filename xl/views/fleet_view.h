/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ranking of some hosts, as people and as programs read it. */
#ifndef FLEET_VIEW_H
#define FLEET_VIEW_H

#include "plans/fleet.h"
#include "table.h"

extern const struct table_column fleet_view_columns[];

/* All hosts, the best one first. */
int fleet_view_table(const struct fleet *fleet, struct table **table_r);

#endif /* FLEET_VIEW_H */
