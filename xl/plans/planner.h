/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configurations planned on a host, running or saved, as creates of them would
 * be. Each function that gives a bool says itself what is wrong.
 */
#ifndef PLANNER_H
#define PLANNER_H

#include "commands/cmd.h"
#include "placement/config.h"

struct planner {
    struct cmd_line *line;      /* ctx is open only where the host runs */
    struct xln_snapshot *snapshot;
    const struct keys *defaults;
    struct keys *own_defaults;  /* NULL: they are another's */
    /* CPUs that xl.conf binds all vCPUs to; NULL: none. */
    struct xln_cpumap *bound_pv, *bound_others;
};

/* A domain, and what is planned for it. */
struct planned {
    const struct config *config;
    struct config *own_config;  /* NULL: it is another's */
    struct xln_request *request;
    struct xln_need need;
    struct xln_host *host;      /* with what is planned before it */
    struct xln_plan *plan;
    struct xln_vnuma *vnuma;    /* NULL: none */
};

/* `host_file` NULL: the running host, with its own defaults, xl-numa.conf and
 * xl.conf. `defaults_file`: instead of xl-numa.conf; NULL: that, or for a
 * saved host nothing. To be ended either way. */
bool planner_begin(struct planner *p, struct cmd_line *line,
                   const char *host_file, const char *defaults_file);
void planner_end(struct planner *p);

/* For several saved hosts: their defaults, from that file (NULL: none) read
 * once; and a planner that borrows them. */
bool planner_read_defaults(const char *defaults_file, struct keys **defaults_r);
bool planner_begin_saved(struct planner *p, struct cmd_line *line,
                         const char *host_file, const struct keys *defaults);

/* Read a configuration with the KEY=VALUEs of the command line. To be disposed
 * of either way; a planned one may be planned again. */
bool planner_read(struct planner *p, const char *path, char *const *words,
                  unsigned nr_words, struct planned *d);
void planned_dispose(struct planned *d);

/* The same in two steps: what no host is needed for, and, with the
 * configuration borrowed, what one is. */
bool planner_read_config(const struct keys *defaults, const char *path,
                         char *const *words, unsigned nr_words,
                         struct config **config_r);
bool planner_prepare(struct planner *p, const struct config *config,
                     struct planned *d);

/* What a plan of several costs; the first figure that differs decides which of
 * two is the better one. */
struct planned_cost {
    unsigned nr_unfit;          /* domains that don't fit at all */
    unsigned nr_relaxed;
    uint64_t away_bytes;        /* not on the nodes of its domain */
    unsigned nr_nodes;          /* added up over the domains */
};

struct planned_cost planned_cost(const struct planned *list, unsigned nr);

/* Plan it on a copy of `host`. */
bool planner_place(struct planned *d, const struct xln_host *host);

/* Plan all of them, each after those before it: in the order of `order`, which
 * has their indices; NULL: as they stand. */
bool planner_place_all(struct planned *list, unsigned nr,
                       const unsigned *order, const struct xln_host *host);

/*
 * Bring them into an order, of those that are tried, in which least has to be
 * given up, and plan them so. xl create, one after the other, does the same.
 */
bool planner_optimise(struct planned *list, unsigned nr,
                      const struct xln_host *host);

/* The host with the plan on it, if there is one that a create would keep to:
 * where nothing fits none is. */
bool planner_next_host(const struct planned *d, struct xln_host **host_r);

#endif /* PLANNER_H */
