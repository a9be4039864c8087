/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "host_assume.h"
#include "host_hwloc.h"
#include "hwloc_xml.h"
#include "text/refuse.h"

/* The values of a SLIT: a node's distance to itself, and the first value that
 * is not a distance. */
#define SLIT_LOCAL 10
#define SLIT_UNREACHABLE 255

/* A number of the firmware's, and what it is the number of. */
struct number {
    unsigned within, os, own;
};

static int compare_numbers(const void *a, const void *b)
{
    const struct number *x = a, *y = b;

    if (x->within != y->within)
        return x->within < y->within ? -1 : 1;
    if (x->os != y->os)
        return x->os < y->os ? -1 : 1;
    return (x->own > y->own) - (x->own < y->own);
}

static bool are_unique(struct number *numbers, unsigned nr)
{
    qsort(numbers, nr, sizeof(*numbers), compare_numbers);
    for (unsigned i = 0; i < nr; i++) {
        const struct number *n = &numbers[i];

        if (n->os == XLN_NONE || n->own == XLN_NONE)
            return false;
        if (i && n->within == n[-1].within && n->os == n[-1].os &&
            n->own != n[-1].own)
            return false;
    }
    return true;
}

/*
 * Sockets and cores have the numbers that the file has for them, if all have
 * one that no other has; else they are counted. (Cores of several dies, and
 * sockets of several machines, often share numbers.)
 */
