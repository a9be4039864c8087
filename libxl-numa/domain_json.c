/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The domains of a snapshot to and from JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

/* Above any sum of Xen's pages. */
#define MAX_BYTES (UINT64_C(1) << 62)
/* Bits in all hard affinities of a file: 128 MiB of memory, and 128 for the
 * soft ones. That is 8192 vCPUs on each of 16 hosts of 8192 CPUs. */
#define MAX_AFFINITY_BITS (UINT64_C(1) << 30)

/* ---- writing ---- */

static void write_vcpu(const struct xln_vcpu *v, unsigned nr_cpus,
                       struct xln__json *json)
{
    if (!v->exists) {
        xln__json_text(json, NULL);
        return;
    }
    xln__json_line(json);
    xln__json_object(json);
    xln__json_add_bool(json, "online", v->online);
    xln__json_add_bool(json, "blocked", v->blocked);
    xln__json_add_bool(json, "running", v->running);
    xln__json_add_number(json, "cpu", v->cpu);
    xln__json_add_number(json, "time_ns", v->time_ns);
    xln__json_key(json, "hard");
    xln__set_to_json(xln_cpumap_bits(v->hard), nr_cpus, json);
    xln__json_key(json, "soft");
    xln__set_to_json(xln_cpumap_bits(v->soft), nr_cpus, json);
    xln__json_object_end(json);
}

static void write_request(char **request, struct xln__json *json)
{
    xln__json_key(json, "request");
    if (!request) {
        xln__json_text(json, NULL);
        return;
    }
    xln__json_line(json);
    xln__json_object(json);
    for (; *request; request += 2)
        xln__json_add_text(json, request[0], request[1]);
    xln__json_object_end(json);
}

static void write_uuid(const uint8_t *bytes, struct xln__json *json)
{
    libxl_uuid uuid;
    char text[40];

    memcpy(uuid.uuid, bytes, sizeof(uuid.uuid));
    snprintf(text, sizeof(text), LIBXL_UUID_FMT, LIBXL_UUID_BYTES(uuid));
    xln__json_add_text(json, "uuid", text);
}

static void write_vcpus(const struct xln_domain *d, unsigned nr_cpus,
                        struct xln__json *json)
{
    unsigned i;

    xln__json_key(json, "vcpus");
    xln__json_array(json);
    for (i = 0; d->vcpus && i < d->nr_vcpus; i++)
        write_vcpu(&d->vcpus[i], nr_cpus, json);
    xln__json_array_end(json);
}

static void write_domain(const struct xln_domain *d,
                         const struct xln_snapshot_domain *more,
                         const struct xln_host *host, struct xln__json *json)
{
    xln__json_object(json);
    xln__json_add_number(json, "domid", d->domid);
    xln__json_add_text(json, "name", more->name);
    write_uuid(d->uuid, json);
    xln__json_add_bool(json, "dying", d->dying);
    xln__json_add_bool(json, "pv", d->is_pv);
    xln__json_add_number(json, "pool", d->pool_id);
    xln__json_add_number(json, "memory_bytes", d->memory_bytes);
    xln__json_add_number(json, "claimed_bytes", d->claimed_bytes);
    xln__memory_to_json(more, json);
    write_request(more->request, json);
    xln__json_key(json, "nodes");
    if (d->nodes)
        xln__set_to_json(xln_nodemap_bits(d->nodes), xln_host_nr_nodes(host),
                         json);
    else
        xln__json_text(json, NULL);
    write_vcpus(d, xln_host_nr_cpus(host), json);
    xln__json_object_end(json);
}

void xln__domains_to_json(const struct xln_snapshot *snapshot,
                          struct xln__json *json)
{
    const struct xln_domains *domains = snapshot->domains;
    unsigned i;

    if (!domains) {
        xln__json_text(json, NULL);
        return;
    }
    xln__json_array(json);
    for (i = 0; i < domains->nr; i++)
        write_domain(&domains->list[i], &snapshot->more[i], snapshot->host,
                     json);
    xln__json_array_end(json);
}

/* ---- reading ---- */

static int read_vcpu(struct xln__json_tree *tree,
                     const struct xln__json_value *item, unsigned nr_cpus,
                     struct xln_vcpu *v)
{
    uint64_t cpu;
    int rc;

