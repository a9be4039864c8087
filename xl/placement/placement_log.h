/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines that a create logs about its placement, each with the domain's
 * name. */
#ifndef PLACEMENT_LOG_H
#define PLACEMENT_LOG_H

#include "placement.h"

/* The context of all lines. */
#define PLACEMENT_LOG "numa"

/* NULL: nothing. */
void placement_say(const struct placement *p, xentoollog_level level,
                   const char *text);

/* The same with a malloc'd line, which is freed. */
void placement_say_free(const struct placement *p, xentoollog_level level,
                        char *text);

/* What failed, the error, and what follows from it. */
void placement_warn_failed(const struct placement *p, const char *what, int rc,
                           const char *so);

#endif /* PLACEMENT_LOG_H */
