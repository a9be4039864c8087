/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper_path.h"

#define NAME "/libxl-save-helper"
#define LIBRARY "/libxenlight.so."

/* The string in `data` that ends with NAME; NULL: no string does. */
static char *find_string(const char *data, size_t size)
{
    const char *name = memmem(data, size, NAME, sizeof(NAME)), *start = name;

    if (!name)
        return NULL;
    while (start > data && start[-1])
        start--;
    return *start == '/' ? strdup(start) : NULL;
}

static char *read_string(int fd)
{
    struct stat st;
    char *data, *found;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
        return NULL;
    data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return NULL;
    found = find_string(data, st.st_size);
    munmap(data, st.st_size);
    return found;
}

int helper_path_of(const char *libxl, char **path_r)
{
    int fd = libxl ? open(libxl, O_RDONLY | O_CLOEXEC) : -1;
    char *path = NULL;

    if (fd >= 0) {
        path = read_string(fd);
        close(fd);
    }
    if (!path)
        path = strdup(XEN_LIBEXEC_BIN NAME);
    if (!path)
        return -ENOMEM;
    if (access(path, X_OK)) {
        free(path);
        return -ENOENT;
    }
    *path_r = path;
    return 0;
}

/* A line of /proc/PID/maps ends with the path, if it has one. */
static char *find_library(FILE *maps)
{
    char *line = NULL, *path = NULL, *found = NULL;
    size_t size = 0;

    while (!found && getline(&line, &size, maps) > 0) {
        path = strchr(line, '/');
        if (path && strstr(path, LIBRARY))
            found = strndup(path, strcspn(path, "\n"));
    }
    free(line);
    return found;
}

int helper_path_of_process(pid_t pid, char **path_r)
{
    char name[32], *library = NULL;
    FILE *maps;
    int rc;

    snprintf(name, sizeof(name), "/proc/%ld/maps", (long)pid);
    maps = fopen(name, "re");
    if (maps) {
        library = find_library(maps);
        fclose(maps);
    }
    rc = helper_path_of(library, path_r);
    free(library);
    return rc;
}
