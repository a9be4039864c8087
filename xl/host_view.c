/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "host_view.h"
#include "record.h"

bool host_view_is_placed(const struct host_view *view,
                         const struct xln_domain *domain)
{
    return !domain->dying &&
           !xln_nodemap_is_subset(view->whole, domain->nodes);
}

const struct xln_domain *host_view_domain_of(const struct host_view *view,
                                             const struct xln_reservation *r)
{
    const struct xln_domain *d;
    unsigned i;

    for (i = 0; i < view->domains->nr; i++) {
        d = &view->domains->list[i];
        if (d->domid == r->domid && !d->dying &&
            !memcmp(d->uuid, r->uuid, sizeof(d->uuid)))
            return d;
    }
    return NULL;
}

/* ---- what domains were granted ---- */

/* It is being built, or never will be: no record is due yet. */
static bool is_reserved(const struct host_view *view,
                        const struct xln_domain *domain)
{
    unsigned i;

    for (i = 0; i < view->reservations->nr; i++)
        if (host_view_domain_of(view, &view->reservations->list[i]) == domain)
            return true;
    return false;
}

static bool is_gone(xc_interface *xch, uint32_t domid)
{
    xc_domaininfo_t info;

    return xc_domain_getinfolist(xch, domid, 1, &info) != 1 ||
           info.domain != domid || info.flags & XEN_DOMINF_dying;
}

static int add_granted(xc_interface *xch, struct host_view *view,
                       const struct xln_domain *domain, uint64_t *pages)
{
    unsigned nr_nodes = xln_host_nr_nodes(view->host), i;
    int rc;

    if (domain->domid == 0 || domain->dying || is_reserved(view, domain))
        return 0;
    rc = record_read_pages(domain->domid, pages, nr_nodes);
    if (rc == -ENOENT || rc == -EINVAL) {
        view->nr_unrecorded += !is_gone(xch, domain->domid);
        return 0;
    }
    for (i = 0; !rc && i < nr_nodes; i++)
        view->granted_pages[i] += pages[i];
    return rc;
}

static int read_granted(xc_interface *xch, struct host_view *view)
{
    unsigned nr_nodes = xln_host_nr_nodes(view->host), i;
    uint64_t *pages = calloc(nr_nodes, sizeof(*pages));
    int rc = 0;

    view->granted_pages = calloc(nr_nodes, sizeof(*view->granted_pages));
    if (!pages || !view->granted_pages)
        rc = -ENOMEM;
    for (i = 0; i < view->domains->nr && !rc; i++)
        rc = add_granted(xch, view, &view->domains->list[i], pages);
    free(pages);
    return rc;
}

/* ---- who keeps to which nodes ---- */

static int find_whole(struct host_view *view)
{
    const struct xln_host_node *n;
    unsigned node;
    int rc;

    rc = xln_nodemap_new(xln_host_nr_nodes(view->host), &view->whole);
    if (rc)
        return rc;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(view->host)) {
        n = xln_host_node(view->host, node);
        if (n->total_bytes && !xln_cpumap_is_empty(n->cpus))
            xln_nodemap_set(view->whole, node);
    }
    return 0;
}

/* A domain that is about to go may have no name any more. */
static char *name_of(libxl_ctx *ctx, uint32_t domid)
{
    char *name = libxl_domid_to_name(ctx, domid);

    if (!name && asprintf(&name, "(%" PRIu32 ")", domid) < 0)
        return NULL;
    return name;
}

static int read_names(libxl_ctx *ctx, struct host_view *view)
{
    const struct xln_domain *d;
    unsigned i;

    view->names = calloc(view->domains->nr + 1, sizeof(*view->names));
    if (!view->names)
        return -ENOMEM;
    for (i = 0; i < view->domains->nr; i++) {
        d = &view->domains->list[i];
        if (!host_view_is_placed(view, d) && !is_reserved(view, d))
            continue;
        view->names[i] = name_of(ctx, d->domid);
        if (!view->names[i])
            return -ENOMEM;
    }
    return 0;
}

/* ---- devices ---- */

/* Where the firmware says of no device where it is, nothing is known; that is
 * not the same as no devices. What fails libxl logs itself. */
static void read_devices(libxl_ctx *ctx, struct host_view *view)
{
    int i;

    view->devices = libxl_get_pci_topology(ctx, &view->nr_devices);
    if (!view->devices || !view->nr_devices)
        return;
    for (i = 0; i < view->nr_devices; i++)
        if (view->devices[i].node != LIBXL_PCITOPOLOGY_INVALID_ENTRY)
            return;
    libxl_pcitopology_list_free(view->devices, view->nr_devices);
    view->devices = NULL;
}

/* ---- all of it ---- */

static bool done(const char *what, int rc)
{
    if (rc)
        complain("cannot read %s: %s", what, strerror(-rc));
    return !rc;
}

bool host_view_read(struct cmd_line *line, struct host_view *view)
{
    memset(view, 0, sizeof(*view));
    /* In this order: memory that goes from promised to used meanwhile is then
     * counted twice, never not at all. */
    if (!done("'" RESERVATIONS "'",
              xln_reservation_list_read(RESERVATIONS, line->xch,
                                        &view->reservations)) ||
        !done("the host",
              xln_host_read(line->xch, view->reservations->outstanding_bytes,
                            &view->host)) ||
        !done("the domains",
              xln_domains_read(line->xch, XLN_NONE, &view->domains)) ||
        !done("the domains' records", read_granted(line->xch, view)) ||
        !done("the host", find_whole(view)) ||
        !done("the domains' names", read_names(line->ctx, view)))
        return false;
    read_devices(line->ctx, view);
    return true;
}

void host_view_dispose(struct host_view *view)
{
    unsigned i;

    for (i = 0; view->names && i < view->domains->nr; i++)
        free(view->names[i]);
    free(view->names);
    free(view->granted_pages);
    if (view->devices)
        libxl_pcitopology_list_free(view->devices, view->nr_devices);
    xln_nodemap_free(view->whole);
    xln_domains_free(view->domains);
    xln_host_free(view->host);
    xln_reservation_list_free(view->reservations);
}
