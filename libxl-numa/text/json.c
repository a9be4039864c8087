/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "from_errno.h"
#include "json.h"
#include "read_stream.h"

/* What a file may have; the largest host has less. */
#define MAX_SIZE (64u << 20)
#define MAX_LEVELS 32
#define MAX_VALUES (1u << 22)
#define MAX_KEYS 64             /* in one object */

struct xln__json {
    yajl_gen gen;
    char *text;                 /* so far */
    size_t size, allocated;
    bool line_next;             /* see xln__json_line() */
    unsigned line_levels;       /* open ones on this line; 0: not on one */
    bool compact, lists;
    int rc;
};

/* ---- the layout ---- */

static void append(struct xln__json *json, const char *text, size_t size)
{
    size_t needed = json->size + size, allocated = json->allocated;
    char *larger;

    if (needed > allocated) {
        allocated = 2 * allocated > needed ? 2 * allocated : needed;
        larger = realloc(json->text, allocated);
        if (!larger) {
            json->rc = -ENOMEM;
            return;
        }
        json->text = larger;
        json->allocated = allocated;
    }
    memcpy(json->text + json->size, text, size);
    json->size = needed;
}

/* A break before each value and each end; in what is empty, one. */
static void append_break(struct xln__json *json, char c)
{
    if (!json->size || json->text[json->size - 1] != c)
        append(json, &c, 1);
}

/* Takes what yajl writes, piece by piece. One that is a newline or a tab is
 * its layout: in texts both are escaped. */
static void take(void *ctx, const char *text, size_t size)
{
    struct xln__json *json = ctx;
    char c = size == 1 ? *text : '\0';

    if (json->rc)
        return;
    if (c == '\n')
        append_break(json, json->line_levels ? ' ' : '\n');
    else if (c != '\t')
        append(json, text, size);
    else if (!json->line_levels)
        append(json, "    ", 4);
    /* The break that follows is on the line already. */
    if (json->line_next && (c == '{' || c == '[')) {
        json->line_next = false;
        json->line_levels = 1;
    }
}

static void note(struct xln__json *json, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        xln__json_fail(json, -EINVAL);
}

static struct xln__json *json_new(bool compact)
{
    struct xln__json *json = calloc(1, sizeof(*json));

    if (!json)
        return NULL;
    json->gen = yajl_gen_alloc(NULL);
    if (!json->gen) {
        free(json);
        return NULL;
    }
    json->compact = compact;
    yajl_gen_config(json->gen, yajl_gen_beautify, !compact);
    yajl_gen_config(json->gen, yajl_gen_indent_string, "\t");
    yajl_gen_config(json->gen, yajl_gen_print_callback, take, json);
    return json;
}

struct xln__json *xln__json_new(void)
{
    return json_new(false);
}

struct xln__json *xln__json_new_compact(void)
{
    return json_new(true);
}

void xln__json_want_lists(struct xln__json *json, bool lists)
{
    json->lists = lists;
}

bool xln__json_wants_lists(const struct xln__json *json)
{
    return json->lists;
}

void xln__json_line(struct xln__json *json)
{
    if (!json->line_levels && !json->compact)
        json->line_next = true;
}

static void open_level(struct xln__json *json,
                       yajl_gen_status (*open)(yajl_gen))
{
    json->line_levels += json->line_levels > 0;
    note(json, open(json->gen));
}

static void close_level(struct xln__json *json,
                        yajl_gen_status (*close)(yajl_gen))
{
    note(json, close(json->gen));
    json->line_levels -= json->line_levels > 0;
}

void xln__json_object(struct xln__json *json)
{
    open_level(json, yajl_gen_map_open);
}

void xln__json_object_end(struct xln__json *json)
{
    close_level(json, yajl_gen_map_close);
}

void xln__json_array(struct xln__json *json)
{
    open_level(json, yajl_gen_array_open);
}

