/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A create and a plan of it decide the same: each of many configurations goes
 * through xl's module, into a hypervisor that is made from a description of a
 * host, and through numa-plan for the same description. On every host of
 * tests/hosts verdict, nodes, words and status are alike.
 */
#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>
#include <libxlutil.h>

#include <libxl_numa_foreign.h>

#include "fake-host.h"
#include "fault-calls.h"
#include "host.h"
#include "plans/planner.h"
#include "tap.h"

#define DOMID 7000
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static void need(bool good)
{
    if (good)
        return;
    printf("Bail out! %s\n", strerror(errno));
    exit(1);
}

/*
 * What is planned: %a is the first node with memory and CPUs, %z the last one,
 * %x one that the host has not got, %c the CPUs of %a.
 */
static const struct pair {
    const char *config, *defaults;
} pairs[] = {
    { "memory=64", "" },
    { "memory=600\nvcpus=2", "" },
    { "memory=600\nvcpus=2\nnodes_policy=\"worst\"", "" },
    { "memory=3000\nvcpus=10\ntype=\"pvh\"", "" },
    { "memory=3000\nvcpus=10\nnodes_smt=\"cores\"\nnodes_cpus=\"hard\"", "" },
    { "memory=20000\nvcpus=6\ntype=\"hvm\"\nnodes_policy=\"best\"", "" },
    { "memory=400000\nvcpus=40\ntype=\"pvh\"", "" },
    { "memory=400000\nvcpus=40\nnodes_mode=\"strict\"", "" },
    { "memory=90000000\nvcpus=2", "" },
    { "memory=90000000\ntype=\"hvm\"\nvnuma=\"auto\"", "" },
    { "memory=300\nnodes=\"%a\"", "" },
    { "memory=300\nnodes=\"%z\"\nnodes_mode=\"strict\"", "" },
    { "memory=60000\nnodes=\"%a\"\nnodes_mode=\"strict\"", "" },
    { "memory=60000\nnodes=\"%a\"", "" },
    { "memory=300\nnodes=\"%a,%x\"", "" },
    { "memory=300\nnodes_mem=\"%x\"", "" },
    { "memory=300", "nodes=\"%a,%x\"" },
    { "memory=300", "nodes_mem=\"%x\"\nnodes_policy=\"first\"" },
    { "memory=300\nnodes=\"all\"", "dma_reserve=0" },
    { "memory=300\nnodes=\"%a\"\nnodes_mem=\"%z\"", "" },
    { "memory=300\nnodes_mem=\"%a:75%%,%z:25%%\"", "" },
    { "memory=600\nvcpus=3\nnodes_max=1", "" },
    { "memory=600\nvcpus=2\ncpus=\"%c\"", "" },
    { "memory=600\nvcpus=2\ncpus=\"%c\"\nnodes=\"%z\"", "" },
    { "memory=600\nvcpus=2\ncpus=[\"%c\",\"60000\"]", "" },
    { "memory=600\nvcpus=2\ncpus_soft=\"%c\"", "" },
    { "memory=600\nvcpus=2\npool=\"0\"", "" },
    { "memory=600\nvcpus=2\nnodes_cpus=\"core\"", "" },
    { "memory=600\nvcpus=4000\nnodes_cpus=\"core\"", "" },
    { "memory=600\nvcpus=2\nnodes_cpus=\"core\"\ncpus=\"%c\"", "" },
    { "memory=900\nvcpus=4\ntype=\"hvm\"\nnodes=\"%a,%z\"\nvnuma=\"auto\"",
      "" },
    { "memory=900\nvcpus=4\ntype=\"hvm\"\nvnuma=\"host\"", "" },
    { "memory=900\nvcpus=4\ntype=\"hvm\"\nvnuma=\"host\"\ncpus=\"%c\"", "" },
    { "memory=200\nvcpus=2\ntype=\"hvm\"\nnodes=\"%a,%z\"\nvnuma=\"auto\"\n"
      "videoram=128", "" },
    { "memory=16\nvcpus=4\ntype=\"hvm\"\nvnuma=\"host\"", "" },
    { "memory=300000\nvcpus=4\ntype=\"hvm\"\nvnuma=\"host\"", "" },
    { "memory=300\nmaxmem=600\ntype=\"hvm\"", "vnuma=\"host\"" },
    { "memory=300\nmaxmem=600\ntype=\"pvh\"\nnodes=\"%a\"", "" },
    { "memory=300\ntype=\"pv\"", "vnuma=\"auto\"\nnodes=\"%a,%z\"" },
    { "memory=300\ntype=\"hvm\"\nnodes_migratable=1", "vnuma=\"host\"" },
    { "memory=300\ntype=\"hvm\"\nnodes_migratable=1\nvnuma=\"host\"", "" },
    { "memory=300\nnodes_mode=\"loose\"", "" },
    { "memory=300\nnodes_cpus=\"none\"", "nodes_mode=\"strict\"" },
};

