/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "installed_xl.h"
#include "libraries.h"

#define XLUTIL "libxlutil.so"

/* The releases that are tried where nothing says which one. */
#define FIRST_MINOR 17
#define LAST_MINOR 60

/* ---- what a program is linked to ---- */

struct image {
    const unsigned char *bytes;
    size_t size;
};

/* A part of the file; NULL: it does not have it. */
static const void *part(const struct image *image, size_t at, size_t size)
{
    return at <= image->size && size <= image->size - at ? image->bytes + at
                                                         : NULL;
}

static const ElfW(Phdr) *segments(const struct image *image, size_t *nr_r)
{
    const ElfW(Ehdr) *header = part(image, 0, sizeof(*header));
    const int class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;

    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) ||
        header->e_ident[EI_CLASS] != class ||
        header->e_phentsize != sizeof(ElfW(Phdr)) ||
        header->e_phoff % sizeof(void *))
        return NULL;
    *nr_r = header->e_phnum;
    return part(image, header->e_phoff, *nr_r * sizeof(ElfW(Phdr)));
}

/* Where in the file is what will be at an address. */
static size_t offset_of(const struct image *image, ElfW(Addr) address)
{
    size_t nr = 0, i;
    const ElfW(Phdr) *segment = segments(image, &nr);

    for (i = 0; i < nr; i++)
        if (segment[i].p_type == PT_LOAD && address >= segment[i].p_vaddr &&
            address - segment[i].p_vaddr < segment[i].p_filesz)
            return address - segment[i].p_vaddr + segment[i].p_offset;
    return SIZE_MAX;
}

static const ElfW(Dyn) *dynamic(const struct image *image, size_t *nr_r)
{
    size_t nr = 0, i;
    const ElfW(Phdr) *segment = segments(image, &nr);

    for (i = 0; segment && i < nr; i++)
        if (segment[i].p_type == PT_DYNAMIC &&
            segment[i].p_offset % sizeof(void *) == 0) {
            *nr_r = segment[i].p_filesz / sizeof(ElfW(Dyn));
            return part(image, segment[i].p_offset, segment[i].p_filesz);
        }
    return NULL;
}

/* A text of the table of names, which ends in the file; or NULL. */
static const char *text_at(const struct image *image, size_t table, size_t at)
{
    const char *text = table > image->size || at > image->size
                           ? NULL : part(image, table + at, 1);

    return text && memchr(text, '\0',
                          image->bytes + image->size -
                              (const unsigned char *)text) ? text : NULL;
}

static bool read_program(const struct image *image, const char *start,
                         const char **name_r, const char **dirs_r)
{
    size_t nr = 0, i, table = SIZE_MAX;
    const ElfW(Dyn) *entry = dynamic(image, &nr);
    const char *text;

    if (!entry)
        return false;
    for (i = 0; i < nr && entry[i].d_tag != DT_NULL; i++)
        if (entry[i].d_tag == DT_STRTAB)
            table = offset_of(image, entry[i].d_un.d_ptr);
    for (i = 0; i < nr && entry[i].d_tag != DT_NULL; i++) {
        text = text_at(image, table, entry[i].d_un.d_val);
        if (!text)
            continue;
        if (entry[i].d_tag == DT_NEEDED && !strncmp(text, start, strlen(start)))
            *name_r = text;
        if (entry[i].d_tag == DT_RPATH || entry[i].d_tag == DT_RUNPATH)
            *dirs_r = text;
    }
    return *name_r;
}

static bool map_file(const char *path, struct image *image)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *bytes = MAP_FAILED;

    if (fd < 0)
        return false;
    if (!fstat(fd, &st) && st.st_size > 0)
        bytes = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return false;
    *image = (struct image){ bytes, st.st_size };
    return true;
}

int libraries_of_program(const char *path, const char *start, char *name,
                         char *dirs, size_t size)
{
    const char *found = NULL, *found_dirs = "";
    struct image image;
    bool good;

    if (!map_file(path, &image))
        return -ENOENT;
    good = read_program(&image, start, &found, &found_dirs) &&
           snprintf(name, size, "%s", found) < (int)size &&
           snprintf(dirs, size, "%s", found_dirs) < (int)size;
    munmap((void *)(uintptr_t)image.bytes, image.size);
    return good ? 0 : -ENOENT;
}

/* ---- opening ---- */

static bool open_library(const char *path)
{
    return dlopen(path, RTLD_LAZY | RTLD_GLOBAL);
}

/* In the directories that a program names, then where all look. */
static bool open_in(const char *dirs, const char *name)
{
    char path[PATH_MAX];
    const char *end;

    for (; *dirs; dirs = *end ? end + 1 : end) {
        end = strchrnul(dirs, ':');
        if (*dirs == '/' &&
            snprintf(path, sizeof(path), "%.*s/%s", (int)(end - dirs), dirs,
                     name) < (int)sizeof(path) && open_library(path))
            return true;
    }
    return open_library(name);
}

static bool open_any(void)
{
    char name[64];
    int minor;

    if (open_library(XLUTIL "." XEN_RELEASE))
        return true;
    for (minor = LAST_MINOR; minor >= FIRST_MINOR; minor--) {
        snprintf(name, sizeof(name), XLUTIL ".4.%d", minor);
        if (open_library(name))
            return true;
    }
    return false;
}

/* The library of the installed xl, or of the running release; -ENOENT: there
 * is neither. */
static int name_library(char *name, char *dirs, size_t size)
{
    char release[32], xl[PATH_MAX];
    bool running = running_release(release, sizeof(release));

    *dirs = '\0';
    if (find_installed_xl(running ? release : NULL, xl, sizeof(xl)) &&
        !libraries_of_program(xl, XLUTIL, name, dirs, size))
        return 0;
    if (!running)
        return -ENOENT;
    snprintf(name, size, XLUTIL ".%s", release);
    return 0;
}

int libraries_open(char **error_r)
{
    char name[PATH_MAX], dirs[PATH_MAX];
    int r;

    *error_r = NULL;
    if (name_library(name, dirs, sizeof(name))) {
        if (open_any())
            return 0;
        r = asprintf(error_r, "no " XLUTIL ": expected the libraries of any "
                     "Xen from 4.%d on", FIRST_MINOR);
    } else {
        if (open_in(dirs, name))
            return 0;
        r = asprintf(error_r, "%s: expected the libraries of the running Xen",
                     dlerror());
    }
    if (r < 0) {
        *error_r = NULL;
        return -ENOMEM;
    }
    return -ENOENT;
}
