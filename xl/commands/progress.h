/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much of something long is done, on standard error: on a terminal in one
 * line, which goes away at the end; elsewhere a line for each tenth.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    const char *what;           /* "'web'" */
    const char *done_word;      /* "copied" */
    uint64_t total;             /* the whole amount of work */
    bool is_bytes;              /* so the rate says something */
    double after_s;             /* say nothing sooner */
    FILE *f;
    bool on_terminal;

    /* private; 0 at first */
    bool has_begun, has_shown;
    double began_s, shown_s;
    uint64_t first;             /* done when it began */
    unsigned percent_said;
};

/* For work in this process: the first line comes after two seconds. */
void progress_begin(struct progress *p, const char *what);

/* `now_s`: by any clock that only goes forward. */
void progress_show(struct progress *p, uint64_t done, double now_s);
void progress_show_now(struct progress *p, uint64_t done);
/* The same, as a callback of struct work; `progress` is a struct progress. */
void progress_tell(void *progress, uint64_t done, uint64_t total);
void progress_end(struct progress *p);

#endif /* PROGRESS_H */
