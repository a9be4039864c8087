/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt-placement.so: the functions by which libvirtd's driver for Xen, or
 * virtxend, reaches libxl, so far as placement has a part in them.
 *
 *     libvirtd starts, with this module preloaded
 *       the constructor                 nobody else is to inherit it
 *       libxl_ctx_alloc                 the one context of all its threads
 *       libxl_event_register_callbacks  to hear who reboots
 *     virsh start web
 *       libvirt's hook, our program     what its XML asks for: handover.h
 *       libxl_domain_create_new         takes that
 *         xc_domain_max_vcpus ...       as in xl: build.c
 *
 * Many threads call at once, each for a domain of its own. After the
 * constructor the environment is neither read nor written. What is decided
 * about libxl is decided at the first call: its driver is loaded late.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>

#include "modules/build.h"
#include "modules/inflight.h"
#include "modules/interpose.h"
#include "handover.h"
#include "text/refuse.h"

/* Written before libvirtd makes its first domain, and read since. */
static struct {
    bool inert;                 /* another release: do nothing */
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
    if (!restore_tell_all(XEN_LIBEXEC_BIN "/libxl-save-helper"))
        state.helper = RESTORE_HELPER_IS_OURS;
}

EXPORT int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                           xentoollog_logger *lg)
{
    int r = REAL(libxl_ctx_alloc)(pctx, version, flags, lg);

    build_serve(r ? NULL : *pctx, lg);
    if (!r) {
        state.inert = interpose_release_differs(lg, "libxl");
        state.lg = lg;
    }
    return r;
}

/* ---- domains that come again ---- */

/*
 * libvirt makes a domain that reboots as it makes a new one. But a new one may
 * be refused, and then somebody sees why; one that reboots would be lost. So
 * those are known by what libxl tells of their end.
 */
struct again {
    struct again *next;
    libxl_uuid uuid;
};

static struct {
    pthread_mutex_t lock;
    struct again *list;
    const libxl_event_hooks *hooks;     /* libvirt's */
    void *user;
    libxl_event_hooks ours;
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

/* Whether it was expected, which it then is no more. */
static bool comes_again(const libxl_uuid *uuid)
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
    xc_interface *xch = xc_interface_open(state.lg, NULL, 0);
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

EXPORT void libxl_event_register_callbacks(libxl_ctx *ctx,
                                           const libxl_event_hooks *hooks,
                                           void *user)
{
    if (state.inert || !hooks || !hooks->event_occurs) {
        REAL(libxl_event_register_callbacks)(ctx, hooks, user);
        return;
    }
    events.hooks = hooks;
    events.ours = *hooks;
    events.ours.event_occurs = event_occurs;
    REAL(libxl_event_register_callbacks)(ctx, &events.ours, user);
}

/* ---- why a create fails ---- */

/* A logger that passes on what it is told of one domain, and keeps the last
 * error: libvirt's own says nothing but that there was one. */
struct listener {
    xentoollog_logger vtable;
    xentoollog_logger *lg;
    char *error;
};

__attribute__((format(printf, 5, 0)))
static void hear(xentoollog_logger *logger, xentoollog_level level,
                 int errnoval, const char *context, const char *format,
                 va_list ap)
{
    struct listener *listener = (struct listener *)logger;
    va_list copy;

    if (level >= XTL_ERROR) {
        free(listener->error);
        va_copy(copy, ap);
        if (vasprintf(&listener->error, format, copy) < 0)
            listener->error = NULL;
        va_end(copy);
    }
    listener->lg->vmessage(listener->lg, level, errnoval, context, format, ap);
}

static void hear_of_progress(xentoollog_logger *logger, const char *context,
                             const char *what, int percent,
                             unsigned long done, unsigned long total)
{
    struct listener *listener = (struct listener *)logger;

    listener->lg->progress(listener->lg, context, what, percent, done, total);
}

static void ignore_destroy(xentoollog_logger *logger)
{
    (void)logger;
}

static void begin_listening(struct listener *listener)
{
    *listener = (struct listener){
        .vtable = { hear, hear_of_progress, ignore_destroy },
        .lg = state.lg,
    };
}

/* "web: WHY" and "'web': WHY" are WHY. */
static const char *without_name(const char *error, const char *name)
{
    bool quoted = error[0] == '\'';
    const char *end = quoted ? "': " : ": ";
    size_t length = strlen(name);

    if (strncmp(error + quoted, name, length) ||
        strncmp(error + quoted + length, end, strlen(end)))
        return error;
    return error + quoted + length + strlen(end);
}

/*
 * libvirt says "failed to create new domain 'web'", with the name that it has
 * put into the configuration, which it then disposes of. So that is where our
 * reason can stand: "... 'web (no node 7 here: ...)'".
 */
static void explain(const char *error, libxl_domain_config *config)
{
    char *name = config->c_info.name, *explained;

    if (asprintf(&explained, "%s (%s)", name, without_name(error, name)) < 0)
        return;
    free(name);
    config->c_info.name = explained;
}

/* ---- what its XML asks for ---- */

/* What is made. */
struct aim {
    libxl_ctx *ctx;
    libxl_domain_config *config;
    bool again;                 /* a restore, or a reboot: never refused */
};

struct request {
    struct keys *keys;
    struct cells *cells;        /* NULL: it has none */
    bool refused;               /* a new domain is not made so */
};

/* One vCPU's, from a list of CPUs of which the host may lack some. */
static int bind_vcpu(libxl_ctx *ctx, const char *list, libxl_bitmap *bitmap)
{
    struct xln_cpumap *cpus;
    unsigned cpu;
    int rc;

    if (libxl_cpu_bitmap_alloc(ctx, bitmap, 0))
        return -ENOMEM;
    rc = xln_cpumap_new(bitmap->size * 8, &cpus);
    if (rc)
        return rc;
    rc = xln_cpumap_parse(list, NULL, XLN_PARSE_SKIP_ABSENT, cpus, NULL);
    if (!rc)
        XLN_FOREACH(xln_cpumap, cpu, cpus)
            libxl_bitmap_set(bitmap, cpu);
    xln_cpumap_free(cpus);
    return rc;
}

static void dispose_bitmaps(libxl_bitmap *bitmaps, int nr)
{
    int i;

    for (i = 0; i < nr; i++)
        libxl_bitmap_dispose(&bitmaps[i]);
    free(bitmaps);
}

/* cpus=, a list for all vCPUs or one for each. */
static const char *list_of_vcpu(const XLU_Config *xlu, unsigned vcpu)
{
    XLU_ConfigList *list;
    const char *text;
    int nr;

    if (!xlu_cfg_get_string(xlu, "cpus", &text, 1))
        return text;
    if (xlu_cfg_get_list(xlu, "cpus", &list, &nr, 1) || vcpu >= (unsigned)nr)
        return NULL;
    return xlu_cfg_get_listitem(list, vcpu);
}

/* Xen refuses a vCPU without a CPU. -EINVAL: none of the list is here. */
static int check_bound(const struct aim *aim, const char *list, bool is_news,
                       libxl_bitmap *bitmap, char **error_r)
{
    if (!libxl_bitmap_is_empty(bitmap))
        return 0;
    if (!aim->again)
        return xln__refuse(error_r, "%s: cpus=\"%s\": none of these CPUs is on "
                           "this host", aim->config->c_info.name, list);
    if (is_news)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': cpus=\"%s\": none of these CPUs is on this host: it may "
                "run on all", aim->config->c_info.name, list);
    libxl_bitmap_set_any(bitmap);
    return 0;
}

