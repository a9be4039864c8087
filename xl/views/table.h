/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command prints: rows of named columns, as text or as JSON. A cell has
 * a text for people and a value for programs: bytes where the text has MiB.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "text/json.h"
#include "libxl_numa.h"

struct table_column {
    const char *name;           /* the heading; in lower case, for -o and JSON;
                                 * NULL ends the list */
    const char *help;
    bool right;                 /* aligned to the right */
    bool shown;                 /* without -o */
};

struct table;

/* `rows` is what JSON calls the list. Both are kept, not copied: where the
 * number of columns depends on the host, the list is made when it is known. */
int table_new(const struct table_column *columns, const char *rows,
              struct table **table_r);
void table_free(struct table *table);

/* Shows these columns, "NAME,NODE"; "+NODE": beside those that are shown anyway.
 * -EINVAL: there is no such column, *error_r is a malloc'd line that says so; or
 * -ENOMEM. */
int table_choose(struct table *table, const char *names, char **error_r);

/*
 * What fills it. The first error is kept, what follows it does nothing, and
 * printing returns it.
 */
void table_fail(struct table *table, int rc);

/* The cells that follow are of a new row. */
void table_row(struct table *table);

/* A text; NULL: nothing is known, "-" and null. */
void table_text(struct table *table, unsigned column, const char *text);
/* Null in JSON, and in text what says why. */
void table_null(struct table *table, unsigned column, const char *text);
/* A number, and how it is written in text. */
__attribute__((format(printf, 4, 5)))
void table_number(struct table *table, unsigned column, uint64_t number,
                  const char *fmt, ...);
/* A number that is written as it is. */
void table_count(struct table *table, unsigned column, unsigned number);
/* Bytes, in text as MiB, rounded down. */
void table_mib(struct table *table, unsigned column, uint64_t bytes);
/* A number that is not whole. */
__attribute__((format(printf, 4, 5)))
void table_real(struct table *table, unsigned column, double number,
                const char *fmt, ...);
void table_bool(struct table *table, unsigned column, bool value);
/* The same, but marked where it holds, and empty where it does not. */
void table_mark(struct table *table, unsigned column, bool value,
                const char *mark);
/* In JSON a list of numbers, in text the compact form; "none" if empty. */
void table_set(struct table *table, unsigned column,
               const struct xln_bitmap *set);
/* An affinity: in text as the installed xl writes it, so "all" if it is full;
 * in JSON without the numbers that are not in `existing`. */
void table_affinity(struct table *table, unsigned column,
                    const struct xln_bitmap *set,
                    const struct xln_bitmap *existing);
/* In JSON a list, in text with commas between; XLN_NONE: null and "-". */
void table_numbers(struct table *table, unsigned column,
                   const unsigned *numbers, unsigned nr);
void table_texts(struct table *table, unsigned column, char *const *texts,
                 unsigned nr);

/* A line above the table, and one more below it, in text only. */
__attribute__((format(printf, 2, 3)))
void table_above(struct table *table, const char *fmt, ...);
__attribute__((format(printf, 2, 3)))
void table_below(struct table *table, const char *fmt, ...);

/* The error that was kept, -ENOMEM, or what happened to the stream. JSON has all
 * columns, always. */
int table_print(const struct table *table, FILE *f);
int table_print_json(const struct table *table, FILE *f);
/* The list alone, with its key, into an object that is open. */
void table_add_json(const struct table *table, struct xln__json *json);

#endif /* TABLE_H */
