/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl's structures as other releases have them, or may have. What libxl
 * fills in is moved: some bytes more, or fewer, from some place on. The module
 * must serve it, or leave the create as it is. PLACES says who creates: "xl",
 * or "libxl" in libvirtd.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxlutil.h>
#include <xenctrl.h>

#include "placement/layout.h"
#include "tap.h"

#define SIZE sizeof(libxl_domain_config)
#define AT(field) offsetof(libxl_domain_config, field)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct libxl {
    const char *name;
    size_t at;                  /* from here on ... */
    int bytes;                  /* ... all is this further back */
    bool fails;                 /* from_json() does */
    int domain_bytes;           /* what an xc_domaininfo_t has more */
    const char *odd;            /* what the warning names; NULL: it serves */
};

static const struct libxl libxls[] = {
    { .name = "as it was built for" },
    { .name = "that ends later", .at = SIZE, .bytes = 112 },
    { .name = "with a field before b_info.type", .at = AT(b_info.type),
      .bytes = 16 },
    { .name = "with a field behind vnuma_nodes",
      .at = AT(b_info.vnuma_nodes) + sizeof(void *), .bytes = 24 },
    { .name = "with a field before pcidevs", .at = AT(num_pcidevs),
      .bytes = 64 },
    { .name = "with a field before vnuma_nodes",
      .at = AT(b_info.num_vnuma_nodes), .bytes = 8,
      .odd = "b_info.vnuma_nodes" },
    { .name = "with a field before the name", .at = AT(c_info.name),
      .bytes = 8, .odd = "c_info.name" },
    { .name = "with a field before all others", .bytes = 8,
      .odd = "c_info.type" },
    { .name = "with a field before the node map", .at = AT(b_info.nodemap),
      .bytes = 16, .odd = "b_info.nodemap" },
    { .name = "that is shorter, without maxmem", .at = AT(b_info.target_memkb),
      .bytes = -8, .odd = "b_info.max_memkb" },
    { .name = "that cannot read JSON", .fails = true,
      .odd = "libxl_domain_config_from_json" },
    { .name = "of 4.16, with its libxenctrl", .domain_bytes = -8,
      .odd = "xc_domaininfo_t" },
    { .name = "with a larger xc_domaininfo_t", .domain_bytes = 8,
      .odd = "xc_domaininfo_t" },
};

static const struct libxl *libxl = libxls;

/* ---- libxl ---- */

void __real_libxl_domain_config_init(libxl_domain_config *config);
void __wrap_libxl_domain_config_init(libxl_domain_config *config);
int __real_libxl_domain_config_from_json(libxl_ctx *ctx,
                                         libxl_domain_config *config,
                                         const char *text);
int __wrap_libxl_domain_config_from_json(libxl_ctx *ctx,
                                         libxl_domain_config *config,
                                         const char *text);
void __real_libxl_domain_config_dispose(libxl_domain_config *config);
void __wrap_libxl_domain_config_dispose(libxl_domain_config *config);

/* From the structure of the headers to that of this libxl, and back. */
static void move_to(const libxl_domain_config *from, void *to)
{
    const char *bytes = (const char *)from;
    size_t gone = libxl->bytes < 0 ? -libxl->bytes : 0;

    memset(to, 0, SIZE + libxl->bytes);
    memcpy(to, bytes, libxl->at - gone);
    memcpy((char *)to + libxl->at + libxl->bytes, bytes + libxl->at,
           SIZE - libxl->at);
}

static void move_from(const void *from, libxl_domain_config *to)
{
    size_t gone = libxl->bytes < 0 ? -libxl->bytes : 0;

    memset(to, 0, SIZE);
    memcpy(to, from, libxl->at - gone);
    memcpy((char *)to + libxl->at,
           (const char *)from + libxl->at + libxl->bytes, SIZE - libxl->at);
}

void __wrap_libxl_domain_config_init(libxl_domain_config *config)
{
    libxl_domain_config real;

    memset(&real, 0, sizeof(real));
    __real_libxl_domain_config_init(&real);
    move_to(&real, config);
}

