/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The domains, and the vCPUs of one of them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fit_text.h"
#include "text/units.h"
#include "top_page.h"

#define TODO_COLUMNS 25
#define SET_COLUMNS 12
#define CPUS_COLUMNS 16
#define CELL_SIZE FIT_SIZE(FIT_MAX)

enum { COL_ID, COL_TOTAL, COL_REMOTE, COL_LOCAL, COL_NOW, COL_CPU,
       COL_DISTANCE, COL_MEMORY, COL_RUNS, NR_COLS };

/* With its space in front; and the width of a page from which it is there. */
static const struct {
    const char *title;
    unsigned columns, from_width;
} cols[NR_COLS] = {
    [COL_ID] = { "ID", 6, 74 },
    [COL_TOTAL] = { "TOTAL", 8, 68 },
    [COL_REMOTE] = { "REMOTE", 8, 0 },
    [COL_LOCAL] = { "LOCAL", 6, 0 },
    [COL_NOW] = { "NOW", 6, 52 },
    [COL_CPU] = { "CPU%", 7, 60 },
    [COL_DISTANCE] = { "DISTANCE", 9, 100 },
    [COL_MEMORY] = { "MEMORY_ON", 13, 120 },
    [COL_RUNS] = { "RUNS_ON", 13, 120 },
};

static unsigned name_columns(unsigned width)
{
    unsigned used = 1 + 1 + TODO_COLUMNS, i;

    for (i = 0; i < NR_COLS; i++)
        used += width >= cols[i].from_width ? cols[i].columns : 0;
    return width < used + 8 ? 8 : width > used + MAP_LABEL_MAX ? MAP_LABEL_MAX
                                                              : width - used;
}

/* ---- cells ---- */

static void put_share(const struct locality *l, char *text, size_t size)
{
    if (l->known)
        snprintf(text, size, "%u%%", l->local_permille / 10);
}

/* A long set is cut. Returns 0 or -ENOMEM. */
static int put_set(const struct xln_nodemap *nodes, char *text, size_t size)
{
    char *set, cell[CELL_SIZE];
    int rc;

    if (!nodes || xln_nodemap_is_empty(nodes))
        return 0;
    rc = xln_nodemap_format(nodes, &set);
    if (rc)
        return rc;
    snprintf(text, size, "%s", strlen(set) <= SET_COLUMNS
                                   ? set : fit_text(set, SET_COLUMNS, cell));
    free(set);
    return 0;
}

static int put_memory_nodes(const struct top *top, const struct resident *r,
                            char *text, size_t size)
{
    unsigned nr = xln_host_nr_nodes(top->snapshot->host), node;
    struct xln_nodemap *nodes;
    int rc = xln_nodemap_new(nr, &nodes);

    if (rc)
        return rc;
    for (node = 0; node < nr; node++)
        if (r->pages[node])
            xln_nodemap_set(nodes, node);
    rc = put_set(nodes, text, size);
    xln_nodemap_free(nodes);
    return rc;
}

static void put_percent(double percent, char *text, size_t size)
{
    if (percent >= 0)
        snprintf(text, size, percent < 9999 ? "%.1f" : "%.0f", percent);
}

static int put_cell(const struct top *top, const struct top_domain *t,
                    unsigned col, char *text, size_t size)
{
    const struct resident *r = t->d->r;
    bool known = r->source != XLN_MEMORY_UNKNOWN;

    switch (col) {
    case COL_ID: snprintf(text, size, "%" PRIu32, r->domain->domid); break;
    case COL_TOTAL:
        snprintf(text, size, "%" PRIu64,
                 IN_MIB(known ? t->d->total_bytes : r->domain->memory_bytes));
        break;
    case COL_REMOTE:
        if (known && r->domain->domid)
            snprintf(text, size, "%" PRIu64, IN_MIB(t->d->remote_bytes));
        break;
    case COL_LOCAL: put_share(&r->may, text, size); break;
    case COL_NOW: put_share(&r->now, text, size); break;
    case COL_CPU: put_percent(t->cpu_percent, text, size); break;
    case COL_DISTANCE:
        if (r->may.known && r->may.has_distance)
            snprintf(text, size, "%.1f", r->may.distance_thousandths / 1e3);
        break;
    case COL_MEMORY: return put_memory_nodes(top, r, text, size);
    case COL_RUNS: return put_set(r->now_nodes, text, size);
    }
    return 0;
}

