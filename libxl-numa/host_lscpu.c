/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Output of `lscpu --parse`: a row for each CPU, and before them a comment with
 * the names of the columns. Without it they are those of the first releases.
 *
 *     # CPU,Core,Socket,Node,,L1d,L1i,L2,L3
 *     0,0,0,0,,0,0,0,0
 *
 * A value that is not known is nothing or "-"; a CPU that is offline has no
 * others.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host_assume.h"
#include "host_text.h"
#include "text/refuse.h"

/* The memory that each node is assumed to have. */
#define NODE_BYTES (UINT64_C(1) << 40)

enum { CPU, CORE, SOCKET, NODE, ONLINE, NR_COLUMNS };

static const char *const names[NR_COLUMNS] = {
    "CPU", "Core", "Socket", "Node", "Online"
};

struct lscpu {
    struct xln__text *t;
    unsigned at[NR_COLUMNS];    /* the position of each column; XLN_NONE:
                                   missing */
    unsigned nr_rows;
};

bool xln__is_lscpu(const char *text, size_t size)
{
    const char *end = text + size;

    if (xln__text_has_line(text, size, "# CPU") ||
        xln__text_has_line(text, size, "# The following is the parsable"))
        return true;
    text += xln__text_begins_at(text, size);
    while (text < end && isdigit((unsigned char)*text))
        text++;
    return text < end && *text == ',';
}

/* ---- columns ---- */

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text + strspn(text, " \t");
}

/* A comment that names a CPU column names all columns. */
static void read_comment(struct lscpu *l, char *line)
{
    unsigned at[NR_COLUMNS], nr = 0;
    char *cell;

    for (unsigned i = 0; i < NR_COLUMNS; i++)
        at[i] = XLN_NONE;
    while ((cell = strsep(&line, ","))) {
        cell = trim(cell);
        for (unsigned i = 0; i < NR_COLUMNS; i++) {
            if (at[i] == XLN_NONE && !strcasecmp(cell, names[i]))
                at[i] = nr;
        }
        nr++;
    }
    if (at[CPU] != XLN_NONE)
        memcpy(l->at, at, sizeof(at));
}

/* ---- rows ---- */

static bool is_unknown(const char *cell)
{
    return !cell || !*cell || !strcmp(cell, "-");
}

/* XLN_NONE in *number_r: it is not known. */
static int parse_cell(struct lscpu *l, char *const *cells, unsigned column,
                      unsigned max, unsigned *number_r)
{
    const char *s = cells[column];
    uint64_t number = XLN_NONE;

    if (!is_unknown(s) && (!xln__text_number(&s, max, &number) || *s))
        return xln__text_refuse(l->t, "%s: \"%.20s\": expected a number up to "
                                "%u, \"-\" or nothing", names[column],
                                cells[column], max);
    *number_r = number;
    return 0;
}

static int add_cpu(struct lscpu *l, char *const *cells)
{
    const char *online = cells[ONLINE];
    struct xln_host_cpu cpu = { 0 };
    unsigned number = XLN_NONE;
    int rc;

    rc = parse_cell(l, cells, CPU, XLN_MAX_CPUS - 1, &number);
    if (!rc && number == XLN_NONE)
        rc = xln__text_refuse(l->t, "expected the number of a CPU");
    if (!rc)
        rc = parse_cell(l, cells, CORE, XLN_NONE - 1, &cpu.core);
    if (!rc)
        rc = parse_cell(l, cells, SOCKET, XLN_NONE - 1, &cpu.socket);
    if (!rc)
        rc = parse_cell(l, cells, NODE, XLN_MAX_NODES - 1, &cpu.node);
    if (rc)
        return rc;
    if (is_unknown(online))
        cpu.online = cpu.core != XLN_NONE || cpu.node != XLN_NONE ||
                     (l->at[CORE] == XLN_NONE && l->at[NODE] == XLN_NONE);
    else
        cpu.online = toupper((unsigned char)*online) == 'Y';
    /* A number that no other core has. */
    if (cpu.core == XLN_NONE)
        cpu.core = l->at[CORE] == XLN_NONE ? number : XLN_MAX_CPUS + number;
    if (cpu.socket == XLN_NONE)
        cpu.socket = 0;
    l->nr_rows++;
    return xln__text_add_cpu(l->t, number, &cpu);
}

static int read_row(struct lscpu *l, char *line)
{
    char *cells[NR_COLUMNS] = { NULL }, *cell;
    unsigned nr = 0;

    while ((cell = strsep(&line, ","))) {
        for (unsigned i = 0; i < NR_COLUMNS; i++) {
            if (l->at[i] == nr)
                cells[i] = trim(cell);
        }
        nr++;
    }
    if (!cells[CPU] || !isdigit((unsigned char)*cells[CPU]))
        return xln__text_refuse(l->t, "expected a row of 'lscpu -p', such as "
                                "\"0,0,0,0\"");
    return add_cpu(l, cells);
}

static int read_lines(struct lscpu *l)
{
    char *line;
    int rc = 0;

    while (!rc && (line = xln__text_line(l->t))) {
        if (*line == '#')
            read_comment(l, line + 1);
        else if (*line && *line != '$')
            rc = read_row(l, line);
    }
    return rc;
}

/* ---- the host ---- */

/* Without nodes, or if no CPU has one, all CPUs are on one node. */
static int take_as_one_node(struct lscpu *l, char **note)
{
    struct xln__text *t = l->t;
    int rc;

    if (t->nr_nodes)
        return 0;
    for (unsigned cpu = 0; cpu < t->nr_cpus; cpu++)
        t->cpus[cpu].node = 0;
    rc = xln__text_add_node(t, 0);
    return rc ? rc : xln__note(note, "it has no NUMA node: all is assumed to "
                                     "be node 0");
}

static int assume(struct lscpu *l, char **note)
{
    struct xln__text *t = l->t;
    int rc;

    rc = take_as_one_node(l, note);
    for (unsigned node = 0; node < t->nr_nodes; node++)
        t->nodes[node].total_bytes = NODE_BYTES;
    if (!rc)
        rc = xln__note(note, "memory is not known: each node is assumed to "
                             "have 1 TiB, all free");
    if (!rc && l->at[CORE] == XLN_NONE)
        rc = xln__note(note, "it has no cores: each CPU is assumed to be a "
                             "core");
    return rc;
}

static int make_host(struct lscpu *l, struct xln_host **host_r, char **note_r,
                     char **error_r)
{
    char *note = NULL;
    int rc;

    if (!l->nr_rows)
        return xln__refuse(error_r, "it has no CPU: expected rows of 'lscpu "
                                    "-p', such as \"0,0,0,0\"");
    rc = assume(l, &note);
    if (!rc)
        rc = xln__text_make_host(l->t, host_r, &note);
    if (rc)
        free(note);
    else
        *note_r = note;
    return rc;
}

int xln__host_from_lscpu(const char *text, size_t size,
                         struct xln_host **host_r, char **note_r,
                         char **error_r)
{
    struct lscpu l = { .at = { 0, 1, 2, 3, XLN_NONE } };
    int rc;

    rc = xln__text_new(text, size, error_r, &l.t);
    if (!rc)
        rc = read_lines(&l);
    if (!rc)
        rc = make_host(&l, host_r, note_r, error_r);
    xln__text_free(l.t);
    return rc;
}
