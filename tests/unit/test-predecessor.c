/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for the pages of the domain that a guest was. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "fake-alloc.h"
#include "placement/predecessor.h"
#include "tap.h"

#define LIVING_DOMID 9

static const uint8_t uuid[16] = { 1, 2, 3 };

static struct {
    xc_domaininfo_t domains[3];
    unsigned nr;
    unsigned freed;             /* pages, in each pause */
    unsigned stops_at;          /* no more than this many pages go */
    unsigned paused_ms;
    unsigned call_ms;           /* that each hypercall takes */
    uint64_t clock_ms;
    unsigned fail_after_ms;     /* 0: never */
} xen;

/* ---- these stand in for libxenctrl's and libc's ---- */

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max,
                          xc_domaininfo_t *info)
{
    unsigned i, nr = 0;

    (void)xch;
    xen.clock_ms += xen.call_ms;
    if (xen.fail_after_ms && xen.paused_ms >= xen.fail_after_ms) {
        errno = EPERM;
        return -1;
    }
    for (i = 0; i < xen.nr && nr < max; i++)
        if (xen.domains[i].domain >= first)
            info[nr++] = xen.domains[i];
    return nr;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)left;
    xen.paused_ms += time->tv_sec * 1000 + time->tv_nsec / 1000000;
    xen.clock_ms += time->tv_sec * 1000 + time->tv_nsec / 1000000;
    if (xen.domains[0].tot_pages >= xen.freed + xen.stops_at)
        xen.domains[0].tot_pages -= xen.freed;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    (void)clock;
    time->tv_sec = xen.clock_ms / 1000;
    time->tv_nsec = xen.clock_ms % 1000 * 1000000;
    return 0;
}

/* ---- what is waited for ---- */

static xc_domaininfo_t *old_domain(uint64_t pages)
{
    memset(&xen, 0, sizeof(xen));
    xen.nr = 2;
    xen.domains[0] = (xc_domaininfo_t){
        .domain = 5, .flags = XEN_DOMINF_dying, .tot_pages = pages,
    };
    memcpy(xen.domains[0].handle, uuid, sizeof(uuid));
    xen.domains[1] = xen.domains[0];
    xen.domains[1].domain = LIVING_DOMID;
    xen.domains[1].flags = 0;
    return &xen.domains[0];
}

static void waits(uint64_t expected, unsigned least_ms, unsigned most_ms,
                  const char *what)
{
    uint64_t pages = 1;
    int rc = predecessor_await(NULL, uuid, &pages);

    if (!ok(!rc && pages == expected && xen.clock_ms >= least_ms &&
                xen.clock_ms <= most_ms, "%s", what))
        printf("# %" PRIu64 " pages after %" PRIu64 " ms\n", pages,
               xen.clock_ms);
}

int main(void)
{
    uint64_t pages;

    old_domain(0);
    waits(0, 0, 0, "a domain without pages is not waited for");
    old_domain(200);
    waits(0, 0, 0, "a few pages are not waited for");
    old_domain(100000)->flags = 0;
    waits(0, 0, 0, "a domain that lives is not waited for");
    old_domain(100000)->handle[0] = 7;
    waits(0, 0, 0, "the domain of another guest is not waited for");

    old_domain(100000);
    xen.freed = 500;
    waits(0, 3900, 4100, "the wait lasts until all pages are free");
    old_domain(100000);
    waits(100000, 2000, 2100, "the wait lasts two seconds if no page is freed");
    old_domain(100000);
    xen.freed = 1000;
    xen.stops_at = 40000;
    waits(40000, 3200, 3400,
          "the wait ends two seconds after the last page was freed");
    old_domain(100000);
    xen.freed = 1;
    waits(99750, 5000, 5100,
          "the wait lasts five seconds if pages are freed slowly");
    old_domain(100000);
    xen.freed = 1;
    xen.call_ms = 400;
    waits(99989, 5000, 5500,
          "the wait lasts five seconds if each call takes long, too");

    old_domain(100000);
    xen.fail_after_ms = 500;
    ok(predecessor_await(NULL, uuid, &pages) == -EPERM,
       "a state that cannot be read is an error");
    fake_alloc_fail(1);
    ok(predecessor_await(NULL, uuid, &pages) == -ENOMEM,
       "running out of memory is -ENOMEM");
    fake_alloc_fail(0);
    return tap_done();
}
