/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON: each input is read as a snapshot and as a plan file. A snapshot that
 * was read is written, and what was written must be read as itself.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "text/json.h"
#include "libxl_numa.h"
#include "plans/plan_file.h"
#include "views/json_set.h"

#define SOURCE "h.json"

/* ---- snapshots ---- */

static char *save(const struct xln_snapshot *snapshot, size_t *size_r)
{
    char *text;
    FILE *f = open_memstream(&text, size_r);

    need(f, "open_memstream");
    claim(!xln_snapshot_save(snapshot, f), "it can't be written");
    need(!fclose(f), "fclose");
    return text;
}

static struct xln_snapshot *load(const char *text, size_t size)
{
    struct xln_snapshot *snapshot = UNTOUCHED;
    char *error = NULL;
    FILE *f = file_of(text, size);
    int rc = xln_snapshot_load(f, SOURCE, &snapshot, &error);

    fclose(f);
    if (!rc) {
        claim(!error, "well, but '%s'", error);
        return snapshot;
    }
    claim((rc == -EINVAL || rc == -EFBIG) && snapshot == UNTOUCHED,
          "%d, and an output", rc);
    claim_line(error, SOURCE ":", text, size);
    free(error);
    return NULL;
}

static void claim_sound(const struct xln_host *host)
{
    unsigned nr_online = 0, node, cpu;

    XLN_FOREACH(xln_nodemap, node, xln_host_nodes(host)) {
        const struct xln_host_node *n = xln_host_node(host, node);

        claim(n->free_bytes <= n->total_bytes && n->dma_bytes <= n->free_bytes,
              "node %u: its memory", node);
        XLN_FOREACH(xln_cpumap, cpu, n->cpus) {
            const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

            claim(c && c->online && c->node == node, "CPU %u on node %u", cpu,
                  node);
            nr_online++;
        }
    }
    for (cpu = 0; cpu < xln_host_nr_cpus(host); cpu++) {
        const struct xln_host_cpu *c = xln_host_cpu(host, cpu);

        nr_online -= c && c->online && c->node != XLN_NONE;
    }
    claim(!nr_online, "CPUs and those of the nodes are not the same");
}

/* ---- nothing is lost ---- */

static struct xln__json_tree *tree_of(const char *text, size_t size)
{
    struct xln__json_tree *tree;
    char *error = NULL;
    FILE *f = file_of(text, size);

    claim(!xln__json_read(f, SOURCE, &tree, &error), "%s", error);
    fclose(f);
    return tree;
}

/* Numbers of CPUs and nodes, and a UUID, have more than one way to write
 * them. */
static bool has_one_form(const char *key)
{
    static const char *const others[] = { "cpus", "hard", "soft", "nodes",
                                          "uuid" };

    for (unsigned i = 0; key && i < sizeof(others) / sizeof(others[0]); i++)
        if (!strcmp(key, others[i]))
            return false;
    return true;
}

static void claim_kept(const struct xln__json_value *was,
                       const struct xln__json_value *is);

/* A written file may have a null for what was missing. */
static void claim_object_kept(const struct xln__json_value *was,
                              const struct xln__json_value *is)
{
    for (const struct xln__json_value *v = is->first; v; v = v->next) {
        const struct xln__json_value *old = xln__json_member(was, v->key);

        if (v->type == XLN__JSON_NULL)
            claim(!old, "%s is lost", v->key);
        else
            claim(old, "%s is new", v->key);
        if (old)
            claim_kept(old, v);
    }
}

/* CPUs and nodes may be read in any order, and are written in that of their
 * numbers; other items keep their place. */
static const struct xln__json_value *
find_item(const struct xln__json_value *was, const struct xln__json_value *at,
          const struct xln__json_value *is)
{
    const char *key = "node";
    const struct xln__json_value *number, *v, *found;

    if (is->type == XLN__JSON_OBJECT && xln__json_member(is, "cpu"))
        key = "cpu";
    number = is->type == XLN__JSON_OBJECT ? xln__json_member(is, key) : NULL;
    for (v = number ? was->first : NULL; v; v = v->next) {
        found = v->type == XLN__JSON_OBJECT ? xln__json_member(v, key) : NULL;
        if (found && found->text && number->text &&
            !strcmp(found->text, number->text))
            return v;
    }
    return at;
}

static void claim_list_kept(const struct xln__json_value *was,
                            const struct xln__json_value *is)
{
    const struct xln__json_value *old = was->first, *v = is->first;

    for (; old && v; old = old->next, v = v->next)
        claim_kept(find_item(was, old, v), v);
    claim(!old && !v, "%s: another length", is->key ? is->key : "a row");
}

/* The written file has this version, whatever version was read. */
static bool is_newest(const struct xln__json_value *value)
{
    return value->key && !strcmp(value->key, "version") &&
           !strcmp(value->text, "2");
}

static void claim_kept(const struct xln__json_value *was,
                       const struct xln__json_value *is)
{
    const char *key = is->key ? is->key : "an item";

    claim(was->type == is->type, "%s: another type", key);
    switch (is->type) {
    case XLN__JSON_NUMBER:
        claim(!strcmp(was->text, is->text) || is_newest(is),
              "%s: %s, not %s", key, is->text, was->text);
        break;
    case XLN__JSON_TEXT:
        claim(!has_one_form(is->key) || !strcmp(was->text, is->text),
              "%s: '%s', not '%s'", key, is->text, was->text);
        break;
    case XLN__JSON_LIST: claim_list_kept(was, is); break;
    case XLN__JSON_OBJECT: claim_object_kept(was, is); break;
    default: break;
    }
}

