/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XEN_LAYOUT_H
#define XEN_LAYOUT_H

#include <xenctrl.h>

/*
 * Test whether the libxenctrl of this process, and its hypervisor, use the
 * structures of the <xenctrl.h> that this was built with. The structures have
 * no version, and libxenctrl copies them from the hypervisor. The test makes
 * five hypercalls, each for the first item of its kind.
 *
 * Returns NULL: they do. Else the name of a structure that differs, or that
 * could not be read.
 */
const char *xen_layout_find_odd(xc_interface *xch);

#endif /* XEN_LAYOUT_H */
