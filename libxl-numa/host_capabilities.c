/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_assume.h"
#include "host_capabilities.h"
#include "text/refuse.h"
#include "text/xml.h"
#include "text/xml_memory.h"

/* In a SLIT: the least, and the value that is not a distance. */
#define SLIT_LOCAL 10
#define SLIT_UNREACHABLE 255

struct cpu {
    bool exists, has_socket;
    unsigned cell, socket, die, core;
};

struct cell {
    bool exists;
    bool has_distances;
    uint64_t bytes;
};

struct capabilities {
    struct xln__xml *xml;
    struct cpu *cpus;           /* [XLN_MAX_CPUS] */
    unsigned nr_cpus;           /* one more than the largest */
    struct cell cells[XLN_MAX_NODES];
    unsigned nr_cells;          /* one more than the largest */
    unsigned cell;              /* the element that is being read */
    uint64_t unit_bytes;        /* of its memory */
    unsigned nr_cores;          /* one more than the largest core_id */
    bool has_sockets, has_dies; /* some CPU has one */
    /* SLIT values from one cell to the other, 0: not there. */
    uint8_t distances[XLN_MAX_NODES][XLN_MAX_NODES];
};

/* ---- elements ---- */

static int begin_cell(struct capabilities *c)
{
    struct cell *cell;
    uint64_t id;
    int rc;

    rc = xln__xml_need_number(c->xml, "id", XLN_MAX_NODES - 1, &id);
    if (rc)
        return rc;
    cell = &c->cells[id];
    if (cell->exists)
        return xln__xml_refuse(c->xml, "cell %u appears twice",
                               (unsigned)id);
    cell->exists = true;
    c->cell = id;
    if (id >= c->nr_cells)
        c->nr_cells = id + 1;
    return 0;
}

static int end_memory(struct capabilities *c, const char *text)
{
    return xln__xml_memory_size(c->xml, text, c->unit_bytes, 1,
                                &c->cells[c->cell].bytes);
}

static int begin_sibling(struct capabilities *c)
{
    uint64_t id, value;
    int rc;

    rc = xln__xml_need_number(c->xml, "id", XLN_MAX_NODES - 1, &id);
    if (!rc)
        rc = xln__xml_need_number(c->xml, "value", SLIT_UNREACHABLE, &value);
    if (rc)
        return rc;
    if (value < SLIT_LOCAL)
        return xln__xml_refuse(c->xml, "value=\"%u\": expected a distance "
                               "from %u", (unsigned)value, SLIT_LOCAL);
    c->cells[c->cell].has_distances = true;
    c->distances[c->cell][id] = value;
    return 0;
}

/* -1: the firmware has no number. Numbers above those of libvirt are cores
 * that we have numbered, see core_of(). */
static int read_id(struct capabilities *c, const char *name, unsigned *id_r)
{
    const char *text = xln__xml_attr(c->xml, name);
    uint64_t id = 0;
    int rc = 0;

    if (text && strcmp(text, "-1"))
        rc = xln__xml_number(c->xml, name, XLN_NONE - 1, 0, &id);
    *id_r = id;
    return rc;
}

static int begin_cpu(struct capabilities *c)
{
    struct cpu *cpu;
    uint64_t id;
    int rc;

    rc = xln__xml_need_number(c->xml, "id", XLN_MAX_CPUS - 1, &id);
    if (rc)
        return rc;
    cpu = &c->cpus[id];
    if (cpu->exists)
        return xln__xml_refuse(c->xml, "cpu %u appears twice", (unsigned)id);
    cpu->exists = true;
    cpu->has_socket = xln__xml_attr(c->xml, "socket_id");
    c->has_sockets = c->has_sockets || cpu->has_socket;
    cpu->cell = c->cell;
    rc = read_id(c, "socket_id", &cpu->socket);
    if (!rc)
        rc = read_id(c, "die_id", &cpu->die);
    if (!rc)
        rc = read_id(c, "core_id", &cpu->core);
    if (id >= c->nr_cpus)
        c->nr_cpus = id + 1;
    if (cpu->core >= c->nr_cores)
        c->nr_cores = cpu->core + 1;
    c->has_dies = c->has_dies || cpu->die;
    return rc;
}

/* Whether the element is `path`, counted from the cells. */
static bool is_at(const struct capabilities *c, const char *path)
{
    static const char capabilities[] = "/capabilities/host";
    static const char cells[] = "/topology/cells";
    const char *at = xln__xml_path(c->xml);

    if (!strncmp(at, capabilities, strlen(capabilities)))
        at += strlen(capabilities);
    return !strncmp(at, cells, strlen(cells)) &&
           !strcmp(at + strlen(cells), path);
}

