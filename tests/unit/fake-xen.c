/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake-xen-inside.h"
#include "faults.h"

static const char report[] =
    "(XEN) 'u' pressed -> dumping numa info (now = 1234)\n"
    "(XEN) Memory location of each domain:\n"
    "(XEN) Domain 0 (total: 131072):\n"
    "(XEN)     Node 0: 131072\n"
    "(XEN) Domain 1 (total: 65536):\n"
    "(XEN)     Node 1: 65536\n"
    "(XEN) Domain 2 (total: 65536):\n"
    "(XEN)     Node 2: 32768\n"
    "(XEN)     Node 3: 32768\n";

static const struct domain at_first[] = {
    { 0, "Domain-0", { 0 }, false, true, UINT64_MAX >> 12, { 131072 },
      { ALL_CPUS, ALL_CPUS }, { ALL_CPUS, ALL_CPUS }, 0xf, { 0 } },
    { 1, "web", { 1 }, false, true, 65536, { 0, 65536 },
      { ALL_CPUS, ALL_CPUS }, { 0xc, 0xc }, 0x2, { 0 } },
    /* It may balloon up. */
    { 2, "db", { 2 }, true, true, 98304, { 0, 0, 32768, 32768 },
      { ALL_CPUS, 0x3 }, { 0xf0, 0x3 }, 0xc, { 0 } },
};

static const struct entry store_at_first[] = {
    { "/libxl/1/numa/nodes", "1" },
    { "/libxl/1/numa/pages", "1:65536" },
    { "/libxl/2/numa/nodes", "2-3" },
    { "/libxl/2/numa/pages", "2:32768,3:32768" },
    { "/local/domain/1/memory/target", "262144" },
    { "/local/domain/2/memory/target", "393216" },
    { "/local/domain/1/numa/version", "1" },
    { "/local/domain/1/numa/nodes", "1" },
    { "/local/domain/2/numa/version", "1" },
    { "/local/domain/2/numa/nodes_policy", "best" },
    { "/local/domain/7/numa/version", "1" },
    { "/vm/01000000-0000-0000-0000-000000000000/start_time", "9999999999.0" },
};

struct fake_xen xen;

void fake_xen_begin(void)
{
    unsigned node;

    memset(&xen, 0, sizeof(xen));
    memcpy(xen.domains, at_first, sizeof(at_first));
    xen.pool_cpus = ALL_CPUS;
    memcpy(xen.store, store_at_first, sizeof(store_at_first));
    for (node = 0; node < FAKE_NODES; node++)
        xen.free_pages[node] = (400 + node) * PAGES_PER_MIB;
}

unsigned fake_xen_nr_open(void)
{
    return xen.nr_open;
}

void *fake_xen_give(size_t size)
{
    void *block;

    faults_pause();
    block = calloc(1, size);
    faults_resume();
    return block;
}

char *fake_xen_give_text(const char *text)
{
    char *copy = fake_xen_give(strlen(text) + 1);

    return copy ? strcpy(copy, text) : NULL;
}

struct domain *fake_xen_find(uint32_t domid)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(xen.domains); i++)
        if (xen.domains[i].is_there && xen.domains[i].domid == domid)
            return &xen.domains[i];
    errno = ESRCH;
    return NULL;
}

bool fake_xen_add(uint32_t domid, const char *name, const uint8_t uuid[16])
{
    struct domain *d = xen.domains;

    while (d < xen.domains + ARRAY_SIZE(xen.domains) && d->is_there)
        d++;
    if (d == xen.domains + ARRAY_SIZE(xen.domains))
        return false;
    *d = (struct domain){ .domid = domid, .is_there = true };
    snprintf(d->name, sizeof(d->name), "%s", name);
    memcpy(d->uuid, uuid, sizeof(d->uuid));
    return true;
}

void fake_xen_remove(uint32_t domid)
{
    struct domain *d = fake_xen_find(domid);
    unsigned node;

    if (!d)
        return;
    for (node = 0; node < FAKE_NODES; node++)
        xen.free_pages[node] += d->pages[node];
    d->is_there = false;
}

