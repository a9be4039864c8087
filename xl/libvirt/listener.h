/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a create fails: libvirt's own error says only that it failed. */
#ifndef LISTENER_H
#define LISTENER_H

#include <libxl.h>

/* A logger that passes on the messages about one domain, and keeps the last
 * error. */
struct listener {
    xentoollog_logger vtable;
    xentoollog_logger *lg;
    char *error;
};

void listener_begin(struct listener *listener, xentoollog_logger *lg);

/*
 * Free what it keeps. `failed`: the configuration of the domain that could not
 * be created, which gets the error into its name; NULL: it was created.
 */
void listener_end(struct listener *listener, libxl_domain_config *failed);

#endif /* LISTENER_H */
