/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A running domain as JSON, after a command has changed it. */
#ifndef GUEST_JSON_H
#define GUEST_JSON_H

#include "guest.h"

/* The other figures to report about a move. */
struct guest_moved {
    uint32_t previous_domid;
    double paused_s;            /* < 0: unknown */
};

/* Print it as --json has it; `moved`: NULL if it was not. Gives the exit code;
 * what went wrong was printed. */
int guest_print_json(const struct cmd_line *line, const struct guest *guest,
                     const struct guest_moved *moved);

/* --json prints what is, and a dry run what would be. EXIT_SUCCESS; EXIT_USAGE:
 * both are given, and that was reported. */
int guest_check_json(const struct cmd_line *line);

#endif /* GUEST_JSON_H */
