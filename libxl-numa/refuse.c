/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "refuse.h"

__attribute__((format(printf, 2, 0)))
static int vrefuse(char **error_r, const char *fmt, va_list ap)
{
    char *s;

    if (vasprintf(error_r, fmt, ap) < 0) {
        *error_r = NULL;
        return -ENOMEM;
    }
    for (s = *error_r; *s; s++)
        if (iscntrl((unsigned char)*s))
            *s = '?';
    return -EINVAL;
}

int xln__refuse(char **error_r, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = vrefuse(error_r, fmt, ap);
    va_end(ap);
    return rc;
}

int xln__refuse_at(char **error_r, const char *where, const char *fmt,
                   va_list ap)
{
    char *what;
    int rc = vrefuse(&what, fmt, ap);

    if (rc == -EINVAL)
        rc = xln__refuse(error_r, "%s: %s", where, what);
    free(what);
    return rc;
}
