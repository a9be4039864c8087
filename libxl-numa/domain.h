/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_DOMAIN_H
#define XLN_DOMAIN_H

#include "libxl_numa.h"

#define XLN__DOMAIN_BATCH 256   /* number of domains in the answer of one
                                   hypercall */

/* The affinities of a vCPU, as sets of `nr_cpus`. One hypercall. -ESRCH: there
 * is no such vCPU, or no such domain any more. */
int xln__affinity_read(xc_interface *xch, uint32_t domid, unsigned vcpu,
                       unsigned nr_cpus, struct xln_cpumap **hard_r,
                       struct xln_cpumap **soft_r);

#endif /* XLN_DOMAIN_H */
