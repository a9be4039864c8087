/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot of the running host. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libxl_utils.h>
#include <xenstore.h>

#include "host.h"
#include "text/from_errno.h"
#include "snapshot.h"

static void free_request(char **request)
{
    char **text;

    for (text = request; text && *text; text++)
        free(*text);
    free(request);
}

void xln_snapshot_free(struct xln_snapshot *snapshot)
{
    unsigned i;

    if (!snapshot)
        return;
    if (snapshot->domains && snapshot->more)
        for (i = 0; i < snapshot->domains->nr; i++) {
            free(snapshot->more[i].name);
            free_request(snapshot->more[i].request);
            free(snapshot->more[i].memory);
        }
    free(snapshot->more);
    xln_domains_free(snapshot->domains);
    free(snapshot->devices);
    free(snapshot->xen);
    free(snapshot->host_name);
    xln_host_free(snapshot->host);
    xln_reservation_list_free(snapshot->reservations);
    free(snapshot);
}

/* ---- requests: libxl has put xsdata into xenstore ---- */

/* A key and its text. -ENOENT: it was removed meanwhile. */
static int read_key(struct xs_handle *xs, const char *dir, const char *key,
                    char **pair)
{
    char *path, *text;

    if (asprintf(&path, "%s/%s", dir, key) < 0)
        return -ENOMEM;
    text = xs_read(xs, XBT_NULL, path, NULL);
    if (!text) {
        int rc = xln__from_errno();

        free(path);
        return rc;
    }
    free(path);
    pair[0] = strdup(key);
    if (!pair[0]) {
        free(text);
        return -ENOMEM;
    }
    pair[1] = text;
    return 0;
}

static int read_keys(struct xs_handle *xs, const char *dir, char **keys,
                     unsigned nr, char **end)
{
    unsigned i;
    int rc;

    for (i = 0; i < nr; i++) {
        /* This key is the version of the others, and asks for nothing. */
        if (!strcmp(keys[i], "version"))
            continue;
        rc = read_key(xs, dir, keys[i], end);
        if (rc && rc != -ENOENT)
            return rc;
        end += rc ? 0 : 2;
    }
    return 0;
}

static int read_request(struct xs_handle *xs, uint32_t domid, char ***list_r)
{
    char dir[64], **keys;
    unsigned nr = 0;
    int rc = -ENOMEM;

    snprintf(dir, sizeof(dir), "/local/domain/%" PRIu32 "/numa", domid);
    keys = xs_directory(xs, XBT_NULL, dir, &nr);
    if (!keys)
        return errno == ENOENT ? 0 : xln__from_errno();
    *list_r = calloc(2 * (size_t)nr + 1, sizeof(**list_r));
    if (*list_r)
        rc = read_keys(xs, dir, keys, nr, *list_r);
    free(keys);
    return rc;
}

/* ---- the parts ---- */

static int read_domains(xc_interface *xch, libxl_ctx *ctx,
                        struct xln_snapshot *snapshot)
{
    struct xs_handle *xs;
    unsigned i;
    int rc;

    rc = xln_domains_read(xch, XLN_NONE, &snapshot->domains);
    if (rc)
        return rc;
    snapshot->more = calloc(snapshot->domains->nr + 1,
                            sizeof(*snapshot->more));
    if (!snapshot->more)
        return -ENOMEM;
    xs = xs_open(0);
    if (!xs)
        return xln__from_errno();
    for (i = 0; i < snapshot->domains->nr && !rc; i++) {
        uint32_t domid = snapshot->domains->list[i].domid;

        snapshot->more[i].name = libxl_domid_to_name(ctx, domid);
        rc = read_request(xs, domid, &snapshot->more[i].request);
    }
    xs_close(xs);
    return rc;
}

/* Xen knows only the numbers of cpupools. */
static void name_pools(libxl_ctx *ctx, struct xln_host *host)
{
    unsigned i;

    for (i = 0; i < host->nr_pools; i++)
        host->pools[i].name = libxl_cpupoolid_to_name(ctx, host->pools[i].id);
}

