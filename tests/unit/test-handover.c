/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files that libvirt's hook leaves for the module. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake-alloc.h"
#include "libvirt/handover.h"
#include "tap.h"

#define UUID "2a2f4e4c-7c4b-4a2e-9d5e-0a1b2c3d4e5f"
#define OTHER "2a2f4e4c-7c4b-4a2e-9d5e-0a1b2c3d4e50"

static char dir[64], path[128];

static bool is_there(void)
{
    return !access(path, F_OK);
}

static bool is_taken(const char *uuid, const char *wanted)
{
    char *text;
    size_t size;
    bool same;

    if (handover_take(dir, uuid, &text, &size))
        return false;
    same = size == strlen(wanted) && !strcmp(text, wanted);
    free(text);
    return same;
}

static void test_hand_over(void)
{
    char *text;
    size_t size;
    struct stat st;

    ok(handover_take(dir, UUID, &text, &size) == -ENOENT,
       "nothing is found before it is written");
    ok(!handover_write(dir, UUID, "first", 5) && is_there(),
       "a file is written, and its directory is made");
    ok(!stat(dir, &st) && (st.st_mode & 0777) == 0700,
       "only root can enter the directory");
    ok(!stat(path, &st) && (st.st_mode & 0777) == 0600,
       "only root can read the file");
    ok(!handover_write(dir, UUID, "second\n", 7),
       "a second file replaces the first");
    ok(handover_take(dir, OTHER, &text, &size) == -ENOENT,
       "another domain finds no file");
    ok(is_taken(UUID, "second\n") && !is_there(), "taking a file removes it");
    ok(!handover_write(dir, UUID, "", 0) && is_taken(UUID, ""),
       "an empty file can be taken");
    handover_write(dir, UUID, "third", 5);
    handover_remove(dir, OTHER);
    ok(is_there(), "the end of another domain does not remove the file");
    handover_remove(dir, UUID);
    ok(!is_there(), "the end of the domain removes its file");
    handover_write(dir, UUID, "fourth", 6);
    handover_write(dir, OTHER, "fifth", 5);
    handover_remove_all(dir);
    ok(!is_there() && handover_take(dir, OTHER, &text, &size) == -ENOENT,
       "a daemon that starts removes all files");
    handover_remove_all("/nosuch");
}

static void test_names(void)
{
    char *text;
    size_t size;

    ok(handover_write(dir, "../../etc/passwd", "x", 1) == -EINVAL &&
           handover_take(dir, "..", &text, &size) == -EINVAL,
       "a name that is not a uuid is refused");
    ok(handover_write(dir, "../4e4c-7c4b-4a2e-9d5e-0a1b2c3d4e5f/", "x", 1) ==
           -EINVAL, "a path of the length of a uuid is refused");
}

/* Only root can put anything there; all the same. */
static void test_others(void)
{
    char *text;
    size_t size;

    ok(!symlink("/etc/passwd", path) &&
           handover_take(dir, UUID, &text, &size) == -ELOOP,
       "a symbolic link is not followed when a file is taken");
    ok(!handover_write(dir, UUID, "x", 1) && is_taken(UUID, "x"),
       "a symbolic link is replaced when a file is written");
    mkfifo(path, 0600);
    ok(handover_take(dir, UUID, &text, &size) == -EFBIG && !is_there(),
       "a FIFO is refused and removed");
    handover_write(dir, UUID, "x", 1);
    ok(!truncate(path, 2 << 20) &&
           handover_take(dir, UUID, &text, &size) == -EFBIG && !is_there(),
       "a file that is too large is refused and removed");
    handover_write(dir, UUID, "x", 1);
    fake_alloc_fail(1);
    ok(handover_take(dir, UUID, &text, &size) == -ENOMEM,
       "taking a file without memory is -ENOMEM");
    fake_alloc_fail(0);
}

int main(void)
{
    char top[] = "/tmp/test-handover.XXXXXX";

    if (!mkdtemp(top)) {
        printf("Bail out! no directory\n");
        return 1;
    }
    snprintf(dir, sizeof(dir), "%s/dir", top);
    snprintf(path, sizeof(path), "%s/" UUID, dir);
    test_hand_over();
    test_names();
    test_others();
    rmdir(dir);
    rmdir(top);
    return tap_done();
}
