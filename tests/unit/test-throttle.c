/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that copies a domain is stopped while it has used more than its
 * share. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/throttle.h"
#include "placement/process.h"
#include "tap.h"

static pid_t saver;
static double used_s;

double process_session_cpu_s(pid_t session, uint32_t domid, pid_t *saver_r)
{
    *saver_r = session == 7 && domid == 8 ? saver : 0;
    return used_s;
}

static pid_t start(void)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (!pid)
        for (;;)
            pause();
    must(pid < 0 ? errno : 0);
    return pid;
}

static bool is_now(int flag)
{
    int status;

    if (waitpid(saver, &status, flag) != saver)
        return false;
    return flag == WUNTRACED ? WIFSTOPPED(status) : WIFCONTINUED(status);
}

static bool is_as_before(void)
{
    int status;

    return !waitpid(saver, &status, WNOHANG | WUNTRACED | WCONTINUED);
}

static void look(struct throttle *t, double now_s, double used)
{
    used_s = used;
    throttle_look(t, now_s);
}

int main(void)
{
    struct throttle t = { .share = 0.5, .session = 7, .domid = 8 };
    struct throttle any = { .session = 7, .domid = 8 };

    saver = start();
    look(&t, 100, 20);
    look(&t, 102, 20.9);
    ok(is_as_before(), "work that uses less than its share runs");
    look(&t, 103, 22);
    ok(is_now(WUNTRACED), "work that uses more than its share is stopped");
    look(&t, 103.5, 22);
    ok(is_as_before(), "stopped work stays stopped at first");
    look(&t, 104, 22);
    ok(is_now(WCONTINUED),
       "stopped work goes on once its use is down to its share");
    look(&t, 105, 24);
    ok(is_now(WUNTRACED), "work that uses more is stopped again");
    throttle_release(&t);
    ok(is_now(WCONTINUED), "stopped work goes on when it is released");
    look(&t, 106, 99);
    ok(is_now(WUNTRACED), "work that has used far too much is stopped");
    look(&t, 115, 99);
    ok(is_as_before(), "such work stays stopped for long");
    look(&t, 116, 99);
    ok(is_now(WCONTINUED), "such work goes on at some time");
    look(&any, 100, 20);
    look(&any, 101, 99);
    ok(is_as_before(), "work without a limit is never stopped");
    kill(saver, SIGKILL);
    waitpid(saver, NULL, 0);
    saver = 0;
    look(&t, 117, 99);
    ok(!t.held, "nothing is stopped before the copying begins");
    return tap_done();
}
