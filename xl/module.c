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
 *       libxl_domain_create_new         the request is noted in the config
 *         xc_domain_max_vcpus           libxl's first call of a build: plan
 *         xc_domain_populate_physmap    each extent from its node
 *       <- libxl_domain_create_new      record, warn, take the plan out
 *     the guest reboots
 *       libxl_retrieve_domain_configuration   what --keep noted is put in
 *       libxl_domain_create_new ...
 */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>
#include <xenctrl.h>

#include "keep.h"
#include "misspelt.h"
#include "module.h"
#include "placement.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT extern const char xl_placement_release[];
const char xl_placement_release[] = XEN_RELEASE;

/*
 * All that this file keeps. Creates in flight are found by their domain, never
 * by thread: the event loop of one thread may build the domain of another.
 */
static struct {
    pthread_mutex_t lock;
    bool started;               /* the first libxl_ctx_alloc() was seen */
    bool inert;                 /* another release: do nothing */
    bool dry_run;
    bool paused;                /* migrate: not live */
    char *planned_nodes;        /* of the next create; NULL: none are */
    bool sxp;                   /* xl prints its dry run in the old form */
    libxl_ctx *ctx;
    xentoollog_logger *lg;
    const XLU_Config *parsing;  /* what xlu_cfg_init() was told last */
    char *source;
    struct keys *keys;          /* of the text that was parsed last */
    struct restore *restore;    /* libxl-save-helper: what xl shares with it */
    bool attached;              /* ... which has been looked for */
    struct in_flight *creates;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct in_flight {
    struct in_flight *next;
    struct placement *placement;
};

/* The real function; the process has it, or could not have called ours. */
static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function) {
        fprintf(stderr, "xl-placement.so: no %s in this process\n", name);
        abort();
    }
    return function;
}

#define REAL(name) ((__typeof__(&name))real(#name))

/* ---- the process ---- */

/* LD_PRELOAD as it was before our xl put this module at its head: whatever
 * this process starts shall not have it. */
static void restore_preload(void)
{
    const char *list = getenv("LD_PRELOAD"), *rest;
    Dl_info self;

    if (!list || !dladdr(xl_placement_release, &self) ||
        strncmp(list, self.dli_fname, strlen(self.dli_fname)))
        return;
    rest = list + strlen(self.dli_fname);
    if (*rest == '\0')
        unsetenv("LD_PRELOAD");
    else if (*rest == ':')
        setenv("LD_PRELOAD", rest + 1, 1);
}

/* libxl's structures differ from release to release. */
static bool release_differs(xentoollog_logger *lg)
{
    const char *base;
    Dl_info libxl;

    if (!dladdr(real("libxl_ctx_alloc"), &libxl))
        return true;
    base = strrchr(libxl.dli_fname, '/');
    base = base ? base + 1 : libxl.dli_fname;
    if (!strcmp(base, "libxenlight.so." XEN_RELEASE) ||
        !strncmp(base, "libxenlight.so." XEN_RELEASE ".",
                 strlen("libxenlight.so." XEN_RELEASE ".")))
        return false;
    xtl_log(lg, XTL_WARN, -1, "numa",
            "this module is for Xen %s, %s is not: domains are placed by xl "
            "itself", XEN_RELEASE, base);
    return true;
}

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
        unsetenv(MODULE_GUARD);
        restore_preload();
        if (!r)
            state.inert = release_differs(lg);
    }
    if (!r) {
        state.ctx = *pctx;
        state.lg = lg;
    }
    return r;
}

/* ---- the creates in flight ---- */

static struct in_flight *enter(struct placement *p)
{
    struct in_flight *entry = malloc(sizeof(*entry));

    if (!entry)
        return NULL;
    entry->placement = p;
    pthread_mutex_lock(&state.lock);
    entry->next = state.creates;
    state.creates = entry;
    pthread_mutex_unlock(&state.lock);
    return entry;
}

static void leave(struct in_flight *entry)
{
    struct in_flight **at;

    pthread_mutex_lock(&state.lock);
    for (at = &state.creates; *at != entry; at = &(*at)->next)
        ;
    *at = entry->next;
    pthread_mutex_unlock(&state.lock);
    free(entry);
}

static bool any_in_flight(void)
{
    bool any;

    pthread_mutex_lock(&state.lock);
    any = state.creates;
    pthread_mutex_unlock(&state.lock);
    return any;
}

/* ---- configurations ---- */

EXPORT XLU_Config *xlu_cfg_init(FILE *report, const char *source)
{
    XLU_Config *config = REAL(xlu_cfg_init)(report, source);

    /* Not what this module reads itself. */
    if (config && source && strcmp(source, HOST_DEFAULTS)) {
        free(state.source);
        state.source = strdup(source);
        state.parsing = state.source ? config : NULL;
    }
    return config;
}