/* ---- the texts for a host ---- */

static bool is_whole(const struct xln_host *host, unsigned node)
{
    const struct xln_host_node *n = xln_host_node(host, node);

    return n->total_bytes && !xln_cpumap_is_empty(n->cpus);
}

static void print_node(const struct xln_host *host, char which, FILE *f)
{
    unsigned node, first = XLN_NONE, last = 0;
    char *cpus;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        if (!is_whole(host, node))
            continue;
        first = first == XLN_NONE ? node : first;
        last = node;
    }
    if (which == 'a')
        fprintf(f, "%u", first);
    else if (which == 'z')
        fprintf(f, "%u", last);
    else if (which == 'x')
        fprintf(f, "%u", xln_host_nr_nodes(host));
    else if (which == 'c') {
        need(!xln_cpumap_format(xln_host_node(host, first)->cpus, &cpus));
        fputs(cpus, f);
        free(cpus);
    } else {
        fputc(which, f);
    }
}

/* For this host; to be freed. */
static char *make_text(const struct xln_host *host, const char *text)
{
    char *made;
    size_t size;
    FILE *f = open_memstream(&made, &size);

    need(f);
    for (; *text; text++)
        if (*text == '%')
            print_node(host, *++text, f);
        else
            fputc(*text, f);
    fputc('\n', f);
    fclose(f);
    return made;
}

/* ---- what comes of it ---- */

struct outcome {
    unsigned status;            /* as xl exits: 0, 1, 3 */
    bool was_read;              /* the configuration is good by itself */
    bool may_try;               /* nothing fits, but a create is worth a try */
    char words[8192];           /* why not */
    char warnings[2048];
    char nodes[256];            /* of its memory */
    char vnodes[4096];          /* "node:KiB" of each virtual node */
};

static void put(char *text, size_t size, const char *line, const char *end)
{
    size_t n = strlen(text);

    snprintf(text + n, size - n, "%s%s", line, end);
}

/* ---- a plan ---- */

static void describe(const struct decision *d, struct outcome *o)
{
    char *nodes, text[64];
    unsigned i;

    o->status = d->status == DECIDE_RELAXED ? DECIDE_FITS : d->status;
    o->may_try = d->reason && !d->refused;
    if (d->reason)
        put(o->words, sizeof(o->words), d->reason, "");
    for (i = 0; i < d->nr_warnings; i++)
        put(o->warnings, sizeof(o->warnings), d->warnings[i], "\n");
    if (d->status != DECIDE_FITS && d->status != DECIDE_RELAXED)
        return;
    need(!xln_nodemap_format(d->plan->nodes, &nodes));
    put(o->nodes, sizeof(o->nodes), nodes, "");
    free(nodes);
    for (i = 0; d->vnuma && i < d->vnuma->nr; i++) {
        snprintf(text, sizeof(text), "%u:%" PRIu64 " ", d->vnuma->list[i].node,
                 d->vnuma->list[i].bytes >> 10);
        put(o->vnodes, sizeof(o->vnodes), text, "");
    }
}

