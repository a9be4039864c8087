/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "fake-host.h"

#define PAGE_SHIFT 12
#define NODEMAP_BYTES (XLN_MAX_NODES / 8)
#define MAX_POOLS 64

static struct {
    const struct xln_snapshot *snapshot;
    const struct xln_host *host;
    const char *defaults;
    uint64_t free_pages[XLN_MAX_NODES];
    uint32_t domid;             /* the new domain's, */
    uint8_t uuid[16];
    uint64_t pages;             /* what it has, */
    unsigned pool;              /* and its cpupool */
    char recorded[256];
    unsigned nr_reads, nr_defaults;
} xen;

void fake_host_begin(const struct xln_snapshot *snapshot, const char *defaults)
{
    unsigned node;

    memset(&xen, 0, sizeof(xen));
    xen.snapshot = snapshot;
    xen.host = snapshot->host;
    xen.defaults = defaults;
    xen.domid = DOMID_INVALID;
    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(xen.host))
        xen.free_pages[node] =
            xln_host_node(xen.host, node)->free_bytes >> PAGE_SHIFT;
}

void fake_host_add(uint32_t domid, const uint8_t uuid[16])
{
    xen.domid = domid;
    memcpy(xen.uuid, uuid, sizeof(xen.uuid));
    xen.pages = 0;
    xen.pool = 0;
    *xen.recorded = '\0';
}

const char *fake_host_recorded(void)
{
    return *xen.recorded ? xen.recorded : NULL;
}

unsigned fake_host_pool(void)
{
    return xen.pool;
}

int xc_cpupool_movedomain(xc_interface *xch, uint32_t poolid, uint32_t domid)
{
    (void)xch;
    if (domid != xen.domid || !xln_host_pool(xen.host, poolid)) {
        errno = EINVAL;
        return -1;
    }
    xen.pool = poolid;
    return 0;
}

unsigned fake_host_nr_reads(void)
{
    return xen.nr_reads;
}

unsigned fake_host_nr_defaults(void)
{
    return xen.nr_defaults;
}

static unsigned nr_cpus(void)
{
    return xln_host_nr_cpus(xen.host);
}

static unsigned nr_nodes(void)
{
    return xln_host_nr_nodes(xen.host);
}

/* ---- libxenctrl: the host ---- */

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    (void)logger;
    (void)dombuild_logger;
    (void)open_flags;
    return (xc_interface *)&xen;
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    return 0;
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
    (void)xch;
    if (cmd == XENVER_commandline)
        memset(arg, 0, sizeof(xen_commandline_t));
    return cmd == XENVER_version ? 4 << 16 | 17 : 0;
}

int xc_get_max_cpus(xc_interface *xch)
{
    (void)xch;
    return nr_cpus();
}

int xc_get_max_nodes(xc_interface *xch)
{
    (void)xch;
    return XLN_MAX_NODES;
}

int xc_get_cpumap_size(xc_interface *xch)
{
    (void)xch;
    return (nr_cpus() + 7) / 8;
}

int xc_get_nodemap_size(xc_interface *xch)
{
    (void)xch;
    return NODEMAP_BYTES;
}

xc_cpumap_t xc_cpumap_alloc(xc_interface *xch)
{
    return calloc(1, xc_get_cpumap_size(xch));
}

xc_nodemap_t xc_nodemap_alloc(xc_interface *xch)
{
    (void)xch;
    return calloc(1, NODEMAP_BYTES);
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
    (void)xch;
    xen.nr_reads++;
    memset(info, 0, sizeof(*info));
    info->max_node_id = nr_nodes() - 1;
    return 0;
}

int xc_numainfo(xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *meminfo,
                uint32_t *distance)
{
    unsigned nr = *max_nodes < nr_nodes() ? *max_nodes : nr_nodes(), i, j, d;

    (void)xch;
    for (i = 0; i < nr; i++) {
        const struct xln_host_node *node = xln_host_node(xen.host, i);

        meminfo[i].memsize = node ? node->total_bytes : XEN_INVALID_MEM_SZ;
        meminfo[i].memfree = xen.free_pages[i] << PAGE_SHIFT;
        for (j = 0; j < nr; j++) {
            d = xln_host_distance(xen.host, i, j);
            distance[i * nr + j] = d == XLN_NONE ? XEN_INVALID_NODE_DIST : d;
        }
    }
    *max_nodes = nr;
    return 0;
}

