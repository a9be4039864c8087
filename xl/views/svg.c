/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "label.h"
#include "svg.h"

void svg_begin(const char *title, const char *style, double width,
               double height, FILE *f)
{
    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
            "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n<title>", width,
            height, width, height);
    label_print_xml(f, title);
    fprintf(f, "</title>\n<style>%s</style>\n"
            "<rect class=\"bg\" width=\"100%%\" height=\"100%%\"/>\n", style);
}

void svg_end(FILE *f)
{
    fputs("</svg>\n", f);
}

void svg_text(FILE *f, const char *class, double x, double y,
              const char *fmt, ...)
{
    char text[SVG_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(f, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
    label_print_xml(f, text);
    fputs("</text>\n", f);
}

void svg_rect(FILE *f, const char *class, double x, double y, double width,
              double height)
{
    fprintf(f, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
            "height=\"%.1f\"/>\n", class, x, y, width, height);
}
