/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Output of `numactl --hardware`:
 *
 *     available: 2 nodes (0-1)
 *     node 0 cpus: 0 1 2 3
 *     node 0 size: 65442 MB
 *     node 0 free: 61234 MB
 *     ...
 *     node distances:
 *     node   0   1
 *       0:  10  21
 *       1:  21  10
 *
 * With --cpu-compress it is "0-3, 8-11". Other lines, such as the command that
 * was pasted with it, are left alone.
 */
#include <ctype.h>
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

struct numactl {
    struct xln__text *t;
    unsigned columns[XLN_MAX_NODES];    /* of the distances */
    unsigned nr_columns;
    bool in_distances;
};

bool xln__is_numactl(const char *text, size_t size)
{
    return xln__text_has_line(text, size, "available: ") ||
           xln__text_has_line(text, size, "node 0 cpus:") ||
           xln__text_has_line(text, size, "node distances:");
}

/* ---- a node ---- */

/* "0 1 2" or "0-2, 8". */
static int read_cpus(struct numactl *n, unsigned node, const char *s)
{
    struct xln_host_cpu cpu = { .node = node, .socket = node, .online = true };
    uint64_t first, last;
    int rc;

    for (s += strspn(s, " ,"); *s; s += strspn(s, " ,")) {
        if (!xln__text_number(&s, XLN_MAX_CPUS - 1, &first))
            return xln__text_refuse(n->t, "\"%.20s\": expected CPUs, numbers "
                                    "up to %u", s, XLN_MAX_CPUS - 1);
        last = first;
        if (*s == '-') {
            s++;
            if (!xln__text_number(&s, XLN_MAX_CPUS - 1, &last) || last < first)
                return xln__text_refuse(n->t, "\"%.20s\": expected a CPU from "
                                        "%u to %u", s, (unsigned)first,
                                        XLN_MAX_CPUS - 1);
        }
        for (; first <= last; first++) {
            cpu.core = first;
            rc = xln__text_add_cpu(n->t, first, &cpu);
            if (rc)
                return rc;
        }
    }
    return 0;
}

/* "65442 MB"; "<not available>" if numactl does not know it. */
static int read_mib(struct numactl *n, const char *s, bool *known_r,
                    uint64_t *bytes_r)
{
    uint64_t mib;

    *known_r = strcmp(s + strspn(s, " "), "<not available>") != 0;
    if (!*known_r)
        return 0;
    if (!xln__text_number(&s, MAX_MIB, &mib) || strcmp(s, " MB"))
        return xln__text_refuse(n->t, "\"%.20s\": expected memory such as "
                                "\"4096 MB\"", s);
    *bytes_r = mib * MIB;
    return 0;
}

static int read_size(struct numactl *n, unsigned node, const char *s)
{
    struct xln__text_node *to = &n->t->nodes[node];
    int rc;

    if (to->has_total)
        return xln__text_refuse(n->t, "the size of node %u appears twice",
                                node);
    rc = read_mib(n, s, &to->has_total, &to->total_bytes);
    if (!rc && !to->has_total)
        rc = xln__text_refuse(n->t, "node %u has no size: expected one, such "
                              "as \"4096 MB\"", node);
    return rc;
}

static int read_free(struct numactl *n, unsigned node, const char *s)
{
    uint64_t bytes;
    bool known;
    int rc = read_mib(n, s, &known, &bytes);

    return rc || !known ? rc : xln__text_set_free(n->t, node, bytes);
}

static int read_node(struct numactl *n, uint64_t node, const char *s)
{
    static const struct {
        const char *name;
        int (*read)(struct numactl *n, unsigned node, const char *s);
    } parts[] = { { " cpus:", read_cpus }, { " size:", read_size },
                  { " free:", read_free } };

    for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        size_t length = strlen(parts[i].name);
        int rc;

        if (strncmp(s, parts[i].name, length))
            continue;
        rc = xln__text_add_node(n->t, node);
        return rc ? rc : parts[i].read(n, node, s + length);
    }
    return 0;
}

/* ---- distances ---- */

