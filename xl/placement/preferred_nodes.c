/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "preferred_nodes.h"

/* DDDD:BB:DD.F or BB:DD.F, F a digit or "*"; what follows is for xl. */
static bool parse_address(const char *text, struct prefer_device *d)
{
    char function[2];

    d->segment = 0;
    if (sscanf(text, "%4x:%2x:%2x.%1[0-7*]", &d->segment, &d->bus, &d->device,
               function) != 4) {
        d->segment = 0;
        if (sscanf(text, "%2x:%2x.%1[0-7*]", &d->bus, &d->device,
                   function) != 3)
            return false;
    }
    d->function = *function == '*' ? XLN_NONE : (unsigned)(*function - '0');
    return true;
}

bool prefer_parse_device(const char *item, struct prefer_device *device_r)
{
    const char *key = strstr(item, "bdf=");

    return parse_address(key ? key + strlen("bdf=") : item, device_r);
}

static bool is_device(const struct prefer_device *wanted,
                      const struct xln_pci_device *d)
{
    return wanted->segment == d->segment && wanted->bus == d->bus &&
           wanted->device == d->device &&
           (wanted->function == XLN_NONE || wanted->function == d->function);
}

/* Count one device more on a node; nodes that are not there do not count. */
static int add_device(const struct xln_host *host, unsigned node,
                      struct xln_need *need)
{
    struct xln_nodemap *nodes;
    unsigned *nr_devices;
    int rc;

    if (!xln_host_node(host, node))
        return 0;
    if (!need->device_nodes) {
        rc = xln_nodemap_new(xln_host_nr_nodes(host), &nodes);
        if (rc)
            return rc;
        need->device_nodes = nodes;
    }
    if (!need->nr_devices) {
        need->nr_devices = calloc(xln_host_nr_nodes(host),
                                  sizeof(*need->nr_devices));
        if (!need->nr_devices)
            return -ENOMEM;
    }
    nodes = (struct xln_nodemap *)(uintptr_t)need->device_nodes;
    nr_devices = (unsigned *)(uintptr_t)need->nr_devices;
    xln_nodemap_set(nodes, node);
    nr_devices[node]++;
    return 0;
}

/* All functions of a device are on one node, and are one here. */
static const struct xln_pci_device *find_saved(
    const struct xln_snapshot *snapshot, const struct prefer_device *wanted)
{
    unsigned i;

    for (i = 0; i < snapshot->nr_devices; i++)
        if (is_device(wanted, &snapshot->devices[i]))
            return &snapshot->devices[i];
    return NULL;
}

static int add_item(const struct xln_snapshot *snapshot,
                    const struct prefer_device *wanted, struct xln_need *need)
{
    const struct xln_pci_device *d = find_saved(snapshot, wanted);

    return d ? add_device(snapshot->host, d->node, need) : 0;
}

const struct prefer_device *prefer_find_absent(
    const struct xln_snapshot *snapshot, const struct prefer_device *devices,
    unsigned nr)
{
    unsigned i;

    for (i = 0; snapshot->devices_known && i < nr; i++)
        if (!find_saved(snapshot, &devices[i]))
            return &devices[i];
    return NULL;
}

/* A domain that is on all nodes alike is on none in particular. */
static int copy_nodes(const struct xln_host *host,
                      const struct xln_domain *domain,
                      const struct xln_nodemap **nodes)
{
    struct xln_nodemap *copy;
    unsigned node;
    int rc;

    if (!domain->nodes || xln_nodemap_is_empty(domain->nodes) ||
        xln_nodemap_is_subset(xln_host_nodes(host), domain->nodes))
        return 0;
    rc = xln_nodemap_new(xln_host_nr_nodes(host), &copy);
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, domain->nodes)
        if (xln_host_node(host, node))
            xln_nodemap_set(copy, node);
    *nodes = copy;
    return 0;
}

static int add_saved(const struct xln_snapshot *snapshot, const char *name,
                     const struct xln_nodemap **nodes)
{
    const struct xln_domains *domains = snapshot->domains;
    unsigned i;

    for (i = 0; name && domains && i < domains->nr; i++)
        if (snapshot->more[i].name && !strcmp(snapshot->more[i].name, name))
            return copy_nodes(snapshot->host, &domains->list[i], nodes);
    return 0;
}

int prefer_saved(const struct xln_snapshot *snapshot,
                 const struct prefer_device *devices, unsigned nr,
                 const struct xln_request *request, struct xln_need *need)
{
    unsigned i;
    int rc = 0;

    for (i = 0; i < nr && !rc; i++)
        rc = add_item(snapshot, &devices[i], need);
    if (!rc)
        rc = add_saved(snapshot, request->with, &need->with_nodes);
    if (!rc)
        rc = add_saved(snapshot, request->apart, &need->apart_nodes);
    return rc;
}

/* ---- the running host ---- */

static int add_running_devices(const struct xln_host *host,
                               const struct pci_devices *devices,
                               struct xln_need *need)
{
    const libxl_pcitopology *here;
    int i, rc = 0;

    for (i = 0; i < devices->nr && !rc; i++) {
        here = pci_devices_find(devices, i);
        if (here && here->node != LIBXL_PCITOPOLOGY_INVALID_ENTRY)
            rc = add_device(host, here->node, need);
    }
    return rc;
}

/* *domains_r stays NULL where no domain of that name runs. */
static int find_domain(libxl_ctx *ctx, xc_interface *xch, const char *name,
                       struct xln_domains **domains_r, const char **absent_r)
{
    uint32_t domid;
    int r, rc;

    if (!name)
        return 0;
    r = libxl_name_to_domid(ctx, name, &domid);
    if (r)
        rc = r == ERROR_INVAL ? -ESRCH : -EIO;
    else
        rc = xln_domains_read(xch, domid, domains_r);
    if (rc == -ESRCH) {
        *absent_r = name;
        return 0;
    }
    return rc;
}

int prefer_find(libxl_ctx *ctx, xc_interface *xch,
                const struct xln_request *request,
                struct prefer_domains *found)
{
    int rc = find_domain(ctx, xch, request->with, &found->with,
                         &found->absent);

    return rc ? rc : find_domain(ctx, xch, request->apart, &found->apart,
                                 &found->absent);
}

void prefer_forget(struct prefer_domains *found)
{
    xln_domains_free(found->with);
    xln_domains_free(found->apart);
}

static int add_found(const struct xln_host *host,
                     const struct xln_domains *domains,
                     const struct xln_nodemap **nodes)
{
    return domains && domains->nr
               ? copy_nodes(host, &domains->list[0], nodes) : 0;
}

int prefer_running(const struct xln_host *host,
                   const struct pci_devices *devices,
                   const struct prefer_domains *found, struct xln_need *need)
{
    int rc = add_running_devices(host, devices, need);

    if (!rc)
        rc = add_found(host, found->with, &need->with_nodes);
    return rc ? rc : add_found(host, found->apart, &need->apart_nodes);
}

static void free_nodes(const struct xln_nodemap *nodes)
{
    xln_nodemap_free((struct xln_nodemap *)(uintptr_t)nodes);
}

void prefer_dispose(struct xln_need *need)
{
    free_nodes(need->device_nodes);
    free_nodes(need->with_nodes);
    free_nodes(need->apart_nodes);
    free((void *)(uintptr_t)need->nr_devices);
}
