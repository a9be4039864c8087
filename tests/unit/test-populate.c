/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * populate.c between imitations of the three domain builders, call for call
 * as tools/libs/guest/xg_dom_x86.c makes them, and a hypervisor that gives
 * what its nodes have.
 */
#include <errno.h>
#include <stdlib.h>

#include "placement/placement.h"
#include "placement/populate.h"
#include "random.h"
#include "tap.h"

#define MIB_PAGES UINT64_C(256)
#define ORDER_2M 9
#define ORDER_1G 18
#define PAGES_2M (UINT64_C(1) << ORDER_2M)
#define PAGES_1G (UINT64_C(1) << ORDER_1G)
#define PV_BATCH 512
#define PV_REST (1024 * 1024)
#define MAX_NODES 32
#define NOBODY 0xff
/* Room for what is asked for after the memory itself. */
#define SPECIAL_PAGES 64
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The same numbers on every machine, which rand() doesn't promise. */
static void *need(void *block)
{
    if (block)
        return block;
    printf("Bail out! out of memory\n");
    exit(1);
}

/* ---- the hypervisor ---- */

struct hypervisor {
    unsigned nr_nodes;
    uint64_t free[MAX_NODES][ORDER_1G + 1];     /* extents, by order */
    unsigned nr_asks;           /* so far, and of them with 1 GiB extents */
    unsigned nr_asks_1g;
    unsigned fail_at;           /* this ask is refused as a whole; 0: none */
    xen_pfn_t next_mfn;
    /* Extents granted, by node and order. */
    uint64_t granted[MAX_NODES][ORDER_1G + 1];
};

/* One domain under construction, and what must not happen to it. */
struct guest {
    struct hypervisor *xen;
    struct populate populate;
    bool pv;                    /* the answer has machine addresses in it */
    uint64_t nr_pages;
    unsigned char *owner;       /* [nr_pages + SPECIAL_PAGES] nodes */
    xen_pfn_t *mfn;             /* [the same] where each page is */
    uint64_t left;              /* extents that this call still wants */
    const char *wrong;          /* the first of what must not happen */
};

static void wrong(struct guest *g, const char *what)
{
    if (!g->wrong)
        g->wrong = what;
}

static uint64_t free_pages(const struct hypervisor *xen, unsigned node)
{
    uint64_t pages = 0;
    unsigned order;

    for (order = 0; order <= ORDER_1G; order++)
        pages += xen->free[node][order] << order;
    return pages;
}

/* The smallest piece that will do, cut down; never are two joined. */
static bool take(struct hypervisor *xen, unsigned node, unsigned order)
{
    unsigned from = order;

    while (from <= ORDER_1G && !xen->free[node][from])
        from++;
    if (from > ORDER_1G)
        return false;
    xen->free[node][from]--;
    while (from-- > order)
        xen->free[node][from]++;
    xen->granted[node][order]++;
    return true;
}

static void own(struct guest *g, xen_pfn_t pfn, unsigned node, unsigned order)
{
    uint64_t i;

    for (i = 0; i < UINT64_C(1) << order; i++) {
        if (pfn + i >= g->nr_pages + SPECIAL_PAGES) {
            wrong(g, "a page that the builder did not ask for");
            return;
        }
        if (g->owner[pfn + i] != NOBODY)
            wrong(g, "a page is populated twice");
        g->owner[pfn + i] = node;
        g->mfn[pfn + i] = g->xen->next_mfn++;
    }
}