void fake_xen_set_state(uint32_t domid, struct fake_state state)
{
    struct domain *d = fake_xen_find(domid);

    if (d)
        d->state = state;
}

void fake_xen_tell(const uint8_t uuid[16], char *text, size_t size)
{
    const struct domain *d;
    size_t n = 0;

    *text = '\0';
    for (d = xen.domains; d < xen.domains + ARRAY_SIZE(xen.domains); d++)
        if (d->is_there && !memcmp(d->uuid, uuid, sizeof(d->uuid)))
            n += snprintf(text + n, size - n, "%s%u %s%s%s%s", n ? ", " : "",
                          d->domid, d->name,
                          d->state.paused ? " paused" : "",
                          d->state.suspended ? " suspended" : "",
                          d->state.rebooting ? " rebooting" : "");
}

void fake_xen_pages(uint32_t domid, char *text, size_t size)
{
    const struct domain *d = fake_xen_find(domid);
    unsigned node;
    size_t n = 0;

    *text = '\0';
    for (node = 0; d && node < FAKE_NODES; node++)
        if (d->pages[node])
            n += snprintf(text + n, size - n, "%s%u:%llu", n ? " " : "", node,
                          (unsigned long long)d->pages[node]);
}

/* ---- libxenctrl ---- */

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    (void)logger;
    (void)dombuild_logger;
    (void)open_flags;
    if (fault(__func__))
        return NULL;
    xen.nr_open++;
    return (xc_interface *)&xen;
}

int xc_interface_close(xc_interface *xch)
{
    xen.nr_open -= xch != NULL;
    return 0;
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
    (void)xch;
    if (fault(__func__))
        return -1;
    if (cmd == XENVER_commandline)
        memset(arg, 0, sizeof(xen_commandline_t));
    return cmd == XENVER_version ? 4 << 16 | 17 : 0;
}

int xc_get_max_cpus(xc_interface *xch)
{
    (void)xch;
    return fault(__func__) ? -1 : FAKE_CPUS;
}

int xc_get_max_nodes(xc_interface *xch)
{
    (void)xch;
    return fault(__func__) ? -1 : 64;
}

int xc_get_cpumap_size(xc_interface *xch)
{
    (void)xch;
    return fault(__func__) ? -1 : FAKE_CPUS / 8;
}

int xc_get_nodemap_size(xc_interface *xch)
{
    (void)xch;
    return fault(__func__) ? -1 : 8;
}

xc_cpumap_t xc_cpumap_alloc(xc_interface *xch)
{
    (void)xch;
    return fault(__func__) ? NULL : fake_xen_give(FAKE_CPUS / 8);
}

xc_nodemap_t xc_nodemap_alloc(xc_interface *xch)
{
    (void)xch;
    return fault(__func__) ? NULL : fake_xen_give(8);
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
    (void)xch;
    if (fault(__func__))
        return -1;
    memset(info, 0, sizeof(*info));
    info->max_node_id = FAKE_NODES - 1;
    return 0;
}

int xc_numainfo(xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *meminfo,
                uint32_t *distance)
{
    unsigned i, j;

    (void)xch;
    if (fault(__func__))
        return -1;
    for (i = 0; i < FAKE_NODES && i < *max_nodes; i++) {
        meminfo[i].memsize = NODE_MIB * MIB;
        meminfo[i].memfree = xen.free_pages[i] << 12;
        for (j = 0; j < FAKE_NODES && j < *max_nodes; j++)
            distance[i * *max_nodes + j] = i == j ? 10 : 20 + i + j;
    }
    *max_nodes = FAKE_NODES;
    return 0;
}

int xc_cputopoinfo(xc_interface *xch, unsigned *max_cpus,
                   xc_cputopo_t *cputopo)
{
    unsigned cpu;

    (void)xch;
    if (fault(__func__))
        return -1;
    for (cpu = 0; cpu < FAKE_CPUS && cpu < *max_cpus; cpu++)
        cputopo[cpu] = (xc_cputopo_t){ .core = cpu, .socket = cpu / 2,
                                       .node = cpu / 2 };
    *max_cpus = FAKE_CPUS;
    return 0;
}

