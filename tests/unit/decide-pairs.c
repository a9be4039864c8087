/* SPDX-License-Identifier: LGPL-2.1-or-later */
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

#include "decide-pairs.h"
#include "fake-host.h"
#include "fake-next.h"
#include "fault-calls.h"
#include "host.h"
#include "plans/planner.h"
#include "tap.h"

#define DOMID 7000
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

void decide_pairs_need(bool good)
{
    if (good)
        return;
    printf("Bail out! %s\n", strerror(errno));
    exit(1);
}

static void need(bool good)
{
    decide_pairs_need(good);
}

static const struct decide_tests *tests;

static const char *config_path(void)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/g.cfg", fault_calls_directory());
    return path;
}

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

static void put(char *text, size_t size, const char *line, const char *end)
{
    size_t n = strlen(text);

    snprintf(text + n, size - n, "%s%s", line, end);
}

static const char *skip(const char *text, const char *start)
{
    size_t length = strlen(start);

    return strncmp(text, start, length) ? text : text + length;
}

/* ---- a plan ---- */

/* A create notes the nodes of a plan of ours alone. */
static void describe(const struct decision *d, bool has_cells,
                     struct outcome *o)
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
    o->pool = d->pool ? d->pool->id : 0;
    if (!has_cells) {
        need(!xln_nodemap_format(d->plan->nodes, &nodes));
        put(o->nodes, sizeof(o->nodes), nodes, "");
        free(nodes);
    }
    for (i = 0; d->vnuma && i < d->vnuma->nr; i++) {
        snprintf(text, sizeof(text), "%u:%" PRIu64 " ", d->vnuma->list[i].node,
                 d->vnuma->list[i].bytes >> 10);
        put(o->vnodes, sizeof(o->vnodes), text, "");
    }
}

/* The line that a command would end with, after the name of the file. */
static void refused(const struct planner *p, const char *path,
                    struct outcome *o)
{
    const char *line = p->notes->nr ? p->notes->lines[p->notes->nr - 1] : "";

    o->status = EXIT_FAILURE;
    put(o->words, sizeof(o->words), skip(skip(line, path), ": "), "");
}

static void plan(struct planner *p, const char *path, const char *defaults,
                 struct planned *d, struct outcome *o)
{
    struct keys *keys;
    char *error = NULL;

    need(!keys_parse_host(defaults, strlen(defaults), HOST_DEFAULTS, &keys,
                          &error));
    p->defaults = keys;
    if (!planner_read(p, path, NULL, 0, d))
        refused(p, path, o);
    else if (planner_place(d, p->snapshot->host) || d->decision)
        describe(d->decision, d->guest.cells, o);
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
    char line[8192];
    const char *text;

    (void)logger;
    (void)errnoval;
    (void)context;
    if (!made || level < XTL_WARN)
        return;
    vsnprintf(line, sizeof(line), fmt, ap);
    text = skip(skip(skip(line, "'g': "), "g: "), config_path());
    text = skip(text, ": ");
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

/* Like libxl's builders: the largest extents first, then smaller ones. */
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

static void print_map(const libxl_bitmap *maps, int nr, int vcpu, FILE *f)
{
    unsigned cpu;

    fputs(vcpu < nr ? " [" : " -", f);
    if (vcpu >= nr)
        return;
    libxl_for_each_set_bit(cpu, maps[vcpu])
        fprintf(f, "%u ", cpu);
    fputc(']', f);
}

/* Hard and soft affinity of each vCPU. */
static char *affinity_text(const libxl_domain_build_info *info)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    int vcpu;

    need(f);
    for (vcpu = 0; vcpu < info->max_vcpus; vcpu++) {
        fprintf(f, "%d:", vcpu);
        print_map(info->vcpu_hard_affinity, info->num_vcpu_hard_affinity, vcpu,
                  f);
        print_map(info->vcpu_soft_affinity, info->num_vcpu_soft_affinity, vcpu,
                  f);
        fputc(';', f);
    }
    need(!fclose(f));
    return text;
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
    made->affinity = affinity_text(info);
    return populate_all(info) ? 0 : ERROR_FAIL;
}

