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
#include "json.h"

enum { CPU, CORE, SOCKET, NODE, ONLINE, POOL };

/* Shown without -o: what the installed xl has, in its order. */
static const struct table_column columns[] = {
    [CPU] = { "CPU", "the number of the CPU", true, true },
    [CORE] = { "CORE", "its core, within the socket", true, true },
    [SOCKET] = { "SOCKET", "its socket", true, true },
    [NODE] = { "NODE", "its node", true, true },
    [ONLINE] = { "ONLINE", "whether Xen uses it", false, false },
    [POOL] = { "POOL", "the cpupool that it is in", false, false },
    { 0 }
};

struct pools {
    libxl_cpupoolinfo *list;
    int nr;
};

/* ---- CPUs ---- */

/* NULL: in none, as a CPU may be. */
static const char *pool_of(const struct pools *pools, unsigned cpu)
{
    int i;

    for (i = 0; i < pools->nr; i++)
        if (libxl_bitmap_test(&pools->list[i].cpumap, cpu))
            return pools->list[i].pool_name;
    return NULL;
}

static int add_cpu(struct table *table, const struct xln_host_cpu *cpu,
                   unsigned number, const char *pool)
{
    int rc = table_row(table);

    if (!rc)
        rc = table_number(table, CPU, number, "%u", number);
    if (!rc)
        rc = table_number(table, CORE, cpu->core, "%u", cpu->core);
    if (!rc)
        rc = table_number(table, SOCKET, cpu->socket, "%u", cpu->socket);
    if (!rc && cpu->node != XLN_NONE)
        rc = table_number(table, NODE, cpu->node, "%u", cpu->node);
    if (!rc)
        rc = table_bool(table, ONLINE, cpu->online);
    return rc ? rc : table_text(table, POOL, pool);
}

static int add_cpus(struct table *table, const struct xln_host *host,
                    const struct pools *pools)
{
    const struct xln_host_cpu *cpu;
    unsigned nr = xln_host_nr_cpus(host), i;
    int rc = 0;

    for (i = 0; i < nr && !rc; i++) {
        cpu = xln_host_cpu(host, i);
        if (cpu)
            rc = add_cpu(table, cpu, i, pool_of(pools, i));
    }
    return rc;
}

/* ---- the rest, which only JSON has ---- */

static void add_number(struct xln__json *json, const char *key,
                       uint64_t number)
{
    xln__json_key(json, key);
    xln__json_number(json, number);
}

/* By node number, so null also for a number that no node has. */
static void add_distances(struct xln__json *json, const struct xln_host *host,
                          unsigned from)
{
    unsigned nr = xln_host_nr_nodes(host), to, distance;

    xln__json_key(json, "distances");
    xln__json_array(json);
    for (to = 0; to < nr; to++) {
        distance = xln_host_distance(host, from, to);
        if (distance == XLN_NONE)
            xln__json_text(json, NULL);
        else
            xln__json_number(json, distance);
    }
    xln__json_array_end(json);
}

static void add_nodes(struct xln__json *json, const struct xln_host *host)
{
    unsigned node;

    xln__json_key(json, "nodes");
    xln__json_array(json);
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        xln__json_object(json);
        add_number(json, "id", node);
        add_number(json, "size", xln_host_node(host, node)->total_bytes);
        add_number(json, "free", xln_host_node(host, node)->free_bytes);
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
    xln__json_key(json, "address");
    xln__json_text(json, address);
    xln__json_key(json, "node");
    if (device->node == LIBXL_PCITOPOLOGY_INVALID_ENTRY)
        xln__json_text(json, NULL);
    else
        xln__json_number(json, device->node);
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

/* libxl has them in no order. */
static void add_devices(struct xln__json *json, libxl_pcitopology *devices,
                        int nr)
{
    int i;

    qsort(devices, nr, sizeof(*devices), by_address);
    xln__json_key(json, "devices");
    xln__json_array(json);
    for (i = 0; i < nr; i++)
        add_device(json, &devices[i]);
    xln__json_array_end(json);
}

static int print_json(const struct table *cpus, const struct xln_host *host,
                      libxl_pcitopology *devices, int nr_devices)
{
    struct xln__json *json = xln__json_new();

    if (!json)
        return -ENOMEM;
    xln__json_object(json);
    add_number(json, "version", 1);
    table_add_json(cpus, json);
    add_nodes(json, host);
    add_devices(json, devices, nr_devices);
    xln__json_object_end(json);
    return xln__json_print(json, stdout);
}

/* ---- the command ---- */

static int show_json(struct cmd_line *line, struct table *cpus,
                     const struct xln_host *host)
{
    const char *names = cmd_value(line, 'o');
    libxl_pcitopology *devices;
    int nr, rc;

    /* It has all columns anyway. */
    if (names && !table_choose(cpus, names))
        return EXIT_USAGE;
    /* libxl says in a line of its own what is wrong. */
    devices = libxl_get_pci_topology(line->ctx, &nr);
    if (!devices) {
        complain("info: cannot read the nodes of the PCI devices");
        return EXIT_FAILURE;
    }
    rc = print_json(cpus, host, devices, nr);
    cmd_complain_of(line, rc);
    libxl_pcitopology_list_free(devices, nr);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int read_cpus(struct cmd_line *line, const struct xln_host *host,
                     struct table **table_r)
{
    struct pools pools = { 0 };
    int rc;

    pools.list = libxl_list_cpupool(line->ctx, &pools.nr);
    if (!pools.list)
        return errno ? -errno : -EIO;
    rc = table_new(columns, "cpus", table_r);
    if (!rc)
        rc = add_cpus(*table_r, host, &pools);
    libxl_cpupoolinfo_list_free(pools.list, pools.nr);
    return rc;
}

static int run(struct cmd_line *line)
{
    bool json = cmd_value(line, OPT_JSON);
    struct xln_host *host = NULL;
    struct table *table = NULL;
    int rc, code;

    if (!cmd_value(line, 'n'))
        return cmd_usage(line, "-o and --json need -n");
    if (!cmd_open_xen(line))
        return EXIT_FAILURE;
    rc = xln_host_read(line->xch, NULL, &host);
    if (!rc)
        rc = read_cpus(line, host, &table);
    if (rc || !json) {
        code = cmd_show_table(line, table, rc);
    } else {
        code = show_json(line, table, host);
        table_free(table);
    }
    xln_host_free(host);
    return code;
}

static const struct cmd_option options[] = {
    { "numa", 'n', NULL, "CPUs, nodes and PCI devices" },
    { "output", 'o', "COLUMNS",
      "with -n: CPUs, these columns; +COLUMNS: these too" },
    { "json", OPT_JSON, NULL, "with -n: CPUs, nodes and PCI devices as JSON" },
    { 0 }
};

const struct cmd cmd_info = {
    .name = "info", .args = "-n [OPTIONS]",
    .summary = "show which CPUs, memory and PCI devices are on which node",
    .min_args = 0, .max_args = 0,
    .options = options, .columns = columns, .run = run,
};
