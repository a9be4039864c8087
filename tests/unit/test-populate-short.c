/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the pages of a guest come from when nodes are full, or calls fail, and
 * on hosts of any kind. */
#include "populate-guest.h"

/* ---- full nodes ---- */

static void test_spill(const struct builder *b)
{
    const uint64_t pages = 300 * MIB_PAGES;
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, ORDER_2M, 100);
    set_free(&xen, 1, ORDER_2M, 1024);
    set_free(&xen, 2, ORDER_2M, 1024);
    set_free(&xen, 3, ORDER_2M, 80);
    plan_share(&m, 0, pages + MIB_PAGES);
    plan_nearest(&m, 3);
    plan_nearest(&m, 1);
    plan_nearest(&m, 2);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    ok(good && pages_on(&g, 0) >= 98 * MIB_PAGES &&
           pages_on(&g, 3) >= 78 * MIB_PAGES && !pages_on(&g, 2),
       "%s: memory that a full node lacks comes from the nearest, then from "
       "the next one",
       b->name);
    ok(xen.granted[3][0] <= PAGES_2M && xen.granted[1][0] <= PAGES_2M,
       "%s: memory from other nodes comes in 2 MiB extents, too", b->name);
    guest_free(&g);
}

static void test_spill_of_gibibytes(void)
{
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, ORDER_2M, 512);
    set_free(&xen, 1, ORDER_1G, 8192);
    plan_share(&m, 0, 4100 * MIB_PAGES);
    plan_nearest(&m, 1);
    guest_new(&g, &xen, &m, false, 4096 * MIB_PAGES);
    good = build_pvh(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && pages_on(&g, 0) == 512 * MIB_PAGES &&
           xen.granted[1][ORDER_1G] == 3,
       "memory that a full node lacks comes in 1 GiB extents where other "
       "nodes have them");
    guest_free(&g);
}

static void test_known_overflow(void)
{
    struct hypervisor xen;
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    roomy(&xen, 4, 1024);
    plan_share(&m, 1, 200 * MIB_PAGES);
    plan_overflow(&m, 3, 100 * MIB_PAGES);
    plan_nearest(&m, 3);
    plan_nearest(&m, 0);
    guest_new(&g, &xen, &m, false, 300 * MIB_PAGES);
    good = build_pv(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && is_share(pages_on(&g, 1), 200 * MIB_PAGES) &&
           is_share(pages_on(&g, 3), 100 * MIB_PAGES),
       "memory that the plan takes from other nodes comes from there");
    guest_free(&g);

    guest_new(&g, &xen, &m, true, 300 * MIB_PAGES);
    good = build_pv(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && pages_on(&g, 1) == g.nr_pages,
       "strict takes no memory from outside the plan's own nodes");
    guest_free(&g);
}

static void test_fragmented_and_short(const struct builder *b)
{
    const uint64_t pages = 200 * MIB_PAGES;
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, 0, 60);
    set_free(&xen, 1, ORDER_2M, 1024);
    plan_share(&m, 0, pages);
    plan_nearest(&m, 1);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    ok(good && pages_on(&g, 0) + b->hole >= 60 * MIB_PAGES,
       "%s: a fragmented node gives all it has, and another one the rest",
       b->name);
    guest_free(&g);
}

static void test_strict(const struct builder *b)
{
    const uint64_t pages = 300 * MIB_PAGES;
    struct hypervisor xen;
    struct made_plan m = { 0 };
    struct guest g;
    bool built;

    roomy(&xen, 3, 1024);
    set_free(&xen, 1, ORDER_2M, 100);
    plan_share(&m, 1, pages);
    plan_nearest(&m, 0);
    plan_nearest(&m, 2);
    guest_new(&g, &xen, &m, true, pages);
    built = b->build(&g);
    ok(!built && is_right(&g) && !pages_on(&g, 0) && !pages_on(&g, 2),
       "%s, strict: a full node fails the build, and no other node is "
       "asked", b->name);
    ok(pages_on(&g, 1) > 98 * MIB_PAGES,
       "%s, strict: the full node gave what it had", b->name);
    guest_free(&g);
}

/* Three nodes have exactly what is needed, not all of it in 2 MiB extents. */
static void test_strict_to_the_page(const struct builder *b)
{
    const uint64_t odd = 486, whole = 100 * MIB_PAGES;
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, ORDER_2M, 100);
    set_free(&xen, 1, ORDER_2M, 100);
    set_free(&xen, 2, ORDER_2M, 100);
    xen.free[1][0] = xen.free[2][0] = odd;
    plan_share(&m, 0, whole);
    plan_share(&m, 1, whole + odd);
    plan_share(&m, 2, whole + odd);
    guest_new(&g, &xen, &m, true, 3 * whole + 2 * odd);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    ok(good, "%s, strict: a domain that fits to the page is built", b->name);
    guest_free(&g);
}

