/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One domain that is being created, from libxl's first hypercall to the end of
 * the create.
 */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include <libxl.h>
#include <xenctrl.h>

#include "cells.h"
#include "decide.h"
#include "layout.h"
#include "populate.h"
#include "preferred_nodes.h"
#include "restore.h"
#include "vnuma_record.h"

/* xc_domain_populate_physmap(), the real one. */
typedef int populate_physmap_fn(xc_interface *xch, uint32_t domid,
                                unsigned long nr_extents,
                                unsigned int extent_order,
                                unsigned int mem_flags,
                                xen_pfn_t *extent_start);

struct placement {
    libxl_ctx *ctx;
    xentoollog_logger *lg;
    const struct layout *layout;    /* of libxl; the caller's, as is ... */
    libxl_domain_config *config;    /* ... what is made */
    struct keys *keys, *defaults;   /* the host's; NULL: not read yet */
    bool again;                     /* it ran before: it is not to be lost */
    bool reboots;                   /* and is lost if it is refused */
    bool any_pool;                  /* the plan chooses its cpupool */
    bool restoring;                 /* memory comes by another process, */
    enum restore_helper helper;     /* which libxl starts so */
    char *planned_nodes;            /* by a plan, for this once; NULL: none */
    struct cells *cells;            /* its virtual nodes are libvirt's; or NULL */
    struct vnuma_record *vnodes;    /* restoring: those it had; or NULL */
    uint32_t domid;                 /* XLN_NONE: not made yet */
    uint32_t stub_domid;            /* its stub domain's; XLN_NONE: none */

    unsigned lock_timeout_ms;       /* for RESERVATIONS, inside libxl */

    /* What was prepared before libxl, in this order; the error of a step. */
    int unprepared;
    uint64_t *promised;             /* [XLN_MAX_NODES], reserved for domains
                                       that balloon up */
    struct prefer_domains preferred;

    /* The arguments of the decision, and the decision; NULL: none was made. */
    struct xln_request *request;
    struct xln_host *host;
    struct decision *decision;
    struct xln_affinity *affinity;  /* exchanged with that of config->b_info;
                                       NULL: libxl's own placement applies */
    int promise_fd;                 /* in RESERVATIONS; -1: none */
    struct restored restored;       /* how its memory is allocated */
    struct populate stub_built;
    struct restore *restore;        /* shares `restored` with the save helper */
    bool short_of_memory;           /* the last memory that was asked for was
                                       not available */

    bool resetting;                 /* softly: all stays where it is */
    /* The contents of its record; NULL: none. */
    char *kept_nodes, *kept_pages, *kept_vnodes;
};

/* The defaults of the host, none if its file is not there or cannot be read.
 * -EINVAL: something in it is wrong, which has been logged; or -ENOMEM. */
int placement_host_defaults(libxl_ctx *ctx, xentoollog_logger *lg,
                            struct keys **keys_r);

/*
 * Nodes that this host does not have are an error where a user names them just
 * now: -EINVAL, which was logged. `cells`: a vnuma= list; NULL: none. `source`
 * is what that calls it. libxl is asked which nodes there are; the host is read
 * when the plan is made.
 */
int placement_check_nodes(libxl_ctx *ctx, xentoollog_logger *lg,
                          const struct keys *keys, const struct cells *cells,
                          const char *source);

/*
 * Begin a create. Takes over `keys`; NULL: those that `config` carries, of
 * which bad ones are warned about and forgotten. Takes over the host's
 * `defaults`; NULL: they are read when the plan is made.
 */
int placement_begin(libxl_ctx *ctx, xentoollog_logger *lg,
                    const struct layout *layout, libxl_domain_config *config,
                    struct keys *keys, struct keys *defaults,
                    struct placement **placement_r);

/* Note the request in the configuration's xsdata, so that it is stored with
 * the domain. */
int placement_note_request(struct placement *p);

/* Begin a soft reset of `domid`, which keeps its nodes: also one that has no
 * record, where the plan was not ours. */
int placement_begin_reset(libxl_ctx *ctx, xentoollog_logger *lg,
                          const struct layout *layout,
                          libxl_domain_config *config, uint32_t domid,
                          struct placement **placement_r);

/*
 * Call it before libxl is entered. It reads the host's defaults and all that
 * takes xenstore. It waits, some seconds at most, for the memory of the domain
 * that this one was, and for other creates. placement_plan() reports what fails
 * here.
 */
void placement_prepare(struct placement *p);

/*
 * Plan, and put the plan into the configuration. It runs inside libxl, so it
 * waits for nothing but the lock that other creates hold while they plan.
 * `domid` is the new domain; XLN_NONE in a dry run, which reserves nothing. If
 * something fails, it warns and leaves placement to xl. -ENOSPC: the host
 * cannot provide what the request demands (strict, cores, virtual nodes).
 */
int placement_plan(struct placement *p, xc_interface *xch, uint32_t domid);

/*
 * Whether placement_plan() would refuse the domain although Domain-0 gives up
 * `more_bytes` for it. Nobody knows from which nodes they would come, so every
 * node counts as if all of them came from there. True: as with -ENOSPC above;
 * placement_end() reports why. False: no, or nobody can tell, which
 * placement_plan() will report. Call it after placement_prepare().
 */
bool placement_refuses(struct placement *p, xc_interface *xch,
                       uint64_t more_bytes);

/* The pages that libxl asks for its stub domain come from the same nodes. */
int placement_adopt_stub(struct placement *p, uint32_t stub_domid);

/* xc_domain_populate_physmap() for a domain that has a plan. */
int placement_populate(struct placement *p, populate_physmap_fn *real,
                       xc_interface *xch, uint32_t domid, unsigned long nr,
                       unsigned order, unsigned mem_flags,
                       xen_pfn_t *extents);

/* The same for a domain that has `built` alone, and `vnodes`, if not NULL. Sets
 * *short_r as the calls go: the last pages that were asked for are not
 * available. */
int placement_populate_by(struct populate *built,
                          struct populate_vnodes *vnodes,
                          populate_physmap_fn *real,
                          xc_interface *xch, uint32_t domid, unsigned long nr,
                          unsigned order, unsigned mem_flags,
                          xen_pfn_t *extents, bool *short_r);

/*
 * The create is over, well or not (`failed`): record what was granted, say
 * what is not as it was asked for, and give the configuration back as it was.
 * True: why it failed has been reported.
 */
bool placement_end(struct placement *p, bool failed);

#endif /* PLACEMENT_H */
