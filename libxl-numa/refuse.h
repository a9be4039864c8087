/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The line that says what is wrong with what somebody has written: a file, a
 * key, a value.
 */
#ifndef XLN_REFUSE_H
#define XLN_REFUSE_H

#include <stdarg.h>

/*
 * A line of text as *error_r takes it, and -EINVAL; -ENOMEM and NULL if there
 * is no memory for it. What came with a migration shall not speak to the
 * terminal: a control character is "?" there.
 */
__attribute__((format(printf, 2, 3)))
int xln__refuse(char **error_r, const char *fmt, ...);

/* The same, with "WHERE: " before it. */
__attribute__((format(printf, 3, 0)))
int xln__refuse_at(char **error_r, const char *where, const char *fmt,
                   va_list ap);

#endif /* XLN_REFUSE_H */
