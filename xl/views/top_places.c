/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes. They have a line each, with a bar, if there are few. Else several
 * are on a line, at last without their totals; else the sockets are shown
 * instead, and of these only the ones with most remote memory, with the sum of
 * the others.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fit_text.h"
#include "text/units.h"
#include "top_page.h"

#define FULL_COLUMNS 59
#define BRIEF_COLUMNS 40
#define LABEL_COLUMNS 11
#define REMOTE_COLUMNS 9
#define LABEL_BYTES FIT_SIZE(FIT_MAX)
#define BAR_MIN 12
#define BAR_MAX 60

struct form {
    const struct top_place *places;
    unsigned nr;
    bool of_sockets, brief;
    unsigned nr_beside;         /* places on a line */
    unsigned nr_lines;
    struct top_place others;    /* the sum of `number` places, without nodes */
};

/* ---- which form ---- */

static struct form try_form(const struct top *top, unsigned width,
                            bool of_sockets, bool brief)
{
    struct form f = {
        .places = of_sockets ? top->sockets : top->nodes,
        .nr = of_sockets ? top->nr_sockets : top->nr_nodes,
        .of_sockets = of_sockets, .brief = brief,
    };

    f.nr_beside = width / (brief ? BRIEF_COLUMNS : FULL_COLUMNS);
    if (f.nr_beside < 1)
        f.nr_beside = 1;
    f.nr_lines = (f.nr + f.nr_beside - 1) / f.nr_beside;
    return f;
}

/* Nodes with a line each are not put next to each other. */
static struct form choose_form(const struct top *top, unsigned width,
                               unsigned max)
{
    struct form f = { 0 };
    unsigned i;

    for (i = 0; i < 4; i++) {
        f = try_form(top, width, i / 2, i % 2);
        if (f.nr <= max) {
            f.nr_beside = 1;
            f.nr_lines = f.nr;
            f.brief = width < FULL_COLUMNS;
        }
        if (f.nr_lines <= max)
            break;
    }
    return f;
}

/* ---- one of them ---- */

static int put_label(const struct form *f, const struct top_place *p,
                     char label[LABEL_BYTES])
{
    char *nodes, text[LABEL_BYTES];
    int rc;

    if (p == &f->others) {
        snprintf(text, sizeof(text), f->nr > 1 ? "%u others" : "all %u",
                 p->number);
        fit_text(text, LABEL_COLUMNS, label);
        return 0;
    }
    if (!f->of_sockets) {
        snprintf(text, sizeof(text), "%u", p->number);
        fit_text(text, LABEL_COLUMNS, label);
        return 0;
    }
    rc = xln_nodemap_format(p->nodes, &nodes);
    if (rc)
        return rc;
    if (p->number == XLN_NONE)
        snprintf(text, sizeof(text), "-: %s", nodes);
    else
        snprintf(text, sizeof(text), "%u: %s", p->number, nodes);
    free(nodes);
    fit_text(text, LABEL_COLUMNS, label);
    return 0;
}

static int print_place(const struct form *f, const struct top_place *p,
                       FILE *out)
{
    char label[LABEL_BYTES], running[32] = "-";
    int rc = put_label(f, p, label);

    if (rc)
        return rc;
    if (p->nr_cpus)
        snprintf(running, sizeof(running), "%u/%u", p->nr_running, p->nr_cpus);
    fputs(label, out);
    if (!f->brief)
        fprintf(out, "%9" PRIu64 "%9" PRIu64,
                IN_MIB(p->total_bytes - p->free_bytes),
                IN_MIB(p->local_bytes));
    fprintf(out, "%9" PRIu64 " %8s%9" PRIu64, IN_MIB(p->free_bytes), running,
            IN_MIB(p->remote_bytes));
    return 0;
}

/* Remote memory comes first, next to its figure. Returns its cells. */
static unsigned print_bar(const struct top_place *p, uint64_t largest,
                          unsigned columns, FILE *out)
{
    uint64_t used = p->total_bytes - p->free_bytes;
    uint64_t rest = used - (p->local_bytes + p->remote_bytes < used
                                ? p->local_bytes + p->remote_bytes : used);
    const uint64_t bytes[] = { p->remote_bytes, p->local_bytes, rest,
                               p->free_bytes };
    uint64_t per_cell = largest / columns + 1;
    unsigned left = columns, nr_remote = 0, i, cells;

    for (i = 0; i < 4; i++) {
        cells = (bytes[i] + per_cell / 2) / per_cell;
        if (!cells && bytes[i] && i < 2)
            cells = 1;
        for (; cells && left; cells--, left--) {
            fputc("x#-."[i], out);
            nr_remote += !i;
        }
    }
    return nr_remote;
}

/* ---- all of them ---- */