/* The line that a command would end with. */
static void refused(const struct planner *p, struct outcome *o)
{
    o->status = DECIDE_WRONG;
    if (p->notes->nr)
        put(o->words, sizeof(o->words), p->notes->lines[p->notes->nr - 1], "");
}

static void plan(struct planner *p, const char *path, const char *defaults,
                 struct planned *d, struct outcome *o)
{
    struct keys *keys;
    char *error = NULL;

    need(!keys_parse_host(defaults, strlen(defaults), HOST_DEFAULTS, &keys,
                          &error));
    p->defaults = keys;
    o->was_read = planner_read(p, path, NULL, 0, d);
    if (!o->was_read)
        refused(p, o);
    else if (planner_place(d, p->snapshot->host) || d->decision)
        describe(d->decision, o);
    else
        need(false);
    p->defaults = NULL;
    keys_free(keys);
}

/* ---- a create: what the module calls ---- */

static struct outcome *made;    /* by the create that is going on */

__attribute__((format(printf, 5, 0)))
static void log_message(xentoollog_logger *logger, xentoollog_level level,
                        int errnoval, const char *context, const char *fmt,
                        va_list ap)
{
    char line[8192], *text = line;

    (void)logger;
    (void)errnoval;
    (void)context;
    if (!made || level < XTL_WARN)
        return;
    vsnprintf(line, sizeof(line), fmt, ap);
    if (!strncmp(line, "'g': ", 5))
        text += 5;
    if (level == XTL_WARN) {
        put(made->warnings, sizeof(made->warnings), text, "\n");
        return;
    }
    *made->words = '\0';
    put(made->words, sizeof(made->words), text, "");
}

static void log_progress(xentoollog_logger *logger, const char *context,
                         const char *doing, int percent, unsigned long done,
                         unsigned long total)
{
    (void)logger;
    (void)context;
    (void)doing;
    (void)percent;
    (void)done;
    (void)total;
}

static xentoollog_logger logger = { log_message, log_progress, NULL };

static int open_ctx(libxl_ctx **ctx, int version, unsigned flags,
                    xentoollog_logger *lg)
{
    __typeof__(libxl_ctx_alloc) *real =
        (__typeof__(real))dlsym(RTLD_NEXT, "libxl_ctx_alloc");

    return real(ctx, version, flags, lg);
}

static int max_vcpus(xc_interface *xch, uint32_t domid, unsigned max)
{
    (void)xch;
    (void)domid;
    (void)max;
    return 0;
}

/* As libxl's builders: the largest extents first, then smaller ones. */
static bool populate(uint64_t pages, unsigned mem_flags)
{
    static const unsigned orders[] = { 18, 9, 0 };
    xen_pfn_t extents[512] = { 0 };
    unsigned i;
    int done;

    for (i = 0; i < ARRAY_SIZE(orders); i++)
        while (pages >> orders[i]) {
            unsigned long nr = pages >> orders[i];

            if (nr > ARRAY_SIZE(extents))
                nr = ARRAY_SIZE(extents);
            done = xc_domain_populate_physmap(NULL, DOMID, nr, orders[i],
                                              mem_flags, extents);
            if (done <= 0)
                break;
            pages -= (uint64_t)done << orders[i];
        }
    return !pages;
}

static void note_vnodes(const libxl_domain_build_info *info)
{
    char text[64];
    int i;

    for (i = 0; i < info->num_vnuma_nodes; i++) {
        snprintf(text, sizeof(text), "%u:%" PRIu64 " ",
                 info->vnuma_nodes[i].pnode, info->vnuma_nodes[i].memkb);
        put(made->vnodes, sizeof(made->vnodes), text, "");
    }
}

