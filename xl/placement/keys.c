/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every key has one canonical text, whichever way it was written: what is
 * read is turned into it at once, and a request is only ever made from it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_conflicts.h"
#include "key_values.h"
#include "keys.h"
#include "misspelt.h"
#include "text/refuse.h"
#include "vnode_list.h"

/* The items of a list, each a list of nodes of its own, united. */
static int unite_items(const struct key *key, const char *source,
                       const XLU_Config *config, const XLU_ConfigList *list,
                       int nr_items, struct xln_nodemap *nodes, char **error_r)
{
    struct xln_nodemap *item_nodes;
    const char *item;
    char *text;
    int i, rc;

    for (i = 0; i < nr_items; i++) {
        XLU_ConfigValue *value = xlu_cfg_get_listitem2(list, i);

        if (!value || xlu_cfg_value_get_string(config, value,
                                               (char **)&item, 1))
            return xln__refuse(error_r,
                               "%s: %s: item %d is a list: expected %s", source,
                               key->name, i + 1, key->expected);
        rc = strlen(item) > KEY_VALUE_MAX ? -EINVAL
                                          : key_check_node_list(item, &text);
        if (rc == -EINVAL)
            return xln__refuse(
                error_r, "%s: %s: item %d, \"%.*s\": expected %s", source,
                key->name, i + 1, KEY_VALUE_MAX, item, key->expected);
        if (rc)
            return rc;
        rc = key_parse_nodes(text, &item_nodes);
        free(text);
        if (rc)
            return rc;
        xln_nodemap_or(nodes, item_nodes);
        xln_nodemap_free(item_nodes);
    }
    return 0;
}

static int read_list(const struct key *key, const char *source,
                     const XLU_Config *config, const XLU_ConfigList *list,
                     int nr_items, char **text_r, char **error_r)
{
    struct xln_nodemap *nodes;
    char *text = NULL;
    int rc;

    if (!key->list || nr_items == 0)
        return xln__refuse(error_r, "%s: %s=[%s]: expected %s", source,
                           key->name, nr_items ? "..." : "", key->expected);
    rc = xln_nodemap_new(XLN_MAX_NODES, &nodes);
    if (rc)
        return rc;
    rc = unite_items(key, source, config, list, nr_items, nodes, error_r);
    if (!rc)
        rc = xln_nodemap_format(nodes, &text);
    if (!rc)
        rc = key_check(key, source, text, text_r, error_r);
    free(text);
    xln_nodemap_free(nodes);
    return rc;
}

static int read_key(const struct key *key, const char *source,
                    const XLU_Config *config, char **text_r, char **error_r)
{
    const char *ours = key_ours(key), *value;
    const XLU_ConfigList *list;
    int nr_items;

    if (!xlu_cfg_get_string(config, key->name, &value, 1))
        return ours && strcmp(value, ours)
                   ? 0
                   : key_check(key, source, value, text_r, error_r);
    /* A vnuma= list is xl's. */
    if (key != &key_table[KEY_VNUMA] && !ours &&
        !xlu_cfg_get_list(config, key->name, (XLU_ConfigList **)&list,
                          &nr_items, 1))
        return read_list(key, source, config, list, nr_items, text_r,
                         error_r);
    return 0;
}

static int read_keys(const XLU_Config *config, const char *source, bool host,
                     struct keys **keys_r, char **error_r)
{
    struct keys *keys = calloc(1, sizeof(*keys));
    int i, rc = keys ? 0 : -ENOMEM;

    for (i = 0; i < NR_KEYS && !rc; i++)
        if (host ? !key_ours(&key_table[i]) : !key_table[i].host_only)
            rc = read_key(&key_table[i], source, config, &keys->text[i],
                          error_r);
    if (rc) {
        keys_free(keys);
        return rc;
    }
    *keys_r = keys;
    return 0;
}

/* The file is ours alone, unlike a domain's configuration. */
static int check_host(const XLU_Config *config, const char *text, size_t size,
                      const char *source, char **error_r)
{
    char *name = misspelt_foreign(text, size);
    int rc = 0;

    if (name)
        rc = xln__refuse(error_r, "%s: %s=: expected a key of xl-numa.conf(5)",
                         source, name);
    else if (vnode_list_given(config))
        rc = xln__refuse(error_r, "%s: vnuma=[...]: expected \"auto\", "
                         "\"host\" or \"none\"", source);
    free(name);
    return rc;
}

int keys_parse_host(const char *text, size_t size, const char *source,
                    struct keys **keys_r, char **error_r)
{
    XLU_Config *config;
    int rc;

