/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "table_inside.h"

static int show_column(struct table *table, unsigned column)
{
    unsigned *order = realloc(table->order,
                              (table->nr_shown + 1) * sizeof(*order));

    if (!order)
        return -ENOMEM;
    order[table->nr_shown++] = column;
    table->order = order;
    return 0;
}

int table_new(const struct table_column *columns, const char *rows,
              struct table **table_r)
{
    struct table *table = calloc(1, sizeof(*table));
    unsigned i;

    if (!table)
        return -ENOMEM;
    table->columns = columns;
    table->rows_name = rows;
    for (i = 0; columns[i].name; i++) {
        if (columns[i].shown && show_column(table, i)) {
            table_free(table);
            return -ENOMEM;
        }
    }
    table->nr_columns = i;
    table->nr_own = table->nr_shown;
    *table_r = table;
    return 0;
}

static void dispose_cell(struct cell *cell)
{
    unsigned i;

    free(cell->text);
    if (cell->type == CELL_SET)
        xln_bitmap_free(cell->set);
    if (cell->type == CELL_NUMBERS)
        free(cell->numbers);
    if (cell->type == CELL_TEXTS) {
        for (i = 0; i < cell->nr; i++)
            free(cell->texts[i]);
        free(cell->texts);
    }
    if (cell->type == CELL_SHARES)
        free(cell->shares);
}

void table_free(struct table *table)
{
    unsigned i;

    if (!table)
        return;
    for (i = 0; i < table->nr_rows * table->nr_columns; i++)
        dispose_cell(&table->cells[i]);
    free(table->cells);
    free(table->order);
    free(table->above);
    for (i = 0; i < table->nr_notes; i++)
        free(table->notes[i].text);
    free(table->notes);
    free(table);
}

/* ---- columns ---- */

unsigned table__find(const struct table *table, const char *name,
                     size_t length)
{
    unsigned i;

    for (i = 0; i < table->nr_columns; i++)
        if (strlen(table->columns[i].name) == length &&
            !strncasecmp(table->columns[i].name, name, length))
            return i;
    return XLN_NONE;
}

char *table__unknown_column(const struct table *table, const char *name,
                            size_t length)
{
    const struct table_column *c;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fprintf(f, "unknown column '%.*s': expected some of ", (int)length, name);
    for (c = table->columns; c->name; c++)
        fprintf(f, "%s%s", c == table->columns ? "" : ", ", c->name);
    if (!fclose(f))
        return text;
    free(text);
    return NULL;
}

int table_choose(struct table *table, const char *names, char **error_r)
{
    const char *end;
    unsigned column;
    int rc;

    if (*names == '+') {
        names++;
    } else {
        table->nr_shown = table->nr_own = 0;
        table->chosen = true;
    }
    for (;; names = end + 1) {
        end = strchrnul(names, ',');
        column = table__find(table, names, end - names);
        if (column == XLN_NONE) {
            *error_r = table__unknown_column(table, names, end - names);
            return *error_r ? -EINVAL : -ENOMEM;
        }
        rc = show_column(table, column);
        if (rc || !*end)
            return rc;
    }
}

bool table_shows(const struct table *table, unsigned column)
{
    unsigned i;

    for (i = 0; i < table->nr_shown; i++)
        if (table->order[i] == column)
            return true;
    return false;
}

/* ---- errors ---- */

void table_fail(struct table *table, int rc)
{
    if (!table->rc)
        table->rc = rc;
}

/* Whether it is there. */
static bool keep(struct table *table, const void *memory)
{
    if (!memory)
        table_fail(table, -ENOMEM);
    return memory;
}

/* ---- cells ---- */

void table_row(struct table *table)
{
    unsigned size = table->size_rows ? 2 * table->size_rows : 16;
    size_t row_size = table->nr_columns * sizeof(*table->cells);
    struct cell *cells;

    if (table->rc)
        return;
    if (table->nr_rows == table->size_rows) {
        cells = realloc(table->cells, size * row_size);
        if (!keep(table, cells))
            return;
        table->cells = cells;
        table->size_rows = size;
    }
    memset(table->cells + table->nr_rows * table->nr_columns, 0, row_size);
    table->nr_rows++;
}

void table_foot(struct table *table)
{
    table_row(table);
    table->nr_feet++;
}

/* NULL: the table has failed. */
static struct cell *cell_of(struct table *table, unsigned column)
{
    if (table->rc)
        return NULL;
    return &table->cells[(table->nr_rows - 1) * table->nr_columns + column];
}

void table_alarm(struct table *table, unsigned column)
{
    struct cell *cell = cell_of(table, column);

    if (cell)
        cell->alarm = true;
}

/* A cell with this text; its type follows. NULL: the table has failed. */
static struct cell *put(struct table *table, unsigned column, const char *text)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return NULL;
    cell->text = strdup(text);
    return keep(table, cell->text) ? cell : NULL;
}

__attribute__((format(printf, 3, 0)))
static struct cell *put_formatted(struct table *table, unsigned column,
                                  const char *fmt, va_list ap)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return NULL;
    if (vasprintf(&cell->text, fmt, ap) < 0)
        cell->text = NULL;
    return keep(table, cell->text) ? cell : NULL;
}

void table_text(struct table *table, unsigned column, const char *text)
{
    struct cell *cell = text ? put(table, column, text) : NULL;

    if (cell)
        cell->type = CELL_TEXT;
}

