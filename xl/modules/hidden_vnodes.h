/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl refuses to save a domain of which Xen has virtual nodes. It asks for
 * their sizes before it saves, in the thread that wants the domain saved. There,
 * and for that domain alone, it is told that the domain has none.
 */
#ifndef HIDDEN_VNODES_H
#define HIDDEN_VNODES_H

#include "placement/vnuma_record.h"

/* The virtual nodes that Xen has of a domain: 0, or as vnuma_record_read();
 * -EIO: Xen does not answer. */
int vnodes_read(xentoollog_logger *lg, uint32_t domid,
                struct vnuma_record **record_r);

/* Hide them from here to vnodes_show(), in this thread. */
void vnodes_hide(uint32_t domid);
void vnodes_show(void);

#endif /* HIDDEN_VNODES_H */
