/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is kept of a domain: the record, and what becomes of a configuration.
 * What is defined here stands in for libxl's.
 */
#include <errno.h>
#include <stdlib.h>

#include <libxl_utils.h>

#include "fake-alloc.h"
#include "placement/keep.h"
#include "tap.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define NR_CPUS 16
#define MAX_ALLOCATIONS 200

/* ---- libxl ---- */

static char stored[4096];
static bool userdata_fails, is_gone;

int libxl_userdata_store(libxl_ctx *ctx, uint32_t domid, const char *userid,
                         const uint8_t *data, int size)
{
    (void)ctx;
    (void)domid;
    (void)userid;
    if (userdata_fails)
        return ERROR_FAIL;
    snprintf(stored, sizeof(stored), "%.*s", size, (const char *)data);
    return 0;
}

int libxl_userdata_retrieve(libxl_ctx *ctx, uint32_t domid, const char *userid,
                            uint8_t **data, int *size)
{
    (void)ctx;
    (void)domid;
    (void)userid;
    if (userdata_fails)
        return ERROR_FAIL;
    *size = strlen(stored);
    *data = *size ? (uint8_t *)strdup(stored) : NULL;
    return *size && !*data ? ERROR_NOMEM : 0;
}

int libxl_userdata_unlink(libxl_ctx *ctx, uint32_t domid, const char *userid)
{
    (void)ctx;
    (void)domid;
    (void)userid;
    stored[0] = '\0';
    return 0;
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx;
    (void)domid;
    return is_gone ? NULL : strdup("g");
}

int libxl_cpu_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int max_cpus)
{
    (void)ctx;
    (void)max_cpus;
    map->map = calloc(1, NR_CPUS / 8);
    if (!map->map)
        return ERROR_NOMEM;
    map->size = NR_CPUS / 8;
    return 0;
}

/* ---- the record ---- */

static struct keep *read_stored(void)
{
    struct keep *keep = NULL;

    return keep_read(NULL, 1, &keep) ? NULL : keep;
}

static struct keep *read_record(const char *text)
{
    snprintf(stored, sizeof(stored), "%s", text);
    return read_stored();
}

static void test_record(void)
{
    struct keep *keep = read_record("");

    ok(keep && !keep->nodes && !keep->nr_vcpus,
       "without a record nothing is kept");
    ok(!keep_set_pool(keep, "qa") && !keep_set_pool(keep, NULL) &&
           !keep_set_nodes(keep, "0-1") && !keep_set_nodes(keep, "2") &&
           !keep_set_vcpu(keep, 2, "4-5", NULL) &&
           !keep_set_vcpu(keep, 0, NULL, "all") &&
           !keep_set_vcpu(keep, 2, NULL, "4") && !keep_set_nodes(keep, NULL),
       "a cpupool, nodes and vCPUs can be noted");
    ok(!keep_write(NULL, 1, keep), "what was noted is written");
    is_str(stored, "pool=qa\nnodes=2\nvcpu=0 - all\nvcpu=2 4-5 4\n",
           "the last value of each setting is kept");
    keep_free(keep);
    keep = read_stored();
    ok(keep && !strcmp(keep->pool, "qa") && !strcmp(keep->nodes, "2") && keep->nr_vcpus == 3 &&
           !keep->vcpus[0].hard && !strcmp(keep->vcpus[0].soft, "all") &&
           !keep->vcpus[1].hard && !strcmp(keep->vcpus[2].hard, "4-5") &&
           !strcmp(keep->vcpus[2].soft, "4"),
       "what was written is read back");
    ok(keep_set_vcpu(keep, 8192, "0", NULL) == -ERANGE,
       "a vCPU number above all limits is refused");
    ok(keep_set_pool(keep, "q\nnodes=3") == -EINVAL &&
           keep_set_pool(keep, "") == -EINVAL && !strcmp(keep->pool, "qa"),
       "a name of a cpupool with two lines, or without a letter, is refused");
    is_gone = true;
    ok(keep_write(NULL, 1, keep) == -ESRCH && !*stored,
       "nothing is kept for a domain that ended meanwhile");
    is_gone = false;
    userdata_fails = true;
    ok(keep_write(NULL, 1, keep) == -EIO,
       "an error is returned if libxl cannot write");
    keep_free(keep);
    ok(keep_read(NULL, 1, &keep) == -EIO,
       "an error is returned if libxl cannot read");
    userdata_fails = false;
}

static void test_bad_records(void)
{
    static const char *const bad[] = {
        "nodes", "cpus=1", "vcpu=", "vcpu=1", "vcpu=1 2", "vcpu=x 2 3",
        "vcpu=-1 2 3", "vcpu=8192 2 3", "vcpu=99999999999999999999 1 1",
        "nodes=1\nrubbish\n", "pool=\n",
    };
    struct keep *keep = NULL;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        snprintf(stored, sizeof(stored), "%s", bad[i]);
        ok(keep_read(NULL, 1, &keep) == -EINVAL,
           "the record '%.*s...' is refused",
           (int)strcspn(bad[i], "\n"), bad[i]);
    }
}

/* ---- the configuration ---- */

static void init_config(libxl_domain_config *config, int nr_vcpus)
{
    libxl_domain_config_init(config);
    config->b_info.max_vcpus = nr_vcpus;
}

static int apply(const char *record, libxl_domain_config *config)
{
    struct keep *keep = read_record(record);
    int rc = keep ? keep_apply(keep, NULL, config) : -ENOMEM;

    keep_free(keep);
    return rc;
}

