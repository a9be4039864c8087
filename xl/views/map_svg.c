/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The picture: the headline, nodes in rows below it, and on the right the remote
 * domains, the distances and what the colours mean. All sizes are in user
 * units, which are pixels at first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "map_view.h"
#include "svg.h"

#define MARGIN 20
#define NODES_WIDTH 880
#define PANEL_LEFT (MARGIN + NODES_WIDTH + 24)
#define PANEL_WIDTH 340
#define WIDTH (PANEL_LEFT + PANEL_WIDTH + MARGIN)
#define TOP 84
#define PER_ROW 16
#define PITCH_MAX 220
#define PITCH_NAMED 64          /* a column with room for "node 12" */
#define COLUMN_GAP 12
#define HEADS 38                /* the names of socket and node */
#define FEET 34                 /* vCPUs */
#define ARROWS 44               /* room below for them */
#define LEAST_PART 13           /* a part that has room for its name */
#define LEAST_REMOTE 3          /* what is remote is seen, however little */
#define CHARACTER 6.4           /* a small one */
#define HEADLINE_MAX 90         /* characters */
#define NR_SHOWN 12             /* remote domains with a number */
#define ENTRY 36
#define MATRIX_MAX 64
#define CELL_MAX 18
#define CELL_NUMBERS 15         /* a cell that has room for a number */
#define NR_SHADES 5

/* The colour-blind can distinguish blue and vermilion too, and what is remote
 * is hatched. */
static const char style[] =
    "text{font:12px sans-serif;fill:#222}\n"
    ".h{font-size:22px;font-weight:bold}.b{font-weight:bold}\n"
    ".m{text-anchor:middle}.s,.sm,.in,.far{font-size:10.5px}\n"
    ".sm,.in,.far,.badge,.n0,.n1{text-anchor:middle}\n"
    ".far{font-weight:bold;paint-order:stroke;stroke:#fff;stroke-width:4px}\n"
    ".badge{font-size:11px;font-weight:bold;fill:#fff}\n"
    ".n0,.n1{font-size:9px}.n1{fill:#fff}.n0,.in,.far{fill:#111}\n"
    ".bg{fill:#fff}.socket{fill:#f1f1f1;stroke:#bbb}\n"
    ".free{fill:#fff}.node{fill:none;stroke:#222;stroke-width:1.3px}\n"
    ".rest{fill:#d5d5d5}.dom0{fill:#999}.local{fill:#56b4e9}\n"
    ".remote{fill:url(#hatch)}\n"
    ".rest,.dom0,.local,.remote,.key{stroke:#444;stroke-width:.7px}\n"
    ".gauge{fill:none;stroke:#444}.busy{fill:#009e73}\n"
    ".arrow{fill:none;stroke:#d55e00}.dot,.tip{fill:#d55e00}\n"
    ".d0{fill:#fff}.d1{fill:#c6dbef}.d2{fill:#85b5da}.d3{fill:#3f7fb5}\n"
    ".d4{fill:#1b4f86}.dx{fill:#ddd}.d0,.d1,.d2,.d3,.d4,.dx{stroke:#fff}\n"
    "@media (prefers-color-scheme:dark){text{fill:#eee}\n"
    ".bg{fill:#1c1c1e}.socket{fill:#2a2a2d;stroke:#555}.free{fill:#1c1c1e}\n"
    ".node,.gauge{stroke:#ddd}.rest{fill:#55555a}.n0,.in,.far{fill:#111}\n"
    ".badge,.n1{fill:#fff}}";

static const char definitions[] =
    "<defs><pattern id=\"hatch\" width=\"7\" height=\"7\" "
    "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
    "<rect width=\"7\" height=\"7\" fill=\"#fcd0ae\"/>"
    "<rect width=\"3\" height=\"7\" fill=\"#d55e00\"/></pattern>"
    "<marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"6\" refY=\"4\" "
    "markerWidth=\"11\" markerHeight=\"11\" markerUnits=\"userSpaceOnUse\" "
    "orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker>"
    "</defs>\n";

static const char *const classes[MAP_NR_KINDS] = {
    [MAP_REST] = "rest", [MAP_DOM0] = "dom0", [MAP_LOCAL] = "local",
    [MAP_REMOTE] = "remote",
};

struct picture {
    const struct map *map;
    FILE *f;
    struct spot { unsigned row, column; } *spots;   /* of the nodes */
    unsigned nr_rows;
    double pitch, bar;          /* the width of a column, and of its bar */
    double height;              /* of the largest node */
};

/* ---- where the nodes are ---- */

