/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a create needs from the host, from libxl's configuration. */
#ifndef BUILD_NEED_H
#define BUILD_NEED_H

#include "placement.h"

struct build_need {
    struct xln_need need;
    struct decide_guest guest;
    struct cells *cells;        /* of the guest */
    char *device_refusal;       /* of the guest */
};

/*
 * Fill it in, with the placement's host; it must be zero before, and is to be
 * disposed of in any case. -ENOMEM; -EIO: libxl cannot tell what memory the
 * domain needs.
 */
int build_need_fill(const struct placement *p, struct build_need *build);
void build_need_dispose(struct build_need *build);

#endif /* BUILD_NEED_H */