xc_cpupoolinfo_t *xc_cpupool_getinfo(xc_interface *xch, uint32_t poolid)
{
    xc_cpupoolinfo_t *info;

    (void)xch;
    if (fault(__func__))
        return NULL;
    if (poolid) {
        errno = ENOENT;
        return NULL;
    }
    info = fake_xen_give(sizeof(*info));
    if (!info)
        return NULL;
    info->cpumap = fake_xen_give(FAKE_CPUS / 8);
    if (info->cpumap)
        *info->cpumap = xen.pool_cpus;
    return info;
}

/* There is but one. */
int xc_cpupool_movedomain(xc_interface *xch, uint32_t poolid, uint32_t domid)
{
    (void)xch;
    (void)poolid;
    (void)domid;
    return fault(__func__) ? -1 : 0;
}

void xc_cpupool_infofree(xc_interface *xch, xc_cpupoolinfo_t *info)
{
    (void)xch;
    free(info->cpumap);
    free(info);
}

xc_cpumap_t xc_cpupool_freeinfo(xc_interface *xch)
{
    (void)xch;
    return fault(__func__) ? NULL : fake_xen_give(FAKE_CPUS / 8);
}

int xc_availheap(xc_interface *xch, int min_width, int max_width, int node,
                 uint64_t *bytes)
{
    (void)xch;
    (void)min_width;
    if (fault(__func__))
        return -1;
    if (max_width)
        *bytes = node > 0 ? 0 : 100 * MIB;
    else
        *bytes = node < 0 ? 0 : xen.free_pages[node] << 12;
    return 0;
}

static void describe(const struct domain *d, xc_domaininfo_t *info)
{
    unsigned node;

    memset(info, 0, sizeof(*info));
    info->domain = d->domid;
    info->flags = d->is_hvm ? XEN_DOMINF_hvm_guest : 0;
    if (d->state.paused)
        info->flags |= XEN_DOMINF_paused;
    if (d->state.suspended)
        info->flags |= XEN_DOMINF_shutdown |
                       SHUTDOWN_suspend << XEN_DOMINF_shutdownshift;
    if (d->state.rebooting)
        info->flags |= XEN_DOMINF_shutdown |
                       SHUTDOWN_reboot << XEN_DOMINF_shutdownshift;
    info->cpu_time = d->state.has_run;
    info->max_vcpu_id = NR_VCPUS - 1;
    info->max_pages = d->max_pages;
    for (node = 0; node < FAKE_NODES; node++)
        info->tot_pages += d->pages[node];
    memcpy(info->handle, d->uuid, sizeof(info->handle));
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain,
                          unsigned max_domains, xc_domaininfo_t *info)
{
    unsigned nr = 0, i;

    (void)xch;
    if (fault(__func__))
        return -1;
    for (i = 0; i < ARRAY_SIZE(xen.domains) && nr < max_domains; i++)
        if (xen.domains[i].is_there && xen.domains[i].domid >= first_domain)
            describe(&xen.domains[i], &info[nr++]);
    return nr;
}

int xc_domain_node_getaffinity(xc_interface *xch, uint32_t domid,
                               xc_nodemap_t nodemap)
{
    const struct domain *d = fake_xen_find(domid);

    (void)xch;
    if (fault(__func__) || !d)
        return -1;
    memcpy(nodemap, &d->nodes, sizeof(d->nodes));
    return 0;
}

int xc_domain_node_setaffinity(xc_interface *xch, uint32_t domid,
                               xc_nodemap_t nodemap)
{
    struct domain *d = fake_xen_find(domid);

    (void)xch;
    if (fault(__func__) || !d)
        return -1;
    memcpy(&d->nodes, nodemap, sizeof(d->nodes));
    return 0;
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t hard, xc_cpumap_t soft, uint32_t flags)
{
    const struct domain *d = fake_xen_find(domid);

    (void)xch;
    if (fault(__func__) || !d)
        return -1;
    if (flags & XEN_VCPUAFFINITY_HARD)
        *hard = d->hard[vcpu];
    if (flags & XEN_VCPUAFFINITY_SOFT)
        *soft = d->soft[vcpu];
    return 0;
}

