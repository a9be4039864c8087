/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * populate.c between imitations of the three domain builders, call for call
 * as tools/libs/guest/xg_dom_x86.c makes them, and a hypervisor that gives
 * what its nodes have.
 */
#ifndef POPULATE_GUEST_H
#define POPULATE_GUEST_H

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
/* Room for what is allocated after the memory itself. */
#define SPECIAL_PAGES 64
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline void *need(void *block)
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

static inline void wrong(struct guest *g, const char *what)
{
    if (!g->wrong)
        g->wrong = what;
}

static inline uint64_t free_pages(const struct hypervisor *xen, unsigned node)
{
    uint64_t pages = 0;
    unsigned order;

    for (order = 0; order <= ORDER_1G; order++)
        pages += xen->free[node][order] << order;
    return pages;
}

/* The smallest piece that will do, cut down; never are two joined. */
static inline bool take(struct hypervisor *xen, unsigned node, unsigned order)
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

static inline void own(struct guest *g, xen_pfn_t pfn, unsigned node,
                       unsigned order)
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

static inline long ask(void *arg, unsigned node, unsigned long nr,
                       unsigned order, xen_pfn_t *extents)
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

static inline uint64_t free_bytes(void *arg, unsigned node)
{
    const struct guest *g = arg;

    return free_pages(g->xen, node) << 12;
}

static const struct populate_ops ops = { ask, free_bytes };

static inline void set_free(struct hypervisor *xen, unsigned node,
                            unsigned order, uint64_t mib)
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

static inline struct xln_nodemap *make_nodes(void)
{
    struct xln_nodemap *nodes;

    made_nodes = need(realloc(made_nodes,
                              (nr_made_nodes + 1) * sizeof(*made_nodes)));
    if (xln_nodemap_new(64, &nodes))
        need(NULL);
    made_nodes[nr_made_nodes++] = nodes;
    return nodes;
}

static inline void free_nodes(void)
{
    while (nr_made_nodes)
        xln_nodemap_free(made_nodes[--nr_made_nodes]);
    free(made_nodes);
}

/* A node that the plan has for its own, with no share planned from it. */
static inline void plan_own(struct made_plan *m, unsigned node)
{
    if (!m->plan.nodes)
        m->plan.nodes = make_nodes();
    xln_nodemap_set(m->plan.nodes, node);
}

static inline void plan_share(struct made_plan *m, unsigned node,
                              uint64_t pages)
{
    plan_own(m, node);
    m->plan.shares = m->shares;
    m->plan.nearest = m->nearest;
    m->shares[m->plan.nr_shares++] =
        (struct xln_share){ node, pages << 12 };
    m->plan.nr_own = m->plan.nr_shares;
}

static inline void plan_overflow(struct made_plan *m, unsigned node,
                                 uint64_t pages)
{
    unsigned nr_own = m->plan.nr_own;

    plan_share(m, node, pages);
    xln_nodemap_clear(m->plan.nodes, node);
    m->plan.nr_own = nr_own;
}

static inline void plan_nearest(struct made_plan *m, unsigned node)
{
    m->plan.nearest = m->nearest;
    m->nearest[m->plan.nr_nearest++] = node;
}

/* ---- the guest, and calls as its builder makes them ---- */

static inline void guest_new(struct guest *g, struct hypervisor *xen,
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

static inline void guest_free(struct guest *g)
{
    populate_dispose(&g->populate);
    free(g->owner);
    free(g->mfn);
}

/* The reported result is what was done: exactly the first `done` of the
 * extents, and for PV where they are. */
static inline void check_answer(struct guest *g, const xen_pfn_t *pfns,
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

static inline long populate(struct guest *g, unsigned long nr, unsigned order,
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
    /* Each call grants an extent, or is not made for that node again. */
    if (g->xen->nr_asks - nr_asks > nr + 2 * g->xen->nr_nodes)
        wrong(g, "more asks than extents and nodes account for");
    free(pfns);
    return done;
}

/* xc_domain_populate_physmap_exact() */
static inline bool populate_exact(struct guest *g, unsigned long nr,
                                  unsigned order, xen_pfn_t *extents)
{
    return populate(g, nr, order, extents) == (long)nr;
}

/* Like meminit_pv(): after a short answer it continues only when the count of
 * 2 MiB extents is complete. */
static inline bool build_pv(struct guest *g)
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
static inline uint64_t try_extents(struct guest *g, xen_pfn_t pfn,
                                   uint64_t count, unsigned order)
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
static inline uint64_t clip(xen_pfn_t pfn, uint64_t count, uint64_t extent)
{
    if (pfn & (extent - 1) && count > (-pfn & (extent - 1)))
        return -pfn & (extent - 1);
    if (count & (extent - 1) && count > extent)
        return count & ~(extent - 1);
    return count;
}

/* meminit_hvm(), one round of its loop: the pages that it went on by, 0 if it
 * failed. */
static inline uint64_t build_hvm_round(struct guest *g, uint64_t pfn)
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

static inline bool build_from(struct guest *g, uint64_t pfn)
{
    uint64_t pages = 1;

    for (; pages && pfn < g->nr_pages; pfn += pages)
        pages = build_hvm_round(g, pfn);
    return pages;
}

static inline bool build_pvh(struct guest *g)
{
    return build_from(g, 0);
}

/* With a device model: the low 640 KiB first, and a hole for the VGA. */
static inline bool build_hvm(struct guest *g)
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
static inline bool build_restored(struct guest *g)
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
static inline uint64_t pages_on(const struct guest *g, unsigned node)
{
    uint64_t i, nr = 0;

    for (i = 0; i < g->nr_pages + SPECIAL_PAGES; i++)
        nr += g->owner[i] == node;
    return nr;
}

/* Nothing went wrong, and populate.c's own count is the hypervisor's. */
static inline bool is_right(const struct guest *g)
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

static inline bool is_complete(const struct guest *g, unsigned hole)
{
    uint64_t i, nr = 0;

    for (i = 0; i < g->nr_pages; i++)
        nr += g->owner[i] != NOBODY;
    return nr == g->nr_pages - hole;
}

/* Within 2 % or one 2 MiB extent. */
static inline bool is_share(uint64_t pages, uint64_t share)
{
    uint64_t apart = pages > share ? pages - share : share - pages;

    return apart <= PAGES_2M || apart * 50 <= share;
}

/* Every node has its share and some more, whole. */
static inline void roomy(struct hypervisor *xen, unsigned nr_nodes,
                         uint64_t mib)
{
    unsigned node;

    *xen = (struct hypervisor){ 0 };
    for (node = 0; node < nr_nodes; node++)
        set_free(xen, node, ORDER_2M, mib);
}

#endif /* POPULATE_GUEST_H */
