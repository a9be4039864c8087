/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Virtual nodes whose sizes and vCPUs are given: a hand-written vnuma= list,
 * which names a node for each, and libvirt's <cell>s. libvirt's driver for Xen
 * puts cell i on node i. Here each cell gets the node that the domain's XML
 * names, or a node that has room for it.
 */
#ifndef CELLS_H
#define CELLS_H

#include <libxl_numa.h>

struct cell {
    uint64_t bytes;
    struct xln_cpumap *vcpus;       /* NULL: none */
    struct xln_nodemap *nodes;      /* it is on one of these; NULL: on any */
    bool demanded;                  /* restored: by its XML, so leaving is news */
    unsigned *distances;            /* to each cell; NULL: not given */
};

struct cells {
    unsigned nr;
    bool listed;                    /* by vnuma=[...], with a node for each */
    bool restored;                  /* of a guest that has them already */
    struct cell *list;
};

/* `nr` cells of which nothing is known. 0 or -ENOMEM. */
int cells_new(unsigned nr, struct cells **cells_r);
void cells_free(struct cells *cells);

/* The properties that all of them have. */
uint64_t cells_bytes(const struct cells *cells);

/*
 * Whether each node that a list names is in `nodes`; libvirt's cells are
 * planned in any case. -EINVAL, and a line in *error_r that begins with
 * `source`, if not.
 */
int cells_check_nodes(const struct cells *cells, const char *source,
                      const struct xln_nodemap *nodes, char **error_r);

/* Whether each vCPU is in one cell, as libxl requires when the domain is half
 * made. -ENOSPC and a malloc'd line in *error_r: one is not; or -ENOMEM. */
int cells_check_vcpus(const struct cells *cells, unsigned nr_vcpus,
                      char **error_r);

/*
 * Find a node for each cell, in node_of[nr]. Those that it may be on are its
 * own; else those that its vCPUs are bound to; else those that `request` names,
 * in their order; else any with memory, the one with most room first. Of a
 * guest that is restored, those that `request` names come before the vCPUs. The
 * cells with fewest nodes to choose from go first, then the largest. Each takes
 * one that has room for it and no other cell, if there is one, near to the
 * others; of a guest that is restored, as far from them as the guest knows.
 * -ENOSPC and a malloc'd line in *error_r: one gets none; node_of has another
 * then, or the one with most memory. -ENOMEM.
 */
int cells_bind(const struct cells *cells, const struct xln_host *host,
               const struct xln_request *request, const struct xln_need *need,
               unsigned *node_of, char **error_r);

/*
 * The same where each has its node. -ENOSPC and a line: one of the nodes has
 * less memory than its cells need; node_of is filled in then, too.
 */
int cells_look_up(const struct cells *cells, const struct xln_host *host,
                  unsigned *node_of, char **error_r);

#endif /* CELLS_H */
