/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot to and from JSON. xl-numa-snapshot(5) has the form. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

/* Version 1 did not say where domains have their memory, nor of which host the
 * snapshot is and when it was taken. */
#define FORM_VERSION 2

/* ---- writing ---- */

static void write_device(const struct xln_pci_device *d,
                         struct xln__json *json)
{
    char address[32];

    snprintf(address, sizeof(address), "%04x:%02x:%02x.%x", d->segment, d->bus,
             d->device, d->function);
    xln__json_line(json);
    xln__json_object(json);
    xln__json_add_text(json, "device", address);
    xln__json_add_id(json, "node", d->node);
    xln__json_object_end(json);
}

static void write_devices(const struct xln_snapshot *snapshot,
                          struct xln__json *json)
{
    unsigned i;

    xln__json_key(json, "pci_devices");
    if (!snapshot->devices_known) {
        xln__json_text(json, NULL);
        return;
    }
    xln__json_array(json);
    for (i = 0; i < snapshot->nr_devices; i++)
        write_device(&snapshot->devices[i], json);
    xln__json_array_end(json);
}

int xln_snapshot_save(const struct xln_snapshot *snapshot, FILE *f)
{
    struct xln__json *json = xln__json_new();

    if (!json)
        return -ENOMEM;
    xln__json_object(json);
    xln__json_add_number(json, "version", FORM_VERSION);
    xln__json_add_text(json, "xen", snapshot->xen);
    xln__json_add_text(json, "host_name", snapshot->host_name);
    xln__json_key(json, "time_s");
    xln__time_to_json(snapshot->time_s, json);
    xln__host_to_json(snapshot->host, json);
    write_devices(snapshot, json);
    xln__json_key(json, "domains");
    xln__domains_to_json(snapshot, json);
    xln__json_object_end(json);
    return xln__json_print(json, f);
}

/* ---- reading ---- */

static int check_version(struct xln__json_tree *tree,
                         const struct xln__json_value *root)
{
    uint64_t version;
    int rc;

    rc = xln__json_get_number(tree, root, "version",
        (struct xln__json_range){ .min = 1, .max = UINT_MAX }, &version);
    if (!rc && version > FORM_VERSION)
        rc = xln__json_refuse(tree, -EINVAL, xln__json_member(root, "version"),
                              "expected 1 to %u, not %u: the file needs a "
                              "newer libxl-numa than " PACKAGE_VERSION,
                              FORM_VERSION, (unsigned)version);
    return rc;
}

static int read_xen(struct xln__json_tree *tree,
                    const struct xln__json_value *root,
                    struct xln_snapshot *snapshot)
{
    static const char expected[] = "a release such as \"4.17\", or null";
    const struct xln__json_value *value = xln__json_member(root, "xen");
    unsigned major, minor;
    int rc, end = 0;

    if (!value)
        return 0;
    rc = xln__json_check(tree, value, XLN__JSON_TEXT, expected);
    if (rc)
        return rc;
    if (sscanf(value->text, "%3u.%3u%n", &major, &minor, &end) != 2 ||
        value->text[end] || value->text[strspn(value->text, "0123456789.")])
        return xln__json_expected(tree, value, "%s", expected);
    snapshot->xen = strdup(value->text);
    return snapshot->xen ? 0 : -ENOMEM;
}

static int read_origin(struct xln__json_tree *tree,
                       const struct xln__json_value *root,
                       struct xln_snapshot *snapshot)
{
    int rc;

    rc = xln__json_get_text(tree, root, "host_name", &snapshot->host_name);
    return rc ? rc : xln__time_from_json(tree, root, &snapshot->time_s);
}

/* "0000:03:00.1", hexadecimal except for the function: Linux's own form. */
static bool parse_address(const char *text, struct xln_pci_device *d)
{
    unsigned segment, bus, device, function;
    char again[32];

    if (sscanf(text, "%4x:%2x:%2x.%1x", &segment, &bus, &device,
               &function) != 4 || device > 31 || function > 7)
        return false;
    snprintf(again, sizeof(again), "%04x:%02x:%02x.%x", segment, bus, device,
             function);
    d->segment = segment;
    d->bus = bus;
    d->device = device;
    d->function = function;
    return !strcmp(text, again);
}

