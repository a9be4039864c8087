/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the libxl of this process has the fields that placement uses.
 *
 * libxl's structures grow from release to release, and one build works with all
 * of them. It does not compare releases, but asks libxl itself, once for a
 * process. libxl fills in two configurations that are known here. Each field
 * that placement uses must then have the known values at the expected place:
 *
 *     libxl_domain_config_init()       over a pattern: its real size
 *     libxl_domain_config_from_json()  of two texts without a value in common
 *       c_info, b_info up to vnuma_nodes    where <libxl.h> has them; if not,
 *                                           this libxl is not supported
 *       num_pcidevs, pcidevs                moved in every release since 4.17;
 *                                           where only the text with devices
 *                                           leaves a list of them; `seize` and
 *                                           `name` of each are compared, too
 *       b_info.sched_params                 wherever both leave theirs
 *
 * b_info.type moved too, but c_info.type, which did not, has the same value.
 * The steps of arrays are compared as well, by their second elements.
 *
 * If you copy a configuration, or have libxl fill one, get the room from here:
 * sizeof(libxl_domain_config) is that of the headers. The address of a field
 * behind b_info.vnuma_nodes comes from here too.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include <libxl.h>

struct layout {
    size_t config_size;         /* of a libxl_domain_config */
    size_t nr_devices_at;       /* num_pcidevs, from its start */
    size_t devices_at;          /* pcidevs */
    size_t sched_params_at;     /* b_info.sched_params */
    bool has_device_model;      /* b_info.device_model_version is where
                                 * <libxl.h> has it */
};

/*
 * Asks the libxl of `ctx`. -ENOTSUP: it is not one that can be served, and
 * *field_r names what is not where it is looked for; -ENOMEM and other errors
 * of the process: it could not be asked, and *field_r is NULL.
 */
int layout_learn(libxl_ctx *ctx, struct layout *layout_r, const char **field_r);

/* Whether an event of this libxl says where it is looked for that a domain has
 * ended, which one, and why. */
bool layout_knows_events(libxl_ctx *ctx);

/* An initialised configuration of the real size; NULL: out of memory. */
libxl_domain_config *layout_new_config(const struct layout *layout);

/* Gives `to` what such a one has, which is freed; what it had is disposed
 * of. */
void layout_move_config(const struct layout *layout, libxl_domain_config *from,
                        libxl_domain_config *to);

/* Says that it is to have libxl's usual device model, unless it says which.
 * Else libxl looks for it wherever it fills in defaults, and prints a line if
 * the host has none. */
void layout_expect_device_model(const struct layout *layout,
                                libxl_domain_config *config);

/* Disposes of it, and frees it. NULL is fine. */
void layout_free_config(libxl_domain_config *config);

/* The PCI devices of a configuration, which keeps them. */
const libxl_device_pci *layout_devices(const struct layout *layout,
                                       const libxl_domain_config *config,
                                       int *nr_r);

/* Its scheduling parameters. */
libxl_domain_sched_params *layout_sched_params(const struct layout *layout,
                                               libxl_domain_config *config);

#endif /* LAYOUT_H */
