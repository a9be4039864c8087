/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl node-affinity changes all or nothing: on a hypervisor that fails the Nth
 * call. What is defined here stands in for libxenctrl's and for xl-numa's.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "commands/guest_json.h"
#include "tap.h"

#define NR_VCPUS 3
#define NR_CPUS 8
#define ALL_CPUS 0xff
#define OPT_CPUS (OPT_OWN + 0)
#define OPT_KEEP (OPT_OWN + 1)

extern const struct cmd cmd_node_affinity;

/* ---- a hypervisor of two nodes of four CPUs ---- */

struct state {
    unsigned hard[NR_VCPUS], soft[NR_VCPUS];
    uint64_t nodes;
};

static const struct state at_first = {
    { ALL_CPUS, ALL_CPUS, 0x0f }, { 0x0f, 0x03, 0x0f }, 1
};
static struct state xen;
static int calls_left, failure = EBUSY;
static bool stays_broken;

/* Counts the calls; from 0 on they fail, once or for good. */
static bool fails(void)
{
    bool now = stays_broken ? calls_left <= 0 : calls_left == 0;

    calls_left--;
    errno = failure;
    return now;
}

int xc_get_cpumap_size(xc_interface *xch)
{
    (void)xch;
    return NR_CPUS / 8;
}

xc_cpumap_t xc_cpumap_alloc(xc_interface *xch)
{
    (void)xch;
    return calloc(1, NR_CPUS / 8);
}

int xc_get_nodemap_size(xc_interface *xch)
{
    (void)xch;
    return sizeof(xen.nodes);
}

xc_nodemap_t xc_nodemap_alloc(xc_interface *xch)
{
    (void)xch;
    return calloc(1, sizeof(xen.nodes));
}

int xc_vcpu_setaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t hard, xc_cpumap_t soft, uint32_t flags)
{
    (void)xch;
    (void)domid;
    if (fails())
        return -1;
    if (flags & XEN_VCPUAFFINITY_HARD)
        xen.hard[vcpu] = *hard;
    if (flags & XEN_VCPUAFFINITY_SOFT)
        xen.soft[vcpu] = *soft;
    return 0;
}

int xc_domain_node_setaffinity(xc_interface *xch, uint32_t domid,
                               xc_nodemap_t nodes)
{
    (void)xch;
    (void)domid;
    if (fails())
        return -1;
    memcpy(&xen.nodes, nodes, sizeof(xen.nodes));
    return 0;
}

/* ---- the domain, as xl-numa reads it ---- */

static struct xln_host *host;
static struct xln_cpumap *pool_cpus;
static struct xln_domain domain;

static struct xln_cpumap *cpus_of(unsigned bits)
{
    struct xln_cpumap *cpus;
    unsigned cpu;

    if (xln_cpumap_new(NR_CPUS, &cpus))
        abort();
    for (cpu = 0; cpu < NR_CPUS; cpu++)
        if (bits & (1u << cpu))
            xln_cpumap_set(cpus, cpu);
    return cpus;
}

static void make_host(void)
{
    unsigned cpu, node;

    if (xln__host_new(NR_CPUS, 2, 0, &host))
        abort();
    for (node = 0; node < 2; node++) {
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = UINT64_C(1) << 30;
    }
    for (cpu = 0; cpu < NR_CPUS; cpu++) {
        host->cpu_exists[cpu] = host->cpus[cpu].online = true;
        host->cpus[cpu].node = cpu / 4;
    }
    if (xln__host_finish(host))
        abort();
    pool_cpus = cpus_of(ALL_CPUS);
}

bool guest_open(struct cmd_line *line, const char *word, struct guest *guest)
{
    static struct xln_vcpu vcpus[NR_VCPUS];
    unsigned i;

    (void)line;
    (void)word;
    memset(guest, 0, sizeof(*guest));
    for (i = 0; i < NR_VCPUS; i++) {
        vcpus[i].exists = true;
        vcpus[i].hard = cpus_of(xen.hard[i]);
        vcpus[i].soft = cpus_of(xen.soft[i]);
    }
    domain.nr_vcpus = NR_VCPUS;
    domain.vcpus = vcpus;
    if (xln_nodemap_copy(host->exists, &domain.nodes))
        abort();
    guest->name = strdup("g");
    guest->host = host;
    guest->domain = &domain;
    guest->pool_cpus = pool_cpus;
    return true;
}

