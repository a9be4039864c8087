/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plan needs to know of an xl configuration, read by libxlutil's own
 * parser and as xl reads it. It needs no Xen.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "cells.h"
#include "keys.h"
#include "preferred_nodes.h"

/* cpus= or cpus_soft=: CPULISTs, which only a host makes a set of. */
struct config_cpus {
    unsigned nr;                /* 0: not given */
    char **lists;
    bool of_all;                /* one list for all vCPUs; else by vCPU */
};

struct config {
    char *source;               /* what messages call it: the file */
    char *name;
    libxl_domain_type type;
    uint64_t memory_bytes, maxmem_bytes;
    uint64_t shadow_bytes;      /* UINT64_MAX: not given */
    uint64_t stub_bytes;        /* of a device model's domain */
    uint64_t video_bytes;       /* HVM: the video memory */
    bool hap;
    unsigned nr_vcpus;          /* that it may have at most */
    struct config_cpus hard, soft;
    char *pool;                 /* NULL: not given, so Pool-0 */
    unsigned nr_devices;        /* PCI: how many, */
    struct prefer_device *devices;  /* and those whose address is given */
    unsigned nr_addresses;
    struct cells *cells;        /* virtual nodes of its own; NULL: none */
    bool vcpus_need_cpus;       /* xl refuses more vCPUs than the host's CPUs */
    struct keys *keys;          /* ours */
    char *misspelt;             /* a line about a key, or NULL */
};

/*
 * Read the configuration in `text`. `words`: the KEY=VALUEs of a command line,
 * each a line that follows it. With `defaults` as in keys_read_domain(). 0,
 * -ENOMEM, or -EINVAL with a malloc'd line in *error_r that names the file,
 * the key, the value and what would be right (NULL: libxlutil has printed it).
 */
int config_parse(const char *text, size_t size, const char *source,
                 char *const *words, unsigned nr_words,
                 const struct keys *defaults, struct config **config_r,
                 char **error_r);

/*
 * All of a file: libxlutil ends the process if it cannot read one. -EFBIG: that
 * is not a configuration, or too large; other -errno of reading it.
 */
int config_read_text(const char *path, char **text_r, size_t *size_r);

void config_free(struct config *config);

#endif /* CONFIG_H */
