/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A count of domains like one, as people and as programs read it. */
#ifndef PLAN_COUNT_VIEW_H
#define PLAN_COUNT_VIEW_H

#include "plans/plan_count.h"
#include "text/json.h"

/* Some lines: how many fit, on how many nodes each, and what runs out first. */
int plan_count_view_print(const struct planned *d,
                          const struct plan_count *count, FILE *f);

/* The same as the keys of an object that is open. */
void plan_count_view_json(const struct planned *d,
                          const struct plan_count *count,
                          struct xln__json *json);

#endif /* PLAN_COUNT_VIEW_H */
