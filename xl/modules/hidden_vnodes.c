/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>

#include "hidden_vnodes.h"
#include "interpose.h"

/* libvirtd saves and builds in parallel. A module is there from the start of the
 * process, so its thread's variables need no call of the dynamic linker. */
static _Thread_local struct {
    bool active;
    uint32_t domid;
} hidden __attribute__((tls_model("initial-exec")));

int vnodes_read(xentoollog_logger *lg, uint32_t domid,
                struct vnuma_record **record_r)
{
    xc_interface *xch = xc_interface_open(lg, NULL, 0);
    int rc;

    if (!xch)
        return -EIO;
    rc = vnuma_record_read(xch, domid, record_r);
    xc_interface_close(xch);
    return rc;
}

void vnodes_hide(uint32_t domid)
{
    hidden.active = true;
    hidden.domid = domid;
}

void vnodes_show(void)
{
    hidden.active = false;
}

/* The question has no place for an answer but the sizes. */
EXPORT int xc_domain_getvnuma(xc_interface *xch, uint32_t domid,
                              uint32_t *nr_vnodes, uint32_t *nr_vmemranges,
                              uint32_t *nr_vcpus, xen_vmemrange_t *vmemrange,
                              unsigned int *vdistance,
                              unsigned int *vcpu_to_vnode)
{
    bool asks_sizes = !vmemrange && !vdistance && !vcpu_to_vnode;

    if (hidden.active && asks_sizes && domid == hidden.domid) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return REAL(xc_domain_getvnuma)(xch, domid, nr_vnodes, nr_vmemranges,
                                    nr_vcpus, vmemrange, vdistance,
                                    vcpu_to_vnode);
}
