/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt creates a domain that reboots in the same way as a new one. A new one
 * may be refused, and the user sees why; a domain that reboots would be lost.
 * So this knows which creates follow a reboot or a crash that libxl reported.
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

/* This thread is about to destroy the domain. */
void reboots_destroy(uint32_t domid);

/* Whether a create of this uuid is the next one in the thread that destroyed
 * that domain because it ended by a reboot or a crash. */
bool reboots_comes_again(const libxl_uuid *uuid);

#endif /* REBOOTS_H */