int __wrap_libxl_domain_config_from_json(libxl_ctx *ctx,
                                         libxl_domain_config *config,
                                         const char *text)
{
    libxl_domain_config real;
    int r;

    if (libxl->fails)
        return ERROR_FAIL;
    move_from(config, &real);
    r = __real_libxl_domain_config_from_json(ctx, &real, text);
    move_to(&real, config);
    return r;
}

void __wrap_libxl_domain_config_dispose(libxl_domain_config *config)
{
    libxl_domain_config real;

    move_from(config, &real);
    __real_libxl_domain_config_dispose(&real);
    move_to(&real, config);
}

/* Functions that work only on structures use nothing of a context. */
static libxl_ctx *any_ctx(void)
{
    static long long room[8192];

    return (libxl_ctx *)room;
}

static int open_ctx(libxl_ctx **ctx, int version, unsigned flags,
                    xentoollog_logger *lg)
{
    (void)version;
    (void)flags;
    (void)lg;
    *ctx = any_ctx();
    return 0;
}

/* The configuration as create_new() sees it. */
static char seen[SIZE + 256];

static int create_new(libxl_ctx *ctx, libxl_domain_config *config,
                      uint32_t *domid, const libxl_asyncop_how *ao_how,
                      const libxl_asyncprogress_how *aop_console_how)
{
    (void)ctx;
    (void)ao_how;
    (void)aop_console_how;
    memcpy(seen, config, SIZE + libxl->bytes);
    *domid = 7;
    return 0;
}

void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);

void *__wrap_dlsym(void *handle, const char *name)
{
    if (!strcmp(name, "libxl_ctx_alloc"))
        return open_ctx;
    if (!strcmp(name, "libxl_domain_create_new"))
        return create_new;
    return __real_dlsym(handle, name);
}

/* ---- libxenctrl ---- */

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    (void)logger;
    (void)dombuild_logger;
    (void)open_flags;
    return (xc_interface *)any_ctx();
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain,
                          unsigned max_domains, xc_domaininfo_t *info)
{
    (void)xch;
    (void)first_domain;
    (void)max_domains;
    memset(info, 0, sizeof(*info) + libxl->domain_bytes);
    return 1;
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu,
                    xc_vcpuinfo_t *info)
{
    (void)xch;
    (void)domid;
    (void)vcpu;
    memset(info, 0, sizeof(*info));
    return 0;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
    (void)xch;
    memset(info, 0, sizeof(*info));
    return 0;
}

int xc_cputopoinfo(xc_interface *xch, unsigned *max_cpus, xc_cputopo_t *topo)
{
    (void)xch;
    memset(topo, 0, *max_cpus * sizeof(*topo));
    return 0;
}

int xc_numainfo(xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *meminfo,
                uint32_t *distance)
{
    (void)xch;
    memset(meminfo, 0, *max_nodes * sizeof(*meminfo));
    memset(distance, 0, *max_nodes * *max_nodes * sizeof(*distance));
    return 0;
}

/* ---- the log ---- */

static struct outcome {
    char said[1024];
    unsigned nr_lines;
    bool is_stocks;             /* the create was libxl's alone */
} *outcome;

__attribute__((format(printf, 5, 0)))
static void log_message(xentoollog_logger *logger, xentoollog_level level,
                        int errnoval, const char *context, const char *fmt,
                        va_list ap)
{
    (void)logger;
    (void)errnoval;
    (void)context;
    if (level < XTL_WARN)
        return;
    outcome->nr_lines++;
    vsnprintf(outcome->said, sizeof(outcome->said), fmt, ap);
}

static xentoollog_logger logger = { .vmessage = log_message };

/* ---- tests ---- */

