/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one decision, with the choice of the cpupool if the guest may be in any:
 * see decide.h. */
#ifndef DECIDE_POOL_H
#define DECIDE_POOL_H

#include "decide.h"

/*
 * Decide. 0, to be freed, whether it fits or not; -ENOMEM; or what xln_place()
 * says of arguments that are wrong.
 */
int decide(const struct xln_host *host, const struct xln_request *request,
           const struct xln_need *need, const struct decide_guest *guest,
           struct decision **decision_r);

#endif /* DECIDE_POOL_H */
