/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unknown keys that resemble ours. libxlutil has no list of all keys, so xl
 * ignores a misspelt key without a message.
 */
#ifndef MISSPELT_H
#define MISSPELT_H

#include <stddef.h>

/*
 * The first such key in the text of a configuration, as a line that says that
 * it is ignored, and what was most likely meant. Malloc'd; NULL: there is none,
 * or no memory for it.
 */
char *misspelt_find(const char *text, size_t size);

/* The first key in the text that is none of xl-numa.conf(5), where all are to
 * be; malloc'd, or NULL as above. */
char *misspelt_foreign(const char *text, size_t size);

/* How many letters have to be put in, left out or changed to make one word the
 * other. Longer words than any of ours are far from each other. */
unsigned misspelt_distance(const char *a, const char *b);

#endif /* MISSPELT_H */
