/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_RESERVATION_H
#define XLN_RESERVATION_H

#include "libxl_numa.h"

/* The vCPUs of a create in flight, which its domain may not have, or which
 * may not have their affinity, yet. */
struct xln__promise {
    uint32_t domid;
    unsigned nr_vcpus;
    struct xln_nodemap *nodes;  /* that they will prefer */
    struct xln_cpumap *cores;   /* that some of them will hold */
};

/* Of a domain whose creator lives, as xln_reservations_outstanding() found it;
 * NULL: none. Borrowed. */
const struct xln__promise *xln__reservations_promise(
    const struct xln_reservations *held, uint32_t domid);

#endif /* XLN_RESERVATION_H */