static unsigned socket_end(const struct map *map, unsigned first)
{
    unsigned i;

    for (i = first + 1; i < map->nr_nodes; i++)
        if (map->nodes[i].socket != map->nodes[first].socket)
            break;
    return i;
}

/* A socket that does not fit into what is left of a row begins a new one. */
static void place_nodes(struct picture *p)
{
    unsigned row = 0, column = 0, first, end;

    for (first = 0; first < p->map->nr_nodes; first = end) {
        end = socket_end(p->map, first);
        if (column && column + end - first > PER_ROW) {
            row++;
            column = 0;
        }
        for (unsigned i = first; i < end; i++) {
            if (column == PER_ROW) {
                row++;
                column = 0;
            }
            p->spots[i] = (struct spot){ row, column++ };
        }
    }
    p->nr_rows = row + 1;
}

static int lay_out(struct picture *p)
{
    unsigned columns = p->map->nr_nodes < PER_ROW ? p->map->nr_nodes : PER_ROW;
    unsigned pitch = NODES_WIDTH / (columns ? columns : 1);

    p->spots = calloc(p->map->nr_nodes + 1, sizeof(*p->spots));
    if (!p->spots)
        return -ENOMEM;
    place_nodes(p);
    p->pitch = pitch < PITCH_MAX ? pitch : PITCH_MAX;
    p->bar = p->pitch - COLUMN_GAP;
    p->height = p->nr_rows == 1 ? 320 : p->nr_rows == 2 ? 230 : 150;
    return 0;
}

static double row_height(const struct picture *p)
{
    return HEADS + p->height + FEET + ARROWS;
}

static double left_of(const struct picture *p, unsigned i)
{
    return MARGIN + p->spots[i].column * p->pitch + COLUMN_GAP / 2.0;
}

static double middle_of(const struct picture *p, unsigned i)
{
    return left_of(p, i) + p->bar / 2;
}

static double bottom_of(const struct picture *p, unsigned i)
{
    return TOP + p->spots[i].row * row_height(p) + HEADS + p->height;
}

static double scaled(const struct picture *p, uint64_t bytes)
{
    return (double)bytes / p->map->largest_bytes * p->height;
}

static unsigned index_of(const struct map *map, unsigned node)
{
    unsigned i;

    for (i = 0; i + 1 < map->nr_nodes && map->nodes[i].node != node; i++)
        ;
    return i;
}

/* ---- sockets ---- */

static void draw_socket(const struct picture *p, unsigned first, unsigned end)
{
    const struct map_node *n = &p->map->nodes[first];
    double x = left_of(p, first) - 4;
    double y = bottom_of(p, first) - p->height - HEADS;

    svg_rect(p->f, "socket", x, y, (end - first) * p->pitch - COLUMN_GAP + 8,
             HEADS + p->height + FEET);
    if (n->socket == XLN_NONE)
        svg_text(p->f, "b", x + 6, y + 15, p->pitch < 80 ? "memory" :
                 "memory only");
    else
        svg_text(p->f, "b", x + 6, y + 15, "socket %u", n->socket);
}

static void draw_sockets(const struct picture *p)
{
    unsigned first, end, last;

    for (first = 0; first < p->map->nr_nodes; first = end) {
        last = socket_end(p->map, first);
        for (end = first + 1; end < last; end++)
            if (p->spots[end].row != p->spots[first].row)
                break;
        draw_socket(p, first, end);
    }
}

/* ---- nodes ---- */

static unsigned number_of(const struct picture *p, const struct map_domain *d)
{
    unsigned number = d - p->map->domains + 1;

    return d->is_remote && number <= NR_SHOWN ? number : 0;
}

static void draw_badge(FILE *f, double x, double y, unsigned number)
{
    fprintf(f, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"8\"/>\n", x,
            y);
    svg_text(f, "badge", x, y + 4, "%u", number);
}

#define PART_SIZE (LABEL_SIZE(MAP_LABEL_MAX) + 32)

/* Without the memory. */
static void name_part(const struct map_part *part, unsigned max,
                      char name[PART_SIZE])
{
    static const char *const words[] = { " domains", " dom.", "" };
    unsigned i;

    if (part->domain) {
        label_put(part->domain->label, max < MAP_LABEL_MAX ? max :
                  MAP_LABEL_MAX, name);
        return;
    }
    if (part->kind == MAP_REST) {
        snprintf(name, PART_SIZE, "%s", max > 9 ? "Xen, other" : "");
        return;
    }
    for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
        snprintf(name, PART_SIZE, "%u%s", part->nr_domains, words[i]);
        if (label_length(name) <= max)
            return;
    }
}

