/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plan reads from a configuration, and what it computes. */
#include <errno.h>
#include <stdlib.h>

#include "placement/config.h"
#include "fake-alloc.h"
#include "host.h"
#include "plans/need.h"
#include "tap.h"
#include "text/units.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define NAMED "name=\"g\"\n"

static void bail_out(const char *why)
{
    printf("Bail out! %s\n", why);
    exit(1);
}

static struct config *parse(const char *text, char **error_r)
{
    struct config *config = NULL;
    int rc = config_parse(text, strlen(text), "g.cfg", NULL, 0, NULL, &config,
                          error_r);

    if (rc && rc != -EINVAL)
        bail_out(strerror(-rc));
    return rc ? NULL : config;
}

static struct config *good(const char *text)
{
    char *error;
    struct config *config = parse(text, &error);

    if (!config)
        bail_out(error ? error : "no configuration");
    return config;
}

/* ---- what is read ---- */

static void test_defaults(void)
{
    struct config *c = good(NAMED);

    ok(!strcmp(c->name, "g") && c->type == LIBXL_DOMAIN_TYPE_PV &&
       c->memory_bytes == 32 * MIB && c->maxmem_bytes == 32 * MIB &&
       c->nr_vcpus == 1 && c->hap && !c->hard.nr && !c->soft.nr && !c->pool &&
       !c->cells && !c->nr_devices,
       "a configuration with a name only is PV with 32 MiB and one vCPU");
    config_free(c);
    config_free(NULL);
}

static void test_types(void)
{
    static const struct {
        const char *text;
        libxl_domain_type type;
    } types[] = {
        { "type=\"pv\"", LIBXL_DOMAIN_TYPE_PV },
        { "type=\"pvh\"", LIBXL_DOMAIN_TYPE_PVH },
        { "type=\"hvm\"", LIBXL_DOMAIN_TYPE_HVM },
        { "type=\"h\"", LIBXL_DOMAIN_TYPE_HVM },
        { "type=\"p\"", LIBXL_DOMAIN_TYPE_PV },
        { "builder=\"hvm\"", LIBXL_DOMAIN_TYPE_HVM },
        { "builder=\"generic\"", LIBXL_DOMAIN_TYPE_PV },
        { "builder=\"hvm\"\ntype=\"hvm\"", LIBXL_DOMAIN_TYPE_HVM },
    };
    unsigned i, nr_right = 0;
    char text[100];

    for (i = 0; i < ARRAY_SIZE(types); i++) {
        struct config *c;

        snprintf(text, sizeof(text), NAMED "%s\n", types[i].text);
        c = good(text);
        nr_right += c->type == types[i].type;
        config_free(c);
    }
    ok(nr_right == i, "%u of %u ways to write the type are read", nr_right, i);
}

static void test_sizes(void)
{
    struct config *c = good(NAMED "memory=0x100\nmaxmem=\"300\"\nvcpus=2\n"
                            "maxvcpus=8\nshadow_memory=5\nhap=0\n");

    ok(c->memory_bytes == 256 * MIB && c->maxmem_bytes == 300 * MIB &&
       c->nr_vcpus == 8 && c->shadow_bytes == 5 * MIB && !c->hap,
       "sizes are read like libxlutil's numbers, and vCPUs are those of "
       "maxvcpus");
    config_free(c);
    c = good(NAMED "maxmem=300\nvcpus=3\n");
    ok(c->memory_bytes == 300 * MIB && c->nr_vcpus == 3,
       "maxmem= without memory= is the memory");
    config_free(c);
}

static void test_places(void)
{
    struct config *c = good(NAMED "type=\"hvm\"\nvcpus=2\ncpus=\"0-3,^2\"\n"
                            "cpus_soft=[\"1\",\"2\",\"3\"]\npool=\"p\"\n"
                            "pci=[\"01:00.0\",\"02:00.0\"]\n"
                            "vnuma=[[\"pnode=0\",\"size=32\","
                            "\"vcpus=0-1\"]]\n");

    ok(c->hard.of_all && c->hard.nr == 1 &&
       !strcmp(c->hard.lists[0], "0-3,^2"),
       "a cpus= text applies to all vCPUs");
    ok(!c->soft.of_all && c->soft.nr == 2 && !strcmp(c->soft.lists[1], "2"),
       "a cpus_soft= list is read up to the number of vCPUs");
    ok(!strcmp(c->pool, "p") && c->nr_devices == 2 && c->cells->nr == 1,
       "pool=, pci= and vnuma= are read");
    config_free(c);
}

