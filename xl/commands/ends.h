/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that look at the host again and again, until a signal. */
#ifndef ENDS_H
#define ENDS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Blocks SIGINT, SIGTERM and SIGHUP, so that they end a wait and nothing else.
 * SIGHUP is left alone if the process ignores it, as under nohup(1). A shell has
 * what it runs in the background ignore SIGINT, which ends it nevertheless.
 */
void ends_begin(sigset_t *ends);

/* Waits so many seconds. False: one of the signals has come. */
bool ends_wait(const sigset_t *ends, double seconds);

#endif /* ENDS_H */
