/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advice for the host of a planner, with the domains that are on it. */
#ifndef ADVISE_HOST_H
#define ADVISE_HOST_H

#include "advise.h"
#include "planner.h"

/* The domains that could be moved, and what their `need`s borrow. */
struct advise_guests {
    unsigned nr;
    struct advise_guest *list;
    const struct xln_cpumap ***hard;
};

struct host_advice {
    const struct xln_host *host;    /* borrowed */
    struct advise_guests guests;    /* which the moves borrow */
    struct advice *advice;
    struct xln_plan *plan;          /* of the domain that room was made for;
                                     * NULL: no moves make room, or none was */
};

/* The bytes that libxl takes for a domain besides its memory. */
uint64_t advise_overhead(const struct xln_domain *d);

/* Domains that stay where they are, by uuid. */
struct advise_fixed {
    unsigned nr;
    uint8_t (*uuids)[16];
};

/* 0 or -ENOMEM. */
int advise_fix(struct advise_fixed *fixed, const uint8_t uuid[16]);

/* `d`: the domain that there shall be room for; NULL: heal the host. `fixed`
 * may be NULL. 0 or -errno, as advise_heal() and advise_room(). To be disposed
 * of either way. */
int advise_host(const struct planner *planner, const struct planned *d,
                const struct advise_fixed *fixed, struct host_advice *a);
void host_advice_dispose(struct host_advice *a);

#endif /* ADVISE_HOST_H */
