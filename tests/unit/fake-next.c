/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <string.h>

#include "fake-next.h"

#define MAX_FAKES 32

int fake_next_ctx_alloc(libxl_ctx **ctx, int version, unsigned flags,
                        xentoollog_logger *lg)
{
    __typeof__(libxl_ctx_alloc) *real =
        (__typeof__(real))dlsym(RTLD_NEXT, "libxl_ctx_alloc");

    return real(ctx, version, flags, lg);
}

int fake_next_max_vcpus(xc_interface *xch, uint32_t domid, unsigned max)
{
    (void)xch;
    (void)domid;
    (void)max;
    return 0;
}

void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);
int __wrap_dladdr(const void *address, Dl_info *info);

void *__wrap_dlsym(void *handle, const char *name)
{
    static bool found[MAX_FAKES];
    const struct fake_next *fake = fake_next_list;
    unsigned i;

    for (i = 0; i < MAX_FAKES && fake[i].name; i++)
        if (!strcmp(fake[i].name, name) && !(fake[i].once && found[i])) {
            found[i] = true;
            return fake[i].function;
        }
    return __real_dlsym(handle, name);
}

int __wrap_dladdr(const void *address, Dl_info *info)
{
    (void)address;
    info->dli_fname = "/usr/lib/libxenlight.so." XEN_RELEASE;
    return 1;
}
