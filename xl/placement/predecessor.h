/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The domain that a guest was before it rebooted. */
#ifndef PREDECESSOR_H
#define PREDECESSOR_H

#include <stdint.h>
#include <xenctrl.h>

/*
 * xl destroys a domain before it makes the next one, but pages that somebody
 * maps (a back end, a device model that ends) are not free until they are let
 * go. Wait for that as long as they get fewer, and two seconds more. *pages_r:
 * how many are still held; what is less than 1 MiB counts as none. `uuid` is the
 * guest's, `domid` its new domain. 0, -ENOMEM, or -errno of the hypercall.
 */
int predecessor_await(xc_interface *xch, const uint8_t uuid[16],
                      uint32_t domid, uint64_t *pages_r);

#endif /* PREDECESSOR_H */
