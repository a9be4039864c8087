/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The terminal, on ncurses: pages out, keys in. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <signal.h>
#include <stdbool.h>

#include "views/page.h"

/* Besides the keys of top_view.h. */
enum { TOP_SCREEN_TIME = -1, TOP_SCREEN_OVER = -2, TOP_SCREEN_RESIZED = -3 };

/* Takes the terminal. From then on, SIGINT, SIGTERM and SIGHUP are only looked
 * at while it waits; what goes to stderr is dropped. False: it printed why. */
bool top_screen_open(void);

/* Gives it back, as it was; it may not have been taken. */
void top_screen_close(void);

/* For a page without lines. */
void top_screen_size(unsigned *width_r, unsigned *height_r);
void top_screen_show(const struct page *page);

/* A key; TOP_SCREEN_TIME: none came within `seconds`; TOP_SCREEN_OVER: a
 * signal came, or the terminal was closed; TOP_SCREEN_RESIZED: it has another
 * size, or must be drawn again. */
int top_screen_wait(double seconds);

/*
 * Run this program with these arguments, with the terminal as it was before,
 * until the user has read its output.
 */
void top_screen_run(char *const argv[]);

#endif /* TOP_SCREEN_H */
