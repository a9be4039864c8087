/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "installed_commands.h"
#include "placement/environment.h"

#define MAX_COMMANDS 1000

/* An xl that leads back to ours finds that it is called in a circle. */
static void run_help(const char *xl, int output)
{
    int null = open("/dev/null", O_RDWR);
    char pid[24];

    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
        setenv(MODULE_GUARD, pid, 1))
        _exit(EXIT_FAILURE);
    execl(xl, "xl", "help", (char *)NULL);
    _exit(EXIT_FAILURE);
}

static pid_t start_help(const char *xl, FILE **output_r)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC))
        return -1;
    *output_r = fdopen(ends[0], "r");
    pid = *output_r ? fork() : -1;
    if (!pid)
        run_help(xl, ends[1]);
    close(ends[1]);
    if (!*output_r)
        close(ends[0]);
    else if (pid < 0)
        fclose(*output_r);
    return pid;
}

/* " create             Create a domain from config file"; a second line of
 * such a description begins with more blanks. */
static char *name_of(char *line)
{
    size_t length;

    if (line[0] != ' ')
        return NULL;
    length = strspn(line + 1, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (!length || line[1 + length] != ' ')
        return NULL;
    line[1 + length] = '\0';
    return line + 1;
}

static char **read_names(FILE *f)
{
    char **names = calloc(MAX_COMMANDS + 1, sizeof(*names));
    char *line = NULL, *name;
    size_t size = 0, nr = 0;

    while (names && getline(&line, &size, f) > 0) {
        name = name_of(line);
        if (name && nr < MAX_COMMANDS && (names[nr] = strdup(name)))
            nr++;
    }
    free(line);
    return names;
}

void installed_commands_free(char **names)
{
    size_t i;

    for (i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

char **installed_commands(const char *xl)
{
    char **names;
    int status;
    pid_t pid;
    FILE *f;

    pid = start_help(xl, &f);
    if (pid < 0)
        return NULL;
    names = read_names(f);
    fclose(f);
    if (waitpid(pid, &status, 0) != pid || status || !names || !names[0]) {
        installed_commands_free(names);
        return NULL;
    }
    return names;
}