static long ask(void *arg, unsigned node, unsigned long nr, unsigned order,
                xen_pfn_t *extents)
{
    struct guest *g = arg;
    struct hypervisor *xen = g->xen;
    unsigned long i;

    xen->nr_asks++;
    xen->nr_asks_1g += order == ORDER_1G;
    if (nr == 0 || nr > g->left)
        wrong(g, "an ask for none, or for more than the builder wants");
    if (node >= xen->nr_nodes)
        wrong(g, "an ask of a node that there is not");
    if (g->wrong)
        return 0;
    if (xen->nr_asks == xen->fail_at) {
        errno = EFAULT;
        return -1;
    }
    for (i = 0; i < nr && take(xen, node, order); i++) {
        xen_pfn_t pfn = extents[i];

        own(g, pfn, node, order);
        if (g->pv && !g->wrong)
            extents[i] = g->mfn[pfn];
    }
    g->left -= i;
    return i;
}

static uint64_t free_bytes(void *arg, unsigned node)
{
    const struct guest *g = arg;

    return free_pages(g->xen, node) << 12;
}

static const struct populate_ops ops = { ask, free_bytes };

static void set_free(struct hypervisor *xen, unsigned node, unsigned order,
                     uint64_t mib)
{
    xen->free[node][order] = mib * MIB_PAGES >> order;
    if (node >= xen->nr_nodes)
        xen->nr_nodes = node + 1;
}

/* ---- plans ---- */

struct made_plan {
    struct xln_plan plan;
    struct xln_share shares[MAX_NODES];
    unsigned nearest[MAX_NODES];
};

/* The sets of all plans, to be freed at the end. */
static struct xln_nodemap **made_nodes;
static unsigned nr_made_nodes;

static struct xln_nodemap *make_nodes(void)
{
    struct xln_nodemap *nodes;

    made_nodes = need(realloc(made_nodes,
                              (nr_made_nodes + 1) * sizeof(*made_nodes)));
    if (xln_nodemap_new(64, &nodes))
        need(NULL);
    made_nodes[nr_made_nodes++] = nodes;
    return nodes;
}

static void free_nodes(void)
{
    while (nr_made_nodes)
        xln_nodemap_free(made_nodes[--nr_made_nodes]);
    free(made_nodes);
}

/* A node that the plan has for its own, with no share planned from it. */
static void plan_own(struct made_plan *m, unsigned node)
{
    if (!m->plan.nodes)
        m->plan.nodes = make_nodes();
    xln_nodemap_set(m->plan.nodes, node);
}

static void plan_share(struct made_plan *m, unsigned node, uint64_t pages)
{
    plan_own(m, node);
    m->plan.shares = m->shares;
    m->plan.nearest = m->nearest;
    m->shares[m->plan.nr_shares++] =
        (struct xln_share){ node, pages << 12 };
    m->plan.nr_own = m->plan.nr_shares;
}

static void plan_overflow(struct made_plan *m, unsigned node, uint64_t pages)
{
    unsigned nr_own = m->plan.nr_own;

    plan_share(m, node, pages);
    xln_nodemap_clear(m->plan.nodes, node);
    m->plan.nr_own = nr_own;
}

static void plan_nearest(struct made_plan *m, unsigned node)
{
    m->plan.nearest = m->nearest;
    m->nearest[m->plan.nr_nearest++] = node;
}

/* ---- the guest, and calls as its builder makes them ---- */

static void guest_new(struct guest *g, struct hypervisor *xen,
                      const struct made_plan *m, bool strict,
                      uint64_t nr_pages)
{
    *g = (struct guest){ .xen = xen, .nr_pages = nr_pages };
    g->owner = need(malloc(nr_pages + SPECIAL_PAGES));
    memset(g->owner, NOBODY, nr_pages + SPECIAL_PAGES);
    g->mfn = need(calloc(nr_pages + SPECIAL_PAGES, sizeof(*g->mfn)));
    if (populate_init(&g->populate, &m->plan, strict, nr_pages << 12))
        need(NULL);
}

static void guest_free(struct guest *g)
{
    populate_dispose(&g->populate);
    free(g->owner);
    free(g->mfn);
}

/* What was told is what was done: of the extents asked for exactly the first
 * `done`, and for PV where they are. */
