/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The xl that waits in the background for a domain, to make it anew when it
 * reboots. */
#ifndef MONITOR_H
#define MONITOR_H

#include <stdbool.h>
#include <stdint.h>

/* Start one for a domain that has none. False: it could not be started. */
bool monitor_start(uint32_t domid);

#endif /* MONITOR_H */
