/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "installed_xl.h"
#include "placement/environment.h"

#define FALLBACK_PATH "/usr/local/sbin:/usr/sbin:/sbin"

static bool read_number(const char *path, unsigned *number_r)
{
    FILE *f = fopen(path, "re");
    bool good;

    if (!f)
        return false;
    good = fscanf(f, "%u", number_r) == 1;
    fclose(f);
    return good;
}

bool running_release(char *release, size_t size)
{
    unsigned major, minor;

    if (!read_number(SYSFS_VERSION "major", &major) ||
        !read_number(SYSFS_VERSION "minor", &minor))
        return false;
    snprintf(release, size, "%u.%u", major, minor);
    return true;
}

static bool is_same(const char *path, const struct stat *it)
{
    struct stat other;

    return !stat(path, &other) && other.st_dev == it->st_dev &&
           other.st_ino == it->st_ino;
}

/* Another copy of this program would look for the installed xl in its turn. */
static bool is_copy_of_us(const char *path, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool copy = false;
    void *image;

    if (fd < 0)
        return false;
    image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (image == MAP_FAILED)
        return false;
    copy = memmem(image, size, MODULE_RELEASE_SYMBOL,
                  strlen(MODULE_RELEASE_SYMBOL));
    munmap(image, size);
    return copy;
}

/* This program, or where it is xl-numa the xl that stands in front: if that is
 * not a Xen's own, as it is where ours was installed elsewhere. */
static bool is_this_program(const struct stat *it)
{
    return is_same("/proc/self/exe", it) ||
           (is_same(XL_PATH, it) && is_copy_of_us(XL_PATH, it->st_size));
}

static bool is_program(const char *path, struct stat *it)
{
    return !stat(path, it) && S_ISREG(it->st_mode) && !access(path, X_OK);
}

static bool is_installed_xl(const char *path, bool *is_us_r)
{
    struct stat it;

    *is_us_r = false;
    if (!is_program(path, &it))
        return false;
    *is_us_r = is_this_program(&it);
    return !*is_us_r && !is_copy_of_us(path, it.st_size);
}

/*
 * The xl on a search path that a shell would find if we were not there: the
 * first one behind us. What stands before us may be a script that led here.
 */
static bool search_path(const char *dirs, char *path, size_t size)
{
    char candidate[PATH_MAX];
    bool found = false, us;
    const char *end;

    for (; dirs && *dirs; dirs = *end ? end + 1 : end) {
        end = strchrnul(dirs, ':');
        if (end == dirs ||
            snprintf(candidate, sizeof(candidate), "%.*s/xl",
                     (int)(end - dirs), dirs) >= (int)sizeof(candidate))
            continue;
        if (is_installed_xl(candidate, &us) && !found)
            found = snprintf(path, size, "%s", candidate) < (int)size;
        else if (us)
            found = false;
    }
    return found;
}

static bool is_another_program(const char *path)
{
    struct stat it;

    return is_program(path, &it) && !is_this_program(&it);
}

/* Skip scripts, because one might lead back here. */
static bool is_elf(const char *path)
{
    FILE *f = fopen(path, "re");
    char magic[SELFMAG];
    bool elf;

    if (!f)
        return false;
    elf = fread(magic, sizeof(magic), 1, f) == 1 &&
          !memcmp(magic, ELFMAG, sizeof(magic));
    fclose(f);
    return elf;
}

/* Where Xen and distributions put theirs, whatever stands before us: a Xen
 * that was built here is in /usr/local, and our package in /usr. */
static bool search_usual_places(char *path, size_t size)
{
    static const char *const places[] = {
        "/usr/local/sbin/xl", "/usr/sbin/xl",
    };
    bool us;

    for (unsigned i = 0; i < 2; i++) {
        if (is_installed_xl(places[i], &us) && is_elf(places[i]))
            return snprintf(path, size, "%s", places[i]) < (int)size;
    }
    return false;
}

/* Debian keeps a release's xl apart, so that the one that fits the running
 * Xen can be found; its /usr/sbin/xl is a script that does the same. */
bool find_installed_xl(const char *release, char *path, size_t size)
{
    if (release) {
        snprintf(path, size, "/usr/lib/xen-%s/bin/xl", release);
        if (is_another_program(path))
            return true;
    }
    if (is_another_program(INSTALLED_XL))
        return snprintf(path, size, "%s", INSTALLED_XL) < (int)size;
    return search_path(getenv("PATH"), path, size) ||
           search_path(FALLBACK_PATH, path, size) ||
           search_usual_places(path, size);
}
