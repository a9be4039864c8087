/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl-placement.so: the functions by which the installed xl reaches libxl,
 * libxlutil and libxenctrl, so far as placement has a part in them. Each does
 * its part and calls the real one.
 *
 * libxl is one shared object and libxenctrl another, so what one calls in the
 * other comes through here too:
 *
 *     xl create g.cfg
 *       xlu_cfg_init                    the file's name, for messages
 *       xlu_cfg_readdata                our keys are read, and checked
 *       libxl_domain_need_memory        before Domain-0 gives up memory: refuse
 *                                       what that does not help
 *       libxl_domain_create_new         the request is noted in the config
 *         xc_domain_max_vcpus           libxl's first call of a build: plan
 *         xc_domain_populate_physmap    each extent from its node
 *       <- libxl_domain_create_new      record, warn, take the plan out
 *     the guest reboots
 *       libxl_retrieve_domain_configuration   what --keep noted is put in
 *       libxl_domain_create_new         what no longer holds is dropped; ...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>
#include <xenctrl.h>

#include "build.h"
#include "hidden_vnodes.h"
#include "in_flight.h"
#include "interpose.h"
#include "moves.h"
#include "vnodes.h"
#include "placement/adapt.h"
#include "placement/decide.h"
#include "placement/keep.h"
#include "placement/misspelt.h"
#include "placement/pci_devices.h"
#include "placement/unbound.h"
#include "placement/environment.h"
#include "text/units.h"

/* All that this file keeps. xl calls from one thread. */
static struct {
    bool started;               /* the first libxl_ctx_alloc() was seen */
    bool inert;                 /* a libxl that is not known: do nothing */
    struct layout layout;       /* of libxl, unless inert */
    bool dry_run;
    bool paused;                /* migrate: not live */
    bool ran;                   /* the domain: what is built now, it is again */
    char *planned_nodes;        /* of the next create; NULL: none are */
    bool sxp;                   /* xl prints its dry run in the old form */
    struct placement *foreseen; /* of the next create; NULL: not begun yet */
    bool refused;               /* the next create, and that was reported */
    libxl_ctx *ctx;
    xentoollog_logger *lg;
    const XLU_Config *parsing;  /* the last source that xlu_cfg_init() got */
    char *source;
    struct keys *keys;          /* of the text that was parsed last, */
    struct keys *defaults;      /* with these of the host */
} state;

/* ---- the process ---- */

static void take_planned_nodes(void)
{
    const char *nodes = getenv(MODULE_NODES);

    state.planned_nodes = nodes ? strdup(nodes) : NULL;
    unsetenv(MODULE_NODES);
}

EXPORT int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                           xentoollog_logger *lg)
{
    int r = REAL(libxl_ctx_alloc)(pctx, version, flags, lg);

    if (!state.started) {
        state.started = true;
        state.dry_run = getenv(MODULE_DRY_RUN);
        unsetenv(MODULE_DRY_RUN);
        state.paused = getenv(MODULE_PAUSED);
        unsetenv(MODULE_PAUSED);
        take_planned_nodes();
        moves_take_environment();
        unsetenv(MODULE_GUARD);
        interpose_leave_preload();
        if (!r)
            state.inert = !interpose_learn(*pctx, lg, "xl", &state.layout);
    }
    if (!r) {
        state.ctx = *pctx;
        state.lg = lg;
    }
    build_serve(r ? NULL : *pctx, lg);
    moves_begin(lg, state.inert);
    return r;
}

/* ---- configurations ---- */

EXPORT XLU_Config *xlu_cfg_init(FILE *report, const char *source)
{
    XLU_Config *config = REAL(xlu_cfg_init)(report, source);

    /* Only what this module does not read itself. */
    if (config && source && strcmp(source, HOST_DEFAULTS)) {
        free(state.source);
        state.source = strdup(source);
        state.parsing = state.source ? config : NULL;
    }
    return config;
}

/* Read and check a domain's keys; says what is wrong with them. */
static int read_keys(const XLU_Config *config, const struct keys *defaults,
                     struct keys **keys_r)
{
    struct cells *cells = NULL;
    struct keys *keys = NULL;
    char *error = NULL;
    int rc;

    rc = keys_read_domain(config, state.source, defaults, &keys, &cells,
                          &error);
    if (error)
        xtl_log(state.lg, XTL_ERROR, -1, "numa", "%s", error);
    free(error);
    /* Here, where the status is that of a bad file. */
    if (!rc)
        rc = placement_check_nodes(state.ctx, state.lg, keys, cells,
                                   state.source);
    cells_free(cells);
    if (rc) {
        keys_free(keys);
        return rc;
    }
    *keys_r = keys;
    return 0;
}

