/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table that `xl numa-move --advise` prints. */
#ifndef ADVISE_VIEW_H
#define ADVISE_VIEW_H

#include "plans/advise_host.h"
#include "table.h"

extern const struct table_column advise_view_columns[];

/* The moves, in their order, and the outcome below them. `d`: the domain that
 * there shall be room for; NULL: none. */
int advise_view_table(const struct host_advice *a, const struct planned *d,
                      struct table **table_r);

#endif /* ADVISE_VIEW_H */