/* The first 16 bits. */
static unsigned bits(const libxl_bitmap *map)
{
    return map->map[0] | map->map[1] << 8;
}

static const char *request_of(const libxl_domain_config *config,
                              const char *key)
{
    char **xsdata = config->c_info.xsdata;

    for (; xsdata && *xsdata; xsdata += 2)
        if (!strcmp(xsdata[0], key))
            return xsdata[1];
    return NULL;
}

static void test_apply(void)
{
    libxl_domain_config config;
    libxl_domain_build_info *info = &config.b_info;

    init_config(&config, 3);
    ok(!apply("nodes=2\nvcpu=1 4-5 -\nvcpu=2 - 0\nvcpu=9 1 1\n", &config),
       "kept settings are applied to a configuration");
    is_str(request_of(&config, "numa/nodes"), "2",
           "kept nodes replace the nodes of the request");
    ok(info->num_vcpu_hard_affinity == 2 &&
           bits(&info->vcpu_hard_affinity[0]) == 0xffff &&
           bits(&info->vcpu_hard_affinity[1]) == 0x30,
       "a kept hard affinity is set; vCPUs before it have none");
    ok(info->num_vcpu_soft_affinity == 3 &&
           bits(&info->vcpu_soft_affinity[1]) == 0xffff &&
           bits(&info->vcpu_soft_affinity[2]) == 1,
       "a kept soft affinity is set; a vCPU that does not exist gets none");
    ok(!apply("nodes=auto\nvcpu=1 all -\n", &config),
       "other settings can be applied after them");
    is_str(request_of(&config, "numa/nodes"), "auto",
           "nodes=auto replaces the nodes of the request");
    ok(info->num_vcpu_hard_affinity == 2 &&
           bits(&info->vcpu_hard_affinity[1]) == 0xffff &&
           bits(&info->vcpu_soft_affinity[2]) == 1,
       "a new hard affinity replaces the old one, and the soft one stays");
    libxl_domain_config_dispose(&config);
}

/* A stored configuration has maps that end behind their last CPU. */
static void test_short_map(void)
{
    libxl_domain_config config;
    libxl_domain_build_info *info = &config.b_info;

    init_config(&config, 1);
    info->vcpu_hard_affinity = calloc(1, sizeof(*info->vcpu_hard_affinity));
    info->num_vcpu_hard_affinity = !!info->vcpu_hard_affinity;
    info->vcpu_hard_affinity[0].map = calloc(1, 1);
    info->vcpu_hard_affinity[0].size = 1;
    config.c_info.pool_name = strdup("qa");
    ok(!apply("pool=qb\nvcpu=0 12-13 -\n", &config) &&
           info->vcpu_hard_affinity[0].size == NR_CPUS / 8 &&
           bits(&info->vcpu_hard_affinity[0]) == 0x3000,
       "a map of few CPUs is replaced by a larger one");
    is_str(config.c_info.pool_name, "qb",
           "the kept cpupool replaces that of the configuration");
    libxl_domain_config_dispose(&config);
}

/* nodes_mem= names other nodes for the memory. */
static void test_replaces_mem(void)
{
    static const char *const request[] = {
        "numa/nodes", "0", "numa/nodes_mem", "5", "numa/nodes_mode", "strict",
        "other", "x",
    };
    libxl_domain_config config;
    char **xsdata;
    size_t i;

    init_config(&config, 1);
    xsdata = calloc(ARRAY_SIZE(request) + 1, sizeof(*xsdata));
    for (i = 0; xsdata && i < ARRAY_SIZE(request); i++)
        xsdata[i] = strdup(request[i]);
    config.c_info.xsdata = xsdata;
    ok(!apply("nodes=3\n", &config),
       "kept nodes are applied to an existing request");
    is_str(request_of(&config, "numa/nodes"), "3",
           "the request has the kept nodes");
    ok(!request_of(&config, "numa/nodes_mem"),
       "kept nodes remove nodes_mem from the request");
    is_str(request_of(&config, "numa/nodes_mode"), "strict",
           "the rest of the request stays");
    is_str(request_of(&config, "other"), "x", "entries of other programs stay");
    libxl_domain_config_dispose(&config);
}

static void test_bad_values(void)
{
    static const char *const bad[] = {
        "nodes=x\n", "vcpu=0 x -\n", "vcpu=0 - 99\n",
    };
    libxl_domain_config config;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        init_config(&config, 1);
        ok(apply(bad[i], &config) == -EINVAL, "the setting '%.*s' is refused",
           (int)strcspn(bad[i], "\n"), bad[i]);
        libxl_domain_config_dispose(&config);
    }
}

static void test_no_memory(void)
{
    libxl_domain_config config;
    unsigned nth;
    int rc = -ENOMEM;

    for (nth = 1; rc == -ENOMEM && nth < MAX_ALLOCATIONS; nth++) {
        init_config(&config, 3);
        fake_alloc_fail(nth);
        rc = apply("pool=q\nnodes=2\nvcpu=1 4-5 -\nvcpu=2 - 0\n", &config);
        fake_alloc_fail(0);
        libxl_domain_config_dispose(&config);
    }
    ok(!rc && nth > 10,
       "running out of memory at any point is an error, and leaks nothing");
}

int main(void)
{
    test_record();
    test_bad_records();
    test_apply();
    test_short_map();
    test_replaces_mem();
    test_bad_values();
    test_no_memory();
    return tap_done();
}