int xc_cputopoinfo(xc_interface *xch, unsigned *max_cpus,
                   xc_cputopo_t *cputopo)
{
    unsigned nr = *max_cpus < nr_cpus() ? *max_cpus : nr_cpus(), cpu;

    (void)xch;
    for (cpu = 0; cpu < nr; cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(xen.host, cpu);

        cputopo[cpu].core = c ? c->core : XEN_INVALID_CORE_ID;
        cputopo[cpu].socket = c ? c->socket : XEN_INVALID_SOCKET_ID;
        cputopo[cpu].node = !c || c->node == XLN_NONE ? XEN_INVALID_NODE_ID
                                                      : c->node;
    }
    *max_cpus = nr;
    return 0;
}

int xc_availheap(xc_interface *xch, int min_width, int max_width, int node,
                 uint64_t *bytes)
{
    unsigned i;

    (void)xch;
    (void)min_width;
    *bytes = 0;
    XLN_FOREACH(xln_nodemap, i, xln_host_nodes(xen.host))
        if (node < 0 || i == (unsigned)node)
            *bytes += max_width ? xln_host_node(xen.host, i)->dma_bytes
                                : xen.free_pages[i] << PAGE_SHIFT;
    return 0;
}

static void put_cpus(const struct xln_cpumap *cpus, xc_cpumap_t map)
{
    unsigned cpu;

    XLN_FOREACH(xln_cpumap, cpu, cpus)
        map[cpu / 8] |= 1u << cpu % 8;
}

static bool has_pools(void)
{
    unsigned id;

    for (id = 0; id < MAX_POOLS; id++)
        if (xln_host_pool(xen.host, id))
            return true;
    return false;
}

static bool is_online(unsigned cpu)
{
    const struct xln_host_cpu *c = xln_host_cpu(xen.host, cpu);

    return c && c->online;
}

static void put_online(xc_cpumap_t map)
{
    unsigned cpu;

    for (cpu = 0; cpu < nr_cpus(); cpu++)
        if (is_online(cpu))
            map[cpu / 8] |= 1u << cpu % 8;
}

/* The first pool of this number or above, and where the description has none
 * one with all CPUs, as there is always one. */
xc_cpupoolinfo_t *xc_cpupool_getinfo(xc_interface *xch, uint32_t poolid)
{
    const struct xln_host_pool *pool = NULL;
    xc_cpupoolinfo_t *info;
    uint32_t id;

    for (id = poolid; id < MAX_POOLS && !pool; id++)
        pool = xln_host_pool(xen.host, id);
    if (!pool && (poolid || has_pools())) {
        errno = ENOENT;
        return NULL;
    }
    info = calloc(1, sizeof(*info));
    info->cpumap = xc_cpumap_alloc(xch);
    if (pool) {
        info->cpupool_id = pool->id;
        put_cpus(pool->cpus, info->cpumap);
    } else {
        put_online(info->cpumap);
    }
    return info;
}

void xc_cpupool_infofree(xc_interface *xch, xc_cpupoolinfo_t *info)
{
    (void)xch;
    free(info->cpumap);
    free(info);
}

/* The CPUs that are online, and in no pool. */
xc_cpumap_t xc_cpupool_freeinfo(xc_interface *xch)
{
    const struct xln_host_pool *pool;
    xc_cpumap_t map = xc_cpumap_alloc(xch);
    unsigned cpu, id;

    if (!has_pools())
        return map;
    put_online(map);
    for (id = 0; id < MAX_POOLS; id++) {
        pool = xln_host_pool(xen.host, id);
        if (pool)
            XLN_FOREACH(xln_cpumap, cpu, pool->cpus)
                map[cpu / 8] &= ~(1u << cpu % 8);
    }
    return map;
}