/* Nodes that this host has not got are an error where a user names them just
 * now; so that is here, where the status is that of a bad file. */
static int check_nodes(const struct keys *keys, char **error_r)
{
    struct xln_host *host = NULL;
    xc_interface *xch;
    int rc = 0;

    if (!keys_name_nodes(keys))
        return 0;
    xch = xc_interface_open(state.lg, NULL, 0);
    if (!xch)
        return 0;
    if (!xln_host_read(xch, NULL, &host))
        rc = keys_check_nodes(keys, state.source, xln_host_nodes(host),
                              error_r);
    xln_host_free(host);
    xc_interface_close(xch);
    return rc;
}

/* Read and check a domain's keys; says what is wrong with them. */
static int read_keys(const XLU_Config *config, const struct keys *defaults,
                     struct keys **keys_r)
{
    struct keys *keys = NULL;
    char *error = NULL;
    int rc;

    rc = keys_read_domain(config, state.source, defaults, &keys, &error);
    if (!rc)
        rc = check_nodes(keys, &error);
    if (error)
        xtl_log(state.lg, XTL_ERROR, -1, "numa", "%s", error);
    free(error);
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
    keys_free(defaults);
    if (rc)
        return rc;
    if (state.dry_run && state.sxp)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "a dry run in sxp format does not show the placement");
    keys_free(state.keys);
    state.keys = keys;
    return 0;
}

/*
 * What xl makes of an error: it ends. A user's mistake is worth that, but not
 * what went wrong here, nor, when a guest reboots after `xl config-update`,
 * a mistake that nobody is there to mend: the guest would be gone.
 */
static int outcome(int rc)
{
    bool rebooting = !strcmp(state.source, "<updated>");

    if (rc == -EINVAL && !rebooting)
        return EINVAL;
    if (rc)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "%s: cannot read the keys: %s: the default request holds",
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

static struct keys *take_keys(void)
{
    struct keys *keys = state.keys;

    state.keys = NULL;
    return keys;
}

/* A dry run prints its configuration instead of building it. */
EXPORT char *libxl_domain_config_to_json(libxl_ctx *ctx,
                                         libxl_domain_config *config)
{
    bool refused = false;
    struct placement *p;
    xc_interface *xch;
    char *json;

    if (!state.dry_run || state.inert || any_in_flight() ||
        placement_begin(ctx, state.lg, config, take_keys(), &p))
        return REAL(libxl_domain_config_to_json)(ctx, config);
    xch = xc_interface_open(state.lg, NULL, 0);
    if (xch)
        refused = placement_plan(p, xch, XLN_NONE) == -ENOSPC;
    json = REAL(libxl_domain_config_to_json)(ctx, config);
    placement_end(p, refused);
    if (xch)
        xc_interface_close(xch);
    return json;
}

static void apply_kept(libxl_ctx *ctx, uint32_t domid,
                       libxl_domain_config *config)
{
    struct keep *keep = NULL;
    int rc;

    rc = keep_read(ctx, domid, &keep);
    if (!rc)
        rc = keep_apply(keep, ctx, config);
    if (rc)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': cannot keep its affinity: %s", config->c_info.name,
                strerror(-rc));
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
    if (state.paused)
        flags &= ~LIBXL_SUSPEND_LIVE;
    return REAL(libxl_domain_suspend)(ctx, domid, fd, flags, ao_how);
}

/* ---- creates ---- */

static struct in_flight *begin(libxl_ctx *ctx, libxl_domain_config *config,
                               const libxl_asyncop_how *ao_how, bool restoring)
{
    struct in_flight *entry = NULL;
    struct placement *p;
    int rc;

    /* One that returns before it is done could not give the configuration
     * back. */
    if (state.inert || ao_how)
        return NULL;
    rc = placement_begin(ctx, state.lg, config, take_keys(), &p);
    if (!rc) {
        p->restoring = restoring;
        p->planned_nodes = state.planned_nodes;
        state.planned_nodes = NULL;
        rc = placement_note_request(p);
        if (!rc)
            entry = enter(p);
        if (!entry)
            placement_end(p, true);
    }
    if (!entry)
        xtl_log(state.lg, XTL_WARN, -1, "numa",
                "'%s': out of memory: placed by xl itself",
                config->c_info.name);
    return entry;
}

/*
 * libxl has removed a domain that it could not build, and still hands out its
 * domid. xl would have it removed once more, and end with three lines about a
 * domain that does not exist, after the one that says what was wrong.
 */
static void forget_removed(libxl_ctx *ctx, uint32_t *domid)
{
    libxl_dominfo info;

    libxl_dominfo_init(&info);
    if (libxl_domain_info(ctx, &info, *domid) == ERROR_DOMAIN_NOTFOUND)
        *domid = INVALID_DOMID;
    libxl_dominfo_dispose(&info);
}