static int read_columns(struct numactl *n, const char *s)
{
    uint64_t node;

    n->nr_columns = 0;
    while (*s) {
        if (!xln__text_number(&s, XLN_MAX_NODES - 1, &node) ||
            n->nr_columns == XLN_MAX_NODES || !n->t->nodes[node].exists)
            return xln__text_refuse(n->t, "\"%.20s\": expected the numbers of "
                                    "its nodes", s);
        n->columns[n->nr_columns++] = node;
        s += strspn(s, " \t");
    }
    return 0;
}

/* "  0:  10  21" */
static int read_row(struct numactl *n, uint64_t from, const char *s)
{
    uint64_t value;

    if (from >= XLN_MAX_NODES || !n->t->nodes[from].exists)
        return xln__text_refuse(n->t, "distances of node %u: expected one of "
                                "its nodes", (unsigned)from);
    for (unsigned i = 0; i < n->nr_columns; i++) {
        if (!xln__text_number(&s, SLIT_UNREACHABLE, &value) ||
            value < SLIT_LOCAL)
            return xln__text_refuse(n->t, "expected %u distances, each from %u "
                                    "to %u", n->nr_columns, SLIT_LOCAL,
                                    SLIT_UNREACHABLE);
        n->t->distances[from][n->columns[i]] =
            value == SLIT_UNREACHABLE ? XLN__TEXT_UNREACHABLE : value;
    }
    if (!*s)
        return 0;
    return xln__text_refuse(n->t, "\"%.20s\": expected no more than %u "
                            "distances", s, n->nr_columns);
}

/* ---- all of it ---- */

static int read_line(struct numactl *n, const char *line)
{
    const char *s = line;
    uint64_t number;

    if (!strcmp(line, "node distances:")) {
        n->in_distances = true;
        return 0;
    }
    if (!strncmp(line, "node ", 5)) {
        s += 5;
        if (n->in_distances)
            return read_columns(n, s);
        if (xln__text_number(&s, UINT32_MAX, &number))
            return read_node(n, number, s);
    } else if (n->in_distances && xln__text_number(&s, UINT32_MAX, &number) &&
               *s == ':') {
        return read_row(n, number, s + 1);
    }
    return 0;
}

static int read_lines(struct numactl *n)
{
    const char *line;
    int rc = 0;

    while (!rc && (line = xln__text_line(n->t)))
        rc = read_line(n, line);
    return rc;
}

static int check(const struct numactl *n, char **error_r)
{
    if (!n->t->nr_nodes)
        return xln__refuse(error_r, "it has no node: expected lines such as "
                           "\"node 0 size: 4096 MB\"");
    if (!n->t->nr_cpus)
        return xln__refuse(error_r, "no node has a CPU: expected lines such as "
                           "\"node 0 cpus: 0 1\"");
    for (unsigned node = 0; node < n->t->nr_nodes; node++) {
        if (n->t->nodes[node].exists && !n->t->nodes[node].has_total)
            return xln__refuse(error_r, "node %u has no size: expected a line "
                                        "such as \"node %u size: 4096 MB\"",
                               node, node);
    }
    return 0;
}

static bool all_free_told(const struct xln__text *t)
{
    for (unsigned node = 0; node < t->nr_nodes; node++) {
        if (t->nodes[node].exists && !t->nodes[node].has_free)
            return false;
    }
    return true;
}

static int make_host(struct numactl *n, struct xln_host **host_r,
                     char **note_r, char **error_r)
{
    char *note = NULL;
    int rc;

    rc = check(n, error_r);
    if (!rc)
        rc = xln__note(&note, "it has no cores: each CPU is assumed to be a "
                              "core");
    if (!rc && !all_free_told(n->t))
        rc = xln__note(&note, "memory is assumed to be free where free memory "
                              "is not listed");
    if (!rc)
        rc = xln__text_make_host(n->t, host_r, &note);
    if (rc)
        free(note);
    else
        *note_r = note;
    return rc;
}

int xln__host_from_numactl(const char *text, size_t size,
                           struct xln_host **host_r, char **note_r,
                           char **error_r)
{
    struct numactl *n = calloc(1, sizeof(*n));
    int rc;

    if (!n)
        return -ENOMEM;
    rc = xln__text_new(text, size, error_r, &n->t);
    if (!rc)
        rc = read_lines(n);
    if (!rc)
        rc = make_host(n, host_r, note_r, error_r);
    xln__text_free(n->t);
    free(n);
    return rc;
}
