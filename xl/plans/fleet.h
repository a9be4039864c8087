/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choose one of several saved hosts for some domains. All domains are planned
 * on each host, as if it were the only one. Then the hosts are ranked by these
 * plans.
 */
#ifndef FLEET_H
#define FLEET_H

#include "planner.h"

/* A host, and what is planned on it. */
struct offer {
    const char *host;           /* as in the query */
    struct planner planner;
    struct planned *list;       /* a domain for each configuration */
    bool good;                  /* else the notes say why it is left out */
    struct planned_cost cost;
    unsigned distance;          /* the largest between two nodes of a domain;
                                 * 0: each is on one; XLN_NONE: unreachable */
    uint64_t left_bytes;        /* usable on the nodes that they take, and */
    uint64_t host_left_bytes;   /* on all nodes, with them there */
};

/* What is compared of two hosts, in this order: the first that differs decides
 * between them, and the lower one is better. */
enum fleet_reason {
    FLEET_LEFT_OUT,             /* the host could not be planned on */
    FLEET_UNFIT,
    FLEET_RELAXED,
    FLEET_AWAY,
    FLEET_MORE_NODES,
    FLEET_FARTHER,
    FLEET_LEFT,
    FLEET_ORDER,                /* nothing differs: as they were named */
};

struct fleet {
    struct notes *notes;        /* borrowed */
    struct keys *defaults;
    unsigned nr_configs;
    struct config **configs;
    unsigned nr;
    struct offer *offers;       /* once planned the best one first */
};

/* The options of the command line. */
struct fleet_query {
    const char *const *hosts;
    unsigned nr_hosts;
    const char *defaults;       /* their file, or NULL */
    char **words;               /* KEY=VALUEs, then configurations */
    unsigned nr_keys, nr_configs;
    bool optimise;
    const struct work *work;    /* gets the number of orders that were tried;
                                   or NULL */
};

/*
 * Plan and rank. A host that cannot be read, or that a configuration cannot be
 * for, is noted and ranked last; a host that is named twice is noted and
 * counted once. False: noted why nothing could be planned anywhere. To be
 * disposed of either way.
 */
bool fleet_plan(struct fleet *fleet, struct notes *notes,
                const struct fleet_query *what);
void fleet_dispose(struct fleet *fleet);

/* The criterion that decides between the two. */
enum fleet_reason fleet_compare(const struct offer *a, const struct offer *b);

/* The host to take: on which each domain fits, relaxed or not. NULL: none. */
const struct offer *fleet_choice(const struct fleet *fleet);

#endif /* FLEET_H */
