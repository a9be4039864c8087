/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "fake-next.h"
#include "fake-xen.h"
#include "fault-calls.h"
#include "fault-creates.h"
#include "placement/restore.h"
#include "tap.h"

/* Symbols of this program, from the linker, for addr2line. */
extern const char __executable_start;

#define DOMID 7
#define MAX_CALLS 5000
#define MAX_SHOWN 10
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static void need(bool good)
{
    if (good)
        return;
    printf("Bail out! %s\n", strerror(errno));
    exit(1);
}

/* ---- the log ---- */

static char said[4096];
static bool warned;

__attribute__((format(printf, 5, 0)))
static void log_message(xentoollog_logger *logger, xentoollog_level level,
                        int errnoval, const char *context, const char *fmt,
                        va_list ap)
{
    size_t n = strlen(said);

    (void)logger;
    (void)errnoval;
    (void)context;
    if (level < XTL_WARN)
        return;
    warned = true;
    faults_pause();
    n += vsnprintf(said + n, sizeof(said) - n, fmt, ap);
    faults_resume();
    if (n < sizeof(said) - 1)
        strcpy(said + n, "\n");
}

static xentoollog_logger logger = { .vmessage = log_message };

/* ---- what the module calls the real functions ---- */

WRAP(int, libxl_domain_config_copy, (libxl_ctx *ctx, libxl_domain_config *to,
     const libxl_domain_config *from), (ctx, to, from), 0)

/* Like libxl's builders: large extents, and small ones for the rest. */
static bool populate_all(uint32_t domid, uint64_t pages)
{
    xen_pfn_t extents[64] = { 0 };
    unsigned order = 9;
    int done;

    while (pages) {
        unsigned long nr = pages >> order;

        if (nr > ARRAY_SIZE(extents))
            nr = ARRAY_SIZE(extents);
        done = xc_domain_populate_physmap(NULL, domid, nr, order, 0, extents);
        if (done < 0 || (!done && !order))
            return false;
        pages -= (uint64_t)done << order;
        if ((unsigned long)done < nr || !(pages >> order))
            order = 0;
    }
    return true;
}

/* What the record has of its vCPUs while it is built. */
static char recorded_load[256];

static void note_load(void)
{
    char line[128];
    FILE *f;

    faults_pause();
    recorded_load[0] = '\0';
    f = fopen(XEN_RUN_DIR "/numa/7", "r");
    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, "load ", 5))
            strncat(recorded_load, line,
                    sizeof(recorded_load) - strlen(recorded_load) - 1);
    if (f)
        fclose(f);
    faults_resume();
}

static int build(libxl_domain_config *config, uint32_t *domid)
{
    *domid = DOMID;
    if (!fake_xen_add(DOMID, config->c_info.name, config->c_info.uuid.uuid))
        return ERROR_FAIL;
    if (!xc_domain_max_vcpus(NULL, DOMID, config->b_info.max_vcpus)) {
        note_load();
        if (populate_all(DOMID, config->b_info.max_memkb >> 2))
            return 0;
    }
    fake_xen_remove(DOMID);
    return ERROR_FAIL;
}

static int create_new(libxl_ctx *ctx, libxl_domain_config *config,
                      uint32_t *domid, const libxl_asyncop_how *ao_how,
                      const libxl_asyncprogress_how *aop_console_how)
{
    (void)ctx;
    (void)ao_how;
    (void)aop_console_how;
    return build(config, domid);
}

static bool restored;

bool fault_creates_restored(void)
{
    return restored;
}

/* The save helper is this process too. */
static int create_restore(libxl_ctx *ctx, libxl_domain_config *config,
                          uint32_t *domid, int fd, int send_back_fd,
                          const libxl_domain_restore_params *params,
                          const libxl_asyncop_how *ao_how,
                          const libxl_asyncprogress_how *aop_console_how)
{
    struct restore *restore;

    (void)ctx;
    (void)fd;
    (void)send_back_fd;
    (void)params;
    (void)ao_how;
    (void)aop_console_how;
    restored = true;
    *domid = DOMID;
    if (!fake_xen_add(DOMID, config->c_info.name, config->c_info.uuid.uuid))
        return ERROR_FAIL;
    xc_domain_max_vcpus(NULL, DOMID, config->b_info.max_vcpus);
    restore = restore_attach(getpid(), DOMID);
    if (restore)
        restore_collect(restore, &(struct restored){ 0 });
    return populate_all(DOMID, config->b_info.max_memkb >> 2) ? 0 : ERROR_FAIL;
}