static void is_device(const struct prefer_device *d, unsigned segment,
                      unsigned bus, unsigned device, unsigned function,
                      const char *what)
{
    ok(d->segment == segment && d->bus == bus && d->device == device &&
       d->function == function, "the pci= item \"%s\" is read", what);
}

static void test_devices(void)
{
    struct config *c = good(NAMED "pci=[\"01:00.0\",\"nonsense\","
                            "\"0001:c1:1f.7@5,permissive=1\","
                            "\"03:00.*\",\"rdm_policy=strict,bdf=0002:04:00.1\","
                            "\"01:00.8\"]\n");

    ok(c->nr_devices == 6 && c->nr_addresses == 4,
       "pci= items without an address are counted as devices");
    is_device(&c->devices[0], 0, 1, 0, 0, "01:00.0");
    is_device(&c->devices[1], 1, 0xc1, 0x1f, 7, "0001:c1:1f.7@5,...");
    is_device(&c->devices[2], 0, 3, 0, XLN_NONE, "03:00.*");
    is_device(&c->devices[3], 2, 4, 0, 1, "...,bdf=0002:04:00.1");
    config_free(c);
}

static void test_words(void)
{
    char memory[] = "memory=64", nodes[] = "nodes=\"1-2\"";
    static const char text[] = "name=\"g\" # no newline\nmemory=32";
    char *words[] = { memory, nodes };
    struct xln_request *request;
    struct config *c = NULL;
    char *error, *set = NULL;

    if (config_parse(text, strlen(text), "g.cfg", words, 2, NULL, &c, &error))
        bail_out("words");
    ok(c->memory_bytes == 64 * MIB,
       "KEY=VALUEs of the command line override the file");
    if (xln_request_new(&request) || keys_apply(c->keys, request) ||
        xln_nodemap_format(request->nodes, &set))
        bail_out("request");
    is_str(set, "1-2", "the NUMA keys are read from the command line");
    free(set);
    xln_request_free(request);
    config_free(c);
}

static void test_files(void)
{
    char name[] = "name=\"g\"", *words[] = { name };
    struct config *c = NULL;
    char *text, *error;
    size_t size;

    if (config_read_text("/dev/null", &text, &size))
        bail_out("/dev/null");
    ok(!config_parse(text, size, "/dev/null", words, 1, NULL, &c, &error),
       "/dev/null and KEY=VALUEs make a configuration");
    config_free(c);
    free(text);
    ok(config_read_text("/nonexistent", &text, &size) == -ENOENT,
       "a file that does not exist is an error");
    ok(config_read_text("/dev/zero", &text, &size) == -EFBIG,
       "a file without an end is refused");
}

/* ---- what is refused ---- */

static void test_errors(void)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        { "memory=10\n", "g.cfg: no name=: expected the name of the domain" },
        { NAMED "memory=\"much\"\n", "g.cfg: memory=\"much\": expected a "
          "number, 0 to 4294967296" },
        { NAMED "memory=\"-1\"\n", "g.cfg: memory=\"-1\": expected a "
          "number, 0 to 4294967296" },
        { NAMED "memory=[1]\n", "g.cfg: memory=[...]: expected a single "
          "value" },
        { NAMED "memory=5000000000\n", "g.cfg: memory=\"5000000000\": expected "
          "a number, 0 to 4294967296" },
        { NAMED "memory=64\nmaxmem=32\n", "g.cfg: memory=64 and maxmem=32: "
          "expected memory <= maxmem" },
        { NAMED "vcpus=4\nmaxvcpus=2\n", "g.cfg: vcpus=4 and maxvcpus=2: "
          "expected vcpus <= maxvcpus" },
        { NAMED "vcpus=\"4x\"\n", "g.cfg: vcpus=\"4x\": expected a number, 0 "
          "to 4096" },
        { NAMED "type=\"xen\"\n", "g.cfg: type=\"xen\": expected \"pv\", "
          "\"pvh\" or \"hvm\"" },
        { NAMED "builder=\"linux\"\n", "g.cfg: builder=\"linux\": expected "
          "\"hvm\" or \"generic\"" },
        { NAMED "type=\"pvh\"\nbuilder=\"hvm\"\n", "g.cfg: type=\"pvh\" and "
          "builder=\"hvm\": expected one of the two" },
        { NAMED "cpus=[[1]]\n", "g.cfg: cpus: item 1 is a list: expected a "
          "list of CPUs such as \"0-3,^2\"" },
        { NAMED "nodes_policy=\"wurst\"\n", "g.cfg: nodes_policy=\"wurst\": "
          "expected \"first\", \"best\", \"worst\" or \"balanced\"" },
    };
    unsigned i;
    char *error;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config *c = parse(cases[i].text, &error);

        if (c)
            ok(false, "the configuration is refused: %s", cases[i].text);
        else
            is_str(error, cases[i].error,
                   "the error says why the configuration is refused");
        config_free(c);
        free(error);
    }
}

