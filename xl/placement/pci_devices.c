/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pci_devices.h"

#define ADDRESS "%04x:%02x:%02x.%x"
#define ADDRESS_OF(d) (d)->domain, (d)->bus, (d)->dev, (d)->func

void pci_devices_read(libxl_ctx *ctx, const struct layout *layout,
                      const libxl_domain_config *config,
                      struct pci_devices *devices_r)
{
    struct pci_devices d = { 0 };

    d.wanted = layout_devices(layout, config, &d.nr);
    if (d.nr) {
        d.here = libxl_get_pci_topology(ctx, &d.nr_here);
        d.assignable = libxl_device_pci_assignable_list(ctx,
                                                        &d.nr_assignable);
    }
    *devices_r = d;
}

void pci_devices_dispose(struct pci_devices *devices)
{
    if (devices->here)
        libxl_pcitopology_list_free(devices->here, devices->nr_here);
    if (devices->assignable)
        libxl_device_pci_assignable_list_free(devices->assignable,
                                              devices->nr_assignable);
}

static bool have_one_address(const libxl_device_pci *a,
                             const libxl_device_pci *b)
{
    return a->domain == b->domain && a->bus == b->bus && a->dev == b->dev &&
           a->func == b->func;
}

/* `xl pci-assignable-add -n NAME` names a device. NULL: none has this name. */
static const libxl_device_pci *with_address(const struct pci_devices *d, int i)
{
    const char *name = d->wanted[i].name;
    int n;

    if (!name)
        return &d->wanted[i];
    for (n = 0; d->assignable && n < d->nr_assignable; n++)
        if (d->assignable[n].name && !strcmp(d->assignable[n].name, name))
            return &d->assignable[n];
    return NULL;
}

const libxl_pcitopology *pci_devices_find(const struct pci_devices *devices,
                                          int i)
{
    const libxl_device_pci *wanted = with_address(devices, i);
    const libxl_pcitopology *here;
    int n;

    for (n = 0; wanted && devices->here && n < devices->nr_here; n++) {
        here = &devices->here[n];
        if (wanted->domain == here->seg && wanted->bus == here->bus &&
            (wanted->dev << 3 | wanted->func) == here->devfn)
            return here;
    }
    return NULL;
}

static bool is_assignable(const struct pci_devices *d,
                          const libxl_device_pci *wanted)
{
    int n;

    for (n = 0; d->assignable && n < d->nr_assignable; n++)
        if (have_one_address(&d->assignable[n], wanted))
            return true;
    return false;
}

/* With seize=1 libxl makes the device assignable itself. */
static int explain(const struct pci_devices *d, int i, char **reason_r)
{
    const libxl_device_pci *wanted = with_address(d, i);

    if (!wanted)
        return asprintf(reason_r, "no assignable PCI device has the name '%s': "
                        "'xl pci-assignable-list' shows the names",
                        d->wanted[i].name);
    if (d->here && !pci_devices_find(d, i))
        return asprintf(reason_r, "PCI device " ADDRESS " does not exist on "
                        "this host", ADDRESS_OF(wanted));
    if (d->wanted[i].seize || is_assignable(d, wanted))
        return 0;
    return asprintf(reason_r, "PCI device " ADDRESS " is not assignable: run "
                    "'xl pci-assignable-add " ADDRESS "', unless another "
                    "domain has it", ADDRESS_OF(wanted), ADDRESS_OF(wanted));
}

int pci_devices_explain(const struct pci_devices *devices, char **reason_r)
{
    char *reason = NULL;
    int i, r = 0;

    for (i = 0; i < devices->nr && !r; i++)
        r = explain(devices, i, &reason);
    if (r < 0)
        return -ENOMEM;
    *reason_r = r ? reason : NULL;
    return 0;
}
