/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advice for the host of a planner, and the table that `xl numa-move --advise`
 * prints of it. */
#ifndef ADVISE_VIEW_H
#define ADVISE_VIEW_H

#include "plans/planner.h"
#include "table.h"

extern const struct table_column advise_view_columns[];

/* `d`: the domain that there shall be room for; NULL: heal the host. *fits_r:
 * after these moves it has it. 0 or -errno. */
int advise_view_table(const struct planner *planner, const struct planned *d,
                      struct table **table_r, bool *fits_r);

#endif /* ADVISE_VIEW_H */
