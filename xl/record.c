/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "record.h"

static void record_path(char *path, size_t size, uint32_t domid,
                        const char *key)
{
    snprintf(path, size, "/libxl/%" PRIu32 "/numa/%s", domid, key);
}

void record_write(uint32_t domid, const char *nodes, const char *pages)
{
    struct xs_handle *xs = xs_open(0);
    char path[64];

    if (!xs)
        return;
    record_path(path, sizeof(path), domid, "nodes");
    xs_write(xs, XBT_NULL, path, nodes, strlen(nodes));
    record_path(path, sizeof(path), domid, "pages");
    if (pages)
        xs_write(xs, XBT_NULL, path, pages, strlen(pages));
    xs_close(xs);
}

int record_read(uint32_t domid, char **nodes_r, char **pages_r)
{
    struct xs_handle *xs = xs_open(0);
    char path[64];

    if (!xs)
        return -errno;
    record_path(path, sizeof(path), domid, "nodes");
    *nodes_r = xs_read(xs, XBT_NULL, path, NULL);
    record_path(path, sizeof(path), domid, "pages");
    *pages_r = xs_read(xs, XBT_NULL, path, NULL);
    xs_close(xs);
    return *nodes_r ? 0 : -ENOENT;
}

/* "1:20480,2:20480" */
static int parse_pages(const char *text, uint64_t *pages, unsigned nr_nodes)
{
    unsigned long node;
    char *end;

    memset(pages, 0, nr_nodes * sizeof(*pages));
    for (;;) {
        node = strtoul(text, &end, 10);
        if (end == text || *end != ':' || node >= nr_nodes)
            return -EINVAL;
        text = end + 1;
        pages[node] = strtoull(text, &end, 10);
        if (end == text || (*end && *end != ','))
            return -EINVAL;
        if (!*end)
            return 0;
        text = end + 1;
    }
}

int record_read_pages(uint32_t domid, uint64_t *pages, unsigned nr_nodes)
{
    char *nodes = NULL, *text = NULL;
    int rc;

    rc = record_read(domid, &nodes, &text);
    if (!rc)
        rc = text ? parse_pages(text, pages, nr_nodes) : -ENOENT;
    free(nodes);
    free(text);
    return rc;
}
