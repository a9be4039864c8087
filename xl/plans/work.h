/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The receiver of reports on how much of a long task is done. */
#ifndef WORK_H
#define WORK_H

#include <stdint.h>

struct work {
    void (*tell)(void *arg, uint64_t done, uint64_t total);
    void *arg;
};

/* `work` NULL: nothing is reported. */
static inline void work_tell(const struct work *work, uint64_t done,
                             uint64_t total)
{
    if (work)
        work->tell(work->arg, done, total);
}

#endif /* WORK_H */
