/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_DOMAIN_H
#define XLN_DOMAIN_H

#include "libxl_numa.h"

/*
 * Visit each domain in ascending order, until a visit does not return 0. This takes
 * a hypercall for each 256 domains. Returns what the last visit returned; -ENOMEM;
 * the -errno of a hypercall.
 */
typedef int xln__visit_domain(void *arg, const xc_domaininfo_t *info);
int xln__each_domain(xc_interface *xch, xln__visit_domain *visit, void *arg);

/* The affinities of a vCPU, as sets of `nr_cpus`. One hypercall. -ESRCH: there
 * is no such vCPU, or no such domain any more. */
int xln__affinity_read(xc_interface *xch, uint32_t domid, unsigned vcpu,
                       unsigned nr_cpus, struct xln_cpumap **hard_r,
                       struct xln_cpumap **soft_r);

#endif /* XLN_DOMAIN_H */
