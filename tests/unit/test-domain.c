/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains as a hypervisor made of tables tells of them. */
#include <errno.h>
#include <stdlib.h>

#include "fake-alloc.h"
#include "host.h"
#include "reservation.h"
#include "sets.h"
#include "tap.h"

#define MAX_CPUS 128
#define MAX_NODES 64
#define MAX_DOMAINS 320
#define FAILED EFAULT
#define NEVER UINT_MAX

/* ---- the hypervisor ---- */

struct domain {
    uint32_t domid;
    bool dying, is_hvm;
    unsigned nr_vcpus;
    uint64_t missing;           /* vCPU numbers below nr_vcpus, as bits */
    unsigned offline;           /* vCPUs from this number up */
    unsigned gone_at;           /* the call from which on it isn't there */
    uint8_t hard[MAX_CPUS / 8], soft[MAX_CPUS / 8];
};

static struct {
    struct domain domains[MAX_DOMAINS];     /* by domid */
    unsigned nr_domains;
    unsigned nr_calls, nr_lists, fail_at;
    const char *failed;         /* the name of the call that did */
} xen;

static bool fails(const char *name)
{
    if (++xen.nr_calls != xen.fail_at)
        return false;
    xen.failed = name;
    errno = FAILED;
    return true;
}

static struct domain *find(uint32_t domid)
{
    unsigned i;

    for (i = 0; i < xen.nr_domains; i++)
        if (xen.domains[i].domid == domid &&
            xen.nr_calls < xen.domains[i].gone_at)
            return &xen.domains[i];
    errno = ESRCH;
    return NULL;
}

/* As Xen: EINVAL beyond the last vCPU, ESRCH where there is none. */
static struct domain *find_vcpu(uint32_t domid, uint32_t vcpu)
{
    struct domain *d = find(domid);

    if (!d)
        return NULL;
    if (vcpu < d->nr_vcpus && !(d->missing >> vcpu & 1))
        return d;
    errno = vcpu < d->nr_vcpus ? ESRCH : EINVAL;
    return NULL;
}

/* These stand in for libxenctrl's. */

int xc_get_max_cpus(xc_interface *xch)
{
    (void)xch;
    return fails(__func__) ? -1 : MAX_CPUS;
}

int xc_get_max_nodes(xc_interface *xch)
{
    (void)xch;
    return fails(__func__) ? -1 : MAX_NODES;
}

xc_cpumap_t xc_cpumap_alloc(xc_interface *xch)
{
    (void)xch;
    return calloc(1, MAX_CPUS / 8);
}

xc_nodemap_t xc_nodemap_alloc(xc_interface *xch)
{
    (void)xch;
    return calloc(1, MAX_NODES / 8);
}

static void tell(xc_domaininfo_t *info, const struct domain *d)
{
    memset(info, 0, sizeof(*info));
    info->domain = d->domid;
    info->flags = (d->dying ? XEN_DOMINF_dying : 0) |
                  (d->is_hvm ? XEN_DOMINF_hvm_guest : 0);
    info->tot_pages = 1000 + d->domid;
    info->outstanding_pages = 7;
    info->cpupool = 5;
    info->max_vcpu_id = d->nr_vcpus - 1;
    memset(info->handle, 0xa0, sizeof(info->handle));
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain,
                          unsigned int max_domains, xc_domaininfo_t *info)
{
    unsigned i, nr = 0;

    (void)xch;
    if (fails(__func__))
        return -1;
    xen.nr_lists++;
    for (i = 0; i < xen.nr_domains && nr < max_domains; i++)
        if (xen.domains[i].domid >= first_domain &&
            xen.nr_calls < xen.domains[i].gone_at)
            tell(&info[nr++], &xen.domains[i]);
    return nr;
}