int xc_vcpu_setaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t hard, xc_cpumap_t soft, uint32_t flags)
{
    struct domain *d = fake_xen_find(domid);

    (void)xch;
    if (fault(__func__) || !d)
        return -1;
    if (flags & XEN_VCPUAFFINITY_HARD)
        d->hard[vcpu] = *hard;
    if (flags & XEN_VCPUAFFINITY_SOFT)
        d->soft[vcpu] = *soft;
    return 0;
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu,
                    xc_vcpuinfo_t *info)
{
    (void)xch;
    if (fault(__func__) || !fake_xen_find(domid))
        return -1;
    memset(info, 0, sizeof(*info));
    info->vcpu = vcpu;
    info->online = 1;
    info->cpu = domid * 2 % FAKE_CPUS;
    return 0;
}

int xc_shadow_control(xc_interface *xch, uint32_t domid, unsigned int sop,
                      unsigned int *mb, unsigned int mode)
{
    (void)xch;
    (void)sop;
    (void)mb;
    (void)mode;
    return fault(__func__) || !fake_xen_find(domid) ? -1 : 0;
}

void fake_xen_give_vnodes(void)
{
    xen.has_vnodes = true;
}

void fake_xen_vnodes(char *text, size_t size)
{
    snprintf(text, size, "%s", xen.vnodes);
}

/* Two, with a vCPU and 32 MiB each. */
int fake_xc_domain_getvnuma(xc_interface *xch, uint32_t domid,
                            uint32_t *nr_vnodes, uint32_t *nr_vmemranges,
                            uint32_t *nr_vcpus, xen_vmemrange_t *vmemrange,
                            unsigned int *vdistance,
                            unsigned int *vcpu_to_vnode)
{
    unsigned i;

    (void)xch;
    if (fault(__func__))
        return -1;
    *nr_vnodes = *nr_vmemranges = *nr_vcpus = 2;
    errno = domid == 1 && xen.has_vnodes ? ENOBUFS : EOPNOTSUPP;
    if (!vmemrange || errno != ENOBUFS)
        return -1;
    for (i = 0; i < 2; i++) {
        vmemrange[i] = (xen_vmemrange_t){
            .start = i * 32 * MIB, .end = (i + 1) * 32 * MIB, .nid = i,
        };
        vdistance[i * 2 + i] = 10;
        vdistance[i * 2 + !i] = 21;
        vcpu_to_vnode[i] = i;
    }
    return 0;
}

FAKE_FOR(xc_domain_getvnuma);

int xc_domain_setvnuma(xc_interface *xch, uint32_t domid, uint32_t nr_vnodes,
                       uint32_t nr_regions, uint32_t nr_vcpus,
                       xen_vmemrange_t *regions, unsigned int *vdistance,
                       unsigned int *vcpu_to_vnode,
                       unsigned int *vnode_to_pnode)
{
    (void)xch;
    (void)domid;
    (void)nr_regions;
    (void)nr_vcpus;
    (void)regions;
    (void)vdistance;
    (void)vcpu_to_vnode;
    if (fault(__func__) || nr_vnodes != 2)
        return -1;
    snprintf(xen.vnodes, sizeof(xen.vnodes), "%u,%u", vnode_to_pnode[0],
             vnode_to_pnode[1]);
    return 0;
}

int xc_send_debug_keys(xc_interface *xch, const char *keys)
{
    (void)xch;
    (void)keys;
    if (fault(__func__))
        return -1;
    xen.has_report = true;
    return 0;
}

int xc_readconsolering(xc_interface *xch, char *buffer, unsigned int *pnr_chars,
                       int clear, int incremental, uint32_t *pindex)
{
    unsigned nr = xen.has_report && *pindex < sizeof(report) - 1
                      ? sizeof(report) - 1 - *pindex : 0;

    (void)xch;
    (void)clear;
    (void)incremental;
    if (fault(__func__))
        return -1;
    if (nr > *pnr_chars)
        nr = *pnr_chars;
    memcpy(buffer, report + *pindex, nr);
    *pindex += nr;
    *pnr_chars = nr;
    return 0;
}