    if (item->type == XLN__JSON_NULL)
        return 0;
    rc = xln__json_check(tree, item, XLN__JSON_OBJECT, "an object or null");
    if (!rc)
        rc = xln__json_get_bool(tree, item, "online", &v->online);
    if (!rc)
        rc = xln__json_get_bool(tree, item, "blocked", &v->blocked);
    if (!rc)
        rc = xln__json_get_bool(tree, item, "running", &v->running);
    if (!rc)
        rc = xln__json_get_number(tree, item, "cpu",
            (struct xln__json_range){ .max = UINT_MAX }, &cpu);
    if (!rc)
        rc = xln__json_get_number(tree, item, "time_ns",
            (struct xln__json_range){ .max = UINT64_MAX }, &v->time_ns);
    if (!rc)
        rc = xln__cpus_from_json(tree, item, "hard", nr_cpus, &v->hard);
    if (!rc)
        rc = xln__cpus_from_json(tree, item, "soft", nr_cpus, &v->soft);
    if (rc)
        return rc;
    v->exists = true;
    v->cpu = cpu;
    return 0;
}

static int read_vcpus(struct xln__json_tree *tree,
                      const struct xln__json_value *list, unsigned nr_cpus,
                      struct xln_domain *d)
{
    const struct xln__json_value *item;
    struct xln_vcpu *v;
    int rc = 0;

    if (!list->first)
        return 0;
    d->nr_vcpus = xln__json_length(list);
    d->vcpus = calloc(d->nr_vcpus, sizeof(*d->vcpus));
    if (!d->vcpus)
        return -ENOMEM;
    v = d->vcpus;
    for (item = list->first; item && !rc; item = item->next)
        rc = read_vcpu(tree, item, nr_cpus, v++);
    return rc;
}

/* `room`: for how many vCPUs there is memory, in this domain and the ones
 * after it. */
static int get_vcpus(struct xln__json_tree *tree,
                     const struct xln__json_value *item, uint64_t *room,
                     unsigned nr_cpus, struct xln_domain *d)
{
    const struct xln__json_value *list;
    unsigned nr;
    int rc;

    rc = xln__json_get(tree, item, "vcpus", XLN__JSON_LIST, "a list", &list);
    if (rc)
        return rc;
    nr = xln__json_length(list);
    if (nr > *room)
        return xln__json_refuse(tree, -EFBIG, list, "expected no more than "
                                "%u vCPUs in a file with %u CPUs",
                                (unsigned)(MAX_AFFINITY_BITS / nr_cpus),
                                nr_cpus);
    if (d->dying && nr)
        return xln__json_expected(tree, list, "no vCPU of a dying domain");
    *room -= nr;
    return read_vcpus(tree, list, nr_cpus, d);
}

static int get_uuid(struct xln__json_tree *tree,
                    const struct xln__json_value *item, uint8_t *bytes)
{
    static const char expected[] =
        "a UUID such as \"01234567-89ab-cdef-0123-456789abcdef\"";
    const struct xln__json_value *value;
    libxl_uuid uuid;
    int rc;

    rc = xln__json_get(tree, item, "uuid", XLN__JSON_TEXT, expected, &value);
    if (rc)
        return rc;
    if (libxl_uuid_from_string(&uuid, value->text))
        return xln__json_expected(tree, value, "%s", expected);
    memcpy(bytes, uuid.uuid, sizeof(uuid.uuid));
    return 0;
}

static int get_nodes(struct xln__json_tree *tree,
                     const struct xln__json_value *item, unsigned nr_nodes,
                     struct xln_domain *d)
{
    const struct xln__json_value *value = xln__json_member(item, "nodes");

    if (!d->dying)
        return xln__nodes_from_json(tree, item, "nodes", nr_nodes, &d->nodes);
    if (value)
        return xln__json_expected(tree, value, "null for a dying domain");
    return 0;
}

static int read_numbers(struct xln__json_tree *tree,
                        const struct xln__json_value *item,
                        struct xln_domain *d)
{
    uint64_t domid, pool;
    int rc;

