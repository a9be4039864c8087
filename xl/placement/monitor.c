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

/* Those of a process that moves or saves a domain are not for it. */
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
