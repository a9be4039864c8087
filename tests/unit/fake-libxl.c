/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libxl, on the made-up Xen. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake-xen-inside.h"
#include "faults.h"

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    const struct domain *d = fake_xen_find(domid);

    (void)ctx;
    return fault(__func__) || !d || !*d->name
               ? NULL : fake_xen_give_text(d->name);
}

int libxl_name_to_domid(libxl_ctx *ctx, const char *name, uint32_t *domid)
{
    unsigned i;

    (void)ctx;
    if (fault(__func__))
        return ERROR_FAIL;
    for (i = 0; i < ARRAY_SIZE(xen.domains); i++)
        if (xen.domains[i].is_there && !strcmp(xen.domains[i].name, name)) {
            *domid = xen.domains[i].domid;
            return 0;
        }
    return ERROR_INVAL;
}

int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info, uint32_t domid)
{
    (void)ctx;
    (void)info;
    if (fault(__func__))
        return ERROR_FAIL;
    return fake_xen_find(domid) ? 0 : ERROR_DOMAIN_NOTFOUND;
}

int fake_libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid,
                              const libxl_asyncop_how *ao_how)
{
    (void)ctx;
    (void)ao_how;
    if (fault(__func__) || !fake_xen_find(domid))
        return ERROR_FAIL;
    fake_xen_remove(domid);
    return 0;
}

int libxl_domain_rename(libxl_ctx *ctx, uint32_t domid, const char *old_name,
                        const char *new_name)
{
    struct domain *d = fake_xen_find(domid);
    unsigned i;

    (void)ctx;
    if (fault(__func__) || !d || strcmp(d->name, old_name))
        return ERROR_FAIL;
    for (i = 0; i < ARRAY_SIZE(xen.domains); i++)
        if (xen.domains[i].is_there && !strcmp(xen.domains[i].name, new_name))
            return ERROR_INVAL;
    snprintf(d->name, sizeof(d->name), "%s", new_name);
    return 0;
}

FAKE_FOR(libxl_domain_destroy);

int fake_libxl_domain_resume(libxl_ctx *ctx, uint32_t domid,
                             int suspend_cancel,
                             const libxl_asyncop_how *ao_how)
{
    struct domain *d = fake_xen_find(domid);

    (void)ctx;
    (void)suspend_cancel;
    (void)ao_how;
    if (fault(__func__) || !d)
        return ERROR_FAIL;
    d->state.suspended = false;
    return 0;
}

FAKE_FOR(libxl_domain_resume);

int libxl_domain_unpause(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *ao_how)
{
    struct domain *d = fake_xen_find(domid);

    (void)ctx;
    (void)ao_how;
    if (fault(__func__) || !d)
        return ERROR_FAIL;
    d->state.paused = false;
    return 0;
}

libxl_pcitopology *libxl_get_pci_topology(libxl_ctx *ctx, int *num_devs)
{
    libxl_pcitopology *list;

    (void)ctx;
    if (fault(__func__))
        return NULL;
    list = fake_xen_give(2 * sizeof(*list));
    if (!list)
        return NULL;
    list[0] = (libxl_pcitopology){ .bus = 1, .node = 2 };
    list[1] = (libxl_pcitopology){ .bus = 2,
                                   .node = LIBXL_PCITOPOLOGY_INVALID_ENTRY };
    *num_devs = 2;
    return list;
}

/* Of these, the one that creates ask for. */
libxl_device_pci *libxl_device_pci_assignable_list(libxl_ctx *ctx, int *num)
{
    libxl_device_pci *list;

    (void)ctx;
    list = fault(__func__) ? NULL : fake_xen_give(sizeof(*list));
    if (!list)
        return NULL;
    libxl_device_pci_init(list);
    list->bus = 1;
    *num = 1;
    return list;
}

static int bitmap_alloc(libxl_bitmap *map, unsigned nr_bits)
{
    map->size = (nr_bits + 7) / 8;
    map->map = fake_xen_give(map->size);
    return map->map ? 0 : ERROR_NOMEM;
}

int libxl_cpu_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *cpumap, int max_cpus)
{
    (void)ctx;
    return fault(__func__) ? ERROR_FAIL
                           : bitmap_alloc(cpumap, max_cpus ? max_cpus
                                                           : FAKE_CPUS);
}

int libxl_node_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *nodemap,
                            int max_nodes)
{
    (void)ctx;
    return fault(__func__) ? ERROR_FAIL
                           : bitmap_alloc(nodemap, max_nodes ? max_nodes : 64);
}

int libxl_read_file_contents(libxl_ctx *ctx, const char *filename,
                             void **data_r, int *datalen_r)
{
    static const char defaults[] = "dma_reserve = 32\n";

    (void)ctx;
    (void)filename;
    if (fault(__func__))
        return EIO;
    *data_r = fake_xen_give_text(defaults);
    *datalen_r = sizeof(defaults) - 1;
    return 0;
}

