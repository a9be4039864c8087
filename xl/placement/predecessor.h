/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The domain that a guest was before it rebooted. */
#ifndef PREDECESSOR_H
#define PREDECESSOR_H

#include <stdint.h>
#include <xenctrl.h>

/*
 * The toolstack destroys a domain before it makes the next one. But Xen cannot
 * free a page while somebody maps it: a back end, or a device model that ends.
 * Wait until these pages are free: two seconds after the last one was, but five
 * seconds at most. Whoever maps the pages may let go of them at any pace, so
 * that alone must not decide how long a create takes.
 *
 * *pages_r: how many are still held; less than 1 MiB counts as none. `uuid` is
 * the guest's, of which the new domain must not be there yet. 0, -ENOMEM, or
 * -errno of the hypercall.
 */
int predecessor_await(xc_interface *xch, const uint8_t uuid[16],
                      uint64_t *pages_r);

#endif /* PREDECESSOR_H */
