/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A planned domain, as people and as programs read it. */
#ifndef PLAN_VIEW_H
#define PLAN_VIEW_H

#include "plans/planner.h"
#include "table.h"

extern const struct table_column plan_view_columns[];

/* Print what is planned and why, in some lines. */
int plan_view_print(const struct planned *d, FILE *f);

/* The sets of nodes that it was chosen from, the best `max_nr` of them (0:
 * all); for people with what is not in the table below it. `domains` NULL:
 * not known. */
int plan_view_table(const struct planned *d, const struct xln_domains *domains,
                    unsigned max_nr, struct table **table_r);

/* All of that as one object. */
void plan_view_json(const struct planned *d, const struct xln_domains *domains,
                    unsigned max_nr, struct xln__json *json);

#endif /* PLAN_VIEW_H */