/* "node 5", "nodes 4-5" */
static int put_nodes(const struct xln_nodemap *nodes, char *text, size_t size)
{
    int n = snprintf(text, size, "node%s ",
                     xln_nodemap_count(nodes) == 1 ? "" : "s");

    return put_set(nodes, text + n, size - n);
}

static int put_advice(const struct top_view *view, const struct top_domain *t,
                      char *text, size_t size)
{
    const char *move = view->saved || view->plain ? "move" : "m: move";
    char nodes[CELL_SIZE];
    int rc = 0;

    *text = '\0';
    switch (t->advice) {
    case TOP_NOTHING:
        break;
    case TOP_COUNT_IT:
        snprintf(text, size, "%s", view->saved || view->plain
                     ? "its memory is unknown" : "p: count its pages");
        break;
    case TOP_MOVE_IT:
        if (t->target_node != XLN_NONE) {
            snprintf(text, size, "%s, node %u has room", move,
                     t->target_node);
            break;
        }
        rc = put_nodes(t->d->home, nodes, sizeof(nodes));
        if (!rc)
            snprintf(text, size, "%s, %s have room", move, nodes);
        break;
    case TOP_NO_ROOM:
        rc = put_nodes(t->d->home, nodes, sizeof(nodes));
        if (!rc)
            snprintf(text, size, "%s: no room", nodes);
        break;
    case TOP_RUNS_AWAY:
        rc = put_nodes(t->d->r->now_nodes, nodes, sizeof(nodes));
        if (!rc)
            snprintf(text, size, "it runs on %s", nodes);
        break;
    }
    return rc;
}

/* ---- domains ---- */

static void add_domain_heading(struct page *page)
{
    char text[256];
    unsigned i;
    int n;

    n = snprintf(text, sizeof(text), " %-*s", (int)name_columns(page->width),
                 "NAME");
    for (i = 0; i < NR_COLS; i++)
        if (page->width >= cols[i].from_width)
            n += snprintf(text + n, sizeof(text) - n, "%*s",
                          (int)cols[i].columns, cols[i].title);
    page_add(page, PAGE_HEADING, "%s WHAT TO DO", text);
}

static int put_cells(const struct top *top, const struct top_domain *t,
                     unsigned width, char *text, size_t size)
{
    char cell[CELL_SIZE];
    unsigned i, n = 0;
    int rc;

    *text = '\0';
    for (i = 0; i < NR_COLS; i++) {
        if (width < cols[i].from_width)
            continue;
        strcpy(cell, "-");
        rc = put_cell(top, t, i, cell, sizeof(cell));
        if (rc)
            return rc;
        n += snprintf(text + n, size - n, "%*s", (int)cols[i].columns, cell);
    }
    return 0;
}

static void add_domain(const struct top *top, const struct top_view *view,
                       unsigned row, struct page *page)
{
    const struct top_domain *t = view->rows[row];
    char name[CELL_SIZE], advice[CELL_SIZE + 32], text[256];
    bool selected = !view->plain && row == view->at;
    int rc = put_cells(top, t, page->width, text, sizeof(text));

    if (!rc)
        rc = put_advice(view, t, advice, sizeof(advice));
    if (rc) {
        page->rc = rc;
        return;
    }
    fit_text(t->d->label, name_columns(page->width), name);
    page_add(page, selected ? PAGE_SELECTED : t->d->is_remote ? PAGE_ALARM
                                                              : PAGE_PLAIN,
             "%c%s%s %s", t->d->is_remote ? '*' : ' ', name, text, advice);
}

/* The first row to show, so that the selected one is visible. */
static void scroll_to(unsigned at, unsigned nr_shown, unsigned nr,
                      unsigned *first)
{
    if (*first > at)
        *first = at;
    if (at >= *first + nr_shown)
        *first = at - nr_shown + 1;
    if (*first + nr_shown > nr)
        *first = nr > nr_shown ? nr - nr_shown : 0;
}

void top_page_domains(const struct top *top, struct top_view *view,
                      struct page *page)
{
    unsigned i;

