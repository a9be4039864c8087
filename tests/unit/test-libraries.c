/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which library a program is linked to: this one, and what is left of it. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "random.h"
#include "release/libraries.h"
#include "tap.h"

static char path[] = "/tmp/xl-numa-program-XXXXXX";
static char name[256], dirs[256];

static int read_it(const char *program)
{
    return libraries_of_program(program, "libxlutil.so", name, dirs,
                                sizeof(name));
}

static char *read_self(size_t *size_r)
{
    FILE *f = fopen("/proc/self/exe", "r");
    struct stat st;
    char *bytes;

    must(f && !fstat(fileno(f), &st) ? 0 : errno);
    bytes = malloc(st.st_size);
    must(bytes && fread(bytes, st.st_size, 1, f) == 1 ? 0 : EIO);
    fclose(f);
    *size_r = st.st_size;
    return bytes;
}

static void write_it(const char *bytes, size_t size)
{
    FILE *f = fopen(path, "w");

    must(f && fwrite(bytes, 1, size, f) == size && !fclose(f) ? 0 : EIO);
}

static void test_whole(void)
{
    ok(!read_it("/proc/self/exe") && !strncmp(name, "libxlutil.so.", 13),
       "the library of a program is found: %s", name);
    ok(dlopen(name, RTLD_LAZY | RTLD_NOLOAD) != NULL,
       "the library is the one that was loaded");
    is_str(dirs, "/nowhere/lib", "the program's own directories are found");
    ok(libraries_of_program("/proc/self/exe", "libnone.so", name, dirs,
                            sizeof(name)) == -ENOENT,
       "a library that the program does not need is not found");
    ok(libraries_of_program("/proc/self/exe", "libxlutil.so", name, dirs, 4) ==
           -ENOENT, "a name that is longer than its room is not found");
}

static void test_none(void)
{
    ok(read_it("/nonexistent") == -ENOENT,
       "a file that does not exist has no libraries");
    write_it("#!/bin/sh\n", 10);
    ok(read_it(path) == -ENOENT, "a script has no libraries");
    write_it("", 0);
    ok(read_it(path) == -ENOENT, "an empty file has no libraries");
}

/* Cut anywhere, or with any bytes changed: an answer, and nothing is read that
 * is not there. */
static void test_broken(const char *bytes, size_t size)
{
    char *copy = malloc(size);
    unsigned i, k, nr_wrong = 0;
    int rc;

    must(copy ? 0 : ENOMEM);
    for (i = 0; i < 300; i++) {
        write_it(bytes, i < 100 ? i * 8 : random_below(size));
        rc = read_it(path);
        nr_wrong += rc && rc != -ENOENT;
    }
    ok(!nr_wrong, "programs that were cut are read without harm");
    for (i = 0; i < 300; i++) {
        memcpy(copy, bytes, size);
        for (k = 0; k < 8; k++)
            copy[random_below(i % 2 ? 1024 : size)] = random_below(256);
        write_it(copy, size);
        rc = read_it(path);
        nr_wrong += rc && rc != -ENOENT;
    }
    ok(!nr_wrong, "programs with changed bytes are read without harm");
    free(copy);
}

int main(void)
{
    size_t size;
    char *bytes = read_self(&size), *error;
    int fd = mkstemp(path);

    must(fd < 0 ? errno : 0);
    close(fd);
    test_whole();
    test_none();
    test_broken(bytes, size);
    ok(!libraries_open(&error) && !error, "the libraries are opened");
    unlink(path);
    free(bytes);
    return tap_done();
}
