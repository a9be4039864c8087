/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the domains of a snapshot have their memory, where their vCPUs may run
 * and where they run: what a table or a picture shows of each.
 */
#ifndef RESIDENTS_H
#define RESIDENTS_H

#include <libxl.h>

#include "libxl_numa.h"
#include "plans/locality.h"

struct resident {
    const struct xln_domain *domain;    /* borrowed, as its name is */
    const char *name;           /* NULL: it has none */
    enum xln_memory_source source;
    uint64_t *pages;            /* by node; 0 if the source is unknown */
    int64_t age_s;              /* of these numbers, when the snapshot was
                                 * taken; -1: unknown */
    /* The nodes of all CPUs that its vCPUs may use and prefer. NULL: its
     * cpupool no longer exists. */
    struct xln_nodemap *may_nodes;
    /* The nodes where its online vCPUs run, or ran last. */
    struct xln_nodemap *now_nodes;
    struct locality may, now;   /* of the memory to these nodes */
    struct locality running;    /* to the nodes of the vCPUs that ran when the
                                 * snapshot was taken; if none did, unknown */
};

struct residents {
    unsigned nr;
    struct resident *list;      /* by domid, ascending, without dying ones */
};

/*
 * Read the running host, and where its domains have their memory. If `count`,
 * Xen counts it now, which is costly. Otherwise it is as recorded when the
 * domains were built. A domain that ends meanwhile is marked as dying.
 * *report_s_r: how long Xen took to count.
 */
int residents_read_host(xc_interface *xch, libxl_ctx *ctx, bool count,
                        struct xln_snapshot **snapshot_r, double *report_s_r);

/* Make it from a snapshot with domains, which is kept, not copied. */
int residents_new(const struct xln_snapshot *snapshot,
                  struct residents **residents_r);
void residents_free(struct residents *residents);

/* Leave only these, by domid. */
void residents_keep(struct residents *residents, const uint32_t *domids,
                    unsigned nr);

/* The share of its memory that is remote from where its vCPUs may run, or from
 * where some run at this moment, whichever is larger: 0 to 1000, rounded up.
 * Where an idle vCPU ran last does not count. XLN_NONE: not known. */
unsigned resident_remote_permille(const struct resident *r);

#endif /* RESIDENTS_H */
