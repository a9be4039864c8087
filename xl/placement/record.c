/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl.h>
#include <xenstore.h>

#include <libxl_numa.h>

#include "text/from_errno.h"
#include "record.h"

/* 4 PiB on one node: no sum of such numbers overflows. */
#define PAGES_MAX (UINT64_C(1) << 40)

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

void record_write_vnodes(uint32_t domid, const char *vnodes)
{
    struct xs_handle *xs = xs_open(0);
    char path[64];

    if (!xs)
        return;
    record_path(path, sizeof(path), domid, "vnodes");
    xs_write(xs, XBT_NULL, path, vnodes, strlen(vnodes));
    xs_close(xs);
}

static int hide_path(struct xs_handle *xs, const char *path)
{
    struct xs_permissions dom0_alone = { .id = 0, .perms = XS_PERM_NONE };

    return xs_set_permissions(xs, XBT_NULL, path, &dom0_alone, 1)
               ? 0 : xln__from_errno();
}

static int hide_all(struct xs_handle *xs, const char *dir)
{
    char path[256], **names;
    unsigned i, nr;
    int rc = 0;

    names = xs_directory(xs, XBT_NULL, dir, &nr);
    if (!names)
        return errno == ENOENT ? 0 : xln__from_errno();
    for (i = 0; i < nr && !rc; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        rc = hide_path(xs, path);
    }
    free(names);
    return rc ? rc : hide_path(xs, dir);
}

int record_hide_request(uint32_t domid)
{
    struct xs_handle *xs = xs_open(0);
    char dir[64];
    int rc;

    if (!xs)
        return xln__from_errno();
    snprintf(dir, sizeof(dir), "/local/domain/%" PRIu32 "/numa", domid);
    rc = hide_all(xs, dir);
    xs_close(xs);
    return rc;
}

static int read_path(struct xs_handle *xs, const char *path, char **text_r)
{
    *text_r = xs_read(xs, XBT_NULL, path, NULL);
    return *text_r ? 0 : xln__from_errno();
}

static int read_both(struct xs_handle *xs, uint32_t domid, char **nodes_r,
                     char **pages_r)
{
    char path[64];
    int rc;

    record_path(path, sizeof(path), domid, "nodes");
    rc = read_path(xs, path, nodes_r);
    if (rc)
        return rc;
    record_path(path, sizeof(path), domid, "pages");
    rc = read_path(xs, path, pages_r);
    if (!rc || rc == -ENOENT)
        return 0;
    free(*nodes_r);
    *nodes_r = NULL;
    return rc;
}

int record_read(struct xs_handle *xs, uint32_t domid, char **nodes_r,
                char **pages_r)
{
    struct xs_handle *own = xs ? NULL : xs_open(0);
    int rc;

    *nodes_r = *pages_r = NULL;
    if (!xs && !own)
        return xln__from_errno();
    rc = read_both(xs ? xs : own, domid, nodes_r, pages_r);
    xs_close(own);
    return rc;
}

/* Reads digits; returns their end, or NULL if there are none. */
static const char *read_number(const char *text, uint64_t *number_r)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return NULL;
    errno = 0;
    *number_r = strtoull(text, &end, 10);
    return errno ? NULL : end;
}

char *record_vnodes_text(const unsigned *nodes, unsigned nr)
{
    char *text = NULL;
    size_t size;
    unsigned i;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (i = 0; i < nr; i++)
        fprintf(f, "%s%u", i ? "," : "", nodes[i]);
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}

unsigned record_parse_vnodes(const char *text, unsigned *nodes, unsigned max)
{
    unsigned nr = 0;
    uint64_t node;

    for (;; text++) {
        text = read_number(text, &node);
        if (!text || (*text && *text != ',') || node >= XLN_MAX_NODES ||
            nr == max)
            return 0;
        nodes[nr++] = node;
        if (!*text)
            return nr;
    }
}

int record_read_vnodes(uint32_t domid, char **vnodes_r)
{
    struct xs_handle *xs = xs_open(0);
    char path[64];
    int rc;

    if (!xs)
        return xln__from_errno();
    record_path(path, sizeof(path), domid, "vnodes");
    rc = read_path(xs, path, vnodes_r);
    xs_close(xs);
    return rc;
}

int record_parse_pages(const char *text, unsigned nr_nodes, uint64_t *pages_r)
{
    uint64_t node, pages;

    memset(pages_r, 0, nr_nodes * sizeof(*pages_r));
    for (;; text++) {
        text = read_number(text, &node);
        if (!text || *text != ':' || node >= nr_nodes)
            return -EINVAL;
        text = read_number(text + 1, &pages);
        if (!text || (*text && *text != ',') || pages >= PAGES_MAX)
            return -EINVAL;
        pages_r[node] = pages;
        if (!*text)
            return 0;
    }
}

int record_read_pages(struct xs_handle *xs, uint32_t domid, uint64_t *pages,
                      unsigned nr_nodes)
{
    char *nodes = NULL, *text = NULL;
    int rc;

    rc = record_read(xs, domid, &nodes, &text);
    if (!rc)
        rc = text ? record_parse_pages(text, nr_nodes, pages) : -ENOENT;
    free(nodes);
    free(text);
    return rc;
}

int record_read_start(struct xs_handle *xs, const uint8_t uuid[16],
                      int64_t *start_r)
{
    char path[64], *text;
    libxl_uuid id;
    int rc;

    memcpy(id.uuid, uuid, sizeof(id.uuid));
    snprintf(path, sizeof(path), "/vm/" LIBXL_UUID_FMT "/start_time",
             LIBXL_UUID_BYTES(id));
    rc = read_path(xs, path, &text);
    if (rc)
        return rc;
    *start_r = strtoll(text, NULL, 10);
    free(text);
    return *start_r > 0 ? 0 : -ENOENT;
}
