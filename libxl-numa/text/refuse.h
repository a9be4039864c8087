/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The line that says what is wrong with a file, a key or a value.
 */
#ifndef XLN_REFUSE_H
#define XLN_REFUSE_H

#include <stdarg.h>

/*
 * Put "?" in place of each character that a terminal would obey: the control
 * characters of ASCII, and those from U+0080 to U+009F, in UTF-8 or as single
 * bytes. Texts from files and from other hosts shall not speak to it.
 */
void xln__mask_controls(char *text);

/*
 * A line of text as *error_r takes it, without control characters, and
 * -EINVAL; -ENOMEM and NULL if there is no memory for it.
 */
__attribute__((format(printf, 2, 3)))
int xln__refuse(char **error_r, const char *fmt, ...);

/* The same, with "WHERE: " before it. */
__attribute__((format(printf, 3, 0)))
int xln__refuse_at(char **error_r, const char *where, const char *fmt,
                   va_list ap);

#endif /* XLN_REFUSE_H */
