/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Find out what a move left, however it ended, and repair it. Exactly one of
 * the domain and its copy goes on, and nothing else is left.
 */
#ifndef RECOVERY_H
#define RECOVERY_H

#include "cmd.h"
#include "placement/move_journal.h"

enum recovered {
    RECOVERED_COPY,             /* the copy is the domain now */
    RECOVERED_SOURCE,           /* the domain runs as it did before */
    RECOVERED_ENDED,            /* the domain has shut down, and is there */
    RECOVERED_NONE,             /* neither is there */
    RECOVERED_NOT,              /* it printed why; the journal stays */
};

/*
 * For who holds the lock: end the processes of the move, but the caller; look;
 * repaired; remove the journal. *domid_r: the domain that goes on.
 */
enum recovered recovery_run(const struct cmd_line *line,
                            const struct move *move, uint32_t *domid_r);

/* Take the lock of a dead move first. False: it is not dead, or was repaired
 * by another; said so, but the latter. */
bool recovery_of_dead(const struct cmd_line *line, const struct move *move,
                      enum recovered *recovered_r, uint32_t *domid_r);

/* The same, and one line on stderr says what became of it. *domid_r: the domain
 * that goes on; 0: none. Gives the exit code. */
int recovery_repair(const struct cmd_line *line, const struct move *move,
                    uint32_t *domid_r);

/* All moves. One that goes on is an error, or, with `quietly`, left alone. Gives the
 * exit code. */
int recovery_repair_all(const struct cmd_line *line, bool quietly);

/* The journal of a move of the domain called `word`: by its name or number, or
 * that of its copy. NULL: there is none, or it cannot be read. */
struct move *recovery_find(const struct cmd_line *line, const char *word);

/* Print one line on stderr: what happened to the domain. */
void recovery_tell(const struct move *move, enum recovered recovered,
                   uint32_t domid);

#endif /* RECOVERY_H */
