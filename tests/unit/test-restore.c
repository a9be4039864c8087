/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What xl shares with the helper that restores a domain's memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "placement/environment.h"
#include "placement/helper_path.h"
#include "placement/restore.h"
#include "tap.h"

#define HELPER "LIBXL_SAVE_HELPER"
#define BUILT_WITH XEN_LIBEXEC_BIN "/libxl-save-helper"

static struct populate_node nodes[2];
static struct restored built = { .built = { .nr_nodes = 2, .nodes = nodes } };

static void fill_nodes(void)
{
    memset(nodes, 0, sizeof(nodes));
    nodes[0] = (struct populate_node){ .node = 2, .owed_pages = 100 };
    nodes[1] = (struct populate_node){ .node = 3, .granted_pages = 7 };
}

static bool is_unset(const char *name)
{
    return !getenv(name);
}

static void test_shared(void)
{
    static struct restore *theirs;      /* the helper never gives it back */
    struct restore *ours;
    struct restored *view;

    fill_nodes();
    setenv(HELPER, "/some/helper", 1);
    ok(!restore_share(&built, 5, &ours) && !restore_tell(ours),
       "a plan is shared");
    ok(!strcmp(getenv(HELPER), SAVE_HELPER_PATH),
       "libxl is set to start our helper");
    ok(!strcmp(getenv(MODULE_SAVE_HELPER), "/some/helper"),
       "our helper is told which helper was set before");

    ok(!restore_attach(getpid(), 6),
       "the helper of another domain finds nothing");
    theirs = restore_attach(getpid(), 5);
    ok(theirs != NULL, "the helper finds what is shared");
    ok(!restore_of(theirs, 6), "what is shared is for this domain only");
    view = restore_of(theirs, 5);
    ok(view && view->built.nr_nodes == 2 &&
           view->built.nodes[0].node == 2 &&
           view->built.nodes[0].owed_pages == 100,
       "the helper sees what each node owes");
    view->built.nodes[0].granted_pages = 60;
    view->built.nodes[1].granted_pages = 0;
    restore_note_shortage(theirs, true);

    ok(restore_collect(ours, &built), "the parent sees that memory ran short");
    ok(nodes[0].granted_pages == 60 && nodes[1].granted_pages == 7,
       "the parent adds what the helper was granted");
    ok(!strcmp(getenv(HELPER), "/some/helper") &&
           is_unset(MODULE_SAVE_HELPER),
       "the environment is restored");
}

/* As in libvirtd, where each domain has its own plan. */
static void test_two_at_once(void)
{
    static struct restore *theirs[2];
    struct restore *first, *second;
    struct restored *view;

    fill_nodes();
    ok(!restore_share(&built, 25, &first),
       "the plan of a second domain is shared ...");
    nodes[0].node = 1;
    ok(!restore_share(&built, 15, &second),
       "... while that of the first is shared");
    theirs[0] = restore_attach(getpid(), 25);
    theirs[1] = restore_attach(getpid(), 15);
    view = restore_of(theirs[1], 15);
    ok(view && view->built.nodes[0].node == 1,
       "the helper of each domain sees its own plan");
    view->built.nodes[0].granted_pages = 3;
    view = restore_of(theirs[0], 25);
    ok(view && view->built.nodes[0].node == 2 && !view->built.nodes[0].granted_pages,
       "the helper of each domain sees no other plan");
    restore_collect(first, &built);
    restore_collect(second, &built);
    ok(nodes[0].granted_pages == 3, "each parent gets back its own plan");
}

/* Two virtual nodes, each with two nodes to choose from. */
static struct populate_node vnode_nodes[4];
static struct populate_range ranges[] = {
    { 0, 100, 0 }, { 100, 150, 1 }, { 1000, 1050, 1 },
};
static struct restored with_vnodes = {
    .built = { .nr_nodes = 2, .nodes = nodes },
    .vnodes = { 2, 2, 3, vnode_nodes, ranges },
};

static void test_vnodes(void)
{
    static struct restore *volatile theirs;  /* never given back */
    struct restore *ours;
    struct restored *view;

    fill_nodes();
    nodes[1].granted_pages = 0;
    vnode_nodes[0].node = vnode_nodes[3].node = 2;
    vnode_nodes[1].node = vnode_nodes[2].node = 3;
    ok(!restore_share(&with_vnodes, 8, &ours), "virtual nodes are shared");
    theirs = restore_attach(getpid(), 8);
    view = restore_of(theirs, 8);
    ok(view && view->vnodes.nr_vnodes == 2 && view->vnodes.nr_nodes == 2 &&
           !memcmp(view->vnodes.ranges, ranges, sizeof(ranges)) &&
           view->vnodes.nodes[2].node == 3 && !view->built.nodes,
       "the helper sees the ranges and nodes of virtual nodes, and no other "
       "plan");
    view->vnodes.nodes[0].granted_pages = 99;
    view->vnodes.nodes[1].granted_pages = 1;
    view->vnodes.nodes[2].granted_pages = 100;
    ok(!restore_collect(ours, &with_vnodes) &&
           vnode_nodes[1].granted_pages == 1 &&
           nodes[0].granted_pages == 99 && nodes[1].granted_pages == 101,
       "grants are counted for each virtual node and for each node");
}

