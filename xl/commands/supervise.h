/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work that must not end in the middle. A process in its own session does it.
 * Ctrl-C, a terminal that closes, or the end of the process that the user sees,
 * only ask it to stop.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <stdbool.h>
#include <signal.h>

struct supervised {
    int stop_fd;                /* a byte for each request to stop; its end:
                                 * nobody is there any more */
    bool orphaned;
    unsigned nr_stops;
    sigset_t mask;              /* for what the worker starts */
};

/*
 * Run `work` in such a process, until it ends. Gives its exit code; -1: it was
 * killed by *signal_r, or could not be started: 0.
 */
int supervise(int (*work)(struct supervised *self, void *arg), void *arg,
              int *signal_r);

/* In the worker: how many requests to stop came so far. */
unsigned supervised_stops(struct supervised *self);

/* In what the worker has forked, before it becomes another program. */
void supervised_leave(const struct supervised *self);

#endif /* SUPERVISE_H */
