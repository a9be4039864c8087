/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "fit_text.h"
#include "label.h"

#define ELLIPSIS "\xe2\x80\xa6"

struct character {
    const char *text;
    unsigned length, columns;
};

/* Moves on by a character; false: at the end. */
static bool next_character(const char **s, struct character *c)
{
    mbstate_t state = { 0 };
    wchar_t wide;
    size_t length;
    int columns;

    if (!**s)
        return false;
    length = mbrtowc(&wide, *s, strlen(*s), &state);
    columns = length <= MB_LEN_MAX ? wcwidth(wide) : -1;
    *c = (struct character){ "?", 1, 1 };
    if (columns >= 0)
        *c = (struct character){ *s, length, columns };
    /* Another locale's character is one, too. */
    if (length > MB_LEN_MAX)
        for (length = 1; ((*s)[length] & 0xc0) == 0x80; length++)
            ;
    *s += length;
    return true;
}

static unsigned columns_of(const char *text)
{
    struct character c;
    unsigned nr = 0;

    while (next_character(&text, &c))
        nr += c.columns;
    return nr;
}

/* Where it is cut, the last column is an ellipsis. `*end_r` may be in `label`:
 * what stands for a character is never longer. Gives the columns. */
static unsigned put(const char *label, unsigned columns, char **end_r)
{
    bool cut = columns_of(label) > columns;
    const char *s = label;
    unsigned used = 0;
    struct character c;

    while (next_character(&s, &c) && used + c.columns <= columns - cut) {
        memmove(*end_r, c.text, c.length);
        *end_r += c.length;
        used += c.columns;
    }
    s = ELLIPSIS;
    if (cut && next_character(&s, &c)) {
        *end_r = mempcpy(*end_r, c.text, c.length);
        used++;
    }
    return used;
}

char *fit_text(const char *text, unsigned columns, char *buffer)
{
    char label[LABEL_SIZE(FIT_MAX)], *end = buffer;
    unsigned used = put(label_put(text, columns, label), columns, &end);

    memset(end, ' ', columns - used);
    end[columns - used] = '\0';
    return buffer;
}

char *fit_line(const char *line, unsigned columns)
{
    size_t length = strlen(line);
    char *label = malloc(LABEL_SIZE(length)), *end = label;

    if (!label)
        return NULL;
    put(label_put(line, length, label), columns, &end);
    *end = '\0';
    return label;
}
