/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_CLOCK_H
#define XLN_CLOCK_H

#include <time.h>

/* Seconds on that clock: of time, or of a CPU. */
static inline double clock_s(clockid_t clock)
{
    struct timespec t = { 0 };

    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

#endif /* XLN_CLOCK_H */
