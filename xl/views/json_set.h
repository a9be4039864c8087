/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JSON_SET_H
#define JSON_SET_H

#include "libxl_numa.h"
#include "text/json.h"

/* A set as a list of its numbers, ascending. */
void json_set(struct xln__json *json, const struct xln_bitmap *set);
void json_add_set(struct xln__json *json, const char *key,
                  const struct xln_bitmap *set);

#endif /* JSON_SET_H */
