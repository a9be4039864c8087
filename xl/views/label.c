/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "label.h"

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"

/* The number of bytes of the character at `s`; 0: it is not UTF-8. */
static unsigned read_character(const char *s, uint32_t *c_r)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = *s;
    unsigned length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 :
        first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4
        : 0, i;
    uint32_t c = length == 1 ? first : first & (0x7f >> length);

    for (i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (length > 1 && (c < least[length] || c > 0x10ffff))
        return 0;
    *c_r = c;
    return length;
}

static bool is_between(uint32_t c, uint32_t first, uint32_t last)
{
    return c >= first && c <= last;
}

/* Not a control, half of a pair, a mark of direction or not a character:
 * XML has no way to write some of these. */
static bool is_harmless(uint32_t c)
{
    return c >= 0x20 && !is_between(c, 0x7f, 0x9f) &&
           !is_between(c, 0x200b, 0x200f) && !is_between(c, 0x2028, 0x202e) &&
           !is_between(c, 0x2060, 0x206f) && !is_between(c, 0xd800, 0xdfff) &&
           c != 0xfeff && (c & 0xfffe) != 0xfffe;
}

/* Moves on by a character; false: at the end. */
static bool next_character(const char **s, const char **text_r,
                           unsigned *length_r)
{
    unsigned length;
    uint32_t c = 0;

    if (!**s)
        return false;
    length = read_character(*s, &c);
    *text_r = length && is_harmless(c) ? *s : REPLACEMENT;
    *length_r = *text_r == *s ? length : strlen(REPLACEMENT);
    *s += length ? length : 1;
    return true;
}

unsigned label_length(const char *label)
{
    unsigned nr = 0;

    for (; *label; label++)
        nr += (*label & 0xc0) != 0x80;
    return nr;
}

char *label_put(const char *name, unsigned max, char *buffer)
{
    char *end = buffer, *cut = buffer;
    const char *text;
    unsigned length, nr = 0;

    while (next_character(&name, &text, &length)) {
        if (nr == max) {
            end = stpcpy(cut, max ? ELLIPSIS : "");
            break;
        }
        if (++nr == max)
            cut = end;
        end = mempcpy(end, text, length);
    }
    *end = '\0';
    return buffer;
}

void label_print_xml(FILE *f, const char *label)
{
    for (; *label; label++) {
        switch (*label) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        case '\'': fputs("&#39;", f); break;
        default: putc(*label, f); break;
        }
    }
}