/* It is claimed first, as libxl does. */
static bool populate_all(const libxl_domain_build_info *info)
{
    uint64_t bytes;
    int i;

    xc_availheap(NULL, 0, 0, -1, &bytes);
    if (info->max_memkb << 10 > bytes)
        return false;
    if (!info->num_vnuma_nodes)
        return populate(info->max_memkb >> 2, 0);
    for (i = 0; i < info->num_vnuma_nodes; i++)
        if (!populate(info->vnuma_nodes[i].memkb >> 2,
                      XENMEMF_exact_node(info->vnuma_nodes[i].pnode)))
            return false;
    return true;
}

static int create_new(libxl_ctx *ctx, libxl_domain_config *config,
                      uint32_t *domid, const libxl_asyncop_how *ao_how,
                      const libxl_asyncprogress_how *aop_console_how)
{
    const libxl_domain_build_info *info = &config->b_info;

    (void)ctx;
    (void)ao_how;
    (void)aop_console_how;
    *domid = DOMID;
    fake_host_add(DOMID, config->c_info.uuid.uuid);
    if (xc_domain_max_vcpus(NULL, DOMID, info->max_vcpus))
        return ERROR_FAIL;
    note_vnodes(info);
    return populate_all(info) ? 0 : ERROR_FAIL;
}

static const struct {
    const char *name;
    void *function;
} fakes[] = {
    { "libxl_ctx_alloc", open_ctx },
    { "libxl_domain_create_new", create_new },
    { "xc_domain_max_vcpus", max_vcpus },
    { "xc_domain_populate_physmap", fake_host_populate },
    { "xs_write", fake_host_write },
};

void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);
int __wrap_dladdr(const void *address, Dl_info *info);

/* Who asks by way of open_ctx() gets the next one. */
void *__wrap_dlsym(void *handle, const char *name)
{
    static bool inside;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(fakes); i++)
        if (!strcmp(fakes[i].name, name) && (i || !inside)) {
            inside = inside || !i;
            return fakes[i].function;
        }
    return __real_dlsym(handle, name);
}

int __wrap_dladdr(const void *address, Dl_info *info)
{
    (void)address;
    info->dli_fname = "/usr/lib/libxenlight.so." XEN_RELEASE;
    return 1;
}

/* ---- a create: what xl makes of the configuration ---- */

static void make_masks(const struct config_cpus *cpus, unsigned nr_vcpus,
                       const struct xln_host *host, libxl_bitmap **maps_r,
                       int *nr_r)
{
    unsigned nr = cpus->of_all ? nr_vcpus : cpus->nr, i, cpu;
    libxl_bitmap *maps = calloc(nr + 1, sizeof(*maps));
    struct xln_cpumap *mask = NULL;

    need(maps && !xln_cpumap_new(xln_host_nr_cpus(host), &mask));
    for (i = 0; i < nr; i++) {
        need(!xln_cpumap_parse(cpus->lists[cpus->of_all ? 0 : i], NULL,
                               XLN_PARSE_SKIP_ABSENT, mask, NULL));
        libxl_cpu_bitmap_alloc(NULL, &maps[i], 0);
        XLN_FOREACH(xln_cpumap, cpu, mask)
            libxl_bitmap_set(&maps[i], cpu);
    }
    xln_cpumap_free(mask);
    *maps_r = maps;
    *nr_r = nr;
}

static void make_config(const struct config *from, const struct xln_host *host,
                        libxl_domain_config *config)
{
    static const uint8_t uuid[16] = { 7 };
    libxl_domain_build_info *info = &config->b_info;

    libxl_domain_config_init(config);
    config->c_info.type = from->type;
    config->c_info.name = strdup("g");
    memcpy(config->c_info.uuid.uuid, uuid, sizeof(uuid));
    libxl_domain_build_info_init_type(info, from->type);
    info->max_vcpus = from->nr_vcpus;
    info->target_memkb = from->memory_bytes >> 10;
    info->max_memkb = from->maxmem_bytes >> 10;
    if (from->type == LIBXL_DOMAIN_TYPE_HVM)
        info->video_memkb = from->video_bytes >> 10;
    make_masks(&from->hard, from->nr_vcpus, host, &info->vcpu_hard_affinity,
               &info->num_vcpu_hard_affinity);
    make_masks(&from->soft, from->nr_vcpus, host, &info->vcpu_soft_affinity,
               &info->num_vcpu_soft_affinity);
}

