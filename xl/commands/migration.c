/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "migration.h"
#include "placement/environment.h"

#define LOOK_MS 5
/* A look at names and at the terminal costs more than one at a domid. */
#define LOOKS_PER_NAME 20

/* What is watched while xl does it. */
struct watch {
    const struct cmd_line *line;
    const struct guest *guest;
    char *copy_name;            /* until it gets its own */
    uint32_t copy_domid;        /* XLN_NONE: not made yet */
    uint64_t pages;             /* that there are to copy */
    double stopped_s, started_s;    /* 0: not yet */
};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- the installed xl ---- */

/* Does not return. What xl says is for `log_fd`: some of it is not for this. */
static void become_xl(const struct guest *guest, bool live, int log_fd)
{
    char domid[16], receiver[sizeof(XL_PATH) + 32];
    const char *const argv[] = {
        XL_PATH, "migrate", "-s", "", domid, receiver, NULL,
    };

    snprintf(domid, sizeof(domid), "%" PRIu32, guest->domid);
    snprintf(receiver, sizeof(receiver), "'" XL_PATH "' migrate-receive");
    if (!live)
        setenv(MODULE_PAUSED, "1", 1);
    if (dup2(log_fd, STDOUT_FILENO) >= 0 && dup2(log_fd, STDERR_FILENO) >= 0)
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

static void show_progress(const struct watch *w)
{
    xc_domaininfo_t info;

    if (w->copy_domid == XLN_NONE || !look_at(w, w->copy_domid, &info))
        return;
    fprintf(stderr, "\r'%s': %u %%", w->guest->name,
            (unsigned)(info.tot_pages * 100 / (w->pages ? w->pages : 1)));
    fflush(stderr);
}

static void look(struct watch *w)
{
    xc_domaininfo_t info;

    if (!w->stopped_s && (!look_at(w, w->guest->domid, &info) ||
                          info.flags & XEN_DOMINF_shutdown))
        w->stopped_s = now_s();
    if (w->stopped_s && !w->started_s && w->copy_domid != XLN_NONE &&
        look_at(w, w->copy_domid, &info) &&
        !(info.flags & (XEN_DOMINF_paused | XEN_DOMINF_shutdown)))
        w->started_s = now_s();
}

/* Until xl ends, with its status. */
static int watch(struct watch *w, pid_t xl, bool progress)
{
    static const struct timespec pause = { 0, LOOK_MS * 1000000 };
    unsigned looks = 0;
    int status;
    pid_t r;

    while (!(r = waitpid(xl, &status, WNOHANG))) {
        if (looks++ % LOOKS_PER_NAME == 0) {
            find_copy(w);
            if (progress)
                show_progress(w);
        }
        look(w);
        nanosleep(&pause, NULL);
    }
    look(w);
    if (progress)
        fputs("\r\033[K", stderr);
    return r < 0 ? -1 : status;
}

static int run_xl(struct watch *w, const struct migration *m, int log_fd)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
    int status = -1;
    pid_t xl;

    /* Ctrl-C ends xl, which puts things right; then there is more to do. */
    sigaction(SIGINT, &ignore, &old);
    xl = fork();
    if (!xl) {
        sigaction(SIGINT, &old, NULL);
        become_xl(w->guest, m->live, log_fd);
    }
    if (xl > 0)
        status = watch(w, xl, m->show_progress);
    sigaction(SIGINT, &old, NULL);
    return status;
}

bool migrate_here(const struct cmd_line *line, const struct guest *guest,
                  struct migration *m)
{
    struct watch w = {
        .line = line,
        .guest = guest,
        .copy_domid = XLN_NONE,
        .pages = guest->domain->memory_bytes >> XC_PAGE_SHIFT,
    };
    int log_fd = memfd_create("xl", MFD_CLOEXEC), status = -1;

    m->said = NULL;
    m->paused_s = -1;
    if (log_fd < 0 || asprintf(&w.copy_name, "%s--incoming", guest->name) < 0) {
        complain("cannot migrate '%s': %s", guest->name, strerror(errno));
        if (log_fd >= 0)
            close(log_fd);
        return false;
    }
    status = run_xl(&w, m, log_fd);
    m->said = read_log(log_fd);
    if (w.stopped_s && w.started_s)
        m->paused_s = w.started_s - w.stopped_s;
    close(log_fd);
    free(w.copy_name);
    return !status;
}
