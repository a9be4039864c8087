/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes that a domain prefers: those of its PCI devices, and of other domains
 * by their names, for struct xln_need. */
#ifndef PREFERRED_NODES_H
#define PREFERRED_NODES_H

#include <libxl.h>
#include <libxl_numa.h>

#include "pci_devices.h"

/* As libxl_device_pci has it; XLN_NONE for a function: any. */
struct prefer_device {
    unsigned segment, bus, device, function;
};

/* The device of an item of pci=, "01:00.0,permissive=1". False: it has
 * none. */
bool prefer_parse_device(const char *item, struct prefer_device *device_r);

/* The first that a host does not have. NULL: it has them all, or its devices are
 * not known. */
const struct prefer_device *prefer_find_absent(
    const struct xln_snapshot *snapshot, const struct prefer_device *devices,
    unsigned nr);

/* Domains of the running host that a request names; NULL: none. */
struct prefer_domains {
    struct xln_domains *with, *apart;
    const char *absent;         /* the request's name of one that does not run */
};

/* Find them, in xenstore and by hypercalls. To be forgotten, whatever it
 * returns. */
int prefer_find(libxl_ctx *ctx, xc_interface *xch,
                const struct xln_request *request,
                struct prefer_domains *found);
void prefer_forget(struct prefer_domains *found);

/*
 * Put what is known into *need, which is to be disposed of by
 * prefer_dispose(). On a saved host; and on the running one.
 */
int prefer_saved(const struct xln_snapshot *snapshot,
                 const struct prefer_device *devices, unsigned nr,
                 const struct xln_request *request, struct xln_need *need);
int prefer_running(const struct xln_host *host,
                   const struct pci_devices *devices,
                   const struct prefer_domains *found, struct xln_need *need);
void prefer_dispose(struct xln_need *need);

#endif /* PREFERRED_NODES_H */