/* xl reads its file; 0, or xl ends. */
static int read_file(const char *path, const char *text)
{
    XLU_Config *config = xlu_cfg_init(stderr, path);
    int e;

    need(config);
    e = xlu_cfg_readdata(config, text, strlen(text));
    xlu_cfg_destroy(config);
    return e;
}

static void create(libxl_ctx *ctx, const char *path, const char *text,
                   const struct config *from, const struct xln_host *host,
                   struct outcome *o)
{
    libxl_domain_config config;
    uint32_t domid;
    int r;

    made = o;
    if (read_file(path, text)) {
        o->status = DECIDE_WRONG;
        made = NULL;
        return;
    }
    make_config(from, host, &config);
    r = libxl_domain_create_new(ctx, &config, &domid, NULL, NULL);
    o->status = r ? DECIDE_NOTHING_FITS : DECIDE_FITS;
    if (!r && fake_host_recorded())
        put(o->nodes, sizeof(o->nodes), fake_host_recorded(), "");
    if (r)
        *o->vnodes = '\0';
    libxl_domain_config_dispose(&config);
    made = NULL;
}

/* ---- the two ---- */

/* xl ends with 3 whatever fails once its file was read. */
static bool is_same_status(const struct outcome *plan,
                           const struct outcome *create)
{
    if (plan->status == DECIDE_WRONG && plan->was_read)
        return create->status == DECIDE_NOTHING_FITS;
    return plan->status == create->status;
}

/* A create may add what came of it. */
static bool warns_alike(const struct outcome *plan,
                        const struct outcome *create)
{
    return !strncmp(plan->warnings, create->warnings, strlen(plan->warnings));
}

static bool is_same(const struct outcome *plan, const struct outcome *create,
                    bool has_choice)
{
    if (plan->may_try && create->status == DECIDE_FITS)
        return true;
    return is_same_status(plan, create) &&
           !strcmp(plan->words, create->words) && warns_alike(plan, create) &&
           (!has_choice || !strcmp(plan->nodes, create->nodes)) &&
           (!has_choice || !strcmp(plan->vnodes, create->vnodes));
}

static void show(const char *what, const struct outcome *o)
{
    printf("# %s: status %u, nodes '%s', vnodes '%s'\n#   words '%s'\n"
           "#   warnings '%s'\n", what, o->status, o->nodes, o->vnodes,
           o->words, o->warnings);
}

/* One pair on one host. */
struct attempt {
    char *config, *defaults;    /* their texts */
    struct planned d;
    struct outcome planned;
};

struct host_test {
    char *name;
    struct xln_snapshot *snapshot;
    struct planner planner;
    struct notes notes;
    struct attempt attempts[ARRAY_SIZE(pairs)];
};

static const char *config_path(void)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/g.cfg", fault_calls_directory());
    return path;
}

static void plan_pair(struct host_test *t, const struct pair *pair,
                      struct attempt *a)
{
    char *text = make_text(t->snapshot->host, pair->config);

    a->defaults = make_text(t->snapshot->host, pair->defaults);
    need(asprintf(&a->config, "name=\"g\"\n%s", text) >= 0 &&
         fault_calls_file("g.cfg", a->config));
    plan(&t->planner, config_path(), a->defaults, &a->d, &a->planned);
    notes_dispose(&t->notes);
    free(text);
}

/* On one node Xen keeps nothing for DMA, whatever a description has. */
static void forget_dma(struct xln_host *host)
{
    if (xln_nodemap_count(host->exists) == 1)
        host->nodes[xln_nodemap_next(host->exists, 0)].dma_bytes = 0;
}

/* NULL: there is no such host here. */
static struct host_test *plan_host(const char *word, const char *name)
{
    struct host_test *t = calloc(1, sizeof(*t));
    char *note = NULL, *error = NULL;
    unsigned i;

