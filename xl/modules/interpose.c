/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interpose.h"

EXPORT extern const char xl_placement_release[];
const char xl_placement_release[] = XEN_RELEASE;

/* The process has it, or could not have called ours. */
void *interpose_real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function) {
        fprintf(stderr, "xl-placement: no %s in this process\n", name);
        abort();
    }
    return function;
}

bool interpose_release_differs(xentoollog_logger *lg, const char *places)
{
    const char *base;
    Dl_info libxl;

    if (!dladdr(interpose_real("libxl_ctx_alloc"), &libxl))
        return true;
    base = strrchr(libxl.dli_fname, '/');
    base = base ? base + 1 : libxl.dli_fname;
    if (!strcmp(base, "libxenlight.so." XEN_RELEASE) ||
        !strncmp(base, "libxenlight.so." XEN_RELEASE ".",
                 strlen("libxenlight.so." XEN_RELEASE ".")))
        return false;
    xtl_log(lg, XTL_WARN, -1, "numa",
            "this module is for Xen %s, %s is not: domains are placed by %s "
            "itself", XEN_RELEASE, base, places);
    return true;
}

void interpose_leave_preload(void)
{
    const char *list = getenv("LD_PRELOAD"), *rest;
    Dl_info self;

    if (!list || !dladdr(xl_placement_release, &self) ||
        strncmp(list, self.dli_fname, strlen(self.dli_fname)))
        return;
    rest = list + strlen(self.dli_fname);
    if (*rest == '\0')
        unsetenv("LD_PRELOAD");
    else if (*rest == ':')
        setenv("LD_PRELOAD", rest + 1, 1);
}
