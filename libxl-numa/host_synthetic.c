/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if HAVE_HWLOC
#include <hwloc.h>
#include <hwloc/export.h>
#endif

#include "host_assume.h"
#include "host_hwloc.h"
#include "text/refuse.h"
#include "text/xml.h"

#if HAVE_HWLOC

#define MAX_BYTES 1024
#define MAX_OBJECTS (4 * XLN__SYNTHETIC_MAX_CPUS)

/* Skip attributes, "(memory=1GB size=...)". */
static const char *skip_attributes(const char *s)
{
    return s + strcspn(s, ")");
}

/*
 * Whether hwloc would make a small host of it. Each level has so many objects
 * for each of the level above, and "[numa]" adds one to each object of its
 * level. Only the counts are read here; hwloc checks the string.
 */
static bool is_small(const char *string)
{
    uint64_t width = 1, nr_objects = 0;
    const char *s;

    for (s = string; *s; s++) {
        if (*s == '(') {
            s = skip_attributes(s);
            if (!*s)
                break;
        } else if (*s == '[') {
            nr_objects += width;
        } else if (*s >= '0' && *s <= '9' &&
                   (s == string || strchr(": ", s[-1]))) {
            char *end;
            unsigned long nr = strtoul(s, &end, 0);

            if (nr > XLN__SYNTHETIC_MAX_CPUS)
                return false;
            width *= nr;
            nr_objects += width;
            s = end - 1;
        }
        if (width > XLN__SYNTHETIC_MAX_CPUS || nr_objects > MAX_OBJECTS)
            return false;
    }
    return true;
}

static int check(const char *string, char **error_r)
{
    if (strlen(string) > MAX_BYTES)
        return xln__refuse(error_r, "it is longer than %u characters",
                           MAX_BYTES);
    if (!is_small(string))
        return xln__refuse(error_r, "expected at most %u CPUs and %u objects",
                           XLN__SYNTHETIC_MAX_CPUS, MAX_OBJECTS);
    return 0;
}

/* "line 17: what": remove the line number. It is a line of hwloc's XML, which
 * the user has not seen. */
static void forget_line(char *error)
{
    static const char line[] = "line ";
    const char *what = error ? strstr(error, ": ") : NULL;

    if (what && !strncmp(error, line, strlen(line)))
        memmove(error, what + 2, strlen(what + 2) + 1);
}

/* hwloc exports the host as XML, so that one reader makes all such hosts. */
static int export(hwloc_topology_t topology, struct xln_host **host_r,
                  char **note_r, char **error_r)
{
    char *xml;
    int size, rc;

    if (hwloc_topology_export_xmlbuffer(topology, &xml, &size, 0))
        return -ENOMEM;
    /* The size includes the NUL. */
    rc = xln__host_from_hwloc(xml, strlen(xml), host_r, note_r, error_r);
    if (rc == -EINVAL)
        forget_line(*error_r);
    hwloc_free_xmlbuffer(topology, xml);
    return rc;
}

/* hwloc gives a node 1 GiB if the string does not say how much it has. */
static int note_memory(const char *string, struct xln_host **host_r,
                       char **note_r)
{
    int rc = 0;

    if (!strstr(string, "memory="))
        rc = xln__note(note_r, "each node is assumed to have 1 GiB");
    if (!rc)
        return 0;
    xln_host_free(*host_r);
    free(*note_r);
    *host_r = NULL;
    *note_r = NULL;
    return rc;
}

int xln__host_from_synthetic(const char *string, struct xln_host **host_r,
                             char **note_r, char **error_r)
{
    hwloc_topology_t topology;
    int rc;

    rc = check(string, error_r);
    if (rc)
        return rc;
    if (hwloc_topology_init(&topology))
        return -ENOMEM;
    if (hwloc_topology_set_synthetic(topology, string) ||
        hwloc_topology_load(topology))
        rc = xln__refuse(error_r, "hwloc rejects it: expected a string such as "
                                  "\"node:4 core:8 pu:2\"");
    else
        rc = export(topology, host_r, note_r, error_r);
    if (!rc)
        rc = note_memory(string, host_r, note_r);
    hwloc_topology_destroy(topology);
    return rc;
}

#else

int xln__host_from_synthetic(const char *string, struct xln_host **host_r,
                             char **note_r, char **error_r)
{
    int rc;

    (void)string;
    (void)host_r;
    (void)note_r;
    rc = xln__refuse(error_r, "synthetic strings need hwloc, and this was "
                              "built without it");
    return rc == -EINVAL ? -ENOSYS : rc;
}

#endif