static int end(struct in_flight *entry, libxl_ctx *ctx, uint32_t *domid, int r)
{
    struct placement *p;

    if (!entry)
        return r;
    p = entry->placement;
    leave(entry);
    if (placement_end(p, r != 0))
        forget_removed(ctx, domid);
    return r;
}

EXPORT int libxl_domain_create_new(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct in_flight *entry = begin(ctx, config, ao_how, false);

    return end(entry, ctx, domid,
               REAL(libxl_domain_create_new)(ctx, config, domid, ao_how,
                                             aop_console_how));
}

EXPORT int libxl_domain_create_restore(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid,
    int restore_fd, int send_back_fd,
    const libxl_domain_restore_params *params, const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct in_flight *entry = begin(ctx, config, ao_how, true);

    return end(entry, ctx, domid,
               REAL(libxl_domain_create_restore)(
                   ctx, config, domid, restore_fd, send_back_fd, params,
                   ao_how, aop_console_how));
}

EXPORT int libxl_domain_soft_reset(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    struct in_flight *entry = NULL;
    struct keys *keys = take_keys();
    struct placement *p;

    /* After `xl config-update` the new request is stored with the new
     * configuration, and holds when the guest reboots. */
    if (keys)
        keys_write_xsdata(keys, &config->c_info.xsdata);
    keys_free(keys);
    if (!state.inert && !ao_how &&
        !placement_begin_reset(ctx, state.lg, config, domid, &p)) {
        entry = enter(p);
        if (!entry)
            placement_end(p, true);
    }
    return end(entry, ctx, &domid,
               REAL(libxl_domain_soft_reset)(ctx, config, domid, ao_how,
                                             aop_console_how));
}

/* ---- builds ---- */

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

static struct placement *find(bool (*makes)(const struct placement *p,
                                            const void *what),
                              const void *what)
{
    struct placement *found = NULL;
    struct in_flight *entry;

    pthread_mutex_lock(&state.lock);
    for (entry = state.creates; entry && !found; entry = entry->next)
        if (makes(entry->placement, what))
            found = entry->placement;
    pthread_mutex_unlock(&state.lock);
    return found;
}

static int plan_build(xc_interface *xch, uint32_t domid)
{
    struct placement *p = find(resets, &domid);
    xc_domaininfo_t info;
    char *name;
    int rc = 0;

    if (p)
        return placement_plan(p, xch, domid);
    if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 ||
        info.domain != domid) {
        xtl_log(state.lg, XTL_WARN, errno, "numa",
                "cannot tell which domain %" PRIu32 " is: placed by xl itself",
                domid);
        return 0;
    }
    p = find(makes_uuid, info.handle);
    if (p)
        return placement_plan(p, xch, domid);

    name = libxl_domid_to_name(state.ctx, domid);
    p = name ? find(makes_stub, name) : NULL;
    free(name);
    if (p)
        rc = placement_adopt_stub(p, domid);
    return rc;
}

EXPORT int xc_domain_max_vcpus(xc_interface *xch, uint32_t domid, unsigned max)
{
    int r = REAL(xc_domain_max_vcpus)(xch, domid, max);

    if (r || !any_in_flight())
        return r;
    if (plan_build(xch, domid) == -ENOSPC) {
        errno = ENOSPC;
        return -1;
    }
    return 0;
}

/* Where this is no xl but libxl-save-helper, in which there is no libxl. */
static struct restore *attach(void)
{
    pthread_mutex_lock(&state.lock);
    if (!state.started && !state.attached) {
        state.attached = true;
        state.restore = restore_attach();
    }
    pthread_mutex_unlock(&state.lock);
    return state.restore;
}

static int populate_restored(xc_interface *xch, uint32_t domid,
                             unsigned long nr, unsigned order,
                             unsigned mem_flags, xen_pfn_t *extents)
{
    struct restore *restore = attach();
    struct populate *built = restore_of(restore, domid);
    bool short_of_memory = false;
    int done;

    if (!built)
        return REAL(xc_domain_populate_physmap)(xch, domid, nr, order,
                                                mem_flags, extents);
    done = placement_populate_by(built, REAL(xc_domain_populate_physmap), xch,
                                 domid, nr, order, mem_flags, extents,
                                 &short_of_memory);
    restore_note_shortage(restore, short_of_memory);
    return done;
}

EXPORT int xc_domain_populate_physmap(xc_interface *xch, uint32_t domid,
                                      unsigned long nr, unsigned order,
                                      unsigned mem_flags, xen_pfn_t *extents)
{
    struct placement *p = find(makes_domain, &domid);

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
