/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt-placement.so: the functions by which libvirtd's driver for Xen, or
 * virtxend, reaches libxl, so far as placement has a part in them.
 *
 *     libvirtd starts, with this module preloaded
 *       the constructor                 nobody else is to inherit it
 *       libxl_ctx_alloc                 the one context of all its threads
 *       libxl_event_register_callbacks  to hear who reboots: reboots.h
 *       libxl_domain_destroy            and who is destroyed for that
 *     virsh start web
 *       libvirt's hook, our program     what its XML asks for: handover.h
 *       libxl_domain_create_new         takes that: xml_request.h
 *         xc_domain_max_vcpus ...       as in xl: building.c
 *     virsh save web FILE
 *       libxl_domain_suspend            virtual nodes go first: stream_vnodes.h
 *         xc_domain_getvnuma            "none", or libxl would refuse
 *
 * Many threads call at once, each for a domain of its own. After the
 * constructor the environment is neither read nor written. What is decided
 * about libxl is decided at the first call: its driver is loaded late.
 */
#include <errno.h>
#include <string.h>

#include <libxl.h>

#include "handover.h"
#include "listener.h"
#include "modules/build.h"
#include "modules/hidden_vnodes.h"
#include "modules/in_flight.h"
#include "modules/interpose.h"
#include "placement/adapt.h"
#include "placement/record.h"
#include "reboots.h"
#include "stream_vnodes.h"
#include "xml_request.h"

/* Written before libvirtd makes its first domain, and read since. */
static struct {
    bool learnt, inert;         /* a libxl that is not known: do nothing */
    struct layout layout;       /* of libxl, unless inert */
    enum restore_helper helper;
    xentoollog_logger *lg;
} state = { .helper = RESTORE_HELPER_IS_LIBXLS };

/* ---- the process ---- */

/* Only there: a shell that is to start libvirtd shall hand it on. */
__attribute__((constructor))
static void start(void)
{
    if (strcmp(program_invocation_short_name, "libvirtd") &&
        strcmp(program_invocation_short_name, "virtxend"))
        return;
    interpose_leave_preload();
    if (!restore_tell_all())
        state.helper = RESTORE_HELPER_IS_OURS;
}

EXPORT int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                           xentoollog_logger *lg)
{
    int r = REAL(libxl_ctx_alloc)(pctx, version, flags, lg);

    build_serve(r ? NULL : *pctx, lg);
    if (!r) {
        state.lg = lg;
        if (!state.learnt) {
            state.inert = !interpose_learn(*pctx, lg, "libxl", &state.layout);
            handover_remove_all(HANDOVERS);
        }
        state.learnt = true;
    }
    return r;
}

EXPORT void libxl_event_register_callbacks(libxl_ctx *ctx,
                                           const libxl_event_hooks *hooks,
                                           void *user)
{
    /* Without events a guest that reboots is taken for a new one. */
    if (!state.inert && hooks && hooks->event_occurs &&
        layout_knows_events(ctx))
        hooks = reboots_hear(hooks, state.lg);
    REAL(libxl_event_register_callbacks)(ctx, hooks, user);
}

EXPORT int libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid,
                                const libxl_asyncop_how *ao_how)
{
    if (!state.inert)
        reboots_destroy(domid);
    return REAL(libxl_domain_destroy)(ctx, domid, ao_how);
}

/* ---- creates ---- */

/* A domain that is built again may be bound to CPUs that have left its
 * cpupool. */
static void adapt(const struct aim *aim, const struct keys *keys)
{
    int rc = adapt_config(aim->ctx, aim->listening, &state.layout, aim->config,
                          keys && keys_leave_pool(keys));

    if (rc)
        xtl_log(aim->lg, XTL_WARN, -1, "numa",
                "'%s': cannot tell whether its affinities hold here: %s",
                aim->config->c_info.name, strerror(-rc));
}

/* -EINVAL: refused, with a message; else the request is to be used up. */
static int read_request(const struct aim *aim, struct xml_request *request)
{
    int rc;

    *request = xml_request_of(aim);
    rc = request->refused ? -EINVAL : 0;
    if (request->keys && !aim->again && !rc)
        rc = placement_check_nodes(aim->ctx, aim->listening, request->keys,
                                   NULL, aim->config->c_info.name);
    if (rc == -EINVAL) {
        keys_free(request->keys);
        cells_free(request->cells);
        return rc;
    }
    if (aim->again)
        adapt(aim, request->keys);
    return 0;
}

/* -EINVAL: refused, with a message. *create_r is NULL where placement has no
 * part in the create. */
static int begin(libxl_ctx *ctx, struct listener *listener,
                 libxl_domain_config *config, bool restoring,
                 struct create **create_r)
{
    /* A domain that existed before may ask for what this host no longer has. */
    const bool reboots = reboots_comes_again(&config->c_info.uuid);
    const struct aim aim = {
        .ctx = ctx,
        .config = config,
        .lg = state.lg,
        .listening = &listener->vtable,
        .again = reboots || restoring,
    };
    struct xml_request request;
    struct placement *p;
    int rc;

