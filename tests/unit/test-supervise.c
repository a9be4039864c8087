/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work in a session of its own: whatever happens to the process that the user
 * sees, the work is asked to stop, and ends by itself.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/cmd.h"
#include "commands/supervise.h"
#include "placement/process.h"
#include "tap.h"

/* Without the rest of the commands. */
void complain(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
}

/* What the worker reports of itself, for a process that may not be its parent.
 */
struct report {
    bool leads_session, has_mark, hears_child, pipe_is_default;
    unsigned stops;
};

static int report_fds[2];

static void say(const struct report *r)
{
    if (write(report_fds[1], r, sizeof(*r)) != sizeof(*r))
        _exit(99);
}

static bool hear(struct report *r)
{
    return read(report_fds[0], r, sizeof(*r)) == sizeof(*r);
}

/* ---- what it finds ---- */

static volatile sig_atomic_t children;

static void on_child(int signal)
{
    (void)signal;
    children++;
}

static bool hears_child(void)
{
    sigset_t none;
    pid_t child;

    signal(SIGCHLD, on_child);
    sigemptyset(&none);
    child = fork();
    if (!child)
        _exit(0);
    if (child < 0 || waitpid(child, NULL, 0) != child)
        return false;
    /* It is pending at once. */
    return children;
}

/* In what the worker starts: no signal is blocked or ignored. */
static bool child_has_defaults(struct supervised *self)
{
    struct sigaction action;
    int status = -1;
    sigset_t set;
    pid_t child = fork();

    if (!child) {
        supervised_leave(self);
        sigprocmask(SIG_BLOCK, NULL, &set);
        sigaction(SIGPIPE, NULL, &action);
        _exit(sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) ||
              sigismember(&set, SIGHUP) || action.sa_handler != SIG_DFL);
    }
    return child > 0 && waitpid(child, &status, 0) == child && !status;
}

static int look(struct supervised *self, void *arg)
{
    struct report r = {
        .leads_session = getsid(0) == getpid(),
        .has_mark = getenv(SESSION_MARK) &&
                    atol(getenv(SESSION_MARK)) == getpid(),
        .hears_child = hears_child(),
        .pipe_is_default = child_has_defaults(self),
        .stops = supervised_stops(self),
    };

    say(&r);
    return *(int *)arg;
}

static void test_session(void)
{
    struct report r = { 0 };
    int code = 7, signal = -1;

    ok(supervise(look, &code, &signal) == 7 && !signal,
       "the exit code is that of the work");
    ok(hear(&r), "the work was done");
    ok(r.leads_session && r.has_mark,
       "the work is in a session of its own, with its mark");
    ok(r.hears_child,
       "the work is told when a process ends that it has started");
    ok(r.pipe_is_default, "such a process has the signals of the caller");
    ok(!r.stops, "the work is not asked to stop without reason");
}

/* ---- what stops it ---- */

/* Reports that it runs, then waits until it has got *arg requests to stop. */
static int work_until(struct supervised *self, void *arg)
{
    struct report r = { 0 };

    say(&r);
    while ((r.stops = supervised_stops(self)) < *(unsigned *)arg)
        process_pause(1);
    say(&r);
    return 3;
}

static int work_and_die(struct supervised *self, void *arg)
{
    (void)self;
    raise(*(int *)arg);
    return 0;
}

/* The process that the user sees; its exit code: that of the work. */
static pid_t start(unsigned stops)
{
    struct report r;
    int signal, code;
    pid_t seen;

    fflush(NULL);
    seen = fork();
    if (!seen) {
        code = supervise(work_until, &stops, &signal);
        _exit(code < 0 ? 100 : code);
    }
    if (seen < 0 || !hear(&r)) {
        puts("Bail out! no process");
        exit(1);
    }
    return seen;
}

static void test_signals(void)
{
    static const int signals[] = { SIGINT, SIGHUP, SIGTERM };
    int status;
    unsigned i;

    for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
        struct report r = { 0 };
        pid_t seen = start(1);

        kill(seen, signals[i]);
        ok(hear(&r) && r.stops == 1, "%s: the work is asked to stop",
           strsignal(signals[i]));
        ok(waitpid(seen, &status, 0) == seen && WIFEXITED(status) &&
               WEXITSTATUS(status) == 3,
           "the caller waits for the work");
    }
}

static void test_second_signal(void)
{
    struct report r = { 0 };
    pid_t seen = start(2);
    int status;

    kill(seen, SIGINT);
    kill(seen, SIGTERM);
    ok(hear(&r) && r.stops == 2, "two signals are two requests");
    waitpid(seen, &status, 0);
}

/* The end of the pipe is one request to stop, however often the worker reads
 * it. */
static void test_orphan(void)
{
    struct report r = { 0 };
    pid_t seen = start(1);
    int status;

    kill(seen, SIGKILL);
    waitpid(seen, &status, 0);
    ok(hear(&r) && r.stops == 1,
       "the work is asked to stop if the visible process is killed");
}

static void test_killed(void)
{
    int signal = 0, which = SIGKILL;

    ok(supervise(work_and_die, &which, &signal) == -1 && signal == SIGKILL,
       "killed work is reported as a signal, not as an exit code");
}

/* Before the next one, blocked and handled signals are as at first. */
static void test_mask(void)
{
    int code = 0, signal;
    sigset_t set;

    supervise(look, &code, &signal);
    sigprocmask(SIG_BLOCK, NULL, &set);
    ok(!sigismember(&set, SIGINT) && !sigismember(&set, SIGCHLD),
       "no signal is blocked afterwards");
}

int main(void)
{
    must(pipe(report_fds) ? errno : 0);
    test_session();
    test_signals();
    test_second_signal();
    test_orphan();
    test_killed();
    test_mask();
    return tap_done();
}
