/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "json_tree.h"
#include "refuse.h"

#define CHUNK_SIZE (64 * 1024)
#define SHOWN_MAX 40            /* bytes of a text that messages show */

/* ---- memory: all of a tree's goes at once ---- */

struct xln__json_chunk {
    struct xln__json_chunk *next;
    size_t size, used;
    max_align_t data[];
};

struct xln__json_tree *xln__json_tree_new(const char *source)
{
    struct xln__json_tree *tree = calloc(1, sizeof(*tree));

    if (tree)
        tree->source = source;
    return tree;
}

void *xln__json_tree_alloc(struct xln__json_tree *tree, size_t size)
{
    struct xln__json_chunk *chunk = tree->chunks;
    size_t align = _Alignof(struct xln__json_value);
    void *block;

    size = (size + align - 1) / align * align;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t chunk_size = size > CHUNK_SIZE ? size : CHUNK_SIZE;

        chunk = malloc(sizeof(*chunk) + chunk_size);
        if (!chunk)
            return NULL;
        chunk->next = tree->chunks;
        chunk->size = chunk_size;
        chunk->used = 0;
        tree->chunks = chunk;
    }
    block = (char *)chunk->data + chunk->used;
    chunk->used += size;
    return block;
}

void xln__json_tree_free(struct xln__json_tree *tree)
{
    struct xln__json_chunk *chunk, *next;

    if (!tree)
        return;
    for (chunk = tree->chunks; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(tree->error);
    free(tree);
}

/* ---- errors ---- */

/* The start of it. */
static void print_cut(FILE *f, const char *text)
{
    size_t length = strlen(text), shown = length;

    if (length > SHOWN_MAX) {
        shown = SHOWN_MAX;
        /* Not within a character. */
        while (shown && ((unsigned char)text[shown] & 0xc0) == 0x80)
            shown--;
    }
    fwrite(text, 1, shown, f);
    if (shown < length)
        fputs("...", f);
}

static void print_value(FILE *f, const struct xln__json_value *value)
{
    switch (value->type) {
    case XLN__JSON_NULL: fputs("null", f); break;
    case XLN__JSON_FALSE: fputs("false", f); break;
    case XLN__JSON_TRUE: fputs("true", f); break;
    case XLN__JSON_NUMBER: print_cut(f, value->text); break;
    case XLN__JSON_TEXT:
        fputc('"', f);
        print_cut(f, value->text);
        fputc('"', f);
        break;
    case XLN__JSON_LIST:
        fputs(value->first ? "a list" : "an empty list", f);
        break;
    case XLN__JSON_OBJECT: fputs("an object", f); break;
    }
}

/* How many come before it; all, if it is not in its container yet. */
static unsigned index_of(const struct xln__json_value *value)
{
    const struct xln__json_value *v = value->parent->first;
    unsigned index = 0;

    for (; v && v != value; v = v->next)
        index++;
    return index;
}

/* "domains[3].name"; the path is as deep as the reader lets a file be. */
static void print_path(FILE *f, const struct xln__json_value *value)
{
    if (!value->parent)
        return;
    print_path(f, value->parent);
    if (value->key) {
        if (value->parent->parent)
            fputc('.', f);
        print_cut(f, value->key);
    } else {
        fprintf(f, "[%u]", index_of(value));
    }
}

/* The first error stays. `value`: its path is shown, and if something else was
 * `expected`, itself. */
__attribute__((format(printf, 5, 0)))
static void keep_error(struct xln__json_tree *tree, unsigned line,
                       const struct xln__json_value *value, bool expected,
                       const char *fmt, va_list ap)
{
    size_t size;
    FILE *f;

    if (tree->error)
        return;
    f = open_memstream(&tree->error, &size);
    if (!f) {
        tree->error = NULL;
        return;
    }
    fprintf(f, "%s:%u: ", tree->source, line);
    if (value && value->parent) {
        print_path(f, value);
        fputs(": ", f);
    }
    if (expected)
        fputs("expected ", f);
    vfprintf(f, fmt, ap);
    if (expected) {
        fputs(", not ", f);
        print_value(f, value);
    }
    if (fclose(f) || !tree->error) {
        free(tree->error);
        tree->error = NULL;
    } else {
        xln__mask_controls(tree->error);
    }
}

int xln__json_expected(struct xln__json_tree *tree,
                       const struct xln__json_value *value,
                       const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    keep_error(tree, value->line, value, true, fmt, ap);
    va_end(ap);
    return tree->error ? -EINVAL : -ENOMEM;
}

int xln__json_refuse(struct xln__json_tree *tree, int rc,
                     const struct xln__json_value *value, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    keep_error(tree, value->line, value, false, fmt, ap);
    va_end(ap);
    return tree->error ? rc : -ENOMEM;
}

int xln__json_refuse_line(struct xln__json_tree *tree, int rc, unsigned line,
                          const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    keep_error(tree, line, NULL, false, fmt, ap);
    va_end(ap);
    return tree->error ? rc : -ENOMEM;
}

static int refuse_missing(struct xln__json_tree *tree,
                          const struct xln__json_value *object,
                          const char *key, const char *expected)
{
    struct xln__json_value missing = {
        .parent = (struct xln__json_value *)object,
        .key = key,
        .line = object->line,
    };

    return xln__json_refuse(tree, -EINVAL, &missing,
                            "expected %s, but it is missing", expected);
}

/* ---- looking ---- */

unsigned xln__json_length(const struct xln__json_value *container)
{
    const struct xln__json_value *v;
    unsigned length = 0;

    for (v = container->first; v; v = v->next)
        length++;
    return length;
}

static const struct xln__json_value *find(const struct xln__json_value *object,
                                          const char *key)
{
    const struct xln__json_value *v;

    for (v = object->first; v; v = v->next)
        if (!strcmp(v->key, key))
            return v;
    return NULL;
}

const struct xln__json_value *xln__json_member(
    const struct xln__json_value *object, const char *key)
{
    const struct xln__json_value *value = find(object, key);

    return value && value->type != XLN__JSON_NULL ? value : NULL;
}

int xln__json_check(struct xln__json_tree *tree,
                    const struct xln__json_value *value,
                    enum xln__json_type type, const char *expected)
{
    if (value->type == type)
        return 0;
    return xln__json_expected(tree, value, "%s", expected);
}

int xln__json_get(struct xln__json_tree *tree,
                  const struct xln__json_value *object, const char *key,
                  enum xln__json_type type, const char *expected,
                  const struct xln__json_value **value_r)
{
    const struct xln__json_value *value = find(object, key);
    int rc;

    if (!value)
        return refuse_missing(tree, object, key, expected);
    rc = xln__json_check(tree, value, type, expected);
    if (!rc)
        *value_r = value;
    return rc;
}

int xln__json_get_bool(struct xln__json_tree *tree,
                       const struct xln__json_value *object, const char *key,
                       bool *value_r)
{
    const struct xln__json_value *value = find(object, key);

    if (!value)
        return refuse_missing(tree, object, key, "true or false");
    if (value->type != XLN__JSON_FALSE && value->type != XLN__JSON_TRUE)
        return xln__json_expected(tree, value, "true or false");
    *value_r = value->type == XLN__JSON_TRUE;
    return 0;
}

/* ---- numbers ---- */

static void describe(struct xln__json_range range, char *text, size_t size)
{
    char max[80];

    if (range.max_name)
        snprintf(max, sizeof(max), "%s (%" PRIu64 ")", range.max_name,
                 range.max);
    else
        snprintf(max, sizeof(max), "%" PRIu64, range.max);
    if (range.min)
        snprintf(text, size, "a number from %" PRIu64 " to %s%s", range.min,
                 max, range.or_null ? ", or null" : "");
    else
        snprintf(text, size, "a number up to %s%s", max,
                 range.or_null ? ", or null" : "");
}

/* Digits alone: no sign, fraction or exponent. */
static bool read_number(const char *text, struct xln__json_range range,
                        uint64_t *number_r)
{
    uint64_t number;

    if (text[strspn(text, "0123456789")])
        return false;
    errno = 0;
    number = strtoull(text, NULL, 10);
    if (errno || number < range.min || number > range.max)
        return false;
    *number_r = number;
    return true;
}

int xln__json_number_of(struct xln__json_tree *tree,
                        const struct xln__json_value *value,
                        struct xln__json_range range, uint64_t *number_r)
{
    char expected[160];

    if (range.or_null && value->type == XLN__JSON_NULL) {
        *number_r = UINT64_MAX;
        return 0;
    }
    if (value->type == XLN__JSON_NUMBER &&
        read_number(value->text, range, number_r))
        return 0;
    describe(range, expected, sizeof(expected));
    return xln__json_expected(tree, value, "%s", expected);
}

int xln__json_get_number(struct xln__json_tree *tree,
                         const struct xln__json_value *object,
                         const char *key, struct xln__json_range range,
                         uint64_t *number_r)
{
    const struct xln__json_value *value = find(object, key);
    char expected[160];

    if (value)
        return xln__json_number_of(tree, value, range, number_r);
    describe(range, expected, sizeof(expected));
    return refuse_missing(tree, object, key, expected);
}
