/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who waits for a domain, to make it anew when it reboots, is known by a lock:
 * whatever becomes of its output and of its log.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "placement/monitor.h"
#include "placement/process.h"
#include "tap.h"

struct waiter {
    pid_t pid;
    int tell_fd, told_fd;       /* a byte asks, a byte answers */
};

/* Waits for one domain after the other, as it reboots. */
static void wait_for(uint32_t first, int ask_fd, int answer_fd)
{
    uint32_t domid = first;
    int fd = -1;
    char byte;

    do
        monitor_note(domid++, &fd);
    while (write(answer_fd, "", 1) == 1 && read(ask_fd, &byte, 1) == 1);
    _exit(0);
}

static void await_answer(const struct waiter *w)
{
    char byte;

    must(read(w->told_fd, &byte, 1) == 1 ? 0 : -EIO);
}

static struct waiter start(uint32_t domid)
{
    int ask[2], answer[2];
    struct waiter w;

    must(pipe(ask) || pipe(answer) ? errno : 0);
    fflush(NULL);
    w.pid = fork();
    must(w.pid < 0 ? errno : 0);
    if (!w.pid) {
        close(ask[1]);
        wait_for(domid, ask[0], answer[1]);
    }
    close(ask[0]);
    close(answer[1]);
    w.tell_fd = ask[1];
    w.told_fd = answer[0];
    await_answer(&w);
    return w;
}

static void go_on(const struct waiter *w)
{
    must(write(w->tell_fd, "", 1) == 1 ? 0 : errno);
    await_answer(w);
}

static void close_fds(const struct waiter *w)
{
    close(w->tell_fd);
    close(w->told_fd);
}

static void test_find(void)
{
    struct waiter w = start(31001);

    ok(monitor_find(31001) == w.pid,
       "the process that waits for a domain is found");
    ok(!monitor_find(31000) && !monitor_find(31002) && !monitor_find(1),
       "no process is found for other numbers");
    go_on(&w);
    ok(monitor_find(31002) == w.pid && !monitor_find(31001),
       "the process is found by the new number after a reboot");
    kill(w.pid, SIGKILL);
    waitid(P_PID, w.pid, NULL, WEXITED | WNOWAIT);
    ok(!monitor_find(31002), "a dead process is not found");
    waitpid(w.pid, NULL, 0);
    close_fds(&w);
}

static void test_end(void)
{
    struct waiter first = start(31001), second = start(31001),
                  other = start(31002);

    monitor_end(31001);
    ok(!process_start(first.pid) && !process_start(second.pid),
       "all processes that wait for a domain are ended");
    ok(monitor_find(31002) == other.pid,
       "a process that waits for another domain goes on");
    monitor_end(31003);
    ok(monitor_find(31002) == other.pid, "nothing ends if no process waits");
    monitor_end(31002);
    close_fds(&first);
    close_fds(&second);
    close_fds(&other);
}

int main(void)
{
    char directory[] = "/tmp/test-monitor.XXXXXX";

    must(mkdtemp(directory) && !chdir(directory) ? 0 : errno);
    ok(!monitor_find(31001), "no process is found before one waits");
    test_find();
    test_end();
    must(unlink("numa-moves/monitors") || rmdir("numa-moves") ||
         chdir("/") || rmdir(directory) ? errno : 0);
    return tap_done();
}