void xln__json_array_end(struct xln__json *json)
{
    close_level(json, yajl_gen_array_close);
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

/* `text` with U+FFFD for what is no UTF-8: JSON cannot have it, but the name of
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
    else
        xln__json_fail(json, -ENOMEM);
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

void xln__json_id(struct xln__json *json, unsigned id)
{
    if (id == UINT_MAX)
        xln__json_text(json, NULL);
    else
        xln__json_number(json, id);
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

/* ---- pairs ---- */

void xln__json_add_text(struct xln__json *json, const char *key,
                        const char *text)
{
    xln__json_key(json, key);
    xln__json_text(json, text);
}

void xln__json_add_number(struct xln__json *json, const char *key,
                          uint64_t number)
{
    xln__json_key(json, key);
    xln__json_number(json, number);
}

void xln__json_add_id(struct xln__json *json, const char *key, unsigned id)
{
    xln__json_key(json, key);
    xln__json_id(json, id);
}

void xln__json_add_bool(struct xln__json *json, const char *key, bool value)
{
    xln__json_key(json, key);
    xln__json_bool(json, value);
}

/* ---- the end ---- */

void xln__json_fail(struct xln__json *json, int rc)
{
    if (!json->rc)
        json->rc = rc;
}

int xln__json_print(struct xln__json *json, FILE *f)
{
    int rc;

    if (json->compact && !json->rc)
        append(json, "\n", 1);
    rc = json->rc;
    errno = 0;
    if (!rc && fwrite(json->text, 1, json->size, f) != json->size)
        rc = xln__from_errno();
    yajl_gen_free(json->gen);
    free(json->text);
    free(json);
    return rc;
}

/* ---- reading ---- */

struct reader {
    struct xln__json_tree *tree;
    yajl_handle yajl;
    const char *text;
    size_t size;
    size_t counted;             /* up to there `line` is right */
    unsigned line;
    /* The containers that are open, from the root on. */
    struct {
        struct xln__json_value *container, *last;
        unsigned nr_keys;
    } levels[MAX_LEVELS];
    unsigned nr_levels, nr_values;
    const char *key;            /* of the value to come */
    int rc;
};

static void count_lines(struct reader *r, size_t end)
{
    for (; r->counted < end && r->counted < r->size; r->counted++)
        r->line += r->text[r->counted] == '\n';
}

/* Into the open container. NULL: r->rc says why not. */
static struct xln__json_value *add(struct reader *r, enum xln__json_type type)
{
    struct xln__json_value *v = xln__json_tree_alloc(r->tree, sizeof(*v));

    if (!v) {
        r->rc = -ENOMEM;
        return NULL;
    }
    count_lines(r, yajl_get_bytes_consumed(r->yajl));
    *v = (struct xln__json_value){
        .key = r->key, .line = r->line, .type = type,
    };
    r->key = NULL;
    if (r->nr_levels)
        v->parent = r->levels[r->nr_levels - 1].container;
    if (++r->nr_values > MAX_VALUES) {
        r->rc = xln__json_refuse(r->tree, -EFBIG, v, "expected no more than "
                                 "%u values in a file", MAX_VALUES);
        return NULL;
    }
    return v;
}

/* False, to yajl: stop. */
static int put(struct reader *r, struct xln__json_value *v)
{
    struct xln__json_value *last;

    if (!r->nr_levels) {
        r->tree->root = v;
        return true;
    }
    last = r->levels[r->nr_levels - 1].last;
    if (last)
        last->next = v;
    else
        v->parent->first = v;
    r->levels[r->nr_levels - 1].last = v;
    return true;
}

static int take_plain(struct reader *r, enum xln__json_type type)
{
    struct xln__json_value *v = add(r, type);

    return v && put(r, v);
}

static int take_null(void *ctx)
{
    return take_plain(ctx, XLN__JSON_NULL);
}

static int take_bool(void *ctx, int value)
{
    return take_plain(ctx, value ? XLN__JSON_TRUE : XLN__JSON_FALSE);
}

/* A copy that ends with a zero. NULL: no memory. */
static char *keep_text(struct reader *r, const char *text, size_t size)
{
    char *copy = xln__json_tree_alloc(r->tree, size + 1);

    if (copy)
        *(char *)mempcpy(copy, text, size) = '\0';
    else
        r->rc = -ENOMEM;
    return copy;
}

static int take_number(void *ctx, const char *text, size_t size)
{
    struct reader *r = ctx;
    struct xln__json_value *v = add(r, XLN__JSON_NUMBER);

    if (!v)
        return false;
    v->text = keep_text(r, text, size);
    return v->text && put(r, v);
}

/* yajl lets through some of what is no UTF-8, and zeros. */
static bool is_clean(const char *text, size_t size)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned length;

    for (; *s; s += length) {
        length = character_length(s);
        if (!length)
            return false;
    }
    return (const char *)s == text + size;
}

static int take_text(void *ctx, const unsigned char *text, size_t size)
{
    struct reader *r = ctx;
    struct xln__json_value *v = add(r, XLN__JSON_TEXT);

    if (!v)
        return false;
    v->text = keep_text(r, (const char *)text, size);
    if (!v->text)
        return false;
    if (!is_clean(v->text, size))
        r->rc = xln__json_refuse(r->tree, -EINVAL, v, "expected UTF-8 without "
                                 "a zero");
    return !r->rc && put(r, v);
}

static int take_start(struct reader *r, enum xln__json_type type)
{
    struct xln__json_value *v = add(r, type);

    if (!v)
        return false;
    if (r->nr_levels == MAX_LEVELS) {
        r->rc = xln__json_refuse(r->tree, -EINVAL, v, "expected no more than "
                                 "%u levels", MAX_LEVELS);
        return false;
    }
    put(r, v);
    r->levels[r->nr_levels].container = v;
    r->levels[r->nr_levels].last = NULL;
    r->levels[r->nr_levels].nr_keys = 0;
    r->nr_levels++;
    return true;
}

