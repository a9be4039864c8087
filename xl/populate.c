/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The domain builder (xg_dom_x86.c) asks for 1 GiB, then 2 MiB, then 4 KiB
 * extents, many in one call, and names no node. Each call is cut here into
 * runs of extents for one node, asked with XENMEMF_exact_node, in the order of
 * the array: so what was granted is always the beginning of it, which is all
 * that the builder can be told.
 *
 * Over several nodes the runs go round in proportion to what each node still
 * owes: with shares of 60 and 30 MiB the 2 MiB extents come from nodes
 * A B A A B A A B ...
 *
 * A node that refuses an extent
 *  - has free memory, but in smaller pieces: it still owes its share, and is
 *    not asked for this size again. When no other node owes an extent of this
 *    size the answer is short, and the builder asks again, for smaller ones.
 *    (A PV build does so only when it is through with all its 2 MiB extents.)
 *  - is full: what it owes passes to the next one, nearest first, at the same
 *    size; else a spill would be built of 4 KiB pages.
 */
#include <errno.h>
#include <stdlib.h>

#include "populate.h"

#define PAGE_SHIFT 12
#define ORDER_2M 9
#define ORDER_ANY 63

static void add_node(struct populate *p, unsigned node, uint64_t pages)
{
    p->nodes[p->nr_nodes++] = (struct populate_node){
        .node = node,
        .share_pages = pages,
        .owed_pages = pages,
        .max_order = ORDER_ANY,
    };
}

static bool has_node(const struct populate *p, unsigned node)
{
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++)
        if (p->nodes[i].node == node)
            return true;
    return false;
}

/*
 * The plan's shares are of everything that the domain needs; the builder
 * populates its memory alone. Scale them down, in 2 MiB steps, and deal what
 * is left by these steps from the first node on.
 */
static void scale_shares(struct populate *p, uint64_t memory_pages)
{
    const uint64_t step = UINT64_C(1) << ORDER_2M;
    uint64_t total_mib = 0, rest = memory_pages;
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++)
        total_mib += p->nodes[i].share_pages >> 8;
    for (i = 0; i < p->nr_nodes && total_mib; i++) {
        struct populate_node *n = &p->nodes[i];

        /* In MiB the product fits: 2^25 times 2^33 for 24 TiB. */
        n->owed_pages = (n->share_pages >> 8) * memory_pages / total_mib;
        n->owed_pages &= ~(step - 1);
        rest -= n->owed_pages;
    }
    for (i = 0; rest && p->nr_nodes; i = (i + 1) % p->nr_nodes) {
        uint64_t pages = rest < step ? rest : step;

        p->nodes[i].owed_pages += pages;
        rest -= pages;
    }
    for (i = 0; i < p->nr_nodes; i++)
        p->nodes[i].share_pages = p->nodes[i].owed_pages;
}

int populate_init(struct populate *p, const struct xln_plan *plan, bool strict,
                  uint64_t memory_bytes)
{
    unsigned i;

    *p = (struct populate){ 0 };
    p->nodes = calloc(plan->nr_shares + plan->nr_nearest + 1,
                      sizeof(*p->nodes));
    if (!p->nodes)
        return -ENOMEM;
    for (i = 0; i < plan->nr_shares; i++)
        if (!strict || i < plan->nr_own)
            add_node(p, plan->shares[i].node,
                     plan->shares[i].bytes >> PAGE_SHIFT);
    scale_shares(p, memory_bytes >> PAGE_SHIFT);
    for (i = 0; i < plan->nr_nearest && !strict; i++)
        if (!has_node(p, plan->nearest[i]))
            add_node(p, plan->nearest[i], 0);
    return 0;
}

void populate_dispose(struct populate *p)
{
    free(p->nodes);
    *p = (struct populate){ 0 };
}

/* Whether a owes a larger part of its share than b. */
static bool owes_more(const struct populate_node *a,
                      const struct populate_node *b)
{
    /* long double: 64 bits of precision for products of two page counts */
    return (long double)a->owed_pages * b->share_pages >
           (long double)b->owed_pages * a->share_pages;
}

/* The node whose turn it is among those that owe a whole extent and may have
 * one. */