static int read_domain_config(const XLU_Config *config)
{
    struct keys *defaults, *keys;
    int rc;

    rc = placement_host_defaults(state.ctx, state.lg, &defaults);
    if (rc)
        return rc;
    rc = read_keys(config, defaults, &keys);
    if (rc) {
        keys_free(defaults);
        return rc;
    }
    if (state.dry_run && state.sxp)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "a dry run in sxp format does not show the placement");
    /* A domain from a configuration file is new. */
    if (strcmp(state.source, "<updated>"))
        state.ran = false;
    keys_free(state.keys);
    keys_free(state.defaults);
    state.keys = keys;
    state.defaults = defaults;
    return 0;
}

/*
 * An error makes xl end. That is right for a mistake of the user. It is not
 * right for a failure in this module, or for a mistake that shows only when a
 * guest reboots after `xl config-update`: the guest would be lost.
 */
static int outcome(int rc)
{
    bool rebooting = !strcmp(state.source, "<updated>");

    if (rc == -EINVAL && !rebooting)
        return EINVAL;
    if (rc)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "%s: cannot read the keys: %s: the default request applies",
                state.source, strerror(-rc));
    return 0;
}

static void warn_of_misspelt(const char *data, int size)
{
    char *line = misspelt_find(data, size);

    if (line)
        xtl_log(state.lg, XTL_WARN, -1, "numa", "%s: %s", state.source, line);
    free(line);
}

static void read_xl_conf(const XLU_Config *config)
{
    const char *format;

    state.sxp = !xlu_cfg_get_string(config, "output_format", &format, 1) &&
                !strcmp(format, "sxp");
}

EXPORT int xlu_cfg_readdata(XLU_Config *config, const char *data, int size)
{
    int e = REAL(xlu_cfg_readdata)(config, data, size);

    if (e || state.inert || !state.started || config != state.parsing)
        return e;
    state.parsing = NULL;
    if (!strcmp(state.source, XEN_CONFIG_DIR "/xl.conf")) {
        read_xl_conf(config);
        return 0;
    }
    warn_of_misspelt(data, size);
    return outcome(read_domain_config(config));
}

/* For one create only; a later build reads the settings of its time. */
static struct keys *take(struct keys **keys)
{
    struct keys *taken = *keys;

    *keys = NULL;
    return taken;
}

static void forget_keys(void)
{
    keys_free(take(&state.keys));
    keys_free(take(&state.defaults));
}

static void warn_unplaced(const libxl_domain_config *config, const char *why)
{
    xtl_log(state.lg, XTL_WARN, -1, "numa", "'%s': %s: placed by xl itself",
            config->c_info.name, why);
}

/* Print it with the plan, if there is one. */
static char *planned_json(libxl_ctx *ctx, libxl_domain_config *config,
                          struct placement *p)
{
    xc_interface *xch = xc_interface_open(state.lg, NULL, 0);
    bool refused = false;
    char *json;

    placement_prepare(p);
    if (xch)
        refused = placement_plan(p, xch, XLN_NONE) == -ENOSPC;
    else
        warn_unplaced(config, "cannot reach the hypervisor");
    json = REAL(libxl_domain_config_to_json)(ctx, config);
    placement_end(p, refused);
    if (xch)
        xc_interface_close(xch);
    return json;
}

/* A dry run prints its configuration instead of building it. */
EXPORT char *libxl_domain_config_to_json(libxl_ctx *ctx,
                                         libxl_domain_config *config)
{
    struct placement *p;

    if (!state.dry_run || state.inert || inflight_any())
        return REAL(libxl_domain_config_to_json)(ctx, config);
    if (!placement_begin(ctx, state.lg, &state.layout, config,
                         take(&state.keys), take(&state.defaults), &p))
        return planned_json(ctx, config, p);
    warn_unplaced(config, "out of memory");
    return REAL(libxl_domain_config_to_json)(ctx, config);
}

static void put_vnodes(uint32_t domid, const struct keep *keep,
                       libxl_domain_config *config)
{
    int rc = vnodes_put(state.lg, domid, keep, moves_sends(), moves_keep(),
                        config);

    if (rc)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': cannot tell its virtual nodes: %s", config->c_info.name,
                strerror(-rc));
}

static void apply_kept(libxl_ctx *ctx, uint32_t domid,
                       libxl_domain_config *config)
{
    const char *moved = moves_keep();
    struct keep *keep = NULL;
    int rc;

    rc = moved ? keep_parse(moved, strlen(moved), &keep)
               : keep_read(ctx, domid, &keep);
    if (!rc)
        rc = keep_apply(keep, ctx, config);
    if (rc)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': cannot keep its affinity: %s", config->c_info.name,
                strerror(-rc));
    put_vnodes(domid, keep, config);
    keep_free(keep);
}

