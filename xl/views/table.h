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

/* Where the table does not fit into its width, a column that is */
#define TABLE_SPARE 1           /* is left out first */
#define TABLE_PART 2            /* is replaced, with all other parts, by the */
#define TABLE_WHOLE 4           /* whole, of which there is at most one: its
                                 * cells are shares, in the order of the parts */
/* What the numbers of a column are in JSON, where its key says so. */
#define TABLE_BYTES 8           /* "_bytes" */
#define TABLE_S 16              /* "_s": seconds */
#define TABLE_US 32             /* "_us" */
#define TABLE_NS 64             /* "_ns" */
#define TABLE_PERCENT 128       /* "_percent" */

struct table_column {
    const char *name;           /* the heading, for -o in any case, for JSON
                                 * in lower case; NULL ends the list */
    const char *help;
    bool right;                 /* aligned to the right */
    bool shown;                 /* without -o */
    unsigned flags;             /* TABLE_... */
};

/* How a table is written as text. All 0: as wide as it is, nothing cut. */
struct table_style {
    unsigned width;             /* columns to fit into; 0: any number */
    unsigned height;            /* lines; 0: any number */
    bool human;                 /* sizes with a unit, not in MiB */
    bool colour;
};

struct table;

/* `rows` is what JSON calls the list. Both are kept, not copied: where the
 * number of columns depends on the host, the list is made when it is known. */
int table_new(const struct table_column *columns, const char *rows,
              struct table **table_r);
void table_free(struct table *table);

/* Shows these columns, "NAME,NODE"; "+NODE": in addition to those shown anyway.
 * -EINVAL: there is no such column, *error_r is a malloc'd line that says so; or
 * -ENOMEM. */
int table_choose(struct table *table, const char *names, char **error_r);

/* Whether it is shown, by itself or with -o. */
bool table_shows(const struct table *table, unsigned column);

/* Orders the rows by this column, "SIZE", or "-SIZE": from the end. What is not
 * known comes last. -EINVAL, *error_r as above; or -ENOMEM. */
int table_sort(struct table *table, const char *name, char **error_r);

/*
 * What fills it. The first error is kept, what follows it does nothing, and
 * printing returns it.
 */
void table_fail(struct table *table, int rc);

/* The cells that follow are of a new row. */
void table_row(struct table *table);
/* Likewise, of one that is not an item, such as a sum: it stays at the end, its
 * cells may stay empty, and JSON does not have it. */
void table_foot(struct table *table);
/* A cell that was filled is to be noticed: it has a colour, where there are
 * colours. */
void table_alarm(struct table *table, unsigned column);

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
/* Bytes; in text as MiB, rounded down, or with a unit. */
void table_mib(struct table *table, unsigned column, uint64_t bytes);
/* A number that is not whole. */
__attribute__((format(printf, 4, 5)))
void table_real(struct table *table, unsigned column, double number,
                const char *fmt, ...);
void table_bool(struct table *table, unsigned column, bool value);
/* The same, but marked where it holds, and empty where it does not. */
void table_mark(struct table *table, unsigned column, bool value,
                const char *mark);
/* In JSON "0-3,8", or a list of numbers, see json_set(); "none" if empty. */
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

/* Bytes on nodes, in ascending order, those with 0 too: in text "0: 16, 2-5:
 * 512". Neighbours with nearly as much are added up. */
void table_shares(struct table *table, unsigned column,
                  const struct xln_share *shares, unsigned nr);

/* A line above the table, and one more below it, in text only; a note explains
 * a column, and is there with it. */
__attribute__((format(printf, 2, 3)))
void table_above(struct table *table, const char *fmt, ...);
__attribute__((format(printf, 2, 3)))
void table_below(struct table *table, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
void table_note(struct table *table, unsigned column, const char *fmt, ...);

/* The error that was kept, -ENOMEM, or what happened to the stream. JSON has all
 * columns, or those that -o names; of parts, the whole that they are of. */
int table_print(const struct table *table, const struct table_style *style,
                FILE *f);
int table_print_json(const struct table *table, struct xln__json *json,
                     FILE *f);
/* The list alone, with its key, into an object that is open. */
void table_add_json(const struct table *table, struct xln__json *json);

#endif /* TABLE_H */
