/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory that domains will still balloon up to. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <xenstore.h>

#include "libxl_numa.h"
#include "fake-alloc.h"
#include "tap.h"
#include "text/units.h"

#define MAX_DOMAINS 300
#define FAILED EFAULT

struct domain {
    unsigned mib, max_mib;
    unsigned target_mib;        /* 0: xenstore has none */
    uint32_t flags;
    uint8_t nodes;
};

static struct {
    struct domain domains[MAX_DOMAINS];     /* by domid */
    unsigned nr;
    unsigned nr_calls, fail_at, nr_stores;
    int error;
    const char *failed;
} xen;

static bool fails(const char *name)
{
    if (++xen.nr_calls != xen.fail_at)
        return false;
    xen.failed = name;
    errno = xen.error;
    return true;
}

/* ---- these stand in for libxenctrl's and libxenstore's ---- */

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max,
                          xc_domaininfo_t *info)
{
    unsigned i;

    (void)xch;
    if (fails(__func__))
        return -1;
    for (i = 0; i < max && first + i < xen.nr; i++) {
        const struct domain *d = &xen.domains[first + i];

        info[i] = (xc_domaininfo_t){
            .domain = first + i,
            .flags = d->flags,
            .tot_pages = d->mib * 256,
            .max_pages = d->max_mib * 256,
        };
    }
    return i;
}

int xc_get_max_nodes(xc_interface *xch)
{
    (void)xch;
    return fails(__func__) ? -1 : 8;
}

xc_nodemap_t xc_nodemap_alloc(xc_interface *xch)
{
    (void)xch;
    return fails(__func__) ? NULL : calloc(1, 8);
}

int xc_domain_node_getaffinity(xc_interface *xch, uint32_t domid,
                               xc_nodemap_t nodes)
{
    (void)xch;
    if (fails(__func__))
        return -1;
    nodes[0] = xen.domains[domid].nodes;
    return 0;
}

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    if (fails(__func__))
        return NULL;
    xen.nr_stores++;
    return (struct xs_handle *)&xen;
}

void xs_close(struct xs_handle *xs)
{
    (void)xs;
    xen.nr_stores--;
}

void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
              unsigned *size)
{
    unsigned domid;
    char *text;

    (void)xs;
    (void)t;
    (void)size;
    errno = ENOENT;
    if (fails(__func__) ||
        sscanf(path, "/local/domain/%u/memory/target", &domid) != 1 ||
        !xen.domains[domid].target_mib ||
        asprintf(&text, "%u", xen.domains[domid].target_mib * 1024) < 0)
        return NULL;
    return text;
}

/* ---- what is promised ---- */

static void set(unsigned nr, const struct domain *domains)
{
    memset(&xen, 0, sizeof(xen));
    xen.nr = nr;
    memcpy(xen.domains, domains, nr * sizeof(*domains));
}

/* On nodes 0 to 3, in MiB. */
static void promises(const char *expected, const char *what)
{
    uint64_t bytes[XLN_MAX_NODES] = { 0 };
    int rc = xln_ballooning_outstanding(NULL, bytes);
    char text[128];

    snprintf(text, sizeof(text),
             "%d: %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, rc,
             bytes[0] / MIB, bytes[1] / MIB, bytes[2] / MIB, bytes[3] / MIB);
    is_str(text, expected, what);
    ok(!xen.nr_stores, "xenstore is closed");
}

static void test_one(void)
{
    const struct domain grows = { 100, 301, 300, 0, 0x2 };
    struct domain d = grows;

    set(1, &d);
    promises("0: 0 200 0 0",
             "what a domain lacks of its target counts on its node");
    d.nodes = 0xd;
    set(1, &d);
    promises("0: 66 0 66 66",
             "what a domain lacks counts in equal parts on its nodes");
    d = grows;
    d.mib = 299;
    set(1, &d);
    promises("0: 0 0 0 0",
             "a target within a MiB of the memory does not count");
    d = grows;
    d.max_mib = 1000;
    set(1, &d);
    promises("0: 0 200 0 0", "memory above the target does not count");
    d.max_mib = 200;
    set(1, &d);
    promises("0: 0 100 0 0", "a target counts as far as Xen allows it");
    d = grows;
    d.target_mib = 0;
    set(1, &d);
    promises("0: 0 0 0 0", "a domain without a target does not count");
    d = grows;
    d.nodes = 0;
    set(1, &d);
    promises("0: 0 0 0 0", "a domain without a node does not count");
    d = grows;
    d.flags = XEN_DOMINF_dying;
    set(1, &d);
    promises("0: 0 0 0 0", "a domain that is being destroyed does not count");
    d.flags = XEN_DOMINF_shutdown;
    set(1, &d);
    promises("0: 0 0 0 0", "a domain that has ended does not count");
}

static void test_many(void)
{
    struct domain all[MAX_DOMAINS] = { { 0 } };

    all[0] = (struct domain){ 100, 201, 200, 0, 0x1 };
    all[257] = (struct domain){ 10, 21, 20, 0, 0x3 };
    all[MAX_DOMAINS - 1] = (struct domain){ 1, 9, 8, 0, 0x8 };
    set(MAX_DOMAINS, all);
    promises("0: 105 5 0 7", "all domains count, however many there are");
    set(0, all);
    promises("0: 0 0 0 0", "a host without domains has nothing outstanding");
    all[0].max_mib = 101;
    set(1, all);
    xen.fail_at = 2;
    promises("0: 0 0 0 0", "xenstore is not read without need");
}

static void test_failures(void)
{
    static const struct domain grows = { 100, 301, 300, 0, 0x2 };
    uint64_t bytes[XLN_MAX_NODES];
    unsigned nth;
    int rc;

    for (nth = 1;; nth++) {
        set(1, &grows);
        xen.fail_at = nth;
        xen.error = FAILED;
        rc = xln_ballooning_outstanding(NULL, bytes);
        if (!xen.failed)
            break;
        ok(!xen.nr_stores &&
               (rc == -FAILED || (!strcmp(xen.failed, "xc_nodemap_alloc") &&
                                  rc == -ENOMEM)),
           "an error is returned if call %u, %s, fails", nth, xen.failed);
    }
    ok(nth == 7, "each of the six calls was made to fail");
    set(1, &grows);
    xen.fail_at = 6;
    xen.error = ESRCH;
    promises("0: 0 0 0 0", "a domain that ends meanwhile does not count");
    fake_alloc_fail(1);
    ok(xln_ballooning_outstanding(NULL, bytes) == -ENOMEM,
       "running out of memory is -ENOMEM");
    fake_alloc_fail(0);
}

int main(void)
{
    test_one();
    test_many();
    test_failures();
    return tap_done();
}
