/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XEN_LAYOUT_H
#define XEN_LAYOUT_H

#include <xenctrl.h>

/*
 * Whether the libxenctrl of this process, and the hypervisor behind it, fill
 * in structures that are as <xenctrl.h> had them when this was built: they
 * have no version of their own, and libxenctrl copies them as the hypervisor
 * has them. Five hypercalls, each about the first of what there is.
 *
 * NULL: they are. Else the name of one that is not, or that could not be read.
 */
const char *xen_layout_find_odd(xc_interface *xch);

#endif /* XEN_LAYOUT_H */