/* The column in which the figure of remote memory ends. */
static unsigned end_of_remote(const struct form *f)
{
    return LABEL_COLUMNS + (f->brief ? 27 : 45);
}

static uint64_t largest_of(const struct form *f)
{
    uint64_t largest = 1;
    unsigned i;

    for (i = 0; i < f->nr; i++)
        if (f->places[i].total_bytes > largest)
            largest = f->places[i].total_bytes;
    return largest;
}

/* *nr_marked_r: columns of the figure of remote memory, and of its bar. */
static int print_line(const struct form *f,
                      const struct top_place *const *order, unsigned line,
                      unsigned width, FILE *out, unsigned *nr_marked_r)
{
    unsigned end = end_of_remote(f), i, at, columns;
    int rc = 0;

    *nr_marked_r = 0;
    for (i = 0; i < f->nr_beside && !rc; i++) {
        at = i * f->nr_lines + line;
        if (at >= f->nr)
            break;
        if (i)
            fprintf(out, "%*s",
                    (int)((f->brief ? BRIEF_COLUMNS : FULL_COLUMNS) - end), "");
        rc = print_place(f, order[at], out);
    }
    if (rc || f->nr_beside > 1)
        return rc;
    *nr_marked_r = order[line]->remote_bytes ? REMOTE_COLUMNS : 0;
    if (order[line] != &f->others && width >= end + 2 + BAR_MIN) {
        fputs("  ", out);
        columns = width - end - 2;
        i = print_bar(order[line], largest_of(f),
                      columns < BAR_MAX ? columns : BAR_MAX, out);
        *nr_marked_r += i ? 2 + i : 0;
    }
    return 0;
}

static void add_line(const struct form *f, const struct top_place *const *order,
                     unsigned line, struct page *page)
{
    unsigned nr_marked;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int rc = -ENOMEM;

    if (out)
        rc = print_line(f, order, line, page->width, out, &nr_marked);
    if (out && (fclose(out) || !text) && !rc)
        rc = -ENOMEM;
    if (rc) {
        page->rc = rc;
    } else {
        page_add(page, PAGE_PLAIN, "%s", text);
        page_mark(page, end_of_remote(f) - REMOTE_COLUMNS, nr_marked);
    }
    free(text);
}

static void add_heading(const struct form *f, struct page *page)
{
    char text[512] = "", one[80];
    unsigned i;

    snprintf(one, sizeof(one), "%-*s%s%9s%9s%9s", LABEL_COLUMNS,
             f->of_sockets ? "SOCKET" : "NODE",
             f->brief ? "" : "     USED    LOCAL", "FREE", "RUNNING",
             "REMOTE");
    for (i = 0; i < f->nr_beside && strlen(text) < page->width; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%*s%s",
                 i ? (int)((f->brief ? BRIEF_COLUMNS : FULL_COLUMNS) -
                           strlen(one)) : 0, "", one);
    if (f->nr_beside == 1 && page->width > 90)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "  x remote  # local  - other  . free");
    page_add(page, PAGE_HEADING, "%s", text);
}

static int by_remote(const void *a, const void *b)
{
    const struct top_place *x = *(const struct top_place *const *)a;
    const struct top_place *y = *(const struct top_place *const *)b;

    if (x->remote_bytes != y->remote_bytes)
        return x->remote_bytes > y->remote_bytes ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void add_up(const struct top_place *p, struct top_place *sum)
{
    sum->number++;
    sum->total_bytes += p->total_bytes;
    sum->free_bytes += p->free_bytes;
    sum->local_bytes += p->local_bytes;
    sum->remote_bytes += p->remote_bytes;
    sum->nr_cpus += p->nr_cpus;
    sum->nr_running += p->nr_running;
}

/* The largest number of lines that fit for all of them. */
static void keep_worst(struct form *f, unsigned max,
                       const struct top_place **order)
{
    unsigned room = max * f->nr_beside, i;

    qsort(order, f->nr, sizeof(*order), by_remote);
    f->nr_lines = max;
    if (f->nr <= room)
        return;
    for (i = room - 1; i < f->nr; i++)
        add_up(order[i], &f->others);
    order[room - 1] = &f->others;
    f->nr = room;
}

void top_page_places(const struct top *top, unsigned max, struct page *page)
{
    struct form f = choose_form(top, page->width, max);
    const struct top_place **order = calloc(f.nr + 1, sizeof(*order));
    unsigned i;

    if (!order) {
        page->rc = -ENOMEM;
        return;
    }
    for (i = 0; i < f.nr; i++)
        order[i] = &f.places[i];
    if (f.nr_lines > max)
        keep_worst(&f, max, order);
    add_heading(&f, page);
    for (i = 0; i < f.nr_lines; i++)
        add_line(&f, order, i, page);
    free(order);
}
