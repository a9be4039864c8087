/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#include "forward.h"

#include <libxl.h>
#include <libxl_utils.h>
#include <libxl_uuid.h>
#include <xenctrl.h>
#include <xenstore.h>

void *xln__forward(const char *name)
{
    void *function = dlsym(RTLD_DEFAULT, name);

    if (!function)
        errno = ENOSYS;
    return function;
}

/* ---- libxenlight ---- */

FORWARD_VOID(libxl_bitmap_dispose, (libxl_bitmap *map), (map))
FORWARD_VOID(libxl_bitmap_init, (libxl_bitmap *map), (map))
FORWARD_VOID(libxl_bitmap_reset, (libxl_bitmap *bitmap, int bit),
             (bitmap, bit))
FORWARD_VOID(libxl_bitmap_set, (libxl_bitmap *bitmap, int bit), (bitmap, bit))
FORWARD(int, libxl_cpu_bitmap_alloc,
        (libxl_ctx *ctx, libxl_bitmap *map, int max), (ctx, map, max),
        ERROR_FAIL)
FORWARD(char *, libxl_cpupoolid_to_name, (libxl_ctx *ctx, uint32_t poolid),
        (ctx, poolid), NULL)
FORWARD_VOID(libxl_defbool_set, (libxl_defbool *value, bool b), (value, b))
FORWARD(char *, libxl_domid_to_name, (libxl_ctx *ctx, uint32_t domid),
        (ctx, domid), NULL)
FORWARD(libxl_pcitopology *, libxl_get_pci_topology,
        (libxl_ctx *ctx, int *nr_r), (ctx, nr_r), NULL)
FORWARD(int, libxl_node_bitmap_alloc,
        (libxl_ctx *ctx, libxl_bitmap *map, int max), (ctx, map, max),
        ERROR_FAIL)
FORWARD_VOID(libxl_pcitopology_list_free, (libxl_pcitopology *list, int nr),
             (list, nr))
FORWARD(int, libxl_uuid_from_string, (libxl_uuid *uuid, const char *text),
        (uuid, text), ERROR_FAIL)
FORWARD_VOID(libxl_vnode_info_dispose, (libxl_vnode_info *info), (info))
FORWARD_VOID(libxl_vnode_info_init, (libxl_vnode_info *info), (info))

/* ---- libxenctrl ---- */

FORWARD(int, xc_availheap,
        (xc_interface *xch, int min_width, int max_width, int node,
         uint64_t *bytes_r), (xch, min_width, max_width, node, bytes_r), -1)
FORWARD(xc_cpumap_t, xc_cpumap_alloc, (xc_interface *xch), (xch), NULL)
FORWARD(xc_cpumap_t, xc_cpupool_freeinfo, (xc_interface *xch), (xch), NULL)
FORWARD(xc_cpupoolinfo_t *, xc_cpupool_getinfo,
        (xc_interface *xch, uint32_t poolid), (xch, poolid), NULL)
FORWARD_VOID(xc_cpupool_infofree, (xc_interface *xch, xc_cpupoolinfo_t *info),
             (xch, info))
FORWARD(int, xc_cputopoinfo,
        (xc_interface *xch, unsigned *max_cpus, xc_cputopo_t *cputopo),
        (xch, max_cpus, cputopo), -1)
FORWARD(int, xc_domain_getinfolist,
        (xc_interface *xch, uint32_t first, unsigned int max,
         xc_domaininfo_t *info), (xch, first, max, info), -1)
FORWARD(int, xc_domain_node_getaffinity,
        (xc_interface *xch, uint32_t domid, xc_nodemap_t nodes),
        (xch, domid, nodes), -1)
FORWARD(int, xc_domain_node_setaffinity,
        (xc_interface *xch, uint32_t domid, xc_nodemap_t nodes),
        (xch, domid, nodes), -1)
FORWARD(int, xc_get_cpumap_size, (xc_interface *xch), (xch), -1)
FORWARD(int, xc_get_max_cpus, (xc_interface *xch), (xch), -1)
FORWARD(int, xc_get_max_nodes, (xc_interface *xch), (xch), -1)
FORWARD(int, xc_get_nodemap_size, (xc_interface *xch), (xch), -1)
FORWARD(xc_nodemap_t, xc_nodemap_alloc, (xc_interface *xch), (xch), NULL)
FORWARD(int, xc_numainfo,
        (xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *info,
         uint32_t *distances), (xch, max_nodes, info, distances), -1)
FORWARD(int, xc_physinfo, (xc_interface *xch, xc_physinfo_t *info),
        (xch, info), -1)
FORWARD(int, xc_readconsolering,
        (xc_interface *xch, char *buffer, unsigned int *size, int clear,
         int incremental, uint32_t *index),
        (xch, buffer, size, clear, incremental, index), -1)
FORWARD(int, xc_send_debug_keys, (xc_interface *xch, const char *keys),
        (xch, keys), -1)
FORWARD(int, xc_vcpu_getaffinity,
        (xc_interface *xch, uint32_t domid, int vcpu, xc_cpumap_t hard,
         xc_cpumap_t soft, uint32_t flags),
        (xch, domid, vcpu, hard, soft, flags), -1)
FORWARD(int, xc_vcpu_getinfo,
        (xc_interface *xch, uint32_t domid, uint32_t vcpu,
         xc_vcpuinfo_t *info), (xch, domid, vcpu, info), -1)
FORWARD(int, xc_vcpu_setaffinity,
        (xc_interface *xch, uint32_t domid, int vcpu, xc_cpumap_t hard,
         xc_cpumap_t soft, uint32_t flags),
        (xch, domid, vcpu, hard, soft, flags), -1)
FORWARD(int, xc_version, (xc_interface *xch, int cmd, void *arg),
        (xch, cmd, arg), -1)

/* ---- libxenstore ---- */

FORWARD_VOID(xs_close, (struct xs_handle *xsh), (xsh))
FORWARD(char **, xs_directory,
        (struct xs_handle *xsh, xs_transaction_t t, const char *path,
         unsigned int *nr_r), (xsh, t, path, nr_r), NULL)
FORWARD(struct xs_handle *, xs_open, (unsigned long flags), (flags), NULL)
FORWARD(void *, xs_read,
        (struct xs_handle *xsh, xs_transaction_t t, const char *path,
         unsigned int *size_r), (xsh, t, path, size_r), NULL)