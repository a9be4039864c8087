/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON, written and read. Nothing else includes yajl. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "json_tree.h"

struct xln__json;

/* A text that grows with each call; an error is kept until the end. */
struct xln__json *xln__json_new(void);
/* The same, on one line and without blanks: for programs. */
struct xln__json *xln__json_new_compact(void);
/* Sets are to be lists of numbers; else texts, as "0-3,8". */
void xln__json_want_lists(struct xln__json *json, bool lists);
bool xln__json_wants_lists(const struct xln__json *json);

/* What is opened next goes on one line, with all that is in it. */
void xln__json_line(struct xln__json *json);
void xln__json_object(struct xln__json *json);  /* opens one */
void xln__json_object_end(struct xln__json *json);
void xln__json_array(struct xln__json *json);
void xln__json_array_end(struct xln__json *json);
/* In an object each value follows its key. */
void xln__json_key(struct xln__json *json, const char *key);
void xln__json_text(struct xln__json *json, const char *text); /* NULL: null */
void xln__json_number(struct xln__json *json, uint64_t number);
/* The number of a CPU or a node, or a distance; UINT_MAX, XLN_NONE: null. */
void xln__json_id(struct xln__json *json, unsigned id);
void xln__json_real(struct xln__json *json, double number);
void xln__json_bool(struct xln__json *json, bool value);
/* A key and its value. */
void xln__json_add_text(struct xln__json *json, const char *key,
                        const char *text);
void xln__json_add_number(struct xln__json *json, const char *key,
                          uint64_t number);
void xln__json_add_id(struct xln__json *json, const char *key, unsigned id);
void xln__json_add_bool(struct xln__json *json, const char *key, bool value);
/* The text is not to be printed: for this reason. */
void xln__json_fail(struct xln__json *json, int rc);

/* Write it out and free it; -errno of whatever went wrong, at any time. */
int xln__json_print(struct xln__json *json, FILE *f);

/*
 * Read a document from `f` to its end. Bounded are its size, its nesting, its
 * values and the keys of one object; no object has a key twice, and texts are
 * UTF-8 without a zero. -EINVAL, -EFBIG: *error_r is a malloc'd line with the
 * file's name, as `source`, and the place; else -errno. Free it with
 * xln__json_tree_free(); it borrows `source`.
 */
int xln__json_read(FILE *f, const char *source, struct xln__json_tree **tree_r,
                   char **error_r);

#endif /* JSON_H */