    need(t);
    if (xln_snapshot_open(word, &t->snapshot, &note, &error)) {
        printf("# %s: left out: %s\n", name, error ? error : "?");
        free(note);
        free(error);
        free(t);
        return NULL;
    }
    free(note);
    t->name = strdup(name);
    need(planner_begin_saved(&t->planner, &t->notes, word, NULL));
    forget_dma(t->snapshot->host);
    forget_dma(t->planner.snapshot->host);
    for (i = 0; i < ARRAY_SIZE(pairs); i++)
        plan_pair(t, &pairs[i], &t->attempts[i]);
    return t;
}

static bool create_pair(libxl_ctx *ctx, const struct host_test *t,
                        struct attempt *a)
{
    const struct xln_host *host = t->snapshot->host;
    bool has_choice = xln_nodemap_count(xln_host_nodes(host)) > 1;
    struct outcome created = { 0 };

    fake_host_begin(t->snapshot, a->defaults);
    create(ctx, config_path(), a->config, a->d.config, host, &created);
    if (is_same(&a->planned, &created, has_choice) &&
        fake_host_nr_reads() <= 1 && fake_host_nr_defaults() == 1)
        return true;
    printf("# %s# defaults: %s", a->config, a->defaults);
    show("plan", &a->planned);
    show("create", &created);
    printf("# the host was read %u times, its defaults %u times\n",
           fake_host_nr_reads(), fake_host_nr_defaults());
    return false;
}

static void create_all(libxl_ctx *ctx, struct host_test *t)
{
    unsigned i, nr_wrong = 0;

    for (i = 0; i < ARRAY_SIZE(pairs); i++) {
        nr_wrong += !create_pair(ctx, t, &t->attempts[i]);
        planned_dispose(&t->attempts[i].d);
        free(t->attempts[i].config);
        free(t->attempts[i].defaults);
    }
    ok(!nr_wrong, "%s: %zu creates are what their plans say", t->name,
       ARRAY_SIZE(pairs));
    planner_end(&t->planner);
    xln_snapshot_free(t->snapshot);
    free(t->name);
    free(t);
}

/* ---- all hosts ---- */

static struct host_test *tests[128];
static unsigned nr_tests;

static void add_host(const char *word, const char *name)
{
    need(nr_tests < ARRAY_SIZE(tests));
    tests[nr_tests] = plan_host(word, name);
    nr_tests += tests[nr_tests] != NULL;
}

static void add_files(const char *directory)
{
    static const char *const patterns[] = { "*.json", "*/*.json", "*/*.xml" };
    char pattern[512];
    glob_t found;
    size_t i, j;

    for (i = 0; i < ARRAY_SIZE(patterns); i++) {
        snprintf(pattern, sizeof(pattern), "%s/%s", directory, patterns[i]);
        if (glob(pattern, 0, NULL, &found))
            continue;
        for (j = 0; j < found.gl_pathc; j++)
            add_host(found.gl_pathv[j],
                     found.gl_pathv[j] + strlen(directory) + 1);
        globfree(&found);
    }
}

/* All plans come first: once it has started, the module takes every
 * configuration that is read for one of xl's. */
int main(void)
{
    const char *top = getenv("top_srcdir");
    char directory[256];
    libxl_ctx *ctx;
    unsigned i;

    need(fault_calls_begin());
    snprintf(directory, sizeof(directory), "%s/tests/hosts", top ? top : ".");
    add_files(directory);
    /* More virtual nodes than a guest can have. */
    add_host("node:40(memory=4294967296) pu:2", "40 nodes");
    need(nr_tests);
    fake_host_begin(tests[0]->snapshot, "");
    need(!libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &logger));
    for (i = 0; i < nr_tests; i++)
        create_all(ctx, tests[i]);
    libxl_ctx_free(ctx);
    fault_calls_end();
    return tap_done();
}
