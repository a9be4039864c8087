/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts that are read from other programs' descriptions. */
#ifndef FOREIGN_HOSTS_H
#define FOREIGN_HOSTS_H

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake-alloc.h"
#include "host_capabilities.h"
#include "host_hwloc.h"
#include "host_text.h"
#include "libxl_numa_foreign.h"
#include "tap.h"
#include "views/virsh.h"
#include "text/xml.h"

/* One CPU, as hwloc and as libvirt has it. */
#define PU0 "<object type='PU' os_index='0'/>"
#define CPU0 "<cpus><cpu id='0'/></cpus>"

typedef int reader(const char *text, size_t size, struct xln_host **host_r,
                   char **note_r, char **error_r);

/* ---- reading ---- */

/* The host, or NULL with what is wrong in *error_r. */
static inline struct xln_host *read_host(reader *from, const char *text,
                                         size_t size, char **error_r)
{
    struct xln_host *host = NULL;
    char *note = NULL;
    int rc;

    *error_r = NULL;
    rc = from(text, size, &host, &note, error_r);
    if ((rc == 0) != (host != NULL) || (rc == 0) != (*error_r == NULL) ||
        (rc && rc != -EINVAL))
        abort();
    free(note);
    return host;
}

static inline void refuses(reader *from, const char *text, const char *expected,
                           const char *what)
{
    struct xln_host *host;
    char *error, name[120];

    host = read_host(from, text, strlen(text), &error);
    snprintf(name, sizeof(name), "the error for %s is right", what);
    is_str(error, expected, name);
    xln_host_free(host);
    free(error);
}

/* ---- printed for people ---- */

/* test-printed.c has what is wrong with it. */
static inline int read_printed(const char *text, size_t size,
                               struct xln_host **host_r, char **note_r,
                               char **error_r)
{
    reader *read = xln__is_numactl(text, size)   ? xln__host_from_numactl
                   : xln__is_xl_info(text, size) ? xln__host_from_xl_info
                                                 : xln__host_from_lscpu;

    return read(text, size, host_r, note_r, error_r);
}

#endif /* FOREIGN_HOSTS_H */
