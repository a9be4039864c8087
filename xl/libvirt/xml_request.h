/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request in a domain's XML, as our hook wrote it: see handover.h. */
#ifndef XML_REQUEST_H
#define XML_REQUEST_H

#include <stdbool.h>

#include <libxl.h>

#include "placement/cells.h"
#include "placement/keys.h"

/* The domain that is created. */
struct aim {
    libxl_ctx *ctx;
    libxl_domain_config *config;
    xentoollog_logger *lg;
    xentoollog_logger *listening;   /* for why it is refused */
    bool again;                 /* a restore, or a reboot: never refused */
};

struct xml_request {
    struct keys *keys;          /* NULL: those of the configuration hold */
    struct cells *cells;        /* NULL: it has none */
    bool refused;               /* a new domain is not made so */
};

/*
 * Read the request, and bind the vCPUs of the configuration as it says. If it
 * is missing or wrong, the log says so, and the host's defaults hold.
 */
struct xml_request xml_request_of(const struct aim *aim);

#endif /* XML_REQUEST_H */
