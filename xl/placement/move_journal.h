/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lock and the journal of a domain that is moved. A process that copies a
 * domain, to move, save or migrate it, holds its lock. A lock ends with the
 * processes that hold it. A move records each step before it takes it. So a
 * process that finds the journal and takes the lock can repair what a dead move
 * left.
 */
#ifndef MOVE_JOURNAL_H
#define MOVE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct move {
    uint8_t uuid[16];           /* of the domain, and of its copy */
    uint32_t domid;             /* the domain as it was */
    char *name;
    pid_t session;              /* of the processes that move it */
    unsigned long long start;   /* of the session's leader, see process.h */
    bool watched;               /* an xl waited for it, to reboot it */

    /* the steps that were done: see MOVE_... */
    bool asked, answered, received;
};

/* Steps, noted as they happen. */
#define MOVE_ASKED "asked"          /* the domain is about to get the request
                                       to suspend itself */
#define MOVE_ANSWERED "answered"    /* it has, or the request was taken back */
#define MOVE_RECEIVED "received"    /* the copy is complete */

/* Open, or make, a file of the directory of locks and journals. A descriptor,
 * close-on-exec, or -errno. */
int move_open(const char *name);

/*
 * Lock the domain of this uuid. *fd_r: holds the lock until it, and each
 * descriptor that it was inherited as, is closed; close-on-exec. -EBUSY:
 * somebody has locked it; -errno.
 */
int move_lock(const uint8_t uuid[16], int *fd_r);

/* Whether somebody has. */
bool move_is_locked(const uint8_t uuid[16]);

/* Write a new journal; a file that is seen is whole. 0 or -errno; -EINVAL: its
 * name has a line feed in it. */
int move_begin(const struct move *move);

/* Add one of the words above to it, where there is a journal of this uuid. */
void move_note(const uint8_t uuid[16], const char *word);

/* Read it; the caller frees it. -ENOENT: there is none; -EINVAL: it does not
 * have our form; -errno. */
int move_read(const uint8_t uuid[16], struct move **move_r);

/* Read all journals that are whole, into an array that the caller frees; NULL:
 * there are none. 0 or -errno. */
int move_read_all(struct move ***moves_r, unsigned *nr_r);
void move_free_all(struct move **moves, unsigned nr);

/* Remove it. */
void move_end(const uint8_t uuid[16]);

void move_free(struct move *move);

#endif /* MOVE_JOURNAL_H */
