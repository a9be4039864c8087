/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "placement.h"
#include "placement_log.h"
#include "record.h"

static int read_defaults(xentoollog_logger *lg, const char *data, int size,
                         struct keys **keys_r)
{
    char *error = NULL;
    int rc = keys_parse_host(data, size, HOST_DEFAULTS, keys_r, &error);

    if (error)
        xtl_log(lg, XTL_ERROR, -1, PLACEMENT_LOG, "%s", error);
    free(error);
    return rc;
}

int placement_host_defaults(libxl_ctx *ctx, xentoollog_logger *lg,
                            struct keys **keys_r)
{
    void *data = NULL;
    int size = 0, r, rc;

    r = libxl_read_file_contents(ctx, HOST_DEFAULTS, &data, &size);
    if (r && r != ENOENT) {
        xtl_log(lg, XTL_WARN, r, PLACEMENT_LOG,
                "cannot read '%s': the host's defaults are ignored",
                HOST_DEFAULTS);
        return keys_read_xsdata(NULL, keys_r, NULL);
    }
    rc = read_defaults(lg, data ? data : "", size, keys_r);
    free(data);
    return rc;
}

static int nodes_here(libxl_ctx *ctx, struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *nodes;
    libxl_numainfo *info;
    int i, nr, rc;

    rc = xln_nodemap_new(XLN_MAX_NODES, &nodes);
    if (rc)
        return rc;
    info = libxl_get_numainfo(ctx, &nr);
    if (!info) {
        xln_nodemap_free(nodes);
        return -EIO;
    }
    for (i = 0; i < nr && i < XLN_MAX_NODES; i++)
        if (info[i].size != LIBXL_NUMAINFO_INVALID_ENTRY)
            xln_nodemap_set(nodes, i);
    libxl_numainfo_list_free(info, nr);
    *nodes_r = nodes;
    return 0;
}

int placement_check_nodes(libxl_ctx *ctx, xentoollog_logger *lg,
                          const struct keys *keys, const struct cells *cells,
                          const char *source)
{
    struct xln_nodemap *nodes = NULL;
    char *error = NULL;
    int rc;

    /* The plan checks later what libxl does not know yet. */
    if ((!keys_name_nodes(keys) && !cells) || nodes_here(ctx, &nodes))
        return 0;
    rc = keys_check_nodes(keys, source, nodes, &error);
    if (!rc && cells)
        rc = cells_check_nodes(cells, source, nodes, &error);
    if (error)
        xtl_log(lg, XTL_ERROR, -1, PLACEMENT_LOG, "%s", error);
    free(error);
    xln_nodemap_free(nodes);
    return rc;
}

static struct placement *new_placement(libxl_ctx *ctx, xentoollog_logger *lg,
                                       const struct layout *layout,
                                       libxl_domain_config *config)
{
    struct placement *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->ctx = ctx;
    p->lg = lg;
    p->layout = layout;
    p->config = config;
    p->domid = p->stub_domid = XLN_NONE;
    p->lock_timeout_ms = LOCK_TIMEOUT_MS;
    p->promise_fd = -1;
    return p;
}

static int recorded_keys(struct placement *p)
{
    char *error = NULL;
    int rc;

    rc = keys_read_xsdata(p->config->c_info.xsdata, &p->keys, &error);
    if (rc == -EINVAL) {
        placement_say(p, XTL_WARN, error);
        placement_say(p, XTL_WARN,
                      "its recorded request is ignored, and the default "
                      "applies");
        rc = keys_read_xsdata(NULL, &p->keys, &error);
    }
    free(error);
    return rc;
}

/* A wrong record from elsewhere is dropped, and the domain is built without
 * virtual nodes. */
static int take_vnodes(struct placement *p)
{
    char *error = NULL;
    int rc = vnuma_record_take(&p->config->c_info.xsdata, &p->vnodes, &error);

    if (!rc && p->vnodes)
        rc = vnuma_record_check(p->vnodes, p->config, &error);
    if (rc == -EINVAL) {
        placement_say(p, XTL_WARN, error);
        vnuma_record_free(p->vnodes);
        p->vnodes = NULL;
        rc = 0;
    }
    free(error);
    return rc;
}

int placement_begin(libxl_ctx *ctx, xentoollog_logger *lg,
                    const struct layout *layout, libxl_domain_config *config,
                    struct keys *keys, struct keys *defaults,
                    struct placement **placement_r)
{
    struct placement *p = new_placement(ctx, lg, layout, config);
    int rc;

    if (!p) {
        keys_free(keys);
        keys_free(defaults);
        return -ENOMEM;
    }
    p->keys = keys;
    p->defaults = defaults;
    p->again = !keys;
    rc = take_vnodes(p);
    if (!rc && !p->keys)
        rc = recorded_keys(p);
    if (rc) {
        placement_end(p, true);
        return rc;
    }
    p->any_pool = keys_take_pool(p->keys, config);
    *placement_r = p;
    return 0;
}

int placement_note_request(struct placement *p)
{
    return keys_write_xsdata(p->keys, &p->config->c_info.xsdata);
}

int placement_begin_reset(libxl_ctx *ctx, xentoollog_logger *lg,
                          const struct layout *layout,
                          libxl_domain_config *config, uint32_t domid,
                          struct placement **placement_r)
{
    struct placement *p = new_placement(ctx, lg, layout, config);

    if (!p)
        return -ENOMEM;
    p->resetting = true;
    p->domid = domid;
    record_read(NULL, domid, &p->kept_nodes, &p->kept_pages);
    record_read_vnodes(domid, &p->kept_vnodes);
    *placement_r = p;
    return 0;
}
