/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host with its domains and devices, from Xen or from a file: part of
 * libxl_numa.h. */
#ifndef LIBXL_NUMA_SNAPSHOT_H
#define LIBXL_NUMA_SNAPSHOT_H

#include <stdio.h>

#include <libxl_numa/domain.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xln_pci_device {
    uint16_t segment;
    uint8_t bus, device, function;
    unsigned node;              /* XLN_NONE: the firmware does not say */
};

/* Where the numbers come from that say on which nodes a domain's memory is. */
enum xln_memory_source {
    XLN_MEMORY_UNKNOWN,
    XLN_MEMORY_AT_BUILD,        /* what Xen granted when it was built */
    XLN_MEMORY_COUNTED,         /* Xen counted its pages */
};

/* What is known about a domain in addition to struct xln_domain. */
struct xln_snapshot_domain {
    char *name;                 /* NULL: it has none */
    /* The keys of its request and their values, "nodes" and "0-1", in turn;
     * NULL ends the list. NULL: it has no request. They come from outside and
     * are not checked. */
    char **request;

    enum xln_memory_source memory_source;
    /* How much of its memory is where: nodes ascending, none with 0 bytes.
     * NULL if the source is XLN_MEMORY_UNKNOWN. */
    struct xln_share *memory;
    unsigned nr_memory;
    int64_t memory_time_s;      /* when that was so, in seconds since 1970;
                                 * 0: unknown */

    uint64_t reserved[4];       /* 0; see libxl_numa.h */
};

struct xln_snapshot {
    char *xen;                  /* its release, "4.17"; NULL: unknown */
    struct xln_host *host;
    bool devices_known;         /* false: the devices are unknown */
    unsigned nr_devices;
    struct xln_pci_device *devices;
    struct xln_domains *domains;    /* NULL: unknown */
    struct xln_snapshot_domain *more;   /* [domains->nr], in their order */
    /* The creates in flight; NULL: not the running host. */
    struct xln_reservation_list *reservations;
    char *host_name;            /* NULL: unknown */
    int64_t time_s;             /* when it was taken, in seconds since 1970;
                                 * 0: unknown */

    uint64_t reserved[13];      /* 0; see libxl_numa.h */
};

/*
 * Read the running host. What creates in flight have reserved and what domains
 * will still balloon up to is in its nodes' reserved_bytes. It is unknown on
 * which nodes domains have their memory: see xln_snapshot_add_residency().
 *
 *   xch: an open libxc handle
 *   ctx: an open libxl context
 *   reservations: the path of the directory with the records of creates in
 *       flight, see xln_reservation_list_read()
 *   snapshot_r: the snapshot; free it with xln_snapshot_free()
 *
 * Returns 0; -EACCES or -EPERM: the caller is not root; -ENOMEM; the -errno of
 * what could not be read.
 * Since: 0.1
 */
int xln_snapshot_read(xc_interface *xch, libxl_ctx *ctx,
                      const char *reservations,
                      struct xln_snapshot **snapshot_r);

/*
 * Add to a snapshot on which nodes domains have their memory, as Xen has just
 * counted it. What the snapshot had before is replaced. A domain that the
 * report does not have stays unknown.
 *
 *   snapshot: the snapshot, with its domains
 *   residency: the report, of the same host
 *
 * Returns 0; -ENOMEM: the snapshot has a part of the report.
 * Since: 0.1
 */
int xln_snapshot_add_residency(struct xln_snapshot *snapshot,
                               const struct xln_residency *residency);

/*
 * Read a snapshot from a file of xl-numa-snapshot(5).
 *
 *   f: the file, open for reading
 *   source: the name of the file, for messages
 *   snapshot_r: the snapshot; free it with xln_snapshot_free()
 *   error_r: after -EINVAL and -EFBIG, and only then: a line that says what is
 *       wrong where; NULL: there was no memory for it; free it with free()
 *
 * Returns 0; -EINVAL: the file is not of this format; -EFBIG: it is larger
 * than any host; -ENOMEM; the -errno of read().
 * Since: 0.1
 */
int xln_snapshot_load(FILE *f, const char *source,
                      struct xln_snapshot **snapshot_r, char **error_r);

/*
 * Write a snapshot in the format of xl-numa-snapshot(5). Creates in flight are
 * not part of it, but the nodes' reserved_bytes are.
 *
 *   snapshot: the snapshot
 *   f: the file, open for writing
 *
 * Returns 0; -ENOMEM; the -errno of writing.
 * Since: 0.1
 */
int xln_snapshot_save(const struct xln_snapshot *snapshot, FILE *f);

/*
 * Free a snapshot.
 *
 *   snapshot: the snapshot, or NULL
 *
 * Since: 0.1
 */
void xln_snapshot_free(struct xln_snapshot *snapshot);

#ifdef __cplusplus
}
#endif

#endif /* LIBXL_NUMA_SNAPSHOT_H */
