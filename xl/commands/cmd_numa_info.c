/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-info: the nodes of the host, and the domains on them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd.h"
#include "placement/domain_word.h"
#include "placement/move_journal.h"
#include "text/units.h"
#include "views/host_view.h"
#include "views/virsh.h"

/*
 * The hypervisor prints its report to the console, which may be a serial line,
 * and to a ring of 16 KiB that has to hold it: not for more lines than these.
 */
#define REPORT_MAX_LINES 256

enum { NODE, CPUS, TOTAL, FREE, USABLE, USED, RESERVED, DISTANCES, PCI,
       DOMAINS, TAKEN, DMA, DEVICES, NAMES, HOME };

static const struct table_column columns[] = {
    [NODE] = { "NODE", "its number", true, true, 0 },
    [CPUS] = { "CPUS", "its CPUs that are online", false, true, 0 },
    [TOTAL] = { "TOTAL", "MiB of memory, holes included", true, true,
                TABLE_BYTES },
    [FREE] = { "FREE", "MiB that are free", true, true, TABLE_BYTES },
    [USABLE] = { "USABLE", "MiB to plan with: FREE less RESERVED and DMA",
                 true, true, TABLE_BYTES },
    [USED] = { "USED", "MiB granted to domains when they were built", true,
               true, TABLE_BYTES },
    [RESERVED] = { "RESERVED", "MiB reserved for creates and ballooning up",
                   true, true, TABLE_BYTES },
    [DISTANCES] = { "DISTANCES", "to node 0, 1, ...; its own is 10", false,
                    true, 0 },
    [PCI] = { "PCI", "number of PCI devices", true, true, 0 },
    [DOMAINS] = { "DOMAINS", "number of domains with affinity to it, "
                             "not to all", true, true, 0 },
    [TAKEN] = { "TAKEN", "MiB that are not free: TOTAL less FREE", true,
                false, TABLE_BYTES },
    [DMA] = { "DMA", "MiB that are free, but kept for DMA", true, false,
              TABLE_BYTES },
    [DEVICES] = { "DEVICES", "the PCI devices", false, false, 0 },
    [NAMES] = { "NAMES", "the domains that DOMAINS counts", false, false, 0 },
    [HOME] = { "HOME", "the node that its CPUs count for", true, false, 0 },
    { 0 }
};

/* ---- the table ---- */

static void put_memory(const struct host_view *view, unsigned node,
                       struct table *table)
{
    const struct xln_host_node *n = xln_host_node(view->host, node);

    table_mib(table, TOTAL, n->total_bytes);
    table_mib(table, FREE, n->free_bytes);
    table_mib(table, USABLE, xln_host_node_usable(n, false, 0));
    if (view->granted_pages)
        table_mib(table, USED, view->granted_pages[node] << PAGE_SHIFT);
    table_mib(table, RESERVED, n->reserved_bytes);
    table_mib(table, TAKEN, n->total_bytes - n->free_bytes);
    table_mib(table, DMA, n->dma_bytes);
}

static void put_distances(const struct host_view *view, unsigned node,
                          struct table *table)
{
    unsigned nr = xln_host_nr_nodes(view->host), i;
    unsigned *distances = calloc(nr, sizeof(*distances));

    if (!distances) {
        table_fail(table, -ENOMEM);
        return;
    }
    for (i = 0; i < nr; i++)
        distances[i] = xln_host_distance(view->host, node, i);
    table_numbers(table, DISTANCES, distances, nr);
    free(distances);
}

static void free_texts(char **texts, unsigned nr)
{
    while (nr)
        free(texts[--nr]);
    free(texts);
}

static void put_devices(const struct host_view *view, unsigned node,
                        struct table *table)
{
    const struct xln_snapshot *snapshot = view->snapshot;
    char **addresses = calloc(snapshot->nr_devices + 1, sizeof(*addresses));
    const struct xln_pci_device *d = snapshot->devices;
    unsigned nr = 0;

    if (!addresses)
        table_fail(table, -ENOMEM);
    for (; addresses && d < snapshot->devices + snapshot->nr_devices; d++) {
        if (d->node != node)
            continue;
        if (asprintf(&addresses[nr], "%04x:%02x:%02x.%u", d->segment, d->bus,
                     d->device, d->function) < 0)
            table_fail(table, -ENOMEM);
        else
            nr++;
    }
    table_count(table, PCI, nr);
    table_texts(table, DEVICES, addresses, nr);
    free_texts(addresses, nr);
}

