/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the pages of a guest come from, on nodes that have enough. */
#include "populate-guest.h"

/* ---- one node ---- */

static void test_one_node(const struct builder *b, uint64_t pages,
                          uint64_t share_pages)
{
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    unsigned node;
    bool good;

    for (node = 0; node < 4; node++) {
        set_free(&xen, node, ORDER_1G, 4096);
        set_free(&xen, node, ORDER_2M, 512);
        set_free(&xen, node, 0, 64);
    }
    plan_share(&m, 2, share_pages);
    plan_nearest(&m, 1);
    plan_nearest(&m, 3);
    plan_nearest(&m, 0);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    ok(good && pages_on(&g, 2) == pages - b->hole,
       "%s of %llu pages: all memory is on its node", b->name,
       (unsigned long long)pages);
    guest_free(&g);
}

static void test_one_node_sizes(void)
{
    static const uint64_t sizes[] = {
        PAGES_2M, 160 * MIB_PAGES, 850 * MIB_PAGES, 161 * MIB_PAGES + 3,
        1024 * MIB_PAGES, 3500 * MIB_PAGES, 2049 * MIB_PAGES + 77,
    };
    unsigned i, j;

    for (i = 0; i < ARRAY_SIZE(builders); i++)
        for (j = 0; j < ARRAY_SIZE(sizes); j++)
            test_one_node(&builders[i], sizes[j],
                          sizes[j] + 5 * MIB_PAGES);
    test_one_node(&builders[0], 1, MIB_PAGES);
    test_one_node(&builders[1], 100, MIB_PAGES);
    /* No share to speak of: the plan's node all the same. */
    test_one_node(&builders[0], 16 * MIB_PAGES, 0);
}

static void test_few_asks(void)
{
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, ORDER_2M, 1024);
    plan_share(&m, 0, 165 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, 160 * MIB_PAGES);
    good = build_pv(&g) && is_right(&g);
    ok(good && xen.nr_asks == 1,
       "a guest on one node costs no more hypercalls than with stock libxl");
    guest_free(&g);
}

static void test_gibibytes(void)
{
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, ORDER_1G, 4096);
    plan_share(&m, 0, 3100 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, 3072 * MIB_PAGES);
    good = build_pvh(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && xen.granted[0][ORDER_1G] == 3 && xen.nr_asks == 3,
       "a node with 1 GiB extents provides them");
    guest_free(&g);

    xen = (struct hypervisor){ 0 };
    set_free(&xen, 0, ORDER_2M, 4096);
    set_free(&xen, 1, ORDER_1G, 4096);
    plan_nearest(&m, 1);
    guest_new(&g, &xen, &m, false, 3072 * MIB_PAGES);
    good = build_pvh(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && pages_on(&g, 0) == g.nr_pages && xen.granted[0][0] == 0,
       "a node without 1 GiB extents provides 2 MiB extents");
    ok(xen.nr_asks_1g == 1,
       "a node without 1 GiB extents is asked for them only once");
    guest_free(&g);
}

/* ---- several nodes ---- */

static void test_shares(const struct builder *b, const uint64_t *mib,
                        unsigned nr, uint64_t pages)
{
    struct hypervisor xen;
    struct made_plan m = { 0 };
    struct guest g;
    uint64_t all = 0, share, small;
    unsigned i;
    bool good;

    roomy(&xen, nr + 1, 4096);
    for (i = 0; i < nr; i++) {
        plan_share(&m, i + 1, mib[i] * MIB_PAGES);
        all += mib[i];
    }
    plan_nearest(&m, 0);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    for (i = 0; i < nr; i++) {
        share = pages * mib[i] / all;
        if (is_share(pages_on(&g, i + 1), share))
            continue;
        printf("# node %u: %llu of %llu\n", i + 1,
               (unsigned long long)pages_on(&g, i + 1),
               (unsigned long long)share);
        good = false;
    }
    ok(good && pages_on(&g, 0) == 0,
       "%s of %llu pages on %u nodes: each node gives its share, and no other "
       "node any page",
       b->name, (unsigned long long)pages, nr);
    for (i = 0, small = 0; i < nr; i++)
        small += xen.granted[i + 1][0];
    ok(small < 3 * PAGES_2M, "few of the pages are 4 KiB pages");
    guest_free(&g);
}

static void test_shares_of_many(void)
{
    static const uint64_t halves[] = { 150, 150 }, uneven[] = { 60, 30 };
    static const uint64_t three[] = { 700, 5, 300 }, large[] = { 1800, 1500 };
    uint64_t equal[31];
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(equal); i++)
        equal[i] = 7;
    for (i = 0; i < ARRAY_SIZE(builders); i++) {
        const struct builder *b = &builders[i];

        test_shares(b, halves, 2, 295 * MIB_PAGES);
        test_shares(b, halves, 2, 850 * MIB_PAGES + 11);
        test_shares(b, uneven, 2, 88 * MIB_PAGES);
        test_shares(b, three, 3, 1000 * MIB_PAGES + 1);
        test_shares(b, large, 2, 3290 * MIB_PAGES);
        test_shares(b, equal, 31, 210 * MIB_PAGES);
    }
}

