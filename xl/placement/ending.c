/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After the build: record what Xen granted, report what failed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "explain.h"
#include "placement.h"
#include "placement_log.h"
#include "record.h"

static char *granted_text(const struct populate *built)
{
    const char *separator = "";
    char *text = NULL;
    size_t size;
    unsigned i;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (i = 0; i < built->nr_nodes; i++) {
        if (!built->nodes[i].granted_pages)
            continue;
        fprintf(f, "%s%u:%" PRIu64, separator, built->nodes[i].node,
                built->nodes[i].granted_pages);
        separator = ",";
    }
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}

static void record_vnodes(const struct placement *p)
{
    const struct xln_vnuma *vnuma = p->decision ? p->decision->vnuma : NULL;
    unsigned nodes[XLN_VNUMA_MAX_NODES], i;
    char *text = NULL;

    for (i = 0; vnuma && i < vnuma->nr; i++)
        nodes[i] = vnuma->list[i].node;
    if (vnuma)
        text = record_vnodes_text(nodes, vnuma->nr);
    if (text || p->kept_vnodes)
        record_write_vnodes(p->domid, text ? text : p->kept_vnodes);
    free(text);
}

static void say_vnode_spills(const struct placement *p)
{
    const struct xln_vnuma *vnuma = p->decision->vnuma;
    unsigned i;

    for (i = 0; i < vnuma->nr; i++)
        placement_say_free(p, XTL_WARN,
                           explain_vnode_spill(&p->restored.vnodes, i,
                                               vnuma->list[i].node));
}

static void record(const struct placement *p)
{
    char *nodes, *pages = NULL;

    if (p->kept_nodes)
        record_write(p->domid, p->kept_nodes, p->kept_pages);
    if (!p->decision || xln_nodemap_format(p->decision->plan->nodes, &nodes))
        return;
    /* Nothing counted: the memory came another way (a restore). */
    if (populate_granted(&p->restored.built, NULL))
        pages = granted_text(&p->restored.built);
    record_write(p->domid, nodes, pages);
    free(pages);
    free(nodes);
}

static void hide_request(const struct placement *p)
{
    int rc = record_hide_request(p->domid);

    if (rc)
        placement_warn_failed(p, "cannot hide its request in xenstore", rc,
                              "the guest can read which keys it has, and the "
                              "names in nodes_with and nodes_apart");
}

/*
 * Xen counts Domain-0's pages only together with those of all domains: it walks
 * them all, some 10 ns each, on a CPU of dom0. Do not ask where that takes long.
 */
static struct xln_residency *read_residency(const struct placement *p)
{
    struct xln_residency *residency = NULL;
    xc_interface *xch;

    if (!xln_residency_is_cheap(p->host))
        return NULL;
    xch = xc_interface_open(p->lg, NULL, 0);
    if (!xch)
        return NULL;
    if (xln_residency_read(xch, &residency))
        residency = NULL;
    xc_interface_close(xch);
    return residency;
}

/* Report why the create failed, after all other messages. */
static void say_shortage(const struct placement *p)
{
    struct xln_residency *residency = read_residency(p);

    placement_say_free(p, XTL_ERROR,
                       explain_shortage(p->host, p->decision->request,
                                        p->decision->plan, &p->restored.built,
                                        residency));
    xln_residency_free(residency);
}

/* Whether it failed for want of memory: that was seen, or it had been expected
 * and the builder did not get a page (its claim was refused). */
static bool lacked_memory(const struct placement *p)
{
    if (!p->decision)
        return false;
    return p->short_of_memory || (p->decision->lacks_memory &&
                                  !populate_granted(&p->restored.built, NULL));
}

/* Why it was not made, as far as that is ours to say. */
static bool say_failure(const struct placement *p)
{
    const struct decision *d = p->decision;

    if (d && d->reason && !d->lacks_memory)
        placement_say(p, XTL_ERROR, d->reason);
    else if (lacked_memory(p))
        say_shortage(p);
    else
        return false;
    return true;
}

bool placement_end(struct placement *p, bool failed)
{
    bool explained;

    if (restore_collect(p->restore, &p->restored))
        p->short_of_memory = true;
    if (p->affinity)
        xln_affinity_swap(p->affinity, &p->config->b_info);
    if (p->domid != XLN_NONE)
        xln_reservations_remove(RESERVATIONS, p->domid);
    if (p->promise_fd >= 0)
        close(p->promise_fd);
    explained = failed && say_failure(p);
    if (!failed && p->domid != XLN_NONE) {
        hide_request(p);
        record_vnodes(p);
    }
    if (!failed && p->domid != XLN_NONE && p->affinity)
        record(p);
    if (!failed && p->restored.vnodes.nr_vnodes)
        say_vnode_spills(p);
    else if (!failed && p->restored.built.nodes)
        placement_say_free(p, XTL_WARN,
                           explain_spill(p->decision->plan,
                                         &p->restored.built));

    xln_affinity_free(p->affinity);
    populate_dispose(&p->restored.built);
    populate_vnodes_dispose(&p->restored.vnodes);
    populate_dispose(&p->stub_built);
    decision_free(p->decision);
    xln_host_free(p->host);
    xln_request_free(p->request);
    prefer_forget(&p->preferred);
    free(p->promised);
    free(p->planned_nodes);
    cells_free(p->cells);
    vnuma_record_free(p->vnodes);
    free(p->kept_nodes);
    free(p->kept_pages);
    free(p->kept_vnodes);
    keys_free(p->keys);
    keys_free(p->defaults);
    free(p);
    return explained;
}
