/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets that a test cannot do without: a failure ends the program. */
#ifndef BITMAPS_H
#define BITMAPS_H

#include <errno.h>
#include <stdlib.h>

#include "libxl_numa.h"
#include "random.h"
#include "tap.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline struct xln_bitmap *empty(unsigned nr_bits)
{
    struct xln_bitmap *set;

    must(xln_bitmap_new(nr_bits, &set));
    return set;
}

static inline struct xln_cpumap *cpus_of(unsigned nr_cpus, const char *text)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(nr_cpus, &cpus));
    must(xln_cpumap_parse(text, NULL, 0, cpus, NULL));
    return cpus;
}

static inline struct xln_bitmap *set_of(unsigned nr_bits, const char *text)
{
    return xln_cpumap_bits(cpus_of(nr_bits, text));
}

static inline bool prints_as(const struct xln_bitmap *set, const char *expected)
{
    char *text;
    bool same;

    must(xln_bitmap_format(set, &text));
    same = !strcmp(text, expected);
    if (!same)
        printf("# printed: \"%s\", expected: \"%s\"\n", text, expected);
    free(text);
    return same;
}

static inline bool has_members(const struct xln_bitmap *set,
                               const bool *members)
{
    unsigned nr = xln_bitmap_nr_bits(set), bit, next = XLN_NONE, count = 0;

    for (bit = nr; bit-- > 0;) {
        if (members[bit])
            next = bit;
        count += members[bit];
        if (xln_bitmap_test(set, bit) != members[bit] ||
            xln_bitmap_next(set, bit) != next)
            return false;
    }
    return xln_bitmap_count(set) == count && xln_bitmap_is_empty(set) == !count;
}

#endif /* BITMAPS_H */
