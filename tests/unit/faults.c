/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * malloc() and its like are defined here, in front of libc's (or of a
 * sanitizer's, or valgrind's), so that every call in the process comes by. Who
 * calls tells whose it is: libyajl and libxenlight end the process or crash
 * without memory, which is theirs to mend, so they always get it.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"

#define MAX_RANGES 32

static struct range {
    uintptr_t start, end;
} ranges[MAX_RANGES];           /* code whose allocations can fail */
static unsigned nr_ranges;

static struct {
    unsigned countdown;         /* 0: nothing is to fail */
    bool memory_alone;          /* and for good */
    unsigned paused;
    const char *failed;
    void *where;
} faults;

static long nr_blocks;

/* ---- which of them ---- */

static void read_part(unsigned *first_r, unsigned *step_r)
{
    const char *text = getenv("FAULTS_PART");

    if (!text || sscanf(text, "%u/%u", first_r, step_r) != 2 || !*first_r ||
        *first_r > *step_r)
        *first_r = *step_r = 1;
}

unsigned faults_first(void)
{
    unsigned first, step;

    read_part(&first, &step);
    return first;
}

unsigned faults_step(void)
{
    unsigned first, step;

    read_part(&first, &step);
    return step;
}

/* ---- which call ---- */

static bool hit(const char *name, void *where)
{
    if (!faults.countdown || faults.paused)
        return false;
    if (faults.countdown > 1) {
        faults.countdown--;
        return false;
    }
    if (!faults.memory_alone)
        faults.countdown = 0;
    if (!faults.failed) {
        faults.failed = name;
        faults.where = where;
    }
    return true;
}

bool fault(const char *name)
{
    if (faults.memory_alone || !hit(name, __builtin_return_address(0)))
        return false;
    errno = EIO;
    return true;
}

static bool is_ours(const char *path)
{
    static const char *const libraries[] = { "libc.so", "libexpat.so" };
    const char *name = strrchr(path, '/');
    unsigned i;

    for (i = 0; name && i < sizeof(libraries) / sizeof(*libraries); i++)
        if (!strncmp(name + 1, libraries[i], strlen(libraries[i])))
            return true;
    return !*path;              /* the program itself */
}

static int add_ranges(struct dl_phdr_info *info, size_t size, void *arg)
{
    unsigned i;

    (void)size;
    (void)arg;
    if (!is_ours(info->dlpi_name))
        return 0;
    for (i = 0; i < info->dlpi_phnum && nr_ranges < MAX_RANGES; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type == PT_LOAD && p->p_flags & PF_X)
            ranges[nr_ranges++] = (struct range){
                info->dlpi_addr + p->p_vaddr,
                info->dlpi_addr + p->p_vaddr + p->p_memsz,
            };
    }
    return 0;
}

static void arm(unsigned nth, bool memory_alone)
{
    if (!nr_ranges)
        dl_iterate_phdr(add_ranges, NULL);
    faults.failed = NULL;
    faults.memory_alone = memory_alone;
    faults.countdown = nth;
}

void faults_arm(unsigned nth)
{
    arm(nth, false);
}

void faults_arm_memory(unsigned nth)
{
    arm(nth, true);
}

const char *faults_disarm(void **where_r)
{
    faults.countdown = 0;
    if (where_r)
        *where_r = faults.where;
    return faults.failed;
}

void faults_pause(void)
{
    faults.paused++;
}

void faults_resume(void)
{
    faults.paused--;
}

/* ---- memory ---- */

static bool lacks_memory(void *caller)
{
    uintptr_t where = (uintptr_t)caller;
    unsigned i;

    if (!faults.countdown || faults.paused)
        return false;
    for (i = 0; i < nr_ranges; i++)
        if (where >= ranges[i].start && where < ranges[i].end)
            break;
    if (i == nr_ranges || !hit("memory", caller))
        return false;
    errno = ENOMEM;
    return true;
}

static void *count(void *block)
{
    nr_blocks += block != NULL;
    return block;
}

/* dlsym() comes back to these while the sanitizer looks for what it wraps. */
#ifdef __SANITIZE_ADDRESS__
#define NEXT(name)                                                            \
    extern __typeof__(name) __interceptor_##name;                             \
    __typeof__(&name) next = __interceptor_##name
#else
#define NEXT(name)                                                            \
    static __typeof__(&name) next;                                            \
                                                                              \
    if (!next)                                                                \
        next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#endif

#if defined(__SANITIZE_ADDRESS__)
/*
 * What the dynamic linker keeps is no leak: LeakSanitizer knows it by who calls
 * malloc(), and that is the function below.
 */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:ld-linux\n";
}
#endif

void *malloc(size_t size)
{
    NEXT(malloc);
    return lacks_memory(__builtin_return_address(0)) ? NULL
                                                     : count(next(size));
}

void *calloc(size_t nr, size_t size)
{
    NEXT(calloc);
    return lacks_memory(__builtin_return_address(0)) ? NULL
                                                     : count(next(nr, size));
}

void *realloc(void *block, size_t size)
{
    void *larger;

    NEXT(realloc);
    if (lacks_memory(__builtin_return_address(0)))
        return NULL;
    larger = next(block, size);
    if (!block)
        count(larger);
    else if (!larger && !size)
        nr_blocks--;
    return larger;
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    int r;

    NEXT(posix_memalign);
    if (lacks_memory(__builtin_return_address(0)))
        return ENOMEM;
    r = next(block, alignment, size);
    nr_blocks += !r;
    return r;
}

void free(void *block)
{
    NEXT(free);
    nr_blocks -= block != NULL;
    next(block);
}

/* A sanitizer's strdup() does not come by here; it finds leaks itself. */
long faults_nr_blocks(void)
{
#ifdef __SANITIZE_ADDRESS__
    return 0;
#else
    return nr_blocks;
#endif
}

/* ---- files ---- */

int faults_next_file(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}