static int begin(void *priv, struct xln__xml *xml)
{
    struct capabilities *c = priv;

    c->xml = xml;
    if (is_at(c, "/cell"))
        return begin_cell(c);
    if (is_at(c, "/cell/memory"))
        return xln__xml_memory_unit(c->xml, &c->unit_bytes);
    if (is_at(c, "/cell/distances/sibling"))
        return begin_sibling(c);
    if (is_at(c, "/cell/cpus/cpu"))
        return begin_cpu(c);
    return 0;
}

static int end(void *priv, struct xln__xml *xml, const char *text)
{
    struct capabilities *c = priv;

    c->xml = xml;
    return is_at(c, "/cell/memory") ? end_memory(c, text) : 0;
}

static const struct xln__xml_events events = { begin, end };

/* ---- the host ---- */

static void fill_nodes(const struct capabilities *c, struct xln_host *host)
{
    for (unsigned node = 0; node < c->nr_cells; node++) {
        if (!c->cells[node].exists)
            continue;
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = c->cells[node].bytes;
    }
}

/*
 * A core has its number within a die, and we want it within a socket: each die
 * gets a range. -ERANGE: the numbers are that wild.
 */
static int core_of(const struct capabilities *c, const struct cpu *cpu,
                   unsigned *core_r)
{
    uint64_t core = cpu->core;

    if (c->has_dies)
        core += (uint64_t)cpu->die * c->nr_cores;
    if (core >= XLN_NONE)
        return -ERANGE;
    *core_r = core;
    return 0;
}

/* libvirt before 1.0 reports only the number of a CPU. If some CPUs have more
 * than that, the others are offline. */
static void take_as_core(unsigned number, struct xln_host_cpu *cpu)
{
    cpu->online = true;
    cpu->socket = cpu->node;
    cpu->core = number;
}

static int fill_cpus(const struct capabilities *c, struct xln_host *host,
                     char **error_r)
{
    for (unsigned i = 0; i < c->nr_cpus; i++) {
        const struct cpu *cpu = &c->cpus[i];

        if (!cpu->exists)
            continue;
        host->cpu_exists[i] = true;
        host->cpus[i].online = cpu->has_socket;
        host->cpus[i].node = cpu->cell;
        host->cpus[i].socket = cpu->socket;
        if (!c->has_sockets)
            take_as_core(i, &host->cpus[i]);
        else if (core_of(c, cpu, &host->cpus[i].core))
            return xln__refuse(error_r, "cpu %u: die_id and core_id are too "
                               "large together", i);
    }
    return 0;
}

static int fill_distances(const struct capabilities *c, struct xln_host *host,
                          char **note)
{
    bool *known;
    int rc;

    known = calloc((size_t)c->nr_cells * c->nr_cells, sizeof(*known));
    if (!known)
        return -ENOMEM;
    for (unsigned from = 0; from < c->nr_cells; from++) {
        for (unsigned to = 0; to < c->nr_cells; to++) {
            size_t at = (size_t)from * c->nr_cells + to;
            unsigned value = c->distances[from][to];

            known[at] = c->cells[from].has_distances;
            if (value && value != SLIT_UNREACHABLE &&
                c->cells[from].exists && c->cells[to].exists)
                host->distances[at] = value;
        }
    }
    rc = xln__assume_distances(host, known, note);
    free(known);
    return rc;
}

static int fill_host(const struct capabilities *c, struct xln_host *host,
                     char **note, char **error_r)
{
    int rc;

    fill_nodes(c, host);
    rc = fill_cpus(c, host, error_r);
    if (!rc)
        rc = xln__assume_pool(host);
    if (!rc && !c->has_sockets)
        rc = xln__note(note, "it has no cores: each CPU is assumed to be a "
                             "core");
    if (!rc)
        rc = xln__assume_free(host, note);
    if (!rc)
        rc = fill_distances(c, host, note);
    if (!rc)
        rc = xln__note_offline(host, note);
    return rc ? rc : xln__host_finish(host);
}

static int make_host(const struct capabilities *c, struct xln_host **host_r,
                     char **note_r, char **error_r)
{
    struct xln_host *host = NULL;
    char *note = NULL;
    int rc;

    if (!c->nr_cells)
        return xln__refuse(error_r, "it has no <topology> with a <cell>");
    if (!c->nr_cpus)
        return xln__refuse(error_r, "no <cell> has a <cpu>");
    rc = xln__host_new(c->nr_cpus, c->nr_cells, 1, &host);
    if (!rc)
        rc = fill_host(c, host, &note, error_r);
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

int xln__host_from_capabilities(const char *text, size_t size,
                                struct xln_host **host_r, char **note_r,
                                char **error_r)
{
    struct capabilities *c;
    int rc = -ENOMEM;

    c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->cpus = calloc(XLN_MAX_CPUS, sizeof(*c->cpus));
    if (c->cpus)
        rc = xln__xml_read(text, size, &events, c, error_r);
    if (!rc)
        rc = make_host(c, host_r, note_r, error_r);
    free(c->cpus);
    free(c);
    return rc;
}