void guest_close(struct guest *guest)
{
    unsigned i;

    for (i = 0; i < NR_VCPUS; i++) {
        xln_cpumap_free(domain.vcpus[i].hard);
        xln_cpumap_free(domain.vcpus[i].soft);
    }
    xln_nodemap_free(domain.nodes);
    free(guest->name);
}

int guest_refresh(const struct cmd_line *line, struct guest *guest)
{
    (void)line;
    (void)guest;
    return 0;
}

uint64_t guest_bytes_outside(const struct guest *guest,
                             const struct xln_nodemap *nodes)
{
    (void)guest;
    (void)nodes;
    return 0;
}

void guest_print_bytes(const struct guest *guest,
                       const struct xln_nodemap *nodes, FILE *f)
{
    (void)guest;
    (void)nodes;
    (void)f;
}

int guest_print_json(const struct cmd_line *line, const struct guest *guest,
                     const struct guest_moved *moved)
{
    (void)line;
    (void)guest;
    (void)moved;
    return EXIT_FAILURE;
}

int guest_check_json(const struct cmd_line *line)
{
    (void)line;
    return EXIT_SUCCESS;
}

void guest_warn_remote(const struct guest *guest)
{
    (void)guest;
}

const char *guest_reason(int rc)
{
    return strerror(-rc);
}

/* ---- what is kept: the last that was noted ---- */

static char kept_nodes[16];
static unsigned nr_kept_hard, nr_kept_soft;

bool guest_can_keep(const struct cmd_line *line, const struct guest *guest)
{
    (void)line;
    (void)guest;
    return true;
}

bool guest_keep(const struct cmd_line *line, const struct guest *guest,
                guest_note_fn *note, const void *what)
{
    struct keep *keep = calloc(1, sizeof(*keep));

    (void)line;
    if (!keep || note(keep, guest, what))
        abort();
    snprintf(kept_nodes, sizeof(kept_nodes), "%s", keep->nodes);
    keep_free(keep);
    return true;
}

int guest_note_vcpu(struct keep *keep, unsigned vcpu,
                    const struct xln_cpumap *hard,
                    const struct xln_cpumap *soft)
{
    (void)keep;
    (void)vcpu;
    nr_kept_hard += hard != NULL;
    nr_kept_soft += soft != NULL;
    return 0;
}

bool cmd_open_xen(struct cmd_line *line)
{
    (void)line;
    return true;
}

static char said[512];

void complain(const char *fmt, ...)
{
    size_t n = strlen(said);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(said + n, sizeof(said) - n, fmt, ap);
    va_end(ap);
    n = strlen(said);
    snprintf(said + n, sizeof(said) - n, "\n");
}

int cmd_usage(const struct cmd_line *line, const char *fmt, ...)
{
    (void)line;
    (void)fmt;
    return EXIT_USAGE;
}

const char *cmd_value(const struct cmd_line *line, int code)
{
    return code == OPT_CPUS   ? line->values[0]
           : code == OPT_KEEP ? line->values[1]
                              : NULL;
}

/* ---- the tests ---- */

static const char *keeping;

/* Xen fails call number `failing`, from 0; `broken`: and all after it. */
static int run(const char *mode, const char *nodes, int failing, bool broken)
{
    char domid[] = "1", text[16];
    char *args[] = { domid, text };
    struct cmd_line line = { .cmd = &cmd_node_affinity, .args = args };

    snprintf(text, sizeof(text), "%s", nodes);
    line.nr_args = 2;
    line.values[0] = mode;
    line.values[1] = keeping;
    kept_nodes[0] = '\0';
    nr_kept_hard = nr_kept_soft = 0;
    xen = at_first;
    said[0] = '\0';
    calls_left = failing;
    stays_broken = broken;
    return cmd_node_affinity.run(&line);
}

