/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "ends.h"

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

static double now_s(void)
{
    struct timespec t = { 0 };

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

bool ends_wait(const sigset_t *ends, double seconds)
{
    double end = now_s() + seconds, left;
    struct timespec t;

    while ((left = end - now_s()) > 0) {
        t.tv_sec = left;
        t.tv_nsec = (left - t.tv_sec) * 1e9;
        if (sigtimedwait(ends, NULL, &t) > 0)
            return false;
    }
    return true;
}
