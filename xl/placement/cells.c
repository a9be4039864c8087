/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cells.h"
#include "text/refuse.h"
#include "text/units.h"

/* The cells while they get their nodes. */
struct binding {
    const struct cells *cells;
    const struct xln_host *host;
    const struct xln_request *request;
    const struct xln_need *need;
    struct xln_nodemap **nodes;     /* that each cell may have */
    unsigned *node_of;              /* a cell's; XLN_NONE: it has none yet */
    uint64_t *room;                 /* that is left on each node, in bytes */
    unsigned *nr_on;                /* cells on each node */
};

int cells_new(unsigned nr, struct cells **cells_r)
{
    struct cells *cells = calloc(1, sizeof(*cells));

    if (!cells)
        return -ENOMEM;
    cells->nr = nr;
    cells->list = calloc(nr ? nr : 1, sizeof(*cells->list));
    if (!cells->list) {
        free(cells);
        return -ENOMEM;
    }
    *cells_r = cells;
    return 0;
}

void cells_free(struct cells *cells)
{
    unsigned i;

    if (!cells)
        return;
    for (i = 0; i < cells->nr; i++) {
        xln_cpumap_free(cells->list[i].vcpus);
        xln_nodemap_free(cells->list[i].nodes);
        free(cells->list[i].distances);
    }
    free(cells->list);
    free(cells);
}

uint64_t cells_bytes(const struct cells *cells)
{
    uint64_t bytes = 0;
    unsigned i;

    for (i = 0; i < cells->nr; i++)
        bytes += cells->list[i].bytes;
    return bytes;
}

int cells_check_nodes(const struct cells *cells, const char *source,
                      const struct xln_nodemap *nodes, char **error_r)
{
    unsigned i = 0, node;
    char *host;
    int rc;

    while (i < cells->nr && (!cells->listed ||
                             xln_nodemap_is_subset(cells->list[i].nodes,
                                                   nodes)))
        i++;
    if (i == cells->nr)
        return 0;
    node = xln_nodemap_next(cells->list[i].nodes, 0);
    rc = xln_nodemap_format(nodes, &host);
    if (rc)
        return rc;
    rc = xln__refuse(error_r, "%s: vnuma: item %u: pnode=\"%u\": no node %u "
                     "here: this host has %s", source, i + 1, node, node,
                     host);
    free(host);
    return rc;
}

int cells_check_vcpus(const struct cells *cells, unsigned nr_vcpus,
                      char **error_r)
{
    unsigned vcpu, i, nr;

    *error_r = NULL;
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        for (i = nr = 0; i < cells->nr; i++)
            nr += cells->list[i].vcpus &&
                  xln_cpumap_test(cells->list[i].vcpus, vcpu);
        if (nr == 1)
            continue;
        if (asprintf(error_r, "vCPU %u of %u is in %s <cell>: expected each "
                     "vCPU in one", vcpu, nr_vcpus,
                     nr ? "more than one" : "no") >= 0)
            return -ENOSPC;
        *error_r = NULL;
        return -ENOMEM;
    }
    return 0;
}

/* ---- the nodes that a cell may have ---- */

static bool allows_all(const struct xln_cpumap *hard,
                       const struct xln_host *host)
{
    unsigned cpu;

    for (cpu = 0; cpu < xln_host_nr_cpus(host); cpu++)
        if (xln_host_cpu(host, cpu) && !xln_cpumap_test(hard, cpu))
            return false;
    return true;
}

static void add_nodes(const struct xln_cpumap *hard,
                      const struct xln_host *host, struct xln_nodemap *nodes)
{
    const struct xln_host_cpu *c;
    unsigned cpu;

    XLN_FOREACH(xln_cpumap, cpu, hard) {
        c = xln_host_cpu(host, cpu);
        if (c)
            xln_nodemap_set(nodes, xln_host_home(host, c->node));
    }
}

/* None if there is a vCPU in it that is not bound. */
static void bound_nodes(const struct binding *b, unsigned cell,
                        struct xln_nodemap *nodes)
{
    const struct xln_cpumap *vcpus = b->cells->list[cell].vcpus;
    const struct xln_need *need = b->need;
    unsigned vcpu;

    if (!vcpus)
        return;
    XLN_FOREACH(xln_cpumap, vcpu, vcpus) {
        if (vcpu >= need->nr_hard || !need->hard[vcpu] ||
            allows_all(need->hard[vcpu], b->host)) {
            xln_nodemap_zero(nodes);
            return;
        }
        add_nodes(need->hard[vcpu], b->host, nodes);
    }
}

static void add_any(const struct xln_host *host, struct xln_nodemap *nodes)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        if (xln_host_node(host, node)->total_bytes)
            xln_nodemap_set(nodes, node);
}