static int soft_reset(libxl_ctx *ctx, libxl_domain_config *config,
                      uint32_t domid, const libxl_asyncop_how *ao_how,
                      const libxl_asyncprogress_how *aop_console_how)
{
    (void)ctx;
    (void)ao_how;
    (void)aop_console_how;
    return xc_domain_max_vcpus(NULL, domid, config->b_info.max_vcpus)
               ? ERROR_FAIL : 0;
}

static int retrieve(libxl_ctx *ctx, uint32_t domid,
                    libxl_domain_config *config,
                    const libxl_asyncop_how *ao_how)
{
    (void)ctx;
    (void)domid;
    (void)ao_how;
    fake_xen_config(config, LIBXL_DOMAIN_TYPE_PV);
    return 0;
}

/* libxl ends the process where it has no memory. */
static char *to_json(libxl_ctx *ctx, libxl_domain_config *config)
{
    __typeof__(libxl_domain_config_to_json) *real =
        (__typeof__(real))dlsym(RTLD_NEXT, "libxl_domain_config_to_json");
    char *json;

    faults_pause();
    json = real(ctx, config);
    faults_resume();
    return json;
}

/* It saves no domain with virtual nodes. */
static int suspend(libxl_ctx *ctx, uint32_t domid, int fd, int flags,
                   const libxl_asyncop_how *ao_how)
{
    uint32_t sizes[3];

    (void)ctx;
    (void)fd;
    (void)flags;
    (void)ao_how;
    return xc_domain_getvnuma(NULL, domid, &sizes[0], &sizes[1], &sizes[2],
                              NULL, NULL, NULL) == -1 && errno == EOPNOTSUPP
               ? 0 : ERROR_FAIL;
}

static int destroy(libxl_ctx *ctx, uint32_t domid,
                   const libxl_asyncop_how *ao_how)
{
    (void)ctx;
    (void)ao_how;
    fake_xen_remove(domid);
    return 0;
}

static const libxl_event_hooks *registered;
static void *registered_user;

static void register_callbacks(libxl_ctx *ctx, const libxl_event_hooks *hooks,
                               void *user)
{
    (void)ctx;
    registered = hooks;
    registered_user = user;
}

void fault_creates_event(libxl_event *event)
{
    registered->event_occurs(registered_user, event);
}

const struct fake_next fake_next_list[] = {
    { "libxl_ctx_alloc", fake_next_ctx_alloc, true },
    { "libxl_domain_config_to_json", to_json, true },
    { "libxl_domain_create_new", create_new, false },
    { "libxl_domain_create_restore", create_restore, false },
    { "libxl_domain_destroy", destroy, false },
    { "libxl_domain_need_memory", fake_libxl_domain_need_memory, false },
    { "libxl_domain_resume", fake_libxl_domain_resume, false },
    { "libxl_domain_soft_reset", soft_reset, false },
    { "libxl_domain_suspend", suspend, false },
    { "libxl_event_register_callbacks", register_callbacks, false },
    { "libxl_retrieve_domain_configuration", retrieve, false },
    { "xc_domain_getvnuma", fake_xc_domain_getvnuma, false },
    { "xc_domain_max_vcpus", fake_next_max_vcpus, false },
    { "xc_domain_populate_physmap", fake_xen_populate, false },
    { "xs_write", fake_xs_write, false },
    { NULL, NULL, false },
};

/* ---- what is tried ---- */

struct outcome {
    int config_error;           /* of xlu_cfg_readdata() */
    int r;                      /* of libxl's function */
    char pages[64];             /* where the guest's are */
    bool warned, given_back;
    char load[256];             /* recorded_load */
    char said[1024];
    long nr_blocks;             /* more than before */
    int nr_files;
    unsigned nr_open;
    const char *failed;         /* NULL: nothing did */
    void *where;
    char text[16384];           /* of a dry run */
};

int run_create(libxl_ctx *ctx, libxl_domain_config *config, char **text_r)
{
    uint32_t domid;

    (void)text_r;
    return libxl_domain_create_new(ctx, config, &domid, NULL, NULL);
}

int run_restore(libxl_ctx *ctx, libxl_domain_config *config, char **text_r)
{
    uint32_t domid;

    (void)text_r;
    return libxl_domain_create_restore(ctx, config, &domid, 0, -1, NULL, NULL,
                                       NULL);
}

int run_reset(libxl_ctx *ctx, libxl_domain_config *config, char **text_r)
{
    (void)text_r;
    return libxl_domain_soft_reset(ctx, config, 1, NULL, NULL);
}

/* ---- one try ---- */

static void add_xsdata(const char *const *pairs, libxl_domain_config *config)
{
    char **list;
    unsigned nr = 0;

    if (!pairs)
        return;
    faults_pause();
    while (pairs[nr])
        nr++;
    list = calloc(nr + 1, sizeof(*list));
    need(list);
    while (nr--)
        list[nr] = strdup(pairs[nr]);
    config->c_info.xsdata = list;
    faults_resume();
}

