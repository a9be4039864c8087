/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "refuse.h"
#include "xml.h"

/*
 * The parser remembers every name that it has seen, and a tag in one piece.
 * These keep that to some 100 MiB; 30000 CPUs need a quarter of them.
 */
#define MAX_ELEMENTS 1000000
#define MAX_ATTRIBUTES 4000000
#define MAX_TAG_BYTES (1u << 20)
#define MAX_PATH_BYTES (XLN__XML_MAX_DEPTH * 16)

struct xln__xml {
    XML_Parser parser;
    const struct xln__xml_events *events;
    void *priv;
    int rc;                     /* why it was ended */
    char *error;

    char path[MAX_PATH_BYTES];
    size_t path_len;
    unsigned depth, nr_elements, nr_attributes;
    const char **attributes;    /* of this tag: name, value, ... NULL */

    char text[XLN__XML_MAX_TEXT];
    size_t text_len;
    bool text_too_long;
};

/* ---- what is wrong ---- */

static int refuse_line(struct xln__xml *xml, unsigned long line,
                       const char *what)
{
    return xln__refuse(&xml->error, "line %lu: %s", line, what);
}

static unsigned long current_line(const struct xln__xml *xml)
{
#if HAVE_DECL_XML_GETCURRENTLINENUMBER64
    return XML_GetCurrentLineNumber64(xml->parser);
#else
    return XML_GetCurrentLineNumber(xml->parser);
#endif
}

int xln__xml_refuse(struct xln__xml *xml, const char *fmt, ...)
{
    char *what;
    va_list ap;
    int n, rc;

    va_start(ap, fmt);
    n = vasprintf(&what, fmt, ap);
    va_end(ap);
    if (n < 0)
        return -ENOMEM;
    rc = refuse_line(xml, current_line(xml), what);
    free(what);
    return rc;
}

static void stop(struct xln__xml *xml, int rc)
{
    xml->rc = rc;
    if (rc)
        XML_StopParser(xml->parser, XML_FALSE);
}

/* ---- elements ---- */

const char *xln__xml_path(const struct xln__xml *xml)
{
    return xml->path;
}

unsigned xln__xml_depth(const struct xln__xml *xml)
{
    return xml->depth;
}

static int enter(struct xln__xml *xml, const char *name)
{
    size_t len = strlen(name);

    if (++xml->depth > XLN__XML_MAX_DEPTH)
        return xln__xml_refuse(xml, "more than %u elements in one another",
                               XLN__XML_MAX_DEPTH);
    if (xml->path_len + len + 2 > sizeof(xml->path))
        return xln__xml_refuse(xml, "the names of elements are too long");
    xml->path[xml->path_len++] = '/';
    memcpy(xml->path + xml->path_len, name, len + 1);
    xml->path_len += len;
    return 0;
}

static void leave(struct xln__xml *xml)
{
    while (xml->path[--xml->path_len] != '/')
        ;
    xml->path[xml->path_len] = '\0';
    xml->depth--;
}

static int count(struct xln__xml *xml)
{
    if (++xml->nr_elements > MAX_ELEMENTS)
        return xln__xml_refuse(xml, "more than %u elements", MAX_ELEMENTS);
    /* Names and values. */
    xml->nr_attributes += XML_GetSpecifiedAttributeCount(xml->parser) / 2;
    if (xml->nr_attributes > MAX_ATTRIBUTES)
        return xln__xml_refuse(xml, "more than %u attributes",
                               MAX_ATTRIBUTES);
    return 0;
}

static void on_begin(void *data, const char *name, const char **attributes)
{
    struct xln__xml *xml = data;
    int rc;

    /* It is called for what was parsed already, after a stop. */
    if (xml->rc)
        return;
    rc = count(xml);
    if (!rc)
        rc = enter(xml, name);
    xml->text_len = 0;
    xml->text_too_long = false;
    xml->attributes = attributes;
    if (!rc)
        rc = xml->events->begin(xml->priv, xml);
    xml->attributes = NULL;
    stop(xml, rc);
}

static void on_text(void *data, const char *s, int len)
{
    struct xln__xml *xml = data;

    if (xml->text_len + len >= sizeof(xml->text)) {
        xml->text_too_long = true;
        return;
    }
    memcpy(xml->text + xml->text_len, s, len);
    xml->text_len += len;
}

/* An attribute that nobody reads may be of any length. */
static int end(struct xln__xml *xml)
{
    if (xml->text_too_long)
        xml->text_len = 0;
    xml->text[xml->text_len] = '\0';
    return xml->events->end(xml->priv, xml, xml->text);
}

static void on_end(void *data, const char *name)
{
    struct xln__xml *xml = data;

    (void)name;
    if (xml->rc)
        return;
    stop(xml, end(xml));
    leave(xml);
    xml->text_len = 0;
}

/* hwloc's files name a DTD, which nobody reads. Inside of the file there is
 * no use for one but to declare entities. */