static int number_cpus(const struct hwloc *h, struct xln_host *host)
{
    bool by_package, by_core;
    struct number *numbers;
    unsigned nr = 0, cpu;

    numbers = calloc(h->nr_pus, sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    for (cpu = 0; cpu < h->nr_pus; cpu++)
        if (h->pus[cpu].exists)
            numbers[nr++] = (struct number){ 0, h->pus[cpu].package_os,
                                             h->pus[cpu].package };
    by_package = are_unique(numbers, nr);
    nr = 0;
    for (cpu = 0; cpu < h->nr_pus; cpu++)
        if (h->pus[cpu].exists)
            numbers[nr++] = (struct number){ h->pus[cpu].package,
                                             h->pus[cpu].core_os,
                                             h->pus[cpu].core };
    by_core = are_unique(numbers, nr);
    free(numbers);

    for (cpu = 0; cpu < h->nr_pus; cpu++) {
        const struct pu *pu = &h->pus[cpu];
        unsigned package = by_package ? pu->package_os : pu->package;

        if (!pu->exists)
            continue;
        host->cpus[cpu].socket = package == XLN_NONE ? h->nr_packages
                                                     : package;
        host->cpus[cpu].core = by_core ? pu->core_os : pu->core;
    }
    return 0;
}

static bool is_better(const struct memory *a, const struct memory *b)
{
    if (a->special != b->special)
        return b->special;
    if (a->nr_cpus != b->nr_cpus)
        return a->nr_cpus < b->nr_cpus;
    return a->os < b->os;
}

static int fill_cpus(const struct hwloc *h, struct xln_host *host)
{
    const struct memory **best;
    unsigned cpu;

    best = calloc(h->nr_pus, sizeof(struct memory *));
    if (!best)
        return -ENOMEM;
    for (const struct memory *m = h->memories;
         m < h->memories + h->nr_memories; m++)
        XLN_FOREACH(xln_cpumap, cpu, m->cpus)
            if (cpu < h->nr_pus && (!best[cpu] || is_better(m, best[cpu])))
                best[cpu] = m;

    for (cpu = 0; cpu < h->nr_pus; cpu++) {
        if (!h->pus[cpu].exists)
            continue;
        host->cpu_exists[cpu] = true;
        host->cpus[cpu].online =
            (!h->allowed_cpus || xln_cpumap_test(h->allowed_cpus, cpu)) &&
            (!h->online_cpus || xln_cpumap_test(h->online_cpus, cpu));
        if (!h->nr_memories)
            host->cpus[cpu].node = 0;
        else if (best[cpu])
            host->cpus[cpu].node = best[cpu]->os;
    }
    free(best);
    return number_cpus(h, host);
}

static void fill_nodes(const struct hwloc *h, struct xln_host *host)
{
    for (unsigned i = 0; i < h->nr_memories; i++) {
        const struct memory *m = &h->memories[i];

        xln_nodemap_set(host->exists, m->os);
        host->nodes[m->os].total_bytes = m->bytes;
    }
    if (!h->nr_memories) {
        xln_nodemap_set(host->exists, 0);
        host->nodes[0].total_bytes = h->other_bytes;
    }
}

/* No plan uses a node that is not allowed. */
static int take_not_allowed(const struct hwloc *h, struct xln_host *host,
                            char **note)
{
    unsigned node, nr = 0;

    if (!h->allowed_nodes || !h->nr_memories)
        return 0;
    XLN_FOREACH(xln_nodemap, node, host->exists) {
        if (xln_cpumap_test(h->allowed_nodes, node))
            continue;
        host->nodes[node].free_bytes = 0;
        nr++;
    }
    if (!nr)
        return 0;
    return xln__note(note, "the memory of %u node%s is not allowed", nr,
                     nr == 1 ? "" : "s");
}

/* In units of the first node's distance to itself, which all must have. */
static bool has_local(const struct matrix *m)
{
    for (unsigned i = 0; i < m->nr; i++)
        if (m->values[(size_t)i * m->nr + i] != m->values[0])
            return false;
    return m->values[0];
}

static unsigned to_slit(uint64_t value, uint64_t local)
{
    if (value / local >= SLIT_UNREACHABLE / SLIT_LOCAL + 1)
        return XLN_NONE;
    /* Below 26 times `local`. Large distances need no tenths. */
    if (local > UINT32_MAX) {
        value >>= 16;
        local >>= 16;
    }
    value = (value * SLIT_LOCAL + local / 2) / local;
    if (value >= SLIT_UNREACHABLE)
        return XLN_NONE;
    return value < SLIT_LOCAL ? SLIT_LOCAL : value;
}

/* If an object has several nodes, hwloc 2 writes a Group around them, with the
 * object in the first one. */
static bool is_group_added(const struct hwloc *h)
{
    const struct memory *first = h->memories;

    return h->nr_memories > 1 && first->in_group &&
           first[1].within == first->within && !first[1].has_objects;
}

/*
 * hwloc 1 says at which level of the file the objects are, and has all values
 * as parts of the least one. hwloc 2 (lstopo --export-xml-flags 1) writes
 * values as they are, and counts its own levels, on which there are no nodes:
 * what it says of them is one level below the objects that have them. These
 * are in the nodes of the file, so that level is one below the nodes there.
 *
 * Example: four nodes in the Machine, a Socket in each. A matrix "1" of hwloc
 * 1 is between the nodes and "2" between the sockets; a "1" of hwloc 2 is
 * between the sockets and "2" between the nodes.
 */
static unsigned depth_of_nodes(const struct hwloc *h, const struct matrix *m)
{
    unsigned depth = h->memories[0].depth;

    if (m->values[0] == LATENCY_LEAST || is_group_added(h))
        return depth;
    return depth + 1;
}

/* Distances of hwloc 1 may be between any objects. */
static bool is_between_nodes(const struct hwloc *h, const struct matrix *m)
{
    if (!m->depth)
        return true;
    return m->nr == h->nr_memories && m->depth == depth_of_nodes(h, m);
}

/* The distances of the kernel, otherwise the first ones. */
static const struct matrix *choose_matrix(const struct hwloc *h)
{
    const struct matrix *first = NULL;

    for (unsigned i = 0; i < h->nr_matrices; i++) {
        const struct matrix *m = &h->matrices[i];

        if (!is_between_nodes(h, m) || !has_local(m))
            continue;
        if (m->of_kernel)
            return m;
        if (!first)
            first = m;
    }
    return first;
}

static unsigned node_of(const struct hwloc *h, const struct matrix *m,
                        unsigned i)
{
    return m->depth ? h->memories[i].os : m->indexes[i];
}

static void fill_distances(const struct hwloc *h, const struct matrix *m,
                           struct xln_host *host, bool *known)
{
    for (unsigned i = 0; i < m->nr; i++) {
        for (unsigned j = 0; j < m->nr; j++) {
            unsigned from = node_of(h, m, i), to = node_of(h, m, j);
            size_t at = (size_t)from * host->nr_nodes + to;

            if (from >= host->nr_nodes || to >= host->nr_nodes)
                continue;
            host->distances[at] = to_slit(m->values[(size_t)i * m->nr + j],
                                          m->values[0]);
            known[at] = true;
        }
    }
}

static int note_unused(const struct hwloc *h, char **note)
{
    for (unsigned i = 0; i < h->nr_matrices; i++)
        if (is_between_nodes(h, &h->matrices[i]))
            return xln__note(note, "its distances are not used: those from "
                             "nodes to themselves differ");
    if (!h->nr_matrices)
        return 0;
    return xln__note(note, "its distances are not used: they are not between "
                     "all NUMA nodes");
}

static int set_distances(const struct hwloc *h, struct xln_host *host,
                         char **note)
{
    const struct matrix *m = choose_matrix(h);
    bool *known;
    int rc = 0;

    known = calloc((size_t)host->nr_nodes * host->nr_nodes, sizeof(*known));
    if (!known)
        return -ENOMEM;
    if (m)
        fill_distances(h, m, host, known);
    else
        rc = note_unused(h, note);
    if (!rc)
        rc = xln__assume_distances(host, known, note);
    free(known);
    return rc;
}

static int note_no_node(const struct hwloc *h, char **note)
{
    if (h->nr_memories)
        return 0;
    return xln__note(note, "it has no NUMA node: all is assumed to be node 0");
}

static int fill_host(const struct hwloc *h, struct xln_host *host,
                     char **note)
{
    int rc;

    fill_nodes(h, host);
    rc = fill_cpus(h, host);
    if (!rc)
        rc = xln__assume_pool(host);
    if (!rc)
        rc = note_no_node(h, note);
    if (!rc)
        rc = xln__assume_free(host, note);
    if (!rc)
        rc = take_not_allowed(h, host, note);
    if (!rc)
        rc = set_distances(h, host, note);
    if (!rc)
        rc = xln__note_offline(host, note);
    if (!rc)
        rc = xln__note_homeless(host, note);
    return rc ? rc : xln__host_finish(host);
}

static int make_host(const struct hwloc *h, struct xln_host **host_r,
                     char **note_r, char **error_r)
{
    unsigned nr_nodes = 1;
    struct xln_host *host = NULL;
    char *note = NULL;
    int rc;

    if (!h->nr_pus)
        return xln__refuse(error_r, "it has no PU");
    for (unsigned i = 0; i < h->nr_memories; i++)
        if (h->memories[i].os >= nr_nodes)
            nr_nodes = h->memories[i].os + 1;
    rc = xln__host_new(h->nr_pus, nr_nodes, 1, &host);
    if (!rc)
        rc = fill_host(h, host, &note);
    if (rc)
        goto out;
    *host_r = host;
    *note_r = note;
    return 0;

 out:
    xln_host_free(host);
    free(note);
    return rc;
}

int xln__host_from_hwloc(const char *text, size_t size,
                         struct xln_host **host_r, char **note_r,
                         char **error_r)
{
    struct hwloc *h;
    int rc;

    rc = xln__hwloc_read(text, size, &h, error_r);
    if (rc)
        return rc;
    rc = make_host(h, host_r, note_r, error_r);
    xln__hwloc_free(h);
    return rc;
}
