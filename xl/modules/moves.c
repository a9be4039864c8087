/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What xl does with a domain that is moved, as libxl sees it:
 *
 *     xl migrate g ...
 *       libxl_domain_qualifier_to_domid     the domain is locked, or refused
 *       libxl_domain_suspend
 *         xs_write, xenevtchn_notify        it is asked to suspend itself
 *       <- libxl_domain_suspend             it has
 *       libxl_domain_resume                 left to numa-move, if that lives;
 *                                           else a monitor is started anew
 *       libxl_domain_destroy                the move is done
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_event.h>
#include <libxl_utils.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenstore.h>

#include "interpose.h"
#include "moves.h"
#include "placement/domain_word.h"
#include "placement/environment.h"
#include "placement/monitor.h"
#include "placement/move_journal.h"
#include "placement/process.h"

static struct {
    xentoollog_logger *lg;
    bool inert;
    bool sends;                 /* save, migrate or remus */
    bool moves;                 /* ... for numa-move ... */
    pid_t mover;                /* ... which is this process */
    char *keep;
    bool knows_uuid;            /* of the domain that is sent */
    uint8_t uuid[16];
    bool watched;               /* an xl waits for it, to reboot it */
    bool asked;
    uint32_t adopted;           /* 0: none */
    int monitors_fd;            /* -1: no descriptor yet */
} state = { .monitors_fd = -1 };

/* ---- the process ---- */

static char *take(const char *name)
{
    const char *value = getenv(name);
    char *copy = value ? strdup(value) : NULL;

    unsetenv(name);
    return copy;
}

/* The lock is not for the receiver, whose monitor stays. */
void moves_take_environment(void)
{
    char *sends = take(MODULE_SENDS), *fd = take(MODULE_MOVE),
         *adopted = take(MODULE_ADOPT);

    state.sends = sends;
    state.moves = sends && fd && !fcntl(atoi(fd), F_SETFD, FD_CLOEXEC);
    state.mover = getppid();
    state.keep = take(MODULE_MOVE_KEEP);
    state.adopted = adopted ? strtoul(adopted, NULL, 10) : 0;
    free(sends);
    free(fd);
    free(adopted);
}

void moves_begin(xentoollog_logger *lg, bool inert)
{
    state.lg = lg;
    state.inert = inert;
}

bool moves_sends(void)
{
    return state.sends;
}

const char *moves_keep(void)
{
    return state.moves ? state.keep : NULL;
}

/* ---- the lock ---- */

static bool look_at(uint32_t domid, xc_domaininfo_t *info)
{
    xc_interface *xch = xc_interface_open(state.lg, NULL, 0);
    bool found = xch && xc_domain_getinfolist(xch, domid, 1, info) == 1 &&
                 info->domain == domid;

    if (xch)
        xc_interface_close(xch);
    return found;
}

static bool read_uuid(uint32_t domid)
{
    xc_domaininfo_t info;

    state.knows_uuid = look_at(domid, &info);
    if (state.knows_uuid)
        memcpy(state.uuid, info.handle, sizeof(state.uuid));
    return state.knows_uuid;
}

/* After this, xl might resume a domain that another process is copying. So it
 * ends here. */
__attribute__((noreturn, format(printf, 2, 3)))
static void refuse(const char *name, const char *fmt, ...)
{
    char *why = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&why, fmt, ap) < 0)
        why = NULL;
    va_end(ap);
    fprintf(stderr, "xl: '%s' %s\n", name, why ? why : strerror(ENOMEM));
    exit(EXIT_FAILURE);
}

/* The lock is held until this process ends. */
static void lock(uint32_t domid, const char *name)
{
    char word[DOMAIN_WORD_MAX];
    struct move *move;
    int fd, rc;

    rc = move_lock(state.uuid, &fd);
    if (rc == -EBUSY)
        refuse(name, "is being moved, saved or migrated by another xl: "
               "nothing was done");
    if (rc)
        xtl_log(state.lg, XTL_WARN, -1, "numa", "cannot lock '%s': %s", name,
                strerror(-rc));
    if (!move_read(state.uuid, &move))
        refuse(name, "was being moved by a process that is dead: "
               "'xl numa-move --recover %s' first",
               domain_word(move->name, move->domid, word));
    if (process_find_saver(domid))
        refuse(name, "is being saved or migrated by another xl: nothing was "
               "done");
}