static struct populate_node *pick_owing(struct populate *p, unsigned order)
{
    struct populate_node *best = NULL;
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++) {
        struct populate_node *n = &p->nodes[i];

        if (n->full || n->max_order < order || n->owed_pages >> order == 0)
            continue;
        if (!best || owes_more(n, best))
            best = n;
    }
    return best;
}

/* Whether some node will give what it owes only in smaller extents. */
static bool owed_in_smaller(const struct populate *p, unsigned order)
{
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++)
        if (!p->nodes[i].full && p->nodes[i].max_order < order &&
            p->nodes[i].owed_pages >> order)
            return true;
    return false;
}

/* For an extent that no node owes whole: the end of the memory, or what the
 * builder asks beyond it (a domain's own special pages). */
static struct populate_node *pick_any(struct populate *p, unsigned order)
{
    struct populate_node *best = NULL;
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++) {
        struct populate_node *n = &p->nodes[i];

        if (n->full || n->max_order < order)
            continue;
        if (!best || n->owed_pages > best->owed_pages)
            best = n;
    }
    return best;
}

static struct populate_node *pick(struct populate *p, unsigned order)
{
    struct populate_node *n = pick_owing(p, order);

    if (n)
        return n;
    /* A larger extent than any node has left to give, or could give: the
     * builder shall come with smaller ones. */
    if (order > ORDER_2M || owed_in_smaller(p, order))
        return NULL;
    return pick_any(p, order);
}

static unsigned nr_owing(const struct populate *p)
{
    unsigned i, nr = 0;

    for (i = 0; i < p->nr_nodes; i++)
        nr += p->nodes[i].owed_pages > 0;
    return nr;
}

/* How many extents to ask of a node before it is another's turn: 2 MiB worth,
 * or all that one node alone still owes. */
static unsigned long run_length(const struct populate *p,
                                const struct populate_node *n,
                                unsigned long nr, unsigned order)
{
    const uint64_t turn = order < ORDER_2M ? 1u << (ORDER_2M - order) : 1;
    uint64_t run = n->owed_pages >> order;

    if (!run)
        return n->owed_pages ? 1 : nr;
    if (nr_owing(p) > 1 && run > turn)
        run = turn;
    return run < nr ? run : nr;
}

static void grant(struct populate_node *n, uint64_t pages)
{
    n->granted_pages += pages;
    n->owed_pages -= pages < n->owed_pages ? pages : n->owed_pages;
}

/* What a full node owes passes to the next one that is not. */
static void pass_on(struct populate *p, struct populate_node *full)
{
    unsigned i;

    full->full = true;
    for (i = 0; i < p->nr_nodes; i++) {
        struct populate_node *n = &p->nodes[i];

        if (n->full)
            continue;
        n->owed_pages += full->owed_pages;
        n->share_pages += full->owed_pages;
        full->owed_pages = 0;
        return;
    }
}

static void refused(struct populate *p, struct populate_node *n,
                    unsigned order, const struct populate_ops *ops, void *arg)
{
    uint64_t extent_bytes = UINT64_C(1) << (order + PAGE_SHIFT);

    if (order > ORDER_2M ||
        (order > 0 && ops->free_bytes(arg, n->node) >= extent_bytes))
        n->max_order = order - 1;
    else
        pass_on(p, n);
}

long populate_extents(struct populate *p, const struct populate_ops *ops,
                      void *arg, unsigned long nr, unsigned order,
                      xen_pfn_t *extents)
{
    unsigned long done = 0, run;
    struct populate_node *n;
    long granted;

    while (done < nr && (n = pick(p, order))) {
        run = run_length(p, n, nr - done, order);
        granted = ops->ask(arg, n->node, run, order, extents + done);
        if (granted < 0)
            return done ? (long)done : -1;
        grant(n, (uint64_t)granted << order);
        done += granted;
        if ((unsigned long)granted < run)
            refused(p, n, order, ops, arg);
    }
    return done;
}

void populate_count(struct populate *p, unsigned node, uint64_t pages)
{
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++)
        if (p->nodes[i].node == node)
            grant(&p->nodes[i], pages);
}

uint64_t populate_granted(const struct populate *p,
                          const struct xln_nodemap *nodes)
{
    uint64_t pages = 0;
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++)
        if (!nodes || xln_nodemap_test(nodes, p->nodes[i].node))
            pages += p->nodes[i].granted_pages;
    return pages;
}
