/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text from outside in the columns of a terminal. */
#ifndef FIT_TEXT_H
#define FIT_TEXT_H

#define FIT_MAX 64

/* Room for `columns` of them. */
#define FIT_SIZE(columns) (5 * (columns) + 8)

/*
 * The text in exactly `columns` columns, 1 to FIT_MAX, of this locale: padded
 * with spaces, or cut with an ellipsis. What label_put() replaces is replaced,
 * and "?" stands for what the locale cannot show. It goes into a buffer of
 * FIT_SIZE(columns) bytes, which is the result.
 */
char *fit_text(const char *text, unsigned columns, char *buffer);

/* The same for a line of any length, which is not padded. The caller frees it.
 * NULL: out of memory. */
char *fit_line(const char *line, unsigned columns);

#endif /* FIT_TEXT_H */