    *create_r = NULL;
    if (read_request(&aim, &request))
        return -EINVAL;
    rc = placement_begin(ctx, &listener->vtable, &state.layout, config,
                         request.keys, NULL, &p);
    if (rc) {
        cells_free(request.cells);
    } else {
        p->cells = request.cells;
        p->again = aim.again;
        p->reboots = reboots && !restoring;
        p->restoring = restoring;
        p->helper = state.helper;
        p->lock_timeout_ms = LOCK_SHORT_TIMEOUT_MS;
        placement_prepare(p);
        rc = placement_note_request(p);
        if (!rc)
            *create_r = inflight_enter(p);
        else
            placement_end(p, true);
    }
    if (!*create_r)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': out of memory: placed by libxl itself",
                config->c_info.name);
    return 0;
}

static int end(struct create *create, struct listener *listener,
               libxl_domain_config *config, int r)
{
    if (create)
        placement_end(inflight_leave(create), r != 0);
    listener_end(listener, r ? config : NULL);
    return r;
}

EXPORT int libxl_domain_create_new(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct create *create = NULL;
    struct listener listener;
    int r;

    if (state.inert || ao_how)
        return REAL(libxl_domain_create_new)(ctx, config, domid, ao_how,
                                             aop_console_how);
    listener_begin(&listener, state.lg);
    r = begin(ctx, &listener, config, false, &create) ? ERROR_INVAL : 0;
    if (!r)
        r = REAL(libxl_domain_create_new)(ctx, config, domid, ao_how,
                                          aop_console_how);
    return end(create, &listener, config, r);
}

/* ---- saves ---- */

/* 0 also if the domain has no virtual nodes, or if Xen does not answer: libxl
 * asks the same, and refuses a domain that has some. */
static int put_vnodes(uint32_t domid, int fd)
{
    struct vnuma_record *record;
    int rc = vnodes_read(state.lg, domid, &record);

    if (rc) {
        if (rc != -ENOENT)
            xtl_log(state.lg, XTL_WARN, -1, "numa", "cannot tell whether domain "
                    "%u has virtual nodes: %s", domid, strerror(-rc));
        return 0;
    }
    rc = stream_put_vnodes(fd, record);
    vnuma_record_free(record);
    if (rc)
        xtl_log(state.lg, XTL_ERROR, -1, "numa", "domain %u is not saved: cannot "
                "write its virtual nodes: %s", domid, strerror(-rc));
    else
        vnodes_hide(domid);
    return rc;
}

EXPORT int libxl_domain_suspend(libxl_ctx *ctx, uint32_t domid, int fd,
                                int flags, const libxl_asyncop_how *ao_how)
{
    int r;

    if (!state.inert && !ao_how && put_vnodes(domid, fd))
        return ERROR_FAIL;
    r = REAL(libxl_domain_suspend)(ctx, domid, fd, flags, ao_how);
    vnodes_show();
    return r;
}

/* ---- restores ---- */

/* Put it into xsdata, where xl has it, too. */
static int take_vnodes(int fd, libxl_domain_config *config)
{
    char *text;
    int rc = stream_take_vnodes(fd, &text);

    if (!rc && text)
        rc = vnuma_record_put_text(text, &config->c_info.xsdata);
    if (rc)
        xtl_log(state.lg, XTL_ERROR, -1, "numa",
                "'%s': cannot read its virtual nodes: %s", config->c_info.name,
                strerror(-rc));
    return rc;
}

EXPORT int libxl_domain_create_restore(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid,
    int restore_fd, int send_back_fd,
    const libxl_domain_restore_params *params, const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct create *create = NULL;
    struct listener listener;
    int r;

    if (state.inert || ao_how)
        return REAL(libxl_domain_create_restore)(
            ctx, config, domid, restore_fd, send_back_fd, params, ao_how,
            aop_console_how);
    if (take_vnodes(restore_fd, config))
        return ERROR_FAIL;
    listener_begin(&listener, state.lg);
    begin(ctx, &listener, config, true, &create);
    r = REAL(libxl_domain_create_restore)(ctx, config, domid, restore_fd,
                                          send_back_fd, params, ao_how,
                                          aop_console_how);
    return end(create, &listener, config, r);
}

/* As in xl's module, but the request comes from the XML. */
EXPORT int libxl_domain_soft_reset(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct create *create = NULL;
    struct placement *p;
    int r;

    if (!state.inert && !ao_how &&
        !placement_begin_reset(ctx, state.lg, &state.layout, config, domid,
                               &p))
        create = inflight_enter(p);
    r = REAL(libxl_domain_soft_reset)(ctx, config, domid, ao_how,
                                      aop_console_how);
    if (create)
        placement_end(inflight_leave(create), r != 0);
    return r;
}
