/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A domain that migrates to the host that it is on, by the installed xl. Its
 * copy has another domid, and the place in memory that its request asks for.
 */
#ifndef MIGRATION_H
#define MIGRATION_H

#include "guest.h"

struct migration {
    bool live;
    bool show_progress;         /* on the terminal */

    /* What came of it. */
    double paused_s;            /* from the last that the old one ran to the
                                 * first that the new one could; < 0: unknown */
    char *said;                 /* what xl had to say */
};

/* True: the domain is there anew; false: it is as it was, or it was said that
 * it is not. `said` is the caller's to free either way. */
bool migrate_here(const struct cmd_line *line, const struct guest *guest,
                  struct migration *migration);

#endif /* MIGRATION_H */
