/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt creates a domain that reboots in the same way as a new one. A new one
 * may be refused, and the user sees why; a domain that reboots would be lost.
 * So this records which domains libxl reports to end by a reboot or a crash.
 */
#ifndef REBOOTS_H
#define REBOOTS_H

#include <stdbool.h>

#include <libxl_event.h>

/*
 * The callbacks to register in place of libvirt's `hooks`, which they call.
 * Both stay in use as long as the process lives. `lg` is borrowed.
 */
const libxl_event_hooks *reboots_hear(const libxl_event_hooks *hooks,
                                      xentoollog_logger *lg);

/* Whether a domain of this uuid was to come again; it is then forgotten. */
bool reboots_comes_again(const libxl_uuid *uuid);

#endif /* REBOOTS_H */
