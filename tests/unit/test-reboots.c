/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which creates of libvirt's follow a reboot, in which of its threads. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <xenctrl.h>

#include "libvirt/reboots.h"
#include "tap.h"

#define DOMID 5

static const libxl_uuid uuid = { { 1, 2, 3 } }, other = { { 9 } };

static struct {
    bool can_tell;
    unsigned nr_heard;          /* events that libvirt got */
} xen = { .can_tell = true };

/* ---- these stand in for libxenctrl's ---- */

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    (void)logger;
    (void)dombuild_logger;
    (void)open_flags;
    return xen.can_tell ? (xc_interface *)&xen : NULL;
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max,
                          xc_domaininfo_t *info)
{
    (void)xch;
    (void)max;
    memset(info, 0, sizeof(*info));
    info->domain = first;
    memcpy(info->handle, uuid.uuid, sizeof(uuid.uuid));
    return 1;
}

/* ---- libvirt ---- */

static void hear(void *user, libxl_event *event)
{
    (void)user;
    (void)event;
    xen.nr_heard++;
}

static const libxl_event_hooks *hooks;

static void shuts_down(libxl_shutdown_reason reason)
{
    libxl_event event = {
        .type = LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN,
        .domid = DOMID,
        .u.domain_shutdown.shutdown_reason = reason,
    };

    hooks->event_occurs(NULL, &event);
}

static void dies(void)
{
    libxl_event event = {
        .type = LIBXL_EVENT_TYPE_DOMAIN_DEATH,
        .domid = DOMID,
    };

    hooks->event_occurs(NULL, &event);
}

/* The steps of a thread, in this order. */
struct steps {
    const char *name;           /* of the thread; NULL: it has none */
    bool destroys, creates_other, creates;
    bool came_again;            /* the last of these */
};

static void *run_steps(void *arg)
{
    struct steps *steps = arg;

    if (steps->name)
        pthread_setname_np(pthread_self(), steps->name);
    if (steps->destroys)
        reboots_destroy(DOMID);
    if (steps->creates_other)
        reboots_comes_again(&other);
    if (steps->creates)
        steps->came_again = reboots_comes_again(&uuid);
    return NULL;
}

static bool comes_again_in(struct steps steps)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, run_steps, &steps));
    must(pthread_join(thread, NULL));
    return steps.came_again;
}

#define RESTARTS { .name = "shutdown-event-", .destroys = true, .creates = true }

static void test_restart(void)
{
    static const struct {
        libxl_shutdown_reason reason;
        bool again;
        const char *what;
    } ends[] = {
        { LIBXL_SHUTDOWN_REASON_REBOOT, true, "a reboot" },
        { LIBXL_SHUTDOWN_REASON_CRASH, true, "a crash" },
        { LIBXL_SHUTDOWN_REASON_WATCHDOG, true, "the watchdog" },
        { LIBXL_SHUTDOWN_REASON_POWEROFF, false, "a shutdown" },
    };
    const struct steps restarts = RESTARTS;
    unsigned i;

    for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        shuts_down(ends[i].reason);
        ok(comes_again_in(restarts) == ends[i].again,
           "%s: the domain %s", ends[i].what,
           ends[i].again ? "comes again" : "is a new one");
        ok(!comes_again_in(restarts),
           "a later create of the domain is a new one");
    }
    ok(xen.nr_heard == i, "libvirt receives each event");
}

/* on_reboot=destroy: the thread destroys and ends; somebody starts it later. */
static void test_no_restart(void)
{
    const struct steps destroys = { .destroys = true },
                       starts = { .name = "rpc-libvirtd", .creates = true },
                       starts_anew = { .creates = true };

    shuts_down(LIBXL_SHUTDOWN_REASON_REBOOT);
    comes_again_in(destroys);
    ok(!comes_again_in(starts),
       "a domain that was destroyed at its reboot and is started later is new");
    shuts_down(LIBXL_SHUTDOWN_REASON_REBOOT);
    comes_again_in(destroys);
    ok(!comes_again_in(starts_anew), "this is so in any thread");
}

/* on_crash=preserve: `virsh destroy` and `virsh start`, maybe in one thread. */
static void test_preserved(void)
{
    const struct steps worker = { .name = "rpc-libvirtd", .destroys = true,
                                  .creates = true };
    const struct steps prio = { .name = "prio-rpc-libvir", .destroys = true,
                                .creates = true };

    shuts_down(LIBXL_SHUTDOWN_REASON_CRASH);
    ok(!comes_again_in(worker),
       "a domain that was preserved and destroyed by virsh is new");
    shuts_down(LIBXL_SHUTDOWN_REASON_CRASH);
    ok(!comes_again_in(prio), "this is so for a priority worker, too");
}

static void test_others(void)
{
    const struct steps restarts = RESTARTS;
    const struct steps other_first = { .destroys = true, .creates_other = true,
                                       .creates = true };

    shuts_down(LIBXL_SHUTDOWN_REASON_REBOOT);
    ok(!comes_again_in(other_first),
       "only the next create of libvirt can be the reboot");
    shuts_down(LIBXL_SHUTDOWN_REASON_REBOOT);
    dies();
    ok(!comes_again_in(restarts),
       "a domain that somebody else destroyed does not come again under its "
       "number");
    shuts_down(LIBXL_SHUTDOWN_REASON_REBOOT);
    shuts_down(LIBXL_SHUTDOWN_REASON_REBOOT);
    ok(comes_again_in(restarts) && !comes_again_in(restarts),
       "a domain whose reboot was reported twice comes again once");
    xen.can_tell = false;
    shuts_down(LIBXL_SHUTDOWN_REASON_REBOOT);
    ok(!comes_again_in(restarts), "a domain is new if Xen cannot be asked");
    xen.can_tell = true;
}

int main(void)
{
    static const libxl_event_hooks libvirts = {
        .event_occurs_mask = LIBXL_EVENTMASK_ALL,
        .event_occurs = hear,
    };

    reboots_destroy(DOMID);
    ok(!reboots_comes_again(&uuid),
       "no domain comes again before libvirt listens");
    hooks = reboots_hear(&libvirts, NULL);
    test_restart();
    test_no_restart();
    test_preserved();
    test_others();
    return tap_done();
}