/* "web 512", "12 domains 300", or the name alone where there is no room. */
static void part_text(const struct map_part *part, unsigned max,
                      char text[PART_SIZE])
{
    char size[24];

    snprintf(size, sizeof(size), " %" PRIu64, part->bytes >> 20);
    name_part(part, max, text);
    if (*text && label_length(text) + strlen(size) <= max)
        memcpy(text + strlen(text), size, strlen(size) + 1);
}

static void draw_part(const struct picture *p, const struct map_part *part,
                      double x, double y, double height)
{
    unsigned number = part->domain && part->kind == MAP_REMOTE
                          ? number_of(p, part->domain) : 0;
    double room = p->bar - 4 - (number ? 18 : 0);
    char text[PART_SIZE];

    svg_rect(p->f, classes[part->kind], x, y, p->bar, height);
    if (part->domain && part->kind == MAP_REMOTE && number && height >= 6)
        draw_badge(p->f, x + p->bar - 9, y + height / 2, number);
    if (height < LEAST_PART - 2)
        return;
    part_text(part, room / CHARACTER, text);
    /* No more than the bar, however wide its characters are. */
    fprintf(p->f, "<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
            "height=\"%.1f\">\n", x, y, p->bar, height);
    svg_text(p->f, part->kind == MAP_REMOTE ? "far" : "in", 2 + room / 2,
             height / 2 + 4, "%s", text);
    fputs("</svg>\n", p->f);
}

/* From the bottom up. More memory than there is room for is not drawn: what
 * domains were granted at build may be less by now. */
static int draw_parts(const struct picture *p, unsigned i, double *top_r)
{
    const struct map_node *n = &p->map->nodes[i];
    double y = bottom_of(p, i), end = y - scaled(p, n->total_bytes), height;
    uint64_t least = LEAST_PART / p->height * p->map->largest_bytes;
    struct map_part *parts;
    unsigned nr, j;
    int rc = map_merge(n, least, &parts, &nr);

    if (rc)
        return rc;
    for (j = 0; j < nr; j++) {
        height = scaled(p, parts[j].bytes);
        if (parts[j].kind == MAP_REMOTE && height < LEAST_REMOTE)
            height = LEAST_REMOTE;
        if (height > y - end)
            height = y - end;
        y -= height;
        if (height > 0)
            draw_part(p, &parts[j], left_of(p, i), y, height);
    }
    free(parts);
    *top_r = y;
    return 0;
}

static void draw_vcpus(const struct picture *p, unsigned i)
{
    const struct map_node *n = &p->map->nodes[i];
    double x = left_of(p, i), y = bottom_of(p, i) + 6, share;

    if (!n->nr_cpus) {
        svg_text(p->f, "sm", middle_of(p, i), y + 18, "no CPUs");
        return;
    }
    share = (double)n->nr_vcpus / n->nr_cpus;
    if (n->nr_vcpus)
        svg_rect(p->f, "busy", x, y, p->bar * (share < 1 ? share : 1), 8);
    svg_rect(p->f, "gauge", x, y, p->bar, 8);
    svg_text(p->f, "sm", middle_of(p, i), y + 20, p->bar < 80 ? "%u/%u" :
             "%u vCPUs / %u", n->nr_vcpus, n->nr_cpus);
}

static int draw_node(const struct picture *p, unsigned i)
{
    const struct map_node *n = &p->map->nodes[i];
    double x = left_of(p, i), height = scaled(p, n->total_bytes);
    double y = bottom_of(p, i) - height, top = y;
    int rc;

    svg_text(p->f, "b m", middle_of(p, i), y - 7,
             p->pitch < PITCH_NAMED ? "%u" : "node %u", n->node);
    svg_rect(p->f, "free", x, y, p->bar, height);
    rc = draw_parts(p, i, &top);
    if (top - y >= LEAST_PART)
        svg_text(p->f, "sm", middle_of(p, i), y + 11, p->bar < 66 ?
                 "%" PRIu64 : "%" PRIu64 " free", n->free_bytes >> 20);
    svg_rect(p->f, "node", x, y, p->bar, height);
    draw_vcpus(p, i);
    return rc;
}

/* ---- arrows ---- */

/* From below the vCPUs to below the memory, or, where that is further down, to
 * its top. */
