/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The xl that waits in the background for a domain, to build it again when it
 * reboots. */
#ifndef MONITOR_H
#define MONITOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Note that this process waits for this domain now, and for no other. The note
 * ends with the process. *fd: -1 before the first time; stays open.
 */
void monitor_note(uint32_t domid, int *fd);

/* The xl that waits for this domain, to make it anew when it reboots. 0:
 * none. */
pid_t monitor_find(uint32_t domid);

/* End all of those. */
void monitor_end(uint32_t domid);

/* Start one for a domain that has none. False: it could not be started. */
bool monitor_start(uint32_t domid);

#endif /* MONITOR_H */
