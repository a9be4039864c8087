/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Creates in the installed xl, with xl-placement.so in it: each call fails in
 * turn.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>
#include <libxlutil.h>

#include "fake-xen.h"
#include "fault-creates.h"
#include "faults.h"
#include "placement/environment.h"

/* xl reads its file; 0, or xl ends. */
int give_keys(const char *keys)
{
    XLU_Config *config = xlu_cfg_init(stderr, "g.cfg");
    int e;

    if (!config)
        return ENOMEM;
    e = xlu_cfg_readdata(config, keys, strlen(keys));
    xlu_cfg_destroy(config);
    return e;
}

/* Both of its vCPUs are bound to the CPUs of node 0. */
static int run_bound(libxl_ctx *ctx, libxl_domain_config *config,
                     char **text_r)
{
    libxl_domain_build_info *info = &config->b_info;
    int r = 0;

    faults_pause();
    info->vcpu_hard_affinity = calloc(2, sizeof(*info->vcpu_hard_affinity));
    for (int i = 0; i < 2 && info->vcpu_hard_affinity && !r; i++) {
        libxl_bitmap *map = &info->vcpu_hard_affinity[i];

        libxl_bitmap_init(map);
        r = libxl_bitmap_alloc(ctx, map, FAKE_CPUS);
        if (!r) {
            libxl_bitmap_set(map, 0);
            libxl_bitmap_set(map, 1);
            info->num_vcpu_hard_affinity = i + 1;
        }
    }
    faults_resume();
    return r ? r : run_create(ctx, config, text_r);
}

static int run_dry(libxl_ctx *ctx, libxl_domain_config *config, char **text_r)
{
    *text_r = libxl_domain_config_to_json(ctx, config);
    return *text_r ? 0 : ERROR_FAIL;
}

/* The userdata of domain 1, which has more than when it was made. */
static int run_reboot(libxl_ctx *ctx, libxl_domain_config *config,
                      char **text_r)
{
    static const char kept[] = "nodes=3\nvcpu=0 4-5 2\nvcpu=1 - 1-2\n";
    libxl_domain_config stored;
    uint32_t domid;
    int r;

    (void)config;
    (void)text_r;
    faults_pause();
    libxl_userdata_store(ctx, 1, "xl-numa", (const uint8_t *)kept,
                         sizeof(kept) - 1);
    faults_resume();
    r = libxl_retrieve_domain_configuration(ctx, 1, &stored, NULL);
    if (!r)
        r = libxl_domain_create_new(ctx, &stored, &domid, NULL, NULL);
    libxl_domain_config_dispose(&stored);
    return r;
}

/*
 * What xl looks at first with autoballoon: how much Domain-0 is to give up for a
 * guest that is larger than what is free on the host. If libxl cannot tell what
 * it needs, that is xl's to report.
 */
static uint64_t needed_of_domain0(libxl_ctx *ctx, libxl_domain_config *config)
{
    const uint64_t mib = 720;
    uint64_t need_kb, free_kb;
    unsigned node;

    for (node = 0; node < FAKE_NODES; node++)
        fake_xen_set_free(node, 150);
    config->b_info.max_memkb = config->b_info.target_memkb = mib << 10;
    if (libxl_domain_need_memory(ctx, config, 0, &need_kb))
        need_kb = (mib << 10) + 4096;
    faults_pause();
    libxl_get_free_memory(ctx, &free_kb);
    faults_resume();
    return need_kb > free_kb ? need_kb - free_kb : 0;
}

/* Domain-0 gives up what it has on node 3. */
static int run_ballooned(libxl_ctx *ctx, libxl_domain_config *config,
                         char **text_r)
{
    if (!needed_of_domain0(ctx, config))
        return 0;
    fake_xen_set_free(3, 1000);
    return run_create(ctx, config, text_r);
}

/* Domain-0 must not get a request, because then this would not fail. */
static int run_hopeless(libxl_ctx *ctx, libxl_domain_config *config,
                        char **text_r)
{
    uint64_t kb = needed_of_domain0(ctx, config);
    int r = run_create(ctx, config, text_r);

    return kb ? 0 : r;
}

static int run_hopeless_restore(libxl_ctx *ctx, libxl_domain_config *config,
                                char **text_r)
{
    uint64_t kb = needed_of_domain0(ctx, config);
    int r = run_restore(ctx, config, text_r);

    return kb ? 0 : r;
}

static const char *const recorded_strict[] = {
    "numa/version", "1", "numa/nodes", "2", "numa/nodes_mode", "strict", NULL,
};