    add_domain_heading(page);
    view->nr_shown = page_left(page, view->nr_rows + 1);
    /* The last line is for what the keys are, or a message. */
    if (page->height && view->nr_shown)
        view->nr_shown--;
    if (!page->height)
        view->first = 0;
    else if (view->nr_shown)
        scroll_to(view->at, view->nr_shown, view->nr_rows, &view->first);
    for (i = 0; i < view->nr_shown && view->first + i < view->nr_rows; i++)
        add_domain(top, view, view->first + i, page);
    if (!view->nr_rows)
        page_add(page, PAGE_PLAIN, " no domain matches");
}

/* ---- vCPUs ---- */

static void put_cpus(const struct xln_cpumap *cpus, char cell[CELL_SIZE],
                     struct page *page)
{
    char *set;
    int rc;

    if (xln_cpumap_count(cpus) == xln_cpumap_nr_bits(cpus)) {
        fit_text("all", CPUS_COLUMNS, cell);
        return;
    }
    rc = xln_cpumap_format(cpus, &set);
    if (rc) {
        page->rc = rc;
        return;
    }
    fit_text(set, CPUS_COLUMNS, cell);
    free(set);
}

static void add_vcpu(const struct top *top, const struct top_domain *t,
                     unsigned vcpu, struct page *page)
{
    const struct resident *r = t->d->r;
    const struct xln_vcpu *v = &r->domain->vcpus[vcpu];
    const struct xln_host_cpu *cpu = xln_host_cpu(top->snapshot->host, v->cpu);
    bool on_node = cpu && cpu->node != XLN_NONE, away;
    char node[16] = "-", here[16] = "-", percent[32] = "-";
    char hard[CELL_SIZE] = "", soft[CELL_SIZE] = "";

    if (!v->exists)
        return;
    if (on_node)
        snprintf(node, sizeof(node), "%u", cpu->node);
    if (on_node && r->now.total_pages)
        snprintf(here, sizeof(here), "%.0f%%", 100.0 * r->pages[cpu->node] /
                 r->now.total_pages);
    away = v->online && on_node && r->now.total_pages && !r->pages[cpu->node];
    put_percent(top_vcpu_percent(top, r->domain, vcpu), percent,
                sizeof(percent));
    put_cpus(v->hard, hard, page);
    put_cpus(v->soft, soft, page);
    page_add(page, away ? PAGE_ALARM : PAGE_PLAIN,
             "%c%5u%7u%6s  %-8s%7s%8s  %s %s", away ? '*' : ' ', vcpu, v->cpu,
             node, !v->online ? "offline" : v->running ? "running"
                   : v->blocked ? "blocked" : "waits", percent, here,
             hard, soft);
}

static void add_memory(const struct top *top, const struct top_domain *t,
                       struct page *page)
{
    unsigned nr = xln_host_nr_nodes(top->snapshot->host), node;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f) {
        page->rc = -ENOMEM;
        return;
    }
    for (node = 0; node < nr; node++)
        if (t->d->r->pages[node])
            fprintf(f, "  node %u: %" PRIu64 " MiB", node,
                    IN_MIB(t->d->r->pages[node] << PAGE_SHIFT));
    if (fclose(f) || !text)
        page->rc = -ENOMEM;
    else
        page_add(page, PAGE_PLAIN, "%s%s", t->d->label,
                 t->d->r->source == XLN_MEMORY_UNKNOWN ? "  memory unknown"
                                                       : text);
    free(text);
}

void top_page_vcpus(const struct top *top, struct top_view *view,
                    struct page *page)
{
    const struct top_domain *t = top_find(top, view->domid);
    unsigned nr = t ? t->d->r->domain->nr_vcpus : 0, i;

    if (!t)
        return;
    add_memory(top, t, page);
    page_add(page, PAGE_HEADING, "%6s%7s%6s  %-8s%7s%8s  %-*s SOFT", "VCPU",
             "CPU", "NODE", "STATE", "CPU%", "MEMORY", CPUS_COLUMNS, "HARD");
    view->nr_shown = page_left(page, nr + 1);
    if (view->nr_shown)
        view->nr_shown--;
    for (i = 0; i < view->nr_shown && view->first_vcpu + i < nr; i++)
        add_vcpu(top, t, view->first_vcpu + i, page);
}
