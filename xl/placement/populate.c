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
 * A node that refuses an extent is not asked for this size again. It still
 * owes what it has in smaller pieces; the rest of its share passes to the next
 * nodes, at the same size, or a spill would be built of 4 KiB pages. When
 * no node that owes an extent of this size has one, the answer is short, and
 * the builder asks again, for smaller ones. (A PV build does so only when it
 * is through with all its 2 MiB extents.)
 */
#include <errno.h>
#include <stdlib.h>

#include "populate.h"
#include "text/units.h"

#define ORDER_2M 9
#define ORDER_ANY 63

static bool has_node(const struct populate *p, unsigned node)
{
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++)
        if (p->nodes[i].node == node)
            return true;
    return false;
}

static void add_node(struct populate *p, unsigned node, uint64_t pages)
{
    if (has_node(p, node))
        return;
    p->nodes[p->nr_nodes++] = (struct populate_node){
        .node = node,
        .share_pages = pages,
        .owed_pages = pages,
        .max_order = ORDER_ANY,
    };
}

/* The plan's shares are of everything that the domain needs; the builder
 * populates its memory alone. */
static void scale_shares(struct populate *p, uint64_t memory_pages)
{
    uint64_t total_mib = 0, mib = 0, end, begin = 0;
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++)
        total_mib += p->nodes[i].share_pages >> 8;
    for (i = 0; i < p->nr_nodes; i++) {
        struct populate_node *n = &p->nodes[i];

        /* Where this share ends in the whole, so that the last one ends where
         * the memory does. In MiB the product fits: 2^25 times 2^33 pages for
         * 24 TiB. */
        mib += n->share_pages >> 8;
        end = total_mib ? mib * memory_pages / total_mib : 0;
        n->owed_pages = n->share_pages = end - begin;
        begin = end;
    }
}

int populate_init(struct populate *p, const struct xln_plan *plan, bool strict,
                  uint64_t memory_bytes)
{
    unsigned i;

    *p = (struct populate){ 0 };
    p->nodes = calloc(plan->nr_shares + xln_nodemap_count(plan->nodes) +
                          plan->nr_nearest + 1,
                      sizeof(*p->nodes));
    if (!p->nodes)
        return -ENOMEM;
    for (i = 0; i < plan->nr_shares; i++)
        if (!strict || i < plan->nr_own)
            add_node(p, plan->shares[i].node,
                     plan->shares[i].bytes >> PAGE_SHIFT);
    scale_shares(p, memory_bytes >> PAGE_SHIFT);
    /* The plan's own nodes may have memory that it did not count on. */
    XLN_FOREACH(xln_nodemap, i, plan->nodes)
        add_node(p, i, 0);
    for (i = 0; i < plan->nr_nearest && !strict; i++)
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

/* For an extent that no node owes whole: the end of the memory, or what the
 * builder asks beyond it (a domain's own special pages). */
static struct populate_node *owes_most(struct populate *p)
{
    struct populate_node *most = NULL;
    unsigned i;

    for (i = 0; i < p->nr_nodes; i++) {
        struct populate_node *n = &p->nodes[i];

        if (!n->full && (!most || n->owed_pages > most->owed_pages))
            most = n;
    }
    return most;
}

/* NULL: the builder must try smaller extents, or no node has any. */
static struct populate_node *pick(struct populate *p, unsigned order)
{
    struct populate_node *n = pick_owing(p, order);

    if (n || order > ORDER_2M)
        return n;
    n = owes_most(p);
    return n && n->max_order >= order ? n : NULL;
}

static unsigned nr_owing(const struct populate *p)
{
    unsigned i, nr = 0;

    for (i = 0; i < p->nr_nodes; i++)
        nr += p->nodes[i].owed_pages > 0;
    return nr;
}

/*
 * How many extents to ask of a node before it is another's turn: all that it
 * owes if it is the only one that does, else a 64th of its share, so that any
 * part of the memory is spread like the whole; between 2 and 64 MiB.
 */
static unsigned long run_length(const struct populate *p,
                                const struct populate_node *n,
                                unsigned long nr, unsigned order)
{
    const uint64_t least = UINT64_C(1) << ORDER_2M, most = least * 32;
    uint64_t turn = n->share_pages / 64, run = n->owed_pages >> order;

    if (!run)
        return n->owed_pages ? 1 : nr;
    if (nr_owing(p) > 1) {
        turn = (turn < least ? least : turn > most ? most : turn) >> order;
        run = !turn ? 1 : turn < run ? turn : run;
    }
    return run < nr ? run : nr;
}

static void grant(struct populate_node *n, uint64_t pages)
{
    n->granted_pages += pages;
    n->owed_pages -= pages < n->owed_pages ? pages : n->owed_pages;
}

/* The pages that a node owes and cannot give pass to those that can, the plan's
 * own first, then the nearest. */
static void pass_on(struct populate *p, struct populate_node *from,
                    uint64_t pages, const struct populate_ops *ops, void *arg)
{
    unsigned i;

    for (i = 0; i < p->nr_nodes && pages; i++) {
        struct populate_node *n = &p->nodes[i];
        uint64_t room, take;

        if (n == from || n->full)
            continue;
        room = ops->free_bytes(arg, n->node) >> PAGE_SHIFT;
        if (room <= n->owed_pages)
            continue;
        take = room - n->owed_pages < pages ? room - n->owed_pages : pages;
        n->owed_pages += take;
        n->share_pages += take;
        from->owed_pages -= take;
        pages -= take;
    }
}

/*
 * A node did not have an extent of this size. That alone says nothing of a
 * 1 GiB extent: the builder comes back with 2 MiB ones. Then it is known what
 * the node still has; it owes no more than that, in smaller pieces.
 */
static void refused(struct populate *p, struct populate_node *n,
                    unsigned order, const struct populate_ops *ops, void *arg)
{
    uint64_t left_pages = 0;

    if (order > 0)
        n->max_order = order - 1;
    if (order > ORDER_2M)
        return;
    if (order > 0)
        left_pages = ops->free_bytes(arg, n->node) >> PAGE_SHIFT;
    n->full = left_pages == 0;
    if (n->owed_pages > left_pages)
        pass_on(p, n, n->owed_pages - left_pages, ops, arg);
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

void populate_note(struct populate *p, unsigned node, uint64_t pages)
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
