/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "migration.h"
#include "progress.h"
#include "throttle.h"
#include "placement/environment.h"
#include "placement/monitor.h"
#include "placement/process.h"
#include "text/clock.h"

#define LOOK_MS 5
/* A look at names and at the terminal costs more than one at a domid. */
#define LOOKS_PER_NAME 20
/* Looking at all processes costs most, so it is rare. */
#define THROTTLE_S 1
#define LOOK_HELD_MS 50

/* The state of the move while xl makes it. */
struct watch {
    const struct cmd_line *line;
    const struct guest *guest;
    struct migration *m;
    char *copy_name;            /* until it gets its own */
    uint32_t copy_domid;        /* XLN_NONE: not made yet */
    struct progress progress;
    struct throttle throttle;
    double throttled_s;         /* when that was read last */
    double stopped_s, started_s;    /* 0: not yet */
    unsigned stops_heard;
};

/* ---- the installed xl ---- */

static bool set_environment(const struct migration *m)
{
    char fd[16];

    snprintf(fd, sizeof(fd), "%d", m->lock_fd);
    return !setenv(MODULE_MOVE, fd, 1) &&
           !setenv(MODULE_MOVE_KEEP, m->keep, 1) &&
           (m->live || !setenv(MODULE_PAUSED, "1", 1)) &&
           !fcntl(m->lock_fd, F_SETFD, 0);
}

/* Does not return. What xl says is for `log_fd`: some of it is not for this. */
static void become_xl(const struct guest *guest, const struct migration *m,
                      int log_fd)
{
    char domid[16], receiver[sizeof(XL_PATH) + 32];
    const char *const argv[] = {
        XL_PATH, "migrate", "-s", "", domid, receiver, NULL,
    };

    snprintf(domid, sizeof(domid), "%" PRIu32, guest->domid);
    snprintf(receiver, sizeof(receiver), "'" XL_PATH "' migrate-receive");
    supervised_leave(m->self);
    if (set_environment(m) && dup2(log_fd, STDOUT_FILENO) >= 0 &&
        dup2(log_fd, STDERR_FILENO) >= 0)
        execv(XL_PATH, (char **)(uintptr_t)argv);
    dprintf(log_fd, "cannot run '" XL_PATH "': %s\n", strerror(errno));
    _exit(EXIT_FAILURE);
}

static char *read_log(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = size >= 0 ? malloc(size + 1) : NULL;
    ssize_t got = text ? pread(fd, text, size, 0) : -1;

    if (got < 0) {
        free(text);
        return NULL;
    }
    text[got] = '\0';
    return text;
}

/* ---- watching ---- */

static bool look_at(const struct watch *w, uint32_t domid,
                    xc_domaininfo_t *info)
{
    return xc_domain_getinfolist(w->line->xch, domid, 1, info) == 1 &&
           info->domain == domid;
}

static void find_copy(struct watch *w)
{
    uint32_t domid;

    if (w->copy_domid == XLN_NONE &&
        !libxl_name_to_domid(w->line->ctx, w->copy_name, &domid))
        w->copy_domid = domid;
}

static void show_progress(struct watch *w)
{
    xc_domaininfo_t info;

    if (w->copy_domid != XLN_NONE && look_at(w, w->copy_domid, &info))
        progress_show(&w->progress, info.tot_pages << XC_PAGE_SHIFT,
                      clock_s(CLOCK_MONOTONIC));
}

static void look(struct watch *w)
{
    xc_domaininfo_t info;

    if (!w->stopped_s && (!look_at(w, w->guest->domid, &info) ||
                          info.flags & XEN_DOMINF_shutdown))
        w->stopped_s = clock_s(CLOCK_MONOTONIC);
    if (w->stopped_s && !w->started_s && w->copy_domid != XLN_NONE &&
        look_at(w, w->copy_domid, &info) &&
        !(info.flags & (XEN_DOMINF_paused | XEN_DOMINF_shutdown)))
        w->started_s = clock_s(CLOCK_MONOTONIC);
}

/* Once the domain is suspended, the rest of the move is short, and the best
 * for it. That is not so if all of its memory is copied meanwhile. */
