/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each frame of a restored domain comes from the node of its virtual node. */
#include <errno.h>

#include "host.h"
#include "placement/populate_vnodes.h"
#include "populate-guest.h"

#define NR_NODES 4

/* Nodes 0 and 1 are near each other, 2 and 3 too. */
static struct xln_host *make_host(void)
{
    struct xln_host *host;
    unsigned i, j;

    must(xln__host_new(NR_NODES, NR_NODES, 0, &host));
    for (i = 0; i < NR_NODES; i++) {
        xln_nodemap_set(host->exists, i);
        host->nodes[i].free_bytes = host->nodes[i].total_bytes =
            UINT64_C(1) << 30;
        host->cpu_exists[i] = true;
        host->cpus[i] = (struct xln_host_cpu){ .online = true, .node = i };
        for (j = 0; j < NR_NODES; j++)
            host->distances[i * NR_NODES + j] = i == j           ? 10
                                                : i / 2 == j / 2 ? 21
                                                                 : 31;
    }
    must(xln__host_finish(host));
    return host;
}

/* ---- the domain ---- */

/* 6 MiB and a page, then 3 MiB less a page, then 5 MiB above a hole that is in
 * no virtual node. */
#define TEXT                                                                  \
    "vcpus=0 memory=0-601000 distances=10,21;"                                \
    "vcpus=1 memory=601000-900000,a00000-f00000 distances=21,10"
#define FIRST_END 0x601
#define HOLE 0x900
#define HOLE_END 0xa00
#define END 0xf00

static struct populate_vnodes vnodes;
static const unsigned on_1_and_2[] = { 1, 2 };

static void begin(struct guest *g, struct hypervisor *xen,
                  const unsigned *node_of, bool strict)
{
    struct xln_host *host = make_host();
    struct vnuma_record *record;
    struct made_plan m = { 0 };
    char *error;

    must(vnuma_record_parse(TEXT, &record, &error));
    must(populate_vnodes_init(&vnodes, record, host, node_of, strict,
                              END << 12));
    vnuma_record_free(record);
    xln_host_free(host);
    plan_share(&m, 0, END);
    guest_new(g, xen, &m, false, END);
}

static void end(struct guest *g)
{
    populate_vnodes_dispose(&vnodes);
    guest_free(g);
}

static long ask_for(struct guest *g, unsigned long nr, unsigned order,
                    xen_pfn_t *extents)
{
    g->left = nr;
    return populate_vnodes_extents(&vnodes, &ops, g, nr, order, extents);
}

/* Like libxl-save-helper up to 4.20: pages, up to 1024 in a call. */
static bool restore_pages(struct guest *g)
{
    xen_pfn_t pfns[1024];
    uint64_t pfn;
    unsigned nr;

    for (pfn = 0; pfn < END; pfn += nr) {
        for (nr = 0; nr < ARRAY_SIZE(pfns) && pfn + nr < END; nr++)
            pfns[nr] = pfn + nr;
        if (ask_for(g, nr, 0, pfns) != (long)nr)
            return false;
    }
    return true;
}

/* Since 4.21: an extent of 2 MiB first, and pages if there is none. */
static bool restore_extents(struct guest *g)
{
    xen_pfn_t pfns[PAGES_2M], extent;
    uint64_t pfn;
    unsigned nr;

    for (pfn = 0; pfn < END; pfn += nr) {
        extent = pfn;
        for (nr = 0; nr < PAGES_2M && pfn + nr < END; nr++)
            pfns[nr] = pfn + nr;
        if (nr == PAGES_2M && ask_for(g, 1, ORDER_2M, &extent) == 1)
            continue;
        if (ask_for(g, nr, 0, pfns) != (long)nr)
            return false;
    }
    return true;
}

/* How many frames of it are on this node. */
static unsigned on(const struct guest *g, uint64_t first, uint64_t last,
                   unsigned node)
{
    unsigned nr = 0;

    for (; first < last; first++)
        nr += g->owner[first] == node;
    return nr;
}

static bool is_placed(const struct guest *g, unsigned node_0, unsigned node_1)
{
    return !g->wrong && on(g, 0, FIRST_END, node_0) == FIRST_END &&
           on(g, FIRST_END, HOLE, node_1) == HOLE - FIRST_END &&
           on(g, HOLE, HOLE_END, node_0) == HOLE_END - HOLE &&
           on(g, HOLE_END, END, node_1) == END - HOLE_END;
}

