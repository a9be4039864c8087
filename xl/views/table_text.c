/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table as text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include "table_inside.h"

#define ALARM "red"

static int fill_line(const struct table *table, const struct table_fit *fit,
                     unsigned row, bool colour, struct libscols_line *line)
{
    unsigned i, at;
    int rc = 0;

    for (i = 0; i < fit->nr && !rc; i++) {
        at = row * table->nr_columns + fit->columns[i];
        rc = scols_line_set_data(line, i, fit->texts[at]);
        if (!rc && colour && table->cells[at].alarm)
            rc = scols_cell_set_color(scols_line_get_cell(line, i), ALARM);
    }
    return rc;
}

static int fill_columns(const struct table *table, const struct table_fit *fit,
                        struct libscols_table *out)
{
    const struct table_column *c;
    unsigned i;

    for (i = 0; i < fit->nr; i++) {
        c = &table->columns[fit->columns[i]];
        if (!scols_table_new_column(out, c->name, 0,
                                    c->right ? SCOLS_FL_RIGHT : 0))
            return -ENOMEM;
    }
    return 0;
}

/* ---- how many rows ---- */

static unsigned nr_lines(const char *text)
{
    unsigned nr = 0;

    for (; text && *text; text++)
        nr += *text == '\n';
    return nr;
}

static bool has_column(const struct table_fit *fit, unsigned column)
{
    unsigned i;

    for (i = 0; i < fit->nr; i++)
        if (fit->columns[i] == column)
            return true;
    return column == XLN_NONE;
}

/* The items for which a screen of `height` lines has room, with the heading,
 * the lines around it, one that says how many are missing, and the cursor. */
static unsigned nr_items(const struct table *table,
                         const struct table_fit *fit, unsigned height)
{
    unsigned nr = table->nr_rows - table->nr_feet, used, i;

    used = nr_lines(table->above) + 1 + table->nr_feet + 1;
    for (i = 0; i < table->nr_notes; i++)
        used += has_column(fit, table->notes[i].column);
    if (!height || nr + used <= height)
        return nr;
    return height > used + 1 ? height - used - 1 : 1;
}

/* ---- printing ---- */

static int fill(const struct table *table, const struct table_fit *fit,
                const struct table_style *style, unsigned nr,
                struct libscols_table *out)
{
    unsigned first_foot = table->nr_rows - table->nr_feet, row;
    struct libscols_line *line;
    int rc = fill_columns(table, fit, out);

    for (row = 0; row < table->nr_rows && !rc; row++) {
        if (row >= nr && row < first_foot)
            continue;
        line = scols_table_new_line(out, NULL);
        rc = line ? fill_line(table, fit, row, style->colour, line) : -ENOMEM;
    }
    return rc;
}

static void print_below(const struct table *table, const struct table_fit *fit,
                        unsigned nr_missing, FILE *f)
{
    unsigned i;

    if (nr_missing)
        fprintf(f, "%u more do not fit on this screen\n", nr_missing);
    for (i = 0; i < table->nr_notes; i++)
        if (has_column(fit, table->notes[i].column))
            fprintf(f, "%s\n", table->notes[i].text);
}

static int print(const struct table *table, const struct table_style *style,
                 const struct table_fit *fit, FILE *f)
{
    struct libscols_table *out = scols_new_table();
    unsigned nr = nr_items(table, fit, style->height);
    int rc;

    if (!out)
        return -ENOMEM;
    scols_table_set_stream(out, f);
    scols_table_enable_colors(out, style->colour);
    /* The table already fits its width. */
    scols_table_set_termforce(out, SCOLS_TERMFORCE_NEVER);
    rc = fill(table, fit, style, nr, out);
    if (table->above)
        fputs(table->above, f);
    if (!rc)
        rc = scols_print_table(out);
    print_below(table, fit, table->nr_rows - table->nr_feet - nr, f);
    scols_unref_table(out);
    return rc;
}

int table_print(const struct table *table, const struct table_style *style,
                FILE *f)
{
    struct table_fit fit = { 0 };
    int rc = table->rc;

    if (!rc)
        rc = table__fit(table, style, &fit);
    if (!rc)
        rc = print(table, style, &fit, f);
    table__fit_dispose(table, &fit);
    return rc;
}