/* ---- after the memory, and beside it ---- */

static bool populate_special(struct guest *g, unsigned nr)
{
    xen_pfn_t extents[SPECIAL_PAGES];
    unsigned i;

    for (i = 0; i < nr; i++)
        extents[i] = g->nr_pages + i;
    return populate_exact(g, nr, 0, extents);
}

static void test_special_pages(const struct builder *b)
{
    const uint64_t pages = 64 * MIB_PAGES;
    struct hypervisor xen;
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    roomy(&xen, 3, 128);
    plan_share(&m, 1, 70 * MIB_PAGES);
    plan_nearest(&m, 0);
    plan_nearest(&m, 2);
    guest_new(&g, &xen, &m, true, pages);
    good = b->build(&g) && populate_special(&g, 11) && is_right(&g);
    ok(good && pages_on(&g, 1) == pages - b->hole + 11,
       "%s: special pages beyond the memory come from the plan's node",
       b->name);
    guest_free(&g);

    roomy(&xen, 3, 128);
    set_free(&xen, 1, ORDER_2M, 64);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g);
    memset(xen.free[1], 0, sizeof(xen.free[1]));
    good = good && populate_special(&g, 11) && is_right(&g);
    ok(good && pages_on(&g, 0) == 11,
       "%s: special pages come from the nearest node if the plan's node is "
       "full", b->name);
    guest_free(&g);
}

