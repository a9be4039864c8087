/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The xl that waits in the background for a domain, to make it anew when it
 * reboots. */
#ifndef MONITOR_H
#define MONITOR_H

#include "cmd.h"

/* Start one for a domain that has none. False: said why not. */
bool monitor_start(uint32_t domid, const char *name);

#endif /* MONITOR_H */
