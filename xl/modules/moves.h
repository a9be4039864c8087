/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In the installed xl: lock the domain that it saves or migrates, and record the
 * steps of a move in its journal. Start a monitor for a domain that has lost its
 * own.
 */
#ifndef MOVES_H
#define MOVES_H

#include <stdbool.h>

#include "placement/layout.h"

/* Read what the process was started with, and remove it. */
void moves_take_environment(void);

/* `inert`: libxl is of another release, nothing can be done. */
void moves_begin(xentoollog_logger *lg, bool inert);

/* Whether this xl saves a domain or sends it on. */
bool moves_sends(void);

/* The settings that the copy of a moved domain gets, for keep_parse(). NULL:
 * it is not moved. */
const char *moves_keep(void);

/* libxl_domain_suspend() has returned. */
void moves_note_answered(void);

/* A domain was received as a whole. */
void moves_note_received(const libxl_domain_config *config);

/* Whether the next create is none, but shall wait for a domain that exists;
 * and what libxl_domain_create_new() is then. */
bool moves_adopts(void);
int moves_adopt(libxl_ctx *ctx, const struct layout *layout,
                libxl_domain_config *config, uint32_t *domid);

#endif /* MOVES_H */