const struct fake_next fake_next_list[] = {
    { "libxl_ctx_alloc", fake_next_ctx_alloc, true },
    { "libxl_domain_create_new", create_new, false },
    { "libxl_domain_need_memory", fake_host_need_memory, false },
    { "xc_domain_max_vcpus", fake_next_max_vcpus, false },
    { "xc_domain_populate_physmap", fake_host_populate, false },
    { "xs_write", fake_host_write, false },
    { NULL, NULL, false },
};

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

/* libvirt's driver puts cell i on node i. */
static void make_vnode(const struct config *from, unsigned i,
                       libxl_vnode_info *vnode)
{
    const struct cell *cell = &from->cells->list[i];
    unsigned j, vcpu;

    libxl_vnode_info_init(vnode);
    vnode->pnode = from->cells->listed ? xln_nodemap_next(cell->nodes, 0) : i;
    vnode->memkb = cell->bytes >> 10;
    vnode->num_distances = from->cells->nr;
    vnode->distances = calloc(from->cells->nr, sizeof(*vnode->distances));
    need(vnode->distances);
    for (j = 0; j < from->cells->nr; j++)
        vnode->distances[j] = cell->distances[j];
    libxl_cpu_bitmap_alloc(NULL, &vnode->vcpus, from->nr_vcpus);
    for (vcpu = 0; cell->vcpus && vcpu < from->nr_vcpus; vcpu++)
        if (xln_cpumap_test(cell->vcpus, vcpu))
            libxl_bitmap_set(&vnode->vcpus, vcpu);
}

static void make_vnodes(const struct config *from,
                        libxl_domain_build_info *info)
{
    unsigned i;

    if (!from->cells)
        return;
    info->num_vnuma_nodes = from->cells->nr;
    info->vnuma_nodes = calloc(from->cells->nr, sizeof(*info->vnuma_nodes));
    need(info->vnuma_nodes);
    for (i = 0; i < from->cells->nr; i++)
        make_vnode(from, i, &info->vnuma_nodes[i]);
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
    make_vnodes(from, info);
}

/* What the plan means for each vCPU. */
static void plan_affinity(libxl_ctx *ctx, const struct planned *d,
                          struct outcome *o)
{
    const struct decision *decision = d->decision;
    struct xln_affinity *affinity;
    libxl_domain_config config;

    if (xln_nodemap_is_empty(decision->plan->nodes))
        return;
    make_config(d->config, d->host, &config);
    need(!xln_affinity_new(ctx, decision->plan,
                           decision->request->vcpus_mode, &d->need,
                           &affinity));
    if (decision->vnuma)
        need(!xln_affinity_add_vnuma(ctx, decision->vnuma, &d->need,
                                     affinity));
    xln_affinity_swap(affinity, &config.b_info);
    o->affinity = affinity_text(&config.b_info);
    xln_affinity_swap(affinity, &config.b_info);
    xln_affinity_free(affinity);
    libxl_domain_config_dispose(&config);
}

void decide_pairs_create(libxl_ctx *ctx, const struct config *from,
                         const struct xln_host *host, struct outcome *o)
{
    libxl_domain_config config;
    uint32_t domid;
    int r;

    make_config(from, host, &config);
    r = libxl_domain_create_new(ctx, &config, &domid, NULL, NULL);
    o->status = r ? DECIDE_NOTHING_FITS : DECIDE_FITS;
    if (!r && fake_host_recorded())
        put(o->nodes, sizeof(o->nodes), fake_host_recorded(), "");
    if (!r)
        o->pool = fake_host_pool();
    if (r)
        *o->vnodes = '\0';
    libxl_domain_config_dispose(&config);
}

/* ---- the two ---- */

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
    return (tests->has_status ? plan->status == create->status
                              : !plan->status == !create->status) &&
           plan->pool == create->pool &&
           !strcmp(plan->words, create->words) && warns_alike(plan, create) &&
           (!has_choice || !strcmp(plan->nodes, create->nodes)) &&
           (!has_choice || !strcmp(plan->vnodes, create->vnodes)) &&
           (!has_choice || !plan->affinity || create->status ||
            !strcmp(plan->affinity, create->affinity));
}

