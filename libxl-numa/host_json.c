/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host to and from JSON. xl-numa-snapshot(5) has the form. */
#include <errno.h>
#include <stdlib.h>

#include "host.h"
#include "snapshot.h"

#define MAX_POOLS 1024

/* ---- writing ---- */

/* A set may be wider than the host: "all" in Xen is more than there is. */
void xln__set_to_json(const struct xln_bitmap *set, unsigned nr_bits,
                      struct xln__json *json)
{
    struct xln_bitmap *part = NULL;
    char *text = NULL;
    int rc;

    rc = xln_bitmap_new(nr_bits, &part);
    if (!rc) {
        xln_bitmap_or(part, set);
        rc = xln_bitmap_format(part, &text);
    }
    if (rc)
        xln__json_fail(json, rc);
    else
        xln__json_text(json, text);
    free(text);
    xln_bitmap_free(part);
}

static void write_cpus(const struct xln_host *host, struct xln__json *json)
{
    unsigned cpu;

    xln__json_key(json, "cpus");
    xln__json_array(json);
    for (cpu = 0; cpu < host->nr_cpus; cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        if (!c)
            continue;
        xln__json_line(json);
        xln__json_object(json);
        xln__json_add_number(json, "cpu", cpu);
        xln__json_add_id(json, "node", c->node);
        xln__json_add_number(json, "socket", c->socket);
        xln__json_add_number(json, "core", c->core);
        xln__json_add_bool(json, "online", c->online);
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

static void write_nodes(const struct xln_host *host, struct xln__json *json)
{
    unsigned node;

    xln__json_key(json, "nodes");
    xln__json_array(json);
    XLN_FOREACH(xln_nodemap, node, host->exists) {
        const struct xln_host_node *n = &host->nodes[node];

        xln__json_line(json);
        xln__json_object(json);
        xln__json_add_number(json, "node", node);
        xln__json_add_number(json, "total_bytes", n->total_bytes);
        xln__json_add_number(json, "free_bytes", n->free_bytes);
        xln__json_add_number(json, "dma_bytes", n->dma_bytes);
        xln__json_add_number(json, "reserved_bytes", n->reserved_bytes);
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

/* A row and a column for each node. */
static void write_distances(const struct xln_host *host,
                            struct xln__json *json)
{
    unsigned from, to;

    xln__json_key(json, "distances");
    xln__json_array(json);
    XLN_FOREACH(xln_nodemap, from, host->exists) {
        xln__json_line(json);
        xln__json_array(json);
        XLN_FOREACH(xln_nodemap, to, host->exists)
            xln__json_id(json, xln_host_distance(host, from, to));
        xln__json_array_end(json);
    }
    xln__json_array_end(json);
}

/* The values are those of Xen. */
static const char *const granularities[] = {
    [XLN_SCHED_CPU] = "cpu",
    [XLN_SCHED_CORE] = "core",
    [XLN_SCHED_SOCKET] = "socket",
};

static void write_pools(const struct xln_host *host, struct xln__json *json)
{
    unsigned i;

    xln__json_key(json, "pools");
    xln__json_array(json);
    for (i = 0; i < host->nr_pools; i++) {
        xln__json_line(json);
        xln__json_object(json);
        xln__json_add_number(json, "pool", host->pools[i].id);
        xln__json_key(json, "cpus");
        xln__set_to_json(xln_cpumap_bits(host->pools[i].cpus), host->nr_cpus,
                         json);
        if (host->pools[i].name) {
            xln__json_key(json, "name");
            xln__json_text(json, host->pools[i].name);
        }
        if (host->pools[i].sched_gran != XLN_SCHED_CPU) {
            xln__json_key(json, "sched_gran");
            xln__json_text(json, granularities[host->pools[i].sched_gran]);
        }
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

void xln__host_to_json(const struct xln_host *host, struct xln__json *json)
{
    write_cpus(host, json);
    write_nodes(host, json);
    write_distances(host, json);
    write_pools(host, json);
}

/* ---- what is read in more than one place ---- */

int xln__check_numbers(struct xln__json_tree *tree,
                       const struct xln__json_value *list, const char *key,
                       uint64_t limit, uint64_t *end_r)
{
    const struct xln__json_value *item;
    uint64_t next = 0, number;
    int rc;

    for (item = list->first; item; item = item->next) {
        rc = xln__json_check(tree, item, XLN__JSON_OBJECT, "an object");
        if (rc)
            return rc;
        if (next == limit)
            return xln__json_expected(tree, item, "the end of the list");
        rc = xln__json_get_number(tree, item, key,
            (struct xln__json_range){ .min = next, .max = limit - 1 },
            &number);
        if (rc)
            return rc;
        next = number + 1;
    }
    *end_r = next;
    return 0;
}

static int refuse_set(struct xln__json_tree *tree,
                      const struct xln__json_value *value, const char *what,
                      unsigned nr_bits, int rc)
{
    if (rc == -ENOMEM)
        return rc;
    return xln__json_expected(tree, value, "%s numbers up to %u, such as "
                              "\"0-3,8\"", what, nr_bits - 1);
}

int xln__cpus_from_json(struct xln__json_tree *tree,
                        const struct xln__json_value *object, const char *key,
                        unsigned nr_cpus, struct xln_cpumap **cpus_r)
{
    const struct xln__json_value *value;
    struct xln_cpumap *cpus;
    int rc;

    rc = xln__json_get(tree, object, key, XLN__JSON_TEXT,
                       "CPU numbers such as \"0-3,8\"", &value);
    if (!rc)
        rc = xln_cpumap_new(nr_cpus, &cpus);
    if (rc)
        return rc;
    rc = xln_cpumap_parse(value->text, NULL, 0, cpus, NULL);
    if (rc) {
        xln_cpumap_free(cpus);
        return refuse_set(tree, value, "CPU", nr_cpus, rc);
    }
    *cpus_r = cpus;
    return 0;
}

int xln__nodes_from_json(struct xln__json_tree *tree,
                         const struct xln__json_value *object, const char *key,
                         unsigned nr_nodes, struct xln_nodemap **nodes_r)
{
    const struct xln__json_value *value;
    struct xln_nodemap *nodes;
    int rc;

    rc = xln__json_get(tree, object, key, XLN__JSON_TEXT,
                       "node numbers such as \"0-3,8\"", &value);
    if (!rc)
        rc = xln_nodemap_new(nr_nodes, &nodes);
    if (rc)
        return rc;
    rc = xln_nodemap_parse(value->text, 0, nodes, NULL);
    if (rc) {
        xln_nodemap_free(nodes);
        return refuse_set(tree, value, "node", nr_nodes, rc);
    }
    *nodes_r = nodes;
    return 0;
}

/* ---- reading ---- */

static int get_unsigned(struct xln__json_tree *tree,
                        const struct xln__json_value *object, const char *key,
                        unsigned *number_r)
{
    uint64_t number;
    int rc;

    rc = xln__json_get_number(tree, object, key,
        (struct xln__json_range){ .max = UINT_MAX }, &number);
    if (!rc)
        *number_r = number;
    return rc;
}

static int read_node(struct xln__json_tree *tree,
                     const struct xln__json_value *item,
                     struct xln_host_node *n)
{
    int rc;

    rc = xln__json_get_number(tree, item, "total_bytes",
        (struct xln__json_range){ .max = XLN__MAX_NODE_BYTES },
        &n->total_bytes);
    if (rc)
        return rc;
    rc = xln__json_get_number(tree, item, "free_bytes",
        (struct xln__json_range){ .max = n->total_bytes,
                                  .max_name = "total_bytes" },
        &n->free_bytes);
    if (rc)
        return rc;
    rc = xln__json_get_number(tree, item, "dma_bytes",
        (struct xln__json_range){ .max = n->free_bytes,
                                  .max_name = "free_bytes" },
        &n->dma_bytes);
    if (rc)
        return rc;
    /* A reservation may exceed what is free by now. */
    return xln__json_get_number(tree, item, "reserved_bytes",
        (struct xln__json_range){ .max = XLN__MAX_NODE_BYTES },
        &n->reserved_bytes);
}

/* The number of an object that xln__check_numbers() has seen. */
static unsigned number_of(const struct xln__json_value *object,
                          const char *key)
{
    return strtoul(xln__json_member(object, key)->text, NULL, 10);
}

static int read_nodes(struct xln__json_tree *tree,
                      const struct xln__json_value *list,
                      struct xln_host *host)
{
    const struct xln__json_value *item;
    unsigned node;
    int rc = 0;

    for (item = list->first; item && !rc; item = item->next) {
        node = number_of(item, "node");
        xln_nodemap_set(host->exists, node);
        rc = read_node(tree, item, &host->nodes[node]);
    }
    return rc;
}

static int read_node_of_cpu(struct xln__json_tree *tree,
                            const struct xln__json_value *item,
                            const struct xln_host *host, unsigned *node_r)
{
    uint64_t node;
    int rc;

    rc = xln__json_get_number(tree, item, "node",
        (struct xln__json_range){ .max = host->nr_nodes - 1, .or_null = true },
        &node);
    if (rc)
        return rc;
    if (node != UINT64_MAX && !xln_nodemap_test(host->exists, node))
        return xln__json_expected(tree, xln__json_member(item, "node"),
                                  "the number of one of the nodes");
    *node_r = node == UINT64_MAX ? XLN_NONE : node;
    return 0;
}

static int read_cpus(struct xln__json_tree *tree,
                     const struct xln__json_value *list, struct xln_host *host)
{
    const struct xln__json_value *item;
    int rc = 0;

    for (item = list->first; item && !rc; item = item->next) {
        unsigned cpu = number_of(item, "cpu");
        struct xln_host_cpu *c = &host->cpus[cpu];

        host->cpu_exists[cpu] = true;
        rc = read_node_of_cpu(tree, item, host, &c->node);
        if (!rc)
            rc = get_unsigned(tree, item, "socket", &c->socket);
        if (!rc)
            rc = get_unsigned(tree, item, "core", &c->core);
        if (!rc)
            rc = xln__json_get_bool(tree, item, "online", &c->online);
    }
    return rc;
}

static int check_length(struct xln__json_tree *tree,
                        const struct xln__json_value *list, unsigned length,
                        const char *what)
{
    if (list->type == XLN__JSON_LIST && xln__json_length(list) == length)
        return 0;
    if (list->type == XLN__JSON_LIST)
        return xln__json_refuse(tree, -EINVAL, list, "expected %u %s, one for "
                                "each node, not %u", length, what,
                                xln__json_length(list));
    return xln__json_expected(tree, list, "a list of %u %s", length, what);
}

/* Rows and columns are in the order of the nodes. */
static int read_row(struct xln__json_tree *tree,
                    const struct xln__json_value *row,
                    const struct xln__json_value *nodes, struct xln_host *host,
                    unsigned *distances)
{
    const struct xln__json_value *item, *to;
    uint64_t distance;
    int rc;

    rc = check_length(tree, row, xln_nodemap_count(host->exists), "distances");
    if (rc)
        return rc;
    item = row->first;
    for (to = nodes->first; to; to = to->next, item = item->next) {
        rc = xln__json_number_of(tree, item,
            (struct xln__json_range){ .max = XLN_NONE - 1, .or_null = true },
            &distance);
        if (rc)
            return rc;
        distances[number_of(to, "node")] =
            distance == UINT64_MAX ? XLN_NONE : distance;
    }
    return 0;
}

static int read_distances(struct xln__json_tree *tree,
                          const struct xln__json_value *root,
                          const struct xln__json_value *nodes,
                          struct xln_host *host)
{
    const struct xln__json_value *list, *row, *from;
    int rc;

    rc = xln__json_get(tree, root, "distances", XLN__JSON_LIST,
                       "a list of lists", &list);
    if (!rc)
        rc = check_length(tree, list, xln_nodemap_count(host->exists), "rows");
    if (rc)
        return rc;
    row = list->first;
    for (from = nodes->first; from; from = from->next, row = row->next) {
        size_t at = (size_t)number_of(from, "node") * host->nr_nodes;

        rc = read_row(tree, row, nodes, host, &host->distances[at]);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_pool_name(struct xln__json_tree *tree,
                          const struct xln__json_value *item,
                          struct xln_host_pool *pool)
{
    const struct xln__json_value *name = xln__json_member(item, "name");
    int rc = name ? xln__json_check(tree, name, XLN__JSON_TEXT,
                                    "a text or null")
                  : 0;

    if (!name || rc)
        return rc;
    pool->name = strdup(name->text);
    return pool->name ? 0 : -ENOMEM;
}

/* Without this key each CPU is scheduled on its own. */
static int read_gran(struct xln__json_tree *tree,
                     const struct xln__json_value *item,
                     enum xln_sched_gran *gran_r)
{
    static const char expected[] = "\"cpu\", \"core\" or \"socket\"";
    const struct xln__json_value *value = xln__json_member(item, "sched_gran");
    int rc;

    *gran_r = XLN_SCHED_CPU;
    if (!value)
        return 0;
    rc = xln__json_check(tree, value, XLN__JSON_TEXT, expected);
    if (rc)
        return rc;
    for (unsigned i = 0; i <= XLN_SCHED_SOCKET; i++) {
        if (!strcmp(value->text, granularities[i])) {
            *gran_r = i;
            return 0;
        }
    }
    return xln__json_expected(tree, value, expected);
}

static int read_pools(struct xln__json_tree *tree,
                      const struct xln__json_value *list,
                      struct xln_host *host)
{
    const struct xln__json_value *item;
    struct xln_host_pool *pool = host->pools;
    struct xln_cpumap *cpus = NULL;
    int rc;

    for (item = list->first; item; item = item->next, pool++) {
        rc = xln__cpus_from_json(tree, item, "cpus", host->nr_cpus, &cpus);
        if (rc)
            return rc;
        pool->id = number_of(item, "pool");
        pool->cpus = cpus;
        rc = read_pool_name(tree, item, pool);
        if (!rc)
            rc = read_gran(tree, item, &pool->sched_gran);
        if (rc)
            return rc;
    }
    return 0;
}

/* The lists of a host, and how much room they need. */
struct lists {
    const struct xln__json_value *cpus, *nodes, *pools;
    uint64_t nr_cpus, nr_nodes;
};

/* Numbers below `limit` in any order, each once; *end_r is one more than the
 * largest. */
static int check_unordered(struct xln__json_tree *tree,
                           const struct xln__json_value *list, const char *key,
                           uint64_t limit, struct xln_bitmap *seen,
                           uint64_t *end_r)
{
    const struct xln__json_value *item;
    uint64_t number, end = 0;
    int rc;

    for (item = list->first; item; item = item->next) {
        rc = xln__json_check(tree, item, XLN__JSON_OBJECT, "an object");
        if (!rc)
            rc = xln__json_get_number(tree, item, key,
                (struct xln__json_range){ .max = limit - 1 }, &number);
        if (rc)
            return rc;
        if (xln_bitmap_test(seen, number))
            return xln__json_refuse(tree, -EINVAL,
                                    xln__json_member(item, key), "expected "
                                    "each number once, but %u appears twice",
                                    (unsigned)number);
        xln_bitmap_set(seen, number);
        if (number >= end)
            end = number + 1;
    }
    *end_r = end;
    return 0;
}

static int get_list(struct xln__json_tree *tree,
                    const struct xln__json_value *root, const char *name,
                    const char *key, uint64_t limit,
                    const struct xln__json_value **list_r, uint64_t *end_r)
{
    struct xln_bitmap *seen;
    int rc;

    rc = xln__json_get(tree, root, name, XLN__JSON_LIST, "a list", list_r);
    if (!rc)
        rc = xln_bitmap_new(limit, &seen);
    if (rc)
        return rc;
    rc = check_unordered(tree, *list_r, key, limit, seen, end_r);
    xln_bitmap_free(seen);
    return rc;
}

static int find_lists(struct xln__json_tree *tree,
                      const struct xln__json_value *root, struct lists *lists)
{
    uint64_t end;
    int rc;

    rc = get_list(tree, root, "cpus", "cpu", XLN_MAX_CPUS, &lists->cpus,
                  &lists->nr_cpus);
    if (!rc && !lists->nr_cpus)
        rc = xln__json_expected(tree, lists->cpus, "at least one CPU");
    if (!rc)
        rc = get_list(tree, root, "nodes", "node", XLN_MAX_NODES,
                      &lists->nodes, &lists->nr_nodes);
    if (!rc && !lists->nr_nodes)
        rc = xln__json_expected(tree, lists->nodes, "at least one node");
    if (!rc)
        rc = xln__json_get(tree, root, "pools", XLN__JSON_LIST, "a list",
                           &lists->pools);
    if (!rc)
        rc = xln__check_numbers(tree, lists->pools, "pool", UINT_MAX, &end);
    if (!rc && xln__json_length(lists->pools) > MAX_POOLS)
        rc = xln__json_refuse(tree, -EINVAL, lists->pools, "expected no more "
                              "than %u cpupools", MAX_POOLS);
    return rc;
}

int xln__host_from_json(struct xln__json_tree *tree,
                        const struct xln__json_value *root,
                        struct xln_host **host_r)
{
    struct xln_host *host = NULL;
    struct lists lists;
    int rc;

    rc = find_lists(tree, root, &lists);
    if (!rc)
        rc = xln__host_new(lists.nr_cpus, lists.nr_nodes,
                           xln__json_length(lists.pools), &host);
    if (rc)
        return rc;
    rc = read_nodes(tree, lists.nodes, host);
    if (!rc)
        rc = read_cpus(tree, lists.cpus, host);
    if (!rc)
        rc = read_distances(tree, root, lists.nodes, host);
    if (!rc)
        rc = read_pools(tree, lists.pools, host);
    if (!rc)
        rc = xln__host_finish(host);
    if (rc) {
        xln_host_free(host);
        return rc;
    }
    *host_r = host;
    return 0;
}