static void test_zero_byte(void)
{
    static const char text[] = NAMED "pool=\"a\0b\"\n";
    struct config *c;
    char *error;
    int rc = config_parse(text, sizeof(text) - 1, "g.cfg", NULL, 0, NULL, &c,
                          &error);

    ok(rc == -EINVAL, "a zero byte is refused");
    is_str(error, "g.cfg: line 2: expected text, not a zero byte",
           "libxlutil does not see a text with a zero byte");
    free(error);
}

/* ---- memory ---- */

/* Figures as libxl computes them. For PV and PVH a rig test compares them with
 * the need that a create reports. */
static void test_need_bytes(void)
{
    static const struct {
        const char *text;
        uint64_t mib;
    } cases[] = {
        { "memory=160", 164 },
        { "memory=64\nvcpus=2", 68 },
        { "type=\"pvh\"\nmemory=500\nvcpus=2", 506 },
        { "type=\"hvm\"\nmemory=1024\nmaxmem=2048\nvcpus=4", 1038 },
        { "type=\"hvm\"\nmemory=1024\nhap=0", 1036 },
        { "type=\"pvh\"\nmemory=1024\nshadow_memory=0", 1026 },
        { "memory=4096\npci=[\"01:00.0\"]", 4124 },
        { "type=\"hvm\"\nmemory=4096\npci=[\"01:00.0\"]", 4116 },
        { "type=\"hvm\"\nmemory=256\ndevice_model_stubdomain_override=1\n"
          "device_model_version=\"qemu-xen-traditional\"", 292 },
    };
    unsigned i;
    char text[200];

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config *c;

        snprintf(text, sizeof(text), NAMED "%s\n", cases[i].text);
        c = good(text);
        if (!ok(need_bytes(c) == cases[i].mib * MIB,
                "case %u needs %u MiB with the "
                "overhead", i, (unsigned)cases[i].mib))
            printf("# %llu\n", (unsigned long long)(need_bytes(c) / MIB));
        config_free(c);
    }
}

static void test_need_text(void)
{
    struct config *c = good(NAMED "type=\"pvh\"\nmemory=500\nvcpus=2\n");
    char *text = need_text(c);

    is_str(text, "6 MiB of it are overhead, by libxl's figures for PVH "
           "with HAP", "a line says how much is overhead");
    free(text);
    config_free(c);
}

/* ---- CPUs ---- */

/* Two nodes of four CPUs. */
static struct xln_host *make_host(void)
{
    struct xln_host *host;
    unsigned i;

    if (xln__host_new(8, 2, 0, &host))
        bail_out("host");
    for (i = 0; i < 8; i++) {
        host->cpu_exists[i] = host->cpus[i].online = true;
        host->cpus[i].node = i / 4;
    }
    xln_nodemap_fill(host->exists);
    if (xln__host_finish(host))
        bail_out("host");
    return host;
}

/* "0-3 4": the masks of a kind. */
static void is_masks(const struct xln_cpumap *const *masks, unsigned nr,
                     const char *expected, const char *what)
{
    char text[200] = "", *set;
    unsigned i;

    for (i = 0; i < nr; i++) {
        if (xln_cpumap_format(masks[i], &set))
            bail_out("format");
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
                 i ? " " : "", set);
        free(set);
    }
    is_str(text, expected, what);
}

