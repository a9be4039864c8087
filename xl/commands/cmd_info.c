/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl info -n with an option of ours: the CPUs as a table, or CPUs, nodes and
 * PCI devices as JSON. Without one the xl in front leaves it to the installed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libxl_utils.h>

#include "cmd.h"
#include "text/from_errno.h"
#include "text/json.h"
#include "views/json_set.h"

enum { CPU, CORE, SOCKET, NODE, ONLINE, POOL };

/* Shown without -o: what the installed xl has, in its order. */
static const struct table_column columns[] = {
    [CPU] = { "CPU", "the number of the CPU", true, true, 0 },
    [CORE] = { "CORE", "its core, within the socket", true, true, 0 },
    [SOCKET] = { "SOCKET", "its socket", true, true, 0 },
    [NODE] = { "NODE", "its node", true, true, 0 },
    [ONLINE] = { "ONLINE", "whether Xen uses it", false, false, 0 },
    [POOL] = { "POOL", "the cpupool that it is in", false, false, 0 },
    { 0 }
};

/* The running host, or a saved one. */
struct source {
    struct xln_snapshot *saved; /* NULL: the running host */
    struct xln_host *host;      /* that of `saved`, or its own */
    libxl_cpupoolinfo *pools;   /* of the running host */
    int nr_pools;
};

/* ---- CPUs ---- */

/* A CPU may be in none. */
static void put_pool(struct table *table, const struct source *source,
                     unsigned cpu)
{
    int i;

    for (i = 0; i < source->nr_pools; i++)
        if (libxl_bitmap_test(&source->pools[i].cpumap, cpu)) {
            table_text(table, POOL, source->pools[i].pool_name);
            return;
        }
}

/* A saved host has numbers of cpupools alone. */
static void put_saved_pool(struct table *table, const struct xln_host *host,
                           unsigned cpu)
{
    char number[16];
    unsigned i;

    for (i = 0; i < xln_host_nr_pools(host); i++) {
        const struct xln_host_pool *pool = xln_host_pool_at(host, i);

        if (xln_cpumap_test(pool->cpus, cpu)) {
            snprintf(number, sizeof(number), "%u", pool->id);
            table_text(table, POOL, number);
            return;
        }
    }
}

static void add_cpu(struct table *table, const struct source *source,
                    unsigned number)
{
    const struct xln_host_cpu *cpu = xln_host_cpu(source->host, number);

    table_row(table);
    table_count(table, CPU, number);
    table_count(table, CORE, cpu->core);
    table_count(table, SOCKET, cpu->socket);
    if (cpu->node != XLN_NONE)
        table_count(table, NODE, cpu->node);
    table_bool(table, ONLINE, cpu->online);
    if (source->saved)
        put_saved_pool(table, source->host, number);
    else
        put_pool(table, source, number);
}

static void add_cpus(struct table *table, const struct source *source)
{
    unsigned nr = xln_host_nr_cpus(source->host), i;

    for (i = 0; i < nr; i++)
        if (xln_host_cpu(source->host, i))
            add_cpu(table, source, i);
}

/* ---- the rest, which only JSON has ---- */

/* By node number, so it is null also for a number without a node. */
static void add_distances(struct xln__json *json, const struct xln_host *host,
                          unsigned from)
{
    unsigned nr = xln_host_nr_nodes(host), to;

    xln__json_key(json, "distances");
    xln__json_array(json);
    for (to = 0; to < nr; to++)
        xln__json_id(json, xln_host_distance(host, from, to));
    xln__json_array_end(json);
}

static void add_nodes(struct xln__json *json, const struct xln_host *host)
{
    unsigned node;

    xln__json_key(json, "nodes");
    xln__json_array(json);
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        const struct xln_host_node *n = xln_host_node(host, node);

        xln__json_object(json);
        xln__json_add_number(json, "node", node);
        xln__json_add_number(json, "total_bytes", n->total_bytes);
        xln__json_add_number(json, "free_bytes", n->free_bytes);
        add_distances(json, host, node);
        xln__json_object_end(json);
    }
    xln__json_array_end(json);
}

static void add_device(struct xln__json *json, const libxl_pcitopology *device)
{
    char address[16];

    snprintf(address, sizeof(address), "%04x:%02x:%02x.%x", device->seg,
             device->bus, device->devfn >> 3, device->devfn & 7);
    xln__json_object(json);
    xln__json_add_text(json, "address", address);
    /* LIBXL_PCITOPOLOGY_INVALID_ENTRY is UINT_MAX, and null. */
    xln__json_add_id(json, "node", device->node);
    xln__json_object_end(json);
}

static int by_address(const void *a, const void *b)
{
    const libxl_pcitopology *d = a, *e = b;

    if (d->seg != e->seg)
        return d->seg < e->seg ? -1 : 1;
    if (d->bus != e->bus)
        return d->bus < e->bus ? -1 : 1;
    return d->devfn - e->devfn;
}

/* libxl has them in no order. NULL: not known. */
static void add_devices(struct xln__json *json, libxl_pcitopology *devices,
                        int nr)
{
    int i;

    xln__json_key(json, "devices");
    if (!devices) {
        xln__json_text(json, NULL);
        return;
    }
    qsort(devices, nr, sizeof(*devices), by_address);
    xln__json_array(json);
    for (i = 0; i < nr; i++)
        add_device(json, &devices[i]);
    xln__json_array_end(json);
}

