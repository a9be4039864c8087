/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "from_errno.h"
#include "read_stream.h"

#define FIRST_BYTES (64u << 10)

int xln__read_stream(FILE *f, size_t max, char **text_r, size_t *size_r)
{
    size_t size = 0, allocated = 0;
    char *text = NULL, *larger;
    int rc;

    do {
        allocated = allocated ? 2 * allocated : FIRST_BYTES;
        if (allocated > max)
            allocated = max + 1;
        larger = realloc(text, allocated);
        if (!larger) {
            free(text);
            return -ENOMEM;
        }
        text = larger;
        errno = 0;
        size += fread(text + size, 1, allocated - size, f);
    } while (size == allocated && size <= max);
    if (ferror(f)) {
        rc = xln__from_errno();
        free(text);
        return rc;
    }
    *text_r = text;
    *size_r = size;
    return 0;
}
