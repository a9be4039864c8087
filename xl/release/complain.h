/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The messages of `xl` and xl-numa, which look like one program to a user. */
#ifndef COMPLAIN_H
#define COMPLAIN_H

/* "xl: " and a line on stderr. Control characters in it become "?": it may have
 * a name from another's file. */
__attribute__((format(printf, 1, 2)))
void complain(const char *fmt, ...);

#endif /* COMPLAIN_H */
