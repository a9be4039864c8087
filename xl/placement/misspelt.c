/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_values.h"
#include "misspelt.h"

#define NAME_MAX_BYTES 24       /* ours are shorter */
#define SHORT 6
#define FAR 99

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

/*
 * Row by row, after each letter of `a` its distance to each beginning of
 * `b`. From "node" to "nodes" it is 1.
 */
unsigned misspelt_distance(const char *a, const char *b)
{
    unsigned row[NAME_MAX_BYTES + 1], i, j, nr = strlen(b), above;

    if (strlen(a) > NAME_MAX_BYTES || nr > NAME_MAX_BYTES)
        return FAR;
    for (j = 0; j <= nr; j++)
        row[j] = j;
    for (i = 0; a[i]; i++) {
        unsigned left_above = row[0];

        row[0] = i + 1;
        for (j = 1; j <= nr; j++) {
            above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1,
                           left_above + (a[i] != b[j - 1]));
            left_above = above;
        }
    }
    return row[nr];
}

static const char *find_nearest(const char *name, unsigned *distance_r)
{
    const char *key, *nearest = NULL;
    unsigned i, d;

    *distance_r = FAR;
    for (i = 0; (key = key_name(i)); i++) {
        d = misspelt_distance(name, key);
        if (d < *distance_r) {
            *distance_r = d;
            nearest = key;
        }
    }
    return nearest;
}

static bool begins(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

/* "nodse" and "nodes": two neighbours in the wrong order. */
static bool is_swapped(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a && *b && a[0] == b[1] && a[1] == b[0] && !strcmp(a + 2, b + 2);
}

/* "notes" may be somebody's own key: of a short one it has to be a letter that
 * is missing, or one too many, or two that are swapped. */
static bool is_near(const char *name, const char *key, unsigned distance)
{
    if (strlen(name) > SHORT)
        return distance <= 2;
    return is_swapped(name, key) ||
           (distance == 1 && strlen(name) != strlen(key));
}

/* The line about a key; NULL: the key is fine. */
static char *look_at(const char *name)
{
    unsigned d;
    const char *nearest = find_nearest(name, &d);
    char *line;
    int r;

    if (!d || (!is_near(name, nearest, d) && !begins(name, "nodes_") &&
               !begins(name, "vnuma_")))
        return NULL;
    if (d <= (strlen(name) + 1) / 3 || (nearest && is_swapped(name, nearest)))
        r = asprintf(&line, "%s=: unknown key, ignored: did you mean %s=?",
                     name, nearest);
    else
        r = asprintf(&line, "%s=: unknown key, ignored", name);
    return r < 0 ? NULL : line;
}

/* The word that a line begins with, if it is that of a key. */
static char *key_of(const char *line)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const char *word = line + strspn(line, " \t"), *end, *sign;

    end = word + strspn(word, letters);
    sign = end + strspn(end, " \t");
    sign += *sign == '+';
    return end > word && *sign == '=' ? strndup(word, end - word) : NULL;
}

/* The first that `look` has something to say of. */
static char *find(const char *text, size_t size,
                  char *(*look)(const char *name))
{
    char *copy = strndup(text, size), *rest = copy, *line, *key, *said = NULL;

    while (!said && (line = strsep(&rest, "\n"))) {
        key = key_of(line);
        said = key ? look(key) : NULL;
        free(key);
    }
    free(copy);
    return said;
}

char *misspelt_find(const char *text, size_t size)
{
    return find(text, size, look_at);
}

static char *take_foreign(const char *name)
{
    return key_is_hosts(name) ? NULL : strdup(name);
}

char *misspelt_foreign(const char *text, size_t size)
{
    return find(text, size, take_foreign);
}
