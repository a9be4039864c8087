/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HOST_SOURCE_H
#define HOST_SOURCE_H

#include "libxl_numa.h"

/*
 * The host that a word on the command line names: a file ("-": standard input)
 * with JSON of xl numa-snapshot, XML of hwloc or libvirt, or output of numactl
 * -H, xl info -n or lscpu -p; or, if there is no such file, a synthetic string
 * of hwloc, "node:4 core:8 pu:2".
 *
 * *note_r: a malloc'd line of what had to be assumed, which the user should
 * see, or NULL. On failure *error_r is a malloc'd line that begins with the
 * word, or NULL if there was no memory for it; -EINVAL: it is not of its form;
 * -EFBIG: larger than any host; -ENOSYS: built without hwloc; -errno of
 * opening and reading.
 */
int host_source_open(const char *word, struct xln_snapshot **snapshot_r,
                     char **note_r, char **error_r);

#endif /* HOST_SOURCE_H */
