/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A create in a process that has a placement module in it, with each call
 * failing in turn. The guest is built all the same, placed as it would have
 * been, or with a warning; only what the user demands can make it fail. Its
 * configuration is then what it was, and what was taken is given back.
 *
 * The module is linked into the program, and finds what it calls the real
 * functions here.
 */
#ifndef FAULT_CREATES_H
#define FAULT_CREATES_H

#include <stdbool.h>

#include <libxl.h>
#include <libxl_event.h>

struct scenario {
    const char *name;
    const char *keys;           /* the configuration; NULL: none */
    libxl_domain_type type;
    /* The caller frees the text that it prints, if there is any. */
    int (*run)(libxl_ctx *ctx, libxl_domain_config *config, char **text_r);
    const char *const *xsdata;  /* pairs, which it carries already */
    const char *variable;       /* of the environment, which is set */
    const char *load;           /* that others read of it meanwhile */
    bool may_fail;              /* it demands something */
    bool warns;                 /* though nothing failed */
    bool is_kept;               /* what it changes in the configuration */
    bool has_device, has_vnodes;
    bool beside;                /* another is made at the same time */
};

/* Values of `run`: libxl's functions, as the module has them. */
int run_create(libxl_ctx *ctx, libxl_domain_config *config, char **text_r);
int run_restore(libxl_ctx *ctx, libxl_domain_config *config, char **text_r);
int run_reset(libxl_ctx *ctx, libxl_domain_config *config, char **text_r);

/* Whether libxl got the request to restore a domain. */
bool fault_creates_restored(void);

/* Gives libxl's event to whoever has registered for it. */
void fault_creates_event(libxl_event *event);

/* The test program defines this: it makes the module do what a scenario needs.
 * Not 0: that failed, and the domain is not made. */
int give_keys(const char *keys);

/* The status of main(). */
int fault_creates(const struct scenario *scenarios, unsigned nr);

#endif /* FAULT_CREATES_H */
