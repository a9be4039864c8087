/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the domains of a snapshot have their memory: from a report of Xen's,
 * and to and from JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"
#include "text/units.h"

/* As a node's total_bytes: with 1024 nodes no sum overflows. */
#define MAX_BYTES (UINT64_C(1) << 52)
#define MAX_TIME_S (UINT64_C(1) << 40)

/* What JSON calls the sources. */
static const char *const sources[] = {
    [XLN_MEMORY_AT_BUILD] = "build",
    [XLN_MEMORY_COUNTED] = "count",
};

#define NR_SOURCES (sizeof(sources) / sizeof(*sources))

/* ---- from a report ---- */

static int add_domain(const struct xln_residency_domain *from,
                      unsigned nr_nodes, int64_t time_s,
                      struct xln_snapshot_domain *more)
{
    unsigned node, nr = 0;

    more->memory = calloc(nr_nodes + 1, sizeof(*more->memory));
    if (!more->memory)
        return -ENOMEM;
    for (node = 0; node < nr_nodes; node++)
        if (from->pages[node])
            more->memory[nr++] = (struct xln_share){
                .node = node, .bytes = from->pages[node] << PAGE_SHIFT,
            };
    more->nr_memory = nr;
    more->memory_source = XLN_MEMORY_COUNTED;
    more->memory_time_s = time_s;
    return 0;
}

static void forget(struct xln_snapshot_domain *more)
{
    free(more->memory);
    more->memory = NULL;
    more->nr_memory = 0;
    more->memory_source = XLN_MEMORY_UNKNOWN;
    more->memory_time_s = 0;
}

int xln_snapshot_add_residency(struct xln_snapshot *snapshot,
                               const struct xln_residency *residency)
{
    unsigned nr_nodes = xln_host_nr_nodes(snapshot->host), i;
    const struct xln_residency_domain *from;
    int rc = 0;

    if (nr_nodes > residency->nr_nodes)
        nr_nodes = residency->nr_nodes;
    for (i = 0; i < snapshot->domains->nr && !rc; i++) {
        forget(&snapshot->more[i]);
        from = xln_residency_domain(residency,
                                    snapshot->domains->list[i].domid);
        if (from)
            rc = add_domain(from, nr_nodes, snapshot->time_s,
                            &snapshot->more[i]);
    }
    return rc;
}

/* ---- writing ---- */

void xln__time_to_json(int64_t time_s, struct xln__json *json)
{
    if (time_s > 0)
        xln__json_number(json, time_s);
    else
        xln__json_text(json, NULL);
}

void xln__memory_to_json(const struct xln_snapshot_domain *more,
                         struct xln__json *json)
{
    unsigned i;

    xln__json_key(json, "memory");
    if (more->memory_source == XLN_MEMORY_UNKNOWN) {
        xln__json_text(json, NULL);
        return;
    }
    xln__json_line(json);
    xln__json_object(json);
    xln__json_add_text(json, "source", sources[more->memory_source]);
    xln__json_key(json, "time_s");
    xln__time_to_json(more->memory_time_s, json);
    xln__json_key(json, "nodes");
    xln__json_array(json);
    for (i = 0; i < more->nr_memory; i++) {
        xln__json_object(json);
        xln__json_add_number(json, "node", more->memory[i].node);
        xln__json_add_number(json, "bytes", more->memory[i].bytes);
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
    xln__json_object_end(json);
}

/* ---- reading ---- */

int xln__time_from_json(struct xln__json_tree *tree,
                        const struct xln__json_value *object, int64_t *time_r)
{
    uint64_t time_s;
    int rc;

    if (!xln__json_member(object, "time_s"))
        return 0;
    rc = xln__json_get_number(tree, object, "time_s",
        (struct xln__json_range){ .min = 1, .max = MAX_TIME_S }, &time_s);
    if (!rc)
        *time_r = time_s;
    return rc;
}

static int read_source(struct xln__json_tree *tree,
                       const struct xln__json_value *object,
                       enum xln_memory_source *source_r)
{
    static const char expected[] = "\"build\" or \"count\"";
    const struct xln__json_value *value;
    unsigned i;
    int rc;

    rc = xln__json_get(tree, object, "source", XLN__JSON_TEXT, expected,
                       &value);
    if (rc)
        return rc;
    for (i = 0; i < NR_SOURCES; i++) {
        if (!sources[i] || strcmp(sources[i], value->text))
            continue;
        *source_r = i;
        return 0;
    }
    return xln__json_expected(tree, value, "%s", expected);
}

static int read_share(struct xln__json_tree *tree,
                      const struct xln__json_value *item,
                      const struct xln_host *host, struct xln_share *share)
{
    const struct xln__json_value *value = xln__json_member(item, "node");
    uint64_t node;
    int rc;

    rc = xln__json_get_number(tree, item, "node",
        (struct xln__json_range){ .max = xln_host_nr_nodes(host) - 1 }, &node);
    if (!rc && !xln_nodemap_test(xln_host_nodes(host), node))
        rc = xln__json_expected(tree, value, "the number of one of the nodes");
    if (!rc)
        rc = xln__json_get_number(tree, item, "bytes",
            (struct xln__json_range){ .min = 1, .max = MAX_BYTES },
            &share->bytes);
    if (!rc)
        share->node = node;
    return rc;
}

static int read_shares(struct xln__json_tree *tree,
                       const struct xln__json_value *list,
                       const struct xln_host *host,
                       struct xln_snapshot_domain *more)
{
    const struct xln__json_value *item;
    uint64_t end;
    int rc;

    rc = xln__check_numbers(tree, list, "node", XLN_MAX_NODES, &end);
    if (rc)
        return rc;
    more->memory = calloc(xln__json_length(list) + 1, sizeof(*more->memory));
    if (!more->memory)
        return -ENOMEM;
    for (item = list->first; item && !rc; item = item->next)
        rc = read_share(tree, item, host, &more->memory[more->nr_memory++]);
    return rc;
}

int xln__memory_from_json(struct xln__json_tree *tree,
                          const struct xln__json_value *item,
                          const struct xln_host *host,
                          struct xln_snapshot_domain *more)
{
    const struct xln__json_value *object = xln__json_member(item, "memory");
    const struct xln__json_value *list;
    int rc;

    if (!object)
        return 0;
    rc = xln__json_check(tree, object, XLN__JSON_OBJECT, "an object or null");
    if (!rc)
        rc = read_source(tree, object, &more->memory_source);
    if (!rc)
        rc = xln__time_from_json(tree, object, &more->memory_time_s);
    if (!rc)
        rc = xln__json_get(tree, object, "nodes", XLN__JSON_LIST, "a list",
                           &list);
    return rc ? rc : read_shares(tree, list, host, more);
}
