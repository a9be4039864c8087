/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots from texts, and one text with all that a file can have. */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake-alloc.h"
#include "host.h"
#include "tap.h"
#include "text/units.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define TIB (UINT64_C(1) << 40)

static inline void need(bool fine, const char *what)
{
    if (fine)
        return;
    printf("Bail out! %s\n", what);
    exit(1);
}

/* ---- files in memory ---- */

static inline int load(const char *text, size_t size,
                       struct xln_snapshot **snapshot, char **error)
{
    FILE *f = fmemopen((char *)(uintptr_t)text, size, "r");
    int rc;

    need(f, "fmemopen");
    rc = xln_snapshot_load(f, "h.json", snapshot, error);
    fclose(f);
    return rc;
}

static inline char *saved(const struct xln_snapshot *snapshot)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    need(f && !xln_snapshot_save(snapshot, f), "save");
    fclose(f);
    return text;
}

static inline struct xln_snapshot *loaded(const char *text)
{
    struct xln_snapshot *snapshot = NULL;
    char *error = NULL;

    if (load(text, strlen(text), &snapshot, &error))
        printf("# %s\n", error ? error : "no memory");
    free(error);
    return snapshot;
}

/* All that a file can have; it is small, for the tests below. */
static const char full[] =
    "{\n"
    "    \"version\": 2,\n"
    "    \"xen\": \"4.17\",\n"
    "    \"host_name\": \"xen1\",\n"
    "    \"time_s\": 1795996800,\n"
    "    \"cpus\": [\n"
    "        { \"cpu\": 0, \"node\": 0, \"socket\": 0, \"core\": 0, "
    "\"online\": true },\n"
    "        { \"cpu\": 2, \"node\": null, \"socket\": 1, \"core\": 4, "
    "\"online\": false }\n"
    "    ],\n"
    "    \"nodes\": [\n"
    "        { \"node\": 0, \"total_bytes\": 1073741824, "
    "\"free_bytes\": 4096000, \"dma_bytes\": 4096, \"reserved_bytes\": 0 },\n"
    "        { \"node\": 3, \"total_bytes\": 4096, \"free_bytes\": 0, "
    "\"dma_bytes\": 0, \"reserved_bytes\": 8192 }\n"
    "    ],\n"
    "    \"distances\": [\n"
    "        [ 10, null ],\n"
    "        [ 21, 10 ]\n"
    "    ],\n"
    "    \"pools\": [\n"
    "        { \"pool\": 0, \"cpus\": \"0,2\" }\n"
    "    ],\n"
    "    \"pci_devices\": [\n"
    "        { \"device\": \"0000:00:1f.2\", \"node\": 0 },\n"
    "        { \"device\": \"ffff:ff:00.0\", \"node\": null }\n"
    "    ],\n"
    "    \"domains\": [\n"
    "        {\n"
    "            \"domid\": 0,\n"
    "            \"name\": \"Domain-0\",\n"
    "            \"uuid\": \"00000000-0000-0000-0000-000000000000\",\n"
    "            \"dying\": false,\n"
    "            \"pv\": true,\n"
    "            \"pool\": 0,\n"
    "            \"memory_bytes\": 4096,\n"
    "            \"claimed_bytes\": 0,\n"
    "            \"memory\": { \"source\": \"count\", \"time_s\": "
    "1795996799, \"nodes\": [ { \"node\": 0, \"bytes\": 4096 }, "
    "{ \"node\": 3, \"bytes\": 8192 } ] },\n"
    "            \"request\": { \"nodes\": \"0-1\", \"nodes_policy\": "
    "\"best\" },\n"
    "            \"nodes\": \"0-3\",\n"
    "            \"vcpus\": [\n"
    "                { \"online\": true, \"blocked\": false, \"running\": "
    "true, \"cpu\": 2, \"time_ns\": 18446744073709551615, \"hard\": \"0-2\", "
    "\"soft\": \"\" },\n"
    "                null\n"
    "            ]\n"
    "        },\n"
    "        {\n"
    "            \"domid\": 7,\n"
    "            \"name\": null,\n"
    "            \"uuid\": \"01234567-89ab-cdef-0123-456789abcdef\",\n"
    "            \"dying\": true,\n"
    "            \"pv\": false,\n"
    "            \"pool\": 4294967295,\n"
    "            \"memory_bytes\": 0,\n"
    "            \"claimed_bytes\": 0,\n"
    "            \"memory\": null,\n"
    "            \"request\": null,\n"
    "            \"nodes\": null,\n"
    "            \"vcpus\": [\n"
    "            ]\n"
    "        }\n"
    "    ]\n"
    "}\n";

/* Something else instead of the first `old`. */
static inline char *replaced(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    char *copy;

    need(at, old);
    need(asprintf(&copy, "%.*s%s%s", (int)(at - text), text, new,
                  at + strlen(old)) >= 0, "asprintf");
    return copy;
}

static inline char *changed(const char *old, const char *new)
{
    return replaced(full, old, new);
}

#endif /* SNAPSHOTS_H */