/*
 * libvirt itself passes what <vcpupin> says, and nothing of <vcpu cpuset>. This
 * has both, so it takes the place of that.
 */
static int bind_vcpus(const struct aim *aim, const XLU_Config *xlu,
                      char **error_r)
{
    libxl_domain_build_info *info = &aim->config->b_info;
    libxl_bitmap *bitmaps;
    const char *list;
    int i, rc = 0;

    if (!list_of_vcpu(xlu, 0))
        return 0;
    bitmaps = calloc(info->max_vcpus, sizeof(*bitmaps));
    if (!bitmaps)
        return -ENOMEM;
    for (i = 0; i < info->max_vcpus && !rc; i++) {
        list = list_of_vcpu(xlu, i);
        rc = bind_vcpu(aim->ctx, list ? list : "all", &bitmaps[i]);
        if (!rc && list)
            rc = check_bound(aim, list, !i || list != list_of_vcpu(xlu, i - 1),
                             &bitmaps[i], error_r);
    }
    if (rc) {
        dispose_bitmaps(bitmaps, info->max_vcpus);
        return rc;
    }
    dispose_bitmaps(info->vcpu_hard_affinity, info->num_vcpu_hard_affinity);
    info->vcpu_hard_affinity = bitmaps;
    info->num_vcpu_hard_affinity = info->max_vcpus;
    libxl_defbool_set(&info->numa_placement, false);
    return 0;
}

/* What <memnode> says of a cell; "": nothing. */
static int read_cell(const char *text, struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *nodes;
    int rc;

    if (!*text)
        return 0;
    rc = xln_nodemap_new(XLN_MAX_NODES, &nodes);
    if (rc)
        return rc;
    rc = xln_nodemap_parse(text, 0, nodes, NULL);
    if (rc) {
        xln_nodemap_free(nodes);
        return rc;
    }
    *nodes_r = nodes;
    return 0;
}

static int read_cells(const XLU_Config *xlu, struct cells **cells_r)
{
    XLU_ConfigList *list;
    struct cells *cells;
    const char *text;
    int i, nr, rc;

    if (xlu_cfg_get_list(xlu, "cell_nodes", &list, &nr, 1))
        return 0;
    rc = cells_new(nr, &cells);
    if (rc)
        return rc;
    for (i = 0; i < nr && !rc; i++) {
        text = xlu_cfg_get_listitem(list, i);
        rc = text ? read_cell(text, &cells->nodes[i]) : 0;
    }
    if (rc) {
        cells_free(cells);
        return rc;
    }
    *cells_r = cells;
    return 0;
}

