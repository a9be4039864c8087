/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The map for a terminal: a line for each node, with a bar as long as its
 * memory, and then a line for each remote domain. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "map_view.h"

#define LEAST_WIDTH 40
#define NODE_COLUMNS 6          /* "  12  " */
#define FIGURE_COLUMNS 18       /* "  1048576   12/16 " */
#define FREE MAP_NR_KINDS
#define NR_CHARACTERS (MAP_NR_KINDS + 1)
#define ALARM "\033[1;31m"
#define CALM "\033[0m"

struct text {
    const struct map *map;
    FILE *f;
    unsigned width, bar;        /* columns of a line, and of the largest node */
    const char *const *characters;
    bool colour;
};

static const char *const blocks[NR_CHARACTERS] = {
    [MAP_REST] = "\xe2\x96\x91", [MAP_DOM0] = "\xe2\x96\x93",
    [MAP_LOCAL] = "\xe2\x96\x88", [MAP_REMOTE] = "\xe2\x96\x9a",
    [FREE] = "\xc2\xb7",
};
static const char *const letters[NR_CHARACTERS] = {
    [MAP_REST] = "-", [MAP_DOM0] = "=", [MAP_LOCAL] = "#",
    [MAP_REMOTE] = "x", [FREE] = ".",
};

static void print_cells(const struct text *t, unsigned kind, unsigned nr)
{
    bool colour = t->colour && kind == MAP_REMOTE && nr;

    if (colour)
        fputs(ALARM, t->f);
    while (nr--)
        fputs(t->characters[kind], t->f);
    if (colour)
        fputs(CALM, t->f);
}

static unsigned cells_of(uint64_t bytes, uint64_t per_cell)
{
    return (bytes + per_cell / 2) / per_cell;
}

/* Each kind of memory has a column, however little it is, as long as there are
 * columns left. */
static void print_bar(const struct text *t, const struct map_node *n)
{
    uint64_t per_cell = t->map->largest_bytes / t->bar + 1;
    unsigned left = cells_of(n->total_bytes, per_cell), cells, kind, i;
    uint64_t bytes[MAP_NR_KINDS] = { 0 };

    if (left < 1)
        left = 1;
    if (left > t->bar)
        left = t->bar;
    for (i = 0; i < n->nr_parts; i++)
        bytes[n->parts[i].kind] += n->parts[i].bytes;
    for (i = t->bar - left, kind = MAP_NR_KINDS; kind-- > 0; left -= cells) {
        cells = cells_of(bytes[kind], per_cell);
        if (!cells && bytes[kind] && kind != MAP_REST)
            cells = 1;
        if (cells > left)
            cells = left;
        print_cells(t, kind, cells);
    }
    print_cells(t, FREE, left);
    fprintf(t->f, "%*s", (int)i, "");
}

/* Remote ones first, and each kind by its size, as far as they fit. */
static void print_domains(const struct text *t, const struct map_node *n,
                          unsigned room)
{
    char text[LABEL_SIZE(MAP_LABEL_MAX) + 32];
    unsigned kind, i, used = 0, length;

    for (kind = MAP_NR_KINDS; kind-- > MAP_DOM0;) {
        for (i = 0; i < n->nr_parts; i++) {
            const struct map_part *part = &n->parts[i];

            if (part->kind != kind || !part->domain)
                continue;
            snprintf(text, sizeof(text), "%s%s%s %" PRIu64, used ? ", " : "",
                     kind == MAP_REMOTE ? "*" : "", part->domain->label,
                     part->bytes >> 20);
            length = label_length(text);
            if (used + length + 5 > room) {
                fputs(used ? ", ..." : "...", t->f);
                return;
            }
            fputs(text, t->f);
            used += length;
        }
    }
}

