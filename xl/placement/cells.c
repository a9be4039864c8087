/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <libxl_utils.h>

#include "cells.h"

/* The cells while they get their nodes. */
struct binding {
    const struct cells *cells;
    const struct xln_host *host;
    const struct xln_request *request;
    libxl_domain_build_info *info;
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
    cells->nodes = calloc(nr ? nr : 1, sizeof(*cells->nodes));
    if (!cells->nodes) {
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
    for (i = 0; i < cells->nr; i++)
        xln_nodemap_free(cells->nodes[i]);
    free(cells->nodes);
    free(cells);
}

/* ---- the nodes that a cell may have ---- */

static bool allows_all(const libxl_bitmap *hard, const struct xln_host *host)
{
    unsigned cpu;

    for (cpu = 0; cpu < xln_host_nr_cpus(host); cpu++)
        if (xln_host_cpu(host, cpu) && !libxl_bitmap_test(hard, cpu))
            return false;
    return true;
}

static void add_nodes(const libxl_bitmap *hard, const struct xln_host *host,
                      struct xln_nodemap *nodes)
{
    unsigned cpu;

    for (cpu = 0; cpu < xln_host_nr_cpus(host); cpu++)
        if (xln_host_cpu(host, cpu) && libxl_bitmap_test(hard, cpu))
            xln_nodemap_set(nodes, xln_host_cpu(host, cpu)->node);
}

/* None if there is a vCPU in it that is not bound. */
static void bound_nodes(const struct binding *b, unsigned cell,
                        struct xln_nodemap *nodes)
{
    const libxl_bitmap *vcpus = &b->info->vnuma_nodes[cell].vcpus;
    const libxl_bitmap *hard = b->info->vcpu_hard_affinity;
    unsigned nr_hard = b->info->num_vcpu_hard_affinity, vcpu;

    libxl_for_each_set_bit(vcpu, *vcpus) {
        if (vcpu >= nr_hard || allows_all(&hard[vcpu], b->host)) {
            xln_nodemap_zero(nodes);
            return;
        }
        add_nodes(&hard[vcpu], b->host, nodes);
    }
}

static void add_any(const struct xln_host *host, struct xln_nodemap *nodes)
{
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host))
        if (xln_host_node(host, node)->total_bytes)
            xln_nodemap_set(nodes, node);
}

static int allowed_nodes(const struct binding *b, unsigned cell,
                         struct xln_nodemap **nodes_r)
{
    const struct xln_nodemap *named = cell < b->cells->nr
                                          ? b->cells->nodes[cell]
                                          : NULL;
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
    return b->info->vnuma_nodes[cell].memkb << 10;
}

/* To the nodes that other cells are on, in sum. */
static uint64_t distance_of(const struct binding *b, unsigned node)
{
    uint64_t sum = 0;
    int cell;

    for (cell = 0; cell < b->info->num_vnuma_nodes; cell++)
        if (b->node_of[cell] != XLN_NONE)
            sum += xln_host_distance(b->host, node, b->node_of[cell]);
    return sum;
}

static bool is_better(const struct binding *b, unsigned node, unsigned than)
{
    uint64_t distance, other;

    if (than == XLN_NONE)
        return true;
    if (!b->nr_on[node] != !b->nr_on[than])
        return !b->nr_on[node];
    distance = distance_of(b, node);
    other = distance_of(b, than);
    if (distance != other)
        return distance < other;
    return !b->request->nodes && b->room[node] > b->room[than];
}

static unsigned choose(const struct binding *b, unsigned cell)
{
    unsigned node, best = XLN_NONE;

    XLN_FOREACH(xln_nodemap, node, b->nodes[cell])
        if (node < xln_host_nr_nodes(b->host) &&
            b->room[node] >= bytes_of(b, cell) && is_better(b, node, best))
            best = node;
    return best;
}

static int refuse(const struct binding *b, unsigned cell, char **error_r)
{
    const struct xln_nodemap *nodes = b->nodes[cell];
    char *set;
    int rc = xln_nodemap_format(nodes, &set);

    if (rc)
        return rc;
    if (asprintf(error_r, "cell %u: %" PRIu64 " MiB needed, not to be had from "
                 "%s %s alone", cell, bytes_of(b, cell) >> 20,
                 xln_nodemap_count(nodes) == 1 ? "node" : "one of the nodes",
                 set) < 0)
        *error_r = NULL;
    free(set);
    return *error_r ? -ENOSPC : -ENOMEM;
}

static int bind_cell(struct binding *b, unsigned cell, char **error_r)
{
    unsigned node = choose(b, cell);

    if (node == XLN_NONE)
        return refuse(b, cell, error_r);
    b->node_of[cell] = node;
    b->nr_on[node]++;
    b->room[node] -= bytes_of(b, cell);
    return 0;
}

static bool goes_before(const struct binding *b, unsigned cell, unsigned other)
{
    unsigned nr, nr_other;

    if (other == XLN_NONE)
        return true;
    nr = xln_nodemap_count(b->nodes[cell]);
    nr_other = xln_nodemap_count(b->nodes[other]);
    return nr != nr_other ? nr < nr_other
                          : bytes_of(b, cell) > bytes_of(b, other);
}

/* Of those that have no node yet. */
static unsigned next_cell(const struct binding *b)
{
    unsigned next = XLN_NONE;
    int cell;

    for (cell = 0; cell < b->info->num_vnuma_nodes; cell++)
        if (b->node_of[cell] == XLN_NONE && goes_before(b, cell, next))
            next = cell;
    return next;
}

static void count_room(struct binding *b)
{
    const struct xln_host_node *n;
    unsigned node;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(b->host)) {
        n = xln_host_node(b->host, node);
        if (n->free_bytes > n->reserved_bytes)
            b->room[node] = n->free_bytes - n->reserved_bytes;
    }
}

static int bind_all(struct binding *b, char **error_r)
{
    unsigned cell;
    int i, rc = 0;

    count_room(b);
    for (i = 0; i < b->info->num_vnuma_nodes && !rc; i++) {
        b->node_of[i] = XLN_NONE;
        rc = allowed_nodes(b, i, &b->nodes[i]);
    }
    while (!rc && (cell = next_cell(b)) != XLN_NONE)
        rc = bind_cell(b, cell, error_r);
    for (i = 0; !rc && i < b->info->num_vnuma_nodes; i++)
        b->info->vnuma_nodes[i].pnode = b->node_of[i];
    return rc;
}

int cells_bind(const struct cells *cells, const struct xln_host *host,
               const struct xln_request *request,
               libxl_domain_build_info *info, char **error_r)
{
    unsigned nr_nodes = xln_host_nr_nodes(host);
    struct binding b = {
        .cells = cells, .host = host, .request = request, .info = info,
    };
    int i, rc = -ENOMEM;

    *error_r = NULL;
    b.nodes = calloc(info->num_vnuma_nodes, sizeof(*b.nodes));
    b.node_of = calloc(info->num_vnuma_nodes, sizeof(*b.node_of));
    b.room = calloc(nr_nodes, sizeof(*b.room));
    b.nr_on = calloc(nr_nodes, sizeof(*b.nr_on));
    if (b.nodes && b.node_of && b.room && b.nr_on)
        rc = bind_all(&b, error_r);
    for (i = 0; b.nodes && i < info->num_vnuma_nodes; i++)
        xln_nodemap_free(b.nodes[i]);
    free(b.nodes);
    free(b.node_of);
    free(b.room);
    free(b.nr_on);
    return rc;
}
