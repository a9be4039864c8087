/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What others changed on a host between two snapshots. */
#ifndef HOST_CHANGE_H
#define HOST_CHANGE_H

#include <stdbool.h>

#include "libxl_numa.h"

struct host_change {
    bool other_host;            /* its CPUs, nodes or cpupools changed */
    char *text;                 /* "'a' was created, 'b' is gone"; NULL:
                                   nothing */
};

/*
 * Compare two looks at the running host, both with their domains. Domain-0, the
 * domain of the uuid `moved`, and how much memory is free, are left out. The
 * text is the caller's to free. 0 or -ENOMEM.
 */
int host_change_find(const struct xln_snapshot *before,
                     const struct xln_snapshot *after, const uint8_t moved[16],
                     struct host_change *change_r);

#endif /* HOST_CHANGE_H */
