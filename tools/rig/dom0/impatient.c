/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * LD_PRELOAD=/usr/lib/rig/impatient.so COMMAND - for a command that waits with
 * sigtimedwait(): it waits no longer than for signals that have come, and
 * CLOCK_MONOTONIC is ahead by what it would have waited.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct timespec ahead;

static void add(struct timespec *to, const struct timespec *t)
{
    to->tv_sec += t->tv_sec;
    to->tv_nsec += t->tv_nsec;
    if (to->tv_nsec < 1000000000)
        return;
    to->tv_nsec -= 1000000000;
    to->tv_sec++;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int r = syscall(SYS_clock_gettime, clock, t);

    if (!r && clock == CLOCK_MONOTONIC)
        add(t, &ahead);
    return r;
}

int sigtimedwait(const sigset_t *signals, siginfo_t *info,
                 const struct timespec *timeout)
{
    static const struct timespec at_once;
    int r = syscall(SYS_rt_sigtimedwait, signals, info, &at_once, _NSIG / 8);

    if (r < 0 && errno == EAGAIN)
        add(&ahead, timeout);
    return r;
}
