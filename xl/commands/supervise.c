/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "placement/process.h"
#include "supervise.h"

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGTERM);
}

/* ---- the worker ---- */

unsigned supervised_stops(struct supervised *self)
{
    static const struct timespec at_once;
    sigset_t set;
    ssize_t got;
    char byte;

    while (!self->orphaned && (got = read(self->stop_fd, &byte, 1)) >= 0) {
        self->orphaned = !got;
        self->nr_stops++;
    }
    stop_signals(&set);
    while (sigtimedwait(&set, NULL, &at_once) > 0)
        self->nr_stops++;
    return self->nr_stops;
}

void supervised_leave(const struct supervised *self)
{
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &self->mask, NULL);
}

/* libxl waits for its own children by this signal, as to destroy a domain. */
static void hear_of_children(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Does not return. The signals that stop it stay blocked; the work reads them
 * when it can stop. */
static void become_worker(struct supervised *self,
                          int (*work)(struct supervised *self, void *arg),
                          void *arg)
{
    char session[24];
    int code;

    setsid();
    hear_of_children();
    signal(SIGPIPE, SIG_IGN);
    fcntl(self->stop_fd, F_SETFL, O_NONBLOCK);
    snprintf(session, sizeof(session), "%ld", (long)getpid());
    setenv(SESSION_MARK, session, 1);
    code = work(self, arg);
    if (fflush(stdout) || ferror(stdout)) {
        complain("cannot write the output: %s", strerror(errno));
        code = EXIT_FAILURE;
    }
    _exit(code);
}

/* ---- who waits for it ---- */

/* Passes on what asks to stop. */
static int await(pid_t worker, int stop_fd, const sigset_t *set)
{
    int signal, status;

    while (waitpid(worker, &status, WNOHANG) != worker) {
        signal = sigwaitinfo(set, NULL);
        if (signal > 0 && signal != SIGCHLD && write(stop_fd, "", 1) < 0)
            continue;
    }
    return status;
}

static int fork_worker(int (*work)(struct supervised *self, void *arg),
                       void *arg, struct supervised *self, int stop[2],
                       const sigset_t *set)
{
    pid_t worker;
    int status;

    fflush(NULL);
    worker = fork();
    if (!worker) {
        close(stop[1]);
        become_worker(self, work, arg);
    }
    close(stop[0]);
    status = worker > 0 ? await(worker, stop[1], set) : -1;
    close(stop[1]);
    return status;
}

int supervise(int (*work)(struct supervised *self, void *arg), void *arg,
              int *signal_r)
{
    struct supervised self = { 0 };
    int stop[2], status;
    sigset_t set;

    *signal_r = 0;
    if (pipe2(stop, O_CLOEXEC))
        return -1;
    self.stop_fd = stop[0];
    stop_signals(&set);
    sigaddset(&set, SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &set, &self.mask);
    status = fork_worker(work, arg, &self, stop, &set);
    sigprocmask(SIG_SETMASK, &self.mask, NULL);
    if (status >= 0 && WIFSIGNALED(status))
        *signal_r = WTERMSIG(status);
    return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
