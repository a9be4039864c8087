/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cores: which are taken, and which vCPU gets which free one. */
#ifndef XLN_CORES_H
#define XLN_CORES_H

#include "problem.h"

/* Whether two CPUs are threads of one core; or of one scheduling unit, where
 * that is more. */
bool xln__cores_same(const struct xln_host *host, unsigned a, unsigned b);

/* If a vCPU with this hard affinity can run on one core alone of `pool`, add
 * the CPUs of that core, its siblings included. */
void xln__cores_hold(const struct xln_host *host,
                     const struct xln_cpumap *pool,
                     const struct xln_cpumap *hard, struct xln_cpumap *taken);

/*
 * The free cores of all `nodes`, to find sets of these which have one for
 * each vCPU, within its hard affinity. NULL in *deck_r: that depends on the
 * number of cores alone.
 */
struct xln__deck;
int xln__deck_new(const struct problem *problem,
                  const struct xln_nodemap *nodes, struct xln__deck **deck_r);
void xln__deck_free(struct xln__deck *deck);
bool xln__deck_suffices(struct xln__deck *deck,
                        const struct xln_nodemap *nodes);

/*
 * Give each vCPU a free core of its own on `homes`, within its hard affinity:
 * plan->vcpu_cores, and what follows from it. If there are too few,
 * plan->lacks_cores is set instead, and nothing fits.
 */
int xln__cores_deal(const struct problem *problem,
                    const struct xln_nodemap *homes, struct xln_plan *plan);

#endif /* XLN_CORES_H */