static bool nothing_changed(void)
{
    return !memcmp(&xen, &at_first, sizeof(xen));
}

static void test_failures(const char *mode)
{
    int failing;

    for (failing = 0; failing <= NR_VCPUS; failing++) {
        ok(run(mode, "0", failing, false) == EXIT_FAILURE,
           "with --cpus=%s, if call %d fails, the status is 1", mode, failing);
        ok(nothing_changed(), "nothing has changed after the failure");
        ok(strstr(said, "'g' is unchanged\n"),
           "a line says that the domain is unchanged");
    }
    ok(run(mode, "0", failing, false) == EXIT_SUCCESS,
       "with --cpus=%s, if no call fails, the status is 0", mode);
    ok(xen.nodes == 1, "the nodes are set");
}

static void test_broken(void)
{
    ok(run("soft", "0", 2, true) == EXIT_FAILURE,
       "if call 2 and all that follow fail, the status is 1");
    ok(strstr(said, "cannot put back the affinity"),
       "a line says that the affinity cannot be restored");
    ok(!strstr(said, "nothing of 'g'"),
       "no line says that nothing was changed");
}

static void test_gone(void)
{
    failure = ESRCH;
    ok(run("soft", "0", 2, true) == EXIT_FAILURE,
       "if the domain ends meanwhile, the status is 1");
    is_str(said, "cannot move vCPU 2 of 'g': No such process\n",
           "one line reports that the domain has ended");
    ok(run(NULL, "0", 0, true) == EXIT_FAILURE,
       "if the domain ends before its nodes are set, the status is 1");
    is_str(said, "cannot set the node affinity of 'g': No such process\n",
           "one line reports that its nodes cannot be set");
    failure = EBUSY;
}

static void test_kinds(void)
{
    run("hard", "0-1,^0", -1, false);
    ok(xen.hard[0] == 0xf0 && xen.hard[1] == 0xf0 && xen.hard[2] == 0xf0,
       "--cpus=hard binds every vCPU to the CPUs of node 1");
    ok(xen.soft[1] == at_first.soft[1], "--cpus=hard leaves the soft affinity");
    ok(xen.nodes == 2, "the node affinity is node 1");
    run("none", "1", -1, false);
    ok(!memcmp(xen.hard, at_first.hard, sizeof(xen.hard)) && xen.nodes == 2,
       "--cpus=none leaves the vCPUs");
    run(NULL, "auto", -1, false);
    ok(xen.nodes == UINT64_MAX, "auto sets every node that Xen can name");
    ok(run("soft", "1", -1, false) == EXIT_FAILURE && nothing_changed(),
       "--cpus=soft is refused if a vCPU is bound elsewhere");
    ok(strstr(said, "vCPU 2 of 'g' is bound to CPUs 0-3"),
       "the error names the vCPU that is bound elsewhere");
}

static void test_keep(void)
{
    run("soft", "0", -1, false);
    ok(!*kept_nodes && !nr_kept_soft, "without --keep nothing is kept");
    keeping = "";
    run("hard", "0-1,^0", -1, false);
    is_str(kept_nodes, "1", "--keep keeps the nodes");
    ok(nr_kept_hard == NR_VCPUS && !nr_kept_soft,
       "--keep keeps where the vCPUs may run");
    run("soft", "0", -1, false);
    ok(!nr_kept_hard && nr_kept_soft == NR_VCPUS,
       "--keep keeps where the vCPUs prefer to run");
    run(NULL, "auto", -1, false);
    is_str(kept_nodes, "auto", "--keep keeps auto as auto");
    ok(!nr_kept_hard && !nr_kept_soft,
       "--keep with auto keeps nothing of the vCPUs");
    ok(run("soft", "0", 1, false) == EXIT_FAILURE && !*kept_nodes,
       "a change that fails is not kept");
    keeping = NULL;
}

int main(void)
{
    make_host();
    test_failures("soft");
    test_failures("hard");
    test_broken();
    test_gone();
    test_kinds();
    test_keep();
    xln_cpumap_free(pool_cpus);
    xln_host_free(host);
    return tap_done();
}
