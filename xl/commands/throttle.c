/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include "placement/process.h"
#include "throttle.h"

/* If watching alone uses the whole share, the copying continues nevertheless.
 */
#define MOST_HELD_S 10

static void hold(struct throttle *t, pid_t saver, double now_s)
{
    if (t->held && now_s - t->held_s >= MOST_HELD_S) {
        throttle_release(t);
    } else if (!t->held && saver > 0 && !kill(saver, SIGSTOP)) {
        t->held = saver;
        t->held_s = now_s;
    }
}

void throttle_release(struct throttle *t)
{
    if (t->held)
        kill(t->held, SIGCONT);
    t->held = 0;
}

void throttle_look(struct throttle *t, double now_s)
{
    double used_s;
    pid_t saver;

    if (!t->share)
        return;
    used_s = process_session_cpu_s(t->session, t->domid, &saver);
    if (!t->has_begun) {
        t->has_begun = true;
        t->began_s = now_s;
        t->used_s = used_s;
    }
    if (used_s - t->used_s > t->share * (now_s - t->began_s))
        hold(t, saver, now_s);
    else
        throttle_release(t);
}
