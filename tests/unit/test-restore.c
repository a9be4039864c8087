/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What xl shares with the helper that restores a domain's memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "module.h"
#include "restore.h"
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
    ok(!restore_share(&built, 5, &ours), "a plan is shared");
    ok(!strcmp(getenv(HELPER), SAVE_HELPER_PATH),
       "libxl is told of our helper");
    ok(!strcmp(getenv(MODULE_SAVE_HELPER), "/some/helper"),
       "and that of the one that was named before");

    theirs = restore_attach();
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
           is_unset(MODULE_SAVE_HELPER) && is_unset(MODULE_RESTORE),
       "the environment is as it was");
}

static void test_nothing(void)
{
    struct restore *ours = NULL;

    fill_nodes();
    unsetenv(HELPER);
    ok(restore_share(&built, 5, &ours) == -ENOENT && !ours,
       "without a libxl-save-helper beside it nothing is shared");
    ok(is_unset(HELPER) && is_unset(MODULE_RESTORE),
       "and the environment is left alone");
    ok(!restore_attach(), "nothing is found where nothing is shared");
    ok(!restore_of(NULL, 5), "nor is there a plan in it");
    ok(!restore_collect(NULL, &built), "nothing is collected from nothing");
}

/* Not a file of ours, whatever it is. */
static void test_other_file(void)
{
    char name[] = "/tmp/test-restore.XXXXXX";
    int fd = mkstemp(name);
    uint32_t words[64] = { 5, 1000000 };

    setenv(MODULE_RESTORE, name, 1);
    ok(!restore_attach(), "an empty file is refused");
    ok(write(fd, words, sizeof(words)) == sizeof(words) && !restore_attach(),
       "so is one that says more than it has");
    ok(!truncate(name, 6) && !restore_attach(), "and one that was cut");
    setenv(MODULE_RESTORE, "/nonexistent", 1);
    ok(!restore_attach(), "and one that is not there");
    unsetenv(MODULE_RESTORE);
    close(fd);
    unlink(name);
}

int main(void)
{
    test_shared();
    test_nothing();
    test_other_file();
    return tap_done();
}
