/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain_word.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

const char *domain_word(const char *name, uint32_t domid,
                        char buffer[DOMAIN_WORD_MAX])
{
    if (name && *name != '-' && strcspn(name, LETTERS "_") < strlen(name) &&
        !name[strspn(name, LETTERS DIGITS "-_.+:@%/")])
        return name;
    snprintf(buffer, DOMAIN_WORD_MAX, "%" PRIu32, domid);
    return buffer;
}
