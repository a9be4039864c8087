/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libxl starts in place of libxl-save-helper when the memory of a domain
 * comes by a plan: becomes the real one, with the placement module loaded.
 * restore.h has the rest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "placement/environment.h"
#include "placement/helper_path.h"

static int load_module(void)
{
    const char *others = getenv("LD_PRELOAD");
    char *list;
    int r;

    if (!others || !*others)
        return setenv("LD_PRELOAD", MODULE_PATH, 1);
    if (asprintf(&list, MODULE_PATH ":%s", others) < 0)
        return -1;
    r = setenv("LD_PRELOAD", list, 1);
    free(list);
    return r;
}

static const char *find_helper(void)
{
    const char *helper = getenv(MODULE_SAVE_HELPER);
    char *path;

    if (helper)
        return helper;
    return helper_path_of_process(getppid(), &path) ? NULL : path;
}

int main(int argc, char **argv)
{
    const char *helper = argc < 2 ? NULL : find_helper();

    if (argc < 2) {
        fputs("xl-numa-save-helper is run by libxl\n", stderr);
        return EXIT_FAILURE;
    }
    if (!helper) {
        fputs("xl-numa-save-helper: cannot find the libxl-save-helper of the "
              "process that runs this\n", stderr);
        return EXIT_FAILURE;
    }
    /* Without the module it restores as before. */
    load_module();
    execv(helper, argv);
    fprintf(stderr, "xl-numa-save-helper: cannot run '%s': %s\n", helper,
            strerror(errno));
    return EXIT_FAILURE;
}
