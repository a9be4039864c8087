/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include "json.h"

struct xln__json {
    yajl_gen gen;
    int rc;
};

struct xln__json *xln__json_new(void)
{
    struct xln__json *json = calloc(1, sizeof(*json));

    if (!json)
        return NULL;
    json->gen = yajl_gen_alloc(NULL);
    if (!json->gen) {
        free(json);
        return NULL;
    }
    yajl_gen_config(json->gen, yajl_gen_beautify, 1);
    yajl_gen_config(json->gen, yajl_gen_indent_string, "    ");
    return json;
}

static void note(struct xln__json *json, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok && !json->rc)
        json->rc = -EINVAL;
}

void xln__json_object(struct xln__json *json)
{
    note(json, yajl_gen_map_open(json->gen));
}

void xln__json_object_end(struct xln__json *json)
{
    note(json, yajl_gen_map_close(json->gen));
}

void xln__json_array(struct xln__json *json)
{
    note(json, yajl_gen_array_open(json->gen));
}

void xln__json_array_end(struct xln__json *json)
{
    note(json, yajl_gen_array_close(json->gen));
}

void xln__json_text(struct xln__json *json, const char *text)
{
    if (text)
        note(json, yajl_gen_string(json->gen, (const unsigned char *)text,
                                   strlen(text)));
    else
        note(json, yajl_gen_null(json->gen));
}

void xln__json_key(struct xln__json *json, const char *key)
{
    xln__json_text(json, key);
}

/* As text: yajl's own integers are signed. */
void xln__json_number(struct xln__json *json, uint64_t number)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%" PRIu64, number);

    note(json, yajl_gen_number(json->gen, text, n));
}

void xln__json_real(struct xln__json *json, double number)
{
    char text[48];
    int n = snprintf(text, sizeof(text), "%.3f", number);

    note(json, yajl_gen_number(json->gen, text, n));
}

void xln__json_bool(struct xln__json *json, bool value)
{
    note(json, yajl_gen_bool(json->gen, value));
}

void xln__json_set(struct xln__json *json, const struct xln_bitmap *set)
{
    unsigned member;

    xln__json_array(json);
    XLN_FOREACH(xln_bitmap, member, set)
        xln__json_number(json, member);
    xln__json_array_end(json);
}

int xln__json_print(struct xln__json *json, FILE *f)
{
    const unsigned char *text;
    size_t size;
    int rc = json->rc;

    note(json, yajl_gen_get_buf(json->gen, &text, &size));
    if (!rc)
        rc = json->rc;
    if (!rc && fwrite(text, 1, size, f) != size)
        rc = errno ? -errno : -EIO;
    yajl_gen_free(json->gen);
    free(json);
    return rc;
}
