/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls of our code to libc and to libxlutil. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libxlutil.h>

#include "fault-calls.h"

#define PRIVCMD "/dev/xen/privcmd"

static char directory[] = "/tmp/xl-numa-faults-XXXXXX";

/* ---- paths ---- */

static bool begins(const char *path, const char *with)
{
    return !strncmp(path, with, strlen(with));
}

/* Where a path of the system is in ours, in `buffer`; else itself. */
static const char *ours(const char *path, char buffer[256])
{
    const char *rest = NULL;

    if (begins(path, XEN_RUN_DIR "/"))
        rest = path + strlen(XEN_RUN_DIR "/");
    else if (begins(path, XEN_CONFIG_DIR "/"))
        rest = path + strlen(XEN_CONFIG_DIR "/");
    if (!rest)
        return path;
    snprintf(buffer, 256, "%s/%s", directory, rest);
    return buffer;
}

bool fault_calls_begin(void)
{
    return mkdtemp(directory);
}

const char *fault_calls_directory(void)
{
    return directory;
}

bool fault_calls_file(const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    f = fopen(path, "w");
    if (!f)
        return false;
    fputs(text, f);
    return !fclose(f);
}

static int remove_it(const char *path, const struct stat *st, int type,
                     struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void fault_calls_end(void)
{
    nftw(directory, remove_it, 8, FTW_DEPTH | FTW_PHYS);
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);

/* Xen is there, and libxl-save-helper with ours. */
int __wrap_access(const char *path, int mode)
{
    if (fault("access"))
        return -1;
    if (!strcmp(path, PRIVCMD) || !strcmp(path, SAVE_HELPER_PATH) ||
        strstr(path, "libxl-save-helper"))
        return 0;
    return __real_access(path, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    char buffer[256];

    return fault("mkdir") ? -1 : __real_mkdir(ours(path, buffer), mode);
}

int __wrap_unlink(const char *path)
{
    char buffer[256];

    return fault("unlink") ? -1 : __real_unlink(ours(path, buffer));
}

int __wrap_open(const char *path, int flags, ...)
{
    char buffer[256];

    return fault("open") ? -1 : __real_open(ours(path, buffer), flags, 0600);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    char buffer[256];

    return fault("fopen") ? NULL : __real_fopen(ours(path, buffer), mode);
}

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);

int __wrap_openat(int fd, const char *path, int flags, ...)
{
    return fault("openat") ? -1 : __real_openat(fd, path, flags, 0600);
}

/* ---- what else libc may refuse ---- */

WRAP_OPEN(int, flock, (int fd, int operation), (fd, operation), -1)
WRAP_OPEN(int, fflush, (FILE *f), (f), EOF)
WRAP_OPEN(int, renameat, (int a, const char *from, int b, const char *to),
          (a, from, b, to), -1)
WRAP_OPEN(int, memfd_create, (const char *name, unsigned flags), (name, flags),
          -1)
WRAP_OPEN(int, ftruncate, (int fd, off_t size), (fd, size), -1)
WRAP_OPEN(void *, mmap, (void *at, size_t size, int prot, int flags, int fd,
          off_t offset), (at, size, prot, flags, fd, offset), MAP_FAILED)
WRAP_OPEN(int, setenv, (const char *name, const char *value, int overwrite),
          (name, value, overwrite), -1)

/* ---- libxlutil: without memory it says so in its own words ---- */

WRAP(XLU_Config *, xlu_cfg_init, (FILE *report, const char *source),
     (report, source), NULL)
WRAP(int, xlu_cfg_readdata, (XLU_Config *config, const char *data, int length),
     (config, data, length),
     (fprintf(stderr, "# %s\n", strerror(ENOMEM)), ENOMEM))
