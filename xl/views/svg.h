/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures as SVG: what all of them have in common. */
#ifndef SVG_H
#define SVG_H

#include <stdio.h>

/* The beginning, with a background of class "bg" over all of it. `style` is
 * CSS. The size is in user units, and in pixels where nothing scales it. */
void svg_begin(const char *title, const char *style, double width,
               double height, FILE *f);
void svg_end(FILE *f);

#define SVG_TEXT_MAX 2048

/* A line of text, escaped, shorter than SVG_TEXT_MAX bytes; `class` is its class
 * in CSS. */
__attribute__((format(printf, 5, 6)))
void svg_text(FILE *f, const char *class, double x, double y,
              const char *fmt, ...);

void svg_rect(FILE *f, const char *class, double x, double y, double width,
              double height);

#endif /* SVG_H */