static void test_masks(void)
{
    struct config *c = good(NAMED "type=\"hvm\"\nvcpus=2\ncpus=\"nodes:1,^5,900\"\n"
                            "cpus_soft=[\"all\"]\n");
    struct xln_host *host = make_host();
    struct xln_need need = { 0 };
    struct xln_cpumap *bound;
    char *error;

    if (need_fill(c, host, NULL, NULL, &need, &error))
        bail_out("need");
    is_masks(need.hard, need.nr_hard, "4,6-7 4,6-7",
             "cpus= applies to each vCPU, by nodes, without CPUs that do not "
             "exist");
    is_masks(need.soft, need.nr_soft, "0-7",
             "a cpus_soft= list applies to as many vCPUs as it has items");
    ok(need.nr_vcpus == 2 && need.memory_bytes == 32 * MIB &&
       need.memory_bytes + need.overhead_bytes == need_bytes(c),
       "the need has the vCPUs, the memory and the overhead");
    need_dispose(&need);

    memset(&need, 0, sizeof(need));
    if (xln_cpumap_new(8, &bound) || xln_cpumap_parse("6-7", NULL, 0, bound,
                                                      NULL))
        bail_out("bound");
    if (need_fill(c, host, NULL, bound, &need, &error))
        bail_out("need");
    is_masks(need.hard, need.nr_hard, "6-7 6-7",
             "the mask of xl.conf narrows cpus=");
    need_dispose(&need);
    config_free(c);

    memset(&need, 0, sizeof(need));
    c = good(NAMED "vcpus=2\n");
    if (need_fill(c, host, NULL, bound, &need, &error))
        bail_out("need");
    is_masks(need.hard, need.nr_hard, "6-7 6-7",
             "the mask of xl.conf applies without cpus=, too");
    need_dispose(&need);
    config_free(c);
    xln_cpumap_free(bound);
    xln_host_free(host);
}

static void test_wrong_masks(void)
{
    struct config *c = good(NAMED "cpus=\"3-1\"\n");
    struct xln_host *host = make_host();
    struct xln_need need = { 0 };
    char *error;

    ok(need_fill(c, host, NULL, NULL, &need, &error) == -EINVAL,
       "a malformed list of CPUs is refused");
    is_str(error, "g.cfg: cpus=\"3-1\": expected CPUs of this host such as "
           "\"0-3,^2\", \"nodes:0-1\" or \"all\"",
           "the error says why a list of CPUs is refused");
    free(error);
    need_dispose(&need);
    config_free(c);
    xln_host_free(host);
}

/* ---- memory that runs out ---- */

static int once(const struct xln_host *host)
{
    static const char text[] = NAMED "vcpus=2\ncpus=[\"1\",\"2\"]\npool=\"p\"\n"
                               "nodes=[0,1]\n";
    struct xln_need need = { 0 };
    struct config *c = NULL;
    char *error = NULL;
    int rc;

    rc = config_parse(text, strlen(text), "g.cfg", NULL, 0, NULL, &c, &error);
    if (!rc)
        rc = need_fill(c, host, NULL, NULL, &need, &error);
    need_dispose(&need);
    config_free(c);
    free(error);
    return rc;
}

static void test_no_memory(void)
{
    struct xln_host *host = make_host();
    unsigned nth = 0, nr_failed = 0;
    int rc;

    do {
        fake_alloc_fail(++nth);
        rc = once(host);
        fake_alloc_fail(0);
        nr_failed += rc == -ENOMEM;
    } while (rc && nth < 1000);
    ok(!rc && nr_failed == nth - 1 && nr_failed > 10,
       "-ENOMEM is returned, whichever of %u allocations fails", nr_failed);
    xln_host_free(host);
}

int main(void)
{
    test_defaults();
    test_types();
    test_sizes();
    test_places();
    test_devices();
    test_words();
    test_files();
    test_errors();
    test_zero_byte();
    test_need_bytes();
    test_need_text();
    test_masks();
    test_wrong_masks();
    test_no_memory();
    return tap_done();
}
