/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A screen full of text, or a text without an end, before it is shown. */
#ifndef PAGE_H
#define PAGE_H

#include <stdio.h>

enum page_style { PAGE_PLAIN, PAGE_TITLE, PAGE_HEADING, PAGE_ALARM,
                  PAGE_SELECTED };

struct page_line {
    char *text;
    enum page_style style;
    unsigned mark_from, nr_marked;  /* columns that look like an alarm */
};

struct page {
    unsigned width;
    unsigned height;            /* 0: any number of lines */
    unsigned nr;
    struct page_line *lines;
    int rc;                     /* -ENOMEM: lines are missing */
};

/* A line more, cut to the width. What has no room is left out. */
__attribute__((format(printf, 3, 4)))
void page_add(struct page *page, enum page_style style, const char *fmt, ...);

/* Lets some columns of the last line stand out. */
void page_mark(struct page *page, unsigned from, unsigned nr);

/* The number of lines that still fit; at most `max`. */
unsigned page_left(const struct page *page, unsigned max);

/* As plain text, without spaces at the end of lines. */
void page_print(const struct page *page, FILE *f);

/* Frees what it has; the size stays. */
void page_clear(struct page *page);

#endif /* PAGE_H */
