/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The name of a domain in a command line that a shell reads.
 */
#ifndef DOMAIN_WORD_H
#define DOMAIN_WORD_H

#include <stdint.h>

#define DOMAIN_WORD_MAX 16

/* `name` itself, if it needs no quotes and xl takes it for a name; else the
 * number, in `buffer`. */
const char *domain_word(const char *name, uint32_t domid,
                        char buffer[DOMAIN_WORD_MAX]);

#endif /* DOMAIN_WORD_H */
