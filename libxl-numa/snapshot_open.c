/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_capabilities.h"
#include "host_hwloc.h"
#include "host_text.h"
#include "libxl_numa_foreign.h"
#include "text/from_errno.h"
#include "text/read_stream.h"
#include "text/refuse.h"
#include "text/xml.h"

/* ---- what it is ---- */

/* The two outermost elements that come first; with these it is known. */
struct roots {
    char root[32], child[32];
};

#define ENOUGH 1

static int note_root(void *priv, struct xln__xml *xml)
{
    const char *name = strrchr(xln__xml_path(xml), '/') + 1;
    struct roots *roots = priv;
    bool outermost = xln__xml_depth(xml) == 1;

    snprintf(outermost ? roots->root : roots->child, sizeof(roots->root),
             "%s", name);
    return outermost ? 0 : ENOUGH;
}

static int no_end(void *priv, struct xln__xml *xml, const char *text)
{
    (void)priv;
    (void)xml;
    (void)text;
    return 0;
}

static int read_roots(const char *text, size_t size, struct roots *roots,
                      char **error_r)
{
    static const struct xln__xml_events events = { note_root, no_end };
    int rc;

    rc = xln__xml_read(text, size, &events, roots, error_r);
    return rc == ENOUGH ? 0 : rc;
}

static int host_from_xml(const char *text, size_t size,
                         struct xln_host **host_r, char **note_r,
                         char **error_r)
{
    struct roots roots = { "", "" };
    int rc;

    rc = read_roots(text, size, &roots, error_r);
    if (rc)
        return rc;
    if (!strcmp(roots.root, "topology") && !strcmp(roots.child, "object"))
        return xln__host_from_hwloc(text, size, host_r, note_r, error_r);
    if (!strcmp(roots.root, "capabilities") ||
        (!strcmp(roots.root, "topology") && !strcmp(roots.child, "cells")))
        return xln__host_from_capabilities(text, size, host_r, note_r,
                                           error_r);
    return xln__refuse(error_r, "<%s> with <%s>: expected <topology> of "
                       "hwloc, or <capabilities> or <topology> of libvirt",
                       roots.root, roots.child);
}

/* '\0': there is nothing. */
static char first_of(const char *text, size_t size)
{
    size_t at = xln__text_begins_at(text, size);

    return at < size ? text[at] : '\0';
}

static bool is_xml(const char *text, size_t size)
{
    return first_of(text, size) == '<';
}

/* ---- snapshots ---- */

/* Nothing else is known of it. */
static int snapshot_of(struct xln_host *host, struct xln_snapshot **snapshot_r)
{
    struct xln_snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (!snapshot) {
        xln_host_free(host);
        return -ENOMEM;
    }
    snapshot->host = host;
    *snapshot_r = snapshot;
    return 0;
}

/* "WORD: what", of what was only "what". */
static void name_source(const char *word, char **error)
{
    char *what = *error;

    if (what && asprintf(error, "%s: %s", word, what) < 0)
        *error = NULL;
    free(what);
}

static int finish(int rc, const char *word, struct xln_host *host, char *note,
                  struct xln_snapshot **snapshot_r, char **note_r,
                  char **error_r)
{
    if (rc) {
        name_source(word, error_r);
        return rc;
    }
    rc = snapshot_of(host, snapshot_r);
    if (rc)
        free(note);
    else
        *note_r = note;
    return rc;
}

static int open_synthetic(const char *word, struct xln_snapshot **snapshot_r,
                          char **note_r, char **error_r)
{
    struct xln_host *host = NULL;
    char *note = NULL;
    int rc;

    rc = xln__host_from_synthetic(word, &host, &note, error_r);
    return finish(rc, word, host, note, snapshot_r, note_r, error_r);
}

/* ---- what kind it is ---- */

typedef int reader(const char *text, size_t size, struct xln_host **host_r,
                   char **note_r, char **error_r);

static const struct kind {
    bool (*is)(const char *text, size_t size);
    reader *read;
} kinds[] = {
    { is_xml, host_from_xml },
    { xln__is_numactl, xln__host_from_numactl },
    { xln__is_xl_info, xln__host_from_xl_info },
    { xln__is_lscpu, xln__host_from_lscpu },
};

static reader *find_reader(const char *text, size_t size)
{
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (kinds[i].is(text, size))
            return kinds[i].read;
    }
    return NULL;
}

static int refuse_kind(const char *word, char **error_r)
{
    return xln__refuse(error_r, "%s: expected JSON of xl numa-snapshot, XML of "
                       "hwloc or libvirt, or output of numactl -H, xl info -n "
                       "or lscpu -p", word);
}

/* What reads JSON does so from a stream. */
static int open_json(char *text, size_t size, const char *word,
                     struct xln_snapshot **snapshot_r, char **error_r)
{
    FILE *f = fmemopen(text, size, "re");
    int rc;

    if (!f)
        return xln__from_errno();
    rc = xln_snapshot_load(f, word, snapshot_r, error_r);
    fclose(f);
    return rc;
}

static int open_text(char *text, size_t size, const char *word,
                     struct xln_snapshot **snapshot_r, char **note_r,
                     char **error_r)
{
    struct xln_host *host = NULL;
    char *note = NULL;
    reader *read;
    int rc;

    if (first_of(text, size) == '{')
        return open_json(text, size, word, snapshot_r, error_r);
    read = find_reader(text, size);
    if (!read)
        return refuse_kind(word, error_r);
    rc = read(text, size, &host, &note, error_r);
    if (size > XLN__XML_MAX_BYTES && rc == -EINVAL)
        rc = -EFBIG;
    return finish(rc, word, host, note, snapshot_r, note_r, error_r);
}

static int open_file(FILE *f, const char *word,
                     struct xln_snapshot **snapshot_r, char **note_r,
                     char **error_r)
{
    char *text;
    size_t size;
    int rc;

    rc = xln__read_stream(f, XLN__XML_MAX_BYTES, &text, &size);
    if (rc) {
        xln__refuse(error_r, "%s: %s", word, strerror(-rc));
        return rc;
    }
    rc = open_text(text, size, word, snapshot_r, note_r, error_r);
    free(text);
    return rc;
}

/* A type, a colon, a number: "node:4". */
static bool looks_synthetic(const char *word)
{
    const char *colon = strchr(word, ':');

    return colon && !strchr(word, '/') && isdigit((unsigned char)colon[1]);
}

int xln_snapshot_open(const char *word, struct xln_snapshot **snapshot_r,
                     char **note_r, char **error_r)
{
    bool is_stdin = !strcmp(word, "-");
    FILE *f;
    int rc;

    *note_r = NULL;
    *error_r = NULL;
    f = is_stdin ? stdin : fopen(word, "re");
    if (!f) {
        rc = -errno;
        if (rc == -ENOENT && looks_synthetic(word))
            return open_synthetic(word, snapshot_r, note_r, error_r);
        xln__refuse(error_r, "%s: %s", word, strerror(-rc));
        return rc;
    }
    rc = open_file(f, word, snapshot_r, note_r, error_r);
    if (!is_stdin)
        fclose(f);
    return rc;
}
