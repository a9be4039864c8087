/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes as /proc shows them, with real ones: this program is started again
 * under the arguments, the name and the environment that are looked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "placement/process.h"
#include "tap.h"

/* Made to end by the one that started it, and by the end of that. */
static void wait_for_the_end(void)
{
    char byte;

    if (read(STDIN_FILENO, &byte, 1) >= 0)
        _exit(0);
}

struct child {
    pid_t pid;
    int end_fd;                 /* closed: it may end */
};

/* Reports when it is ready. From then on, what the test reads does not change.
 */
static struct child start(void (*become)(int ready_fd, void *arg), void *arg)
{
    int ready[2], end[2];
    struct child c;
    char byte;

    must(pipe2(ready, O_CLOEXEC) || pipe2(end, O_CLOEXEC) ? errno : 0);
    fflush(NULL);
    c.pid = fork();
    if (!c.pid) {
        dup2(end[0], STDIN_FILENO);
        become(ready[1], arg);
        _exit(1);
    }
    close(ready[1]);
    close(end[0]);
    /* The end of the file: it has become another program. */
    if (c.pid < 0 || read(ready[0], &byte, 1) < 0)
        must(-EIO);
    close(ready[0]);
    c.end_fd = end[1];
    return c;
}

static void end(struct child *c)
{
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    close(c->end_fd);
}

static void become_other(int ready_fd, void *arg)
{
    (void)ready_fd;
    execv("/proc/self/exe", arg);
}

/* ---- one process ---- */

static void become_odd(int ready_fd, void *arg)
{
    (void)arg;
    prctl(PR_SET_NAME, ") S 1 (2 3");
    close(ready_fd);
    wait_for_the_end();
}

static void test_start(void)
{
    struct child c = start(become_odd, NULL);
    unsigned long long own = process_start(getpid()),
                       theirs = process_start(c.pid);

    ok(own && own != PROCESS_UNKNOWN && own == process_start(getpid()),
       "the start of this process is known");
    ok(theirs >= own && theirs != PROCESS_UNKNOWN,
       "a name with parentheses does not shift the fields after it");
    kill(c.pid, SIGKILL);
    waitid(P_PID, c.pid, NULL, WEXITED | WNOWAIT);
    ok(!process_start(c.pid),
       "a dead process has no start before it is waited for");
    end(&c);
    ok(!process_start(c.pid) && !process_start(0),
       "a dead process has no start afterwards");
}

static void test_end(void)
{
    struct child c = start(become_odd, NULL);

    signal(SIGCHLD, SIG_IGN);
    ok(process_end(c.pid) && !process_start(c.pid), "a process is ended");
    signal(SIGCHLD, SIG_DFL);
    ok(process_end(c.pid) && process_end(0),
       "ending a process that does not exist succeeds");
    close(c.end_fd);
}

/* ---- a session ---- */

/* A leader, and the process that it has started; the pipe delivers its number.
 */
struct group {
    struct child leader;
    pid_t member;
    bool marked, leader_dies;
};

static void become_leader(int ready_fd, void *arg)
{
    const struct group *g = arg;
    char *argv[] = { (char *)(uintptr_t)"member", NULL }, mark[32];
    pid_t member;

    setsid();
    snprintf(mark, sizeof(mark), "%ld",
             (long)getpid() + (g->marked ? 0 : 1));
    setenv(SESSION_MARK, mark, 1);
    member = fork();
    if (!member)
        execv("/proc/self/exe", argv);
    if (write(STDOUT_FILENO, &member, sizeof(member)) != sizeof(member))
        _exit(1);
    close(ready_fd);
    if (!g->leader_dies)
        wait_for_the_end();
}

static bool has_become(pid_t pid, const char *name)
{
    char path[64], text[64] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
    f = fopen(path, "r");
    if (f && !fread(text, 1, sizeof(text) - 1, f))
        *text = '\0';
    if (f)
        fclose(f);
    return !strcmp(text, name);
}

static void start_group(struct group *g)
{
    int fds[2], out = dup(STDOUT_FILENO);

    must(pipe2(fds, O_CLOEXEC) ? errno : 0);
    fflush(NULL);
    dup2(fds[1], STDOUT_FILENO);
    g->leader = start(become_leader, g);
    dup2(out, STDOUT_FILENO);
    if (read(fds[0], &g->member, sizeof(g->member)) != sizeof(g->member))
        must(-EIO);
    close(out);
    close(fds[0]);
    close(fds[1]);
    /* It is of the session from its first moment, and has the mark once it has
     * become the other program. */
    while (g->leader_dies && process_start(g->leader.pid))
        process_pause(1);
    while (!has_become(g->member, "member"))
        process_pause(1);
}

