/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each command of xl-numa with each call failing in turn: it says so and ends
 * with 1, or does what it would have done; it gives back all that it took.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>
#include <expat.h>
#include <hwloc.h>
#include <hwloc/export.h>
#include <libsmartcols/libsmartcols.h>

#include "commands/cmd.h"
#include "fake-xen.h"
#include "fault-calls.h"
#include "tap.h"

#define MAX_WORDS 12
#define MAX_CALLS 20000
#define MAX_SHOWN 20

/* ---- calls that can fail ---- */

WRAP(int, libxl_ctx_alloc, (libxl_ctx **ctx, int version, unsigned flags,
     xentoollog_logger *lg), (ctx, version, flags, lg),
     (*ctx = NULL, ERROR_FAIL))
WRAP(int, libxl_domain_config_copy, (libxl_ctx *ctx, libxl_domain_config *to,
     const libxl_domain_config *from), (ctx, to, from), 0)
WRAP(int, libxl_domain_config_from_json, (libxl_ctx *ctx,
     libxl_domain_config *config, const char *text), (ctx, config, text),
     ERROR_FAIL)

WRAP(yajl_handle, yajl_alloc, (const yajl_callbacks *callbacks,
     yajl_alloc_funcs *functions, void *ctx), (callbacks, functions, ctx), NULL)
WRAP(unsigned char *, yajl_get_error, (yajl_handle handle, int verbose,
     const unsigned char *text, size_t length),
     (handle, verbose, text, length), NULL)
WRAP(yajl_gen, yajl_gen_alloc, (const yajl_alloc_funcs *functions),
     (functions), NULL)
WRAP(yajl_gen_status, yajl_gen_number, (yajl_gen g, const char *number,
     size_t length), (g, number, length), yajl_gen_in_error_state)
WRAP(yajl_gen_status, yajl_gen_string, (yajl_gen g, const unsigned char *text,
     size_t length), (g, text, length), yajl_gen_in_error_state)
WRAP(yajl_gen_status, yajl_gen_bool, (yajl_gen g, int truth), (g, truth),
     yajl_gen_in_error_state)
WRAP(yajl_gen_status, yajl_gen_null, (yajl_gen g), (g),
     yajl_gen_in_error_state)
WRAP(yajl_gen_status, yajl_gen_map_open, (yajl_gen g), (g),
     yajl_gen_in_error_state)
WRAP(yajl_gen_status, yajl_gen_map_close, (yajl_gen g), (g),
     yajl_gen_in_error_state)
WRAP(yajl_gen_status, yajl_gen_array_open, (yajl_gen g), (g),
     yajl_gen_in_error_state)
WRAP(yajl_gen_status, yajl_gen_array_close, (yajl_gen g), (g),
     yajl_gen_in_error_state)

/* It keeps what it has found. */
WRAP(char *, setlocale, (int category, const char *locale), (category, locale),
     NULL)

/* A second has gone by whenever somebody asks: nobody waits for it. The time of
 * day stands still, so that what a command prints of it is always the same; and
 * nothing costs CPU time. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_sigtimedwait(const sigset_t *signals, siginfo_t *info,
                        const struct timespec *timeout);

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    static time_t seconds;

    *t = (struct timespec){
        .tv_sec = clock == CLOCK_REALTIME ? 1795968245
                  : clock == CLOCK_MONOTONIC ? seconds++ : 0,
    };
    return 0;
}

int __wrap_sigtimedwait(const sigset_t *signals, siginfo_t *info,
                        const struct timespec *timeout)
{
    (void)signals;
    (void)info;
    (void)timeout;
    errno = EAGAIN;
    return -1;
}

/* expat's own memory runs out by itself. */
WRAP_OPEN(XML_Parser, XML_ParserCreate, (const XML_Char *encoding), (encoding),
          NULL)

WRAP(int, hwloc_topology_init, (hwloc_topology_t *t), (t), -1)
WRAP(int, hwloc_topology_export_xmlbuffer, (hwloc_topology_t t, char **xml,
     int *size, unsigned long flags), (t, xml, size, flags), -1)

WRAP(struct libscols_table *, scols_new_table, (void), (), NULL)
WRAP(struct libscols_column *, scols_table_new_column,
     (struct libscols_table *t, const char *name, double width, int flags),
     (t, name, width, flags), NULL)
