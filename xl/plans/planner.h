/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plan configurations on a host, running or saved, as creates would. If a
 * function returns a bool, false means that it failed, and the notes say why.
 * The notes may have more lines, which say what was assumed or ignored.
 */
#ifndef PLANNER_H
#define PLANNER_H

#include "notes.h"
#include "placement/config.h"
#include "placement/decide.h"
#include "work.h"

struct planner {
    struct notes *notes;        /* borrowed */
    libxl_ctx *ctx;             /* borrowed; NULL: the host is a saved one */
    struct xln_snapshot *snapshot;
    const struct keys *defaults;
    struct keys *own_defaults;  /* NULL: they are another's */
    /* CPUs that xl.conf binds all vCPUs to; NULL: none. */
    struct xln_cpumap *bound_pv, *bound_others;
};

/* A domain, and what is planned for it. */
struct planned {
    struct notes *notes;        /* borrowed */
    const struct config *config;
    struct config *own_config;  /* NULL: it is another's */
    struct xln_request *request;
    struct xln_need need;
    struct decide_guest guest;
    struct xln_host *host;      /* with what is planned before it */
    struct decision *decision;
};

/* The running host, with its own defaults, xl-numa.conf (`defaults_file`:
 * instead of that) and xl.conf. To be ended either way. */
bool planner_begin_running(struct planner *p, struct notes *notes,
                           xc_interface *xch, libxl_ctx *ctx,
                           const char *defaults_file);

/* A saved one, see xln_snapshot_open(); the defaults are those of that file, or
 * none. */
bool planner_begin_saved(struct planner *p, struct notes *notes,
                         const char *host_file, const char *defaults_file);
void planner_end(struct planner *p);

/* For several saved hosts: their defaults, from that file (NULL: none) read
 * once; and a planner that borrows them. */
bool planner_read_defaults(struct notes *notes, const char *defaults_file,
                           struct keys **defaults_r);
bool planner_begin_borrowing(struct planner *p, struct notes *notes,
                             const char *host_file,
                             const struct keys *defaults);

/* Read a configuration with the KEY=VALUEs of the command line. To be disposed
 * of either way; a planned one may be planned again. */
bool planner_read(struct planner *p, const char *path, char *const *words,
                  unsigned nr_words, struct planned *d);
void planned_dispose(struct planned *d);

/* The same in two steps: what no host is needed for, and, with the
 * configuration borrowed, what one is. */
bool planner_read_config(struct notes *notes, const struct keys *defaults,
                         const char *path, char *const *words,
                         unsigned nr_words, struct config **config_r);
bool planner_prepare(struct planner *p, const struct config *config,
                     struct planned *d);

/* What a plan of several costs; the first figure that differs decides which of
 * two is the better one. */
struct planned_cost {
    unsigned nr_unfit;          /* domains that do not fit at all */
    unsigned nr_relaxed;
    uint64_t away_bytes;        /* not on the nodes of its domain */
    unsigned nr_nodes;          /* added up over the domains that fit */
};

struct planned_cost planned_cost(const struct planned *list, unsigned nr);

/* Plan it on a copy of `host`. */
bool planner_place(struct planned *d, const struct xln_host *host);

/* Plan all of them, each after those before it: in the order of `order`, which
 * has their indices; NULL: as they stand. */
bool planner_place_all(struct planned *list, unsigned nr,
                       const unsigned *order, const struct xln_host *host);

/*
 * Bring them (one at least) into an order, of those that are tried, in which
 * least has to be given up, and plan them so. xl create, one after the other,
 * does the same. `work` (or NULL) is told of the orders.
 */
bool planner_optimise(struct planned *list, unsigned nr,
                      const struct xln_host *host, const struct work *work);

/* The host with the plan on it, if a create would follow the plan: not if
 * nothing fits. */
bool planner_next_host(const struct planned *d, struct xln_host **host_r);

#endif /* PLANNER_H */
