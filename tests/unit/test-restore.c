/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What xl shares with the helper that restores a domain's memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "placement/environment.h"
#include "placement/restore.h"
#include "tap.h"

#define HELPER "LIBXL_SAVE_HELPER"

static struct populate_node nodes[2];
static struct populate built = { .nr_nodes = 2, .nodes = nodes };

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
    struct populate *view;

    fill_nodes();
    setenv(HELPER, "/some/helper", 1);
    ok(!restore_share(&built, 5, &ours) && !restore_tell(ours),
       "a plan is shared");
    ok(!strcmp(getenv(HELPER), SAVE_HELPER_PATH),
       "libxl is told of our helper");
    ok(!strcmp(getenv(MODULE_SAVE_HELPER), "/some/helper"),
       "and that of the one that was named before");

    ok(!restore_attach(getpid(), 6), "what is for another domain is not found");
    theirs = restore_attach(getpid(), 5);
    ok(theirs != NULL, "the helper finds what is shared");
    ok(!restore_of(theirs, 6), "it is for no other domain");
    view = restore_of(theirs, 5);
    ok(view && view->nr_nodes == 2 && view->nodes[0].node == 2 &&
           view->nodes[0].owed_pages == 100,
       "the helper has what each node owes");
    view->nodes[0].granted_pages = 60;
    view->nodes[1].granted_pages = 0;
    restore_note_shortage(theirs, true);

    ok(restore_collect(ours, &built), "that memory ran short arrives");
    ok(nodes[0].granted_pages == 60 && nodes[1].granted_pages == 7,
       "what was granted there is added");
    ok(!strcmp(getenv(HELPER), "/some/helper") &&
           is_unset(MODULE_SAVE_HELPER),
       "the environment is as it was");
}

/* As in libvirtd: for each domain its own. */
static void test_two_at_once(void)
{
    static struct restore *theirs[2];
    struct restore *first, *second;
    struct populate *view;

    fill_nodes();
    ok(!restore_share(&built, 25, &first), "a second domain's plan ...");
    nodes[0].node = 1;
    ok(!restore_share(&built, 15, &second), "... is shared beside it");
    theirs[0] = restore_attach(getpid(), 25);
    theirs[1] = restore_attach(getpid(), 15);
    view = restore_of(theirs[1], 15);
    ok(view && view->nodes[0].node == 1, "the helper of each has its own");
    view->nodes[0].granted_pages = 3;
    view = restore_of(theirs[0], 25);
    ok(view && view->nodes[0].node == 2 && !view->nodes[0].granted_pages,
       "and no other");
    restore_collect(first, &built);
    restore_collect(second, &built);
    ok(nodes[0].granted_pages == 3, "so has who gets them back");
}

static void test_nothing(void)
{
    struct restore *ours;

    fill_nodes();
    unsetenv(HELPER);
    ok(!restore_share(&built, 7, &ours) && restore_tell(ours) == -ENOENT,
       "where no libxl-save-helper is beside it none is named");
    restore_collect(ours, &built);
    ok(is_unset(HELPER) && is_unset(MODULE_SAVE_HELPER),
       "and the environment is left alone");
    ok(!restore_attach(getpid(), 7), "nothing is found that is over");
    ok(!restore_attach(0, 7), "nor of a process that is none");
    ok(!restore_of(NULL, 7), "nor is there a plan in it");
    ok(!restore_collect(NULL, &built), "nothing is collected from nothing");
}

/* Not what we share, whatever it is; it only has the name. */
static void test_other_file(void)
{
    int fd = memfd_create("xl-numa-" VERSION "-9", MFD_CLOEXEC);
    uint32_t words[64] = { 9, 1000000 };

    ok(!restore_attach(getpid(), 9), "an empty file is refused");
    ok(write(fd, words, sizeof(words)) == sizeof(words) &&
           !restore_attach(getpid(), 9),
       "so is one that says more than it has");
    ok(!ftruncate(fd, 6) && !restore_attach(getpid(), 9),
       "and one that was cut");
    close(fd);
}

static void test_for_all(void)
{
    unsetenv(HELPER);
    ok(restore_tell_all("/nonexistent") == -ENOENT && is_unset(HELPER),
       "a helper that is not there is not named for all domains");
    ok(!restore_tell_all("/bin/true"), "one that is there is");
    ok(!strcmp(getenv(HELPER), SAVE_HELPER_PATH) &&
           !strcmp(getenv(MODULE_SAVE_HELPER), "/bin/true"),
       "and ours stands before it");
    setenv(HELPER, "/bin/false", 1);
    ok(!restore_tell_all("/bin/true") &&
           !strcmp(getenv(MODULE_SAVE_HELPER), "/bin/false"),
       "it is what the user has named, if one is");
}

int main(void)
{
    test_shared();
    test_two_at_once();
    test_nothing();
    test_other_file();
    test_for_all();
    return tap_done();
}
