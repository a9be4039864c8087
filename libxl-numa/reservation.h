/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_RESERVATION_H
#define XLN_RESERVATION_H

#include "libxl_numa.h"

/* CPUs that all have the same load of a domain. */
struct xln__load_run {
    unsigned first, last;
    uint64_t load;
};

/* The vCPUs of a create in flight, which its domain may not have, or which
 * may not have their affinity, yet. */
struct xln__promise {
    uint32_t domid;
    unsigned nr_runs;
    struct xln__load_run *runs; /* the CPUs near which they will stay */
    struct xln_cpumap *cores;   /* the cores that some of them will take */
};

/* The vCPUs of a domain whose creator is alive, as
 * xln_reservations_outstanding() found them; NULL: none. Borrowed. */
const struct xln__promise *xln__reservations_promise(
    const struct xln_reservations *held, uint32_t domid);

#endif /* XLN_RESERVATION_H */