static void test_nothing(void)
{
    struct restore *ours;
    int expected = access(BUILT_WITH, X_OK) ? -ENOENT : 0;

    fill_nodes();
    unsetenv(HELPER);
    ok(!restore_share(&built, 7, &ours) && restore_tell(ours) == expected,
       "our helper is set only if libxl-save-helper exists");
    restore_collect(ours, &built);
    ok(is_unset(HELPER) && is_unset(MODULE_SAVE_HELPER),
       "the environment is not changed otherwise");
    ok(!restore_attach(getpid(), 7), "a plan that has ended is not found");
    ok(!restore_attach(0, 7),
       "a plan of a process that does not exist is not found");
    ok(!restore_of(NULL, 7), "no plan is found in nothing");
    ok(!restore_collect(NULL, &built), "nothing is collected from nothing");
}

/* A file of another program that has this name. */
static void test_other_file(void)
{
    int fd = memfd_create("xl-numa-" VERSION "-9", MFD_CLOEXEC);
    uint32_t words[64] = { 9, 1000000 }, vnodes[64] = { 9, 1, 64, 1000 };

    ok(!restore_attach(getpid(), 9), "an empty file is refused");
    ok(write(fd, words, sizeof(words)) == sizeof(words) &&
           !restore_attach(getpid(), 9),
       "a file with more nodes than it has room for is refused");
    ok(pwrite(fd, vnodes, sizeof(vnodes), 0) == sizeof(vnodes) &&
           !restore_attach(getpid(), 9),
       "a file with more virtual nodes than it has room for is refused");
    ok(!ftruncate(fd, 6) && !restore_attach(getpid(), 9),
       "a file that was cut is refused");
    close(fd);
}

static void test_for_all(void)
{
    unsetenv(HELPER);
    ok(!restore_tell_all() && !strcmp(getenv(HELPER), SAVE_HELPER_PATH) &&
           is_unset(MODULE_SAVE_HELPER),
       "our helper is set for all domains, and finds the real one itself");
    setenv(HELPER, "/bin/false", 1);
    ok(!restore_tell_all() &&
           !strcmp(getenv(MODULE_SAVE_HELPER), "/bin/false"),
       "our helper gets the name of the user's helper, if there is one");
    setenv(HELPER, "/nonexistent", 1);
    ok(restore_tell_all() == -ENOENT &&
           !strcmp(getenv(HELPER), "/nonexistent"),
       "a helper that does not exist is not replaced");
    unsetenv(HELPER);
}

/* The part of a library that names the helper which it starts. */
static void write_library(const char *path, const char *helper)
{
    static const char code[] = "\177ELF \0libxl-save-helper: \0";
    FILE *f = fopen(path, "w");

    must(f ? 0 : errno);
    fwrite(code, 1, sizeof(code), f);
    if (helper)
        fwrite(helper, 1, strlen(helper) + 1, f);
    fwrite(code, 1, sizeof(code), f);
    must(fclose(f) ? errno : 0);
}

static void finds(const char *library, const char *expected, const char *what)
{
    char *path = NULL;
    int rc = helper_path_of(library, &path);

    if (!ok(expected ? !rc && !strcmp(path, expected) : rc == -ENOENT, "%s",
            what))
        printf("# %d, %s\n", rc, path ? path : "(none)");
    free(path);
}

static void test_helper_path(void)
{
    char library[] = "/tmp/libxenlight.so.XXXXXX", *path;
    char dir[] = "/tmp/upstream-XXXXXX", helper[64];
    int fd = mkstemp(library), rc;
    void *mapped;

    must(fd < 0 || !mkdtemp(dir) ? errno : 0);
    snprintf(helper, sizeof(helper), "%s/libxl-save-helper", dir);
    must(symlink("/bin/true", helper) ? errno : 0);
    write_library(library, helper);
    finds(library, helper, "the helper is where the libxl in use looks for it");
    /* Below the libxl of this program. */
    mapped = mmap((void *)0x10000000, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    must(mapped == MAP_FAILED ? errno : 0);
    rc = helper_path_of_process(getpid(), &path);
    ok(!rc && !strcmp(path, helper),
       "the helper is found through the libxl of another process, too");
    free(path);
    munmap(mapped, 4096);
    must(unlink(helper) ? errno : 0);
    finds(library, NULL, "one that is not there is none");
    write_library(library, NULL);
    finds(library, access(BUILT_WITH, X_OK) ? NULL : BUILT_WITH,
          "a library that does not tell: as in the one that we were built with");
    finds("/nonexistent", access(BUILT_WITH, X_OK) ? NULL : BUILT_WITH,
          "or one that is not there");
    close(fd);
    unlink(library);
    rmdir(dir);
}

int main(void)
{
    test_shared();
    test_two_at_once();
    test_vnodes();
    test_nothing();
    test_other_file();
    test_for_all();
    test_helper_path();
    return tap_done();
}