/* xl asks for it before a reboot, a save and a migration. */
EXPORT int libxl_retrieve_domain_configuration(libxl_ctx *ctx, uint32_t domid,
                                               libxl_domain_config *config,
                                               const libxl_asyncop_how *ao_how)
{
    int r = REAL(libxl_retrieve_domain_configuration)(ctx, domid, config,
                                                      ao_how);

    if (!r && !ao_how && !state.inert)
        apply_kept(ctx, domid, config);
    return r;
}

EXPORT int libxl_domain_suspend(libxl_ctx *ctx, uint32_t domid, int fd,
                                int flags, const libxl_asyncop_how *ao_how)
{
    int r;

    if (state.paused)
        flags &= ~LIBXL_SUSPEND_LIVE;
    if (!state.inert && !vnodes_begin_suspend(state.lg, domid))
        return ERROR_INVAL;
    r = REAL(libxl_domain_suspend)(ctx, domid, fd, flags, ao_how);
    vnodes_show();
    moves_note_answered();
    return r;
}

/* ---- before a create ---- */

/* Without memory for it, libxl places this domain and all later ones. */
static struct placement *prepare(libxl_ctx *ctx, libxl_domain_config *config)
{
    struct placement *p;

    if (placement_begin(ctx, state.lg, &state.layout, config,
                        take(&state.keys), take(&state.defaults), &p)) {
        warn_unplaced(config, "out of memory");
        state.inert = true;
        return NULL;
    }
    p->planned_nodes = state.planned_nodes;
    state.planned_nodes = NULL;
    placement_prepare(p);
    return p;
}

/* What no host could satisfy. Virtual nodes do not count here, because it is
 * not known yet whether the domain is restored, and then gets none. */
static bool foresee_refusal(struct placement *p, uint64_t more_kb)
{
    const struct xln_request *request = p->request;
    xc_interface *xch;
    bool refused;

    if (!request || (request->mode != XLN_MODE_STRICT &&
                     !decide_binds_each(request->vcpus_mode)))
        return false;
    xch = xc_interface_open(state.lg, NULL, 0);
    if (!xch)
        return false;
    p->restoring = true;
    refused = placement_refuses(p, xch, more_kb * KIB);
    xc_interface_close(xch);
    return refused;
}

static bool refuses_first(libxl_ctx *ctx, libxl_domain_config *config,
                          uint64_t need_kb)
{
    uint64_t free_kb;

    if (libxl_get_free_memory(ctx, &free_kb) || free_kb >= need_kb)
        return false;
    state.foreseen = prepare(ctx, config);
    if (!state.foreseen)
        return false;
    state.refused = foresee_refusal(state.foreseen, need_kb - free_kb);
    if (state.refused) {
        placement_end(state.foreseen, true);
        state.foreseen = NULL;
    }
    return state.refused;
}

/*
 * With autoballoon xl asks for it, and what is not free is taken from Domain-0,
 * which gets none of it back when the create is refused. A plan asks here too.
 * A guest that reboots is made in any case, and one that is adopted is there.
 */
EXPORT int libxl_domain_need_memory(libxl_ctx *ctx,
                                    libxl_domain_config *config,
                                    uint32_t domid, uint64_t *need_kb_r)
{
    int r;

    /* libxl knows no cpupool "auto". */
    if (!state.inert && state.keys)
        keys_take_pool(state.keys, config);
    r = REAL(libxl_domain_need_memory)(ctx, config, domid, need_kb_r);
    if (r || state.inert || state.ran || state.dry_run || state.foreseen ||
        inflight_any())
        return r;
    if (moves_adopts() || refuses_first(ctx, config, *need_kb_r))
        *need_kb_r = 0;
    return 0;
}

/* ---- creates ---- */

static void warn_unadapted(const libxl_domain_config *config, int rc)
{
    if (rc)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': cannot tell whether its cpupool and affinities hold "
                "here: %s", config->c_info.name, strerror(-rc));
}

static void warn_lost_vnodes(const struct placement *p)
{
    if (p->restoring && vnodes_are_received() && !p->vnodes)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': its virtual nodes are lost: the guest still sees them, "
                "but their memory is mixed", p->config->c_info.name);
}

