/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a create does before libxl is entered: all that may wait for somebody,
 * and all that takes xenstore or a file. In libvirtd every request waits for
 * libxl's lock, which libxl holds while a domain is planned and built. Whatever
 * takes long here, nobody waits for it but this create.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "placement.h"
#include "placement_log.h"
#include "predecessor.h"
#include "record.h"
#include "text/from_errno.h"

/* A create would have been refused for wrong defaults; this guest is to
 * reboot. */
static int read_defaults(struct placement *p)
{
    int rc;

    if (p->defaults)
        return 0;
    rc = placement_host_defaults(p->ctx, p->lg, &p->defaults);
    if (rc != -EINVAL)
        return rc;
    placement_say(p, XTL_WARN, "the host's defaults are ignored");
    return keys_read_xsdata(NULL, &p->defaults, NULL);
}

static int make_request(struct placement *p)
{
    int rc = read_defaults(p);

    return rc ? rc
              : decide_request(p->defaults, p->keys, p->planned_nodes,
                               &p->request);
}

/* A guest that reboots may have to wait for its own memory. */
static void await_predecessor(const struct placement *p, xc_interface *xch)
{
    uint64_t pages = 0;
    int rc = predecessor_await(xch, p->config->c_info.uuid.uuid, &pages);

    if (rc)
        placement_warn_failed(p, "cannot tell whether it had memory before", rc,
                              "the create does not wait until that is free");
    if (pages)
        xtl_log(p->lg, XTL_WARN, -1, PLACEMENT_LOG,
                "'%s': another domain still maps %" PRIu64 " MiB of its previous "
                "instance: this memory is not free yet",
                p->config->c_info.name, pages >> 8);
}

/* What a domain takes from now on counts twice then, never not at all. */
static int read_ballooning(struct placement *p, xc_interface *xch)
{
    int rc;

    p->promised = calloc(XLN_MAX_NODES, sizeof(*p->promised));
    if (!p->promised)
        return -ENOMEM;
    rc = xln_ballooning_outstanding(xch, p->promised);
    if (rc)
        placement_warn_failed(p, "cannot tell which domains balloon up", rc,
                              "what they may still allocate counts as free");
    return 0;
}

/* A domain that is to be with another may well be the first of the two. */
static int find_preferred(struct placement *p, xc_interface *xch)
{
    int rc = prefer_find(p->ctx, xch, p->request, &p->preferred);

    if (!rc && p->preferred.absent)
        xtl_log(p->lg, XTL_DETAIL, -1, PLACEMENT_LOG,
                "'%s': nodes_with or nodes_apart: domain '%s' does not run",
                p->config->c_info.name, p->preferred.absent);
    return rc;
}

/*
 * The queue of those that plan is here, not inside libxl. Whoever holds the
 * lock for so long is stuck, and is not waited for again.
 */
static void await_lock(struct placement *p)
{
    struct xln_reservations *held = NULL;

    if (xln_reservations_lock(RESERVATIONS, LOCK_TIMEOUT_MS, &held) ==
        -ETIMEDOUT)
        p->lock_timeout_ms = 0;
    xln_reservations_unlock(held);
}

static int prepare(struct placement *p)
{
    xc_interface *xch;
    int rc = make_request(p);

    if (rc)
        return rc;
    xch = xc_interface_open(p->lg, NULL, 0);
    if (!xch)
        return xln__from_errno();
    await_predecessor(p, xch);
    rc = read_ballooning(p, xch);
    if (!rc)
        rc = find_preferred(p, xch);
    if (!rc)
        await_lock(p);
    xc_interface_close(xch);
    return rc;
}

void placement_prepare(struct placement *p)
{
    p->unprepared = prepare(p);
}
