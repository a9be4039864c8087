/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* While libxl builds the domain: each extent from its node. */
#include <errno.h>
#include <stdlib.h>

#include "placement.h"

/* The functions by which populate.c calls the hypervisor. */
struct asker {
    populate_physmap_fn *real;
    xc_interface *xch;
    uint32_t domid;
    unsigned mem_flags;
};

static long ask(void *arg, unsigned node, unsigned long nr, unsigned order,
                xen_pfn_t *extents)
{
    const struct asker *a = arg;

    return a->real(a->xch, a->domid, nr, order,
                   a->mem_flags | XENMEMF_exact_node(node), extents);
}

static uint64_t free_bytes(void *arg, unsigned node)
{
    const struct asker *a = arg;
    uint64_t bytes;

    return xc_availheap(a->xch, 0, 0, node, &bytes) ? 0 : bytes;
}

int placement_adopt_stub(struct placement *p, uint32_t stub_domid)
{
    int rc;

    if (!p->restored.built.nodes)
        return 0;
    rc = populate_init(&p->stub_built, p->decision->plan, false, 0);
    if (!rc)
        p->stub_domid = stub_domid;
    return rc;
}

/* If Xen refuses single pages, the build will fail. Keep the host as it is
 * now, before libxl releases what was granted. */
static void keep_host(struct placement *p, xc_interface *xch)
{
    struct xln_host *host;

    if (xln_host_read(xch, NULL, &host))
        return;
    xln_host_free(p->host);
    p->host = host;
}

int placement_populate_by(struct populate *built,
                          struct populate_vnodes *vnodes,
                          populate_physmap_fn *real, xc_interface *xch,
                          uint32_t domid, unsigned long nr, unsigned order,
                          unsigned mem_flags, xen_pfn_t *extents,
                          bool *short_r)
{
    static const struct populate_ops ops = { ask, free_bytes };
    struct asker asker = { real, xch, domid, mem_flags };
    bool node_named = XENMEMF_get_node(mem_flags) != XENMEMF_get_node(0),
         has_vnodes = vnodes && vnodes->nr_vnodes;
    long done;

    if ((!built->nodes && !has_vnodes) ||
        mem_flags & XENMEMF_populate_on_demand)
        return real(xch, domid, nr, order, mem_flags, extents);
    if (has_vnodes && !node_named) {
        done = populate_vnodes_extents(vnodes, &ops, &asker, nr, order,
                                       extents);
    } else if (node_named) {
        /* A virtual node's: its node is in the configuration. */
        done = real(xch, domid, nr, order, mem_flags, extents);
        if (done > 0)
            populate_note(built, XENMEMF_get_node(mem_flags),
                          (uint64_t)done << order);
    } else {
        done = populate_extents(built, &ops, &asker, nr, order, extents);
    }
    /* A caller that asks for a few pages may do without them; then the next
     * answer is a better one. */
    if (order == 0)
        *short_r = done >= 0 && (unsigned long)done < nr;
    return done;
}

int placement_populate(struct placement *p, populate_physmap_fn *real,
                       xc_interface *xch, uint32_t domid, unsigned long nr,
                       unsigned order, unsigned mem_flags, xen_pfn_t *extents)
{
    bool stub = domid == p->stub_domid, ignored = false;
    int done;

    done = placement_populate_by(stub ? &p->stub_built : &p->restored.built,
                                 stub ? NULL : &p->restored.vnodes, real, xch,
                                 domid, nr, order, mem_flags, extents,
                                 stub ? &ignored : &p->short_of_memory);
    if (!stub && order == 0 && p->short_of_memory)
        keep_host(p, xch);
    return done;
}
