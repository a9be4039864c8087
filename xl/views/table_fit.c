/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which columns a table is printed with, so that it fits into a width:
 *
 *   1. all that are shown;
 *   2. without spare ones, which repeat what the line above the table says;
 *   3. all, with one column in place of all the parts that it is made of;
 *   4. that one, without spare ones.
 *
 * The first of these that fits is taken. If none does, long cells of the last
 * one are cut, those of the widest column first. What -o names stays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table_inside.h"

#define LEAST_CUT 8             /* columns that a cut cell keeps */
#define FOOT_WIDTH 32

struct fitting {
    const struct table *table;
    struct table_fit *fit;
    unsigned *widths;           /* of each column of the table, uncut */
    unsigned whole;             /* XLN_NONE: no column has parts */
};

static char **text_of(const struct table *table, const struct table_fit *fit,
                      unsigned row, unsigned column)
{
    return &fit->texts[row * table->nr_columns + column];
}

/* ---- texts ---- */

static bool is_empty(const struct cell *cell)
{
    return cell->type == CELL_NOTHING && !cell->text;
}

static int make_texts(const struct table *table,
                      const struct table_style *style, struct table_fit *fit)
{
    struct cell_form form = { .human = style->human, .runs = style->width };
    unsigned nr = table->nr_rows * table->nr_columns, i;
    unsigned first_foot = nr - table->nr_feet * table->nr_columns;

    fit->texts = calloc(nr + 1, sizeof(*fit->texts));
    if (!fit->texts)
        return -ENOMEM;
    for (i = 0; i < nr; i++) {
        fit->texts[i] = i >= first_foot && is_empty(&table->cells[i])
                            ? strdup("")
                            : table__cell_text(&table->cells[i], form);
        if (!fit->texts[i])
            return -ENOMEM;
    }
    return 0;
}

/* The sum of all domains has memory everywhere: the long list of it is cut,
 * instead of making the column wide. */
static unsigned width_of(const struct table *table,
                         const struct table_fit *fit, unsigned column)
{
    unsigned width = table__width(table->columns[column].name), row, w;
    bool whole = table->columns[column].flags & TABLE_WHOLE;

    for (row = 0; row < table->nr_rows; row++) {
        w = table__width(*text_of(table, fit, row, column));
        if (whole && row >= table->nr_rows - table->nr_feet && w > FOOT_WIDTH)
            w = FOOT_WIDTH;
        if (w > width)
            width = w;
    }
    return width;
}

/* ---- which columns ---- */

unsigned table__find_whole(const struct table *table)
{
    unsigned i;

    for (i = 0; i < table->nr_columns; i++)
        if (table->columns[i].flags & TABLE_WHOLE)
            return i;
    return XLN_NONE;
}

static void take_columns(struct fitting *f, bool spare, bool parts)
{
    const struct table *table = f->table;
    struct table_fit *fit = f->fit;
    bool has_whole = false;
    unsigned i, column, flags;

    fit->nr = 0;
    for (i = 0; i < table->nr_shown; i++) {
        column = table->order[i];
        flags = i < table->nr_own ? table->columns[column].flags : 0;
        if ((flags & TABLE_SPARE) && !spare)
            continue;
        if ((flags & TABLE_PART) && !parts) {
            if (has_whole)
                continue;
            has_whole = true;
            column = f->whole;
        }
        fit->columns[fit->nr++] = column;
    }
}

/* Includes a blank between two columns. */
static unsigned width_of_all(const struct fitting *f)
{
    unsigned all = f->fit->nr ? f->fit->nr - 1 : 0, i;

    for (i = 0; i < f->fit->nr; i++)
        all += f->widths[f->fit->columns[i]];
    return all;
}

static void choose_columns(struct fitting *f, unsigned width)
{
    static const struct { bool spare, parts; } tries[] = {
        { true, true }, { false, true }, { true, false }, { false, false },
    };
    unsigned i;

    for (i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
        if (!tries[i].parts && f->whole == XLN_NONE)
            break;
        take_columns(f, tries[i].spare, tries[i].parts);
        if (!width || width_of_all(f) <= width)
            break;
    }
}

/* ---- cutting ---- */

static unsigned least_width(const struct table *table, unsigned column)
{
    unsigned heading = table__width(table->columns[column].name);

    return heading > LEAST_CUT ? heading : LEAST_CUT;
}

/* The widest column that can be narrower; XLN_NONE: none can. Columns that are
 * aligned to the right have numbers, which are never cut. */
static unsigned widest(const struct fitting *f)
{
    unsigned found = XLN_NONE, i, column;

    for (i = 0; i < f->fit->nr; i++) {
        column = f->fit->columns[i];
        if (f->table->columns[column].right ||
            f->widths[column] <= least_width(f->table, column))
            continue;
        if (found == XLN_NONE || f->widths[column] > f->widths[found])
            found = column;
    }
    return found;
}

static bool is_list(const struct cell *cell)
{
    return cell->type == CELL_SET || cell->type == CELL_NUMBERS ||
           cell->type == CELL_TEXTS || cell->type == CELL_SHARES;
}

static int cut_column(const struct fitting *f, unsigned column)
{
    const struct table *table = f->table;
    unsigned row;
    char **text;
    int rc = 0;

    for (row = 0; row < table->nr_rows && !rc; row++) {
        text = text_of(table, f->fit, row, column);
        if (table__width(*text) > f->widths[column])
            rc = table__cut(text, f->widths[column],
                            is_list(&table->cells[row * table->nr_columns +
                                                  column]));
    }
    return rc;
}

static int cut_columns(struct fitting *f, unsigned width)
{
    unsigned column, i;
    int rc = 0;

    while (width_of_all(f) > width) {
        column = widest(f);
        if (column == XLN_NONE)
            break;
        f->widths[column]--;
    }
    for (i = 0; i < f->fit->nr && !rc; i++)
        rc = cut_column(f, f->fit->columns[i]);
    return rc;
}

/* ---- all of it ---- */

int table__fit(const struct table *table, const struct table_style *style,
               struct table_fit *fit)
{
    struct fitting f = { .table = table, .fit = fit };
    unsigned i;
    int rc;

    *fit = (struct table_fit){ 0 };
    f.whole = table__find_whole(table);
    f.widths = calloc(table->nr_columns + 1, sizeof(*f.widths));
    fit->columns = calloc(table->nr_shown + 1, sizeof(*fit->columns));
    rc = f.widths && fit->columns ? make_texts(table, style, fit) : -ENOMEM;
    for (i = 0; i < table->nr_columns && !rc; i++)
        f.widths[i] = width_of(table, fit, i);
    if (!rc)
        choose_columns(&f, style->width);
    if (!rc && style->width)
        rc = cut_columns(&f, style->width);
    free(f.widths);
    return rc;
}

void table__fit_dispose(const struct table *table, struct table_fit *fit)
{
    unsigned nr = table->nr_rows * table->nr_columns, i;

    for (i = 0; fit->texts && i < nr; i++)
        free(fit->texts[i]);
    free(fit->texts);
    free(fit->columns);
}
