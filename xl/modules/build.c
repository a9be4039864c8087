/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "build.h"
#include "in_flight.h"
#include "interpose.h"

static struct {
    pthread_mutex_t lock;
    bool has_libxl;             /* this is not libxl-save-helper */
    libxl_ctx *ctx;
    xentoollog_logger *lg;
    struct restore *restore;    /* libxl-save-helper: what is shared with it */
    bool attached;              /* ... which has been looked for */
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

void build_serve(libxl_ctx *ctx, xentoollog_logger *lg)
{
    pthread_mutex_lock(&state.lock);
    state.has_libxl = true;
    if (ctx) {
        state.ctx = ctx;
        state.lg = lg;
    }
    pthread_mutex_unlock(&state.lock);
}

static bool makes_uuid(const struct placement *p, const void *uuid)
{
    return !memcmp(p->config->c_info.uuid.uuid, uuid,
                   sizeof(xen_domain_handle_t));
}

/* A stub domain's uuid is its own; it is known by its name, GUEST-dm. */
static bool makes_stub(const struct placement *p, const void *name)
{
    const char *guest = p->config->c_info.name;
    size_t length = guest ? strlen(guest) : 0;

    return guest && !strncmp(name, guest, length) &&
           !strcmp((const char *)name + length, "-dm");
}

/* A soft reset is known from the start. With what `xl config-update` has stored
 * goes another uuid, by which it could not be found. */
static bool resets(const struct placement *p, const void *domid)
{
    const uint32_t *wanted = domid;

    return p->resetting && p->domid == *wanted;
}

static bool makes_domain(const struct placement *p, const void *domid)
{
    const uint32_t *wanted = domid;

    return p->domid == *wanted || p->stub_domid == *wanted;
}

static int plan_build(xc_interface *xch, uint32_t domid)
{
    struct placement *p = inflight_find(resets, &domid);
    xc_domaininfo_t info;
    char *name;
    int rc = 0;

    if (p)
        return placement_plan(p, xch, domid);
    if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 ||
        info.domain != domid) {
        xtl_log(state.lg, XTL_WARN, errno, "numa",
                "cannot tell which domain %" PRIu32 " is: placed by libxl "
                "itself", domid);
        return 0;
    }
    p = inflight_find(makes_uuid, info.handle);
    if (p)
        return placement_plan(p, xch, domid);

    name = libxl_domid_to_name(state.ctx, domid);
    p = name ? inflight_find(makes_stub, name) : NULL;
    free(name);
    if (p)
        rc = placement_adopt_stub(p, domid);
    return rc;
}

EXPORT int xc_domain_max_vcpus(xc_interface *xch, uint32_t domid, unsigned max)
{
    int r = REAL(xc_domain_max_vcpus)(xch, domid, max);

    if (r || !inflight_any())
        return r;
    if (plan_build(xch, domid) == -ENOSPC) {
        errno = ENOSPC;
        return -1;
    }
    return 0;
}

/* This is libxl-save-helper, which makes one domain. */
static struct restore *attach(uint32_t domid)
{
    pthread_mutex_lock(&state.lock);
    if (!state.has_libxl && !state.attached) {
        state.attached = true;
        state.restore = restore_attach(getppid(), domid);
    }
    pthread_mutex_unlock(&state.lock);
    return state.restore;
}

static int populate_restored(xc_interface *xch, uint32_t domid,
                             unsigned long nr, unsigned order,
                             unsigned mem_flags, xen_pfn_t *extents)
{
    struct restore *restore = attach(domid);
    struct restored *restored = restore_of(restore, domid);
    bool short_of_memory = false;
    int done;

    if (!restored)
        return REAL(xc_domain_populate_physmap)(xch, domid, nr, order,
                                                mem_flags, extents);
    done = placement_populate_by(&restored->built, &restored->vnodes,
                                 REAL(xc_domain_populate_physmap), xch, domid,
                                 nr, order, mem_flags, extents,
                                 &short_of_memory);
    restore_note_shortage(restore, short_of_memory);
    return done;
}

EXPORT int xc_domain_populate_physmap(xc_interface *xch, uint32_t domid,
                                      unsigned long nr, unsigned order,
                                      unsigned mem_flags, xen_pfn_t *extents)
{
    struct placement *p = inflight_find(makes_domain, &domid);

    if (!p)
        return populate_restored(xch, domid, nr, order, mem_flags, extents);
    return placement_populate(p, REAL(xc_domain_populate_physmap), xch, domid,
                              nr, order, mem_flags, extents);
}

/* Never calls the real one, which may come back through the function above. */
EXPORT int xc_domain_populate_physmap_exact(xc_interface *xch, uint32_t domid,
                                            unsigned long nr, unsigned order,
                                            unsigned mem_flags,
                                            xen_pfn_t *extents)
{
    int r = xc_domain_populate_physmap(xch, domid, nr, order, mem_flags,
                                       extents);

    if (r >= 0 && (unsigned long)r == nr)
        return 0;
    if (r >= 0) {
        errno = EBUSY;
        r = -1;
    }
    return r;
}
