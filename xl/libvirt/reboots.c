/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt handles the end of a domain in a thread that it starts for that:
 *
 *     event_occurs            the domain wants to reboot, or has crashed
 *       libxl_domain_destroy      by that thread
 *       libxl_domain_create_new   by the same thread, at once; or not, as
 *                                 on_reboot and on_crash say
 *
 * What these say can change at any time, so they are not asked. An entry is in
 * the list from the event to the destroy, then belongs to the thread that
 * destroys, and is gone with that thread, or with the next create in it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>

#include "reboots.h"

struct again {
    struct again *next;
    uint32_t domid;
    libxl_uuid uuid;
};

static struct {
    pthread_mutex_t lock;
    struct again *list;
    const libxl_event_hooks *hooks;     /* libvirt's */
    libxl_event_hooks ours;
    xentoollog_logger *lg;
    pthread_key_t destroyed;            /* a thread's struct again */
    bool has_key;
} events = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Takes it out of the list; NULL: it is not there. */
static struct again *take(uint32_t domid)
{
    struct again **at = &events.list, *again;

    pthread_mutex_lock(&events.lock);
    while (*at && (*at)->domid != domid)
        at = &(*at)->next;
    again = *at;
    if (again)
        *at = again->next;
    pthread_mutex_unlock(&events.lock);
    return again;
}

static void expect_again(uint32_t domid, const libxl_uuid *uuid)
{
    struct again *again = malloc(sizeof(*again));

    if (!again)
        return;
    free(take(domid));
    pthread_mutex_lock(&events.lock);
    *again = (struct again){ events.list, domid, *uuid };
    events.list = again;
    pthread_mutex_unlock(&events.lock);
}

/* Such a thread serves virsh, so what it creates is new. The threads of
 * libvirt have names. */
static bool is_worker(void)
{
    char name[16];

    return !pthread_getname_np(pthread_self(), name, sizeof(name)) &&
           (!strncmp(name, "rpc-", 4) || !strncmp(name, "prio-rpc-", 9));
}

void reboots_destroy(uint32_t domid)
{
    struct again *again = take(domid);

    if (!again)
        return;
    if (is_worker() || !events.has_key) {
        free(again);
        return;
    }
    free(pthread_getspecific(events.destroyed));
    if (pthread_setspecific(events.destroyed, again))
        free(again);
}

bool reboots_comes_again(const libxl_uuid *uuid)
{
    struct again *again;
    bool found;

    if (!events.has_key)
        return false;
    again = pthread_getspecific(events.destroyed);
    found = again &&
            !memcmp(again->uuid.uuid, uuid->uuid, sizeof(uuid->uuid));
    pthread_setspecific(events.destroyed, NULL);
    free(again);
    return found;
}

static bool ends_to_begin(const libxl_event *event)
{
    if (event->type != LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN)
        return false;
    switch (event->u.domain_shutdown.shutdown_reason) {
    case LIBXL_SHUTDOWN_REASON_REBOOT:
    case LIBXL_SHUTDOWN_REASON_CRASH:
    case LIBXL_SHUTDOWN_REASON_WATCHDOG:
        return true;
    default:
        return false;
    }
}

/* The event of libxl has the domid alone. */
static bool find_uuid(uint32_t domid, libxl_uuid *uuid)
{
    xc_interface *xch = xc_interface_open(events.lg, NULL, 0);
    xc_domaininfo_t info;
    bool found;

    if (!xch)
        return false;
    found = xc_domain_getinfolist(xch, domid, 1, &info) == 1 &&
            info.domain == domid;
    if (found)
        memcpy(uuid->uuid, info.handle, sizeof(uuid->uuid));
    xc_interface_close(xch);
    return found;
}

static void event_occurs(void *user, libxl_event *event)
{
    libxl_uuid uuid;

    /* Somebody else has destroyed it: libvirt does not. */
    if (event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH)
        free(take(event->domid));
    else if (ends_to_begin(event) && find_uuid(event->domid, &uuid))
        expect_again(event->domid, &uuid);
    events.hooks->event_occurs(user, event);
}

const libxl_event_hooks *reboots_hear(const libxl_event_hooks *hooks,
                                      xentoollog_logger *lg)
{
    if (!events.has_key)
        events.has_key = !pthread_key_create(&events.destroyed, free);
    events.hooks = hooks;
    events.lg = lg;
    events.ours = *hooks;
    events.ours.event_occurs = event_occurs;
    return &events.ours;
}