    /* libxlutil ends the program over one. */
    if (memchr(text, '\0', size))
        return xln__refuse(error_r, "%s: expected text, not a zero byte",
                           source);
    config = xlu_cfg_init(stderr, source);
    if (!config)
        return -ENOMEM;
    rc = xlu_cfg_readdata(config, text, size) ? -EINVAL : 0;
    if (!rc)
        rc = check_host(config, text, size, source, error_r);
    if (!rc)
        rc = read_keys(config, source, true, keys_r, error_r);
    xlu_cfg_destroy(config);
    return rc;
}

int keys_read_again(const XLU_Config *config, const char *source,
                    struct keys **keys_r, char **error_r)
{
    return read_keys(config, source, false, keys_r, error_r);
}

int keys_read_domain(const XLU_Config *config, const char *source,
                     const struct keys *defaults, struct keys **keys_r,
                     struct cells **cells_r, char **error_r)
{
    struct cells *cells = NULL;
    struct keys *keys;
    int rc;

    rc = read_keys(config, source, false, &keys, error_r);
    if (rc)
        return rc;
    rc = key_conflicts_check(keys, defaults, config, source, error_r);
    if (!rc)
        rc = vnode_list_read(config, source, &cells, error_r);
    if (rc) {
        keys_free(keys);
        return rc;
    }
    *keys_r = keys;
    if (cells_r)
        *cells_r = cells;
    else
        cells_free(cells);
    return 0;
}

int keys_set_nodes(struct keys *keys, const char *nodes)
{
    char *text;
    int rc = key_check_nodes(nodes, &text);

    if (rc)
        return rc;
    free(keys->text[KEY_NODES]);
    keys->text[KEY_NODES] = text;
    free(keys->text[KEY_MEM]);
    keys->text[KEY_MEM] = NULL;
    return 0;
}

int keys_apply(const struct keys *keys, struct xln_request *request)
{
    int i, rc = 0;

    for (i = 0; i < NR_KEYS && !rc; i++)
        if (keys->text[i])
            rc = key_table[i].apply(keys->text[i], request);
    return rc;
}

static int check_nodes_exist(const struct key *key, const char *text,
                             const char *source,
                             const struct xln_nodemap *nodes, char **error_r)
{
    struct xln_nodemap *named = NULL;
    char *host = NULL, *absent = NULL;
    uint8_t *percent;
    int rc;

    if (!text || !strcmp(text, "auto") || !strcmp(text, "all"))
        return 0;
    rc = key_parse_mem(text, &named, &percent);
    if (rc)
        goto out;
    free(percent);
    if (xln_nodemap_is_subset(named, nodes))
        goto out;
    xln_nodemap_andnot(named, nodes);
    rc = xln_nodemap_format(named, &absent);
    if (rc)
        goto out;
    rc = xln_nodemap_format(nodes, &host);
    if (rc)
        goto out;
    rc = xln__refuse(error_r, "%s: %s=\"%s\": no node %s here: this host has "
                     "%s", source, key->name, text, absent, host);

 out:
    xln_nodemap_free(named);
    free(absent);
    free(host);
    return rc;
}

int keys_apply_plan(const char *nodes, struct xln_request *request)
{
    struct xln_nodemap *planned;
    int rc;

    rc = key_parse_nodes(nodes, &planned);
    if (rc)
        return rc;
    if (request->mem_nodes) {
        xln_nodemap_free(request->mem_nodes);
        request->mem_nodes = planned;
        return 0;
    }
    xln_nodemap_free(request->nodes);
    request->nodes = planned;
    request->all_nodes = false;
    return 0;
}

int keys_check_nodes(const struct keys *keys, const char *source,
                     const struct xln_nodemap *nodes, char **error_r)
{
    int rc = check_nodes_exist(&key_table[KEY_NODES], keys->text[KEY_NODES],
                               source, nodes, error_r);

    return rc ? rc
              : check_nodes_exist(&key_table[KEY_MEM], keys->text[KEY_MEM],
                                  source, nodes, error_r);
}

bool keys_take_pool(const struct keys *keys, libxl_domain_config *config)
{
    libxl_domain_create_info *info = &config->c_info;
    const char *any = keys->text[KEY_POOL];

    if (!any || (info->pool_name && strcmp(info->pool_name, any)))
        return false;
    free(info->pool_name);
    info->pool_name = NULL;
    info->poolid = 0;
    return true;
}

bool keys_leave_pool(const struct keys *keys)
{
    return keys->text[KEY_POOL];
}

bool keys_name_nodes(const struct keys *keys)
{
    return keys->text[KEY_NODES] || keys->text[KEY_MEM];
}

void keys_free(struct keys *keys)
{
    int i;

    if (!keys)
        return;
    for (i = 0; i < NR_KEYS; i++)
        free(keys->text[i]);
    free(keys);
}