static void put_domains(const struct host_view *view, unsigned node,
                        struct table *table)
{
    char **names = calloc(view->domains->nr + 1, sizeof(*names));
    const struct xln_domain *d;
    unsigned nr = 0, i;

    if (!names)
        table_fail(table, -ENOMEM);
    for (i = 0; names && i < view->domains->nr; i++) {
        d = &view->domains->list[i];
        if (host_view_is_placed(view, d) && xln_nodemap_test(d->nodes, node))
            names[nr++] = view->snapshot->more[i].name;
    }
    table_count(table, DOMAINS, nr);
    table_texts(table, NAMES, names, nr);
    free(names);
}

static void put_row(const struct host_view *view, unsigned node,
                    struct table *table)
{
    const struct xln_host_node *n = xln_host_node(view->host, node);

    table_row(table);
    table_count(table, NODE, node);
    table_set(table, CPUS, xln_cpumap_bits(n->cpus));
    if (!xln_cpumap_is_empty(n->cpus))
        table_count(table, HOME, xln_host_home(view->host, node));
    put_memory(view, node, table);
    put_distances(view, node, table);
    if (view->snapshot->devices_known)
        put_devices(view, node, table);
    if (view->domains)
        put_domains(view, node, table);
}

/* `nodes`: the rows that there shall be. */
static int show_table(struct cmd_line *line, const struct host_view *view,
                      const struct xln_nodemap *nodes)
{
    struct table *table = NULL;
    unsigned node;
    int rc;

    rc = table_new(columns, "nodes", &table);
    if (!rc)
        XLN_FOREACH(xln_nodemap, node, nodes)
            put_row(view, node, table);
    return cmd_show_table(line, table, rc);
}

/* ---- the lines below it ---- */

static void warn_half_built(const struct host_view *view)
{
    const struct xln_reservation *r = view->reservations->list;
    const struct xln_domain *d;
    unsigned i;

    for (i = 0; i < view->reservations->nr; i++, r++) {
        d = r->creator_lives ? NULL : host_view_domain_of(view, r);
        if (d)
            complain("domain '%s' (%" PRIu32 ") is half built, and its "
                     "creator (process %ld) is dead: 'xl destroy %" PRIu32
                     "' removes it",
                     view->snapshot->more[d - view->domains->list].name,
                     d->domid, (long)r->creator, d->domid);
    }
}

static void warn_unrecorded(const struct host_view *view)
{
    if (view->nr_unrecorded)
        complain("USED leaves out %u domain%s without a record of %s memory",
                 view->nr_unrecorded, view->nr_unrecorded == 1 ? "" : "s",
                 view->nr_unrecorded == 1 ? "its" : "their");
}

static void warn_dom0_on_node(const struct host_view *view, unsigned node,
                              uint64_t pages)
{
    uint64_t total = xln_host_node(view->host, node)->total_bytes;

    if (pages << PAGE_SHIFT > total / 2)
        complain("Domain-0 holds %" PRIu64 " of the %" PRIu64 " MiB of node "
                 "%u: see dom0_mem= and dom0_nodes= of Xen",
                 IN_MIB(pages << PAGE_SHIFT), IN_MIB(total), node);
}

/* Only the hypervisor's report has these figures. Domain-0 comes first in it,
 * and a small ring loses the first part. */
static void warn_dom0(struct cmd_line *line, const struct host_view *view,
                      const struct xln_nodemap *nodes)
{
    unsigned nr_nodes = xln_nodemap_count(xln_host_nodes(view->host)), node;
    const struct xln_residency_domain *dom0 = NULL;
    struct xln_residency *residency = NULL;

    if (!xln_residency_is_cheap(view->host) ||
        view->domains->nr * (nr_nodes + 1) > REPORT_MAX_LINES)
        return;
    if (!xln_residency_read(line->xch, &residency))
        dom0 = xln_residency_domain(residency, 0);
    if (!dom0)
        complain("cannot tell what Domain-0 holds of each node: the "
                 "hypervisor's report is not available");
    XLN_FOREACH(xln_nodemap, node, nodes)
        if (dom0 && node < residency->nr_nodes)
            warn_dom0_on_node(view, node, dom0->pages[node]);
    xln_residency_free(residency);
}

