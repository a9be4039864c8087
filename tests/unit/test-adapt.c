/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a configuration loses when its domain is built again on a host that has
 * changed. What is defined here stands in for libxl's.
 */
#include <errno.h>

#include <libxl_utils.h>

#include "fake-alloc.h"
#include "placement/adapt.h"
#include "tap.h"

#define NR_CPUS 16
#define MAX_ALLOCATIONS 200

/* ---- libxl ---- */

/* Pool-0 has CPUs 0-3 and 8-15, qa 4-5, and "empty" none. */
static const struct {
    const char *name;
    libxl_scheduler sched;
    unsigned cpus;
} pools[] = {
    { "Pool-0", LIBXL_SCHEDULER_CREDIT2, 0xff0f },
    { "qa", LIBXL_SCHEDULER_CREDIT, 0x30 },
    { "empty", LIBXL_SCHEDULER_CREDIT2, 0 },
};
#define NR_POOLS ((int)(sizeof(pools) / sizeof(pools[0])))

static bool pools_fail;

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

static void set_bits(libxl_bitmap *map, unsigned bits)
{
    map->map[0] = bits;
    if (map->size > 1)
        map->map[1] = bits >> 8;
}

libxl_cpupoolinfo *libxl_list_cpupool(libxl_ctx *ctx, int *nr_r)
{
    libxl_cpupoolinfo *list;
    int i;

    list = pools_fail ? NULL : calloc(NR_POOLS, sizeof(*list));
    for (i = 0; list && i < NR_POOLS; i++) {
        libxl_cpupoolinfo_init(&list[i]);
        list[i].poolid = i;
        list[i].sched = pools[i].sched;
        list[i].pool_name = strdup(pools[i].name);
        if (!list[i].pool_name ||
            libxl_cpu_bitmap_alloc(ctx, &list[i].cpumap, 0)) {
            libxl_cpupoolinfo_list_free(list, i + 1);
            return NULL;
        }
        set_bits(&list[i].cpumap, pools[i].cpus);
    }
    *nr_r = NR_POOLS;
    return list;
}

int libxl_cpupool_qualifier_to_cpupoolid(libxl_ctx *ctx, const char *name,
                                         uint32_t *id_r, int *was_name)
{
    int i;

    (void)ctx;
    (void)was_name;
    for (i = 0; i < NR_POOLS; i++)
        if (!strcmp(pools[i].name, name)) {
            *id_r = i;
            return 0;
        }
    return ERROR_NOTFOUND;
}

/* ---- what is said ---- */

static char said[1000];

