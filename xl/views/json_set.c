/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "json_set.h"

static void add_list(struct xln__json *json, const struct xln_bitmap *set)
{
    unsigned member;

    xln__json_array(json);
    XLN_FOREACH(xln_bitmap, member, set)
        xln__json_number(json, member);
    xln__json_array_end(json);
}

void json_set(struct xln__json *json, const struct xln_bitmap *set)
{
    char *text;
    int rc;

    if (xln__json_wants_lists(json)) {
        add_list(json, set);
        return;
    }
    rc = xln_bitmap_format(set, &text);
    if (rc) {
        xln__json_fail(json, rc);
        return;
    }
    xln__json_text(json, text);
    free(text);
}

void json_add_set(struct xln__json *json, const char *key,
                  const struct xln_bitmap *set)
{
    xln__json_key(json, key);
    json_set(json, set);
}
