/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The advice that a command line asks for: for a host, or for a CONFIG that
 * needs room. */
#ifndef OPEN_ADVICE_H
#define OPEN_ADVICE_H

#include "cmd.h"
#include "plans/advise_host.h"

struct open_advice {
    struct notes notes;
    struct planner planner;
    struct planned config;
    const struct planned *wanted;   /* the config; NULL: heal the host */
    struct host_advice advice;
};

/* Begin advice for the saved host `host_file`, or NULL: the running one. The
 * caller closes it in either case, and does not copy it meanwhile. False: it
 * printed why. */
bool open_advice(struct cmd_line *line, const char *host_file,
                 struct open_advice *a);

/* For the running host, with Xen open, where `fixed` stay. `again`: what was
 * assumed or ignored was printed before, and only errors are. */
bool open_advice_running(struct cmd_line *line,
                         const struct advise_fixed *fixed, bool again,
                         struct open_advice *a);

/* For the same snapshot of the host, with more domains that stay. */
bool open_advice_without(struct cmd_line *line,
                         const struct advise_fixed *fixed,
                         struct open_advice *a);

void close_advice(struct open_advice *a);

#endif /* OPEN_ADVICE_H */