static void check_answer(struct guest *g, const xen_pfn_t *pfns,
                         const xen_pfn_t *answer, unsigned long nr,
                         unsigned order, long done)
{
    unsigned long i;

    if (done < -1 || done > (long)nr) {
        wrong(g, "an answer that is no number of extents");
        return;
    }
    for (i = 0; i < nr; i++) {
        bool told = (long)i < done, granted = g->owner[pfns[i]] != NOBODY;

        if (told != granted)
            wrong(g, told ? "told, but not granted" : "granted, but not told");
        if (told && g->pv && answer[i] != g->mfn[pfns[i]])
            wrong(g, "an answer with another extent's machine address");
        if (g->pv && told && order &&
            g->mfn[pfns[i] + (1u << order) - 1] !=
                answer[i] + (1u << order) - 1)
            wrong(g, "an extent that is not contiguous");
    }
}

static long populate(struct guest *g, unsigned long nr, unsigned order,
                     xen_pfn_t *extents)
{
    unsigned nr_asks = g->xen->nr_asks, i;
    xen_pfn_t *pfns = need(malloc(nr * sizeof(*pfns)));
    long done;

    memcpy(pfns, extents, nr * sizeof(*pfns));
    for (i = 0; i < nr; i++)
        if (g->owner[pfns[i]] != NOBODY)
            wrong(g, "the test itself asks for a page that it has");
    g->left = nr;
    done = populate_extents(&g->populate, &ops, g, nr, order, extents);
    check_answer(g, pfns, extents, nr, order, done);
    /* Each ask grants an extent, or a node is not asked so again. */
    if (g->xen->nr_asks - nr_asks > nr + 2 * g->xen->nr_nodes)
        wrong(g, "more asks than extents and nodes account for");
    free(pfns);
    return done;
}

/* xc_domain_populate_physmap_exact() */
static bool populate_exact(struct guest *g, unsigned long nr, unsigned order,
                           xen_pfn_t *extents)
{
    return populate(g, nr, order, extents) == (long)nr;
}

/* meminit_pv(): a short answer is gone on from only when the count of 2 MiB
 * extents is through. */
static bool build_pv(struct guest *g)
{
    xen_pfn_t *p2m = need(calloc(g->nr_pages, sizeof(*p2m)));
    uint64_t pages = g->nr_pages, super_pages = pages / PAGES_2M;
    uint64_t pfn, base = 0, count, i;
    bool good = true;
    long done;

    g->pv = true;
    for (pfn = 0; pfn < pages; pfn++)
        p2m[pfn] = pfn;
    while (super_pages && good) {
        xen_pfn_t extents[PV_BATCH];

        count = super_pages < PV_BATCH ? super_pages : PV_BATCH;
        super_pages -= count;
        for (i = 0; i < count; i++)
            extents[i] = p2m[base + i * PAGES_2M];
        done = populate(g, count, ORDER_2M, extents);
        good = done >= 0;
        if (good)
            base += done * PAGES_2M;
    }
    for (; base < pages && good; base += count) {
        count = pages - base < PV_REST ? pages - base : PV_REST;
        good = populate_exact(g, count, 0, p2m + base);
    }
    free(p2m);
    return good;
}

/* Extents of one order from `pfn` on; how many pages were populated. */
static uint64_t try_extents(struct guest *g, xen_pfn_t pfn, uint64_t count,
                            unsigned order)
{
    xen_pfn_t extents[4];
    unsigned long nr = count >> order, i;
    long done;

    for (i = 0; i < nr; i++)
        extents[i] = pfn + (i << order);
    done = populate(g, nr, order, extents);
    return done > 0 ? (uint64_t)done << order : 0;
}

/* The tail of a count that ends in the middle of an extent; see there. */
static uint64_t clip(xen_pfn_t pfn, uint64_t count, uint64_t extent)
{
    if (pfn & (extent - 1) && count > (-pfn & (extent - 1)))
        return -pfn & (extent - 1);
    if (count & (extent - 1) && count > extent)
        return count & ~(extent - 1);
    return count;
}