/* ---- libxenctrl: domains ---- */

/* Where the domains are not known there is a Domain-0 of one vCPU, which runs
 * where it likes. */
static bool is_only_dom0(uint32_t domid)
{
    return !xen.snapshot->domains && !domid;
}


static const struct xln_domain *find(uint32_t domid)
{
    const struct xln_domains *domains = xen.snapshot->domains;
    unsigned i;

    for (i = 0; domains && i < domains->nr; i++)
        if (domains->list[i].domid == domid)
            return &domains->list[i];
    return NULL;
}

static void describe_old(const struct xln_domain *d, xc_domaininfo_t *info)
{
    memset(info, 0, sizeof(*info));
    info->domain = d->domid;
    info->flags = (d->is_pv ? 0 : XEN_DOMINF_hvm_guest) |
                  (d->dying ? XEN_DOMINF_dying : 0);
    info->cpupool = d->pool_id;
    info->max_vcpu_id = d->nr_vcpus - 1;
    info->tot_pages = info->max_pages = d->memory_bytes >> PAGE_SHIFT;
    memcpy(info->handle, d->uuid, sizeof(info->handle));
}

static void describe_new(xc_domaininfo_t *info)
{
    memset(info, 0, sizeof(*info));
    info->domain = xen.domid;
    info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    info->tot_pages = xen.pages;
    memcpy(info->handle, xen.uuid, sizeof(info->handle));
}

/* The new one has the highest number. */
int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain,
                          unsigned max_domains, xc_domaininfo_t *info)
{
    const struct xln_domains *domains = xen.snapshot->domains;
    unsigned nr = 0, i;

    (void)xch;
    if (is_only_dom0(first_domain) && nr < max_domains)
        info[nr++] = (xc_domaininfo_t){ .domain = 0 };
    for (i = 0; domains && i < domains->nr && nr < max_domains; i++)
        if (domains->list[i].domid >= first_domain)
            describe_old(&domains->list[i], &info[nr++]);
    if (xen.domid != DOMID_INVALID && xen.domid >= first_domain &&
        nr < max_domains)
        describe_new(&info[nr++]);
    return nr;
}

int xc_domain_node_getaffinity(xc_interface *xch, uint32_t domid,
                               xc_nodemap_t nodemap)
{
    const struct xln_domain *d = find(domid);
    unsigned node;

    (void)xch;
    if (!d && !is_only_dom0(domid))
        return -1;
    XLN_FOREACH(xln_nodemap, node, d ? d->nodes : xln_host_nodes(xen.host))
        nodemap[node / 8] |= 1u << node % 8;
    return 0;
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t hard, xc_cpumap_t soft, uint32_t flags)
{
    const struct xln_domain *d = find(domid);

    (void)xch;
    if (is_only_dom0(domid) && !vcpu) {
        if (flags & XEN_VCPUAFFINITY_HARD)
            put_online(hard);
        if (flags & XEN_VCPUAFFINITY_SOFT)
            put_online(soft);
        return 0;
    }
    if (!d || vcpu >= (int)d->nr_vcpus || !d->vcpus[vcpu].exists) {
        errno = EINVAL;
        return -1;
    }
    if (flags & XEN_VCPUAFFINITY_HARD)
        put_cpus(d->vcpus[vcpu].hard, hard);
    if (flags & XEN_VCPUAFFINITY_SOFT)
        put_cpus(d->vcpus[vcpu].soft, soft);
    return 0;
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu,
                    xc_vcpuinfo_t *info)
{
    const struct xln_domain *d = find(domid);

    (void)xch;
    if (is_only_dom0(domid) && !vcpu) {
        *info = (xc_vcpuinfo_t){ .online = 1 };
        return 0;
    }
    if (!d || vcpu >= d->nr_vcpus || !d->vcpus[vcpu].exists) {
        errno = ESRCH;
        return -1;
    }
    memset(info, 0, sizeof(*info));
    info->vcpu = vcpu;
    info->online = d->vcpus[vcpu].online;
    info->cpu = d->vcpus[vcpu].cpu;
    return 0;
}

