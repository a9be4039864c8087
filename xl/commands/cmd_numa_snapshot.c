/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-snapshot: the host, its domains and devices, as a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "libxl_numa_foreign.h"
#include "replace_file.h"
#include "views/map_view.h"

/* The format of the file. */
struct product {
    struct xln_snapshot *snapshot;
    bool for_lstopo;
};

/* With its domains, if they are known. */
static int print_hwloc(const struct xln_snapshot *snapshot, FILE *f)
{
    struct map *map;
    int rc;

    if (!snapshot->domains)
        return xln_host_save_hwloc(snapshot->host, f);
    rc = map_new(snapshot, &map);
    if (rc)
        return rc;
    rc = map_hwloc_print(map, f);
    map_free(map);
    return rc;
}

static int print(const void *what, FILE *f)
{
    const struct product *product = what;

    return product->for_lstopo ? print_hwloc(product->snapshot, f)
                               : xln_snapshot_save(product->snapshot, f);
}

static int write_product(const struct cmd_line *line,
                         const struct product *product)
{
    const char *path = line->nr_args ? line->args[0] : "-";
    bool is_file = strcmp(path, "-");
    int rc = is_file ? replace_file(path, print, product) : print(product, stdout);

    if (is_file && rc)
        complain("cannot write '%s': %s", path, strerror(-rc));
    else
        cmd_complain_of(line, rc);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

enum { OPT_HOST = OPT_OWN, OPT_HWLOC, OPT_PAGES };

static const struct cmd_option options[] = {
    { "host", OPT_HOST, "FILE", "a saved host, or one of hwloc or libvirt, "
                                "instead" },
    { "pages", OPT_PAGES, NULL, "have Xen count every page now: costly" },
    { "hwloc", OPT_HWLOC, NULL, "write XML of hwloc, for lstopo" },
    { 0 }
};

static int run(struct cmd_line *line)
{
    const char *word = cmd_value(line, OPT_HOST);
    struct product product = { .for_lstopo = cmd_value(line, OPT_HWLOC) };
    int code;

    if (word && cmd_value(line, OPT_PAGES))
        return cmd_usage(line, "--pages needs the running host");
    if (word ? !cmd_load_host(word, &product.snapshot)
             : !cmd_read_residents(line, cmd_value(line, OPT_PAGES),
                                   &product.snapshot))
        return EXIT_FAILURE;
    code = write_product(line, &product);
    xln_snapshot_free(product.snapshot);
    return code;
}

const struct cmd cmd_numa_snapshot = {
    .name = "numa-snapshot",
    .args = "[OPTIONS] [FILE]",
    .summary = "save the host, its domains and devices to a file",
    .examples =
        "  xl numa-snapshot host.json\n"
        "  xl numa-snapshot --pages host.json\n"
        "  xl numa-snapshot --hwloc host.xml\n",
    .min_args = 0,
    .max_args = 1,
    .options = options,
    .run = run,
};