/* meminit_hvm(), one round of its loop: the pages that it went on by, 0 if it
 * failed. */
static uint64_t build_hvm_round(struct guest *g, uint64_t pfn)
{
    uint64_t count = g->nr_pages - pfn, start = pfn, done;
    xen_pfn_t *extents;
    bool good = true;
    uint64_t i;

    count = clip(pfn, count < PAGES_1G ? count : PAGES_1G, PAGES_1G);
    if (((count | pfn) & (PAGES_1G - 1)) == 0) {
        done = try_extents(g, pfn, count, ORDER_1G);
        pfn += done;
        count -= done;
    }
    if (count)
        count = clip(start, count < 4 * PAGES_2M ? count : 4 * PAGES_2M,
                     PAGES_2M);
    if (count && ((count | start) & (PAGES_2M - 1)) == 0) {
        done = try_extents(g, pfn, count, ORDER_2M);
        pfn += done;
        count -= done;
    }
    if (count) {
        extents = need(malloc(count * sizeof(*extents)));
        for (i = 0; i < count; i++)
            extents[i] = pfn + i;
        good = populate_exact(g, count, 0, extents);
        free(extents);
        pfn += count;
    }
    return good ? pfn - start : 0;
}

static bool build_from(struct guest *g, uint64_t pfn)
{
    uint64_t pages = 1;

    for (; pages && pfn < g->nr_pages; pfn += pages)
        pages = build_hvm_round(g, pfn);
    return pages;
}

static bool build_pvh(struct guest *g)
{
    return build_from(g, 0);
}

/* With a device model: the low 640 KiB first, and a hole for the VGA. */
static bool build_hvm(struct guest *g)
{
    xen_pfn_t extents[0xa0];
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(extents); i++)
        extents[i] = i;
    return populate_exact(g, ARRAY_SIZE(extents), 0, extents) &&
           build_from(g, 0xc0);
}

/* populate_pfns() of xg_sr_restore.c since 4.21, for HVM and PVH: batches of
 * 4 MiB, of which what makes a 2 MiB extent is asked for as one. If that is
 * not to be had its pages are small ones. */
static bool build_restored(struct guest *g)
{
    xen_pfn_t small[2 * PAGES_2M], first;
    uint64_t pfn, nr = 0;

    for (pfn = 0; pfn < g->nr_pages; pfn++) {
        small[nr++] = pfn;
        first = pfn - (PAGES_2M - 1);
        if (pfn % PAGES_2M == PAGES_2M - 1 &&
            populate_exact(g, 1, ORDER_2M, &first))
            nr -= PAGES_2M;
        if (pfn % ARRAY_SIZE(small) != ARRAY_SIZE(small) - 1 &&
            pfn != g->nr_pages - 1)
            continue;
        if (nr && !populate_exact(g, nr, 0, small))
            return false;
        nr = 0;
    }
    return true;
}

static const struct builder {
    const char *name;
    bool (*build)(struct guest *g);
    unsigned hole;              /* pages that it leaves out */
} builders[] = {
    { "PV", build_pv, 0 },
    { "PVH", build_pvh, 0 },
    { "HVM", build_hvm, 0x20 },
    { "a restore since 4.21", build_restored, 0 },
};

/* Pages of the guest on a node, by the hypervisor's own reckoning. */
static uint64_t pages_on(const struct guest *g, unsigned node)
{
    uint64_t i, nr = 0;

    for (i = 0; i < g->nr_pages + SPECIAL_PAGES; i++)
        nr += g->owner[i] == node;
    return nr;
}