static const struct xln_nodemap *named_nodes(const struct binding *b,
                                             unsigned cell)
{
    const struct xln_nodemap *own = b->cells->list[cell].nodes;

    if (own || !b->cells->restored)
        return own;
    return b->request->mem_nodes ? b->request->mem_nodes : b->request->nodes;
}

static int allowed_nodes(const struct binding *b, unsigned cell,
                         struct xln_nodemap **nodes_r)
{
    const struct xln_nodemap *named = named_nodes(b, cell);
    struct xln_nodemap *nodes;
    int rc;

    if (named)
        return xln_nodemap_copy(named, nodes_r);
    rc = xln_nodemap_new(XLN_MAX_NODES, &nodes);
    if (rc)
        return rc;
    bound_nodes(b, cell, nodes);
    if (xln_nodemap_is_empty(nodes) && b->request->nodes)
        xln_nodemap_or(nodes, b->request->nodes);
    if (xln_nodemap_is_empty(nodes))
        add_any(b->host, nodes);
    *nodes_r = nodes;
    return 0;
}

/* ---- the one that it gets ---- */

static uint64_t bytes_of(const struct binding *b, unsigned cell)
{
    return b->cells->list[cell].bytes;
}

/* The distance to the node of another cell. If the guest knows a distance, the
 * difference from it. */
static uint64_t distance_to(const struct binding *b, unsigned cell,
                            unsigned node, unsigned other)
{
    unsigned there = xln_host_distance(b->host, node, b->node_of[other]),
             known;

    if (!b->cells->restored)
        return there;
    known = b->cells->list[cell].distances[other];
    return there > known ? there - known : known - there;
}

/* The sum of the distances to the nodes of other cells. */
static uint64_t distance_of(const struct binding *b, unsigned cell,
                            unsigned node)
{
    uint64_t sum = 0;
    unsigned other;

    for (other = 0; other < b->cells->nr; other++)
        if (b->node_of[other] != XLN_NONE)
            sum += distance_to(b, cell, node, other);
    return sum;
}

static bool is_better(const struct binding *b, unsigned cell, unsigned node,
                      unsigned than)
{
    uint64_t distance, other;

    if (than == XLN_NONE)
        return true;
    if (!b->nr_on[node] != !b->nr_on[than])
        return !b->nr_on[node];
    distance = distance_of(b, cell, node);
    other = distance_of(b, cell, than);
    if (distance != other)
        return distance < other;
    return !b->request->nodes && b->room[node] > b->room[than];
}

static unsigned choose(const struct binding *b, unsigned cell,
                       const struct xln_nodemap *nodes)
{
    unsigned node, best = XLN_NONE;

    XLN_FOREACH(xln_nodemap, node, nodes)
        if (node < xln_host_nr_nodes(b->host) &&
            b->room[node] >= bytes_of(b, cell) &&
            is_better(b, cell, node, best))
            best = node;
    return best;
}

/* Says why. */
static int refuse(const struct binding *b, unsigned cell, char **error_r)
{
    const struct xln_nodemap *nodes = b->nodes[cell];
    char *set;
    int rc = xln_nodemap_format(nodes, &set);

    if (rc)
        return rc;
    if (asprintf(error_r, "%s %u: %" PRIu64 " MiB needed, not available from "
                 "%s %s alone", b->cells->restored ? "virtual node" : "cell",
                 cell, IN_MIB(bytes_of(b, cell)),
                 xln_nodemap_count(nodes) == 1 ? "node" : "one of the nodes",
                 set) < 0)
        *error_r = NULL;
    free(set);
    return *error_r ? 0 : -ENOMEM;
}

/* The first node of those with the most left. */
static unsigned roomiest(const struct binding *b,
                         const struct xln_nodemap *nodes)
{
    unsigned node, best = xln_nodemap_next(nodes, 0);

    XLN_FOREACH(xln_nodemap, node, nodes)
        if (b->room[node] > b->room[best])
            best = node;
    return best;
}

/* The node of a cell that gets none of its own nodes. */
static int choose_another(const struct binding *b, unsigned cell,
                          unsigned *node_r)
{
    struct xln_nodemap *any;
    int rc = xln_nodemap_new(XLN_MAX_NODES, &any);

    if (rc)
        return rc;
    add_any(b->host, any);
    *node_r = choose(b, cell, any);
    if (*node_r == XLN_NONE)
        *node_r = roomiest(b, any);
    xln_nodemap_free(any);
    return *node_r == XLN_NONE ? -EIO : 0;
}

/* Its old node may no longer exist, or may be full: another node will do. */
static bool may_leave(const struct binding *b, unsigned cell)
{
    return b->cells->restored && b->cells->list[cell].nodes &&
           b->request->mode != XLN_MODE_STRICT;
}

/* For a cell that gets none of its own nodes. *error_r: of the first such cell
 * that must not be elsewhere. */
