/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json_set.h"

void json_set(struct xln__json *json, const struct xln_bitmap *set)
{
    unsigned member;

    xln__json_array(json);
    XLN_FOREACH(xln_bitmap, member, set)
        xln__json_number(json, member);
    xln__json_array_end(json);
}

void json_add_set(struct xln__json *json, const char *key,
                  const struct xln_bitmap *set)
{
    xln__json_key(json, key);
    json_set(json, set);
}
