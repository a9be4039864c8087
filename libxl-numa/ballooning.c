/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xenstore.h>

#include "domain.h"
#include "text/from_errno.h"
#include "text/units.h"

/*
 * Every domain may have a little more than its target: libxl allows it 1 MiB
 * (LIBXL_MAXMEM_CONSTANT), and guests release and take back single pages for
 * what they map. This is not reserved.
 */
#define SLACK_PAGES (2 << (20 - PAGE_SHIFT))

struct ballooning {
    xc_interface *xch;
    struct xs_handle *xs;       /* NULL: not needed yet */
    uint64_t *reserved_bytes;
};

/* The target is in KiB. 0 pages: none; the domain is not complete yet, or
 * libxl did not create it. */
static int read_target(struct xs_handle *xs, uint32_t domid, uint64_t *pages_r)
{
    uint64_t kib = 0;
    char path[64], *text;

    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/memory/target",
             domid);
    text = xs_read(xs, XBT_NULL, path, NULL);
    if (!text && errno != ENOENT)
        return xln__from_errno();
    if (text && sscanf(text, "%" SCNu64, &kib) != 1)
        kib = 0;
    free(text);
    *pages_r = kib >> (PAGE_SHIFT - 10);
    return 0;
}

static int share_out(struct ballooning *b, uint32_t domid, uint64_t pages)
{
    int max = xc_get_max_nodes(b->xch), i, nr = 0;
    xc_nodemap_t nodes;

    if (max <= 0)
        return xln__from_errno();
    nodes = xc_nodemap_alloc(b->xch);
    if (!nodes)
        return -ENOMEM;
    if (xc_domain_node_getaffinity(b->xch, domid, nodes)) {
        int rc = xln__from_errno();

        free(nodes);
        return rc;
    }
    for (i = 0; i < max && i < XLN_MAX_NODES; i++)
        nr += nodes[i / 8] >> i % 8 & 1;
    for (i = 0; nr && i < max && i < XLN_MAX_NODES; i++)
        if (nodes[i / 8] >> i % 8 & 1)
            b->reserved_bytes[i] += pages / nr << PAGE_SHIFT;
    free(nodes);
    return 0;
}

/* A domain that has ended, or is about to, takes no more memory. `xl mem-max`
 * raises what Xen would grant, but not what the guest asks for. The lesser of
 * both counts. */
static int add_domain(void *arg, const xc_domaininfo_t *info)
{
    struct ballooning *b = arg;
    uint64_t pages = info->max_pages, target = 0;
    int rc;

    if (info->flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown) ||
        pages <= info->tot_pages + SLACK_PAGES)
        return 0;
    if (!b->xs)
        b->xs = xs_open(0);
    if (!b->xs)
        return xln__from_errno();
    rc = read_target(b->xs, info->domain, &target);
    if (rc)
        return rc;
    if (pages > target)
        pages = target;
    if (pages <= info->tot_pages + SLACK_PAGES)
        return 0;
    rc = share_out(b, info->domain, pages - info->tot_pages);
    return rc == -ESRCH ? 0 : rc;
}

int xln_ballooning_outstanding(xc_interface *xch, uint64_t *reserved_bytes)
{
    struct ballooning b = { .xch = xch, .reserved_bytes = reserved_bytes };
    int rc = xln__each_domain(xch, add_domain, &b);

    if (b.xs)
        xs_close(b.xs);
    return rc;
}