/* ---- cases ---- */

static void test_placed(void)
{
    struct hypervisor xen;
    struct populate built;
    struct guest g;

    roomy(&xen, NR_NODES, 64);
    begin(&g, &xen, on_1_and_2, false);
    ok(restore_pages(&g) && is_placed(&g, 1, 2),
       "with 4 KiB pages each frame is on its node, and those of the hole on "
       "the first");
    ok(populate_vnodes_granted(&vnodes, 0, XLN_NONE) ==
               FIRST_END + HOLE_END - HOLE &&
           !populate_vnodes_granted(&vnodes, 0, 1) &&
           !populate_vnodes_granted(&vnodes, 1, 2),
       "the pages of each virtual node are counted");
    must(populate_vnodes_sum(&vnodes, &built));
    ok(built.nr_nodes == NR_NODES && built.nodes[0].node == 1 &&
           built.nodes[0].share_pages == FIRST_END + HOLE_END - HOLE,
       "the counts list each node once");
    populate_vnodes_note(&vnodes, &built);
    ok(populate_granted(&built, NULL) == END,
       "the counts have all that was granted");
    populate_dispose(&built);
    ok(xen.nr_asks <= 8, "it makes %u calls for the 4 of the helper",
       xen.nr_asks);
    end(&g);

    roomy(&xen, NR_NODES, 64);
    begin(&g, &xen, on_1_and_2, false);
    ok(restore_extents(&g) && is_placed(&g, 1, 2),
       "with extents of 2 MiB each frame is on its node");
    ok(xen.granted[1][ORDER_2M] == 3 && xen.granted[2][ORDER_2M] == 2,
       "extents within one virtual node stay whole");
    end(&g);
}

static void test_shared(void)
{
    static const unsigned on_3[] = { 3, 3 };
    struct hypervisor xen;
    struct guest g;

    roomy(&xen, NR_NODES, 64);
    begin(&g, &xen, on_3, false);
    ok(restore_pages(&g) && is_placed(&g, 3, 3),
       "two virtual nodes can be on one node");
    end(&g);
}

/* 4 MiB where virtual node 0 needs 7, no more on any other but 3. */
static void short_of(struct hypervisor *xen)
{
    *xen = (struct hypervisor){ 0 };
    set_free(xen, 0, 0, 1);
    set_free(xen, 1, 0, 4);
    set_free(xen, 2, 0, 64);
    set_free(xen, 3, 0, 64);
}

static void test_spill(void)
{
    struct hypervisor xen;
    struct guest g;

    short_of(&xen);
    begin(&g, &xen, on_1_and_2, false);
    ok(restore_pages(&g) && !g.wrong && is_complete(&g, 0),
       "the domain is complete although a node is too small");
    ok(pages_on(&g, 1) == 1024 && pages_on(&g, 0) == 256,
       "a small node gives what it has, and the nearest gives the rest");
    ok(on(&g, FIRST_END, HOLE, 2) == HOLE - FIRST_END &&
           on(&g, HOLE_END, END, 2) == END - HOLE_END,
       "the other virtual node has all of its memory on its own node");
    ok(populate_vnodes_granted(&vnodes, 0, 1) ==
           FIRST_END + HOLE_END - HOLE - 1024,
       "the memory on other nodes is counted");
    end(&g);

    short_of(&xen);
    begin(&g, &xen, on_1_and_2, true);
    ok(!restore_pages(&g) && !g.wrong, "strict fails if a node is too small");
    ok(!pages_on(&g, 0) && !pages_on(&g, 3),
       "strict takes nothing from other nodes");
    end(&g);
}

static void test_failing(void)
{
    struct hypervisor xen;
    struct guest g;
    xen_pfn_t pfns[2] = { FIRST_END - 1, FIRST_END };

    roomy(&xen, NR_NODES, 64);
    xen.fail_at = 1;
    begin(&g, &xen, on_1_and_2, false);
    ok(ask_for(&g, 2, 0, pfns) == -1 && errno == EFAULT,
       "an error of the hypervisor is returned");
    end(&g);
    roomy(&xen, NR_NODES, 64);
    xen.fail_at = 2;
    begin(&g, &xen, on_1_and_2, false);
    ok(ask_for(&g, 2, 0, pfns) == 1,
       "an error in the second part of a call leaves the first part done");
    end(&g);
}

int main(void)
{
    test_placed();
    test_shared();
    test_spill();
    test_failing();
    free_nodes();
    return tap_done();
}
