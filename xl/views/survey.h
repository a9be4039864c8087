/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `xl numa-stat` reads of a host for one table, and that table. Of the
 * running host:
 *
 *     survey_begin, survey_look..., survey_finish, survey_table
 *
 * Of a saved one:
 *
 *     survey_load, survey_table
 */
#ifndef SURVEY_H
#define SURVEY_H

#include <libxl.h>

#include "residents.h"
#include "table.h"

enum { COL_NAME, COL_ID, COL_NODE, COL_TOTAL, COL_LOCAL, COL_NOW_LOCAL,
       COL_DISTANCE, COL_ON_NODE, COL_APART, COL_NOW_NODES, COL_SOURCE,
       COL_AGE, COL_VCPU_NODES, COL_NODES };

/* COL_NODE is the place of one column for each node. */
extern const struct table_column survey_columns[];

struct survey {
    /* Which domains, by number; none: all. Borrowed. */
    const uint32_t *wanted;
    unsigned nr_wanted;
    bool ask_xen;               /* for its report, not for the records */
    bool sampling;
    bool human;                 /* sizes will have units */

    bool saved;
    struct xln_host *first_host;        /* before there is a snapshot */
    const struct xln_host *host;        /* that, and then the snapshot's */
    struct xln_snapshot *snapshot;
    struct residents *residents;
    struct samples *samples;
    double report_s;            /* how long Xen took for it */

    /* What the table is made of and what is in it. */
    struct table_column *columns;
    struct table *table;
    uint64_t *sums;             /* pages by node, over the domains */
    unsigned nr_shown, nr_unknown, nr_apart;
    int64_t oldest_s;           /* -1: not known */
};

/* Reads the host, which gives the columns, and looks a first time where vCPUs
 * run if `sampling`. The first members are set, the others 0;
 * survey_dispose() in any case. */
int survey_begin(struct survey *s, xc_interface *xch);
int survey_look(struct survey *s, xc_interface *xch);
int survey_finish(struct survey *s, xc_interface *xch, libxl_ctx *ctx);

/* Takes over a snapshot, which has domains. */
int survey_load(struct survey *s, struct xln_snapshot *snapshot);

/* *table_r is the caller's, and to be freed before the survey is disposed of:
 * it has its columns from there. */
int survey_table(struct survey *s, struct table **table_r);

/* Whether a domain is in the table, if it is wanted. */
bool survey_has(const struct survey *s, uint32_t domid);

void survey_dispose(struct survey *s);

#endif /* SURVEY_H */