WRAP(struct libscols_line *, scols_table_new_line,
     (struct libscols_table *t, struct libscols_line *parent), (t, parent),
     NULL)
WRAP(int, scols_line_set_data, (struct libscols_line *line, size_t n,
     const char *data), (line, n, data), -ENOMEM)
WRAP(int, scols_cell_set_color, (struct libscols_cell *cell, const char *name),
     (cell, name), -ENOMEM)
WRAP(int, scols_print_table, (struct libscols_table *t), (t), -ENOMEM)

int libxl_retrieve_domain_configuration(libxl_ctx *ctx, uint32_t domid,
                                        libxl_domain_config *config,
                                        const libxl_asyncop_how *ao_how)
{
    (void)ctx;
    (void)domid;
    (void)ao_how;
    if (fault(__func__))
        return ERROR_FAIL;
    fake_xen_config(config, LIBXL_DOMAIN_TYPE_PV);
    return 0;
}

/* ---- running a command ---- */

/* Symbols of this program, from the linker, for addr2line. */
extern const char __executable_start;

/* The main() of xl-numa; that of this program is below. */
int __real_main(int argc, char **argv);
int __wrap_main(void);

struct outcome {
    int code;
    char *out, *said;           /* what it printed, and on stderr */
    long nr_blocks;             /* that it did not give back */
    int nr_files;
    unsigned nr_open;
    void *where;                /* whose call failed */
};

/* stdout or stderr, while it is taken down. */
struct stream {
    int fd, saved, file;
};

static void need(bool good)
{
    if (good)
        return;
    fprintf(stderr, "Bail out! %s\n", strerror(errno));
    exit(1);
}

static struct stream divert(int fd)
{
    static int files[3];
    struct stream s = { .fd = fd };

    fflush(NULL);
    if (!files[fd])
        files[fd] = memfd_create("out", MFD_CLOEXEC);
    s.file = files[fd];
    s.saved = dup(fd);
    need(s.saved >= 0 && s.file >= 0 && !ftruncate(s.file, 0) &&
         !lseek(s.file, 0, SEEK_SET) && dup2(s.file, fd) == fd);
    return s;
}

static char *restore(struct stream *s)
{
    off_t size = lseek(s->file, 0, SEEK_END);
    char *text = malloc(size + 1);

    need(text && pread(s->file, text, size, 0) == size);
    text[size] = '\0';
    need(dup2(s->saved, s->fd) == s->fd);
    close(s->saved);
    return text;
}

static void outcome_free(struct outcome *o)
{
    free(o->out);
    free(o->said);
}

static unsigned cut(char *line, char **words)
{
    unsigned nr = 0;
    char *word, *rest;

    words[nr++] = strcpy(line, "xl-numa");
    for (word = strtok_r(line + strlen(line) + 1, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest))
        words[nr++] = word;
    words[nr] = NULL;
    return nr;
}

static const char *run(const char *command, unsigned nth, bool for_good,
                       struct outcome *o)
{
    char line[512], *words[MAX_WORDS];
    struct stream out = divert(STDOUT_FILENO), err = divert(STDERR_FILENO);
    const char *failed;
    unsigned nr;

    snprintf(line, sizeof(line), "xl-numa %s", command);
    nr = cut(line, words);
    fake_xen_begin();
    optind = 0;
    o->nr_files = faults_next_file();
    o->nr_blocks = faults_nr_blocks();
    (for_good ? faults_arm_memory : faults_arm)(nth);
    o->code = __real_main(nr, words);
    failed = faults_disarm(&o->where);
    o->nr_blocks = faults_nr_blocks() - o->nr_blocks;
    o->nr_files = faults_next_file() - o->nr_files;
    o->nr_open = fake_xen_nr_open();
    fflush(stdout);
    clearerr(stdout);
    o->said = restore(&err);
    o->out = restore(&out);
    return failed;
}

/* ---- what must hold ---- */

/* If libxl fails here, it has printed why. Then the names of domains or
 * cpupools, or the devices, are missing. */
static bool is_optional(const char *call)
{
    return !strcmp(call, "libxl_domid_to_name") ||
           !strcmp(call, "libxl_cpupoolid_to_name") ||
           !strcmp(call, "libxl_get_pci_topology");
}

