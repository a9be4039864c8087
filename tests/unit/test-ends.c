/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals that end a command which looks at the host again and again. */
#include "commands/ends.h"
#include "tap.h"

static void test_wait(void)
{
    sigset_t ends;

    /* Whoever runs the test may ignore them. */
    signal(SIGHUP, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    ends_begin(&ends);
    ok(ends_wait(&ends, 0) && ends_wait(&ends, 0.001) && ends_wait(&ends, -1),
       "without a signal the wait lasts its time");
    raise(SIGTERM);
    ok(!ends_wait(&ends, 3600), "a signal that came before ends the wait");
    ok(ends_wait(&ends, 0.001), "a signal ends one wait only");
    raise(SIGINT);
    ok(!ends_wait(&ends, 3600), "SIGINT ends the wait");
    raise(SIGHUP);
    ok(!ends_wait(&ends, 3600), "SIGHUP ends the wait");
}

static void test_ignored(void)
{
    sigset_t ends;

    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    ends_begin(&ends);
    ok(!sigismember(&ends, SIGHUP),
       "an ignored SIGHUP, as under nohup, does not end the wait");
    raise(SIGINT);
    ok(!ends_wait(&ends, 3600),
       "an ignored SIGINT, as in the background, ends the wait");
}

int main(void)
{
    test_wait();
    test_ignored();
    return tap_done();
}