static void draw_arrow(const struct picture *p, unsigned i)
{
    const struct map_domain *d = &p->map->domains[i];
    unsigned from = index_of(p->map, d->vcpu_node);
    unsigned to = index_of(p->map, d->memory_node);
    double dip = 22 + i % 3 * 11, width, y2;
    double x1 = middle_of(p, from) - 10 + i % 3 * 10;
    double x2 = middle_of(p, to) - 10 + i % 3 * 10;
    double y1 = bottom_of(p, from) + FEET;
    bool down = p->spots[to].row > p->spots[from].row;

    y2 = down ? bottom_of(p, to) - p->height - HEADS : bottom_of(p, to) + FEET;
    width = 1.5 + 5 * scaled(p, d->remote_bytes) / p->height;
    fprintf(p->f, "<path class=\"arrow\" stroke-width=\"%.1f\" "
            "marker-end=\"url(#tip)\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f "
            "%.1f %.1f\"/>\n", width > 6.5 ? 6.5 : width, x1, y1, x1,
            y1 + dip, x2, down ? y2 - dip : y2 + dip, x2, y2);
    draw_badge(p->f, (x1 + x2) / 2, down ? (y1 + y2) / 2 : p->spots[to].row ==
               p->spots[from].row ? y1 + dip * 0.75 : (y1 + y2) / 2 + dip,
               i + 1);
}

/* ---- the panel ---- */

static int draw_entry(const struct picture *p, unsigned i, double y)
{
    const struct map_domain *d = &p->map->domains[i];
    unsigned percent = d->remote_bytes / (d->total_bytes / 100.0);
    char *home, distance[32] = "";
    int rc = xln_nodemap_format(d->home, &home);

    if (rc)
        return rc;
    if (d->distance != XLN_NONE)
        snprintf(distance, sizeof(distance), ", distance %u", d->distance);
    draw_badge(p->f, PANEL_LEFT + 9, y, i + 1);
    svg_text(p->f, "b", PANEL_LEFT + 24, y + 4, "%s", d->label);
    svg_text(p->f, "s", PANEL_LEFT + 24, y + 19, "%" PRIu64 " MiB (%u %%) on "
             "node %u, vCPUs on %.12s%s", d->remote_bytes >> 20,
             percent ? percent : 1, d->memory_node, home, distance);
    free(home);
    return 0;
}

static int draw_list(const struct picture *p, double *y_r)
{
    unsigned nr = p->map->nr_remote, i;
    double y = *y_r + 30;
    int rc = 0;

    if (!nr)
        return 0;
    svg_text(p->f, "b", PANEL_LEFT, *y_r + 12, "Remote domains, the worst one "
             "first");
    for (i = 0; i < nr && i < NR_SHOWN && !rc; i++) {
        rc = draw_entry(p, i, y);
        y += ENTRY;
    }
    if (nr > NR_SHOWN) {
        svg_text(p->f, "s", PANEL_LEFT + 24, y + 4, "and %u more: see xl "
                 "numa-stat", nr - NR_SHOWN);
        y += 20;
    }
    *y_r = y + 10;
    return rc;
}

static unsigned farthest(const struct map *map)
{
    unsigned most = 11, i, j, distance;

    for (i = 0; i < map->nr_nodes; i++) {
        for (j = 0; j < map->nr_nodes; j++) {
            distance = xln_host_distance(map->snapshot->host,
                                         map->nodes[i].node,
                                         map->nodes[j].node);
            if (distance != XLN_NONE && distance > most)
                most = distance;
        }
    }
    return most;
}

static void draw_cell(const struct picture *p, unsigned distance,
                      unsigned most, double x, double y, double cell)
{
    char class[] = "dx";
    unsigned shade = 0;

    if (distance != XLN_NONE) {
        if (distance > 10)
            shade = 1 + (distance - 11.0) / (most - 10) * (NR_SHADES - 1);
        class[1] = '0' + (shade < NR_SHADES ? shade : NR_SHADES - 1);
    }
    svg_rect(p->f, class, x, y, cell, cell);
    if (cell < CELL_NUMBERS)
        return;
    if (distance == XLN_NONE)
        svg_text(p->f, "n0", x + cell / 2, y + cell / 2 + 3, "?");
    else
        svg_text(p->f, shade > 2 ? "n1" : "n0", x + cell / 2, y + cell / 2 + 3,
                 "%u", distance);
}

/* Without numbers there are those of the first and the last node alone. */
static void draw_matrix_heads(const struct picture *p, double x, double y,
                              double cell)
{
    unsigned nr = p->map->nr_nodes, i;

    for (i = 0; i < nr; i++) {
        if (cell < CELL_NUMBERS && i && i + 1 < nr)
            continue;
        svg_text(p->f, "sm", x + (i + 0.5) * cell, y - 3, "%u",
                 p->map->nodes[i].node);
        svg_text(p->f, "sm", x - 10, y + (i + 0.5) * cell + 4, "%u",
                 p->map->nodes[i].node);
    }
}

