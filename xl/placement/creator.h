/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which toolstack created a domain, and looks after it. */
#ifndef CREATOR_H
#define CREATOR_H

#include <stdbool.h>
#include <stdint.h>

#include <libxl.h>

/* libvirt makes it anew at each reboot, from its XML, and knows it by its number: it
 * learns nothing of what we keep, and would lose it in a move. False, too, if there
 * is no such domain, or libxl cannot tell. */
bool creator_is_libvirt(libxl_ctx *ctx, uint32_t domid);

#endif /* CREATOR_H */
