/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_values.h"
#include "keys.h"

#define XSDATA_PREFIX "numa/"
#define XSDATA_VERSION "1"

int keys_read_xsdata(libxl_key_value_list xsdata, struct keys **keys_r,
                     char **error_r)
{
    struct keys *keys = calloc(1, sizeof(*keys));
    const struct key *key;
    int i, index, rc = keys ? 0 : -ENOMEM;

    for (i = 0; xsdata && xsdata[i] && !rc; i += 2) {
        if (!xsdata[i + 1] || strncmp(xsdata[i], XSDATA_PREFIX,
                                      strlen(XSDATA_PREFIX)))
            continue;
        /* A key of a later version is not one of ours. */
        key = key_find(xsdata[i] + strlen(XSDATA_PREFIX), &index);
        if (!key || keys->text[index])
            continue;
        rc = key_check(key, "recorded request", xsdata[i + 1],
                       &keys->text[index], error_r);
    }
    if (rc) {
        keys_free(keys);
        return rc;
    }
    *keys_r = keys;
    return 0;
}

/* What a later version of ours wrote is not. */
static bool is_our_entry(const char *name)
{
    int index;

    if (strncmp(name, XSDATA_PREFIX, strlen(XSDATA_PREFIX)))
        return false;
    name += strlen(XSDATA_PREFIX);
    return !strcmp(name, "version") || key_find(name, &index);
}

static int add_entry(char **list, int *nr, const char *key, const char *value)
{
    if (asprintf(&list[*nr], XSDATA_PREFIX "%s", key) < 0) {
        list[*nr] = NULL;
        return -ENOMEM;
    }
    list[*nr + 1] = strdup(value);
    if (!list[*nr + 1]) {
        free(list[*nr]);
        list[*nr] = NULL;
        return -ENOMEM;
    }
    *nr += 2;
    return 0;
}

int keys_read_pairs(char *const *pairs, struct keys **keys_r, char **error_r)
{
    int i, nr_pairs = 0, nr = 0, rc;
    char **list;

    *error_r = NULL;
    while (pairs[nr_pairs])
        nr_pairs += 2;
    list = calloc(nr_pairs + 3, sizeof(*list));
    if (!list)
        return -ENOMEM;
    rc = add_entry(list, &nr, "version", XSDATA_VERSION);
    for (i = 0; i < nr_pairs && !rc; i += 2)
        rc = add_entry(list, &nr, pairs[i], pairs[i + 1]);
    if (!rc)
        rc = keys_read_xsdata(list, keys_r, error_r);
    libxl_key_value_list_dispose(&list);
    return rc;
}

int keys_write_xsdata(const struct keys *keys, libxl_key_value_list *xsdata)
{
    char **list, **old = *xsdata;
    int i, nr = 0, nr_old = 0, rc;

    while (old && old[nr_old])
        nr_old += 2;
    list = calloc(nr_old + 2 * NR_KEYS + 3, sizeof(*list));
    if (!list)
        return -ENOMEM;

    rc = add_entry(list, &nr, "version", XSDATA_VERSION);
    for (i = 0; i < NR_KEYS && !rc; i++)
        if (keys->text[i])
            rc = add_entry(list, &nr, key_table[i].name, keys->text[i]);
    if (rc) {
        libxl_key_value_list_dispose(&list);
        return rc;
    }
    for (i = 0; i < nr_old; i += 2) {
        if (!is_our_entry(old[i])) {
            list[nr++] = old[i];
            list[nr++] = old[i + 1];
        } else {
            free(old[i]);
            free(old[i + 1]);
        }
    }
    free(old);
    *xsdata = list;
    return 0;
}
