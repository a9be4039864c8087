/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains as a hypervisor reports them. */
#include "domain-xen.h"

static void test_plain(void)
{
    struct xln_domains *domains;
    const struct xln_domain *d;

    three_domains()->is_hvm = true;
    domains = read_all();
    ok(domids_are(domains, "0 3 4"),
       "all domains are read, in the order of their numbers");
    d = &domains->list[2];
    ok(d->memory_bytes == 1004 * 4096 && d->claimed_bytes == 7 * 4096 &&
           d->pool_id == 5 && d->uuid[15] == 0xa0,
       "a domain has its memory, its claim, its cpupool and its uuid");
    ok(!d->is_pv && domains->list[1].is_pv && !d->dying,
       "a domain is marked as PV or not");
    ok(nodes_are(d->nodes, "4,63"), "a domain has its node affinity");
    ok(d->nr_vcpus == 3 && d->vcpus[1].exists && d->vcpus[1].online &&
           d->vcpus[1].blocked && !d->vcpus[1].running &&
           d->vcpus[2].running && d->vcpus[2].cpu == 102 &&
           d->vcpus[2].time_ns == UINT64_C(15000000000),
       "a domain has its vCPUs, also on CPUs beyond 64");
    ok(cpus_are(d->vcpus[0].hard, "0-127") &&
           cpus_are(d->vcpus[0].soft, "64-70"), "vCPUs have their affinities");
    xln_domains_free(domains);
    xln_domains_free(NULL);
}

static void test_one(void)
{
    struct xln_domains *domains;
    int rc;

    three_domains();
    domains = try_read(3, &rc);
    ok(!rc && domids_are(domains, "3"), "one domain can be read alone");
    xln_domains_free(domains);
    domains = try_read(2, &rc);
    ok(rc == -ESRCH && !domains,
       "reading a domain that does not exist is -ESRCH, while others exist");
    domains = try_read(5, &rc);
    ok(rc == -ESRCH && !domains,
       "reading a domain beyond the last one is -ESRCH");
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
       "300 domains are read, with more than one hypercall");
    for (i = 0; i < domains->nr; i++)
        nr_wrong += domains->list[i].domid != 2 * i ||
                    domains->list[i].nr_vcpus != 1 + i % 4 ||
                    !domains->list[i].vcpus[i % 4].exists;
    ok(!nr_wrong, "each domain is read once, with its vCPUs");
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
       "a vCPU number without a vCPU has no values");
    ok(domains->list[2].vcpus[0].online && domains->list[2].vcpus[2].exists &&
           !domains->list[2].vcpus[2].online &&
           cpus_are(domains->list[2].vcpus[2].soft, "64-70"),
       "an offline vCPU has its affinities");
    xln_domains_free(domains);

    three_domains()->nr_vcpus = 0;
    domains = read_all();
    ok(domids_are(domains, "0 3 4") && domains->list[2].nr_vcpus == 0,
       "a domain without vCPUs is read");
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
       "a dying domain is listed, without nodes and vCPUs");
    ok(domains->list[2].memory_bytes == 1004 * 4096,
       "a dying domain has the memory that is left");
    xln_domains_free(domains);
    domains = try_read(4, &rc);
    ok(!rc && domains->list[0].dying, "a dying domain can be read alone");
    xln_domains_free(domains);
}

/* It ends at any call after the one that listed it. */
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
       "a domain that ends meanwhile is left out, the others are listed");

    for (nth = 1, nr_wrong = 0; nth <= 9; nth++) {
        three_domains()->gone_at = nth;
        domains = try_read(4, &rc);
        if (rc != -ESRCH || domains) {
            printf("# gone at call %u: %s\n", nth, strerror(-rc));
            nr_wrong++;
        }
        xln_domains_free(domains);
    }
    ok(!nr_wrong, "a domain that ends while it is read alone is -ESRCH");
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
        ok(rc == -FAILED && !domains,
           "the errno is returned if call %u, %s, fails", nth,
           xen.failed);
        xln_domains_free(domains);
    }
    ok(!xen.failed && !rc && domids_are(domains, "0 3 4") && nth > 15,
       "the domains are read once no call fails");
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
    ok(!nr_wrong && nth > 30 && nth < 200, "running out of memory is -ENOMEM");
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
    return tap_done();
}