static struct create *begin(libxl_ctx *ctx, libxl_domain_config *config,
                            const libxl_asyncop_how *ao_how, bool restoring)
{
    struct create *create = NULL;
    struct placement *p;

    /* An asynchronous create could not restore the configuration. */
    if (state.inert || ao_how)
        return NULL;
    p = state.foreseen ? state.foreseen : prepare(ctx, config);
    state.foreseen = NULL;
    if (state.ran || restoring)
        warn_unadapted(config, adapt_config(ctx, state.lg, &state.layout,
                                            config, p && p->any_pool));
    if (!p)
        return NULL;
    p->again = p->again || state.ran;
    p->reboots = state.ran && !restoring;
    p->restoring = restoring;
    warn_lost_vnodes(p);
    if (!placement_note_request(p))
        create = inflight_enter(p);
    else
        placement_end(p, true);
    if (!create)
        warn_unplaced(config, "out of memory");
    return create;
}

/*
 * libxl has removed a domain that it could not build, and still returns its
 * domid. xl would remove it once more, and end with three lines about a domain
 * that does not exist, after the line that says what is wrong.
 */
static void forget_removed(uint32_t *domid)
{
    xc_interface *xch = xc_interface_open(state.lg, NULL, 0);
    xc_domaininfo_t info;

    if (!xch)
        return;
    if (xc_domain_getinfolist(xch, *domid, 1, &info) < 1 ||
        info.domain != *domid)
        *domid = INVALID_DOMID;
    xc_interface_close(xch);
}

static int end(struct create *create, uint32_t *domid, int r)
{
    state.ran |= !r;
    if (!create)
        return r;
    if (placement_end(inflight_leave(create), r != 0))
        forget_removed(domid);
    return r;
}

/* The check before Domain-0 releases memory has reported it. */
static bool was_refused(void)
{
    bool refused = state.refused;

    state.refused = false;
    return refused;
}

/* What libxl would find out when the domain is half made; NULL: nothing. */
static char *find_refusal(libxl_ctx *ctx, const libxl_domain_config *config)
{
    const struct placement *p = state.foreseen;
    struct pci_devices devices;
    char *line = NULL;

    if (!(p ? p->any_pool : keys_leave_pool(state.keys)))
        line = unbound_explain(ctx, config);
    if (line)
        return line;
    pci_devices_read(ctx, &state.layout, config, &devices);
    if (pci_devices_explain(&devices, &line))
        line = NULL;
    pci_devices_dispose(&devices);
    return line;
}

/* Only a user's new configuration is refused. A guest that ran before comes
 * back, even if its CPUs have left the cpupool. */
static bool refuses(libxl_ctx *ctx, const libxl_domain_config *config)
{
    const struct placement *p = state.foreseen;
    bool written = p ? !p->again : state.keys != NULL;
    char *line;

    if (state.inert || !written || !strcmp(state.source, "<updated>"))
        return false;
    line = find_refusal(ctx, config);
    if (!line)
        return false;
    xtl_log(state.lg, XTL_ERROR, -1, "numa", "'%s': %s", config->c_info.name,
            line);
    free(line);
    forget_keys();
    return true;
}

EXPORT int libxl_domain_create_new(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct create *create;

    if (moves_adopts()) {
        forget_keys();
        state.ran = true;
        return moves_adopt(ctx, &state.layout, config, domid);
    }
    /* libxl would fail later with the same status of xl. */
    if (was_refused() || refuses(ctx, config))
        return ERROR_FAIL;
    create = begin(ctx, config, ao_how, false);
    return end(create, domid,
               REAL(libxl_domain_create_new)(ctx, config, domid, ao_how,
                                             aop_console_how));
}

EXPORT int libxl_domain_create_restore(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid,
    int restore_fd, int send_back_fd,
    const libxl_domain_restore_params *params, const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct create *create;
    int r;

    if (was_refused())
        return ERROR_FAIL;
    create = begin(ctx, config, ao_how, true);
    r = REAL(libxl_domain_create_restore)(ctx, config, domid, restore_fd,
                                          send_back_fd, params, ao_how,
                                          aop_console_how);
    if (!r && !state.inert)
        moves_note_received(config);
    return end(create, domid, r);
}

EXPORT int libxl_domain_soft_reset(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct create *create = NULL;
    struct keys *keys = take(&state.keys);
    struct placement *p;

    keys_free(take(&state.defaults));
    /* After `xl config-update` the new request is stored with the new
     * configuration, and applies when the guest reboots. */
    if (keys)
        keys_write_xsdata(keys, &config->c_info.xsdata);
    keys_free(keys);
    if (!state.inert && !ao_how)
        warn_unadapted(config, adapt_pool(ctx, state.lg, config));
    if (!state.inert && !ao_how &&
        !placement_begin_reset(ctx, state.lg, &state.layout, config, domid,
                               &p))
        create = inflight_enter(p);
    return end(create, &domid,
               REAL(libxl_domain_soft_reset)(ctx, config, domid, ao_how,
                                             aop_console_how));
}