static bool must_stop(struct watch *w)
{
    unsigned stops = supervised_stops(w->m->self);

    if (stops == w->stops_heard)
        return false;
    if (w->stops_heard || !w->stopped_s || !w->m->live)
        return true;
    w->stops_heard = stops;
    complain("'%s' is suspended while the last of its memory is copied: this "
             "is finished first; interrupt once more to stop it now",
             w->guest->name);
    return false;
}

/* A copy that runs has ended the pause. */
static bool is_too_long(const struct watch *w)
{
    double most_s = w->m->terms->most_paused_s;

    return most_s && w->stopped_s && !w->started_s &&
           clock_s(CLOCK_MONOTONIC) - w->stopped_s > most_s;
}

/* A suspended domain does not wait for CPU time. */
static void hold_back(struct watch *w)
{
    double now_s = clock_s(CLOCK_MONOTONIC);

    if (w->stopped_s) {
        throttle_release(&w->throttle);
    } else if (now_s - w->throttled_s >= THROTTLE_S) {
        w->throttled_s = now_s;
        throttle_look(&w->throttle, now_s);
    }
}

/* Until xl ends, or is to be stopped; whether it did its work. */
static bool watch(struct watch *w, pid_t xl)
{
    unsigned looks = 0;
    int status = 0;
    pid_t r;

    while (!(r = waitpid(xl, &status, WNOHANG))) {
        if (looks++ % LOOKS_PER_NAME == 0) {
            find_copy(w);
            show_progress(w);
        }
        look(w);
        hold_back(w);
        w->m->stopped = must_stop(w);
        w->m->too_long = is_too_long(w);
        if (w->m->stopped || w->m->too_long)
            break;
        process_pause(w->throttle.held ? LOOK_HELD_MS : LOOK_MS);
    }
    throttle_release(&w->throttle);
    look(w);
    progress_end(&w->progress);
    return r > 0 && !status;
}

/* ---- the move ---- */

static bool begin(const struct guest *guest, struct move *move)
{
    int rc;

    memcpy(move->uuid, guest->domain->uuid, sizeof(move->uuid));
    move->domid = guest->domid;
    move->name = guest->name;
    move->session = getpid();
    move->start = process_start(move->session);
    move->watched = monitor_find(guest->domid);
    rc = move->start == PROCESS_UNKNOWN ? -EIO : move_begin(move);
    if (rc)
        complain("'%s' is not moved: cannot write a journal for that: %s",
                 guest->name, strerror(-rc));
    return !rc;
}

static void run_xl(struct watch *w, int log_fd)
{
    struct migration *m = w->m;
    struct move move = { 0 };
    pid_t xl;

    if (!begin(w->guest, &move)) {
        m->recovered = RECOVERED_NOT;
        return;
    }
    fflush(NULL);
    xl = fork();
    if (!xl)
        become_xl(w->guest, m, log_fd);
    if (xl > 0)
        watch(w, xl);
    else
        dprintf(log_fd, "cannot run '" XL_PATH "': %s\n", strerror(errno));
    m->recovered = recovery_run(w->line, &move, &m->domid);
    if (xl > 0)
        waitpid(xl, NULL, 0);
}

bool migrate_here(const struct cmd_line *line, const struct guest *guest,
                  struct migration *m)
{
    struct watch w = {
        .line = line,
        .guest = guest,
        .m = m,
        .copy_domid = XLN_NONE,
        .progress = {
            .done_word = "copied", .total = guest->domain->memory_bytes,
            .is_bytes = true, .f = stderr, .on_terminal = isatty(STDERR_FILENO),
        },
        .throttle = {
            .share = m->terms->cpu_share, .session = getpid(),
            .domid = guest->domid,
        },
    };
    char *what = NULL;
    int log_fd = memfd_create("xl", MFD_CLOEXEC);

    m->said = NULL;
    m->paused_s = -1;
    m->stopped = m->too_long = false;
    if (log_fd < 0 || asprintf(&what, "'%s'", guest->name) < 0 ||
        asprintf(&w.copy_name, "%s--incoming", guest->name) < 0) {
        free(what);
        complain("cannot migrate '%s': %s", guest->name, strerror(errno));
        if (log_fd >= 0)
            close(log_fd);
        return false;
    }
    w.progress.what = what;
    run_xl(&w, log_fd);
    m->said = read_log(log_fd);
    if (w.stopped_s && w.started_s)
        m->paused_s = w.started_s - w.stopped_s;
    close(log_fd);
    free(w.copy_name);
    free(what);
    return true;
}
