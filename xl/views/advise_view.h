/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advice for the host of a planner, and the table that `xl numa-move --advise`
 * prints of it. */
#ifndef ADVISE_VIEW_H
#define ADVISE_VIEW_H

#include "plans/planner.h"

extern const struct table_column advise_view_columns[];

/* `d`: the domain that there shall be room for; NULL: heal the host. Prints the
 * table as the options of the command line have it; gives the exit code. */
int advise_view(struct cmd_line *line, const struct planner *planner,
                const struct planned *d);

#endif /* ADVISE_VIEW_H */
