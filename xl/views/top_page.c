/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fit_text.h"
#include "top_page.h"

/* Lines that are not nodes: three at the top, two headings, the last one. */
#define OTHER_LINES 6

/* ---- the first lines ---- */

static void print_interval(const struct top_view *view, FILE *f)
{
    if (view->saved) {
        fputs("; saved", f);
        return;
    }
    fprintf(f, "; every %.3g s", view->interval_s);
    if (view->interval_s > view->wish_s)
        fputs(" (2 % limit)", f);
    if (view->own_percent >= 0)
        fprintf(f, "; own CPU %.1f %%", view->own_percent);
}

static void print_size(const struct top *top, const struct top_view *view,
                       FILE *f)
{
    map_print_size(top->map, f);
    if (view->count_s > 0)
        fprintf(f, " in %.2f s", view->count_s);
}

/* More text may follow the names. */
static void print_answer(const struct map *map, unsigned width, FILE *f)
{
    enum { UNKNOWN = 36 };

    map_print_headline(map, map->nr_unknown && width > UNKNOWN
                                ? width - UNKNOWN : width, f);
}

static void add_printed(struct page *page, enum page_style style, FILE *f,
                        char **text)
{
    if (fclose(f) || !*text)
        page->rc = -ENOMEM;
    else
        page_add(page, style, "%s", *text);
    free(*text);
    *text = NULL;
}

static void add_head(const struct top *top, const struct top_view *view,
                     struct page *page)
{
    char *text = NULL;
    size_t size;
    unsigned line;
    FILE *f;

    for (line = 0; line < 3; line++) {
        f = open_memstream(&text, &size);
        if (!f) {
            page->rc = -ENOMEM;
            return;
        }
        switch (line) {
        case 0:
            map_print_origin(top->map, f);
            print_interval(view, f);
            break;
        case 1: print_answer(top->map, page->width, f); break;
        case 2: print_size(top, view, f); break;
        }
        add_printed(page, line == 0 ? PAGE_TITLE : line == 1 &&
                    top->map->nr_remote ? PAGE_ALARM : PAGE_PLAIN, f, &text);
    }
}

/* ---- the last line ---- */

static void print_filters(const struct top_view *view, const struct top *top,
                          FILE *f)
{
    fprintf(f, "%u of %u shown:", view->nr_rows, top->nr_domains);
    if (view->remote_only)
        fputs(" remote only;", f);
    if (view->on_node)
        fprintf(f, " on node %u;", view->node);
    if (*view->name)
        fprintf(f, " name '%s';", view->name);
    fputs(" Esc: all", f);
}

static void print_keys(const struct top_view *view, const struct top *top,
                       FILE *f)
{
    const struct top_domain *t = top_find(top, view->domid);

    if (*view->message)
        fputs(view->message, f);
    else if (view->mode == TOP_ASK_NAME)
        fprintf(f, "only names with: %s_", view->input);
    else if (view->mode == TOP_ASK_NODE)
        fprintf(f, "only what is on node (none: all): %s_", view->input);
    else if (view->mode == TOP_ASK_MOVE)
        fprintf(f, "move '%s' to node: %s_   Enter: move  Esc: leave it",
                t ? t->d->label : "?", view->input);
    else if (view->mode == TOP_VCPUS)
        fputs("Enter: back to the domains  h: help  q: back", f);
    else if (view->remote_only || view->on_node || *view->name)
        print_filters(view, top, f);
    else if (view->saved)
        fprintf(f, "h help  q quit  r remote  n node  / name  Enter vCPUs  < > "
                "sort (%s)", top_sort_names[view->sort]);
    else
        fprintf(f, "h help  q quit  m move  p count  r remote  n node  / name  "
                "< > sort (%s)", top_sort_names[view->sort]);
}

/* Except the last line. */
static void fill_up(struct page *page)
{
    while (page->nr + 1 < page->height && !page->rc)
        page_add(page, PAGE_PLAIN, "%s", "");
}

static void add_foot(const struct top *top, const struct top_view *view,
                     struct page *page)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f) {
        page->rc = -ENOMEM;
        return;
    }
    print_keys(view, top, f);
    fill_up(page);
    add_printed(page, PAGE_TITLE, f, &text);
}

/* ---- help ---- */

static const char *const help[] = {
    "Domains, worst first: remote MiB x extra distance. * is remote.",
    "LOCAL   share of the memory on the nodes of the vCPUs",
    "NOW     share of it on the nodes where they run, or ran last",
    "CPU%    of one CPU, since the previous look   RUNNING  vCPUs/CPUs",
    "",
    "Up Down PgUp PgDn Home End   select a domain",
    "Enter   its vCPUs, and back",
    "m       move its memory: asks for the node, runs xl numa-move",
    "p       have Xen count all pages now: costly, see xl-numa-stat(1)",
    "Space   look at the host now",
    "r n /   only remote ones, those on a node, those with a name; Esc: all",
    "W M P N sort: worst first, by memory, by CPU, by name",
    "< > R   sort by another column; the other way round",
    "Ctrl-L  draw the screen again   q   quit",
};

static void add_help(struct page *page)
{
    unsigned i;

    for (i = 0; i < sizeof(help) / sizeof(*help); i++)
        page_add(page, PAGE_PLAIN, "%s", help[i]);
    fill_up(page);
    page_add(page, PAGE_TITLE, "any key: back");
}

/* ---- the whole ---- */

/* Domains have at least as many lines as nodes. */
static unsigned lines_for_places(const struct page *page)
{
    if (!page->height)
        return UINT_MAX;
    return page->height > OTHER_LINES + 2 ? (page->height - OTHER_LINES) / 2
                                          : 1;
}

int top_page_fill(const struct top *top, struct top_view *view,
                  struct page *page)
{
    if (view->mode == TOP_HELP) {
        add_help(page);
        return page->rc;
    }
    add_head(top, view, page);
    if (view->mode == TOP_VCPUS) {
        top_page_vcpus(top, view, page);
    } else {
        top_page_places(top, lines_for_places(page), page);
        top_page_domains(top, view, page);
    }
    if (!view->plain)
        add_foot(top, view, page);
    return page->rc;
}
