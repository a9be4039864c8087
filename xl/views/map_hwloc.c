/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The map as XML of hwloc, for lstopo: near each node its domains. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "libxl_numa_foreign.h"
#include "map_view.h"

#define TEXT_SIZE (LABEL_SIZE(MAP_LABEL_MAX) + 80)

struct notes {
    struct xln_hwloc_note *list;
    char (*texts)[TEXT_SIZE];
    unsigned nr;
};

/* The colours of the picture. */
static const char *const colours[MAP_NR_KINDS] = {
    [MAP_DOM0] = "#999999", [MAP_LOCAL] = "#56b4e9", [MAP_REMOTE] = "#e8762c",
};

/* "web 200 MiB", "web 200 MiB (remote, distance 31)" */
static void add_note(const struct map_node *n, const struct map_part *part,
                     struct notes *notes)
{
    const struct map_domain *d = part->domain;
    char *text = notes->texts[notes->nr];
    char remote[48] = "";

    if (part->kind == MAP_REMOTE && d->memory_node == n->node &&
        d->distance != XLN_NONE)
        snprintf(remote, sizeof(remote), " (remote, distance %u)",
                 d->distance);
    else if (part->kind == MAP_REMOTE)
        snprintf(remote, sizeof(remote), " (remote)");
    snprintf(text, TEXT_SIZE, "%s %" PRIu64 " MiB%s", d->label,
             part->bytes >> 20, remote);
    notes->list[notes->nr++] = (struct xln_hwloc_note){
        .node = n->node, .text = text, .colour = colours[part->kind],
    };
}

static int new_notes(const struct map *map, struct notes *notes)
{
    size_t nr = 0;
    unsigned i;

    for (i = 0; i < map->nr_nodes; i++)
        nr += map->nodes[i].nr_parts;
    notes->list = calloc(nr + 1, sizeof(*notes->list));
    notes->texts = calloc(nr + 1, sizeof(*notes->texts));
    return notes->list && notes->texts ? 0 : -ENOMEM;
}

int map_hwloc_print(const struct map *map, FILE *f)
{
    struct notes notes = { 0 };
    int rc = new_notes(map, &notes);

    for (unsigned i = 0; i < map->nr_nodes && !rc; i++) {
        const struct map_node *n = &map->nodes[i];

        for (unsigned j = 0; j < n->nr_parts; j++)
            if (n->parts[j].domain)
                add_note(n, &n->parts[j], &notes);
    }
    if (!rc)
        rc = xln_host_save_hwloc_notes(map->snapshot->host, notes.list,
                                       notes.nr, f);
    free(notes.list);
    free(notes.texts);
    return rc;
}