/* As xl does. */
static void create(void)
{
    static const char keys[] = "nodes = \"1\"\nnodes_polcy = \"best\"\n";
    char room[sizeof(seen)] = { 0 }, before[sizeof(seen)] = { 0 };
    libxl_domain_config *config = (libxl_domain_config *)room;
    XLU_Config *xlu;
    uint32_t domid;
    libxl_ctx *ctx;

    libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &logger);
    xlu = xlu_cfg_init(stderr, "g.cfg");
    xlu_cfg_readdata(xlu, keys, sizeof(keys) - 1);
    xlu_cfg_destroy(xlu);
    libxl_domain_config_init(config);
    memcpy(before, config, SIZE + libxl->bytes);
    libxl_domain_create_new(ctx, config, &domid, NULL, NULL);
    outcome->is_stocks = !memcmp(before, seen, SIZE + libxl->bytes);
}

/* The module remembers what it has seen. */
static void create_in_child(void)
{
    pid_t pid;
    int status;

    memset(outcome, 0, sizeof(*outcome));
    fflush(stdout);
    pid = fork();
    if (!pid) {
        create();
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
        outcome->nr_lines = 99;
}

static void test_served(void)
{
    const char *odd;
    struct layout layout;
    size_t further = AT(pcidevs) >= libxl->at ? libxl->bytes : 0;

    ok(!layout_learn(any_ctx(), &layout, &odd) && !odd,
       "the layout of a libxl %s is learned", libxl->name);
    ok(layout.config_size == SIZE + libxl->bytes,
       "the size of its configuration is found");
    ok(layout.devices_at == AT(pcidevs) + further &&
           layout.nr_devices_at == AT(num_pcidevs) + further,
       "its devices are found");
    further = AT(b_info.sched_params) >= libxl->at ? libxl->bytes : 0;
    ok(layout.sched_params_at == AT(b_info.sched_params) + further,
       "its scheduling parameters are found");
    ok(layout.has_device_model == (AT(b_info.device_model_version) <
                                       libxl->at || !libxl->bytes),
       "its device model is found only if it is where the headers have it");
}

static void test_inert(void)
{
    struct layout layout = { .config_size = 1 };
    char named[80];
    const char *odd;
    int rc;

    if (!libxl->domain_bytes) {
        rc = layout_learn(any_ctx(), &layout, &odd);
        ok(rc == -ENOTSUP && !strcmp(odd, libxl->odd) &&
               layout.config_size == 1,
           "the layout of a libxl %s is refused because of "
           "%s", libxl->name, odd);
    }
    create_in_child();
    snprintf(named, sizeof(named), "(%s): domains are placed by %s itself",
             libxl->odd, PLACES);
    ok(outcome->nr_lines == 1 && strstr(outcome->said, named),
       "with a libxl %s one line reports that: %s", libxl->name, outcome->said);
    ok(outcome->is_stocks, "the create is that of the installed libxl");
}

static void test_devices(void)
{
    static const char text[] =
        "{\"pcidevs\":[{\"bus\":3,\"dev\":4,\"func\":5}]}";
    const libxl_device_pci *devices;
    libxl_domain_config *config;
    struct layout layout;
    const char *odd;
    int nr = 0;

    layout_learn(any_ctx(), &layout, &odd);
    config = layout_new_config(&layout);
    devices = layout_devices(&layout, config, &nr);
    ok(!nr && !devices, "a configuration without devices has none");
    libxl_domain_config_from_json(any_ctx(), config, text);
    devices = layout_devices(&layout, config, &nr);
    ok(nr == 1 && devices->bus == 3 && devices->dev == 4 && devices->func == 5,
       "a configuration with one device has it");
    layout_free_config(config);
    layout_free_config(NULL);
}

static void test_events(void)
{
    ok(layout_knows_events(any_ctx()), "the layout of events is known");
}

int main(void)
{
    size_t i;

    outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED)
        return 1;
    for (i = 0; i < ARRAY_SIZE(libxls); i++) {
        libxl = &libxls[i];
        if (libxl->odd) {
            test_inert();
        } else {
            test_served();
            test_devices();
        }
    }
    test_events();
    return tap_done();
}
