/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fit_text.h"
#include "page.h"

unsigned page_left(const struct page *page, unsigned max)
{
    unsigned left = page->height > page->nr ? page->height - page->nr : 0;

    return page->height && left < max ? left : max;
}

static struct page_line *new_line(struct page *page)
{
    struct page_line *lines;

    lines = reallocarray(page->lines, page->nr + 1, sizeof(*lines));
    if (!lines)
        return NULL;
    page->lines = lines;
    return &lines[page->nr];
}

__attribute__((format(printf, 2, 0)))
static char *format(unsigned width, const char *fmt, va_list ap)
{
    char *text, *line;

    if (vasprintf(&text, fmt, ap) < 0)
        return NULL;
    line = fit_line(text, width);
    free(text);
    return line;
}

void page_add(struct page *page, enum page_style style, const char *fmt, ...)
{
    struct page_line *line;
    char *text;
    va_list ap;

    if (!page_left(page, 1))
        return;
    va_start(ap, fmt);
    text = format(page->width, fmt, ap);
    va_end(ap);
    line = text ? new_line(page) : NULL;
    if (!line) {
        page->rc = -ENOMEM;
        free(text);
        return;
    }
    *line = (struct page_line){ .text = text, .style = style };
    page->nr++;
}

void page_mark(struct page *page, unsigned from, unsigned nr)
{
    struct page_line *line = page->lines + page->nr - 1;

    if (!page->nr || from >= page->width)
        return;
    line->mark_from = from;
    line->nr_marked = nr < page->width - from ? nr : page->width - from;
}

void page_print(const struct page *page, FILE *f)
{
    unsigned i;
    size_t n;

    for (i = 0; i < page->nr; i++) {
        n = strlen(page->lines[i].text);
        while (n && page->lines[i].text[n - 1] == ' ')
            n--;
        fprintf(f, "%.*s\n", (int)n, page->lines[i].text);
    }
}

void page_clear(struct page *page)
{
    unsigned i;

    for (i = 0; i < page->nr; i++)
        free(page->lines[i].text);
    free(page->lines);
    *page = (struct page){ .width = page->width, .height = page->height };
}
