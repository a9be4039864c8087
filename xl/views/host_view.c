/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "host_view.h"
#include "placement/record.h"
#include "text/from_errno.h"

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

/* It is being built, or never will be complete. It has no record yet. */
static bool is_reserved(const struct host_view *view,
                        const struct xln_domain *domain)
{
    unsigned i;

    for (i = 0; i < view->reservations->nr; i++)
        if (host_view_domain_of(view, &view->reservations->list[i]) == domain)
            return true;
    return false;
}

static int add_granted(xc_interface *xch, struct xs_handle *xs,
                       struct host_view *view, const struct xln_domain *domain,
                       uint64_t *pages)
{
    unsigned nr_nodes = xln_host_nr_nodes(view->host), i;
    int rc;

    if (domain->domid == 0 || domain->dying || is_reserved(view, domain))
        return 0;
    rc = record_read_pages(xs, domain->domid, pages, nr_nodes);
    if (rc == -ENOENT || rc == -EINVAL) {
        view->nr_unrecorded += xln_domain_lives(xch, domain->domid);
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
    struct xs_handle *xs = xs_open(0);
    int rc = xs ? 0 : xln__from_errno();

    view->granted_pages = calloc(nr_nodes, sizeof(*view->granted_pages));
    if (!pages || !view->granted_pages)
        rc = -ENOMEM;
    for (i = 0; i < view->domains->nr && !rc; i++)
        rc = add_granted(xch, xs, view, &view->domains->list[i], pages);
    xs_close(xs);
    free(pages);
    return rc;
}

/* ---- which domain prefers which nodes ---- */

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

/* ---- all of it ---- */

/* A domain that is about to go may have no name any more. */
static int name_all(struct xln_snapshot *snapshot)
{
    unsigned i;

    for (i = 0; i < snapshot->domains->nr; i++) {
        char **name = &snapshot->more[i].name;

        if (*name)
            continue;
        if (asprintf(name, "(%" PRIu32 ")",
                     snapshot->domains->list[i].domid) < 0) {
            *name = NULL;
            return -ENOMEM;
        }
    }
    return 0;
}

/* What there is to see of the snapshot. */
static int look(struct host_view *view)
{
    int rc;

    view->host = view->snapshot->host;
    view->domains = view->snapshot->domains;
    view->reservations = view->snapshot->reservations;
    rc = find_whole(view);
    return rc || !view->domains ? rc : name_all(view->snapshot);
}

static int read_snapshot(xc_interface *xch, libxl_ctx *ctx,
                         struct host_view *view)
{
    int rc;

    rc = xln_snapshot_read(xch, ctx, RESERVATIONS, &view->snapshot);
    return rc ? rc : look(view);
}

int host_view_read(xc_interface *xch, libxl_ctx *ctx, struct host_view *view,
                   const char **what_r)
{
    int rc;

    memset(view, 0, sizeof(*view));
    *what_r = "the host";
    rc = read_snapshot(xch, ctx, view);
    if (rc)
        return rc;
    *what_r = "the domains' records";
    return read_granted(xch, view);
}

int host_view_of(struct xln_snapshot *snapshot, struct host_view *view)
{
    *view = (struct host_view){ .snapshot = snapshot };
    return look(view);
}

void host_view_dispose(struct host_view *view)
{
    free(view->granted_pages);
    xln_nodemap_free(view->whole);
    xln_snapshot_free(view->snapshot);
}
