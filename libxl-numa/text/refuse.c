/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "refuse.h"

/* How many bytes follow the first one of a character in UTF-8. */
static unsigned rest_of(unsigned char first)
{
    return first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
}

void xln__mask_controls(char *text)
{
    unsigned char *s = (unsigned char *)text, *to = s;
    unsigned rest = 0;

    for (; *s; s++) {
        if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) {
            *to++ = '?';
            s++;
        } else if (*s >= 0x80 && *s < 0xc0) {
            *to++ = rest || *s >= 0xa0 ? *s : '?';
            rest -= rest > 0;
        } else {
            rest = rest_of(*s);
            *to++ = *s < ' ' || *s == 0x7f ? '?' : *s;
        }
    }
    *to = '\0';
}

__attribute__((format(printf, 2, 0)))
static int vrefuse(char **error_r, const char *fmt, va_list ap)
{
    if (vasprintf(error_r, fmt, ap) < 0) {
        *error_r = NULL;
        return -ENOMEM;
    }
    xln__mask_controls(*error_r);
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
