/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"

/* Takes the line; NULL: there was no memory for it. */
static bool add(struct notes *notes, char *line)
{
    char **lines = NULL;

    if (line)
        lines = realloc(notes->lines, (notes->nr + 1) * sizeof(*lines));
    if (!lines) {
        free(line);
        notes->lacked_memory = true;
        return false;
    }
    notes->lines = lines;
    lines[notes->nr++] = line;
    return false;
}

bool notes_add(struct notes *notes, const char *fmt, ...)
{
    char *line;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&line, fmt, ap) < 0)
        line = NULL;
    va_end(ap);
    return add(notes, line);
}

bool notes_add_error(struct notes *notes, const char *what, int rc,
                     char *line)
{
    return line ? add(notes, line)
                : notes_add(notes, "%s: %s", what, strerror(-rc));
}

void notes_dispose(struct notes *notes)
{
    unsigned i;

    for (i = 0; i < notes->nr; i++)
        free(notes->lines[i]);
    free(notes->lines);
    *notes = (struct notes){ 0 };
}
