/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "text/refuse.h"

void complain(const char *fmt, ...)
{
    char *line;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&line, fmt, ap) < 0)
        line = NULL;
    va_end(ap);
    if (line)
        xln__mask_controls(line);
    fprintf(stderr, "xl: %s\n", line ? line : strerror(ENOMEM));
    free(line);
}