static void on_doctype(void *data, const char *name, const char *system_id,
                       const char *public_id, int has_internal_subset)
{
    struct xln__xml *xml = data;

    (void)name;
    (void)system_id;
    (void)public_id;
    if (has_internal_subset)
        stop(xml, xln__xml_refuse(xml, "declarations (<!DOCTYPE ... [) are "
                                       "not read"));
}

/* ---- attributes ---- */

const char *xln__xml_attr(const struct xln__xml *xml, const char *name)
{
    const char **a;

    for (a = xml->attributes; *a; a += 2)
        if (!strcmp(a[0], name))
            return a[1];
    return NULL;
}

int xln__xml_copy_attr(const struct xln__xml *xml, const char *name,
                       char **copy_r)
{
    const char *value = xln__xml_attr(xml, name);

    if (!value)
        return 0;
    free(*copy_r);
    *copy_r = strdup(value);
    return *copy_r ? 0 : -ENOMEM;
}

const char *const *xln__xml_attrs(const struct xln__xml *xml)
{
    return xml->attributes;
}

bool xln__xml_parse_number(const char **s, uint64_t max, uint64_t *number_r)
{
    static const char blanks[] = " \t\r\n";
    const char *p = *s + strspn(*s, blanks);
    uint64_t number = 0;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = *p - '0';

        if (number > max / 10 || number * 10 > max - digit)
            return false;
        number = number * 10 + digit;
    }
    *s = p + strspn(p, blanks);
    *number_r = number;
    return true;
}

int xln__xml_number(struct xln__xml *xml, const char *name, uint64_t max,
                    uint64_t missing, uint64_t *number_r)
{
    const char *value = xln__xml_attr(xml, name), *s = value;

    if (!value) {
        *number_r = missing;
        return 0;
    }
    if (!xln__xml_parse_number(&s, max, number_r) || *s)
        return xln__xml_refuse(xml, "%s=\"%.40s\": expected a number up to %"
                               PRIu64, name, value, max);
    return 0;
}

int xln__xml_need_number(struct xln__xml *xml, const char *name, uint64_t max,
                         uint64_t *number_r)
{
    if (!xln__xml_attr(xml, name))
        return xln__xml_refuse(xml, "<%s> without %s=",
                               strrchr(xml->path, '/') + 1, name);
    return xln__xml_number(xml, name, max, 0, number_r);
}

/* ---- reading ---- */

/*
 * A tag has no '<' in it but its first character, so two of these that are
 * near have no long tag between them. (The encoding is fixed: they are bytes.)
 */
static int check_tags(struct xln__xml *xml, const char *text, size_t size)
{
    const char *tag = text, *end_of_text = text + size, *next;
    unsigned long line = 1;

    for (; tag; tag = next) {
        next = memchr(tag + 1, '<', end_of_text - tag - 1);
        if ((size_t)((next ? next : end_of_text) - tag) > MAX_TAG_BYTES) {
            for (const char *s = text; s < tag; s++)
                line += *s == '\n';
            return refuse_line(xml, line, "a tag, or what is in it, is "
                                          "longer than 1 MiB");
        }
    }
    return 0;
}

static int check_size(struct xln__xml *xml, const char *text, size_t size)
{
    if (!size)
        return xln__refuse(&xml->error, "it is empty");
    if (size > XLN__XML_MAX_BYTES)
        return xln__refuse(&xml->error, "it is larger than %u MiB",
                           XLN__XML_MAX_BYTES >> 20);
    return check_tags(xml, text, size);
}

static int parse(struct xln__xml *xml, const char *text, size_t size)
{
    xml->parser = XML_ParserCreate("UTF-8");
    if (!xml->parser)
        return -ENOMEM;
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, on_begin, on_end);
    XML_SetCharacterDataHandler(xml->parser, on_text);
    XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
    /* In one piece: given in many, a long token is read again and again. */
    if (XML_Parse(xml->parser, text, size, XML_TRUE) == XML_STATUS_OK)
        return xml->rc;
    if (xml->rc)
        return xml->rc;
    if (XML_GetErrorCode(xml->parser) == XML_ERROR_NO_MEMORY)
        return -ENOMEM;
    return xln__xml_refuse(xml, "not XML: %s",
                           XML_ErrorString(XML_GetErrorCode(xml->parser)));
}

int xln__xml_read(const char *text, size_t size,
                  const struct xln__xml_events *events, void *priv,
                  char **error_r)
{
    struct xln__xml *xml;
    int rc;

    xml = calloc(1, sizeof(*xml));
    if (!xml)
        return -ENOMEM;
    xml->events = events;
    xml->priv = priv;
    rc = check_size(xml, text, size);
    if (!rc)
        rc = parse(xml, text, size);

    if (rc)
        *error_r = xml->error;
    else
        free(xml->error);
    if (xml->parser)
        XML_ParserFree(xml->parser);
    free(xml);
    return rc;
}
