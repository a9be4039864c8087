/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The helper that restores a domain asks for its frames in the order of the
 * stream, up to 1024 in a call. Each call is cut where the virtual node
 * changes, and each piece is asked for as if it were the memory of a domain of
 * its own:
 *
 *     frames      95fe 95ff | 9600 9601 9602 | fc000
 *     virtual node   0      |       1        |  0, as it is in none
 */
#include <errno.h>
#include <stdlib.h>

#include "populate_vnodes.h"
#include "text/units.h"

#define ORDER_ANY 63

/* ---- what there is to populate ---- */

struct distant {
    unsigned node, distance;
};

static int compare_distant(const void *a, const void *b)
{
    const struct distant *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* Its own node first, also if distances of the host say otherwise. */
static unsigned sort_nodes(const struct xln_host *host, unsigned own,
                           struct distant *list)
{
    unsigned node, nr = 0;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        list[nr++] = (struct distant){
            node, node == own ? 0 : xln_host_distance(host, own, node),
        };
    qsort(list, nr, sizeof(*list), compare_distant);
    return nr;
}

static void fill_nodes(struct populate_vnodes *v, unsigned vnode,
                       const struct distant *list, uint64_t pages)
{
    struct populate_node *nodes = v->nodes + vnode * v->nr_nodes;
    unsigned i;

    for (i = 0; i < v->nr_nodes; i++)
        nodes[i] = (struct populate_node){
            .node = list[i].node,
            .share_pages = i ? 0 : pages,
            .owed_pages = i ? 0 : pages,
            .max_order = ORDER_ANY,
        };
}

static void fill_ranges(struct populate_vnodes *v,
                        const struct vnuma_record *record)
{
    unsigned i;

    for (i = 0; i < v->nr_ranges; i++)
        v->ranges[i] = (struct populate_range){
            .first = record->ranges[i].start >> PAGE_SHIFT,
            .end = (record->ranges[i].end + PAGE_BYTES - 1) >> PAGE_SHIFT,
            .vnode = record->ranges[i].nid,
        };
}

static uint64_t pages_of(const struct populate_vnodes *v, unsigned vnode)
{
    uint64_t pages = 0;
    unsigned i;

    for (i = 0; i < v->nr_ranges; i++)
        if (v->ranges[i].vnode == vnode)
            pages += v->ranges[i].end - v->ranges[i].first;
    return pages;
}

static uint64_t pages_in_ranges(const struct populate_vnodes *v)
{
    uint64_t pages = 0;
    unsigned i;

    for (i = 0; i < v->nr_vnodes; i++)
        pages += pages_of(v, i);
    return pages;
}

int populate_vnodes_init(struct populate_vnodes *v,
                         const struct vnuma_record *record,
                         const struct xln_host *host, const unsigned *node_of,
                         bool strict, uint64_t memory_bytes)
{
    struct distant list[XLN_MAX_NODES] = { { 0 } };
    uint64_t rest = memory_bytes >> PAGE_SHIFT, in_ranges;
    unsigned i;

    *v = (struct populate_vnodes){
        .nr_vnodes = record->nr_vnodes,
        .nr_nodes = strict ? 1 : sort_nodes(host, node_of[0], list),
        .nr_ranges = record->nr_ranges,
    };
    v->nodes = calloc((size_t)v->nr_vnodes * v->nr_nodes + 1,
                      sizeof(*v->nodes));
    v->ranges = calloc(v->nr_ranges + 1, sizeof(*v->ranges));
    if (!v->nodes || !v->ranges) {
        populate_vnodes_dispose(v);
        return -ENOMEM;
    }
    fill_ranges(v, record);
    in_ranges = pages_in_ranges(v);
    rest = rest > in_ranges ? rest - in_ranges : 0;
    for (i = 0; i < v->nr_vnodes; i++) {
        sort_nodes(host, node_of[i], list);
        fill_nodes(v, i, list, pages_of(v, i) + (i ? 0 : rest));
    }
    return 0;
}

void populate_vnodes_dispose(struct populate_vnodes *v)
{
    free(v->nodes);
    free(v->ranges);
    *v = (struct populate_vnodes){ 0 };
}

/* ---- populating ---- */

/* The virtual node of a frame; frames in none belong to the first. */
static unsigned vnode_of_frame(const struct populate_vnodes *v, uint64_t frame)
{
    unsigned i;

    for (i = 0; i < v->nr_ranges; i++)
        if (frame >= v->ranges[i].first && frame < v->ranges[i].end)
            return v->ranges[i].vnode;
    return 0;
}

/* XLN_NONE: it begins and ends in different ones. */
static unsigned vnode_of(const struct populate_vnodes *v, xen_pfn_t extent,
                         unsigned order)
{
    unsigned vnode = vnode_of_frame(v, extent);

    if (order &&
        vnode_of_frame(v, extent + (UINT64_C(1) << order) - 1) != vnode)
        return XLN_NONE;
    return vnode;
}

/* How many of them, from the first on, are in the same. */
static unsigned long run_length(const struct populate_vnodes *v, unsigned vnode,
                                unsigned long nr, unsigned order,
                                const xen_pfn_t *extents)
{
    unsigned long run = 1;

    while (run < nr && vnode_of(v, extents[run], order) == vnode)
        run++;
    return run;
}

long populate_vnodes_extents(struct populate_vnodes *v,
                             const struct populate_ops *ops, void *arg,
                             unsigned long nr, unsigned order,
                             xen_pfn_t *extents)
{
    unsigned long done = 0, run;
    struct populate part;
    unsigned vnode;
    long granted;

    while (done < nr) {
        vnode = vnode_of(v, extents[done], order);
        if (vnode == XLN_NONE)
            break;
        run = run_length(v, vnode, nr - done, order, extents + done);
        part.nr_nodes = v->nr_nodes;
        part.nodes = v->nodes + vnode * v->nr_nodes;
        granted = populate_extents(&part, ops, arg, run, order,
                                   extents + done);
        if (granted < 0)
            return done ? (long)done : -1;
        done += granted;
        if ((unsigned long)granted < run)
            break;
    }
    return done;
}

/* ---- what came of it ---- */

uint64_t populate_vnodes_granted(const struct populate_vnodes *v,
                                 unsigned vnode, unsigned but)
{
    const struct populate_node *nodes = v->nodes + vnode * v->nr_nodes;
    uint64_t pages = 0;
    unsigned i;

    for (i = 0; i < v->nr_nodes; i++)
        if (nodes[i].node != but)
            pages += nodes[i].granted_pages;
    return pages;
}

static void add_owed(const struct populate_node *from, struct populate *built)
{
    struct populate_node *to = built->nodes;

    while (to < built->nodes + built->nr_nodes && to->node != from->node)
        to++;
    if (to == built->nodes + built->nr_nodes) {
        to->node = from->node;
        built->nr_nodes++;
    }
    to->share_pages += from->share_pages;
    to->owed_pages += from->owed_pages;
}

int populate_vnodes_sum(const struct populate_vnodes *v,
                        struct populate *built)
{
    unsigned i;

    *built = (struct populate){ 0 };
    built->nodes = calloc(v->nr_vnodes * v->nr_nodes + 1,
                          sizeof(*built->nodes));
    if (!built->nodes)
        return -ENOMEM;
    for (i = 0; i < v->nr_vnodes * v->nr_nodes; i++)
        add_owed(&v->nodes[i], built);
    return 0;
}

void populate_vnodes_note(const struct populate_vnodes *v,
                          struct populate *built)
{
    unsigned i;

    for (i = 0; i < v->nr_vnodes * v->nr_nodes; i++)
        populate_note(built, v->nodes[i].node, v->nodes[i].granted_pages);
}
