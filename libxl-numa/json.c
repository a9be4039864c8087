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

/* ---- texts ---- */

static bool in_range(unsigned char byte, unsigned first, unsigned last)
{
    return byte >= first && byte <= last;
}

/* How long the UTF-8 character at `s` is; 0: there is none. Its second byte is
 * in a narrower range where it could be written shorter, is half of a pair, or
 * would be beyond the last character. */
static unsigned character_length(const unsigned char *s)
{
    unsigned length, i, first = 0x80, last = 0xbf;

    if (*s < 0x80)
        return 1;
    if (!in_range(*s, 0xc2, 0xf4))
        return 0;
    length = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
    switch (*s) {
    case 0xe0: first = 0xa0; break;
    case 0xed: last = 0x9f; break;
    case 0xf0: first = 0x90; break;
    case 0xf4: last = 0x8f; break;
    }
    if (!in_range(s[1], first, last))
        return 0;
    for (i = 2; i < length; i++)
        if (!in_range(s[i], 0x80, 0xbf))
            return 0;
    return length;
}

/* `text` with U+FFFD for what is no UTF-8: JSON can't have it, but the name of
 * a domain can. Three bytes for one at most. */
static char *clean(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    char *copy = malloc(3 * strlen(text) + 1), *end = copy;
    unsigned length;

    for (; copy && *s; s += length ? length : 1) {
        length = character_length(s);
        end = length ? mempcpy(end, s, length)
                     : mempcpy(end, "\xef\xbf\xbd", 3);
    }
    if (copy)
        *end = '\0';
    return copy;
}

void xln__json_text(struct xln__json *json, const char *text)
{
    char *copy;

    if (!text) {
        note(json, yajl_gen_null(json->gen));
        return;
    }
    copy = clean(text);
    if (copy)
        note(json, yajl_gen_string(json->gen, (unsigned char *)copy,
                                   strlen(copy)));
    else if (!json->rc)
        json->rc = -ENOMEM;
    free(copy);
}

/* ---- the rest ---- */

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
