/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PCI devices that a configuration asks for, on the running host: where each
 * is, and whether libxl can assign it. libxl itself finds out when it has built
 * the domain, and then destroys it.
 */
#ifndef PCI_DEVICES_H
#define PCI_DEVICES_H

#include <libxl.h>

#include "layout.h"

struct pci_devices {
    int nr;
    const libxl_device_pci *wanted;     /* borrowed from the configuration */
    int nr_here;
    libxl_pcitopology *here;            /* all of the host; NULL: not known */
    int nr_assignable;
    libxl_device_pci *assignable;       /* free ones that pciback has */
};

/* Read them, if the configuration asks for any; libxl logs what it cannot read.
 * To be disposed of. */
void pci_devices_read(libxl_ctx *ctx, const struct layout *layout,
                      const libxl_domain_config *config,
                      struct pci_devices *devices_r);
void pci_devices_dispose(struct pci_devices *devices);

/* The device that the i-th item asks for, by its address or its name, with its
 * node. NULL: not known. */
const libxl_pcitopology *pci_devices_find(const struct pci_devices *devices,
                                          int i);

/* Why libxl will refuse one of them, to be freed; NULL if it will not. 0 or
 * -ENOMEM. */
int pci_devices_explain(const struct pci_devices *devices, char **reason_r);

#endif /* PCI_DEVICES_H */
