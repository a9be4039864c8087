/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which domains to move to other nodes. The input is a host with its domains,
 * and the output a list of moves, in the order in which to make them. Nothing
 * here asks Xen or moves anything.
 */
#ifndef ADVISE_H
#define ADVISE_H

#include "placement/decide.h"

/* A domain that could be moved. */
struct advise_guest {
    const char *name;
    uint32_t domid;
    uint8_t uuid[16];
    uint64_t *pages;                /* it has on each node */
    struct xln_nodemap *vcpu_nodes; /* where its vCPUs would best run */
    struct xln_request *request;
    struct xln_need need;           /* of a copy of it */
    struct decide_guest kind;
    bool asks_absent;               /* for nodes that are not here: it stays */
    bool libvirts;                  /* libvirt created it: it stays */
    bool fixed;                     /* the caller wants it to stay */
};

/* The request of a domain, and its properties. */
struct advise_wish {
    const struct xln_request *request;
    const struct xln_need *need;
    const struct decide_guest *kind;
};

struct advise_move {
    const struct advise_guest *guest;
    struct xln_nodemap *nodes;      /* to these */
    uint64_t bytes;                 /* that are copied: all it has */
    /* Mean distance of its memory from its vCPUs, before and after, in
     * thousandths; XLN_NONE: not known. */
    unsigned before, after;
};

/* Why a domain stays, of whose memory less than half is local. */
enum advise_reason {
    ADVISE_NO_ROOM,             /* on the nodes that it may use */
    ADVISE_ABSENT,              /* its request names nodes that are not here */
    ADVISE_REQUESTED,           /* its request names its nodes */
    ADVISE_LIBVIRTS,            /* libvirt created it */
    ADVISE_NO_NEARER,           /* a move would not bring it nearer */
};

struct advise_stay {
    const struct advise_guest *guest;
    enum advise_reason reason;
};

struct advice {
    unsigned nr;
    struct advise_move *moves;
    unsigned nr_stays;          /* of advise_heal() */
    struct advise_stay *stays;
};

/*
 * The moves that bring memory nearer to vCPUs, those first that win most for
 * each byte that is copied; each is planned on the host as the ones before it
 * leave it. A move needs room for the copy next to the domain, and wins at
 * least a tenth of the distance. And the domains that they do not help. 0,
 * -ENOMEM, or what decide() says.
 */
int advise_heal(const struct xln_host *host, const struct advise_guest *guests,
                unsigned nr, struct advice **advice_r);

/*
 * The moves that make room for another domain on one node, with fewest bytes
 * copied. *plan_r is where it then goes; NULL: there are no such moves. Without
 * a move in the list it has its room already.
 */
int advise_room(const struct xln_host *host, const struct advise_guest *guests,
                unsigned nr, const struct advise_wish *wish,
                struct advice **advice_r, struct xln_plan **plan_r);

void advice_free(struct advice *advice);

#endif /* ADVISE_H */
