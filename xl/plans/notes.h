/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines for a command to print: what is wrong, and what was assumed.
 */
#ifndef NOTES_H
#define NOTES_H

#include <stdbool.h>

struct notes {
    unsigned nr;
    char **lines;               /* without their newlines */
    bool lacked_memory;         /* for more lines */
};

/* Add a line. Always returns false, for callers that fail. */
__attribute__((format(printf, 2, 3)))
bool notes_add(struct notes *notes, const char *fmt, ...);

/* Add that `what` failed with a negative errno; or, if there is one, the
 * malloc'd line that says more, which is taken. */
bool notes_add_error(struct notes *notes, const char *what, int rc,
                     char *line);

void notes_dispose(struct notes *notes);

#endif /* NOTES_H */
