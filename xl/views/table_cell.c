/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written of one cell, and how wide that is. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "table_inside.h"
#include "text/units.h"

#define ESCAPED 4               /* "\x1b": what libsmartcols makes of a byte */
#define ELLIPSIS "\xe2\x80\xa6"
#define LEAST_RUN 3             /* "10,16,16": shorter than "10,16x2" */

/* ---- sizes ---- */

/* "700M", "1.5G", "16T": rounded down. */
static void print_human(FILE *f, uint64_t bytes)
{
    static const char units[] = "KMGTP";
    unsigned i = 0;

    if (!bytes) {
        fputc('0', f);
        return;
    }
    while (bytes >= KIB * KIB && units[i + 1]) {
        bytes /= KIB;
        i++;
    }
    if (bytes < 10 * KIB)
        fprintf(f, "%" PRIu64 ".%u%c", bytes / KIB,
                (unsigned)(bytes % KIB * 10 / KIB), units[i]);
    else
        fprintf(f, "%" PRIu64 "%c", bytes / KIB, units[i]);
}

static void print_size(FILE *f, uint64_t bytes, struct cell_form form)
{
    if (form.human)
        print_human(f, bytes);
    else
        fprintf(f, "%" PRIu64, IN_MIB(bytes));
}

/* ---- lists ---- */

static void print_id(FILE *f, unsigned id)
{
    if (id == XLN_NONE)
        fputc('-', f);
    else
        fprintf(f, "%u", id);
}

/* 10, 16, 16, 16, 32: "10,16x3,32" with runs. */
static void print_numbers(FILE *f, const struct cell *cell, bool runs)
{
    unsigned i, nr;

    for (i = 0; i < cell->nr; i += nr) {
        for (nr = 1; i + nr < cell->nr &&
                     cell->numbers[i + nr] == cell->numbers[i]; nr++)
            ;
        if (!runs || nr < LEAST_RUN)
            nr = 1;
        if (i)
            fputc(',', f);
        print_id(f, cell->numbers[i]);
        if (nr > 1)
            fprintf(f, "x%u", nr);
    }
}

static void print_texts(FILE *f, const struct cell *cell)
{
    unsigned i;

    if (!cell->nr)
        fputs("none", f);
    for (i = 0; i < cell->nr; i++)
        fprintf(f, "%s%s", i ? "," : "", cell->texts[i]);
}

/* Within a twentieth of each other: pages that were spread over nodes in turn
 * are seldom exactly as many on each. */
static bool nearly_equal(uint64_t a, uint64_t b)
{
    return a > b ? a - b <= a / 20 : b - a <= b / 20;
}

/* How many shares from the first one on are of neighbours, as much on each. */
static unsigned count_alike(const struct xln_share *shares, unsigned nr)
{
    unsigned i = 1;

    while (i < nr && shares[i].node == shares[i - 1].node + 1 &&
           nearly_equal(shares[i].bytes, shares[0].bytes))
        i++;
    return i;
}

/* 16 MiB on node 0 and 128 on each of nodes 2 to 5: "0: 16, 2-5: 512" */
static void print_shares(FILE *f, const struct cell *cell,
                         struct cell_form form)
{
    const struct xln_share *s = cell->shares, *end = s + cell->nr;
    const char *between = "";
    unsigned nr, i;
    uint64_t sum;

    for (; s < end; s += nr) {
        nr = s->bytes ? count_alike(s, end - s) : 1;
        if (!s->bytes)
            continue;
        for (i = 0, sum = 0; i < nr; i++)
            sum += s[i].bytes;
        fprintf(f, "%s%u", between, s->node);
        if (nr > 1)
            fprintf(f, "-%u", s->node + nr - 1);
        fputs(": ", f);
        print_size(f, sum, form);
        between = ", ";
    }
    if (!*between)
        fputs("none", f);
}

/* ---- a cell ---- */

static void print_cell(FILE *f, const struct cell *cell, struct cell_form form)
{
    if (cell->text)
        fputs(cell->text, f);
    else if (cell->type == CELL_SIZE)
        print_size(f, cell->number, form);
    else if (cell->type == CELL_NUMBERS)
        print_numbers(f, cell, form.runs);
    else if (cell->type == CELL_TEXTS)
        print_texts(f, cell);
    else if (cell->type == CELL_SHARES)
        print_shares(f, cell, form);
    else
        fputc('-', f);
}

char *table__cell_text(const struct cell *cell, struct cell_form form)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    print_cell(f, cell, form);
    if (!fclose(f))
        return text;
    free(text);
    return NULL;
}

/* ---- widths ---- */

/* The columns of the character at `s`, which is *length_r bytes long. As
 * libsmartcols has it: what cannot be shown is escaped byte by byte. */
static unsigned character_width(const char *s, mbstate_t *state,
                                size_t *length_r)
{
    wchar_t c;
    int width;

    *length_r = mbrtowc(&c, s, strlen(s), state);
    if (*length_r == (size_t)-1 || *length_r == (size_t)-2 || !*length_r) {
        *state = (mbstate_t){ 0 };
        *length_r = 1;
        return ESCAPED;
    }
    width = wcwidth(c);
    return width < 0 || (*s == '\\' && s[1] == 'x') ? ESCAPED * *length_r
                                                    : (unsigned)width;
}

/* The bytes of a text that fit into so many columns; *width_r: those that they
 * take. */
static size_t bytes_within(const char *text, unsigned width, unsigned *width_r)
{
    mbstate_t state = { 0 };
    size_t length, at = 0;
    unsigned all = 0, one;

    for (; text[at]; at += length) {
        one = character_width(text + at, &state, &length);
        if (all + one > width)
            break;
        all += one;
    }
    *width_r = all;
    return at;
}

unsigned table__width(const char *text)
{
    unsigned width;

    bytes_within(text, UINT_MAX, &width);
    return width;
}

int table__cut(char **text, unsigned width, bool list)
{
    const char *end = MB_CUR_MAX > 1 ? ELLIPSIS : "...";
    unsigned room = MB_CUR_MAX > 1 ? 1 : 3, used;
    size_t nr = bytes_within(*text, width > room ? width - room : 0, &used);
    size_t comma;
    char *cut;

    /* Cut after a comma only, because a number that lost digits would be
     * another one. */
    for (comma = nr; list && comma && (*text)[comma - 1] != ','; comma--)
        ;
    if (comma)
        nr = comma;
    if (asprintf(&cut, "%.*s%s", (int)nr, *text, end) < 0)
        return -ENOMEM;
    free(*text);
    *text = cut;
    return 0;
}