static void print_node(const struct text *t, const struct map_node *n)
{
    unsigned used = NODE_COLUMNS + t->bar + FIGURE_COLUMNS;
    char vcpus[32];

    fprintf(t->f, "%4u  ", n->node);
    print_bar(t, n);
    if (n->nr_cpus)
        snprintf(vcpus, sizeof(vcpus), "%u/%u", n->nr_vcpus, n->nr_cpus);
    else
        snprintf(vcpus, sizeof(vcpus), "-");
    fprintf(t->f, " %8" PRIu64 " %7s  ", n->free_bytes >> 20, vcpus);
    if (t->width > used)
        print_domains(t, n, t->width - used);
    fputc('\n', t->f);
}

static void print_nodes(const struct text *t)
{
    const struct map *map = t->map;
    unsigned i;

    fprintf(t->f, "NODE  %-*s     FREE   VCPUS  DOMAINS\n", (int)t->bar,
            "MEMORY");
    for (i = 0; i < map->nr_nodes; i++) {
        const struct map_node *n = &map->nodes[i];

        if (map->nr_sockets > 1 && (!i || n->socket != n[-1].socket)) {
            if (n->socket == XLN_NONE)
                fputs("memory only\n", t->f);
            else
                fprintf(t->f, "socket %u\n", n->socket);
        }
        print_node(t, n);
    }
    fputs("      ", t->f);
    print_cells(t, MAP_REMOTE, 1);
    fputs(" remote  ", t->f);
    print_cells(t, MAP_LOCAL, 1);
    fputs(" local  ", t->f);
    print_cells(t, MAP_DOM0, 1);
    fputs(" Domain-0  ", t->f);
    print_cells(t, MAP_REST, 1);
    fputs(" Xen, not known  ", t->f);
    print_cells(t, FREE, 1);
    fputs(" free\n", t->f);
}

static int print_remote_domain(const struct text *t,
                               const struct map_domain *d, unsigned column)
{
    unsigned percent = d->remote_bytes / (d->total_bytes / 100.0);
    char *home;
    int rc = xln_nodemap_format(d->home, &home);

    if (rc)
        return rc;
    fprintf(t->f, "%s%*s %8" PRIu64 " %5u%% %6u %9s", d->label,
            (int)(column - label_length(d->label)), "",
            d->remote_bytes >> 20, percent ? percent : 1, d->memory_node,
            home);
    if (d->distance == XLN_NONE)
        fprintf(t->f, " %8s\n", "?");
    else
        fprintf(t->f, " %8u\n", d->distance);
    free(home);
    return 0;
}

static int print_remote(const struct text *t)
{
    unsigned column = 6, length, i;
    int rc = 0;

    if (!t->map->nr_remote)
        return 0;
    for (i = 0; i < t->map->nr_remote; i++) {
        length = label_length(t->map->domains[i].label);
        if (length > column)
            column = length;
    }
    fprintf(t->f, "\n%-*s   REMOTE  SHARE   NODE VCPUS_ON DISTANCE\n",
            (int)column, "DOMAIN");
    for (i = 0; i < t->map->nr_remote && !rc; i++)
        rc = print_remote_domain(t, &t->map->domains[i], column);
    return rc;
}

int map_text_print(const struct map *map, unsigned width, bool utf8,
                   bool colour, FILE *f)
{
    struct text t = {
        .map = map, .f = f, .colour = colour,
        .width = width > LEAST_WIDTH ? width : LEAST_WIDTH,
        .characters = utf8 ? blocks : letters,
    };
    bool alarm = colour && map->nr_remote;

    t.bar = (t.width - NODE_COLUMNS - FIGURE_COLUMNS) / 2;
    fputs(alarm ? ALARM : "", f);
    map_print_headline(map, t.width, f);
    fputs(alarm ? CALM "\n" : "\n", f);
    map_print_origin(map, f);
    fputc('\n', f);
    map_print_size(map, f);
    fputs("\n\n", f);
    print_nodes(&t);
    return print_remote(&t);
}