__attribute__((format(printf, 5, 0)))
static void hear(xentoollog_logger *lg, xentoollog_level level, int err,
                 const char *context, const char *format, va_list al)
{
    size_t length = strlen(said);

    (void)lg;
    (void)level;
    (void)err;
    (void)context;
    vsnprintf(said + length, sizeof(said) - length, format, al);
    strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

static xentoollog_logger logger = { .vmessage = hear };

/* ---- configurations ---- */

static void add_maps(libxl_bitmap **maps, int *nr_maps, const unsigned *bits,
                     int nr)
{
    int i;

    *maps = calloc(nr, sizeof(**maps));
    for (i = 0; i < nr; i++) {
        (*maps)[i].size = bits[i] > 0xff ? 2 : 1;
        (*maps)[i].map = calloc(1, (*maps)[i].size);
        set_bits(&(*maps)[i], bits[i]);
    }
    *nr_maps = nr;
}

/* A domain in that pool, with these affinities of `nr` of its three vCPUs. */
static void make(libxl_domain_config *config, const char *pool,
                 const unsigned *hard, const unsigned *soft, int nr)
{
    libxl_domain_build_info *info = &config->b_info;

    libxl_domain_config_init(config);
    config->c_info.name = strdup("g");
    config->c_info.pool_name = pool ? strdup(pool) : NULL;
    info->max_vcpus = 3;
    if (hard)
        add_maps(&info->vcpu_hard_affinity, &info->num_vcpu_hard_affinity,
                 hard, nr);
    if (soft)
        add_maps(&info->vcpu_soft_affinity, &info->num_vcpu_soft_affinity,
                 soft, nr);
}

static unsigned bits(const libxl_bitmap *map)
{
    return map->map[0] | (map->size > 1 ? map->map[1] << 8 : 0);
}

static bool any_pool;

static int adapt(libxl_domain_config *config)
{
    /* Of the libxl that this is linked to. */
    static const struct layout layout = {
        .config_size = sizeof(*config),
        .sched_params_at = offsetof(libxl_domain_config, b_info.sched_params),
    };

    said[0] = '\0';
    return adapt_config(NULL, &logger, &layout, config, any_pool);
}

static void test_holds(void)
{
    static const unsigned hard[] = { 0x30, 0xf0, 0xffff };
    libxl_domain_config config;
    libxl_domain_build_info *info = &config.b_info;

    make(&config, "qa", hard, hard, 3);
    info->sched_params.sched = LIBXL_SCHEDULER_CREDIT;
    ok(!adapt(&config) && !*said,
       "a setting that still applies causes no message");
    ok(!strcmp(config.c_info.pool_name, "qa") &&
           info->sched_params.sched == LIBXL_SCHEDULER_CREDIT &&
           info->num_vcpu_hard_affinity == 3 &&
           bits(&info->vcpu_hard_affinity[1]) == 0xf0,
       "a setting that still applies is kept, also if it applies in part");
    libxl_domain_config_dispose(&config);
}

static void test_pools(void)
{
    libxl_domain_config config;

    make(&config, "gone", NULL, NULL, 0);
    ok(!adapt(&config) && !config.c_info.pool_name && !config.c_info.poolid,
       "a domain whose cpupool does not exist is put into Pool-0");
    is_str(said, "'g': pool=\"gone\": this host has no such cpupool: it is "
                 "dropped, and the domain is in cpupool 'Pool-0'\n",
           "a line names the cpupool that does not exist");
    libxl_domain_config_dispose(&config);
    make(&config, "empty", NULL, NULL, 0);
    ok(!adapt(&config) && !config.c_info.pool_name &&
           strstr(said, "this cpupool has no CPU"),
       "a domain whose cpupool has no CPU is put into Pool-0");
    libxl_domain_config_dispose(&config);
    make(&config, "gone", NULL, NULL, 0);
    said[0] = '\0';
    ok(!adapt_pool(NULL, &logger, &config) && !config.c_info.pool_name && *said,
       "a soft reset replaces a cpupool that does not exist, too");
    libxl_domain_config_dispose(&config);
}

static void test_affinities(void)
{
    static const unsigned hard[] = { 0xc0, 0x3, 0xc0 }, soft[] = { 0x30, 0x8 };
    libxl_domain_config config;
    libxl_domain_build_info *info = &config.b_info;

    make(&config, NULL, hard, NULL, 3);
    ok(!adapt(&config) && info->num_vcpu_hard_affinity == 3 &&
           bits(&info->vcpu_hard_affinity[0]) == 0xffff &&
           bits(&info->vcpu_hard_affinity[1]) == 0x3 &&
           bits(&info->vcpu_hard_affinity[2]) == 0xffff,
       "hard affinities without a CPU of the cpupool are dropped");
    is_str(said, "'g': hard affinity of vCPUs 0,2: CPUs 6-7: cpupool 'Pool-0' "
                 "has only CPUs 0-3,8-15: it is dropped\n",
           "one line names all vCPUs whose hard affinity is dropped");
    libxl_domain_config_dispose(&config);

    make(&config, "qa", hard, soft, 2);
    ok(!adapt(&config) && !info->num_vcpu_hard_affinity &&
           !info->vcpu_hard_affinity,
       "a domain has no hard affinity if all of its affinities are dropped");
    ok(info->num_vcpu_soft_affinity == 2 &&
           bits(&info->vcpu_soft_affinity[0]) == 0x30 &&
           bits(&info->vcpu_soft_affinity[1]) == 0xffff &&
           strstr(said, "soft affinity of vCPU 1: CPUs 3: cpupool 'qa'"),
       "soft affinities without a CPU of the cpupool are dropped, with a line");
    libxl_domain_config_dispose(&config);
}

static void test_any_pool(void)
{
    static const unsigned in_qa[] = { 0x30, 0x10 }, nowhere[] = { 0xc0 };
    static const unsigned two[] = { 0x30, 0x01 };
    libxl_domain_config config;
    const libxl_domain_build_info *info = &config.b_info;

    any_pool = true;
    make(&config, NULL, in_qa, nowhere, 1);
    ok(!adapt(&config) && !*said && info->num_vcpu_hard_affinity == 1 &&
           info->num_vcpu_soft_affinity == 1,
       "with pool=auto nothing is dropped if some cpupool has the CPUs");
    libxl_domain_config_dispose(&config);
    make(&config, NULL, two, NULL, 2);
    ok(!adapt(&config) && info->num_vcpu_hard_affinity == 2 &&
           bits(&info->vcpu_hard_affinity[1]) == 0x01 &&
           strstr(said, "hard affinity of vCPU 0: CPUs 4-5: cpupool 'Pool-0'"),
       "with pool=auto affinities that fit the first cpupool are kept if "
       "none fits all");
    libxl_domain_config_dispose(&config);
    any_pool = false;
}

static void test_vcpus(void)
{
    static const unsigned hard[] = { 0x1, 0x2, 0x4, 0x8 };
    libxl_domain_config config;

    make(&config, NULL, hard, NULL, 4);
    ok(!adapt(&config) && config.b_info.num_vcpu_hard_affinity == 3,
       "affinities of vCPUs that it does not have are dropped");
    is_str(said, "'g': hard affinity of vCPUs 3 and up, of 3 vCPUs: it is dropped\n",
           "a line names the affinities of vCPUs that the domain does not "
           "have");
    libxl_domain_config_dispose(&config);
}

static void test_scheduler(void)
{
    libxl_domain_config config;
    libxl_domain_sched_params *params = &config.b_info.sched_params;

    make(&config, "qa", NULL, NULL, 0);
    params->sched = LIBXL_SCHEDULER_CREDIT2;
    params->weight = 300;
    ok(!adapt(&config) && params->sched == LIBXL_SCHEDULER_UNKNOWN &&
           params->weight == 300,
       "parameters of another scheduler are passed to that of the cpupool");
    is_str(said, "'g': its scheduling parameters are those of credit2, but "
                 "cpupool 'qa' uses credit: those that do not apply are "
                 "dropped\n",
           "a line reports parameters of another scheduler");
    libxl_domain_config_dispose(&config);
}

static void test_fails(void)
{
    static const unsigned hard[] = { 0xc0, 0x3 };
    libxl_domain_config config;
    unsigned nth;
    int rc = -ENOMEM;

    make(&config, NULL, hard, hard, 2);
    pools_fail = true;
    ok(adapt(&config) == -EIO,
       "an error is returned if libxl cannot list the cpupools");
    pools_fail = false;
    libxl_domain_config_dispose(&config);
    for (nth = 1; rc && nth < MAX_ALLOCATIONS; nth++) {
        make(&config, "gone", hard, hard, 2);
        fake_alloc_fail(nth);
        rc = adapt(&config);
        fake_alloc_fail(0);
        libxl_domain_config_dispose(&config);
    }
    ok(!rc && nth > 5,
       "running out of memory at any point is an error, and leaks nothing");
}

int main(void)
{
    test_holds();
    test_pools();
    test_affinities();
    test_any_pool();
    test_vcpus();
    test_scheduler();
    test_fails();
    return tap_done();
}
