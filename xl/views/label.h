/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A name from outside, such as a domain's, in a picture or a drawing: cut to a
 * length, and without characters that a terminal or a picture would act on.
 */
#ifndef LABEL_H
#define LABEL_H

#include <stdio.h>

/* Room for a label of `max` characters. */
#define LABEL_SIZE(max) (4 * (max) + 4)

/* The name in UTF-8, at most `max` characters of it: where it is cut, the last
 * one is an ellipsis. Controls, marks that change the direction of writing, and
 * what is no UTF-8 become U+FFFD. It goes into a buffer of LABEL_SIZE(max)
 * bytes, which is the result. */
char *label_put(const char *name, unsigned max, char *buffer);

/* The number of characters of a label. */
unsigned label_length(const char *label);

/* The same text in XML: <, >, &, ' and " escaped. */
void label_print_xml(FILE *f, const char *label);

#endif /* LABEL_H */
