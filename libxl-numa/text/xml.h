/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * XML, read. Nothing else includes expat.
 *
 * The text comes from outside, so everything is bounded before it is allocated:
 * the size, the depth and number of elements, and the size of a tag. Entities
 * cannot be declared, and no other file is opened.
 */
#ifndef XLN_XML_H
#define XLN_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XLN__XML_MAX_BYTES (64u << 20)
#define XLN__XML_MAX_DEPTH 256
#define XLN__XML_MAX_TEXT 65536     /* in one element */

struct xln__xml;

/* Called for each element; what they return other than 0 ends the reading.
 * `text`: what is in an element that has no other in it. */
struct xln__xml_events {
    int (*begin)(void *priv, struct xln__xml *xml);
    int (*end)(void *priv, struct xln__xml *xml, const char *text);
};

/*
 * Read all of it. -EINVAL: it is not XML, beyond a bound, or refused, with a
 * malloc'd line in *error_r that tells where; or what a function of `events`
 * returned.
 */
int xln__xml_read(const char *text, size_t size,
                  const struct xln__xml_events *events, void *priv,
                  char **error_r);

/* The element and those that it is in: "/topology/cells/cell". */
const char *xln__xml_path(const struct xln__xml *xml);

/* 1 for the outermost. */
unsigned xln__xml_depth(const struct xln__xml *xml);

/* In begin() only: the value of an attribute; NULL: there is none. */
const char *xln__xml_attr(const struct xln__xml *xml, const char *name);

/* In begin() only: a copy of the value in *copy_r, in place of the one there,
 * which is freed. Where the attribute is not given, *copy_r stays. -ENOMEM. */
int xln__xml_copy_attr(const struct xln__xml *xml, const char *name,
                       char **copy_r);

/* In begin() only: all of them, a name and its value in turn, then NULL. */
const char *const *xln__xml_attrs(const struct xln__xml *xml);

/*
 * The same as a number of at most `max`; `missing` where there is no such
 * attribute. -EINVAL: refused, if it is anything else.
 */
int xln__xml_number(struct xln__xml *xml, const char *name, uint64_t max,
                    uint64_t missing, uint64_t *number_r);

/* One that has to be there. */
int xln__xml_need_number(struct xln__xml *xml, const char *name, uint64_t max,
                         uint64_t *number_r);

/* Decimal digits with blanks around, at most `max`; *s moves behind them. */
bool xln__xml_parse_number(const char **s, uint64_t max, uint64_t *number_r);

/* Say what is wrong here, and be -EINVAL. */
__attribute__((format(printf, 2, 3)))
int xln__xml_refuse(struct xln__xml *xml, const char *fmt, ...);

#endif /* XLN_XML_H */