static int take_object(void *ctx)
{
    return take_start(ctx, XLN__JSON_OBJECT);
}

static int take_list(void *ctx)
{
    return take_start(ctx, XLN__JSON_LIST);
}

static int take_end(void *ctx)
{
    struct reader *r = ctx;

    r->nr_levels--;
    return true;
}

static int take_key(void *ctx, const unsigned char *text, size_t size)
{
    struct reader *r = ctx;
    struct xln__json_value *object = r->levels[r->nr_levels - 1].container, *v;
    struct xln__json_value refused = { .parent = object };

    r->key = keep_text(r, (const char *)text, size);
    if (!r->key)
        return false;
    count_lines(r, yajl_get_bytes_consumed(r->yajl));
    refused.line = r->line;
    refused.key = r->key;
    for (v = object->first; v && strcmp(v->key, r->key); v = v->next)
        ;
    if (!is_clean(r->key, size))
        r->rc = xln__json_refuse_line(r->tree, -EINVAL, r->line, "expected a "
                                      "key of UTF-8 without a zero");
    else if (v)
        r->rc = xln__json_refuse(r->tree, -EINVAL, &refused, "expected once, "
                                 "but it appears twice");
    else if (++r->levels[r->nr_levels - 1].nr_keys > MAX_KEYS)
        r->rc = xln__json_refuse(r->tree, -EINVAL, &refused, "expected no "
                                 "more than %u keys", MAX_KEYS);
    return !r->rc;
}

static const yajl_callbacks callbacks = {
    .yajl_null = take_null,
    .yajl_boolean = take_bool,
    .yajl_number = take_number,
    .yajl_string = take_text,
    .yajl_start_map = take_object,
    .yajl_map_key = take_key,
    .yajl_end_map = take_end,
    .yajl_start_array = take_list,
    .yajl_end_array = take_end,
};

/* What yajl has to say is a sentence on a line. */
static void refuse_syntax(struct reader *r)
{
    unsigned char *why = yajl_get_error(r->yajl, 0, NULL, 0);
    int length = why ? strcspn((const char *)why, "\n") : 0;

    while (length && why[length - 1] == '.')
        length--;
    r->rc = xln__json_refuse_line(r->tree, -EINVAL, r->line,
                                  "expected JSON: %.*s", length,
                                  why ? (const char *)why : "");
    if (why)
        yajl_free_error(r->yajl, why);
}

static void parse(struct reader *r)
{
    yajl_status status = yajl_parse(r->yajl, (const unsigned char *)r->text,
                                    r->size);

    count_lines(r, status == yajl_status_ok ? r->size
                                        : yajl_get_bytes_consumed(r->yajl));
    if (status == yajl_status_ok)
        status = yajl_complete_parse(r->yajl);
    if (status != yajl_status_ok && !r->rc)
        refuse_syntax(r);
}

/* Editors of Windows put one in front. */
static void skip_mark(struct reader *r)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (r->size < strlen(mark) || memcmp(r->text, mark, strlen(mark)))
        return;
    r->text += strlen(mark);
    r->size -= strlen(mark);
}

static int read_tree(const char *text, size_t size,
                     struct xln__json_tree *tree)
{
    struct reader r = { .tree = tree, .text = text, .size = size, .line = 1 };

    skip_mark(&r);
    r.yajl = yajl_alloc(&callbacks, NULL, &r);
    if (!r.yajl)
        return -ENOMEM;
    parse(&r);
    yajl_free(r.yajl);
    return r.rc;
}

int xln__json_read(FILE *f, const char *source, struct xln__json_tree **tree_r,
                   char **error_r)
{
    struct xln__json_tree *tree = xln__json_tree_new(source);
    char *text = NULL;
    size_t size = 0;
    int rc = tree ? 0 : -ENOMEM;

    if (!rc)
        rc = xln__read_stream(f, MAX_SIZE, &text, &size);
    if (!rc && size > MAX_SIZE)
        rc = -EFBIG;
    if (rc == -EFBIG &&
        asprintf(error_r, "%s: expected no more than %u MiB", source,
                 MAX_SIZE >> 20) < 0)
        rc = -ENOMEM;
    if (!rc) {
        rc = read_tree(text, size, tree);
        if (rc == -EINVAL || rc == -EFBIG) {
            *error_r = tree->error;
            tree->error = NULL;
        }
    }
    free(text);
    if (rc) {
        xln__json_tree_free(tree);
        return rc;
    }
    *tree_r = tree;
    return 0;
}
