/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual nodes in the configuration of a domain that is saved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vnuma_record.h"

#define XSDATA_NAME "numa/vnodes"

int vnuma_record_put_text(char *text, libxl_key_value_list *xsdata)
{
    char **list, *name;
    int nr = 0;

    while (*xsdata && (*xsdata)[nr])
        nr += 2;
    name = strdup(XSDATA_NAME);
    list = name ? realloc(*xsdata, (nr + 3) * sizeof(*list)) : NULL;
    if (!list) {
        free(name);
        free(text);
        return -ENOMEM;
    }
    list[nr] = name;
    list[nr + 1] = text;
    list[nr + 2] = NULL;
    *xsdata = list;
    return 0;
}

int vnuma_record_put(const struct vnuma_record *r,
                     libxl_key_value_list *xsdata)
{
    char *text;
    int rc = vnuma_record_format(r, &text);

    return rc ? rc : vnuma_record_put_text(text, xsdata);
}

/* Takes out all of them, and gives the first. */
static char *take_text(libxl_key_value_list xsdata)
{
    char *text = NULL;
    int from, to = 0;

    for (from = 0; xsdata && xsdata[from]; from += 2) {
        if (strcmp(xsdata[from], XSDATA_NAME)) {
            xsdata[to++] = xsdata[from];
            xsdata[to++] = xsdata[from + 1];
            continue;
        }
        free(xsdata[from]);
        if (text)
            free(xsdata[from + 1]);
        else
            text = xsdata[from + 1];
    }
    if (xsdata)
        xsdata[to] = NULL;
    return text;
}

int vnuma_record_take(libxl_key_value_list *xsdata,
                      struct vnuma_record **record_r, char **error_r)
{
    char *text = take_text(*xsdata);
    int rc = 0;

    *record_r = NULL;
    if (text)
        rc = vnuma_record_parse(text, record_r, error_r);
    free(text);
    return rc;
}