/* NULL: it is as it has to be. */
static const char *find_fault(const struct outcome *o,
                              const struct outcome *good, const char *failed)
{
    if (o->nr_blocks)
        return "memory was not freed";
    if (o->nr_files)
        return "a file was left open";
    if (o->nr_open)
        return "Xen or xenstore was left open";
    if (o->code == good->code && !strcmp(o->out, good->out))
        return NULL;
    if (o->code == good->code && is_optional(failed))
        return NULL;
    /* One host of several: then the others are ranked. */
    if (strstr(o->said, ": left out\n"))
        return NULL;
    if (o->code == EXIT_SUCCESS)
        return "it printed something else, and ended well";
    if (o->code != EXIT_FAILURE)
        return "it ended with a status that is for something else";
    if (!*o->said)
        return "it said nothing";
    if (!strcmp(failed, "memory") && !strstr(o->said, strerror(ENOMEM)))
        return "it said nothing of memory";
    return NULL;
}

static unsigned try_all(const char *command, bool for_good,
                        const struct outcome *good, unsigned *nr_wrong)
{
    const char *failed, *fault;
    struct outcome o;
    unsigned nth;

    for (nth = faults_first(); nth < MAX_CALLS; nth += faults_step()) {
        failed = run(command, nth, for_good, &o);
        fault = failed ? find_fault(&o, good, failed) : NULL;
        if (fault && (*nr_wrong)++ < MAX_SHOWN)
            printf("# call %u%s, %s at %#tx: %s: %d\n%s", nth,
                   for_good ? " and all after it" : "", failed,
                   (char *)o.where - &__executable_start, fault, o.code,
                   o.said);
        outcome_free(&o);
        if (!failed)
            break;
    }
    return nth - 1;
}

/* The running host, for commands that read a saved one. */
static void save_host(void)
{
    struct outcome o;

    run("numa-snapshot", 0, false, &o);
    need(!o.code && fault_calls_file("saved.json", o.out));
    outcome_free(&o);
}

static void test(const char *command)
{
    struct outcome good;
    unsigned nr_wrong = 0, nr;

    /* Once for what libraries keep for good. */
    run(command, 0, false, &good);
    outcome_free(&good);
    run(command, 0, false, &good);
    if (!ok(!good.code && !find_fault(&good, &good, NULL), "xl %s", command))
        printf("# status %d: %s\n", good.code, good.said);
    nr = try_all(command, false, &good, &nr_wrong);
    ok(!nr_wrong && nr > 3,
       "a command survives the failure of each of its %u calls", nr);
    nr_wrong = 0;
    nr = try_all(command, true, &good, &nr_wrong);
    ok(!nr_wrong, "a command survives that memory runs out, at %u points", nr);
    outcome_free(&good);
}

/* ---- the commands ---- */

static void link_to_tests(const char *name)
{
    const char *source = getenv("top_srcdir");
    char path[512], *whole;

    snprintf(path, sizeof(path), "%s/tests/%s", source ? source : ".", name);
    whole = realpath(path, NULL);
    snprintf(path, sizeof(path), "%s/%s", fault_calls_directory(),
             strrchr(name, '/') + 1);
    need(whole && !symlink(whole, path));
    free(whole);
}

