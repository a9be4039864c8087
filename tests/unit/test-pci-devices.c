/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PCI devices of a configuration: where they are, and what libxl refuses. */
#include <libxl.h>

#include "placement/pci_devices.h"
#include "tap.h"

/* The host: 01:00.0 on node 2 and 0001:82:1f.3 on node 5, both assignable; 03:00.0,
 * which is not. */
static libxl_pcitopology here[] = {
    { .bus = 3, .node = LIBXL_PCITOPOLOGY_INVALID_ENTRY },
    { .bus = 1, .node = 2 },
    { .seg = 1, .bus = 0x82, .devfn = 0x1f << 3 | 3, .node = 5 },
};
static char card[] = "card";
static libxl_device_pci assignable[] = {
    { .bus = 1 },
    { .domain = 1, .bus = 0x82, .dev = 0x1f, .func = 3, .name = card },
};
static bool all_fails;
static int nr_freed;

libxl_pcitopology *libxl_get_pci_topology(libxl_ctx *ctx, int *num)
{
    (void)ctx;
    *num = sizeof(here) / sizeof(*here);
    return all_fails ? NULL : here;
}

void libxl_pcitopology_list_free(libxl_pcitopology *list, int num)
{
    nr_freed += list == here && num == 3;
}

libxl_device_pci *libxl_device_pci_assignable_list(libxl_ctx *ctx, int *num)
{
    (void)ctx;
    *num = sizeof(assignable) / sizeof(*assignable);
    return all_fails ? NULL : assignable;
}

void libxl_device_pci_assignable_list_free(libxl_device_pci *list, int num)
{
    nr_freed += list == assignable && num == 2;
}

static void read_devices(libxl_device_pci *wanted, int nr,
                         struct pci_devices *devices)
{
    static const struct layout layout = {
        .nr_devices_at = offsetof(libxl_domain_config, num_pcidevs),
        .devices_at = offsetof(libxl_domain_config, pcidevs),
    };
    libxl_domain_config config = { .num_pcidevs = nr, .pcidevs = wanted };

    pci_devices_read(NULL, &layout, &config, devices);
}

/* The node, or -1, of one device, and what is said of it. */
static void is_device(libxl_device_pci wanted, int node, const char *reason,
                      const char *what)
{
    const libxl_pcitopology *found;
    struct pci_devices devices;
    char *got;

    read_devices(&wanted, 1, &devices);
    found = pci_devices_find(&devices, 0);
    ok(found ? node == (int)found->node : node == -1, "%s: its node", what);
    must(pci_devices_explain(&devices, &got));
    is_str(got, reason, what);
    free(got);
    pci_devices_dispose(&devices);
}

static void test_found(void)
{
    char name[] = "card";

    is_device((libxl_device_pci){ .bus = 1 }, 2, NULL,
              "an assignable device is not refused");
    is_device((libxl_device_pci){ .name = name }, 5, NULL,
              "a device is found by the name that it was given");
}

static void test_refused(void)
{
    char name[] = "disk";

    is_device((libxl_device_pci){ .bus = 0x99 }, -1,
              "PCI device 0000:99:00.0 does not exist on this host",
              "a device that does not exist is refused");
    is_device((libxl_device_pci){ .bus = 0x99, .seize = true }, -1,
              "PCI device 0000:99:00.0 does not exist on this host",
              "seize=1 does not help where there is no device");
    is_device((libxl_device_pci){ .bus = 3 }, -1,
              "PCI device 0000:03:00.0 is not assignable: run "
              "'xl pci-assignable-add 0000:03:00.0', unless another domain has "
              "it", "a device that is not assignable is refused");
    is_device((libxl_device_pci){ .bus = 3, .seize = true }, -1, NULL,
              "with seize=1 libxl makes a device assignable itself");
    is_device((libxl_device_pci){ .name = name }, -1,
              "no assignable PCI device has the name 'disk': "
              "'xl pci-assignable-list' shows the names",
              "a name that no device has is refused");
}

static void test_several(void)
{
    libxl_device_pci wanted[] = { { .bus = 1 }, { .bus = 0x99 }, { .bus = 3 } };
    struct pci_devices devices;
    char *reason;

    read_devices(wanted, 3, &devices);
    must(pci_devices_explain(&devices, &reason));
    is_str(reason, "PCI device 0000:99:00.0 does not exist on this host",
           "of several devices the first that libxl refuses is named");
    free(reason);
    pci_devices_dispose(&devices);
}

static void test_unknown(void)
{
    all_fails = true;
    is_device((libxl_device_pci){ .bus = 0x99, .seize = true }, -1, NULL,
              "without a list of the host's devices none is missing");
    all_fails = false;
}

static void test_none(void)
{
    struct pci_devices devices;
    char *reason;

    nr_freed = 0;
    read_devices(NULL, 0, &devices);
    must(pci_devices_explain(&devices, &reason));
    pci_devices_dispose(&devices);
    ok(!devices.here && !devices.assignable && !reason && !nr_freed,
       "a domain without devices costs no call");
}

int main(void)
{
    test_found();
    test_refused();
    ok(nr_freed == 14, "both lists are freed, each time");
    test_several();
    test_unknown();
    test_none();
    return tap_done();
}
