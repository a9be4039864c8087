/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>

#include "reboots.h"

struct again {
    struct again *next;
    libxl_uuid uuid;
};

static struct {
    pthread_mutex_t lock;
    struct again *list;
    const libxl_event_hooks *hooks;     /* libvirt's */
    libxl_event_hooks ours;
    xentoollog_logger *lg;
} events = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct again **find_again(const libxl_uuid *uuid)
{
    struct again **at = &events.list;

    while (*at && memcmp((*at)->uuid.uuid, uuid->uuid, sizeof(uuid->uuid)))
        at = &(*at)->next;
    return at;
}

static void expect_again(const libxl_uuid *uuid)
{
    struct again *again = malloc(sizeof(*again));

    if (!again)
        return;
    *again = (struct again){ .uuid = *uuid };
    pthread_mutex_lock(&events.lock);
    if (*find_again(uuid)) {
        free(again);
    } else {
        again->next = events.list;
        events.list = again;
    }
    pthread_mutex_unlock(&events.lock);
}

bool reboots_comes_again(const libxl_uuid *uuid)
{
    struct again **at, *again;
    bool found;

    pthread_mutex_lock(&events.lock);
    at = find_again(uuid);
    again = *at;
    found = again;
    if (found)
        *at = again->next;
    pthread_mutex_unlock(&events.lock);
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

/* libxl tells its domid alone. */
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

    if (ends_to_begin(event) && find_uuid(event->domid, &uuid))
        expect_again(&uuid);
    events.hooks->event_occurs(user, event);
}

const libxl_event_hooks *reboots_hear(const libxl_event_hooks *hooks,
                                      xentoollog_logger *lg)
{
    events.hooks = hooks;
    events.lg = lg;
    events.ours = *hooks;
    events.ours.event_occurs = event_occurs;
    return &events.ours;
}