static void make_files(void)
{
    need(fault_calls_begin());
    link_to_tests("unit/four-nodes.json");
    link_to_tests("hosts/hwloc/snc2.xml");
    link_to_tests("hosts/libvirt/capabilities.xml");
    need(fault_calls_file("xl.conf", "vm.cpumask = \"0-6\"\n") &&
         fault_calls_file("xl-numa.conf", "dma_reserve = 32\n") &&
         fault_calls_file("db.cfg", "name = \"db\"\nmemory = 300\nvcpus = 2\n"
                          "nodes_with = \"web\"\n") &&
         fault_calls_file("wide.cfg", "name = \"wide\"\nmemory = 1200\n"
                          "vcpus = 4\ncpus = \"0-5\"\n") &&
         fault_calls_file("parts.cfg", "name = \"p\"\nmemory = 300\n"
                          "nodes_mem = \"0:75%,1:25%\"\n") &&
         fault_calls_file("vnuma.cfg", "name = \"v\"\ntype = \"hvm\"\n"
                          "memory = 1200\nvcpus = 4\nvnuma = \"auto\"\n") &&
         fault_calls_file("own.cfg", "name = \"o\"\ntype = \"hvm\"\n"
                          "vnuma = [[\"pnode=1\",\"size=64\","
                          "\"vcpus=0\"]]\n") &&
         fault_calls_file("cells.xml", "<domain type='xen'><name>c</name>"
                          "<memory>65536</memory><os><type>hvm</type></os>"
                          "<cpu><numa><cell cpus='0' memory='65536'>"
                          "<distances><sibling id='0' value='10'/></distances>"
                          "</cell></numa></cpu><numatune><memnode cellid='0' "
                          "nodeset='2'/></numatune></domain>\n") &&
         fault_calls_file("plan.json", "{ \"version\": 1, \"words\": [],\n"
                          "\"plans\": [ { \"name\": \"db\", \"config\": "
                          "\"db.cfg\", \"verdict\": \"fits\",\n"
                          "\"nodes\": [ 1 ], \"relaxed\": [] } ] }\n") &&
         fault_calls_file("trace.csv", "time,name,vcpus,mib,lifetime\n"
                          "0,a,2,600,10\n1,b,2,900,\n2,c,1,300,3\n") &&
         !chdir(fault_calls_directory()));
}


static const char *const lines[] = {
    "numa-info",
    "numa-info --json",
    "numa-stat",
    "numa-stat --pages --json",
    "numa-stat -w 60 -H --sort=-TOTAL --color=always --host=saved.json",
    "numa-snapshot",
    "vcpu-list",
    "info -n",
    "node-affinity web",
    "node-affinity --cpus=soft --keep web 1-2",
    "node-affinity --json web",
    "vcpu-pin --keep web all 2-3 2",
    "vcpu-pin --json web all 2-3 2",
    "-N numa-move web 3",
    "numa-move --advise",
    "numa-move --advise --json",
    "-N numa-move --advise --apply",
    "-N numa-move --advise --apply --max-copy=9 db.cfg",
    "numa-stat --samples=2",
    "numa-stat --host=saved.json web",
    "numa-stat --openmetrics",
    "numa-stat --host=saved.json --openmetrics=metrics.prom web",
    "numa-stat --host=saved.json --alarm=99",
    "numa-snapshot --pages",
    "numa-map",
    "numa-map --host=saved.json -o map.svg",
    "numa-top --batch --count=2 --delay=0.1",
    "numa-top --batch --count=1 --pages",
    "numa-top --batch --host=saved.json",
    "numa-info --host=four-nodes.json",
    "numa-info --host=snc2.xml",
    "numa-info --host=capabilities.xml",
    "numa-info --nodeinfo",
    "numa-info --free --all",
    "numa-info --xml --host=four-nodes.json",
    "numa-snapshot --hwloc --host=four-nodes.json",
    "numa-snapshot --host=four-nodes.json",
    "numa-plan --host=four-nodes.json wide.cfg",
    "numa-plan --host=four-nodes.json --json db.cfg wide.cfg",
    "numa-plan --host=four-nodes.json --count db.cfg",
    "numa-plan --host=four-nodes.json parts.cfg",
    "numa-plan db.cfg",
    "numa-plan --host=saved.json db.cfg",
    "numa-plan --host=four-nodes.json vnuma.cfg",
    "numa-plan --json --host=four-nodes.json own.cfg",
    "numa-plan --host=four-nodes.json cells.xml",
    "numa-plan --emit --host=four-nodes.json wide.cfg",
    "numa-plan --emit=libvirt --host=four-nodes.json vnuma.cfg",
    "numa-plan --optimise --host=four-nodes.json db.cfg wide.cfg",
    "numa-plan --host=four-nodes.json --host=saved.json db.cfg wide.cfg",
    "numa-plan --json --host=saved.json --host=snc2.xml db.cfg",
    "-N create --plan plan.json",
    "vcpu-list --host=saved.json",
    "numa-move --advise --host=saved.json",
    "numa-move --advise --host=saved.json db.cfg",
    "info -n --host=four-nodes.json --json",
    "numa-simulate -o POLICY --host=four-nodes.json --plot=p.svg trace.csv",
};

int __wrap_main(void)
{
    unsigned i;

    make_files();
    save_host();
    for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        test(lines[i]);
    fault_calls_end();
    return tap_done();
}