    rc = xln__json_get_number(tree, item, "domid",
        (struct xln__json_range){ .max = UINT32_MAX }, &domid);
    if (!rc)
        rc = xln__json_get_number(tree, item, "pool",
            (struct xln__json_range){ .max = UINT32_MAX }, &pool);
    if (!rc)
        rc = xln__json_get_number(tree, item, "memory_bytes",
            (struct xln__json_range){ .max = MAX_BYTES }, &d->memory_bytes);
    if (!rc)
        rc = xln__json_get_number(tree, item, "claimed_bytes",
            (struct xln__json_range){ .max = MAX_BYTES }, &d->claimed_bytes);
    if (rc)
        return rc;
    d->domid = domid;
    d->pool_id = pool;
    return 0;
}

static int read_domain(struct xln__json_tree *tree,
                       const struct xln__json_value *item,
                       const struct xln_host *host, uint64_t *room,
                       struct xln_domain *d)
{
    int rc;

    rc = read_numbers(tree, item, d);
    if (!rc)
        rc = get_uuid(tree, item, d->uuid);
    if (!rc)
        rc = xln__json_get_bool(tree, item, "dying", &d->dying);
    if (!rc)
        rc = xln__json_get_bool(tree, item, "pv", &d->is_pv);
    if (!rc)
        rc = get_nodes(tree, item, xln_host_nr_nodes(host), d);
    if (!rc)
        rc = get_vcpus(tree, item, room, xln_host_nr_cpus(host), d);
    return rc;
}

/* ---- what else there is ---- */

static int copy_text(struct xln__json_tree *tree,
                     const struct xln__json_value *value, const char *expected,
                     char **text_r)
{
    int rc = xln__json_check(tree, value, XLN__JSON_TEXT, expected);

    if (rc)
        return rc;
    *text_r = strdup(value->text);
    return *text_r ? 0 : -ENOMEM;
}

static int read_request(struct xln__json_tree *tree,
                        const struct xln__json_value *object, char ***list_r)
{
    const struct xln__json_value *value;
    char **end;
    int rc;

    rc = xln__json_check(tree, object, XLN__JSON_OBJECT, "an object or null");
    if (rc)
        return rc;
    *list_r = calloc(2 * (size_t)xln__json_length(object) + 1,
                     sizeof(**list_r));
    if (!*list_r)
        return -ENOMEM;
    end = *list_r;
    for (value = object->first; value && !rc; value = value->next) {
        *end = strdup(value->key);
        if (!*end)
            return -ENOMEM;
        rc = copy_text(tree, value, "a text", end + 1);
        end += 2;
    }
    return rc;
}

int xln__json_get_text(struct xln__json_tree *tree,
                       const struct xln__json_value *object, const char *key,
                       char **text_r)
{
    const struct xln__json_value *value = xln__json_member(object, key);

    return value ? copy_text(tree, value, "a text or null", text_r) : 0;
}

static int read_more(struct xln__json_tree *tree,
                     const struct xln__json_value *item,
                     const struct xln_host *host,
                     struct xln_snapshot_domain *more)
{
    const struct xln__json_value *request = xln__json_member(item, "request");
    int rc;

    rc = xln__json_get_text(tree, item, "name", &more->name);
    if (request && !rc)
        rc = read_request(tree, request, &more->request);
    return rc ? rc : xln__memory_from_json(tree, item, host, more);
}

int xln__domains_from_json(struct xln__json_tree *tree,
                           const struct xln__json_value *list,
                           struct xln_snapshot *snapshot)
{
    uint64_t room = MAX_AFFINITY_BITS / xln_host_nr_cpus(snapshot->host), end;
    unsigned nr = xln__json_length(list);
    const struct xln__json_value *item;
    struct xln_domains *domains;
    int rc;

    rc = xln__check_numbers(tree, list, "domid", DOMID_FIRST_RESERVED, &end);
    if (rc)
        return rc;
    domains = snapshot->domains = calloc(1, sizeof(*domains));
    snapshot->more = calloc(nr + 1, sizeof(*snapshot->more));
    if (!domains || !snapshot->more)
        return -ENOMEM;
    domains->list = calloc(nr + 1, sizeof(*domains->list));
    if (!domains->list)
        return -ENOMEM;
    for (item = list->first; item && !rc; item = item->next) {
        rc = read_domain(tree, item, snapshot->host, &room,
                         &domains->list[domains->nr]);
        if (!rc)
            rc = read_more(tree, item, snapshot->host,
                           &snapshot->more[domains->nr]);
        domains->nr++;
    }
    return rc;
}