int libxl_userdata_retrieve(libxl_ctx *ctx, uint32_t domid,
                            const char *userdata_userid, uint8_t **data_r,
                            int *datalen_r)
{
    (void)ctx;
    if (fault(__func__))
        return ERROR_FAIL;
    *datalen_r = strcmp(userdata_userid, "xl-numa") ? 0 : strlen(xen.kept);
    if (domid && domid == xen.libvirts &&
        !strcmp(userdata_userid, "libvirt-xml"))
        *datalen_r = 1;
    if (data_r)
        *data_r = *datalen_r ? (uint8_t *)fake_xen_give_text(xen.kept) : NULL;
    return 0;
}

int libxl_userdata_store(libxl_ctx *ctx, uint32_t domid,
                         const char *userdata_userid, const uint8_t *data,
                         int datalen)
{
    (void)ctx;
    (void)domid;
    (void)userdata_userid;
    if (fault(__func__))
        return ERROR_FAIL;
    snprintf(xen.kept, sizeof(xen.kept), "%.*s", datalen, (const char *)data);
    return 0;
}

int libxl_userdata_unlink(libxl_ctx *ctx, uint32_t domid,
                          const char *userdata_userid)
{
    (void)ctx;
    (void)domid;
    (void)userdata_userid;
    if (fault(__func__))
        return ERROR_FAIL;
    *xen.kept = '\0';
    return 0;
}

libxl_numainfo *libxl_get_numainfo(libxl_ctx *ctx, int *nr)
{
    libxl_numainfo *list;
    unsigned i;

    (void)ctx;
    if (fault(__func__))
        return NULL;
    list = fake_xen_give(FAKE_NODES * sizeof(*list));
    for (i = 0; list && i < FAKE_NODES; i++)
        list[i].size = NODE_MIB * MIB;
    *nr = FAKE_NODES;
    return list;
}

int fake_libxl_domain_need_memory(libxl_ctx *ctx, libxl_domain_config *config,
                                  uint32_t domid, uint64_t *need_memkb)
{
    (void)ctx;
    (void)domid;
    if (fault(__func__))
        return ERROR_FAIL;
    *need_memkb = config->b_info.target_memkb + 4096;
    return 0;
}

FAKE_FOR(libxl_domain_need_memory);

int libxl_get_free_memory(libxl_ctx *ctx, uint64_t *memkb)
{
    unsigned i;

    (void)ctx;
    if (fault(__func__))
        return ERROR_FAIL;
    *memkb = 0;
    for (i = 0; i < FAKE_NODES; i++)
        *memkb += xen.free_pages[i] * 4;
    return 0;
}

int libxl_cpupool_qualifier_to_cpupoolid(libxl_ctx *ctx, const char *p,
                                         uint32_t *poolid_r,
                                         int *was_name_r)
{
    (void)ctx;
    (void)p;
    (void)was_name_r;
    *poolid_r = 0;
    return fault(__func__) ? ERROR_FAIL : 0;
}

char *libxl_cpupoolid_to_name(libxl_ctx *ctx, uint32_t poolid)
{
    (void)ctx;
    (void)poolid;
    return fault(__func__) ? NULL : fake_xen_give_text("Pool-0");
}

libxl_cpupoolinfo *libxl_list_cpupool(libxl_ctx *ctx, int *nb_pool_out)
{
    libxl_cpupoolinfo *pool;

    (void)ctx;
    if (fault(__func__))
        return NULL;
    pool = fake_xen_give(sizeof(*pool));
    if (!pool)
        return NULL;
    pool->pool_name = fake_xen_give_text("Pool-0");
    bitmap_alloc(&pool->cpumap, FAKE_CPUS);
    libxl_bitmap_set_any(&pool->cpumap);
    *nb_pool_out = 1;
    return pool;
}

int libxl_get_physinfo(libxl_ctx *ctx, libxl_physinfo *physinfo)
{
    (void)ctx;
    if (fault(__func__))
        return ERROR_FAIL;
    physinfo->threads_per_core = 1;
    physinfo->cores_per_socket = 2;
    return 0;
}

void fake_xen_config(libxl_domain_config *config, libxl_domain_type type)
{
    static const uint8_t uuid[16] = { 7 };

    faults_pause();
    libxl_domain_config_init(config);
    config->c_info.type = type;
    config->c_info.name = fake_xen_give_text("g");
    memcpy(config->c_info.uuid.uuid, uuid, sizeof(uuid));
    libxl_domain_build_info_init_type(&config->b_info, type);
    config->b_info.max_vcpus = NR_VCPUS;
    config->b_info.target_memkb = config->b_info.max_memkb = 64 << 10;
    faults_resume();
}
