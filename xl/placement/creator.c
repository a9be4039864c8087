/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "creator.h"

/* libvirt's driver for Xen leaves the XML there, with each domain that it makes. */
bool creator_is_libvirt(libxl_ctx *ctx, uint32_t domid)
{
    int size;

    return !libxl_userdata_retrieve(ctx, domid, "libvirt-xml", NULL, &size) &&
           size;
}