void table_null(struct table *table, unsigned column, const char *text)
{
    put(table, column, text);
}

void table_number(struct table *table, unsigned column, uint64_t number,
                  const char *fmt, ...)
{
    struct cell *cell;
    va_list ap;

    va_start(ap, fmt);
    cell = put_formatted(table, column, fmt, ap);
    va_end(ap);
    if (!cell)
        return;
    cell->type = CELL_NUMBER;
    cell->number = number;
}

void table_count(struct table *table, unsigned column, unsigned number)
{
    table_number(table, column, number, "%u", number);
}

void table_mib(struct table *table, unsigned column, uint64_t bytes)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return;
    cell->type = CELL_SIZE;
    cell->number = bytes;
}

void table_real(struct table *table, unsigned column, double number,
                const char *fmt, ...)
{
    struct cell *cell;
    va_list ap;

    va_start(ap, fmt);
    cell = put_formatted(table, column, fmt, ap);
    va_end(ap);
    if (!cell)
        return;
    cell->type = CELL_REAL;
    cell->real = number;
}

static void put_bool(struct table *table, unsigned column, bool value,
                     const char *text)
{
    struct cell *cell = put(table, column, text);

    if (!cell)
        return;
    cell->type = CELL_BOOL;
    cell->truth = value;
}

void table_bool(struct table *table, unsigned column, bool value)
{
    put_bool(table, column, value, value ? "yes" : "no");
}

void table_mark(struct table *table, unsigned column, bool value,
                const char *mark)
{
    put_bool(table, column, value, value ? mark : "");
}

/* `text` replaces the list of numbers; NULL: it does not. */
static void put_set(struct table *table, unsigned column,
                    const struct xln_bitmap *set, const char *text)
{
    struct cell *cell = cell_of(table, column);
    int rc;

    if (!cell)
        return;
    rc = xln_bitmap_copy(set, &cell->set);
    if (!rc)
        cell->type = CELL_SET;
    if (!rc && !text && !xln_bitmap_is_empty(set))
        rc = xln_bitmap_format(set, &cell->text);
    else if (!rc)
        keep(table, cell->text = strdup(text ? text : "none"));
    if (rc)
        table_fail(table, rc);
}

void table_set(struct table *table, unsigned column,
               const struct xln_bitmap *set)
{
    put_set(table, column, set, NULL);
}

void table_affinity(struct table *table, unsigned column,
                    const struct xln_bitmap *set,
                    const struct xln_bitmap *existing)
{
    bool full = xln_bitmap_count(set) == xln_bitmap_nr_bits(set);
    struct cell *cell;

    put_set(table, column, set, full ? "all" : NULL);
    cell = cell_of(table, column);
    if (cell)
        xln_bitmap_and(cell->set, existing);
}

void table_numbers(struct table *table, unsigned column,
                   const unsigned *numbers, unsigned nr)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return;
    cell->numbers = calloc(nr + 1, sizeof(*numbers));
    if (!keep(table, cell->numbers))
        return;
    cell->type = CELL_NUMBERS;
    cell->nr = nr;
    memcpy(cell->numbers, numbers, nr * sizeof(*numbers));
}

void table_texts(struct table *table, unsigned column, char *const *texts,
                 unsigned nr)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return;
    cell->texts = calloc(nr + 1, sizeof(*cell->texts));
    if (!keep(table, cell->texts))
        return;
    cell->type = CELL_TEXTS;
    for (; cell->nr < nr; cell->nr++) {
        cell->texts[cell->nr] = strdup(texts[cell->nr]);
        if (!keep(table, cell->texts[cell->nr]))
            return;
    }
}

void table_shares(struct table *table, unsigned column,
                  const struct xln_share *shares, unsigned nr)
{
    struct cell *cell = cell_of(table, column);

    if (!cell)
        return;
    cell->shares = calloc(nr + 1, sizeof(*shares));
    if (!keep(table, cell->shares))
        return;
    cell->type = CELL_SHARES;
    cell->nr = nr;
    memcpy(cell->shares, shares, nr * sizeof(*shares));
}

/* ---- around it ---- */

void table_above(struct table *table, const char *fmt, ...)
{
    char *line, *more;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&line, fmt, ap) < 0)
        line = NULL;
    va_end(ap);
    if (!keep(table, line))
        return;
    if (asprintf(&more, "%s%s\n", table->above ? table->above : "", line) < 0)
        more = NULL;
    free(line);
    if (!keep(table, more))
        return;
    free(table->above);
    table->above = more;
}

__attribute__((format(printf, 3, 0)))
static void add_note(struct table *table, unsigned column, const char *fmt,
                     va_list ap)
{
    struct table_note *notes;

    notes = realloc(table->notes, (table->nr_notes + 1) * sizeof(*notes));
    if (!keep(table, notes))
        return;
    table->notes = notes;
    notes += table->nr_notes;
    notes->column = column;
    if (vasprintf(&notes->text, fmt, ap) < 0)
        notes->text = NULL;
    if (keep(table, notes->text))
        table->nr_notes++;
}

void table_below(struct table *table, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_note(table, XLN_NONE, fmt, ap);
    va_end(ap);
}

void table_note(struct table *table, unsigned column, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_note(table, column, fmt, ap);
    va_end(ap);
}
