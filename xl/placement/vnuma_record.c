/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "text/from_errno.h"
#include "text/refuse.h"
#include "text/units.h"
#include "vnuma_record.h"

struct vnuma_record *vnuma_record_new(unsigned nr_vnodes, unsigned nr_ranges,
                                      unsigned nr_vcpus)
{
    struct vnuma_record *r = calloc(1, sizeof(*r));
    unsigned i;

    if (!r)
        return NULL;
    r->nr_vnodes = nr_vnodes;
    r->nr_ranges = nr_ranges;
    r->nr_vcpus = nr_vcpus;
    r->ranges = calloc(nr_ranges + 1, sizeof(*r->ranges));
    r->distances = calloc(nr_vnodes * nr_vnodes + 1, sizeof(*r->distances));
    r->vnodes = calloc(nr_vcpus + 1, sizeof(*r->vnodes));
    r->nodes = calloc(nr_vnodes + 1, sizeof(*r->nodes));
    if (!r->ranges || !r->distances || !r->vnodes || !r->nodes) {
        vnuma_record_free(r);
        return NULL;
    }
    for (i = 0; i < nr_vnodes; i++)
        r->nodes[i] = XLN_NONE;
    return r;
}

void vnuma_record_free(struct vnuma_record *r)
{
    if (!r)
        return;
    free(r->ranges);
    free(r->distances);
    free(r->vnodes);
    free(r->nodes);
    free(r);
}

/* ---- the hypervisor's ---- */

static bool is_possible(uint32_t nr_vnodes, uint32_t nr_ranges,
                        uint32_t nr_vcpus)
{
    return nr_vnodes && nr_vnodes <= XLN_VNUMA_MAX_NODES && nr_ranges &&
           nr_ranges <= VNUMA_RANGES_MAX && nr_vcpus && nr_vcpus <= VCPUS_MAX;
}

int vnuma_record_read(xc_interface *xch, uint32_t domid,
                      struct vnuma_record **record_r)
{
    uint32_t nr_vnodes = 0, nr_ranges = 0, nr_vcpus = 0;
    struct vnuma_record *r;

    if (!xc_domain_getvnuma(xch, domid, &nr_vnodes, &nr_ranges, &nr_vcpus,
                            NULL, NULL, NULL))
        return -EINVAL;
    if (errno == EOPNOTSUPP)
        return -ENOENT;
    if (errno != ENOBUFS)
        return xln__from_errno();
    if (!is_possible(nr_vnodes, nr_ranges, nr_vcpus))
        return -EINVAL;
    r = vnuma_record_new(nr_vnodes, nr_ranges, nr_vcpus);
    if (!r)
        return -ENOMEM;
    if (xc_domain_getvnuma(xch, domid, &nr_vnodes, &nr_ranges, &nr_vcpus,
                           r->ranges, r->distances, r->vnodes)) {
        vnuma_record_free(r);
        return xln__from_errno();
    }
    *record_r = r;
    return 0;
}

int vnuma_record_set(xc_interface *xch, uint32_t domid,
                     const struct vnuma_record *r, const unsigned *node_of)
{
    unsigned nodes[XLN_VNUMA_MAX_NODES], i;

    for (i = 0; i < r->nr_vnodes; i++)
        nodes[i] = node_of[i];
    return xc_domain_setvnuma(xch, domid, r->nr_vnodes, r->nr_ranges,
                              r->nr_vcpus, r->ranges, r->distances, r->vnodes,
                              nodes)
               ? xln__from_errno() : 0;
}

/* ---- as text ---- */

static int write_vcpus(const struct vnuma_record *r, unsigned vnode, FILE *f)
{
    struct xln_cpumap *vcpus;
    unsigned vcpu;
    char *set;
    int rc = xln_cpumap_new(r->nr_vcpus, &vcpus);

    if (rc)
        return rc;
    for (vcpu = 0; vcpu < r->nr_vcpus; vcpu++)
        if (r->vnodes[vcpu] == vnode)
            xln_cpumap_set(vcpus, vcpu);
    rc = xln_cpumap_format(vcpus, &set);
    xln_cpumap_free(vcpus);
    if (rc)
        return rc;
    fprintf(f, "vcpus=%s", *set ? set : "-");
    free(set);
    return 0;
}