static int parse_request(const struct aim *aim, const char *text, size_t size,
                         struct request *request, char **error_r)
{
    const char *name = aim->config->c_info.name;
    XLU_Config *xlu = xlu_cfg_init(stderr, name);
    int rc;

    if (!xlu)
        return -ENOMEM;
    rc = xlu_cfg_readdata(xlu, text, size) ? -EINVAL : 0;
    if (!rc)
        rc = aim->again ? keys_read_again(xlu, name, &request->keys, error_r)
                        : keys_read_domain(xlu, name, NULL, &request->keys,
                                           error_r);
    if (!rc)
        rc = bind_vcpus(aim, xlu, error_r);
    if (!rc)
        rc = read_cells(xlu, &request->cells);
    xlu_cfg_destroy(xlu);
    if (rc) {
        keys_free(request->keys);
        request->keys = NULL;
    }
    return rc;
}

static int read_request(const struct aim *aim, struct request *request,
                        char **error_r)
{
    size_t size, length = strlen(HANDOVER_WRONG);
    char uuid[37], *text;
    int rc;

    snprintf(uuid, sizeof(uuid), LIBXL_UUID_FMT,
             LIBXL_UUID_BYTES(aim->config->c_info.uuid));
    rc = handover_take(HANDOVERS, uuid, &text, &size);
    if (rc)
        return rc;
    if (!strncmp(text, HANDOVER_WRONG, length))
        rc = xln__refuse(error_r, "%s", text + length);
    else
        rc = parse_request(aim, text, size, request, error_r);
    free(text);
    return rc;
}

/* Where there is none, the host's defaults hold, for a reason that is said. */
static struct request request_of(const struct aim *aim,
                                 struct listener *listener)
{
    const char *name = aim->config->c_info.name;
    struct request request = { 0 };
    char *error = NULL;
    int rc = read_request(aim, &request, &error);

    request.refused = rc == -EINVAL && error && !aim->again;
    if (request.refused)
        xtl_log(&listener->vtable, XTL_ERROR, -1, "numa", "%s", error);
    else if (rc == -ENOENT)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': our hook has left nothing in " HANDOVERS ", as if "
                "libvirt had not run it: what its XML says of placement does "
                "not hold, but for <vcpupin>", name);
    else if (rc)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': cannot read what its XML says of placement: %s", name,
                error ? error : strerror(-rc));
    free(error);
    return request;
}

/* ---- creates ---- */

/* -EINVAL: refused, which was said. *create_r is NULL where placement has no
 * part in the create. */
static int begin(libxl_ctx *ctx, struct listener *listener,
                 libxl_domain_config *config, bool restoring,
                 struct create **create_r)
{
    /* One that was made before may ask for what is not here, or not any more. */
    const struct aim aim = {
        .ctx = ctx, .config = config,
        .again = comes_again(&config->c_info.uuid) || restoring,
    };
    struct request request = request_of(&aim, listener);
    struct placement *p;
    int rc = request.refused ? -EINVAL : 0;

    *create_r = NULL;
    if (request.keys && !aim.again && !rc)
        rc = placement_check_nodes(&listener->vtable, request.keys,
                                   config->c_info.name);
    if (rc == -EINVAL) {
        keys_free(request.keys);
        cells_free(request.cells);
        return rc;
    }
    rc = placement_begin(ctx, &listener->vtable, config, request.keys, &p);
    if (rc) {
        cells_free(request.cells);
    } else {
        p->cells = request.cells;
        p->restoring = restoring;
        p->helper = state.helper;
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
    if (r && listener->error)
        explain(listener->error, config);
    free(listener->error);
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
    begin_listening(&listener);
    r = begin(ctx, &listener, config, false, &create) ? ERROR_INVAL : 0;
    if (!r)
        r = REAL(libxl_domain_create_new)(ctx, config, domid, ao_how,
                                          aop_console_how);
    return end(create, &listener, config, r);
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
    begin_listening(&listener);
    begin(ctx, &listener, config, true, &create);
    r = REAL(libxl_domain_create_restore)(ctx, config, domid, restore_fd,
                                          send_back_fd, params, ao_how,
                                          aop_console_how);
    return end(create, &listener, config, r);
}

/* What xl's module does, but that the request is in the XML. */
EXPORT int libxl_domain_soft_reset(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct create *create = NULL;
    struct placement *p;
    int r;

    if (!state.inert && !ao_how &&
        !placement_begin_reset(ctx, state.lg, config, domid, &p))
        create = inflight_enter(p);
    r = REAL(libxl_domain_soft_reset)(ctx, config, domid, ao_how,
                                      aop_console_how);
    if (create)
        placement_end(inflight_leave(create), r != 0);
    return r;
}
