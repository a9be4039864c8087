/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys from a text, through libxlutil's own parser, and what xsdata has of
 * them. */
#ifndef KEY_TEXTS_H
#define KEY_TEXTS_H

#include <errno.h>
#include <stdlib.h>

#include "fake-alloc.h"
#include "placement/keys.h"
#include "sets.h"
#include "tap.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define NODES_TEXT                                                            \
    "\"auto\", \"all\" or a list of nodes such as \"0-3,^2\" or [0, 2]"
#define CPUS "\"soft\", \"hard\", \"core\", \"thread\" or \"none\""
#define POLICIES "\"first\", \"best\", \"worst\" or \"balanced\""
#define MEM_TEXT "a list of nodes such as \"0-3,^2\" or [0, 2], or with " \
    "parts, \"0:75%,5:25%\", that are 100% together"

static inline void *need_block(void *block)
{
    must(block ? 0 : ENOMEM);
    return block;
}

static XLU_Config *config_of(const char *text)
{
    XLU_Config *config = need_block(xlu_cfg_init(stdout, "# libxlutil"));

    must(xlu_cfg_readdata(config, text, strlen(text)));
    return config;
}

/* The keys of a text; NULL and *error_r if it has a wrong one. */
static inline struct keys *read_text(const char *text, bool host,
                                     char **error_r)
{
    XLU_Config *config = config_of(text);
    struct keys *keys = NULL;
    int rc;

    *error_r = NULL;
    rc = host ? keys_parse_host(text, strlen(text), "g.cfg", &keys, error_r)
              : keys_read_domain(config, "g.cfg", NULL, &keys, NULL,
                                 error_r);
    if (rc && rc != -EINVAL)
        must(rc);
    if (rc)
        keys = NULL;
    xlu_cfg_destroy(config);
    return keys;
}

static inline struct keys *good_text(const char *text)
{
    char *error;
    struct keys *keys = read_text(text, false, &error);

    if (keys)
        return keys;
    printf("Bail out! %s\n", error);
    exit(1);
}

/* ---- what xsdata has, as "key=value" lines ---- */

static inline char *show(libxl_key_value_list xsdata)
{
    char *text = NULL;
    size_t size;
    FILE *f = need_block(open_memstream(&text, &size));
    int i;

    for (i = 0; xsdata && xsdata[i]; i += 2)
        fprintf(f, "%s%s=%s", i ? "|" : "", xsdata[i],
                xsdata[i + 1] ? xsdata[i + 1] : "(null)");
    must(fclose(f) ? ENOMEM : 0);
    return text;
}

static inline libxl_key_value_list xsdata_of(const struct keys *keys)
{
    libxl_key_value_list xsdata = NULL;

    must(keys_write_xsdata(keys, &xsdata));
    return xsdata;
}

static inline void is_canonical(const char *config, const char *expected)
{
    struct keys *keys = good_text(config);
    libxl_key_value_list xsdata = xsdata_of(keys);
    char *text = show(xsdata);
    char full[2048], what[256];

    snprintf(full, sizeof(full), "numa/version=1%s%s", *expected ? "|" : "",
             expected);
    snprintf(what, sizeof(what), "%s becomes a request",
             *config ? config : "a configuration without keys");
    is_str(text, full, what);
    free(text);
    libxl_key_value_list_dispose(&xsdata);
    keys_free(keys);
}

/* xsdata with these entries; libxl's lists end in a NULL key. */
static inline libxl_key_value_list make_xsdata(const char *const *entries,
                                               unsigned nr)
{
    libxl_key_value_list xsdata =
        need_block(calloc(2 * nr + 1, sizeof(*xsdata)));
    unsigned i;

    for (i = 0; i < 2 * nr; i++)
        xsdata[i] = entries[i] ? need_block(strdup(entries[i])) : NULL;
    return xsdata;
}

#endif /* KEY_TEXTS_H */
