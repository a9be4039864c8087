/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configurations with the defaults of a host, each planned and created on every
 * host of tests/hosts: a create decides what its plan says. Verdict, status,
 * nodes, virtual nodes, affinities and words are alike.
 */
#ifndef DECIDE_PAIRS_H
#define DECIDE_PAIRS_H

#include <libxl.h>

#include "placement/config.h"

/*
 * What is planned: %a is the first node with memory and CPUs, %z the last one,
 * %x one that the host does not have, %c the CPUs of %a.
 */
struct decide_pair {
    const char *config, *defaults;
};

struct outcome {
    unsigned status;            /* as xl exits: 0, 1, 3 */
    bool may_try;               /* nothing fits, but a create is worth a try */
    char words[8192];           /* why not */
    char warnings[2048];
    char nodes[256];            /* of its memory */
    unsigned pool;
    char vnodes[4096];          /* "node:KiB" of each virtual node */
    char *affinity;             /* of each vCPU; NULL: not planned */
};

struct decide_tests {
    const struct decide_pair *pairs;
    unsigned nr;
    const char *before, *after; /* around each configuration */
    bool has_status;            /* a create has one, in addition to its failure
                                   */
    /* Create it from its text with decide_pairs_create(). */
    void (*create)(libxl_ctx *ctx, const char *path, const char *text,
                   const struct config *from, const struct xln_host *host,
                   struct outcome *o);
};

/* All pairs on all hosts; what main() returns. */
int decide_pairs_run(const struct decide_tests *tests);

/* The create of a configuration as the toolstack has parsed it. */
void decide_pairs_create(libxl_ctx *ctx, const struct config *from,
                         const struct xln_host *host, struct outcome *o);

/* Ends the program, if not. */
void decide_pairs_need(bool good);

#endif /* DECIDE_PAIRS_H */
