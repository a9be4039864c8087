/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turn the XML of a libvirt domain into the xl configuration of the same
 * domain, with the keys that placement uses. xl-numa-libvirt(7) describes each
 * element.
 */
#ifndef DOMAIN_XML_H
#define DOMAIN_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "cells.h"

/* The namespace of the element in <metadata> that has our keys. */
#define DOMAIN_XML_KEYS "urn:libxl-numa:keys"

struct domain_xml {
    char *uuid;             /* in lower case; NULL: it has none */
    char *config;           /* the text of the configuration */
    size_t config_size;
    struct cells *cells;    /* virtual nodes of its own; NULL: none */
};

/* Whether a file is XML: no xl configuration begins so. */
bool domain_xml_is(const char *text, size_t size);

/*
 * Read the XML of a domain. To be disposed of where the result is 0. -ENOMEM,
 * or -EINVAL with a malloc'd line in *error_r that says what is wrong where,
 * with `source` before it; what placement does not look at is not checked.
 */
int domain_xml_read(const char *text, size_t size, const char *source,
                    struct domain_xml *domain_r, char **error_r);
void domain_xml_dispose(struct domain_xml *domain);

/* The uuid alone, of XML in which something else may be wrong: malloc'd, in
 * lower case. -ENOENT: it has none; -EINVAL: it is no XML; -ENOMEM. */
int domain_xml_uuid(const char *text, size_t size, char **uuid_r);

#endif /* DOMAIN_XML_H */
