/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instead of reading JSON: every such file is refused. */
#ifndef NO_SNAPSHOT_H
#define NO_SNAPSHOT_H

#include <errno.h>
#include <stdlib.h>

#include "libxl_numa.h"

int xln_snapshot_load(FILE *f, const char *source,
                      struct xln_snapshot **snapshot_r, char **error_r)
{
    (void)f;
    (void)snapshot_r;
    if (asprintf(error_r, "%s: taken for JSON", source) < 0)
        *error_r = NULL;
    return -EINVAL;
}

void xln_snapshot_free(struct xln_snapshot *snapshot)
{
    if (snapshot)
        xln_host_free(snapshot->host);
    free(snapshot);
}

#endif /* NO_SNAPSHOT_H */