static void show(const char *what, const struct outcome *o)
{
    printf("# %s: status %u, nodes '%s', pool %u, vnodes '%s'\n#   words '%s'\n"
           "#   warnings '%s'\n#   affinity %.2000s\n", what, o->status,
           o->nodes, o->pool, o->vnodes, o->words, o->warnings,
           o->affinity ? o->affinity : "-");
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
    struct attempt *attempts;   /* one for each pair */
};

static void plan_pair(struct host_test *t, const struct decide_pair *pair,
                      struct attempt *a)
{
    char *text = make_text(t->snapshot->host, pair->config);

    a->defaults = make_text(t->snapshot->host, pair->defaults);
    need(asprintf(&a->config, "%s%s%s", tests->before, text,
                  tests->after) >= 0 &&
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
    t->attempts = calloc(tests->nr, sizeof(*t->attempts));
    need(t->attempts);
    for (i = 0; i < tests->nr; i++)
        plan_pair(t, &tests->pairs[i], &t->attempts[i]);
    return t;
}

static void tell(const struct attempt *a, const struct outcome *created)
{
    printf("# %s# defaults: %s", a->config, a->defaults);
    show("plan", &a->planned);
    show("create", created);
    printf("# the host was read %u times, its defaults %u times\n",
           fake_host_nr_reads(), fake_host_nr_defaults());
}

static bool create_pair(libxl_ctx *ctx, const struct host_test *t,
                        struct attempt *a)
{
    const struct xln_host *host = t->snapshot->host;
    bool has_choice = xln_nodemap_count(xln_host_nodes(host)) > 1;
    struct outcome created = { 0 };
    bool good;

    fake_host_begin(t->snapshot, a->defaults);
    made = &created;
    tests->create(ctx, config_path(), a->config, a->d.config, host, &created);
    made = NULL;
    if (!a->planned.status && !a->d.guest.cells)
        plan_affinity(ctx, &a->d, &a->planned);
    good = is_same(&a->planned, &created, has_choice) &&
           fake_host_nr_reads() <= 1 && fake_host_nr_defaults() <= 1 &&
           (created.status || fake_host_nr_defaults());
    if (!good)
        tell(a, &created);
    free(a->planned.affinity);
    free(created.affinity);
    return good;
}

static void create_all(libxl_ctx *ctx, struct host_test *t)
{
    unsigned i, nr_wrong = 0;

    for (i = 0; i < tests->nr; i++) {
        nr_wrong += !create_pair(ctx, t, &t->attempts[i]);
        planned_dispose(&t->attempts[i].d);
        free(t->attempts[i].config);
        free(t->attempts[i].defaults);
    }
    ok(!nr_wrong, "%s: all of %u creates do what their plans say", t->name,
       tests->nr);
    planner_end(&t->planner);
    xln_snapshot_free(t->snapshot);
    free(t->attempts);
    free(t->name);
    free(t);
}

/* ---- all hosts ---- */

static struct host_test *hosts[128];
static unsigned nr_hosts;

static void add_host(const char *word, const char *name)
{
    need(nr_hosts < ARRAY_SIZE(hosts));
    hosts[nr_hosts] = plan_host(word, name);
    nr_hosts += hosts[nr_hosts] != NULL;
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
int decide_pairs_run(const struct decide_tests *given)
{
    const char *top = getenv("top_srcdir");
    char directory[256];
    libxl_ctx *ctx;
    unsigned i;

    tests = given;
    need(fault_calls_begin());
    snprintf(directory, sizeof(directory), "%s/tests/hosts", top ? top : ".");
    add_files(directory);
    /* More virtual nodes than a guest can have. */
    add_host("node:40(memory=4294967296) pu:2", "40 nodes");
    need(nr_hosts);
    fake_host_begin(hosts[0]->snapshot, "");
    need(!libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &logger));
    for (i = 0; i < nr_hosts; i++)
        create_all(ctx, hosts[i]);
    libxl_ctx_free(ctx);
    fault_calls_end();
    return tap_done();
}
