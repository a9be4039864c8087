/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "open_planner.h"

bool print_notes(struct notes *notes, bool good)
{
    unsigned i;

    for (i = 0; i < notes->nr; i++)
        complain("%s", notes->lines[i]);
    if (notes->lacked_memory)
        complain("%s", strerror(ENOMEM));
    notes_dispose(notes);
    return good;
}

bool open_planner(struct cmd_line *line, struct planner *p, struct notes *notes,
                  const char *host_file, const char *defaults_file)
{
    *p = (struct planner){ 0 };
    if (host_file)
        return print_notes(notes, planner_begin_saved(p, notes, host_file,
                                                      defaults_file));
    return cmd_open_xen(line) &&
           print_notes(notes, planner_begin_running(p, notes, line->xch,
                                                    line->ctx, defaults_file));
}