static int write_vnode(const struct vnuma_record *r, unsigned vnode, FILE *f)
{
    const char *separator = " memory=";
    unsigned i;
    int rc = write_vcpus(r, vnode, f);

    if (rc)
        return rc;
    for (i = 0; i < r->nr_ranges; i++) {
        if (r->ranges[i].nid != vnode)
            continue;
        fprintf(f, "%s%" PRIx64 "-%" PRIx64, separator, r->ranges[i].start,
                r->ranges[i].end);
        separator = ",";
    }
    for (i = 0; i < r->nr_vnodes; i++)
        fprintf(f, "%s%u", i ? "," : " distances=",
                r->distances[vnode * r->nr_vnodes + i]);
    if (r->nodes[vnode] != XLN_NONE)
        fprintf(f, " node=%u", r->nodes[vnode]);
    return 0;
}

int vnuma_record_format(const struct vnuma_record *r, char **text_r)
{
    char *text = NULL;
    unsigned i;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    int rc = 0;

    if (!f)
        return -ENOMEM;
    for (i = 0; i < r->nr_vnodes && !rc; i++) {
        fputs(i ? ";" : "", f);
        rc = write_vnode(r, i, f);
    }
    if (fclose(f) || !text)
        rc = -ENOMEM;
    if (rc)
        free(text);
    else
        *text_r = text;
    return rc;
}

/* ---- in a domain ---- */

static uint64_t bytes_of(const struct vnuma_record *r, unsigned vnode)
{
    uint64_t bytes = 0;
    unsigned i;

    for (i = 0; i < r->nr_ranges; i++)
        if (r->ranges[i].nid == vnode)
            bytes += r->ranges[i].end - r->ranges[i].start;
    return bytes;
}

int vnuma_record_check(const struct vnuma_record *r,
                       const libxl_domain_config *config, char **error_r)
{
    const libxl_domain_build_info *info = &config->b_info;
    uint64_t bytes = 0;
    unsigned i;

    for (i = 0; i < r->nr_vnodes; i++)
        bytes += bytes_of(r, i);
    if (config->c_info.type != LIBXL_DOMAIN_TYPE_HVM)
        return xln__refuse(error_r, "virtual nodes of a guest that is not HVM");
    if (r->nr_vcpus != (unsigned)info->max_vcpus)
        return xln__refuse(error_r, "virtual nodes with %u vCPUs: expected %d",
                           r->nr_vcpus, info->max_vcpus);
    if (bytes > info->max_memkb * KIB)
        return xln__refuse(error_r, "virtual nodes of %" PRIu64 " MiB: expected "
                           "%" PRIu64 " MiB at most", IN_MIB(bytes),
                           IN_MIB(info->max_memkb * KIB));
    return 0;
}

static int fill_cell(const struct vnuma_record *r, unsigned vnode,
                     struct cell *cell)
{
    unsigned vcpu, i;
    int rc = xln_cpumap_new(r->nr_vcpus, &cell->vcpus);

    cell->bytes = bytes_of(r, vnode);
    if (rc)
        return rc;
    for (vcpu = 0; vcpu < r->nr_vcpus; vcpu++)
        if (r->vnodes[vcpu] == vnode)
            xln_cpumap_set(cell->vcpus, vcpu);
    cell->distances = calloc(r->nr_vnodes, sizeof(*cell->distances));
    if (!cell->distances)
        return -ENOMEM;
    for (i = 0; i < r->nr_vnodes; i++)
        cell->distances[i] = r->distances[vnode * r->nr_vnodes + i];
    if (r->nodes[vnode] == XLN_NONE)
        return 0;
    rc = xln_nodemap_new(XLN_MAX_NODES, &cell->nodes);
    return rc ? rc : xln_nodemap_set(cell->nodes, r->nodes[vnode]);
}

int vnuma_record_cells(const struct vnuma_record *r, uint64_t memory_bytes,
                       struct cells **cells_r)
{
    struct cells *cells;
    unsigned i;
    int rc = cells_new(r->nr_vnodes, &cells);

    if (rc)
        return rc;
    cells->restored = true;
    for (i = 0; i < r->nr_vnodes && !rc; i++)
        rc = fill_cell(r, i, &cells->list[i]);
    if (rc) {
        cells_free(cells);
        return rc;
    }
    if (cells_bytes(cells) < memory_bytes)
        cells->list[0].bytes += memory_bytes - cells_bytes(cells);
    *cells_r = cells;
    return 0;
}