/* Nothing went wrong, and populate.c's own count is the hypervisor's. */
static bool is_right(const struct guest *g)
{
    unsigned i;

    for (i = 0; i < g->populate.nr_nodes; i++) {
        const struct populate_node *n = &g->populate.nodes[i];

        if (n->granted_pages != pages_on(g, n->node)) {
            printf("# node %u: counted %llu, granted %llu\n", n->node,
                   (unsigned long long)n->granted_pages,
                   (unsigned long long)pages_on(g, n->node));
            return false;
        }
    }
    if (g->wrong)
        printf("# %s\n", g->wrong);
    return !g->wrong;
}

static bool is_complete(const struct guest *g, unsigned hole)
{
    uint64_t i, nr = 0;

    for (i = 0; i < g->nr_pages; i++)
        nr += g->owner[i] != NOBODY;
    return nr == g->nr_pages - hole;
}

/* Within 2 % or one 2 MiB extent. */
static bool is_share(uint64_t pages, uint64_t share)
{
    uint64_t apart = pages > share ? pages - share : share - pages;

    return apart <= PAGES_2M || apart * 50 <= share;
}

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
       "%s of %llu pages: all on its node", b->name,
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
       "a guest on one node costs no more hypercalls than stock");
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
       "a node with 1 GiB extents gives them");
    guest_free(&g);

    xen = (struct hypervisor){ 0 };
    set_free(&xen, 0, ORDER_2M, 4096);
    set_free(&xen, 1, ORDER_1G, 4096);
    plan_nearest(&m, 1);
    guest_new(&g, &xen, &m, false, 3072 * MIB_PAGES);
    good = build_pvh(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && pages_on(&g, 0) == g.nr_pages && xen.granted[0][0] == 0,
       "a node without 1 GiB extents gives 2 MiB ones");
    ok(xen.nr_asks_1g == 1, "and is asked for 1 GiB only once");
    guest_free(&g);
}

/* ---- several nodes ---- */

/* Every node has its share and some more, whole. */
static void roomy(struct hypervisor *xen, unsigned nr_nodes, uint64_t mib)
{
    unsigned node;

    *xen = (struct hypervisor){ 0 };
    for (node = 0; node < nr_nodes; node++)
        set_free(xen, node, ORDER_2M, mib);
}

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
       "%s of %llu pages on %u nodes: each its share, no page elsewhere",
       b->name, (unsigned long long)pages, nr);
    for (i = 0, small = 0; i < nr; i++)
        small += xen.granted[i + 1][0];
    ok(small < 3 * PAGES_2M, "of it hardly any in 4 KiB pages");
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
    is_str(turns, "ABAABAAB", "and do so where only 4 KiB pages are free");
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
       "an extent of 1 GiB is asked of no node that owes less");
    ok(pages_on(&g, 0) == pages_on(&g, 1),
       "and the two nodes give half of it each");
    guest_free(&g);

    m = (struct made_plan){ 0 };
    plan_share(&m, 0, 1540 * MIB_PAGES);
    plan_share(&m, 1, 1540 * MIB_PAGES);
    guest_new(&g, &xen, &m, false, 3 * PAGES_1G);
    good = build_pvh(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && xen.granted[0][ORDER_1G] == 1 &&
           xen.granted[1][ORDER_1G] == 1 &&
           pages_on(&g, 0) == pages_on(&g, 1),
       "two nodes with 1.5 GiB each give one of 1 GiB, and the rest smaller");
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
       "%s of %llu pages: a node with free 4 KiB pages alone gives its share",
       b->name, (unsigned long long)pages);
    ok(xen.granted[0][ORDER_2M] >= pages / 2 / PAGES_2M - 1,
       "and the other one its own in 2 MiB extents");
    guest_free(&g);

    m = (struct made_plan){ 0 };
    plan_share(&m, 1, pages + MIB_PAGES);
    plan_nearest(&m, 0);
    guest_new(&g, &xen, &m, false, pages);
    good = b->build(&g) && is_right(&g) && is_complete(&g, b->hole);
    ok(good && pages_on(&g, 1) == pages - b->hole,
       "%s of %llu pages: all of it from a node with 4 KiB pages alone",
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
       "%s: what a node has in 32 KiB pieces is used before another node",
       b->name);
    ok(xen.granted[0][ORDER_2M] >= 48, "%s: after its 2 MiB extents", b->name);
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
       "PV: what a fragmented node owes outlasts all batches");
    guest_free(&g);
}

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
       "%s: a full node spills to the nearest, then to the next one",
       b->name);
    ok(xen.granted[3][0] <= PAGES_2M && xen.granted[1][0] <= PAGES_2M,
       "%s: the spill is of 2 MiB extents too", b->name);
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
       "what a full node owes is given in 1 GiB extents where they are");
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
       "an overflow that was planned comes from where it was planned");
    guest_free(&g);

    guest_new(&g, &xen, &m, true, 300 * MIB_PAGES);
    good = build_pv(&g) && is_right(&g) && is_complete(&g, 0);
    ok(good && pages_on(&g, 1) == g.nr_pages,
       "strict: never from outside the plan's own nodes");
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
       "%s: a fragmented node gives all it has, another one only the rest",
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
       "%s, strict: a full node fails the build, no other is asked", b->name);
    ok(pages_on(&g, 1) > 98 * MIB_PAGES,
       "%s, strict: but the full node gave what it had", b->name);
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
    ok(good, "%s, strict: what fits to the page is built", b->name);
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
       "%s: from the nearest if their node is full", b->name);
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
       "%s: a node of the plan gives what it was not counted on for", b->name);
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
    ok(is_right(&g) && pages_on(&g, 0) == 0, "and nothing is granted");
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
       "an error in the middle of a batch tells what was done before it");
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
           "%s: an error at any ask leaves told and granted the same",
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

