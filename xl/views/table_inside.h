/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a table is made of, for the files that fill, sort and print it. */
#ifndef TABLE_INSIDE_H
#define TABLE_INSIDE_H

#include "table.h"

enum cell_type { CELL_NOTHING, CELL_TEXT, CELL_NUMBER, CELL_SIZE, CELL_REAL,
                 CELL_BOOL, CELL_SET, CELL_NUMBERS, CELL_TEXTS, CELL_SHARES };

struct cell {
    enum cell_type type;
    bool alarm;                 /* to be noticed: see table_alarm() */
    char *text;                 /* NULL: nothing is known, or it is made when
                                 * it is printed */
    union {
        uint64_t number;        /* a size: in bytes */
        double real;
        bool truth;
        struct xln_bitmap *set;
        unsigned *numbers;
        char **texts;
        struct xln_share *shares;
    };
    unsigned nr;                /* of the last three */
};

/* A line of text below the table. */
struct table_note {
    unsigned column;            /* only with this one; XLN_NONE: always */
    char *text;
};

struct table {
    const struct table_column *columns;
    const char *rows_name;
    unsigned nr_columns;
    unsigned *order, nr_shown;
    bool chosen;                /* all of them by -o */
    unsigned nr_own;            /* so many of them by the table itself */
    struct cell *cells;         /* row by row */
    unsigned nr_rows, size_rows;
    unsigned nr_feet;           /* rows at the end that are not items */
    char *above;                /* lines of text, or NULL */
    struct table_note *notes;
    unsigned nr_notes;
    int rc;                     /* the first error, kept until it is printed */
};

/* The column that replaces the columns of parts (TABLE_WHOLE), or XLN_NONE. */
unsigned table__find_whole(const struct table *table);

/* XLN_NONE: there is no such column. */
unsigned table__find(const struct table *table, const char *name,
                     size_t length);
/* "unknown column 'X': expected some of A, B, C"; NULL: no memory. */
char *table__unknown_column(const struct table *table, const char *name,
                            size_t length);

/* ---- table_cell.c: what is written of one cell ---- */

struct cell_form {
    bool human;                 /* sizes have a unit */
    bool runs;                  /* "10,16x3" instead of "10,16,16,16" */
};

/* Malloc'd; NULL: no memory. */
char *table__cell_text(const struct cell *cell, struct cell_form form);
/* How many columns of a terminal a text takes. */
unsigned table__width(const char *text);
/* Shortens a text to so many columns, in place, with an ellipsis at its end;
 * one that is a list behind one of its items, if one fits. */
int table__cut(char **text, unsigned width, bool list);

/* ---- table_fit.c: which columns are printed, and what is in them ---- */

struct table_fit {
    unsigned *columns, nr;      /* indexes */
    char **texts;               /* of all cells, row by row; NULL: "-" */
};

int table__fit(const struct table *table, const struct table_style *style,
               struct table_fit *fit);
void table__fit_dispose(const struct table *table, struct table_fit *fit);

#endif /* TABLE_INSIDE_H */
