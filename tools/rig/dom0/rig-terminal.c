/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rig-terminal ROWS COLUMNS COMMAND [ARG...] - runs a command on a terminal of
 * its own, of that size. What it reads from stdin is typed there; the end of
 * stdin is not. What the command prints goes to stdout. Ends with the status of
 * the command, or with 128 + the signal that killed it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(125);
}

/* Its two ends: ours, and that of the command. */
static void open_terminal(const char *rows, const char *columns, int *ours_r,
                          int *theirs_r)
{
    struct winsize size = { .ws_row = atoi(rows), .ws_col = atoi(columns) };
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    check(fd >= 0 && !grantpt(fd) && !unlockpt(fd) &&
          !ioctl(fd, TIOCSWINSZ, &size), "posix_openpt");
    *ours_r = fd;
    *theirs_r = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    check(*theirs_r >= 0, "ptsname");
}

static void run(int terminal, char **argv)
{
    setsid();
    check(!ioctl(terminal, TIOCSCTTY, 0) && dup2(terminal, 0) == 0 &&
          dup2(terminal, 1) == 1 && dup2(terminal, 2) == 2, "terminal");
    execvp(*argv, argv);
    check(false, *argv);
}

/* False: nothing comes from there any more. */
static bool copy(int from, int to)
{
    char buffer[4096], *at = buffer;
    ssize_t n = read(from, buffer, sizeof(buffer)), written;

    for (; n > 0; n -= written, at += written) {
        written = write(to, at, n);
        if (written < 0)
            return false;
    }
    return at > buffer;
}

int main(int argc, char **argv)
{
    struct pollfd fds[2] = { { .fd = 0, .events = POLLIN } };
    int terminal, status;
    pid_t pid;

    if (argc < 4) {
        fprintf(stderr, "usage: rig-terminal ROWS COLUMNS COMMAND [ARG...]\n");
        return 125;
    }
    fds[1].events = POLLIN;
    open_terminal(argv[1], argv[2], &fds[1].fd, &terminal);
    pid = fork();
    check(pid >= 0, "fork");
    if (!pid)
        run(terminal, argv + 3);
    close(terminal);
    while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
        if (fds[0].revents && !copy(0, fds[1].fd))
            fds[0].fd = -1;
        if (fds[1].revents && !copy(fds[1].fd, 1))
            break;
    }
    check(waitpid(pid, &status, 0) == pid, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