/* What must hold of a build whatever the host; NULL: it does. */
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
    ok(!fault, "any host and plan: each page once, told as granted");
    ok(nr_built > 500 && nr_failed > 200,
       "of these hosts some have the memory and some have not");
}

/* Each node has its share and 4 MiB, in whatever pieces. */
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
    ok(!nr_far, "any host with the memory for a plan: each node its share");
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
       "a domain without a plan is populated as stock would");
    if (populate_init(&p.built, &m.plan, false, 16 * MIB_PAGES << 12))
        need(NULL);
    n = p.built.nodes;

    ok(placed(&p, 7, 10, 0, 0) == 10 &&
           last_call.mem_flags == XENMEMF_exact_node(3),
       "a call without a node asks exactly for the plan's");
    ok(placed(&p, 7, 5, 0, XENMEMF_address_bits(32)) == 5 &&
           last_call.mem_flags ==
               (XENMEMF_address_bits(32) | XENMEMF_exact_node(3)),
       "and keeps the flags that it has");
    ok(n->granted_pages == 15, "these are counted");

    ok(placed(&p, 7, 4, 0, XENMEMF_exact_node(0)) == 4 &&
           last_call.mem_flags == XENMEMF_exact_node(0),
       "a call that names a node passes");

    ok(placed(&p, 7, 9, 0, XENMEMF_populate_on_demand) == 9 &&
           last_call.mem_flags == XENMEMF_populate_on_demand,
       "populate on demand passes");
    ok(n->granted_pages == 15 && n->owed_pages == 16 * MIB_PAGES - 15,
       "and counts for nothing");

    availheap_bytes = 64 << 20;
    ok(placed(&p, 7, 2, ORDER_2M, 0) == 0 && !p.short_of_memory,
       "a short answer for 2 MiB extents is no want of memory");
    ok(availheap_node == 3, "the node itself is asked for what it has free");
    populate_dispose(&p.built);
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
    test_known_overflow();
    test_spill_of_gibibytes();
    for (i = 0; i < ARRAY_SIZE(builders); i++) {
        test_fragmented(&builders[i], 300 * MIB_PAGES);
        test_fragmented(&builders[i], 1400 * MIB_PAGES + 5);
        test_half_fragmented(&builders[i]);
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