int xc_domain_node_getaffinity(xc_interface *xch, uint32_t domid,
                               xc_nodemap_t nodemap)
{
    (void)xch;
    if (fails(__func__) || !find(domid))
        return -1;
    nodemap[0] = 1u << domid % 8;
    nodemap[MAX_NODES / 8 - 1] = 0x80;
    return 0;
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu,
                    xc_vcpuinfo_t *info)
{
    const struct domain *d;

    (void)xch;
    if (fails(__func__))
        return -1;
    d = find_vcpu(domid, vcpu);
    if (!d)
        return -1;
    memset(info, 0, sizeof(*info));
    info->online = vcpu < d->offline;
    info->blocked = vcpu % 2;
    info->running = info->online && !info->blocked;
    info->cpu = 100 + vcpu;
    info->cpu_time = UINT64_C(5000000000) * (vcpu + 1);
    return 0;
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t cpumap_hard_inout,
                        xc_cpumap_t cpumap_soft_inout, uint32_t flags)
{
    const struct domain *d;

    (void)xch;
    if (fails(__func__))
        return -1;
    d = find_vcpu(domid, vcpu);
    if (!d)
        return -1;
    if (flags != (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(cpumap_hard_inout, d->hard, sizeof(d->hard));
    memcpy(cpumap_soft_inout, d->soft, sizeof(d->soft));
    return 0;
}

/* ---- hosts ---- */

static void set_bits(uint8_t *map, unsigned first, unsigned last)
{
    for (; first <= last; first++)
        map[first / 8] |= 1u << first % 8;
}

static struct domain *add(uint32_t domid, unsigned nr_vcpus)
{
    struct domain *d = &xen.domains[xen.nr_domains++];

    *d = (struct domain){ .domid = domid, .nr_vcpus = nr_vcpus,
                          .offline = NEVER, .gone_at = NEVER };
    set_bits(d->hard, 0, MAX_CPUS - 1);
    set_bits(d->soft, 64, 70);
    return d;
}

/* Domain 0 with two vCPUs, and guests 3 and 4 with one and three. */
static struct domain *three_domains(void)
{
    memset(&xen, 0, sizeof(xen));
    add(0, 2);
    add(3, 1);
    return add(4, 3);
}

/* NULL and *rc_r if they can't be read. */
static struct xln_domains *try_read(uint32_t domid, int *rc_r)
{
    struct xln_domains *domains = NULL;

    *rc_r = xln_domains_read(NULL, domid, &domains);
    return domains;
}

static struct xln_domains *read_all(void)
{
    int rc;
    struct xln_domains *domains = try_read(XLN_NONE, &rc);

    must(rc);
    return domains;
}

static bool domids_are(const struct xln_domains *domains, const char *expected)
{
    char text[256] = "";
    unsigned i;
    int n = 0;

    for (i = 0; i < domains->nr; i++)
        n += snprintf(text + n, sizeof(text) - n, "%s%u", i ? " " : "",
                      domains->list[i].domid);
    if (strcmp(text, expected))
        printf("# %s, expected %s\n", text, expected);
    return !strcmp(text, expected);
}

static void test_plain(void)
{
    struct xln_domains *domains;
    const struct xln_domain *d;

    three_domains()->is_hvm = true;
    domains = read_all();
    ok(domids_are(domains, "0 3 4"), "all domains, in the order of their ids");
    d = &domains->list[2];
    ok(d->memory_bytes == 1004 * 4096 && d->claimed_bytes == 7 * 4096 &&
           d->pool_id == 5 && d->uuid[15] == 0xa0,
       "a domain's memory, its claim, its pool and its uuid");
    ok(!d->is_pv && domains->list[1].is_pv && !d->dying, "PV or not");
    ok(nodes_are(d->nodes, "4,63"), "its node affinity");
    ok(d->nr_vcpus == 3 && d->vcpus[1].exists && d->vcpus[1].online &&
           d->vcpus[1].blocked && !d->vcpus[1].running &&
           d->vcpus[2].running && d->vcpus[2].cpu == 102 &&
           d->vcpus[2].time_ns == UINT64_C(15000000000),
       "its vCPUs, and CPUs beyond 64");
    ok(cpus_are(d->vcpus[0].hard, "0-127") &&
           cpus_are(d->vcpus[0].soft, "64-70"), "their affinities");
    xln_domains_free(domains);
    xln_domains_free(NULL);
}

static void test_one(void)
{
    struct xln_domains *domains;
    int rc;

    three_domains();
    domains = try_read(3, &rc);
    ok(!rc && domids_are(domains, "3"), "one domain alone");
    xln_domains_free(domains);
    domains = try_read(2, &rc);
    ok(rc == -ESRCH && !domains, "one that is not there, others are");
    domains = try_read(5, &rc);
    ok(rc == -ESRCH && !domains, "one beyond the last");
}

static void test_many(void)
{
    struct xln_domains *domains;
    unsigned i, nr_wrong = 0;

    memset(&xen, 0, sizeof(xen));
    for (i = 0; i < 300; i++)
        add(2 * i, 1 + i % 4);
    domains = read_all();
    ok(domains->nr == 300 && xen.nr_lists >= 2,
       "300 domains, more than one call tells of");
    for (i = 0; i < domains->nr; i++)
        nr_wrong += domains->list[i].domid != 2 * i ||
                    domains->list[i].nr_vcpus != 1 + i % 4 ||
                    !domains->list[i].vcpus[i % 4].exists;
    ok(!nr_wrong, "each once, with its vCPUs");
    xln_domains_free(domains);
}

/* ---- vCPUs that are not there ---- */

static bool is_nothing(const struct xln_vcpu *v)
{
    return !v->exists && !v->online && !v->blocked && !v->running &&
           !v->cpu && !v->time_ns && !v->hard && !v->soft;
}

static void test_odd_vcpus(void)
{
    struct xln_domains *domains;
    struct domain *d = three_domains();

    d->missing = 2;
    d->offline = 2;
    domains = read_all();
    ok(domids_are(domains, "0 3 4") && domains->list[2].nr_vcpus == 3 &&
           is_nothing(&domains->list[2].vcpus[1]),
       "a number that no vCPU has yet");
    ok(domains->list[2].vcpus[0].online && domains->list[2].vcpus[2].exists &&
           !domains->list[2].vcpus[2].online &&
           cpus_are(domains->list[2].vcpus[2].soft, "64-70"),
       "an offline vCPU has its affinities");
    xln_domains_free(domains);

    three_domains()->nr_vcpus = 0;
    domains = read_all();
    ok(domids_are(domains, "0 3 4") && domains->list[2].nr_vcpus == 0,
       "a domain without vCPUs");
    xln_domains_free(domains);
}

static void test_dying(void)
{
    struct xln_domains *domains;
    int rc;

    three_domains()->dying = true;
    domains = read_all();
    ok(domids_are(domains, "0 3 4") && domains->list[2].dying &&
           !domains->list[2].nodes && !domains->list[2].vcpus,
       "a dying domain is there, without nodes and vCPUs");
    ok(domains->list[2].memory_bytes == 1004 * 4096,
       "and with the memory that it has left");
    xln_domains_free(domains);
    domains = try_read(4, &rc);
    ok(!rc && domains->list[0].dying, "so it is when asked for alone");
    xln_domains_free(domains);
}

/* At any call after the one that told of it. */
static void test_disappears(void)
{
    struct xln_domains *domains;
    unsigned nth, nr_calls, nr_wrong = 0;
    int rc;

    three_domains();
    xln_domains_free(read_all());
    nr_calls = xen.nr_calls;
    for (nth = 1; nth <= nr_calls; nth++) {
        three_domains();
        xen.domains[1].gone_at = nth;
        domains = read_all();
        /* It may also go after the last look at it. */
        if (domains->nr == 2 ? !domids_are(domains, "0 4")
                             : domains->nr != 3 ||
                                   !domains->list[1].vcpus[0].exists) {
            printf("# gone at call %u\n", nth);
            nr_wrong++;
        }
        xln_domains_free(domains);
    }
    ok(!nr_wrong && nr_calls > 12,
       "a domain that goes away meanwhile is left out, the others are there");

    for (nth = 1, nr_wrong = 0; nth <= 9; nth++) {
        three_domains()->gone_at = nth;
        domains = try_read(4, &rc);
        if (rc != -ESRCH || domains) {
            printf("# gone at call %u: %s\n", nth, strerror(-rc));
            nr_wrong++;
        }
        xln_domains_free(domains);
    }
    ok(!nr_wrong, "if it was asked for alone: no such domain");
}

/* ---- what fails ---- */

static void test_failing_calls(void)
{
    struct xln_domains *domains;
    unsigned nth;
    int rc;

    for (nth = 1; nth < 60; nth++) {
        three_domains()->missing = 2;
        xen.fail_at = nth;
        domains = try_read(XLN_NONE, &rc);
        if (!xen.failed)
            break;
        ok(rc == -FAILED && !domains, "call %u, %s: its errno", nth,
           xen.failed);
        xln_domains_free(domains);
    }
    ok(!xen.failed && !rc && domids_are(domains, "0 3 4") && nth > 15,
       "then they are read");
    xln_domains_free(domains);
}

static void test_no_memory(void)
{
    struct xln_domains *domains;
    unsigned nth, nr_wrong = 0;
    int rc = -1;

    for (nth = 1; rc && nth < 200; nth++) {
        three_domains();
        fake_alloc_fail(nth);
        domains = try_read(XLN_NONE, &rc);
        fake_alloc_fail(0);
        nr_wrong += rc && (rc != -ENOMEM || domains);
        if (rc && rc != -ENOMEM)
            printf("# allocation %u: %s\n", nth, strerror(-rc));
        xln_domains_free(domains);
    }
    ok(!nr_wrong && nth > 30 && nth < 200, "no memory is -ENOMEM");
}

/* ---- the CPUs of a domain ---- */

static struct xln_cpumap *some_cpus(const char *text)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(MAX_CPUS, &cpus));
    must(xln_cpumap_parse(text, NULL, 0, cpus, NULL));
    return cpus;
}

