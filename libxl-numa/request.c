/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_numa.h"

int xln_request_new(struct xln_request **request_r)
{
    struct xln_request *request = calloc(1, sizeof(*request));

    if (!request)
        return -ENOMEM;
    request->policy = xln_policy_default();
    request->mode = XLN_MODE_PREFERRED;
    request->vcpus_mode = XLN_VCPUS_SOFT;
    request->dma_reserve_bytes = XLN_DMA_RESERVE_DEFAULT;
    *request_r = request;
    return 0;
}

static int copy_nodes(const struct xln_nodemap *nodes,
                      struct xln_nodemap **copy_r)
{
    *copy_r = NULL;
    return nodes ? xln_nodemap_copy(nodes, copy_r) : 0;
}

static int copy_name(const char *name, char **copy_r)
{
    *copy_r = name ? strdup(name) : NULL;
    return name && !*copy_r ? -ENOMEM : 0;
}

static int copy_percent(const uint8_t *percent, uint8_t **copy_r)
{
    *copy_r = NULL;
    if (!percent)
        return 0;
    *copy_r = malloc(XLN_MAX_NODES);
    if (!*copy_r)
        return -ENOMEM;
    memcpy(*copy_r, percent, XLN_MAX_NODES);
    return 0;
}

int xln_request_copy(const struct xln_request *request,
                     struct xln_request **copy_r)
{
    struct xln_request *copy;
    int rc;

    copy = malloc(sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *copy = *request;
    copy->mem_nodes = NULL;
    copy->with = copy->apart = NULL;
    copy->mem_percent = NULL;
    rc = copy_nodes(request->nodes, &copy->nodes);
    if (rc)
        goto out;
    rc = copy_percent(request->mem_percent, &copy->mem_percent);
    if (rc)
        goto out;
    rc = copy_nodes(request->mem_nodes, &copy->mem_nodes);
    if (rc)
        goto out;
    rc = copy_name(request->with, &copy->with);
    if (rc)
        goto out;
    rc = copy_name(request->apart, &copy->apart);
    if (rc)
        goto out;

    *copy_r = copy;
    copy = NULL;
    rc = 0;
 out:
    xln_request_free(copy);
    return rc;
}

void xln_request_free(struct xln_request *request)
{
    if (!request)
        return;
    xln_nodemap_free(request->nodes);
    xln_nodemap_free(request->mem_nodes);
    free(request->with);
    free(request->apart);
    free(request->mem_percent);
    free(request);
}