/* The configuration of domain 1, with its virtual nodes. */
static int run_save(libxl_ctx *ctx, libxl_domain_config *config,
                    char **text_r)
{
    libxl_domain_config stored;
    int r;

    (void)config;
    fake_xen_give_vnodes();
    r = libxl_retrieve_domain_configuration(ctx, 1, &stored, NULL);
    if (!r)
        r = libxl_domain_suspend(ctx, 1, -1, 0, NULL);
    faults_pause();
    *text_r = strdup(r ? "not saved" : stored.c_info.xsdata[1]);
    faults_resume();
    libxl_domain_config_dispose(&stored);
    return 0;
}

/* Virtual nodes as they come from a file; reports where they are set. */
static int run_vnodes(libxl_ctx *ctx, libxl_domain_config *config,
                      char **text_r)
{
    int r = run_restore(ctx, config, text_r);

    faults_pause();
    *text_r = calloc(1, 32);
    if (*text_r)
        fake_xen_vnodes(*text_r, 32);
    faults_resume();
    return r;
}

static const char *const recorded_vnodes[] = {
    "numa/version", "1", "numa/nodes", "1-2", "numa/vnodes",
    "vcpus=0 memory=0-2000000 distances=10,21;"
    "vcpus=1 memory=2000000-4000000 distances=21,10", NULL,
};

static const char *const recorded[] = {
    "numa/version", "1", "numa/nodes", "2,40", "numa/nodes_mode", "preferred",
    NULL,
};

static const struct scenario scenarios[] = {
    { .name = "a create", .keys = "nodes_policy=\"best\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "a create beside another create",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create, .beside = true },
    { .name = "a create with memory far from its CPUs",
      .keys = "nodes=\"2\"\n", .load = "load 0-1 4294967296\n",
      .warns = true, .is_kept = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_bound },
    { .name = "a create on nodes that are named",
      .keys = "nodes=\"1-2\"\nnodes_cpus=\"hard\"\n"
              "nodes_mode=\"strict\"\n",
      .type = LIBXL_DOMAIN_TYPE_PVH, .run = run_create },
    { .name = "a create with memory elsewhere",
      .keys = "nodes_mem=\"2:75%,3:25%\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "a create with virtual nodes",
      .keys = "type=\"hvm\"\nnodes=\"0,3\"\nvnuma=\"auto\"\n",
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_create },
    { .name = "a create with a core for each vCPU",
      .keys = "nodes_cpus=\"core\"\n", .beside = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "a create with virtual nodes and a thread for each vCPU",
      .keys = "type=\"hvm\"\nnodes=\"0,3\"\nvnuma=\"auto\"\n"
              "nodes_cpus=\"thread\"\n",
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_create },
    { .name = "a create in any cpupool", .keys = "pool=\"auto\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "a create beside another domain and a device",
      .keys = "nodes_with=\"web\"\nnodes_apart=\"db\"\nnodes_max=2\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create, .has_device = true },
    { .name = "a create of what was recorded", .xsdata = recorded,
      .warns = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create },
    { .name = "a create that can't be had",
      .keys = "nodes=\"0\"\nnodes_mode=\"strict\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_create, .may_fail = true,
      .warns = true },
    { .name = "a create for which Domain-0 gives up memory",
      .keys = "nodes=\"all\"\nnodes_mode=\"strict\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_ballooned },
    { .name = "a create for which Domain-0 would give up memory in vain",
      .keys = "nodes=\"0\"\nnodes_mode=\"strict\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_hopeless, .may_fail = true,
      .warns = true },
    { .name = "a restore for which it would do so", .xsdata = recorded_strict,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_hopeless_restore,
      .may_fail = true, .warns = true },
    { .name = "a restore", .xsdata = recorded, .warns = true,
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_restore },
    { .name = "a restore with virtual nodes", .xsdata = recorded_vnodes,
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_vnodes },
    { .name = "a restore with a list of virtual nodes",
      .xsdata = recorded_vnodes, .has_vnodes = true,
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_vnodes },
    { .name = "a save of virtual nodes", .variable = MODULE_SENDS,
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_save },
    { .name = "a dry run", .keys = "nodes=\"1-2\"\n",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_dry,
      .variable = MODULE_DRY_RUN },
    { .name = "a reboot with what is kept",
      .type = LIBXL_DOMAIN_TYPE_PV, .run = run_reboot },
    { .name = "a soft reset", .keys = "nodes=\"2\"\n",
      .type = LIBXL_DOMAIN_TYPE_HVM, .run = run_reset },
};

int main(void)
{
    return fault_creates(scenarios, sizeof(scenarios) / sizeof(*scenarios));
}
