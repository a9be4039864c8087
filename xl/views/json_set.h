/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JSON_SET_H
#define JSON_SET_H

#include "libxl_numa.h"
#include "text/json.h"

/* The version of everything that is printed as JSON. Version 1 had sets as
 * lists, sizes without "_bytes", and a key for each node. */
#define JSON_VERSION 2

/* A set as a text, "0-3,8"; or, if `json` wants lists, as a list of its
 * numbers, ascending. */
void json_set(struct xln__json *json, const struct xln_bitmap *set);
void json_add_set(struct xln__json *json, const char *key,
                  const struct xln_bitmap *set);

#endif /* JSON_SET_H */