static void test_session(void)
{
    struct group g = { .marked = true };
    unsigned long long begun;

    start_group(&g);
    begun = process_start(g.leader.pid);
    ok(process_end_session(g.leader.pid, begun + 1) &&
           process_start(g.member),
       "a session with this number that began earlier is not ended");
    signal(SIGCHLD, SIG_IGN);
    ok(process_end_session(g.leader.pid, begun), "a session ends");
    ok(!process_start(g.leader.pid) && !process_start(g.member),
       "the session's leader and its children are dead");
    signal(SIGCHLD, SIG_DFL);
    ok(process_end_session(g.leader.pid, begun),
       "ending a session that has ended succeeds");
    close(g.leader.end_fd);
}

static void test_dead_leader(void)
{
    struct group marked = { .marked = true, .leader_dies = true },
                 other = { .leader_dies = true };

    start_group(&marked);
    ok(process_end_session(marked.leader.pid, 1) &&
           !process_start(marked.member),
       "processes with the session's mark end if the leader is dead");
    start_group(&other);
    ok(process_end_session(other.leader.pid, 1) && process_start(other.member),
       "processes of another session with the same number go on");
    process_end(other.member);
    end(&marked.leader);
    end(&other.leader);
}

/* The caller leads one too: it goes on. */
static void test_own_session(void)
{
    ok(process_end_session(getsid(0), process_start(getpid()) + 100000),
       "the caller's own process goes on");
}

/* ---- of a domain ---- */

static void test_saver(void)
{
    char *argv[] = { (char *)(uintptr_t)"helper",
                     (char *)(uintptr_t)"--save-domain",
                     (char *)(uintptr_t)"8", (char *)(uintptr_t)"-1",
                     (char *)(uintptr_t)"32001", NULL };
    struct child c = start(become_other, argv);

    ok(process_find_saver(32001) == c.pid,
       "the process that saves a domain is found");
    ok(!process_find_saver(8) && !process_find_saver(3200),
       "no process is found for other numbers of domains");
    end(&c);
    ok(!process_find_saver(32001),
       "the process is not found once it has ended");
}

/* It has used a moment of CPU time when it becomes one. */
static void become_busy_saver(int ready_fd, void *arg)
{
    setsid();
    while (clock() < CLOCKS_PER_SEC / 10)
        ;
    become_other(ready_fd, arg);
}

static void test_session_cpu(void)
{
    char *argv[] = { (char *)(uintptr_t)"helper",
                     (char *)(uintptr_t)"--save-domain",
                     (char *)(uintptr_t)"8", (char *)(uintptr_t)"-1",
                     (char *)(uintptr_t)"32002", NULL };
    struct child c = start(become_busy_saver, argv);
    double used_s;
    pid_t saver;

    used_s = process_session_cpu_s(c.pid, 32002, &saver);
    ok(used_s >= 0.05 && saver == c.pid,
       "a session has its CPU time, and the process that saves the domain");
    process_session_cpu_s(c.pid, 32001, &saver);
    ok(!saver, "a session has no process that saves another domain");
    process_session_cpu_s(getsid(0), 32002, &saver);
    ok(!saver, "another session has no process that saves the domain");
    end(&c);
    ok(process_session_cpu_s(c.pid, 32002, &saver) == 0 && !saver,
       "an ended session has no CPU time and no process");
}

static void become_monitor(int ready_fd, void *arg)
{
    int fd = memfd_create(arg, 0);

    dup2(fd, STDOUT_FILENO);
    dprintf(fd, "Waiting for domain g (domid 31001) to die [pid %ld]\n"
                "Domain 31001 has shut down, reason code 1 0x1\n"
                "Waiting for domain g (domid 31002) to die [pid %ld]\n",
            (long)getpid(), (long)getpid());
    close(ready_fd);
    wait_for_the_end();
}

static void test_monitor(void)
{
    char log[] = "xl-g.log";
    struct child c = start(become_monitor, log);

    ok(process_find_monitor(31002) == c.pid,
       "the process that waits for a domain to reboot is found");
    ok(!process_find_monitor(31001),
       "the process is not found by the number before the reboot");
    ok(!process_find_monitor(1002) && !process_find_monitor(3100),
       "the process is not found by a part of the number");
    end(&c);
    ok(!process_find_monitor(31002),
       "the process is not found once it has ended");
}

static void test_loaded(void)
{
    ok(process_has_loaded(getpid(), "libc"),
       "a loaded library is reported as loaded");
    ok(!process_has_loaded(getpid(), "xl-placement.so"),
       "another library is not reported as loaded");
    ok(process_has_loaded(0, "xl-placement.so"),
       "a library may be loaded if the process cannot be read");
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!strcmp(argv[0], "member") || !strcmp(argv[0], "helper")) {
        for (;;)
            wait_for_the_end();
    }
    test_start();
    test_end();
    test_session();
    test_dead_leader();
    test_own_session();
    test_saver();
    test_session_cpu();
    test_monitor();
    test_loaded();
    return tap_done();
}
