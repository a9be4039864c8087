/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef INSTALLED_COMMANDS_H
#define INSTALLED_COMMANDS_H

/*
 * The names of the commands that an xl knows, by its `xl help`: which words
 * are short for one differs from release to release. NULL: it cannot be told,
 * as where no Xen is running. To be freed by installed_commands_free().
 */
char **installed_commands(const char *xl);
void installed_commands_free(char **names);

#endif /* INSTALLED_COMMANDS_H */
