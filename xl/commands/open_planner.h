/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A planner for the host that a command line names. */
#ifndef OPEN_PLANNER_H
#define OPEN_PLANNER_H

#include "cmd.h"
#include "plans/planner.h"

/* The saved host `host_file`, or NULL: the running one. `defaults_file`: of
 * the host, instead of its own; or NULL. To be ended either way. False: said
 * why not. */
bool open_planner(struct cmd_line *line, struct planner *p, struct notes *notes,
                  const char *host_file, const char *defaults_file);

/* Print the notes on stderr, and forget them. Gives back `good`. */
bool print_notes(struct notes *notes, bool good);

#endif /* OPEN_PLANNER_H */