/* No process holds the lock of a domain whose move is dead. */
static void warn_dead_moves(void)
{
    char word[DOMAIN_WORD_MAX];
    struct move **moves;
    unsigned nr, i;
    int rc;

    rc = move_read_all(&moves, &nr);
    if (rc) {
        complain("cannot tell which moves are dead: %s", strerror(-rc));
        return;
    }
    for (i = 0; i < nr; i++)
        if (!move_is_locked(moves[i]->uuid))
            complain("the move of '%s' was interrupted: 'xl numa-move "
                     "--recover %s' repairs it", moves[i]->name,
                     domain_word(moves[i]->name, moves[i]->domid, word));
    move_free_all(moves, nr);
}

static void show_warnings(struct cmd_line *line, const struct host_view *view,
                          const struct xln_nodemap *nodes)
{
    /* They come below the table if both go to one place. The end of the
     * program reports what could not be written. */
    if (fflush(stdout))
        return;
    warn_half_built(view);
    warn_dead_moves();
    warn_unrecorded(view);
    warn_dom0(line, view, nodes);
}

/* ---- the command ---- */

enum { OPT_HOST = OPT_OWN, OPT_FREE, OPT_ALL, OPT_NODEINFO, OPT_XML };

static const struct cmd_option options[] = {
    TABLE_OPTIONS,
    { "host", OPT_HOST, "FILE", "of a saved host, or one of hwloc or "
                                "libvirt" },
    { "free", OPT_FREE, NULL, "free memory of NODE or all, as 'virsh "
                              "freecell'" },
    { "all", OPT_ALL, NULL, "with --free: of each node, and their sum" },
    { "nodeinfo", OPT_NODEINFO, NULL, "as 'virsh nodeinfo'" },
    { "xml", OPT_XML, NULL, "the <topology> of 'virsh capabilities'" },
    { 0 }
};

/* The arguments of the command line. */
struct question {
    bool free, all, nodeinfo, xml, has_node;
    unsigned long node;
    const char *saved;          /* NULL: of the running host */
};

/* Returns EXIT_SUCCESS, or EXIT_USAGE after printing why. */
static int read_question(const struct cmd_line *line, struct question *q)
{
    bool table = cmd_value(line, OPT_JSON) || cmd_value(line, 'o');

    *q = (struct question){
        .free = cmd_value(line, OPT_FREE),
        .all = cmd_value(line, OPT_ALL),
        .nodeinfo = cmd_value(line, OPT_NODEINFO),
        .xml = cmd_value(line, OPT_XML),
        .has_node = line->nr_args,
        .saved = cmd_value(line, OPT_HOST),
    };
    if (table + q->free + q->nodeinfo + q->xml > 1)
        return cmd_usage(line, "--free, --nodeinfo, --xml and the options of "
                               "the table exclude each other");
    if (q->nodeinfo && q->saved)
        return cmd_usage(line, "--nodeinfo needs the running host");
    if (q->all && !q->free)
        return cmd_usage(line, "--all needs --free");
    if (q->has_node && (q->all || q->nodeinfo || q->xml))
        return cmd_usage(line, "%s takes no NODE", q->all ? "--all" :
                         q->xml ? "--xml" : "--nodeinfo");
    if (q->has_node && !cmd_number(line->args[0], UINT_MAX, &q->node))
        return cmd_usage(line, "NODE is a number, not '%s'", line->args[0]);
    return EXIT_SUCCESS;
}

static bool has_node(const struct xln_host *host, const struct question *q)
{
    char *nodes;

    if (!q->has_node || xln_host_node(host, q->node))
        return true;
    if (xln_nodemap_format(xln_host_nodes(host), &nodes)) {
        complain("no node %lu", q->node);
        return false;
    }
    complain("no node %lu: this host has %s", q->node, nodes);
    free(nodes);
    return false;
}