static void add_device(libxl_domain_config *config)
{
    faults_pause();
    config->pcidevs = calloc(1, sizeof(*config->pcidevs));
    need(config->pcidevs);
    libxl_device_pci_init(config->pcidevs);
    config->pcidevs->bus = 1;
    config->num_pcidevs = 1;
    faults_resume();
}

/* Two, with a vCPU and half of the memory each, on nodes 0 and 1. */
static void add_vnodes(libxl_ctx *ctx, libxl_domain_build_info *info)
{
    libxl_vnode_info *vnode;
    int i;

    faults_pause();
    info->vnuma_nodes = calloc(2, sizeof(*info->vnuma_nodes));
    need(info->vnuma_nodes);
    info->num_vnuma_nodes = 2;
    for (i = 0; i < 2; i++) {
        vnode = &info->vnuma_nodes[i];
        libxl_vnode_info_init(vnode);
        vnode->memkb = info->max_memkb / 2;
        vnode->pnode = i;
        vnode->num_distances = 2;
        vnode->distances = calloc(2, sizeof(*vnode->distances));
        need(vnode->distances);
        vnode->distances[i] = 10;
        vnode->distances[!i] = 20;
        libxl_bitmap_init(&vnode->vcpus);
        need(!libxl_bitmap_alloc(ctx, &vnode->vcpus, 2));
        libxl_bitmap_set(&vnode->vcpus, i);
    }
    faults_resume();
}

/* While the file is open, memory on node 0 and cores are reserved for domain
 * 2. */
static int promise(void)
{
    static const uint8_t uuid[16] = { 2 };
    static const struct xln_share share = { 0, UINT64_C(200) << 20 };
    struct xln_reservations *held;
    static const uint64_t load[FAKE_CPUS] = { XLN_LOAD_ONE, XLN_LOAD_ONE };
    struct xln_cpumap *cores;
    int fd;

    faults_pause();
    need(!xln_cpumap_new(FAKE_CPUS, &cores));
    need(!xln_reservations_lock(XEN_RUN_DIR "/numa", 0, &held));
    xln_cpumap_set(cores, 1);
    xln_cpumap_set(cores, 5);
    need(!xln_reservations_add(held, 2, uuid, &share, 1, load, FAKE_CPUS,
                               cores, &fd));
    xln_reservations_unlock(held);
    xln_cpumap_free(cores);
    faults_resume();
    return fd;
}

static bool is_as_before(const struct scenario *scenario,
                         const libxl_domain_config *config)
{
    const libxl_domain_build_info *b = &config->b_info;

    return !b->nodemap.size && !b->num_vcpu_soft_affinity &&
           !!b->num_vnuma_nodes == scenario->has_vnodes &&
           (scenario->is_kept || (!b->num_vcpu_hard_affinity &&
                                libxl_defbool_is_default(b->numa_placement)));
}

static void make(const struct scenario *scenario, struct outcome *o)
{
    libxl_domain_config config;
    char *text = NULL;
    libxl_ctx *ctx;
    int promise_fd = -1;

    o->nr_open = fake_xen_nr_open();
    faults_pause();
    need(!libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &logger));
    faults_resume();
    o->config_error = scenario->keys ? give_keys(scenario->keys) : 0;
    fake_xen_config(&config, scenario->type);
    if (scenario->may_fail)
        config.b_info.max_memkb = config.b_info.target_memkb = 900 << 10;
    if (scenario->beside)
        promise_fd = promise();
    if (scenario->has_device)
        add_device(&config);
    if (scenario->has_vnodes)
        add_vnodes(ctx, &config.b_info);
    add_xsdata(scenario->xsdata, &config);
    if (!o->config_error)
        o->r = scenario->run(ctx, &config, &text);
    o->given_back = is_as_before(scenario, &config);
    o->failed = faults_disarm(&o->where);
    fake_xen_pages(DOMID, o->pages, sizeof(o->pages));
    memcpy(o->load, recorded_load, sizeof(o->load));
    snprintf(o->text, sizeof(o->text), "%s", text ? text : "");
    free(text);
    libxl_domain_config_dispose(&config);
    libxl_ctx_free(ctx);
    close(promise_fd);
}

/* A leak checker at exit() would run thousands of times, and the counts here
 * are enough. Only the tool that records which lines run needs an exit(). */
static void end_child(void)
{
#ifdef __SANITIZE_ADDRESS__
    _exit(0);
#else
    exit(0);
#endif
}