static bool any_is_placed(const libxl_pcitopology *list, int nr)
{
    int i;

    for (i = 0; i < nr; i++)
        if (list[i].node != LIBXL_PCITOPOLOGY_INVALID_ENTRY)
            return true;
    return false;
}

static void copy_device(const libxl_pcitopology *from,
                        struct xln_pci_device *to)
{
    to->segment = from->seg;
    to->bus = from->bus;
    to->device = from->devfn >> 3;
    to->function = from->devfn & 7;
    to->node = from->node == LIBXL_PCITOPOLOGY_INVALID_ENTRY ? XLN_NONE
                                                             : from->node;
}

/* If the firmware reports the node of no device, the devices are not known.
 * That differs from having no devices. libxl itself logs failures. */
static int read_devices(libxl_ctx *ctx, struct xln_snapshot *snapshot)
{
    libxl_pcitopology *list;
    int nr = 0, i, rc = 0;

    list = libxl_get_pci_topology(ctx, &nr);
    if (!list)
        return 0;
    if (any_is_placed(list, nr)) {
        snapshot->devices = calloc(nr, sizeof(*snapshot->devices));
        if (snapshot->devices) {
            for (i = 0; i < nr; i++)
                copy_device(&list[i], &snapshot->devices[i]);
            snapshot->nr_devices = nr;
            snapshot->devices_known = true;
        } else {
            rc = -ENOMEM;
        }
    }
    libxl_pcitopology_list_free(list, nr);
    return rc;
}

static int read_xen(xc_interface *xch, struct xln_snapshot *snapshot)
{
    int version = xc_version(xch, XENVER_version, NULL);

    if (version < 0)
        return xln__from_errno();
    if (asprintf(&snapshot->xen, "%d.%d", version >> 16,
                 version & 0xffff) >= 0)
        return 0;
    snapshot->xen = NULL;
    return -ENOMEM;
}

/* Not an error if the host has no name. */
static int read_origin(struct xln_snapshot *snapshot)
{
    char name[HOST_NAME_MAX + 1] = "";
    struct timespec now = { 0 };

    clock_gettime(CLOCK_REALTIME, &now);
    snapshot->time_s = now.tv_sec;
    if (gethostname(name, sizeof(name) - 1) || !*name)
        return 0;
    snapshot->host_name = strdup(name);
    return snapshot->host_name ? 0 : -ENOMEM;
}

/* ---- all of it ---- */

/* Domains that balloon up are read before the host, as reservations are. */
static int read_host(xc_interface *xch, const uint64_t *reserved_bytes,
                     struct xln_host **host_r)
{
    uint64_t *all = calloc(XLN_MAX_NODES, sizeof(*all));
    int rc;

    if (!all)
        return -ENOMEM;
    memcpy(all, reserved_bytes, XLN_MAX_NODES * sizeof(*all));
    rc = xln_ballooning_outstanding(xch, all);
    if (!rc)
        rc = xln_host_read(xch, all, host_r);
    free(all);
    return rc;
}

static int read_all(xc_interface *xch, libxl_ctx *ctx,
                    const char *reservations, struct xln_snapshot *snapshot)
{
    int rc;

    /* Before the host: memory that goes from reserved to used meanwhile is
     * then counted twice, never not at all. */
    rc = xln_reservation_list_read(reservations, xch,
                                   &snapshot->reservations);
    if (!rc)
        rc = read_xen(xch, snapshot);
    if (!rc)
        rc = read_origin(snapshot);
    if (!rc)
        rc = read_host(xch, snapshot->reservations->outstanding_bytes,
                       &snapshot->host);
    if (!rc)
        name_pools(ctx, snapshot->host);
    if (!rc)
        rc = read_domains(xch, ctx, snapshot);
    if (!rc)
        rc = read_devices(ctx, snapshot);
    return rc;
}

int xln_snapshot_read(xc_interface *xch, libxl_ctx *ctx,
                      const char *reservations,
                      struct xln_snapshot **snapshot_r)
{
    struct xln_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    int rc;

    if (!snapshot)
        return -ENOMEM;
    rc = read_all(xch, ctx, reservations, snapshot);
    if (rc) {
        xln_snapshot_free(snapshot);
        return rc;
    }
    *snapshot_r = snapshot;
    return 0;
}
