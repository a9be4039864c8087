/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual nodes as programs read them. */
#ifndef VNUMA_VIEW_H
#define VNUMA_VIEW_H

#include <libxl_numa.h>

#include "text/json.h"

/* An array; null for none. */
void vnuma_view_json(const struct xln_vnuma *vnuma, struct xln__json *json);

/* xl's own vnuma= list. */
int vnuma_view_keys(const struct xln_vnuma *vnuma, FILE *f);

/* libvirt's <cpu>, and what of <numatune> says where each cell is. */
int vnuma_view_cells(const struct xln_vnuma *vnuma, FILE *f);
int vnuma_view_memnodes(const struct xln_vnuma *vnuma, FILE *f);

#endif /* VNUMA_VIEW_H */