int fake_host_populate(xc_interface *xch, uint32_t domid, unsigned long nr,
                       unsigned order, unsigned mem_flags, xen_pfn_t *extents)
{
    unsigned node = XENMEMF_get_node(mem_flags);
    unsigned long done;

    (void)xch;
    (void)extents;
    if (domid != xen.domid)
        return -1;
    if (node >= nr_nodes())
        node = xln_nodemap_next(xln_host_nodes(xen.host), 0);
    for (done = 0; done < nr && xen.free_pages[node] >> order; done++) {
        xen.free_pages[node] -= UINT64_C(1) << order;
        xen.pages += UINT64_C(1) << order;
    }
    return done;
}

/* No report of residency comes out of it. */
int xc_send_debug_keys(xc_interface *xch, const char *keys)
{
    (void)xch;
    (void)keys;
    return 0;
}

int xc_readconsolering(xc_interface *xch, char *buffer, unsigned int *pnr_chars,
                       int clear, int incremental, uint32_t *pindex)
{
    (void)xch;
    (void)buffer;
    (void)clear;
    (void)incremental;
    (void)pindex;
    *pnr_chars = 0;
    return 0;
}

/* ---- libxenstore: nothing is in it ---- */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    return (struct xs_handle *)&xen;
}

void xs_close(struct xs_handle *xsh)
{
    (void)xsh;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
              unsigned int *len)
{
    (void)h;
    (void)t;
    (void)path;
    (void)len;
    errno = ENOENT;
    return NULL;
}

bool fake_host_write(struct xs_handle *h, xs_transaction_t t, const char *path,
                     const void *data, unsigned int len)
{
    (void)h;
    (void)t;
    if (strstr(path, "/numa/nodes"))
        snprintf(xen.recorded, sizeof(xen.recorded), "%.*s", (int)len,
                 (const char *)data);
    return true;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
                    unsigned int *num)
{
    (void)h;
    (void)t;
    (void)path;
    *num = 0;
    errno = ENOENT;
    return NULL;
}

/* ---- libxenlight ---- */

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx;
    (void)domid;
    return NULL;
}

int libxl_name_to_domid(libxl_ctx *ctx, const char *name, uint32_t *domid)
{
    const struct xln_domains *domains = xen.snapshot->domains;
    unsigned i;

    (void)ctx;
    for (i = 0; domains && i < domains->nr; i++)
        if (xen.snapshot->more[i].name &&
            !strcmp(xen.snapshot->more[i].name, name)) {
            *domid = domains->list[i].domid;
            return 0;
        }
    return ERROR_INVAL;
}

int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info, uint32_t domid)
{
    (void)ctx;
    (void)info;
    return domid == xen.domid ? 0 : ERROR_DOMAIN_NOTFOUND;
}

libxl_pcitopology *libxl_get_pci_topology(libxl_ctx *ctx, int *num_devs)
{
    const struct xln_snapshot *s = xen.snapshot;
    libxl_pcitopology *list = calloc(s->nr_devices + 1, sizeof(*list));
    unsigned i;

    (void)ctx;
    for (i = 0; list && i < s->nr_devices; i++)
        list[i] = (libxl_pcitopology){
            .seg = s->devices[i].segment, .bus = s->devices[i].bus,
            .devfn = s->devices[i].device << 3 | s->devices[i].function,
            .node = s->devices[i].node == XLN_NONE
                        ? LIBXL_PCITOPOLOGY_INVALID_ENTRY
                        : s->devices[i].node,
        };
    *num_devs = s->nr_devices;
    return list;
}

