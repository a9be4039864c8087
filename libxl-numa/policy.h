/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XLN_POLICY_H
#define XLN_POLICY_H

#include "libxl_numa.h"

struct xln_policy {
    const char *name;
    const char *name_2012;
    /* < 0: a is the better of two sets that are equally many nodes at equal
     * distances; 0: no difference, the lower numbers win. Only the figures
     * count: `nodes` is NULL here. */
    int (*compare)(const struct xln_candidate *a,
                   const struct xln_candidate *b);
};

#endif /* XLN_POLICY_H */