static int read_device(struct xln__json_tree *tree,
                       const struct xln__json_value *item,
                       const struct xln_host *host, struct xln_pci_device *d)
{
    static const char expected[] = "an address such as \"0000:03:00.1\"";
    const struct xln__json_value *address;
    uint64_t node;
    int rc;

    rc = xln__json_check(tree, item, XLN__JSON_OBJECT, "an object");
    if (!rc)
        rc = xln__json_get(tree, item, "device", XLN__JSON_TEXT, expected,
                           &address);
    if (!rc && !parse_address(address->text, d))
        rc = xln__json_expected(tree, address, "%s", expected);
    if (!rc)
        rc = xln__json_get_number(tree, item, "node",
            (struct xln__json_range){ .max = xln_host_nr_nodes(host) - 1,
                                      .or_null = true }, &node);
    if (!rc)
        d->node = node == UINT64_MAX ? XLN_NONE : node;
    return rc;
}

static int read_devices(struct xln__json_tree *tree,
                        const struct xln__json_value *root,
                        struct xln_snapshot *snapshot)
{
    const struct xln__json_value *list = xln__json_member(root, "pci_devices");
    const struct xln__json_value *item;
    int rc;

    if (!list)
        return 0;
    rc = xln__json_check(tree, list, XLN__JSON_LIST, "a list or null");
    if (rc)
        return rc;
    snapshot->devices_known = true;
    snapshot->devices = calloc(xln__json_length(list) + 1,
                               sizeof(*snapshot->devices));
    if (!snapshot->devices)
        return -ENOMEM;
    for (item = list->first; item && !rc; item = item->next)
        rc = read_device(tree, item, snapshot->host,
                         &snapshot->devices[snapshot->nr_devices++]);
    return rc;
}

static int read_domains(struct xln__json_tree *tree,
                        const struct xln__json_value *root,
                        struct xln_snapshot *snapshot)
{
    const struct xln__json_value *list = xln__json_member(root, "domains");
    int rc;

    if (!list)
        return 0;
    rc = xln__json_check(tree, list, XLN__JSON_LIST, "a list or null");
    return rc ? rc : xln__domains_from_json(tree, list, snapshot);
}

static int read_root(struct xln__json_tree *tree,
                     struct xln_snapshot *snapshot)
{
    int rc;

    rc = xln__json_check(tree, tree->root, XLN__JSON_OBJECT, "an object");
    if (!rc)
        rc = check_version(tree, tree->root);
    if (!rc)
        rc = read_xen(tree, tree->root, snapshot);
    if (!rc)
        rc = read_origin(tree, tree->root, snapshot);
    if (!rc)
        rc = xln__host_from_json(tree, tree->root, &snapshot->host);
    if (!rc)
        rc = read_devices(tree, tree->root, snapshot);
    if (!rc)
        rc = read_domains(tree, tree->root, snapshot);
    return rc;
}

int xln_snapshot_load(FILE *f, const char *source,
                      struct xln_snapshot **snapshot_r, char **error_r)
{
    struct xln_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    struct xln__json_tree *tree = NULL;
    int rc = snapshot ? 0 : -ENOMEM;

    if (!rc)
        rc = xln__json_read(f, source, &tree, error_r);
    if (rc)
        goto out;
    rc = read_root(tree, snapshot);
    if (rc == -EINVAL || rc == -EFBIG) {
        *error_r = tree->error;
        tree->error = NULL;
    }
    if (rc)
        goto out;
    *snapshot_r = snapshot;
    snapshot = NULL;

 out:
    xln__json_tree_free(tree);
    xln_snapshot_free(snapshot);
    return rc;
}
