/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>
#include <libxlutil.h>

#include "handover.h"
#include "xml_request.h"
#include "text/refuse.h"

/* The mask of one vCPU, from a list of CPUs of which the host may lack some. */
static int bind_vcpu(libxl_ctx *ctx, const char *list, libxl_bitmap *bitmap)
{
    struct xln_cpumap *cpus;
    unsigned cpu;
    int rc;

    if (libxl_cpu_bitmap_alloc(ctx, bitmap, 0))
        return -ENOMEM;
    rc = xln_cpumap_new(bitmap->size * 8, &cpus);
    if (rc)
        return rc;
    rc = xln_cpumap_parse(list, NULL, XLN_PARSE_SKIP_ABSENT, cpus, NULL);
    if (!rc)
        XLN_FOREACH(xln_cpumap, cpu, cpus)
            libxl_bitmap_set(bitmap, cpu);
    xln_cpumap_free(cpus);
    return rc;
}

static void dispose_bitmaps(libxl_bitmap *bitmaps, int nr)
{
    int i;

    for (i = 0; i < nr; i++)
        libxl_bitmap_dispose(&bitmaps[i]);
    free(bitmaps);
}

/* cpus=, a list for all vCPUs or one for each. */
static const char *list_of_vcpu(const XLU_Config *xlu, unsigned vcpu)
{
    XLU_ConfigList *list;
    const char *text;
    int nr;

    if (!xlu_cfg_get_string(xlu, "cpus", &text, 1))
        return text;
    if (xlu_cfg_get_list(xlu, "cpus", &list, &nr, 1) || vcpu >= (unsigned)nr)
        return NULL;
    return xlu_cfg_get_listitem(list, vcpu);
}

/* Xen refuses a vCPU without a CPU. -EINVAL: none of the list is here. */
static int check_bound(const struct aim *aim, const char *list, bool is_news,
                       libxl_bitmap *bitmap, char **error_r)
{
    if (!libxl_bitmap_is_empty(bitmap))
        return 0;
    if (!aim->again)
        return xln__refuse(error_r, "%s: cpus=\"%s\": none of these CPUs is on "
                           "this host", aim->config->c_info.name, list);
    if (is_news)
        xtl_log(aim->lg, XTL_WARN, -1, "numa",
                "'%s': cpus=\"%s\": none of these CPUs is on this host: it may "
                "run on all", aim->config->c_info.name, list);
    libxl_bitmap_set_any(bitmap);
    return 0;
}

/*
 * libvirt itself passes what <vcpupin> says, and nothing of <vcpu cpuset>. This
 * has both, so it takes the place of that.
 */
static int bind_vcpus(const struct aim *aim, const XLU_Config *xlu,
                      char **error_r)
{
    libxl_domain_build_info *info = &aim->config->b_info;
    libxl_bitmap *bitmaps;
    const char *list;
    int i, rc = 0;

    if (!list_of_vcpu(xlu, 0))
        return 0;
    bitmaps = calloc(info->max_vcpus, sizeof(*bitmaps));
    if (!bitmaps)
        return -ENOMEM;
    for (i = 0; i < info->max_vcpus && !rc; i++) {
        list = list_of_vcpu(xlu, i);
        rc = bind_vcpu(aim->ctx, list ? list : "all", &bitmaps[i]);
        if (!rc && list)
            rc = check_bound(aim, list, !i || list != list_of_vcpu(xlu, i - 1),
                             &bitmaps[i], error_r);
    }
    if (rc) {
        dispose_bitmaps(bitmaps, info->max_vcpus);
        return rc;
    }
    dispose_bitmaps(info->vcpu_hard_affinity, info->num_vcpu_hard_affinity);
    info->vcpu_hard_affinity = bitmaps;
    info->num_vcpu_hard_affinity = info->max_vcpus;
    libxl_defbool_set(&info->numa_placement, false);
    return 0;
}

/* The nodes that <memnode> names for a cell; "": none. */
static int read_cell(const char *text, struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *nodes;
    int rc;

    if (!*text)
        return 0;
    rc = xln_nodemap_new(XLN_MAX_NODES, &nodes);
    if (rc)
        return rc;
    rc = xln_nodemap_parse(text, 0, nodes, NULL);
    if (rc) {
        xln_nodemap_free(nodes);
        return rc;
    }
    *nodes_r = nodes;
    return 0;
}

static int read_cells(const XLU_Config *xlu, struct cells **cells_r)
{
    XLU_ConfigList *list;
    struct cells *cells;
    const char *text;
    int i, nr, rc;

    if (xlu_cfg_get_list(xlu, "cell_nodes", &list, &nr, 1))
        return 0;
    rc = cells_new(nr, &cells);
    if (rc)
        return rc;
    for (i = 0; i < nr && !rc; i++) {
        text = xlu_cfg_get_listitem(list, i);
        rc = text ? read_cell(text, &cells->list[i].nodes) : 0;
    }
    if (rc) {
        cells_free(cells);
        return rc;
    }
    *cells_r = cells;
    return 0;
}

static int parse_request(const struct aim *aim, const char *text, size_t size,
                         struct xml_request *request, char **error_r)
{
    const char *name = aim->config->c_info.name;
    XLU_Config *xlu = xlu_cfg_init(stderr, name);
    int rc;

    if (!xlu)
        return -ENOMEM;
    rc = xlu_cfg_readdata(xlu, text, size) ? -EINVAL : 0;
    if (!rc)
        rc = aim->again ? keys_read_again(xlu, name, &request->keys, error_r)
                        : keys_read_domain(xlu, name, NULL, &request->keys,
                                           NULL, error_r);
    if (!rc)
        rc = bind_vcpus(aim, xlu, error_r);
    if (!rc)
        rc = read_cells(xlu, &request->cells);
    xlu_cfg_destroy(xlu);
    if (rc) {
        keys_free(request->keys);
        request->keys = NULL;
    }
    return rc;
}

static int read_request(const struct aim *aim, struct xml_request *request,
                        char **error_r)
{
    size_t size, length = strlen(HANDOVER_WRONG);
    char uuid[37], *text;
    int rc;

    snprintf(uuid, sizeof(uuid), LIBXL_UUID_FMT,
             LIBXL_UUID_BYTES(aim->config->c_info.uuid));
    rc = handover_take(HANDOVERS, uuid, &text, &size);
    if (rc)
        return rc;
    if (!strncmp(text, HANDOVER_WRONG, length))
        rc = xln__refuse(error_r, "%s", text + length);
    else
        rc = parse_request(aim, text, size, request, error_r);
    free(text);
    return rc;
}

struct xml_request xml_request_of(const struct aim *aim)
{
    const char *name = aim->config->c_info.name;
    struct xml_request request = { 0 };
    char *error = NULL;
    int rc = read_request(aim, &request, &error);

    request.refused = rc == -EINVAL && error && !aim->again;
    if (request.refused)
        xtl_log(aim->listening, XTL_ERROR, -1, "numa", "%s", error);
    else if (rc == -ENOENT)
        xtl_log(aim->lg, XTL_WARN, -1, "numa",
                "'%s': the hook of xl-numa left nothing in " HANDOVERS ", so "
                "libvirt probably did not run it: of the placement in its XML "
                "only <vcpupin> applies", name);
    else if (rc)
        xtl_log(aim->lg, XTL_WARN, -1, "numa",
                "'%s': cannot read the placement in its XML: %s", name,
                error ? error : strerror(-rc));
    free(error);
    return request;
}