static int print_json(const struct cmd_line *line, const struct table *cpus,
                      const struct xln_host *host, libxl_pcitopology *devices,
                      int nr_devices)
{
    struct xln__json *json = cmd_new_json(line);

    if (!json)
        return -ENOMEM;
    xln__json_object(json);
    xln__json_add_number(json, "version", JSON_VERSION);
    table_add_json(cpus, json);
    add_nodes(json, host);
    add_devices(json, devices, nr_devices);
    xln__json_object_end(json);
    return xln__json_print(json, stdout);
}

/* ---- what is shown ---- */

/* The devices as libxl reports them; NULL in *devices_r: not known. */
static int copy_devices(const struct xln_snapshot *saved,
                        libxl_pcitopology **devices_r)
{
    libxl_pcitopology *devices;
    unsigned i;

    *devices_r = NULL;
    if (!saved->devices_known)
        return 0;
    devices = calloc(saved->nr_devices + 1, sizeof(*devices));
    if (!devices)
        return -ENOMEM;
    for (i = 0; i < saved->nr_devices; i++) {
        const struct xln_pci_device *d = &saved->devices[i];

        devices[i] = (libxl_pcitopology){
            .seg = d->segment, .bus = d->bus,
            .devfn = d->device << 3 | d->function,
            .node = d->node == XLN_NONE ? LIBXL_PCITOPOLOGY_INVALID_ENTRY
                                        : d->node,
        };
    }
    *devices_r = devices;
    return 0;
}

static int show_saved_json(struct cmd_line *line, struct table *cpus,
                           const struct xln_snapshot *saved)
{
    libxl_pcitopology *devices;
    int rc = copy_devices(saved, &devices);

    if (!rc)
        rc = print_json(line, cpus, saved->host, devices,
                        saved->nr_devices);
    cmd_complain_of(line, rc);
    free(devices);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int show_live_json(struct cmd_line *line, struct table *cpus,
                          const struct xln_host *host)
{
    libxl_pcitopology *devices;
    int nr, rc;

    /* libxl says in a line of its own what is wrong. */
    devices = libxl_get_pci_topology(line->ctx, &nr);
    if (!devices) {
        complain("info: cannot read the nodes of the PCI devices");
        return EXIT_FAILURE;
    }
    rc = print_json(line, cpus, host, devices, nr);
    cmd_complain_of(line, rc);
    libxl_pcitopology_list_free(devices, nr);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int show_json(struct cmd_line *line, struct table *cpus,
                     const struct source *source)
{
    if (cmd_arrange(line, cpus) == -EINVAL)
        return EXIT_USAGE;
    return source->saved ? show_saved_json(line, cpus, source->saved)
                         : show_live_json(line, cpus, source->host);
}

static int show(struct cmd_line *line, const struct source *source)
{
    struct table *table = NULL;
    int rc, code;

    rc = table_new(columns, "cpus", &table);
    if (!rc)
        add_cpus(table, source);
    if (rc || !cmd_value(line, OPT_JSON))
        return cmd_show_table(line, table, rc);
    code = show_json(line, table, source);
    table_free(table);
    return code;
}

/* ---- the command ---- */

static int run_live(struct cmd_line *line)
{
    struct source source = { 0 };
    int rc, code = EXIT_FAILURE;

    if (!cmd_open_xen(line))
        return EXIT_FAILURE;
    rc = xln_host_read(line->xch, NULL, &source.host);
    if (!rc) {
        source.pools = libxl_list_cpupool(line->ctx, &source.nr_pools);
        if (!source.pools)
            rc = xln__from_errno();
    }
    if (!rc)
        code = show(line, &source);
    cmd_complain_of(line, rc);
    if (source.pools)
        libxl_cpupoolinfo_list_free(source.pools, source.nr_pools);
    xln_host_free(source.host);
    return code;
}

static int run_saved(struct cmd_line *line, const char *word)
{
    struct source source = { 0 };
    int code;

    if (!cmd_load_host(word, &source.saved))
        return EXIT_FAILURE;
    source.host = source.saved->host;
    code = show(line, &source);
    xln_snapshot_free(source.saved);
    return code;
}

enum { OPT_HOST = OPT_OWN };

static int run(struct cmd_line *line)
{
    const char *word = cmd_value(line, OPT_HOST);

    if (!cmd_value(line, 'n'))
        return cmd_usage(line, "-o, --json and --host need -n");
    return word ? run_saved(line, word) : run_live(line);
}

static const struct cmd_option options[] = {
    { "numa", 'n', NULL, "the CPUs, and in JSON nodes and PCI devices too" },
    TABLE_OPTIONS,
    { "host", OPT_HOST, "FILE", "of a saved host, or one of hwloc or libvirt" },
    { 0 }
};

const struct cmd cmd_info = {
    .name = "info", .args = "-n [OPTIONS]",
    .summary = "show which CPUs, memory and PCI devices are on which node",
    .examples =
        "  xl info -n\n"
        "  xl info -n --host host.json --json\n",
    .min_args = 0, .max_args = 0,
    .options = options, .columns = columns, .run = run,
};