/* Each vCPU has two texts, its hard and its soft affinity. */
static void has_cpus(const char *const (*vcpus)[2], unsigned nr_vcpus,
                     const char *pool, const char *hard, const char *soft,
                     const char *what)
{
    struct xln_cpumap *pool_cpus = some_cpus(pool), *cpus = NULL;
    struct xln_domain d = { .nr_vcpus = nr_vcpus };
    struct xln_vcpu list[4] = { 0 };
    unsigned i;

    d.vcpus = list;
    for (i = 0; i < nr_vcpus; i++) {
        list[i].exists = vcpus[i][0];
        list[i].hard = list[i].exists ? some_cpus(vcpus[i][0]) : NULL;
        list[i].soft = list[i].exists ? some_cpus(vcpus[i][1]) : NULL;
    }
    must(xln_domain_cpus(&d, pool_cpus, false, &cpus));
    ok(cpus_are(cpus, hard), "%s: where it may run", what);
    xln_cpumap_free(cpus);
    must(xln_domain_cpus(&d, pool_cpus, true, &cpus));
    ok(cpus_are(cpus, soft), "%s: where it would best run", what);
    xln_cpumap_free(cpus);
    for (i = 0; i < nr_vcpus; i++) {
        xln_cpumap_free(list[i].hard);
        xln_cpumap_free(list[i].soft);
    }
    xln_cpumap_free(pool_cpus);
}

