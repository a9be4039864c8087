/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interpose.h"
#include "placement/xen_layout.h"

EXPORT extern const char xl_placement_release[];
const char xl_placement_release[] = VERSION;

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

/* The name of libxl's file, as a message is to have it. */
static const char *libxl_name(void)
{
    const char *base;
    Dl_info libxl;

    if (!dladdr(interpose_real("libxl_ctx_alloc"), &libxl))
        return "libxenlight";
    base = strrchr(libxl.dli_fname, '/');
    return base ? base + 1 : libxl.dli_fname;
}

/* As layout_learn(), for libxenctrl, too. */
static int learn(libxl_ctx *ctx, xentoollog_logger *lg,
                 struct layout *layout_r, const char **field_r)
{
    int rc = layout_learn(ctx, layout_r, field_r);
    xc_interface *xch;

    if (rc)
        return rc;
    xch = xc_interface_open(lg, NULL, 0);
    if (!xch)
        return -errno;
    *field_r = xen_layout_find_odd(xch);
    xc_interface_close(xch);
    return *field_r ? -ENOTSUP : 0;
}

bool interpose_learn(libxl_ctx *ctx, xentoollog_logger *lg, const char *places,
                     struct layout *layout_r)
{
    const char *field;
    int rc = learn(ctx, lg, layout_r, &field);

    if (!rc)
        return true;
    if (field)
        xtl_log(lg, XTL_WARN, -1, "numa",
                "%s is laid out in a way that this module does not know (%s): "
                "domains are placed by %s itself; install a newer libxl-numa",
                libxl_name(), field, places);
    else
        xtl_log(lg, XTL_WARN, -1, "numa",
                "cannot learn the layout of %s: %s: domains are placed by %s "
                "itself", libxl_name(), strerror(-rc), places);
    return false;
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
