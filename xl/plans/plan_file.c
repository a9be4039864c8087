/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_numa.h"
#include "text/json.h"
#include "plan_file.h"

#define FORM_VERSION 2          /* 1 has nodes as a list of numbers */

void plan_file_free(struct plan_file *file)
{
    unsigned i;

    if (!file)
        return;
    for (i = 0; i < file->nr_words; i++)
        free(file->words[i]);
    for (i = 0; i < file->nr_items; i++) {
        free(file->items[i].name);
        free(file->items[i].config);
        free(file->items[i].nodes);
    }
    free(file->words);
    free(file->items);
    free(file);
}

static int copy_text(struct xln__json_tree *tree,
                     const struct xln__json_value *value, char **copy_r)
{
    int rc = xln__json_check(tree, value, XLN__JSON_TEXT, "a text");

    if (rc)
        return rc;
    *copy_r = strdup(value->text);
    return *copy_r ? 0 : -ENOMEM;
}

static int get_text(struct xln__json_tree *tree,
                    const struct xln__json_value *object, const char *key,
                    char **copy_r)
{
    const struct xln__json_value *value;
    int rc;

    rc = xln__json_get(tree, object, key, XLN__JSON_TEXT, "a text", &value);
    return rc ? rc : copy_text(tree, value, copy_r);
}

static int read_list(struct xln__json_tree *tree,
                     const struct xln__json_value *list,
                     struct xln_nodemap *nodes)
{
    const struct xln__json_range any = { .max = XLN_MAX_NODES - 1 };
    const struct xln__json_value *value;
    uint64_t node;
    int rc = 0;

    for (value = list->first; value && !rc; value = value->next) {
        rc = xln__json_number_of(tree, value, any, &node);
        if (!rc)
            xln_nodemap_set(nodes, node);
    }
    return rc;
}

/* A text, "0-1", or a list of numbers; as the keys of ours have it. */
static int read_nodes(struct xln__json_tree *tree,
                      const struct xln__json_value *item, char **text_r)
{
    const struct xln__json_value *value = xln__json_member(item, "nodes");
    bool is_text = value && value->type == XLN__JSON_TEXT;
    struct xln_nodemap *nodes;
    int rc = 0;

    if (!is_text)
        rc = xln__json_get(tree, item, "nodes", XLN__JSON_LIST, "a list",
                           &value);
    if (!rc)
        rc = xln_nodemap_new(XLN_MAX_NODES, &nodes);
    if (rc)
        return rc;
    if (!is_text)
        rc = read_list(tree, value, nodes);
    else if (*value->text && xln_nodemap_parse(value->text, 0, nodes, NULL))
        rc = xln__json_expected(tree, value, "a list of nodes");
    if (!rc && xln_nodemap_is_empty(nodes))
        rc = xln__json_expected(tree, value, "nodes");
    if (!rc)
        rc = xln_nodemap_format(nodes, text_r);
    xln_nodemap_free(nodes);
    return rc;
}

static int read_spills(struct xln__json_tree *tree,
                       const struct xln__json_value *item, bool *spills_r)
{
    const struct xln__json_value *list, *value;
    int rc;

    rc = xln__json_get(tree, item, "relaxed", XLN__JSON_LIST, "a list", &list);
    if (rc)
        return rc;
    for (value = list->first; value; value = value->next)
        *spills_r |= value->type == XLN__JSON_TEXT &&
                     !strcmp(value->text, "memory");
    return 0;
}

static int read_item(struct xln__json_tree *tree,
                     const struct xln__json_value *value,
                     struct plan_file_item *item)
{
    char *verdict = NULL;
    int rc;

    rc = xln__json_check(tree, value, XLN__JSON_OBJECT, "an object");
    if (!rc)
        rc = get_text(tree, value, "name", &item->name);
    if (!rc)
        rc = get_text(tree, value, "config", &item->config);
    if (!rc)
        rc = get_text(tree, value, "verdict", &verdict);
    if (!rc && strcmp(verdict, "nothing fits"))
        rc = read_nodes(tree, value, &item->nodes);
    if (!rc)
        rc = read_spills(tree, value, &item->spills);
    free(verdict);
    return rc;
}

static int read_items(struct xln__json_tree *tree, struct plan_file *file)
{
    const struct xln__json_value *list, *value;
    int rc;

    rc = xln__json_get(tree, tree->root, "plans", XLN__JSON_LIST, "a list",
                       &list);
    if (rc)
        return rc;
    file->items = calloc(xln__json_length(list) + 1, sizeof(*file->items));
    if (!file->items)
        return -ENOMEM;
    for (value = list->first; value && !rc; value = value->next)
        rc = read_item(tree, value, &file->items[file->nr_items++]);
    return rc;
}

static int read_words(struct xln__json_tree *tree, struct plan_file *file)
{
    const struct xln__json_value *list, *value;
    int rc;

    rc = xln__json_get(tree, tree->root, "words", XLN__JSON_LIST, "a list",
                       &list);
    if (rc)
        return rc;
    file->words = calloc(xln__json_length(list) + 1, sizeof(*file->words));
    if (!file->words)
        return -ENOMEM;
    for (value = list->first; value && !rc; value = value->next)
        rc = copy_text(tree, value, &file->words[file->nr_words++]);
    return rc;
}

static int read_root(struct xln__json_tree *tree, struct plan_file *file)
{
    const struct xln__json_range known = { .min = 1,
                                           .max = FORM_VERSION };
    uint64_t version;
    int rc;

    rc = xln__json_check(tree, tree->root, XLN__JSON_OBJECT, "an object");
    if (!rc)
        rc = xln__json_get_number(tree, tree->root, "version", known,
                                  &version);
    if (!rc)
        rc = read_words(tree, file);
    return rc ? rc : read_items(tree, file);
}

static int read_file(FILE *f, const char *source, struct plan_file *file,
                     char **error_r)
{
    struct xln__json_tree *tree;
    int rc;

    rc = xln__json_read(f, source, &tree, error_r);
    if (rc)
        return rc;
    rc = read_root(tree, file);
    if (rc && rc != -ENOMEM) {
        *error_r = tree->error;
        tree->error = NULL;
    }
    xln__json_tree_free(tree);
    return rc;
}

int plan_file_read(const char *path, struct plan_file **file_r,
                   char **error_r)
{
    bool from_stdin = !strcmp(path, "-");
    FILE *f = from_stdin ? stdin : fopen(path, "re");
    struct plan_file *file;
    int rc;

    *error_r = NULL;
    if (!f)
        return -errno;
    file = calloc(1, sizeof(*file));
    rc = file ? read_file(f, from_stdin ? "standard input" : path, file,
                          error_r)
              : -ENOMEM;
    if (!from_stdin)
        fclose(f);
    if (rc)
        plan_file_free(file);
    else
        *file_r = file;
    return rc;
}
