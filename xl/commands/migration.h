/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A domain that migrates to the host that it is on, by the installed xl. Its
 * copy has another domid, and its memory on the nodes of its request.
 */
#ifndef MIGRATION_H
#define MIGRATION_H

#include "guest.h"
#include "recovery.h"
#include "supervise.h"

/* The limits of a move. */
struct move_terms {
    bool only_live;             /* not if it would be paused for the whole
                                 * time */
    double most_paused_s;       /* if it is paused for longer, the move is
                                 * stopped; 0: as long as it takes */
    double cpu_share;           /* of one CPU, that copying may use; 0: all */
    const struct xln_nodemap *to;   /* not if the copy would go to others;
                                     * NULL: wherever it goes */
};

struct migration {
    struct supervised *self;    /* the process that this is */
    const struct move_terms *terms;
    int lock_fd;                /* the domain's lock */
    const char *keep;           /* what the copy is to have: keep_format() */
    bool live;

    /* The outcome of a move. */
    enum recovered recovered;
    uint32_t domid;             /* of the domain that goes on */
    bool stopped;               /* a request to stop came */
    bool too_long;              /* stopped as it was paused for too long */
    double paused_s;            /* from the last that the old one ran to the
                                 * first that the new one could; < 0: unknown */
    char *said;                 /* what xl had to say */
};

/* True: it was tried, and its outcome is repaired; false: it was not, and the
 * reason was printed. `said` is the caller's to free either way. */
bool migrate_here(const struct cmd_line *line, const struct guest *guest,
                  struct migration *migration);

#endif /* MIGRATION_H */