void fake_xen_set_free(unsigned node, unsigned mib)
{
    xen.free_pages[node] = (uint64_t)mib * PAGES_PER_MIB;
}

static unsigned long grant(struct domain *d, unsigned node, unsigned long nr,
                           unsigned order)
{
    unsigned long done;

    for (done = 0; done < nr && xen.free_pages[node] >> order; done++) {
        xen.free_pages[node] -= UINT64_C(1) << order;
        d->pages[node] += UINT64_C(1) << order;
    }
    return done;
}

int fake_xen_populate(xc_interface *xch, uint32_t domid, unsigned long nr,
                      unsigned order, unsigned mem_flags, xen_pfn_t *extents)
{
    struct domain *d = fake_xen_find(domid);
    unsigned node = XENMEMF_get_node(mem_flags);
    unsigned long done = 0;

    (void)xch;
    (void)extents;
    if (fault(__func__) || !d)
        return -1;
    if (node < FAKE_NODES)
        return grant(d, node, nr, order);
    for (node = 0; node < FAKE_NODES && done < nr; node++)
        done += grant(d, node, nr - done, order);
    return done;
}

/* ---- libxenstore ---- */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    if (fault(__func__))
        return NULL;
    xen.nr_open++;
    return (struct xs_handle *)&xen;
}

void xs_close(struct xs_handle *xsh)
{
    xen.nr_open -= xsh != NULL;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
    (void)h;
    return fault(__func__) ? XBT_NULL : 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
    struct entry pending = xen.pending;

    (void)t;
    xen.pending = (struct entry){ "", "" };
    if (fault(__func__))
        return false;
    return abort || !*pending.path ||
           fake_xs_write(h, XBT_NULL, pending.path, pending.text,
                         strlen(pending.text));
}

static struct entry *find_entry(const char *path)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(xen.store); i++)
        if (!strcmp(xen.store[i].path, path))
            return &xen.store[i];
    errno = ENOENT;
    return NULL;
}

static char *read_name(uint32_t domid)
{
    const struct domain *d = fake_xen_find(domid);

    if (d && *d->name)
        return fake_xen_give_text(d->name);
    errno = ENOENT;
    return NULL;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
              unsigned int *len)
{
    const struct entry *entry;
    unsigned domid;

    (void)h;
    (void)t;
    if (fault(__func__))
        return NULL;
    if (sscanf(path, "/local/domain/%u/name", &domid) == 1 &&
        strstr(path, "/name"))
        return read_name(domid);
    entry = find_entry(path);
    if (entry && len)
        *len = strlen(entry->text);
    return entry ? fake_xen_give_text(entry->text) : NULL;
}

bool fake_xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
                   const void *data, unsigned int len)
{
    struct entry *entry;

    (void)h;
    if (fault(__func__))
        return false;
    entry = t ? &xen.pending : find_entry(path);
    if (!entry)
        entry = find_entry("");
    snprintf(entry->path, sizeof(entry->path), "%s", path);
    snprintf(entry->text, sizeof(entry->text), "%.*s", (int)len,
             (const char *)data);
    return true;
}

FAKE_FOR(xs_write);

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t,
                        const char *path, struct xs_permissions *perms,
                        unsigned int num_perms)
{
    (void)h;
    (void)t;
    (void)perms;
    (void)num_perms;
    (void)path;
    return !fault(__func__);
}

/* The names and their list are one block. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
                    unsigned int *num)
{
    size_t length = strlen(path), i, nr = 0;
    const char **names;

    (void)h;
    (void)t;
    if (fault(__func__))
        return NULL;
    names = fake_xen_give(ARRAY_SIZE(xen.store) * sizeof(*names));
    for (i = 0; names && i < ARRAY_SIZE(xen.store); i++)
        if (!strncmp(xen.store[i].path, path, length))
            names[nr++] = xen.store[i].path + length + 1;
    if (names && !nr) {
        free(names);
        names = NULL;
        errno = ENOENT;
    }
    *num = nr;
    return (char **)names;
}
