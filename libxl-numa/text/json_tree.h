/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A JSON document that was read, as a tree of values. A wrong value leaves one
 * line in the tree, which says where it is and what was expected. The function
 * that finds it returns an rc, which the caller passes on.
 */
#ifndef XLN_JSON_TREE_H
#define XLN_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum xln__json_type {
    XLN__JSON_NULL,
    XLN__JSON_FALSE,
    XLN__JSON_TRUE,
    XLN__JSON_NUMBER,
    XLN__JSON_TEXT,
    XLN__JSON_LIST,
    XLN__JSON_OBJECT,
};

struct xln__json_value {
    struct xln__json_value *parent, *next;  /* next: in the same container */
    const char *key;            /* NULL: not in an object */
    union {
        const char *text;       /* of a text; of a number, as it is written */
        struct xln__json_value *first;
    };
    unsigned line;
    enum xln__json_type type;
};

struct xln__json_tree {
    const char *source;         /* borrowed: what messages call the file */
    struct xln__json_value *root;
    struct xln__json_chunk *chunks;
    char *error;                /* NULL: none, or no memory for it */
};

/* ---- making one ---- */

/* NULL: no memory. What they return lives as long as the tree. */
struct xln__json_tree *xln__json_tree_new(const char *source);
void *xln__json_tree_alloc(struct xln__json_tree *tree, size_t size);
void xln__json_tree_free(struct xln__json_tree *tree);

/* ---- looking at it ---- */

unsigned xln__json_length(const struct xln__json_value *container);

/* NULL: it has no such key, or null for it. */
const struct xln__json_value *xln__json_member(
    const struct xln__json_value *object, const char *key);

/* ---- what has to be there; 0, or -EINVAL (or -ENOMEM) ---- */

/* What a number may be. */
struct xln__json_range {
    uint64_t min, max;
    const char *max_name;       /* the key that `max` comes from, or NULL */
    bool or_null;               /* which is read as UINT64_MAX */
};

int xln__json_check(struct xln__json_tree *tree,
                    const struct xln__json_value *value,
                    enum xln__json_type type, const char *expected);
int xln__json_number_of(struct xln__json_tree *tree,
                        const struct xln__json_value *value,
                        struct xln__json_range range, uint64_t *number_r);

/* The value of a key; `expected` is how messages call what it should be. */
int xln__json_get(struct xln__json_tree *tree,
                  const struct xln__json_value *object, const char *key,
                  enum xln__json_type type, const char *expected,
                  const struct xln__json_value **value_r);
int xln__json_get_number(struct xln__json_tree *tree,
                         const struct xln__json_value *object,
                         const char *key, struct xln__json_range range,
                         uint64_t *number_r);
int xln__json_get_bool(struct xln__json_tree *tree,
                       const struct xln__json_value *object, const char *key,
                       bool *value_r);

/* ---- errors; these return rc ---- */

/* "SOURCE:LINE: PATH: expected ..., not VALUE" */
__attribute__((format(printf, 3, 4)))
int xln__json_expected(struct xln__json_tree *tree,
                       const struct xln__json_value *value,
                       const char *fmt, ...);

/* "SOURCE:LINE: PATH: ..." */
__attribute__((format(printf, 4, 5)))
int xln__json_refuse(struct xln__json_tree *tree, int rc,
                     const struct xln__json_value *value,
                     const char *fmt, ...);

/* "SOURCE:LINE: ..." */
__attribute__((format(printf, 4, 5)))
int xln__json_refuse_line(struct xln__json_tree *tree, int rc, unsigned line,
                          const char *fmt, ...);

#endif /* XLN_JSON_TREE_H */
