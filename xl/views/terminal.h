/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether standard output is a terminal, how wide it is, and what it can
 * show. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>

bool terminal_is_there(void);

/* Columns and lines of the terminal; where it does not tell, as a serial
 * console, those of COLUMNS and LINES, or 80 and 24. */
unsigned terminal_width(void);
unsigned terminal_height(void);

/* Whether it is a terminal with colours, and NO_COLOR does not forbid them. */
bool terminal_has_colour(void);

#endif /* TERMINAL_H */