/* Each value that was written is the one that was read. */
static void claim_all_kept(const char *text, size_t size, const char *saved,
                           size_t saved_size)
{
    struct xln__json_tree *was = tree_of(text, size);
    struct xln__json_tree *is = tree_of(saved, saved_size);

    claim_kept(was->root, is->root);
    xln__json_tree_free(was);
    xln__json_tree_free(is);
}

static void try_snapshot(const char *text, size_t size)
{
    struct xln_snapshot *snapshot = load(text, size), *again;
    size_t saved_size, again_size;
    char *saved, *saved_again;

    if (!snapshot)
        return;
    claim_sound(snapshot->host);
    saved = save(snapshot, &saved_size);
    again = load(saved, saved_size);
    claim(again, "what was written can't be read");
    saved_again = save(again, &again_size);
    claim(saved_size == again_size && !memcmp(saved, saved_again, again_size),
          "what was written is read as another");
    claim_all_kept(text, size, saved, saved_size);
    free(saved);
    free(saved_again);
    xln_snapshot_free(snapshot);
    xln_snapshot_free(again);
}

/* ---- plan files ---- */

static char path[64];

static void write_file(const char *text, size_t size)
{
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("plan", 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    need(fd >= 0 && !ftruncate(fd, 0) &&
         pwrite(fd, text, size, 0) == (ssize_t)size, "memfd_create");
}

static struct plan_file *read_plans(const char *text, size_t size)
{
    struct plan_file *file = UNTOUCHED;
    char *error = NULL, source[80];
    int rc;

    write_file(text, size);
    rc = plan_file_read(path, &file, &error);
    if (!rc) {
        claim(!error, "well, but '%s'", error);
        return file;
    }
    claim((rc == -EINVAL || rc == -EFBIG) && file == UNTOUCHED,
          "%d, and an output", rc);
    snprintf(source, sizeof(source), "%s:", path);
    claim_line(error, source, text, size);
    free(error);
    return NULL;
}

static void print_item(struct xln__json *json,
                       const struct plan_file_item *item)
{
    struct xln_nodemap *nodes;

    need(!xln_nodemap_new(XLN_MAX_NODES, &nodes), "a set");
    claim(!item->nodes || (!xln_nodemap_parse(item->nodes, 0, nodes, NULL) &&
                           !xln_nodemap_is_empty(nodes)),
          "'%s' is no list of nodes", item->nodes);
    xln__json_object(json);
    xln__json_key(json, "name");
    xln__json_text(json, item->name);
    xln__json_key(json, "config");
    xln__json_text(json, item->config);
    xln__json_key(json, "verdict");
    xln__json_text(json, item->nodes ? "fits" : "nothing fits");
    xln__json_key(json, "nodes");
    json_set(json, xln_nodemap_bits(nodes));
    xln__json_key(json, "relaxed");
    xln__json_array(json);
    if (item->spills)
        xln__json_text(json, "memory");
    xln__json_array_end(json);
    xln__json_object_end(json);
    xln_nodemap_free(nodes);
}

/* The keys that a plan file must have, and no others. */
static char *print(const struct plan_file *file, size_t *size_r)
{
    struct xln__json *json = xln__json_new();
    char *text;
    FILE *f = open_memstream(&text, size_r);

    need(json && f, "open_memstream");
    xln__json_object(json);
    xln__json_key(json, "version");
    xln__json_number(json, 1);
    xln__json_key(json, "words");
    xln__json_array(json);
    for (unsigned i = 0; i < file->nr_words; i++)
        xln__json_text(json, file->words[i]);
    xln__json_array_end(json);
    xln__json_key(json, "plans");
    xln__json_array(json);
    for (unsigned i = 0; i < file->nr_items; i++)
        print_item(json, &file->items[i]);
    xln__json_array_end(json);
    xln__json_object_end(json);
    claim(!xln__json_print(json, f), "it can't be written");
    need(!fclose(f), "fclose");
    return text;
}

static bool same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static void claim_same(const struct plan_file *a, const struct plan_file *b)
{
    claim(a->nr_words == b->nr_words && a->nr_items == b->nr_items,
          "not as many");
    for (unsigned i = 0; i < a->nr_words; i++)
        claim(same(a->words[i], b->words[i]), "word %u differs", i);
    for (unsigned i = 0; i < a->nr_items; i++) {
        const struct plan_file_item *x = &a->items[i], *y = &b->items[i];

        claim(x->name && x->config, "plan %u has no name", i);
        claim(same(x->name, y->name) && same(x->config, y->config) &&
              same(x->nodes, y->nodes) && x->spills == y->spills,
              "plan %u differs", i);
    }
}

static void try_plans(const char *text, size_t size)
{
    struct plan_file *file = read_plans(text, size), *again;
    size_t printed_size;
    char *printed;

    if (!file)
        return;
    printed = print(file, &printed_size);
    again = read_plans(printed, printed_size);
    claim(again, "printed: it can't be read");
    claim_same(file, again);
    plan_file_free(file);
    plan_file_free(again);
    free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_snapshot((const char *)data, size);
    try_plans((const char *)data, size);
    return 0;
}
