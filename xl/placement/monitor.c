/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "monitor.h"
#include "move_journal.h"
#include "process.h"

/* ---- who waits for a domain ---- */

/*
 * A lock on the byte with the domain's number. It names the process that holds
 * it, wherever its output goes, and ends with that process.
 */
static struct flock lock_of(uint32_t domid, short type)
{
    return (struct flock){ .l_type = type, .l_whence = SEEK_SET,
                           .l_start = domid, .l_len = 1 };
}

void monitor_note(uint32_t domid, int *fd)
{
    struct flock lock = lock_of(domid, F_RDLCK),
                 all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

    if (*fd < 0)
        *fd = move_open("monitors");
    if (*fd < 0)
        return;
    fcntl(*fd, F_SETLK, &all);
    fcntl(*fd, F_SETLK, &lock);
}

static pid_t find_lock(uint32_t domid)
{
    struct flock lock = lock_of(domid, F_WRLCK);
    int fd = move_open("monitors");
    bool found = fd >= 0 && !fcntl(fd, F_GETLK, &lock) &&
                 lock.l_type != F_UNLCK && lock.l_pid > 0;

    if (fd >= 0)
        close(fd);
    return found ? lock.l_pid : 0;
}

/* A process without our module is found by its log. */
pid_t monitor_find(uint32_t domid)
{
    pid_t xl = find_lock(domid);

    return xl ? xl : process_find_monitor(domid);
}

void monitor_end(uint32_t domid)
{
    pid_t xl;

    do
        xl = monitor_find(domid);
    while (xl && process_end(xl));
}

/* ---- a new one ---- */

/* The process that moves or saves a domain has other signal settings; the new
 * one gets the defaults. */
static void reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
}

/*
 * Does not return. The module takes the place of the create, so that the
 * configuration is the domain's own: this one only has to be complete. Paused:
 * xl does not touch the domain.
 */
static void become_xl(uint32_t domid)
{
    const char *const argv[] = {
        XL_PATH, "create", "-p", "-q", "/dev/null", "name=\"adopted\"",
        "kernel=\"/dev/null\"", "memory=4", NULL,
    };
    char text[16];
    int null_fd = open("/dev/null", O_RDWR);

    snprintf(text, sizeof(text), "%" PRIu32, domid);
    reset_signals();
    if (!setenv(MODULE_ADOPT, text, 1) && dup2(null_fd, STDIN_FILENO) >= 0 &&
        dup2(null_fd, STDOUT_FILENO) >= 0 && dup2(null_fd, STDERR_FILENO) >= 0)
        execv(XL_PATH, (char **)(uintptr_t)argv);
    _exit(EXIT_FAILURE);
}

bool monitor_start(uint32_t domid)
{
    int status = -1;
    pid_t xl = fork();

    if (!xl)
        become_xl(domid);
    while (xl > 0 && waitpid(xl, &status, 0) < 0 && errno == EINTR)
        ;
    return xl > 0 && !status;
}