static int leave_nodes(const struct binding *b, unsigned cell,
                       unsigned *node_r, char **error_r)
{
    int rc = choose_another(b, cell, node_r);

    if (rc || *error_r ||
        (may_leave(b, cell) && !b->cells->list[cell].demanded &&
         b->room[*node_r] >= bytes_of(b, cell)))
        return rc;
    return refuse(b, cell, error_r);
}

/* *error_r: of the first that gets none. */
static int bind_cell(struct binding *b, unsigned cell, char **error_r)
{
    unsigned node = choose(b, cell, b->nodes[cell]);
    int rc = node == XLN_NONE ? leave_nodes(b, cell, &node, error_r) : 0;

    if (rc)
        return rc;
    b->node_of[cell] = node;
    b->nr_on[node]++;
    b->room[node] -= bytes_of(b, cell) < b->room[node] ? bytes_of(b, cell)
                                                       : b->room[node];
    return 0;
}

/* None of its own has room: the others get theirs first. */
static bool must_leave(const struct binding *b, unsigned cell)
{
    return may_leave(b, cell) && choose(b, cell, b->nodes[cell]) == XLN_NONE;
}

static bool goes_before(const struct binding *b, unsigned cell, unsigned other)
{
    unsigned nr, nr_other;

    if (other == XLN_NONE)
        return true;
    if (must_leave(b, cell) != must_leave(b, other))
        return must_leave(b, other);
    nr = xln_nodemap_count(b->nodes[cell]);
    nr_other = xln_nodemap_count(b->nodes[other]);
    return nr != nr_other ? nr < nr_other
                          : bytes_of(b, cell) > bytes_of(b, other);
}

/* The cells that have no node yet. */
static unsigned next_cell(const struct binding *b)
{
    unsigned next = XLN_NONE, cell;

    for (cell = 0; cell < b->cells->nr; cell++)
        if (b->node_of[cell] == XLN_NONE && goes_before(b, cell, next))
            next = cell;
    return next;
}

static uint64_t room_on(const struct xln_host *host, unsigned node)
{
    const struct xln_host_node *n = xln_host_node(host, node);

    return n && n->free_bytes > n->reserved_bytes
               ? n->free_bytes - n->reserved_bytes
               : 0;
}

static int bind_all(struct binding *b, char **error_r)
{
    unsigned cell, node, i;
    int rc = 0;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(b->host))
        b->room[node] = room_on(b->host, node);
    for (i = 0; i < b->cells->nr && !rc; i++) {
        b->node_of[i] = XLN_NONE;
        rc = allowed_nodes(b, i, &b->nodes[i]);
    }
    while (!rc && (cell = next_cell(b)) != XLN_NONE)
        rc = bind_cell(b, cell, error_r);
    return !rc && *error_r ? -ENOSPC : rc;
}

int cells_bind(const struct cells *cells, const struct xln_host *host,
               const struct xln_request *request, const struct xln_need *need,
               unsigned *node_of, char **error_r)
{
    unsigned nr_nodes = xln_host_nr_nodes(host), i;
    struct binding b = {
        .cells = cells, .host = host, .request = request, .need = need,
        .node_of = node_of,
    };
    int rc = -ENOMEM;

    *error_r = NULL;
    b.nodes = calloc(cells->nr + 1, sizeof(*b.nodes));
    b.room = calloc(nr_nodes, sizeof(*b.room));
    b.nr_on = calloc(nr_nodes, sizeof(*b.nr_on));
    if (b.nodes && b.room && b.nr_on)
        rc = bind_all(&b, error_r);
    for (i = 0; b.nodes && i < cells->nr; i++)
        xln_nodemap_free(b.nodes[i]);
    free(b.nodes);
    free(b.room);
    free(b.nr_on);
    return rc;
}

/* ---- where each has its node ---- */

static uint64_t needed_on(const struct cells *cells, const unsigned *node_of,
                          unsigned node)
{
    uint64_t bytes = 0;
    unsigned i;

    for (i = 0; i < cells->nr; i++)
        if (node_of[i] == node)
            bytes += cells->list[i].bytes;
    return bytes;
}

int cells_look_up(const struct cells *cells, const struct xln_host *host,
                  unsigned *node_of, char **error_r)
{
    uint64_t needed, room;
    unsigned i;

    *error_r = NULL;
    for (i = 0; i < cells->nr; i++)
        node_of[i] = xln_nodemap_next(cells->list[i].nodes, 0);
    for (i = 0; i < cells->nr; i++) {
        needed = needed_on(cells, node_of, node_of[i]);
        room = room_on(host, node_of[i]);
        if (needed <= room)
            continue;
        if (asprintf(error_r, "vnuma=[...]: %" PRIu64 " MiB needed on node %u, "
                     "which has %" PRIu64 " MiB", IN_MIB(needed), node_of[i],
                     IN_MIB(room)) >= 0)
            return -ENOSPC;
        *error_r = NULL;
        return -ENOMEM;
    }
    return 0;
}
