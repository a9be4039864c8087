/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one decision: on which nodes a domain goes, or why its create fails. A
 * create, its dry run, a plan, a simulation and the check before a move all
 * call it, so they all decide and report the same. Nothing here asks a
 * hypervisor, logs or prints.
 *
 *     defaults + keys            --> request      decide_request()
 *     host, request, need, guest --> decision     decide(), in decide_pool.h
 *
 * Between the two the caller looks up what the request needs. For the need,
 * these are the nodes of the domains that it names (preferred_nodes.h). For the
 * host, they are the load and the cores that are taken (xln_load_read() or
 * xln_load_of_domains()). The host also has the memory that is reserved for
 * others.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include "cells.h"
#include "keys.h"

/* The domain, in addition to what it needs of a host. */
struct decide_guest {
    libxl_domain_type type;
    bool on_demand;             /* memory < maxmem */
    bool restored;              /* its memory comes from a file or a host */
    bool again;                 /* it ran before: a reboot, a restore */
    bool reboots;               /* the domain would be lost if it were refused
                                   */
    uint64_t video_bytes;       /* HVM: in its first virtual node; 0: none */
    const struct cells *cells;  /* virtual nodes that it has of its own; NULL */
    const char *device_refusal; /* why libxl will refuse one of its PCI devices;
                                   NULL: not known that it will */
    bool any_pool;              /* it may be in any cpupool of the host,
                                   whatever `need` says */
};

/* The exit statuses of xl's commands. */
enum decide_status {
    DECIDE_FITS = 0,
    DECIDE_NOTHING_FITS = 3,
    DECIDE_RELAXED = 4,
};

struct decision {
    enum decide_status status;
    /*
     * Why nothing fits; NULL: it fits. `refused`: the domain is not made. Else a
     * create is worth a try, as memory may become free in the meantime.
     * `lacks_memory`: the reason is a lack of memory.
     */
    char *reason;
    bool refused, lacks_memory;

    struct xln_request *request;    /* what of it this host can do */
    struct xln_plan *plan;          /* also if it is refused */
    const struct xln_host_pool *pool; /* the host's, which was chosen, and which
                                       * the plan is for; NULL: none was */
    struct xln_vnuma *vnuma;        /* NULL: no virtual nodes; of cells all of
                                     * them, were there but one */

    unsigned nr_warnings;           /* each a line */
    char **warnings;
};

/*
 * What a domain asks for: its keys over the host's defaults (NULL: none), and
 * over both the nodes that a plan has found for it ("0-1"; NULL: none). 0,
 * -ENOMEM, or -EINVAL: not a list of nodes.
 */
int decide_request(const struct keys *defaults, const struct keys *keys,
                   const char *planned_nodes, struct xln_request **request_r);

/*
 * Decide, in the cpupool that the need says; see decide_pool.h. 0, to be freed,
 * whether it fits or not; -ENOMEM; or what xln_place() says of arguments that
 * are wrong.
 */
int decide_in_pool(const struct xln_host *host,
                   const struct xln_request *request,
                   const struct xln_need *need,
                   const struct decide_guest *guest,
                   struct decision **decision_r);

/* Whether each vCPU is to have a free core, or a thread of one, of its own. */
bool decide_binds_each(enum xln_vcpus_mode mode);

/* What uses the need after a cpupool was chosen is to find it there. */
void decision_set_pool(const struct decision *d, struct xln_need *need);
void decision_free(struct decision *d);

#endif /* DECIDE_H */
