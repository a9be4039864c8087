/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A test program is a main() that calls these and ends in `return
 * tap_done();`. The output is TAP, with the plan last.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_run, tap_failed;

/* One test point: whether `pass`, and what a user would call it. */
__attribute__((format(printf, 2, 3)))
static inline bool ok(bool pass, const char *fmt, ...)
{
    va_list ap;

    tap_run++;
    tap_failed += !pass;
    printf("%sok %d - ", pass ? "" : "not ", tap_run);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
    return pass;
}

/* Two strings are the same; shows both if not. */
static inline bool is_str(const char *got, const char *expected,
                          const char *what)
{
    bool same = got && expected ? !strcmp(got, expected) : got == expected;

    if (!ok(same, "%s", what))
        printf("#      got: %s\n# expected: %s\n", got ? got : "(null)",
               expected ? expected : "(null)");
    return same;
}

/* Ends the test unless this worked: 0, or an errno, or -errno. */
static inline void must(int rc)
{
    if (!rc)
        return;
    printf("Bail out! %s\n", strerror(rc < 0 ? -rc : rc));
    exit(1);
}

static inline int tap_done(void)
{
    printf("1..%d\n", tap_run);
    return tap_failed != 0;
}

#endif /* TAP_H */