static double draw_matrix(const struct picture *p, double y)
{
    const struct map *map = p->map;
    unsigned nr = map->nr_nodes, most = farthest(map), i, j;
    double cell = (PANEL_WIDTH - 24.0) / (nr ? nr : 1), x = PANEL_LEFT + 24;

    if (nr < 2 || nr > MATRIX_MAX)
        return y;
    if (cell > CELL_MAX)
        cell = CELL_MAX;
    svg_text(p->f, "b", PANEL_LEFT, y + 12, "Distances from node to node, 10 "
             "to %u", most);
    y += 32;
    draw_matrix_heads(p, x, y, cell);
    for (i = 0; i < nr; i++)
        for (j = 0; j < nr; j++)
            draw_cell(p, xln_host_distance(map->snapshot->host,
                                           map->nodes[i].node,
                                           map->nodes[j].node),
                      most, x + j * cell, y + i * cell, cell);
    return y + nr * cell + 16;
}

static double draw_legend(const struct picture *p, double y)
{
    static const struct { const char *class, *text; } keys[] = {
        { "remote", "remote: not on the nodes of its vCPUs" },
        { "local", "local to its vCPUs" },
        { "dom0", "Domain-0" },
        { "rest", "Xen, and what is not known" },
        { "free key", "free" },
        { "busy", "vCPUs that run there; full: one per CPU" },
    };
    unsigned i;

    for (i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        svg_rect(p->f, keys[i].class, PANEL_LEFT, y + (i == 5 ? 3 : 0), 20,
                 i == 5 ? 8 : 14);
        svg_text(p->f, "", PANEL_LEFT + 28, y + 11, "%s", keys[i].text);
        y += 20;
    }
    fprintf(p->f, "<path class=\"arrow\" stroke-width=\"2.5\" marker-end="
            "\"url(#tip)\" d=\"M%d %.1fh20\"/>\n", PANEL_LEFT, y + 7);
    svg_text(p->f, "", PANEL_LEFT + 28, y + 11,
             "from vCPUs to their remote memory");
    svg_text(p->f, "s", PANEL_LEFT, y + 34, "Sizes in MiB; the height of a "
             "node is its memory.");
    return y + 44;
}

/* ---- all of it ---- */

/* Into memory first: what it has decides how high the picture is. */
static int draw(struct picture *p, double *height_r)
{
    double y = TOP, nodes = TOP + p->nr_rows * row_height(p);
    unsigned i;
    int rc = 0;

    draw_sockets(p);
    for (i = 0; i < p->map->nr_nodes && !rc; i++)
        rc = draw_node(p, i);
    for (i = 0; i < p->map->nr_remote && i < NR_SHOWN; i++)
        draw_arrow(p, i);
    if (!rc)
        rc = draw_list(p, &y);
    y = draw_matrix(p, y);
    y = draw_legend(p, y);
    *height_r = (y > nodes ? y : nodes) + MARGIN;
    return rc;
}

/* The headline, or the line below it. */
static int head_text(const struct map *map, bool second, char **text_r)
{
    size_t size;
    FILE *f = open_memstream(text_r, &size);

    if (!f)
        return -ENOMEM;
    if (!second) {
        map_print_headline(map, HEADLINE_MAX, f);
    } else {
        map_print_origin(map, f);
        fputs(": ", f);
        map_print_size(map, f);
    }
    return fclose(f) || !*text_r ? -ENOMEM : 0;
}

static int print_around(const struct picture *p, const char *body,
                        double height, FILE *f)
{
    char *headline = NULL, *second = NULL;
    int rc = head_text(p->map, false, &headline);

    if (!rc)
        rc = head_text(p->map, true, &second);
    if (!rc) {
        svg_begin(headline, style, WIDTH, height, f);
        fputs(definitions, f);
        svg_text(f, "h", MARGIN, 36, "%s", headline);
        svg_text(f, "", MARGIN, 60, "%s", second);
        fputs(body, f);
        svg_end(f);
    }
    free(headline);
    free(second);
    return rc;
}

int map_svg_print(const struct map *map, FILE *f)
{
    struct picture p = { .map = map };
    char *body = NULL;
    double height = 0;
    size_t size;
    int rc = lay_out(&p);

    if (!rc && !(p.f = open_memstream(&body, &size)))
        rc = -ENOMEM;
    if (!rc)
        rc = draw(&p, &height);
    if (p.f && (fclose(p.f) || !body) && !rc)
        rc = -ENOMEM;
    if (!rc)
        rc = print_around(&p, body, height, f);
    free(body);
    free(p.spots);
    return rc;
}