static void test_cpus(void)
{
    static const char *const plain[][2] = { { "0-127", "0-127" },
                                            { "0-127", "64-67" } };
    static const char *const two[][2] = { { "0-3", "2" }, { NULL, NULL },
                                          { "100-103", "101-110" } };

    has_cpus(plain, 1, "0-127", "0-127", "0-127", "bound to nothing");
    has_cpus(plain + 1, 1, "0-127", "0-127", "64-67", "soft alone");
    has_cpus(plain + 1, 1, "60-65", "60-65", "64-65", "within the pool");
    has_cpus(plain + 1, 1, "0-9", "0-9", "0-9",
             "a soft affinity with nothing of the pool counts for nothing");
    has_cpus(two, 3, "0-127", "0-3,100-103", "2,101-103",
             "two vCPUs and a number without one");
    has_cpus(two, 3, "0-1,103-127", "0-1,103", "0-1,103",
             "two vCPUs, each with its own part of the pool");
    has_cpus(two, 0, "0-127", "", "", "no vCPU");
}

static void test_cpus_no_memory(void)
{
    static const uint8_t none[MAX_CPUS / 8];
    struct xln_cpumap *pool = some_cpus("0-127"), *cpus = NULL;
    struct xln_domains *domains;
    unsigned nth, nr_wrong = 0;
    int rc = -1;

    memcpy(three_domains()->soft, none, sizeof(none));
    domains = read_all();
    for (nth = 1; rc && nth < 20; nth++) {
        fake_alloc_fail(nth);
        rc = xln_domain_cpus(&domains->list[2], pool, true, &cpus);
        fake_alloc_fail(0);
        nr_wrong += rc && (rc != -ENOMEM || cpus);
    }
    ok(!nr_wrong && nth > 4 && nth < 20 && cpus_are(cpus, "0-127"),
       "no memory is -ENOMEM here too");
    xln_cpumap_free(cpus);
    xln_cpumap_free(pool);
    xln_domains_free(domains);
}

