/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl-numa-foreign: hosts in the formats of other programs. It is a
 * separate library, so that programs which do not need these formats do not
 * need hwloc and expat. The conventions of libxl_numa.h apply.
 */
#ifndef LIBXL_NUMA_FOREIGN_H
#define LIBXL_NUMA_FOREIGN_H

#include <libxl_numa.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Open any description of a host: a file of xl-numa-snapshot(5); the XML of
 * hwloc ("lstopo --of xml") or of libvirt ("virsh capabilities"); or the output
 * of "numactl -H", "xl info -n" or "lscpu -p". If there is no such file, it is
 * taken for a synthetic topology of hwloc, "node:4 core:8 pu:2".
 *
 *   word: the path of the file; "-": standard input; or the topology
 *   snapshot_r: the snapshot; free it with xln_snapshot_free()
 *   note_r: a line that says what the description lacks and what was assumed
 *       instead; NULL: nothing; written after a failure too; free it with
 *       free()
 *   error_r: after a failure, a line that begins with `word`; NULL: no failure,
 *       or no memory for it; free it with free()
 *
 * Returns 0; -EINVAL: the format is unknown or wrong; -EFBIG: the file is
 * larger than any host; -ENOSYS: built without hwloc, which synthetic
 * topologies need; -ENOMEM; the -errno of opening and reading.
 * Since: 0.1
 */
int xln_snapshot_open(const char *word, struct xln_snapshot **snapshot_r,
                      char **note_r, char **error_r);

/*
 * Write a host as XML of hwloc 2, for "lstopo -i FILE".
 *
 *   host: the host
 *   f: the file, open for writing
 *
 * Returns 0; -ENOMEM; the -errno of writing.
 * Since: 0.1
 */
int xln_host_save_hwloc(const struct xln_host *host, FILE *f);

/* What lstopo shows in a box near a node. */
struct xln_hwloc_note {
    unsigned node;
    const char *text;           /* UTF-8 without controls */
    const char *colour;         /* of the box, "#rrggbb" */

    uint64_t reserved[2];       /* 0; see libxl_numa.h */
};

/*
 * Write a host as XML of hwloc 2 like xln_host_save_hwloc(), with notes:
 * objects of type Misc in the group of their node.
 *
 *   host: the host
 *   notes: the notes, those of a node next to each other; NULL if nr_notes is 0
 *   nr_notes: the number of notes
 *   f: the file, open for writing
 *
 * Returns 0; -ENOMEM; the -errno of writing.
 * Since: 0.1
 */
int xln_host_save_hwloc_notes(const struct xln_host *host,
                              const struct xln_hwloc_note *notes,
                              unsigned nr_notes, FILE *f);

#ifdef __cplusplus
}
#endif

#endif /* LIBXL_NUMA_FOREIGN_H */
