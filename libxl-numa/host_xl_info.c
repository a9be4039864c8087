/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Output of `xl info -n`, of which two tables count:
 *
 *     cpu_topology           :
 *     cpu:    core    socket     node
 *       0:       0        0        0
 *     ...
 *     numa_info              :
 *     node:    memsize    memfree    distances
 *        0:      4096       3800      10,20
 *
 * A table ends at the first line that is not a row of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_assume.h"
#include "host_text.h"
#include "text/refuse.h"
#include "text/units.h"

#define SLIT_LOCAL 10
#define SLIT_UNREACHABLE 255
#define MAX_MIB IN_MIB(XLN__MAX_NODE_BYTES)

enum table { OTHER, CPUS, NODES };

bool xln__is_xl_info(const char *text, size_t size)
{
    return xln__text_has_line(text, size, "cpu_topology ") ||
           xln__text_has_line(text, size, "numa_info ") ||
           xln__text_has_line(text, size, "xen_version ");
}

static int read_cpu(struct xln__text *t, uint64_t number, const char *s)
{
    struct xln_host_cpu cpu = { .online = true };
    uint64_t core, socket, node;

    if (!xln__text_number(&s, XLN_NONE - 1, &core) ||
        !xln__text_number(&s, XLN_NONE - 1, &socket) ||
        !xln__text_number(&s, XLN_MAX_NODES - 1, &node) || *s)
        return xln__text_refuse(t, "expected the CPU's core, its socket and "
                                "its node, up to %u", XLN_MAX_NODES - 1);
    cpu.core = core;
    cpu.socket = socket;
    cpu.node = node;
    return xln__text_add_cpu(t, number, &cpu);
}

/* "10,21,255": to all nodes in their order, also to those that do not exist. */
static int read_distances(struct xln__text *t, uint16_t *distances,
                          const char *s)
{
    unsigned nr = 0;
    uint64_t value;

    for (;; s++) {
        /* xl prints this for what is not a distance. */
        bool none = !strncmp(s, "-1", 2);

        if (none)
            s += 2;
        else if (!xln__text_number(&s, UINT32_MAX, &value) ||
                 value < SLIT_LOCAL)
            return xln__text_refuse(t, "\"%.20s\": expected distances such as "
                                    "\"10,20\", each from %u", s, SLIT_LOCAL);
        if (nr == XLN_MAX_NODES)
            return xln__text_refuse(t, "expected no more than %u distances",
                                    XLN_MAX_NODES);
        distances[nr++] = none || value >= SLIT_UNREACHABLE
                              ? XLN__TEXT_UNREACHABLE
                              : value;
        if (*s != ',')
            break;
    }
    return *s ? xln__text_refuse(t, "\"%.20s\": expected a comma", s) : 0;
}

static int read_node(struct xln__text *t, uint64_t node, const char *s)
{
    uint64_t total, left;
    int rc;

    rc = xln__text_add_node(t, node);
    if (rc)
        return rc;
    if (t->nodes[node].has_total)
        return xln__text_refuse(t, "node %u appears twice", (unsigned)node);
    if (!xln__text_number(&s, MAX_MIB, &total) ||
        !xln__text_number(&s, MAX_MIB, &left))
        return xln__text_refuse(t, "expected the node's memory, what of it is "
                                "free, in MiB, and its distances");
    t->nodes[node].has_total = true;
    t->nodes[node].total_bytes = total * MIB;
    rc = xln__text_set_free(t, node, left * MIB);
    s += strspn(s, " \t");
    return rc ? rc : read_distances(t, t->distances[node], s);
}

static bool begins(const char *line, const char *with)
{
    return !strncmp(line, with, strlen(with));
}

static int read_line(struct xln__text *t, const char *line, enum table *table)
{
    const char *s = line;
    uint64_t number;

    if (begins(line, "cpu:")) {
        *table = CPUS;
    } else if (begins(line, "node:")) {
        *table = NODES;
    } else if (*table != OTHER) {
        if (xln__text_number(&s, UINT32_MAX, &number) && *s == ':')
            return *table == CPUS ? read_cpu(t, number, s + 1)
                                  : read_node(t, number, s + 1);
        *table = OTHER;
    }
    return 0;
}

static int read_lines(struct xln__text *t)
{
    enum table table = OTHER;
    const char *line;
    int rc = 0;

    while (!rc && (line = xln__text_line(t)))
        rc = read_line(t, line, &table);
    return rc;
}

static int check(const struct xln__text *t, char **error_r)
{
    if (!t->nr_cpus)
        return xln__refuse(error_r, "it has no cpu_topology: expected output "
                           "of 'xl info -n'");
    for (unsigned node = 0; node < t->nr_nodes; node++) {
        if (t->nodes[node].exists && !t->nodes[node].has_total)
            return xln__refuse(error_r, "node %u has CPUs, but is not in "
                               "numa_info: expected output of 'xl info -n'",
                               node);
    }
    return 0;
}

static int make_host(struct xln__text *t, struct xln_host **host_r,
                     char **note_r, char **error_r)
{
    char *note = NULL;
    int rc;

    rc = check(t, error_r);
    if (!rc)
        rc = xln__note(&note, "its domains, cpupools and DMA zone are not known");
    if (!rc)
        rc = xln__text_make_host(t, host_r, &note);
    if (rc)
        free(note);
    else
        *note_r = note;
    return rc;
}

int xln__host_from_xl_info(const char *text, size_t size,
                           struct xln_host **host_r, char **note_r,
                           char **error_r)
{
    struct xln__text *t = NULL;
    int rc;

    rc = xln__text_new(text, size, error_r, &t);
    if (!rc)
        rc = read_lines(t);
    if (!rc)
        rc = make_host(t, host_r, note_r, error_r);
    xln__text_free(t);
    return rc;
}