static void test_own_without_share(const struct builder *b)
{
    const uint64_t pages = 40 * MIB_PAGES;
    struct hypervisor xen = { 0 };
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    set_free(&xen, 0, ORDER_2M, 30);
    set_free(&xen, 1, ORDER_2M, 10);
    plan_own(&m, 0);
    plan_overflow(&m, 1, 10 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    ok(good && pages_on(&g, 0) + b->hole >= 30 * MIB_PAGES,
       "%s: a node of the plan may give more than the plan counted "
       "on", b->name);
    guest_free(&g);
}

/* A stub domain has a plan's nodes and no share of its memory. */
static void test_no_share(void)
{
    struct hypervisor xen;
    struct made_plan m = { 0 };
    struct guest g;
    bool good;

    roomy(&xen, 2, 128);
    plan_share(&m, 1, 500 * MIB_PAGES);
    plan_nearest(&m, 0);
    guest_new(&g, &xen, &m, false, 32 * MIB_PAGES);
    populate_dispose(&g.populate);
    if (populate_init(&g.populate, &m.plan, false, 0))
        need(NULL);
    good = build_pv(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && pages_on(&g, 1) == g.nr_pages,
       "memory beyond the plan comes from the plan's first node");
    guest_free(&g);
    populate_dispose(&(struct populate){ 0 });
}

/* ---- errors ---- */

static void test_error_at_once(void)
{
    struct hypervisor xen;
    struct made_plan m = { 0 };
    xen_pfn_t extents[] = { 0, PAGES_2M };
    struct guest g;

    roomy(&xen, 1, 128);
    plan_share(&m, 0, 16 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, 16 * MIB_PAGES);
    xen.fail_at = 1;
    errno = 0;
    ok(populate(&g, 2, ORDER_2M, extents) == -1 && errno == EFAULT,
       "a refused call is -1 with the hypervisor's errno");
    ok(is_right(&g) && pages_on(&g, 0) == 0, "a refused call grants nothing");
    ok(populate(&g, 2, ORDER_2M, extents) == 2,
       "the same call after that is answered");
    guest_free(&g);
}

/* Two nodes take turns, so that the fifth ask is in the middle of a batch. */
static void test_error_in_batch(void)
{
    struct hypervisor xen;
    struct made_plan m = { 0 };
    xen_pfn_t extents[8];
    struct guest g;
    unsigned i;

    roomy(&xen, 2, 128);
    plan_share(&m, 0, 16 * MIB_PAGES);
    plan_share(&m, 1, 16 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, 32 * MIB_PAGES);
    for (i = 0; i < 8; i++)
        extents[i] = i * PAGES_2M;
    xen.fail_at = 5;
    ok(populate(&g, 8, ORDER_2M, extents) == 4 && is_right(&g),
       "an error in the middle of a batch reports what was done before it");
    guest_free(&g);
}

static void test_error_everywhere(void)
{
    struct hypervisor xen;
    struct made_plan m = { 0 };
    struct guest g;
    unsigned at, i, nr_wrong = 0, nr_refused;

    plan_share(&m, 0, 20 * MIB_PAGES);
    plan_share(&m, 1, 10 * MIB_PAGES);
    for (i = 0; i < ARRAY_SIZE(builders); i++) {
        nr_refused = 1;
        for (at = 1; nr_refused && at < 1000; at++) {
            roomy(&xen, 2, 128);
            xen.fail_at = at;
            guest_new(&g, &xen, &m, false, 30 * MIB_PAGES + 7);
            builders[i].build(&g);
            nr_wrong += !is_right(&g);
            nr_refused = xen.nr_asks >= at;
            guest_free(&g);
        }
        ok(!nr_wrong && at > 10 && at < 1000,
           "%s: after an error at any call the report matches what was granted",
           builders[i].name);
    }
}

/* ---- any host, any plan ---- */

static void random_node(struct hypervisor *xen, unsigned node, unsigned mib)
{
    unsigned order;

    xen->free[node][0] = 0;
    for (order = 0; order <= ORDER_2M; order++)
        if (random_below(3) == 0)
            xen->free[node][order] =
                random_below(mib + 1) * MIB_PAGES >> order;
    xen->free[node][ORDER_1G] = random_below(8) == 0;
    if (node >= xen->nr_nodes)
        xen->nr_nodes = node + 1;
}

static void random_plan(struct made_plan *m, unsigned nr_nodes, uint64_t pages)
{
    unsigned order[MAX_NODES], i, j, nr_shares = 1 + random_below(nr_nodes);
    unsigned nr_own;

    *m = (struct made_plan){ 0 };
    for (i = 0; i < nr_nodes; i++)
        order[i] = i;
    for (i = nr_nodes; i-- > 1;) {
        unsigned other = random_below(i + 1), swap = order[i];

        order[i] = order[other];
        order[other] = swap;
    }
    nr_own = 1 + random_below(nr_shares);
    for (i = 0; i < nr_shares; i++)
        (i < nr_own ? plan_share : plan_overflow)(
            m, order[i], random_below(2 * pages / nr_shares + 2));
    /* The nearest are all others; where they name a node of the shares too,
     * it is the same node. */
    for (j = random_below(nr_shares + 1); j < nr_nodes; j++)
        plan_nearest(m, order[j]);
}

/* The first property that a build lacks, on any host; NULL: it has all. */
static const char *find_fault(const struct guest *g, const struct builder *b,
                              const struct made_plan *m, bool strict,
                              bool built)
{
    unsigned i, node;

    if (!is_right(g))
        return "rules of a call";
    if (built && !is_complete(g, b->hole))
        return "pages are missing";
    for (node = 0; strict && node < g->xen->nr_nodes; node++) {
        for (i = 0; i < m->plan.nr_own; i++)
            if (m->shares[i].node == node)
                break;
        if (i == m->plan.nr_own && pages_on(g, node))
            return "strict, and pages on another node";
    }
    /* A failure is one for want of memory. */
    for (i = 0; !built && i < g->populate.nr_nodes; i++)
        if (free_pages(g->xen, g->populate.nodes[i].node) >= PAGES_2M)
            return "it failed while a node had 2 MiB and more";
    return NULL;
}

static void test_any_host(void)
{
    unsigned round, node, nr_built = 0, nr_failed = 0;
    const char *fault = NULL;

    for (round = 0; round < 3000 && !fault; round++) {
        const struct builder *b = &builders[random_below(3)];
        uint64_t pages = 0xc0 + random_below(40 * MIB_PAGES);
        unsigned nr_nodes = 1 + random_below(6);
        bool strict = random_below(2), built;
        struct hypervisor xen = { 0 };
        struct made_plan m;
        struct guest g;

        for (node = 0; node < nr_nodes; node++)
            random_node(&xen, node, 12);
        random_plan(&m, nr_nodes, pages);
        guest_new(&g, &xen, &m, strict, pages);
        built = b->build(&g);
        nr_built += built;
        nr_failed += !built;
        fault = find_fault(&g, b, &m, strict, built);
        if (fault)
            printf("# round %u: %s: %s\n", round, b->name, fault);
        guest_free(&g);
    }
    ok(!fault,
       "on random hosts each page is granted once and reported as granted");
    ok(nr_built > 500 && nr_failed > 200,
       "some of these hosts have the memory, and some do not");
}

/* Each node has its share and 4 MiB, in pieces of any size. */
static void test_any_roomy_host(void)
{
    unsigned round, i, nr_far = 0;

    for (round = 0; round < 1000; round++) {
        const struct builder *b = &builders[random_below(3)];
        unsigned nr_nodes = 1 + random_below(6);
        uint64_t pages = 0xc0 + random_below(60 * MIB_PAGES), all = 0;
        struct hypervisor xen = { 0 };
        struct made_plan m;
        struct guest g;
        bool good;

        random_plan(&m, nr_nodes, pages);
        m.plan.nr_own = m.plan.nr_shares;
        for (i = 0; i < m.plan.nr_shares; i++) {
            plan_own(&m, m.shares[i].node);
            m.shares[i].bytes |= UINT64_C(1) << 20;
            all += m.shares[i].bytes >> 20;
        }
        for (i = 0; i < nr_nodes; i++)
            set_free(&xen, i, ORDER_1G, 0);
        for (i = 0; i < m.plan.nr_shares; i++)
            set_free(&xen, m.shares[i].node, random_below(ORDER_2M + 1),
                     (m.shares[i].bytes >> 20) * (pages >> 8) / all + 5);
        guest_new(&g, &xen, &m, true, pages);
        good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
        for (i = 0; i < m.plan.nr_shares && good; i++)
            good = is_share(pages_on(&g, m.shares[i].node),
                            (m.shares[i].bytes >> 20) * pages / all);
        if (!good)
            printf("# round %u: %s of %llu pages\n", round, b->name,
                   (unsigned long long)pages);
        nr_far += !good;
        guest_free(&g);
    }
    ok(!nr_far, "on random hosts with enough memory each node gives its share");
}

/* ---- what libxc asks for by name passes ---- */

struct call {
    unsigned nr;
    unsigned mem_flags;
};

static struct call last_call;
static uint64_t availheap_bytes;
static int availheap_node;

/* Stands in for libxenctrl's. */
int xc_availheap(xc_interface *xch, int min_width, int max_width, int node,
                 uint64_t *bytes)
{
    (void)xch;
    (void)min_width;
    (void)max_width;
    availheap_node = node;
    *bytes = availheap_bytes;
    return 0;
}

/* The real xc_domain_populate_physmap(): grants all, but no 2 MiB extents. */
static int grant_all(xc_interface *xch, uint32_t domid, unsigned long nr,
                     unsigned order, unsigned mem_flags, xen_pfn_t *extents)
{
    (void)xch;
    (void)domid;
    (void)extents;
    last_call = (struct call){ nr, mem_flags };
    return order ? 0 : nr;
}

static int placed(struct placement *p, uint32_t domid, unsigned long nr,
                  unsigned order, unsigned mem_flags)
{
    xen_pfn_t extents[512] = { 0 };

    last_call = (struct call){ 0 };
    return placement_populate(p, grant_all, NULL, domid, nr, order, mem_flags,
                              extents);
}

static void test_flags(void)
{
    struct placement p = { .domid = 7, .stub_domid = XLN_NONE };
    const struct populate_node *n;
    struct made_plan m = { 0 };

    plan_share(&m, 3, 16 * MIB_PAGES);
    plan_nearest(&m, 0);
    ok(placed(&p, 7, 10, 0, 0) == 10 && last_call.mem_flags == 0,
       "a domain without a plan is populated as by the installed libxl");
    if (populate_init(&p.restored.built, &m.plan, false, 16 * MIB_PAGES << 12))
        need(NULL);
    n = p.restored.built.nodes;

    ok(placed(&p, 7, 10, 0, 0) == 10 &&
           last_call.mem_flags == XENMEMF_exact_node(3),
       "a call without a node asks for exactly the plan's node");
    ok(placed(&p, 7, 5, 0, XENMEMF_address_bits(32)) == 5 &&
           last_call.mem_flags ==
               (XENMEMF_address_bits(32) | XENMEMF_exact_node(3)),
       "a call without a node keeps its other flags");
    ok(n->granted_pages == 15, "the pages of these calls are counted");

    ok(placed(&p, 7, 4, 0, XENMEMF_exact_node(0)) == 4 &&
           last_call.mem_flags == XENMEMF_exact_node(0),
       "a call that names a node is passed on");

    ok(placed(&p, 7, 9, 0, XENMEMF_populate_on_demand) == 9 &&
           last_call.mem_flags == XENMEMF_populate_on_demand,
       "populate on demand is passed on");
    ok(n->granted_pages == 15 && n->owed_pages == 16 * MIB_PAGES - 15,
       "populate on demand is not counted");

    availheap_bytes = 64 << 20;
    ok(placed(&p, 7, 2, ORDER_2M, 0) == 0 && !p.short_of_memory,
       "a short answer for 2 MiB extents is not reported as lack of memory");
    ok(availheap_node == 3, "the node itself is asked for what it has left");
    populate_dispose(&p.restored.built);
}

int main(void)
{
    unsigned i;

    test_known_overflow();
    test_spill_of_gibibytes();
    for (i = 0; i < ARRAY_SIZE(builders); i++) {
        test_spill(&builders[i]);
        test_fragmented_and_short(&builders[i]);
        test_strict(&builders[i]);
        test_strict_to_the_page(&builders[i]);
        test_special_pages(&builders[i]);
        test_own_without_share(&builders[i]);
    }
    test_no_share();
    test_error_at_once();
    test_error_in_batch();
    test_error_everywhere();
    test_any_host();
    test_any_roomy_host();
    test_flags();
    free_nodes();
    return tap_done();
}
