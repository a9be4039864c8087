/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers that are the same in every run. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

static uint64_t random_state = 1;   /* or the seed that a test sets */

static inline unsigned random_below(unsigned bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % bound;
}

#endif /* RANDOM_H */