/* ---- load ---- */

/* Two nodes of 64 CPUs each, all in pool 5. */
static struct xln_host *two_nodes(void)
{
    struct xln_cpumap *all;
    struct xln_host *host;
    unsigned cpu, node;

    must(xln__host_new(MAX_CPUS, 2, 1, &host));
    for (node = 0; node < 2; node++) {
        xln_nodemap_set(host->exists, node);
        host->nodes[node].total_bytes = UINT64_C(1) << 30;
    }
    for (cpu = 0; cpu < MAX_CPUS; cpu++) {
        host->cpu_exists[cpu] = host->cpus[cpu].online = true;
        host->cpus[cpu].node = cpu / 64;
    }
    must(xln_cpumap_new(MAX_CPUS, &all));
    xln_cpumap_fill(all);
    host->pools[0] = (struct xln_host_pool){ 5, all };
    must(xln__host_finish(host));
    return host;
}

/* "64-70: 6/7 " for each stretch of CPUs with as much, in vCPUs. */
static void describe(const uint64_t *load, char *text, size_t size)
{
    unsigned cpu, first = 0;
    int n = 0;

    *text = '\0';
    for (cpu = 1; cpu <= MAX_CPUS; cpu++) {
        if (cpu < MAX_CPUS && load[cpu] == load[first])
            continue;
        if (load[first])
            n += snprintf(text + n, size - n, "%s%u-%u:%.3f", n ? " " : "",
                          first, cpu - 1,
                          (double)load[first] / (double)XLN_LOAD_ONE);
        first = cpu;
    }
}

/* Read from the running host, and from domains that were read. */
static void load_is(const char *expected, const char *what)
{
    struct xln_host *host = two_nodes();
    struct xln_domains *domains = read_all();
    uint64_t live[MAX_CPUS] = { 0 }, read[MAX_CPUS] = { 0 };
    char text[256];

    must(xln_load_of_domains(domains, host, read));
    xen.nr_calls = 0;
    must(xln_load_read(NULL, NULL, host, live, NULL, NULL));
    describe(live, text, sizeof(text));
    if (memcmp(live, read, sizeof(live)))
        snprintf(text, sizeof(text), "the two differ");
    is_str(text, expected, what);
    xln_domains_free(domains);
    xln_host_free(host);
}

static struct domain *one_domain(unsigned nr_vcpus)
{
    memset(&xen, 0, sizeof(xen));
    return add(1, nr_vcpus);
}

static void test_load(void)
{
    struct domain *d;

    three_domains();
    load_is("64-70:0.857", "six vCPUs count in equal parts on seven CPUs");
    d = one_domain(4);
    memset(d->soft, 0xff, sizeof(d->soft));
    load_is("", "those that keep to nothing count nowhere");
    memset(d->hard, 0, sizeof(d->hard));
    set_bits(d->hard, 0, 15);
    load_is("0-15:0.250", "hard affinity without a soft one");
    memset(d->soft, 0, sizeof(d->soft));
    set_bits(d->soft, 64, 70);
    load_is("0-15:0.250", "a preference for where it may not run is none");
    set_bits(d->soft, 14, 15);
    load_is("14-15:2.000", "what is preferred of where it may run");
    d->offline = 1;
    load_is("14-15:2.000", "vCPUs that are not up yet count");
    d->missing = 2;
    load_is("14-15:1.500", "those that there are not don't");
    d->dying = true;
    load_is("", "nor those of a domain that is being destroyed");
}

