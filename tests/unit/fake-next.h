/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the modules take for the installed libraries' functions: they find those
 * by dlsym(), which a program that uses this is linked to wrap, with dladdr().
 */
#ifndef FAKE_NEXT_H
#define FAKE_NEXT_H

#include <stdbool.h>

#include <libxl.h>
#include <xenctrl.h>

struct fake_next {
    const char *name;           /* NULL ends a list */
    void *function;
    bool once;                  /* the second caller gets the real one */
};

/* Those of the program. */
extern const struct fake_next fake_next_list[];

/* Asks for the function behind it, which is the real one. Wants to be found
 * once. */
int fake_next_ctx_alloc(libxl_ctx **ctx, int version, unsigned flags,
                        xentoollog_logger *lg);

/* Does nothing, well. */
int fake_next_max_vcpus(xc_interface *xch, uint32_t domid, unsigned max);

#endif /* FAKE_NEXT_H */