/* In a process of its own: the module remembers what it has seen. */
static void try(const struct scenario *scenario, unsigned nth, bool for_good,
                struct outcome *o)
{
    pid_t pid;
    int status;

    memset(o, 0, sizeof(*o));
    fflush(stdout);
    pid = fork();
    need(pid >= 0);
    if (!pid) {
        fake_xen_begin();
        if (scenario->variable)
            setenv(scenario->variable, "1", 1);
        o->nr_files = faults_next_file();
        o->nr_blocks = faults_nr_blocks();
        (for_good ? faults_arm_memory : faults_arm)(nth);
        make(scenario, o);
        o->nr_blocks = faults_nr_blocks() - o->nr_blocks;
        o->nr_files = faults_next_file() - o->nr_files;
        o->nr_open = fake_xen_nr_open();
        o->warned = warned;
        memcpy(o->said, said, sizeof(o->said) - 1);
        end_child();
    }
    need(waitpid(pid, &status, 0) == pid);
    if (status) {
        o->failed = o->failed ? o->failed : "?";
        o->nr_files = -1;
        snprintf(o->said, sizeof(o->said), "it crashed: %#x\n", status);
    }
}

/* ---- what must hold ---- */

/* Calls that fail without our code, too, or for which libxl itself reports
 * why. */
static bool is_stocks(const char *call)
{
    static const char *const calls[] = {
        "fake_xen_populate", "libxl_device_pci_assignable_list",
        "libxl_get_pci_topology", "xlu_cfg_init", "xlu_cfg_readdata",
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(calls); i++)
        if (!strcmp(calls[i], call))
            return true;
    return false;
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
    return !strcmp(a->pages, b->pages) && !strcmp(a->text, b->text);
}

/* NULL: it is as it has to be. */
static const char *find_fault(const struct scenario *scenario,
                              const struct outcome *o,
                              const struct outcome *good)
{
    if (o->nr_files)
        return "a file was left open, or it crashed";
    if (o->nr_blocks > good->nr_blocks)
        return "memory was not freed";
    if (o->nr_open)
        return "Xen or xenstore was left open";
    if (!o->given_back)
        return "the configuration was not given back";
    if ((o->config_error || o->r) && is_stocks(o->failed))
        return NULL;
    if (o->config_error)
        return "the configuration was refused";
    if (o->r && !scenario->may_fail)
        return "it was not built";
    if (!is_same(o, good) && !o->warned && !is_stocks(o->failed))
        return "it was placed otherwise, and nothing was said";
    return NULL;
}

static unsigned try_all(const struct scenario *scenario, bool for_good,
                        const struct outcome *good, struct outcome *o,
                        unsigned *nr_wrong)
{
    const char *fault;
    unsigned nth;

    for (nth = faults_first(); nth < MAX_CALLS; nth += faults_step()) {
        try(scenario, nth, for_good, o);
        fault = o->failed ? find_fault(scenario, o, good) : NULL;
        if (fault && (*nr_wrong)++ < MAX_SHOWN)
            printf("# call %u%s, %s at %#tx: %s: %d %d, on %s, %ld blocks\n%s",
                   nth, for_good ? " and all after it" : "", o->failed,
                   (char *)o->where - &__executable_start, fault,
                   o->config_error, o->r, o->pages, o->nr_blocks, o->said);
        if (!o->failed)
            break;
    }
    return nth - 1;
}

static void test(const struct scenario *scenario, struct outcome *shared)
{
    struct outcome good;
    unsigned nr_wrong = 0, nr;

    try(scenario, 0, false, shared);
    good = *shared;
    printf("# %s: on %s\n%s", scenario->name, good.pages, good.said);
    if (!ok(!good.r == !scenario->may_fail && !good.config_error &&
                !good.nr_files && good.warned == scenario->warns,
            "%s", scenario->name))
        return;
    if (scenario->load)
        ok(!strcmp(good.load, scenario->load),
           "others can read what it left behind: %s",
           good.load);
    nr = try_all(scenario, false, &good, shared, &nr_wrong);
    ok(!nr_wrong && nr > 5,
       "a create survives the failure of each of its %u calls", nr);
    nr_wrong = 0;
    nr = try_all(scenario, true, &good, shared, &nr_wrong);
    ok(!nr_wrong && nr > 2,
       "a create survives that memory runs out, at %u points", nr);
}

int fault_creates(const struct scenario *scenarios, unsigned nr)
{
    struct outcome *shared = mmap(NULL, sizeof(*shared),
                                  PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned i;

    need(shared != MAP_FAILED && fault_calls_begin());
    for (i = 0; i < nr; i++)
        test(&scenarios[i], shared);
    fault_calls_end();
    return tap_done();
}