/* "0-1,64-65": the cores, of two CPUs each, that are taken, read both ways. */
static void taken_is(const char *expected, const uint8_t *self,
                     const char *what)
{
    struct xln_cpumap *live = some_cpus(""), *read = some_cpus("");
    struct xln_domains *domains = read_all();
    struct xln_host *host = two_nodes();
    uint64_t load[MAX_CPUS] = { 0 };
    char *text;
    unsigned i;

    for (i = 0; i < MAX_CPUS; i++)
        host->cpus[i].core = i / 2;
    must(xln_cores_of_domains(domains, host, read));
    xen.nr_calls = 0;
    must(xln_load_read(NULL, NULL, host, load, live, self));
    must(xln_cpumap_format(live, &text));
    is_str(text, expected, what);
    ok(self || xln_cpumap_equal(live, read), "%s: of a snapshot too", what);
    free(text);
    xln_cpumap_free(live);
    xln_cpumap_free(read);
    xln_domains_free(domains);
    xln_host_free(host);
}

static void bind_to(struct domain *d, unsigned first, unsigned last)
{
    memset(d->hard, 0, sizeof(d->hard));
    set_bits(d->hard, first, last);
}

static void test_taken(void)
{
    const uint8_t other[16] = { 0xff };
    struct domain *d = one_domain(2);
    uint8_t self[16];
    struct xln_domains *domains = read_all();

    memcpy(self, domains->list[0].uuid, sizeof(self));
    xln_domains_free(domains);
    memset(d->hard, 0xff, sizeof(d->hard));

    taken_is("", NULL, "who runs anywhere holds no core");
    bind_to(d, 7, 7);
    taken_is("6-7", NULL, "who is bound to one CPU holds its core");
    taken_is("", self, "but not from the domain itself");
    taken_is("6-7", other, "from others it does");
    bind_to(d, 64, 65);
    taken_is("64-65", NULL, "who is bound to a core holds it");
    bind_to(d, 65, 66);
    taken_is("", NULL, "who is bound to two cores holds neither");
    bind_to(d, 7, 7);
    d->dying = true;
    taken_is("", NULL, "who is dying holds none");
}

static void test_load_calls(void)
{
    struct xln_host *host = two_nodes();
    uint64_t load[MAX_CPUS] = { 0 };
    unsigned i, nr_vcpus = 0;

    memset(&xen, 0, sizeof(xen));
    for (i = 0; i < 300; i++) {
        add(2 * i, 1 + i % 4);
        nr_vcpus += 1 + i % 4;
    }
    must(xln_load_read(NULL, NULL, host, load, NULL, NULL));
    ok(xen.nr_lists == 2 && xen.nr_calls == 2 + nr_vcpus,
       "300 domains: a hypercall for 256 domains, and one for each vCPU");
    xln_host_free(host);
}

static void test_load_fails(void)
{
    struct xln_host *host = two_nodes();
    uint64_t load[MAX_CPUS];
    unsigned i, nr_good = 0, nr_bad = 0;

    for (i = 1; i < 9; i++) {
        three_domains();
        xen.fail_at = i;
        if (xln_load_read(NULL, NULL, host, load, NULL, NULL) == -FAILED)
            nr_bad++;
        else
            nr_good++;
    }
    ok(nr_bad == 7 && nr_good == 1, "each hypercall that fails is told");
    three_domains()->gone_at = 5;
    ok(!xln_load_read(NULL, NULL, host, load, NULL, NULL),
       "a domain that goes away meanwhile is left out");
    xln_host_free(host);
}

int main(void)
{
    test_plain();
    test_one();
    test_many();
    test_odd_vcpus();
    test_dying();
    test_disappears();
    test_failing_calls();
    test_no_memory();
    test_cpus();
    test_cpus_no_memory();
    test_load();
    test_taken();
    test_load_calls();
    test_load_fails();
    return tap_done();
}