EXPORT int libxl_domain_qualifier_to_domid(libxl_ctx *ctx, const char *name,
                                           uint32_t *domid)
{
    int r = REAL(libxl_domain_qualifier_to_domid)(ctx, name, domid);

    if (!r && state.sends && !state.inert && !state.knows_uuid &&
        read_uuid(*domid)) {
        if (!state.moves)
            lock(*domid, name);
        state.watched = monitor_find(*domid);
    }
    return r;
}

/* ---- the journal ---- */

static void note(const char *word)
{
    if (state.moves && state.knows_uuid)
        move_note(state.uuid, word);
}

static void note_asked(void)
{
    if (!state.asked)
        note(MOVE_ASKED);
    state.asked = true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && !strcmp(text + length - end_length, end);
}

EXPORT bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
                     const void *data, unsigned int len)
{
    if (state.moves && ends_with(path, "/control/shutdown") &&
        len == strlen("suspend") && !memcmp(data, "suspend", len))
        note_asked();
    return REAL(xs_write)(h, t, path, data, len);
}

/* xl itself has no other use for it while it sends a domain. */
EXPORT int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
    if (state.moves)
        note_asked();
    return REAL(xenevtchn_notify)(xce, port);
}

void moves_note_answered(void)
{
    note(MOVE_ANSWERED);
}

void moves_note_received(const libxl_domain_config *config)
{
    move_note(config->c_info.uuid.uuid, MOVE_RECEIVED);
}

static bool mover_lives(void)
{
    return getppid() == state.mover;
}

static bool is_suspended(uint32_t domid)
{
    xc_domaininfo_t info;

    return look_at(domid, &info) && info.flags & XEN_DOMINF_shutdown &&
           (info.flags >> XEN_DOMINF_shutdownshift &
            XEN_DOMINF_shutdownmask) == SHUTDOWN_suspend;
}

/*
 * A monitor ends when it sees that its domain is suspended, which it may have
 * seen, or not: it is ended, and another one started once the domain runs.
 */
static int resume_watched(libxl_ctx *ctx, uint32_t domid, int suspend_cancel,
                          const libxl_asyncop_how *ao_how)
{
    int r;

    monitor_end(domid);
    r = REAL(libxl_domain_resume)(ctx, domid, suspend_cancel, ao_how);
    if (!r && !monitor_start(domid))
        xtl_log(state.lg, XTL_WARN, -1, "numa", "domain %" PRIu32
                ": it will not reboot: no xl that waits for it could be "
                "started", domid);
    return r;
}

/* numa-move looks first whether the copy has run. */
EXPORT int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid,
                               int suspend_cancel,
                               const libxl_asyncop_how *ao_how)
{
    if (state.moves && mover_lives())
        return 0;
    if (state.watched && is_suspended(domid))
        return resume_watched(ctx, domid, suspend_cancel, ao_how);
    return REAL(libxl_domain_resume)(ctx, domid, suspend_cancel, ao_how);
}

EXPORT int libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid,
                                const libxl_asyncop_how *ao_how)
{
    int r = REAL(libxl_domain_destroy)(ctx, domid, ao_how);

    if (!r && state.moves && state.knows_uuid && !mover_lives())
        move_end(state.uuid);
    return r;
}

/* ---- a monitor ---- */

/* xl asks for this once it waits for a domain. */
EXPORT int libxl_evenable_domain_death(libxl_ctx *ctx, uint32_t domid,
                                       libxl_ev_user user,
                                       libxl_evgen_domain_death **evgen_out)
{
    if (!state.inert)
        monitor_note(domid, &state.monitors_fd);
    return REAL(libxl_evenable_domain_death)(ctx, domid, user, evgen_out);
}

bool moves_adopts(void)
{
    return state.adopted;
}

/* xl then waits for the domain with its configuration, as for one that it has
 * made. */
int moves_adopt(libxl_ctx *ctx, const struct layout *layout,
                libxl_domain_config *config, uint32_t *domid)
{
    uint32_t adopted = state.adopted;
    libxl_domain_config *stored;

    state.adopted = 0;
    if (state.inert)
        return ERROR_FAIL;
    stored = layout_new_config(layout);
    if (!stored)
        return ERROR_NOMEM;
    if (libxl_retrieve_domain_configuration(ctx, adopted, stored, NULL)) {
        layout_free_config(stored);
        return ERROR_FAIL;
    }
    layout_move_config(layout, stored, config);
    *domid = adopted;
    return 0;
}
