/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "ends.h"
#include "text/clock.h"

void ends_begin(sigset_t *ends)
{
    struct sigaction action;

    sigemptyset(ends);
    sigaddset(ends, SIGINT);
    sigaddset(ends, SIGTERM);
    if (!sigaction(SIGHUP, NULL, &action) && action.sa_handler != SIG_IGN)
        sigaddset(ends, SIGHUP);
    sigprocmask(SIG_BLOCK, ends, NULL);
}

bool ends_wait(const sigset_t *ends, double seconds)
{
    double end = clock_s(CLOCK_MONOTONIC) + seconds, left;
    struct timespec t;

    while ((left = end - clock_s(CLOCK_MONOTONIC)) > 0) {
        t.tv_sec = left;
        t.tv_nsec = (left - t.tv_sec) * 1e9;
        if (sigtimedwait(ends, NULL, &t) > 0)
            return false;
    }
    return true;
}