static void test_turns(void)
{
    struct hypervisor xen;
    struct made_plan m = { 0 };
    struct guest g;
    char turns[9] = { 0 };
    unsigned i;

    roomy(&xen, 2, 1024);
    plan_share(&m, 0, 60 * MIB_PAGES);
    plan_share(&m, 1, 30 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, 90 * MIB_PAGES);
    build_pv(&g);
    for (i = 0; i < 8; i++)
        turns[i] = "AB"[g.owner[i * PAGES_2M] & 1];
    is_str(turns, "ABAABAAB", "two nodes of 60 and 30 MiB take turns");
    guest_free(&g);

    xen = (struct hypervisor){ .nr_nodes = 2 };
    set_free(&xen, 0, 0, 256);
    set_free(&xen, 1, 0, 256);
    guest_new(&g, &xen, &m, false, 90 * MIB_PAGES);
    build_pv(&g);
    for (i = 0; i < 8; i++)
        turns[i] = "AB"[g.owner[i * PAGES_2M] & 1];
    is_str(turns, "ABAABAAB",
           "two nodes take turns if only 4 KiB pages are free");
    guest_free(&g);
}

static void test_gibibyte_too_large(void)
{
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, ORDER_1G, 2048);
    set_free(&xen, 1, ORDER_1G, 2048);
    plan_share(&m, 0, 515 * MIB_PAGES);
    plan_share(&m, 1, 515 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, PAGES_1G);
    good = build_pvh(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && xen.nr_asks_1g == 0,
       "a node is asked for 1 GiB only if it owes as much");
    ok(pages_on(&g, 0) == pages_on(&g, 1),
       "the two nodes give half of the memory each");
    guest_free(&g);

    m = (struct made_plan){ 0 };
    plan_share(&m, 0, 1540 * MIB_PAGES);
    plan_share(&m, 1, 1540 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, 3 * PAGES_1G);
    good = build_pvh(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && xen.granted[0][ORDER_1G] == 1 &&
           xen.granted[1][ORDER_1G] == 1 &&
           pages_on(&g, 0) == pages_on(&g, 1),
       "two nodes with 1.5 GiB each give one extent of 1 GiB, and the rest in "
       "smaller ones");
    guest_free(&g);
}

/* ---- fragmented nodes ---- */

static void test_fragmented(const struct builder *b, uint64_t pages)
{
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, ORDER_2M, 4096);
    set_free(&xen, 1, 0, 4096);
    set_free(&xen, 2, ORDER_2M, 4096);
    plan_share(&m, 1, pages / 2 + MIB_PAGES);
    plan_share(&m, 0, pages / 2 + MIB_PAGES);
    plan_nearest(&m, 2);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    ok(good && is_share(pages_on(&g, 0), pages / 2) &&
           is_share(pages_on(&g, 1), pages / 2) && !pages_on(&g, 2),
       "%s of %llu pages: a node with only 4 KiB pages gives its share",
       b->name, (unsigned long long)pages);
    ok(xen.granted[0][ORDER_2M] >= pages / 2 / PAGES_2M - 1,
       "the other node gives its share in 2 MiB extents");
    guest_free(&g);

    m = (struct made_plan){ 0 };
    plan_share(&m, 1, pages + MIB_PAGES);
    plan_nearest(&m, 0);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    ok(good && pages_on(&g, 1) == pages - b->hole,
       "%s of %llu pages: a node with only 4 KiB pages gives all memory",
       b->name, (unsigned long long)pages);
    guest_free(&g);
}

/* A node that has large pieces and small ones. */
static void test_half_fragmented(const struct builder *b)
{
    const uint64_t pages = 200 * MIB_PAGES;
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, ORDER_2M, 100);
    set_free(&xen, 0, 3, 101);
    set_free(&xen, 1, ORDER_2M, 1024);
    plan_share(&m, 0, pages + MIB_PAGES);
    plan_nearest(&m, 1);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    ok(good && pages_on(&g, 0) == pages - b->hole,
       "%s: pieces of 32 KiB on a node are used before another node",
       b->name);
    ok(xen.granted[0][ORDER_2M] >= 48,
       "%s: pieces of 32 KiB are used after extents of 2 MiB", b->name);
    guest_free(&g);
}

static void test_owed_is_remembered(void)
{
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    /* 2200 MiB are three batches; node 1 refuses in the first. */
    set_free(&xen, 0, ORDER_2M, 4096);
    set_free(&xen, 1, 8, 4096);
    plan_share(&m, 0, 1105 * MIB_PAGES);
    plan_share(&m, 1, 1105 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, 2200 * MIB_PAGES);
    good = build_pv(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && is_share(pages_on(&g, 1), 1100 * MIB_PAGES),
       "PV: what a fragmented node owes is kept over all batches");
    guest_free(&g);
}

int main(void)
{
    unsigned i;

    test_one_node_sizes();
    test_few_asks();
    test_gibibytes();
    test_shares_of_many();
    test_turns();
    test_gibibyte_too_large();
    test_owed_is_remembered();
    for (i = 0; i < ARRAY_SIZE(builders); i++) {
        test_fragmented(&builders[i], 300 * MIB_PAGES);
        test_fragmented(&builders[i], 1400 * MIB_PAGES + 5);
        test_half_fragmented(&builders[i]);
    }
    free_nodes();
    return tap_done();
}
