/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"

#define MAX_SIZE 10000

bool terminal_is_there(void)
{
    return isatty(STDOUT_FILENO);
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    unsigned long number = text ? strtoul(text, NULL, 10) : 0;

    return number && number <= MAX_SIZE ? number : otherwise;
}

unsigned terminal_width(void)
{
    struct winsize size;

    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
        return size.ws_col;
    return from_environment("COLUMNS", 80);
}

unsigned terminal_height(void)
{
    struct winsize size;

    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row)
        return size.ws_row;
    return from_environment("LINES", 24);
}

bool terminal_has_colour(void)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

    return terminal_is_there() && !(no_colour && *no_colour) && term &&
           *term && strcmp(term, "dumb");
}
