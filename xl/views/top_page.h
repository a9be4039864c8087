/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `xl numa-top` as text: all that it shows, for any size of a screen. */
#ifndef TOP_PAGE_H
#define TOP_PAGE_H

#include "page.h"
#include "top_view.h"

/* Fills an empty page. A page without a height has all nodes and all rows. 0 or
 * -ENOMEM. */
int top_page_fill(const struct top *top, struct top_view *view,
                  struct page *page);

/* Its parts: the nodes, on at most `max` lines; the rows of domains; the vCPUs
 * of the domain that is selected. */
void top_page_places(const struct top *top, unsigned max, struct page *page);
void top_page_domains(const struct top *top, struct top_view *view,
                      struct page *page);
void top_page_vcpus(const struct top *top, struct top_view *view,
                    struct page *page);

#endif /* TOP_PAGE_H */
