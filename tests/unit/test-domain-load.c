/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CPUs of domains: where they may run, their load, the cores they hold. */
#include "domain-xen.h"

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
    ok(cpus_are(cpus, hard), "%s: the load is where the vCPUs may run", what);
    xln_cpumap_free(cpus);
    must(xln_domain_cpus(&d, pool_cpus, true, &cpus));
    ok(cpus_are(cpus, soft),
       "%s: the load is where the vCPUs prefer to run", what);
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
       "running out of memory is -ENOMEM");
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
    host->pools[0] = (struct xln_host_pool){ .id = 5, .cpus = all };
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
    load_is("", "vCPUs that may run anywhere add no load");
    memset(d->hard, 0, sizeof(d->hard));
    set_bits(d->hard, 0, 15);
    load_is("0-15:0.250", "hard affinity counts without a soft one");
    memset(d->soft, 0, sizeof(d->soft));
    set_bits(d->soft, 64, 70);
    load_is("0-15:0.250",
            "a preference for CPUs where a vCPU may not run is ignored");
    set_bits(d->soft, 14, 15);
    load_is("14-15:2.000", "a preferred CPU counts if the vCPU may run there");
    d->offline = 1;
    load_is("14-15:2.000", "offline vCPUs add load");
    d->missing = 2;
    load_is("14-15:1.500", "vCPUs that do not exist add no load");
    d->dying = true;
    load_is("", "vCPUs of a domain that is being destroyed add no load");
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
    ok(self || xln_cpumap_equal(live, read),
       "%s: a snapshot has the same cores", what);
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

    taken_is("", NULL, "a vCPU that may run anywhere takes no core");
    bind_to(d, 7, 7);
    taken_is("6-7", NULL, "a vCPU that is bound to one CPU takes its core");
    taken_is("", self, "the domain's own cores count as free for itself");
    taken_is("6-7", other, "the domain's cores are taken for other domains");
    bind_to(d, 64, 65);
    taken_is("64-65", NULL, "a vCPU that is bound to a core takes it");
    bind_to(d, 65, 66);
    taken_is("", NULL, "a vCPU that is bound to two cores takes neither");
    bind_to(d, 7, 7);
    d->dying = true;
    taken_is("", NULL, "a domain that is being destroyed takes no core");
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
       "300 domains cost a hypercall for each 256 domains and one for each "
       "vCPU");
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
    ok(nr_bad == 7 && nr_good == 1, "each hypercall that fails is reported");
    three_domains()->gone_at = 5;
    ok(!xln_load_read(NULL, NULL, host, load, NULL, NULL),
       "a domain that ends meanwhile is left out");
    xln_host_free(host);
}

/* ---- the memory of guests ---- */

static void test_guests(void)
{
    static const uint8_t self[16] = { [0 ... 15] = 0xa0 };
    struct xln_domains *domains;
    uint64_t *live, read[MAX_DOMAINS];
    unsigned nr_live, nr_read;

    memset(&xen, 0, sizeof(xen));
    for (unsigned i = 0; i < 300; i++)
        add(2 * i, 1);
    xen.domains[7].dying = true;
    domains = read_all();
    nr_read = xln_guests_of_domains(domains, read);
    xen.nr_calls = 0;
    must(xln_guests_read(NULL, NULL, &live, &nr_live));
    ok(nr_live == 298 && xen.nr_calls == 2 && live[0] == 1009 * 4096,
       "all guests have a size, but Domain-0 and what is being destroyed");
    ok(nr_live == nr_read && !memcmp(live, read, nr_live * sizeof(*live)),
       "the guests of a running host are those of its snapshot");
    free(live);
    xln_domains_free(domains);
    must(xln_guests_read(NULL, self, &live, &nr_live));
    ok(!nr_live, "the domain that is being built is left out");
    free(live);
}

static void test_guests_fail(void)
{
    uint64_t *bytes = NULL;
    unsigned nr = 0, nth, nr_wrong = 0;
    int rc = -1;

    memset(&xen, 0, sizeof(xen));
    for (unsigned i = 0; i < 300; i++)
        add(2 * i, 1);
    for (unsigned i = 1; i <= 2; i++) {
        xen.nr_calls = 0;
        xen.fail_at = i;
        nr_wrong += xln_guests_read(NULL, NULL, &bytes, &nr) != -FAILED;
    }
    xen.fail_at = 0;
    for (nth = 1; rc && nth < 20; nth++) {
        fake_alloc_fail(nth);
        rc = xln_guests_read(NULL, NULL, &bytes, &nr);
        fake_alloc_fail(0);
        nr_wrong += rc && (rc != -ENOMEM || bytes);
    }
    ok(!rc && nth == 5 && !nr_wrong,
       "what fails while guests are read is reported");
    free(bytes);
}

int main(void)
{
    test_cpus();
    test_cpus_no_memory();
    test_load();
    test_taken();
    test_load_calls();
    test_load_fails();
    test_guests();
    test_guests_fail();
    return tap_done();
}