static int show_nodeinfo(struct cmd_line *line)
{
    struct utsname machine;
    xc_physinfo_t info;
    int rc;

    if (uname(&machine)) {
        complain("cannot tell the kind of machine: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    if (xc_physinfo(line->xch, &info)) {
        complain("cannot read the host");
        return EXIT_FAILURE;
    }
    rc = virsh_print_nodeinfo(&info, machine.machine, stdout);
    cmd_complain_of(line, rc);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int show_host(const struct xln_host *host, const struct question *q)
{
    int rc;

    if (q->xml)
        rc = virsh_print_topology(host, stdout);
    else if (q->all)
        rc = virsh_print_free_of_all(host, stdout);
    else if (q->has_node)
        rc = virsh_print_free_of_node(host, q->node, stdout);
    else
        rc = virsh_print_free(host, stdout);
    if (!rc)
        return EXIT_SUCCESS;
    complain("numa-info: %s", strerror(-rc));
    return EXIT_FAILURE;
}

static int show_if_has_node(const struct xln_host *host,
                            const struct question *q)
{
    return has_node(host, q) ? show_host(host, q) : EXIT_FAILURE;
}

static int run_saved_host(const struct question *q)
{
    struct xln_snapshot *snapshot;
    int code;

    if (!cmd_load_host(q->saved, &snapshot))
        return EXIT_FAILURE;
    code = show_if_has_node(snapshot->host, q);
    xln_snapshot_free(snapshot);
    return code;
}

static int run_host(struct cmd_line *line, const struct question *q)
{
    struct xln_host *host;
    int code, rc;

    if (q->saved)
        return run_saved_host(q);
    rc = xln_host_read(line->xch, NULL, &host);
    if (rc) {
        complain("cannot read the host: %s", strerror(-rc));
        return EXIT_FAILURE;
    }
    code = show_if_has_node(host, q);
    xln_host_free(host);
    return code;
}

static int show_view(struct cmd_line *line, const struct host_view *view,
                     const struct question *q)
{
    struct xln_nodemap *nodes;
    int code;

    if (!has_node(view->host, q))
        return EXIT_FAILURE;
    if (xln_nodemap_copy(xln_host_nodes(view->host), &nodes)) {
        complain("numa-info: %s", strerror(ENOMEM));
        return EXIT_FAILURE;
    }
    if (q->has_node) {
        xln_nodemap_zero(nodes);
        xln_nodemap_set(nodes, q->node);
    }
    code = show_table(line, view, nodes);
    if (code == EXIT_SUCCESS && !q->saved && !cmd_value(line, OPT_JSON))
        show_warnings(line, view, nodes);
    xln_nodemap_free(nodes);
    return code;
}

static bool read_view(const struct cmd_line *line, struct host_view *view)
{
    const char *what;
    int rc = host_view_read(line->xch, line->ctx, view, &what);

    if (rc)
        complain("cannot read %s: %s", what, strerror(-rc));
    return !rc;
}

static bool load_view(const char *word, struct host_view *view)
{
    struct xln_snapshot *snapshot = NULL;
    int rc;

    if (!cmd_load_host(word, &snapshot)) {
        *view = (struct host_view){ 0 };
        return false;
    }
    rc = host_view_of(snapshot, view);
    if (rc)
        complain("cannot read %s: %s", word, strerror(-rc));
    return !rc;
}

static int run_view(struct cmd_line *line, const struct question *q)
{
    struct host_view view;
    int code = EXIT_FAILURE;

    if (q->saved ? load_view(q->saved, &view) : read_view(line, &view))
        code = show_view(line, &view, q);
    host_view_dispose(&view);
    return code;
}

static int run(struct cmd_line *line)
{
    struct question q;
    int code = read_question(line, &q);

    if (code)
        return code;
    if (!q.saved && !cmd_open_xen(line))
        return EXIT_FAILURE;
    if (q.nodeinfo)
        return show_nodeinfo(line);
    return q.free || q.xml ? run_host(line, &q) : run_view(line, &q);
}

const struct cmd cmd_numa_info = {
    .name = "numa-info",
    .args = "[OPTIONS] [NODE]",
    .summary = "show the nodes of the host and the domains on them",
    .examples =
        "  xl numa-info\n"
        "  xl numa-info -H -o NODE,FREE,NAMES\n"
        "  xl numa-info --host host.json 0 1\n",
    .min_args = 0,
    .max_args = 1,
    .options = options,
    .columns = columns,
    .run = run,
};