libxl_numainfo *libxl_get_numainfo(libxl_ctx *ctx, int *nr)
{
    libxl_numainfo *list = calloc(nr_nodes(), sizeof(*list));
    unsigned i;

    (void)ctx;
    for (i = 0; list && i < nr_nodes(); i++)
        list[i].size = xln_host_node(xen.host, i)
                           ? xln_host_node(xen.host, i)->total_bytes
                           : LIBXL_NUMAINFO_INVALID_ENTRY;
    *nr = nr_nodes();
    return list;
}

static int bitmap_alloc(libxl_bitmap *map, unsigned nr_bits)
{
    map->size = (nr_bits + 7) / 8;
    map->map = calloc(1, map->size);
    return map->map ? 0 : ERROR_NOMEM;
}

int libxl_cpu_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *cpumap, int max_cpus)
{
    (void)ctx;
    return bitmap_alloc(cpumap, max_cpus ? (unsigned)max_cpus : nr_cpus());
}

int libxl_node_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *nodemap,
                            int max_nodes)
{
    (void)ctx;
    return bitmap_alloc(nodemap, max_nodes ? (unsigned)max_nodes
                                           : XLN_MAX_NODES);
}

static void describe_pool(const struct xln_host_pool *pool,
                          libxl_cpupoolinfo *info)
{
    unsigned cpu;

    info->pool_name = strdup("Pool-0");
    bitmap_alloc(&info->cpumap, nr_cpus());
    if (pool)
        info->poolid = pool->id;
    for (cpu = 0; cpu < nr_cpus(); cpu++)
        if (pool ? xln_cpumap_test(pool->cpus, cpu) : is_online(cpu))
            libxl_bitmap_set(&info->cpumap, cpu);
}

libxl_cpupoolinfo *libxl_list_cpupool(libxl_ctx *ctx, int *nb_pool_out)
{
    libxl_cpupoolinfo *list = calloc(MAX_POOLS, sizeof(*list));
    unsigned id;

    (void)ctx;
    *nb_pool_out = 0;
    for (id = 0; list && id < MAX_POOLS; id++)
        if (xln_host_pool(xen.host, id) || (!id && !has_pools()))
            describe_pool(xln_host_pool(xen.host, id),
                          &list[(*nb_pool_out)++]);
    return list;
}

int libxl_cpupool_qualifier_to_cpupoolid(libxl_ctx *ctx, const char *p,
                                         uint32_t *poolid_r, int *was_name_r)
{
    (void)ctx;
    (void)p;
    (void)was_name_r;
    *poolid_r = 0;
    return 0;
}

int libxl_read_file_contents(libxl_ctx *ctx, const char *filename,
                             void **data_r, int *datalen_r)
{
    (void)ctx;
    (void)filename;
    xen.nr_defaults++;
    *data_r = strdup(xen.defaults);
    *datalen_r = strlen(xen.defaults);
    return 0;
}

/* The size of video memory where it is not given. */
static uint64_t video_kb(const libxl_domain_build_info *info)
{
    return info->u.hvm.vga.kind == LIBXL_VGA_INTERFACE_TYPE_STD ? 16 << 10
                                                                : 8 << 10;
}

/* libxl's own figures, of xl's defaults: HAP, no devices, no stub domain. */
int fake_host_need_memory(libxl_ctx *ctx, libxl_domain_config *config,
                          uint32_t domid, uint64_t *need_memkb)
{
    libxl_domain_build_info *info = &config->b_info;
    bool pv = info->type == LIBXL_DOMAIN_TYPE_PV;
    uint64_t kb = info->target_memkb;

    (void)ctx;
    (void)domid;
    if (info->type == LIBXL_DOMAIN_TYPE_HVM &&
        info->video_memkb == LIBXL_MEMKB_DEFAULT)
        info->video_memkb = video_kb(info);
    kb += 1024 * info->max_vcpus + 4 * (info->max_memkb / 1024);
    kb += pv ? 1024 : 2048;
    *need_memkb = (kb + 2047) / 2048 * 2048;
    return 0;
}

/* For the caller; a module that is linked in has its own function of this
 * name. */
__typeof__(libxl_domain_need_memory) libxl_domain_need_memory
    __attribute__((weak, alias("fake_host_need_memory")));
