/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain_cells.h"
#include "bounds.h"
#include "text/refuse.h"
#include "text/units.h"
#include "text/xml_memory.h"

/* libvirt's, where <distances> say nothing. */
#define LOCAL_DISTANCE 10
#define REMOTE_DISTANCE 20

/* ---- elements ---- */

static int need_list(struct domain_cells *d)
{
    if (!d->list)
        d->list = calloc(DOMAIN_CELLS_MAX, sizeof(*d->list));
    return d->list ? 0 : -ENOMEM;
}

static int read_size(struct xln__xml *xml, uint64_t *bytes_r)
{
    const char *memory = xln__xml_attr(xml, "memory");
    uint64_t unit;
    int rc;

    if (!memory)
        return xln__xml_refuse(xml, "<cell> without memory=");
    rc = xln__xml_memory_unit(xml, &unit);
    return rc ? rc : xln__xml_memory_size(xml, memory, unit, KIB, bytes_r);
}

int domain_cells_begin(struct domain_cells *d, struct xln__xml *xml)
{
    struct domain_cell *cell;
    uint64_t id;
    int rc;

    if (d->nr == DOMAIN_CELLS_MAX)
        return xln__xml_refuse(xml, "more than %u cells", DOMAIN_CELLS_MAX);
    rc = xln__xml_number(xml, "id", DOMAIN_CELLS_MAX - 1, d->nr, &id);
    if (!rc)
        rc = need_list(d);
    if (rc)
        return rc;
    cell = &d->list[id];
    if (cell->given)
        return xln__xml_refuse(xml, "a second <cell> with id='%u'",
                               (unsigned)id);
    cell->given = true;
    d->last = id;
    d->nr++;
    rc = read_size(xml, &cell->bytes);
    return rc ? rc : xln__xml_copy_attr(xml, "cpus", &cell->cpus);
}

int domain_cells_sibling(struct domain_cells *d, struct xln__xml *xml)
{
    struct domain_cell *cell = &d->list[d->last];
    uint64_t id, value;
    int rc = xln__xml_need_number(xml, "id", DOMAIN_CELLS_MAX - 1, &id);

    if (!rc)
        rc = xln__xml_need_number(xml, "value", 255, &value);
    if (rc)
        return rc;
    if (!cell->distances)
        cell->distances = calloc(DOMAIN_CELLS_MAX, sizeof(*cell->distances));
    if (!cell->distances)
        return -ENOMEM;
    cell->distances[id] = value;
    return 0;
}

int domain_cells_memnode(struct domain_cells *d, struct xln__xml *xml)
{
    uint64_t id;
    int rc = xln__xml_need_number(xml, "cellid", DOMAIN_CELLS_MAX - 1, &id);

    if (!rc)
        rc = need_list(d);
    return rc ? rc : xln__xml_copy_attr(xml, "nodeset", &d->list[id].nodes);
}

/* ---- what they come to ---- */

/* A distance that is given in one direction applies to the other, too. */
static unsigned distance(const struct domain_cells *d, unsigned from,
                         unsigned to)
{
    const uint8_t *there = d->list[from].distances;
    const uint8_t *back = d->list[to].distances;

    if (there && there[to])
        return there[to];
    if (back && back[from])
        return back[from];
    return from == to ? LOCAL_DISTANCE : REMOTE_DISTANCE;
}

static int make_vcpus(const struct domain_cell *from, unsigned id,
                      struct cell *cell, char **error_r)
{
    int rc;

    if (!from->cpus)
        return 0;
    rc = xln_cpumap_new(VCPUS_MAX, &cell->vcpus);
    if (!rc)
        rc = xln_cpumap_parse(from->cpus, NULL, 0, cell->vcpus, NULL);
    if (!rc || rc == -ENOMEM)
        return rc;
    return xln__refuse(error_r, "cell %u: cpus='%.200s': expected vCPUs such "
                       "as '0-1,4'", id, from->cpus);
}

static int make_nodes(const struct domain_cell *from, unsigned id,
                      struct cell *cell, char **error_r)
{
    int rc;

    if (!from->nodes)
        return 0;
    rc = xln_nodemap_new(XLN_MAX_NODES, &cell->nodes);
    if (!rc)
        rc = xln_nodemap_parse(from->nodes, 0, cell->nodes, NULL);
    if (!rc || rc == -ENOMEM)
        return rc;
    return xln__refuse(error_r, "<memnode cellid='%u'>: nodeset='%.200s': "
                       "expected nodes such as '0-1,4'", id, from->nodes);
}

static int make_cell(const struct domain_cells *d, unsigned id,
                     struct cell *cell, char **error_r)
{
    const struct domain_cell *from = &d->list[id];
    unsigned to;
    int rc;

    if (!from->given)
        return xln__refuse(error_r, "no cell %u: expected %u cells numbered "
                           "from 0", id, d->nr);
    cell->bytes = from->bytes;
    rc = make_vcpus(from, id, cell, error_r);
    if (!rc)
        rc = make_nodes(from, id, cell, error_r);
    if (rc)
        return rc;
    cell->distances = calloc(d->nr, sizeof(*cell->distances));
    for (to = 0; cell->distances && to < d->nr; to++)
        cell->distances[to] = distance(d, id, to);
    return cell->distances ? 0 : -ENOMEM;
}

int domain_cells_make(const struct domain_cells *d, struct cells **cells_r,
                      char **error_r)
{
    struct cells *cells;
    unsigned i;
    int rc;

    *cells_r = NULL;
    if (!d->nr)
        return 0;
    rc = cells_new(d->nr, &cells);
    if (rc)
        return rc;
    for (i = 0; i < d->nr && !rc; i++)
        rc = make_cell(d, i, &cells->list[i], error_r);
    if (rc)
        cells_free(cells);
    else
        *cells_r = cells;
    return rc;
}

int domain_cells_print(const struct cells *cells, FILE *f)
{
    char *nodes;
    unsigned i;
    int rc;

    fputs("cell_nodes = [", f);
    for (i = 0; i < cells->nr; i++) {
        fputs(i ? ", \"" : "\"", f);
        if (cells->list[i].nodes) {
            rc = xln_nodemap_format(cells->list[i].nodes, &nodes);
            if (rc)
                return rc;
            fputs(nodes, f);
            free(nodes);
        }
        fputc('"', f);
    }
    fputs("]\n", f);
    return 0;
}

void domain_cells_dispose(struct domain_cells *d)
{
    unsigned i;

    for (i = 0; d->list && i < DOMAIN_CELLS_MAX; i++) {
        free(d->list[i].cpus);
        free(d->list[i].nodes);
        free(d->list[i].distances);
    }
    free(d->list);
}
