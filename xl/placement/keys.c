/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every key has one canonical text, whichever way it was written: what is
 * read is turned into it at once, and a request is only ever made from it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "misspelt.h"
#include "text/refuse.h"
#include "vnode_list.h"

#define XSDATA_PREFIX "numa/"
#define XSDATA_VERSION "1"
/* A domain's request is small; anything longer did not come from us. */
#define VALUE_MAX 1024
/* xl itself sets no bound to it. */
#define NAME_LENGTH_MAX 255
#define NODES_EXPECTED "a list of nodes such as \"0-3,^2\" or [0, 2]"

enum {
    KEY_NODES,
    KEY_POLICY,
    KEY_MODE,
    KEY_CPUS,
    KEY_SMT,
    KEY_MEM,
    KEY_MAX,
    KEY_WITH,
    KEY_APART,
    KEY_VNUMA,
    KEY_VNUMA_VCPUS,
    KEY_MIGRATABLE,
    KEY_DMA_RESERVE,
    NR_KEYS,
};

struct keys {
    char *text[NR_KEYS];
};

/*
 * check: turn a value into its canonical text; -EINVAL: it is not one.
 * apply: put canonical text into a request.
 */
struct key {
    const char *name;
    const char *expected;
    bool list;              /* an xl list is accepted too: its items unite */
    bool host_only;
    int (*check)(const char *value, char **text_r);
    int (*apply)(const char *text, struct xln_request *request);
};

static int copy_text(const char *text, char **text_r)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    *text_r = copy;
    return 0;
}

static int parse_nodes(const char *text, struct xln_nodemap **nodes_r)
{
    struct xln_nodemap *nodes;
    int rc;

    rc = xln_nodemap_new(XLN_MAX_NODES, &nodes);
    if (rc)
        return rc;
    rc = xln_nodemap_parse(text, 0, nodes, NULL);
    if (!rc && xln_nodemap_is_empty(nodes))
        rc = -EINVAL;
    if (rc) {
        xln_nodemap_free(nodes);
        return rc == -ENOMEM ? rc : -EINVAL;
    }
    *nodes_r = nodes;
    return 0;
}

static int check_node_list(const char *value, char **text_r)
{
    struct xln_nodemap *nodes;
    int rc;

    /* "all" depends on the host; inside a list it is not to be had. */
    if (strstr(value, "all"))
        return -EINVAL;
    rc = parse_nodes(value, &nodes);
    if (rc)
        return rc;
    rc = xln_nodemap_format(nodes, text_r);
    xln_nodemap_free(nodes);
    return rc;
}

static int check_nodes(const char *value, char **text_r)
{
    if (!strcmp(value, "auto") || !strcmp(value, "all"))
        return copy_text(value, text_r);
    return check_node_list(value, text_r);
}

/* "0:75%,5:25%": percent[0] is 75, percent[5] 25. They are 100 together. */
static int parse_percents(const char *text, struct xln_nodemap *nodes,
                          uint8_t *percent)
{
    unsigned long node, part, sum = 0;
    char *end;

    for (;; text = end + 2) {
        if (!isdigit((unsigned char)*text))
            return -EINVAL;
        node = strtoul(text, &end, 10);
        if (*end != ':' || !isdigit((unsigned char)end[1]) ||
            node >= XLN_MAX_NODES || xln_nodemap_test(nodes, node))
            return -EINVAL;
        part = strtoul(end + 1, &end, 10);
        if (*end != '%' || part < 1 || part > 100)
            return -EINVAL;
        xln_nodemap_set(nodes, node);
        percent[node] = part;
        sum += part;
        if (!end[1])
            return sum == 100 ? 0 : -EINVAL;
        if (end[1] != ',')
            return -EINVAL;
    }
}

/* A list of nodes, NULL in *percent_r; or each with its part. */
static int parse_mem(const char *text, struct xln_nodemap **nodes_r,
                     uint8_t **percent_r)
{
    struct xln_nodemap *nodes;
    uint8_t *percent;
    int rc;

    *percent_r = NULL;
    if (!strchr(text, '%'))
        return parse_nodes(text, nodes_r);
    rc = xln_nodemap_new(XLN_MAX_NODES, &nodes);
    if (rc)
        return rc;
    percent = calloc(XLN_MAX_NODES, sizeof(*percent));
    rc = percent ? parse_percents(text, nodes, percent) : -ENOMEM;
    if (rc) {
        free(percent);
        xln_nodemap_free(nodes);
        return rc;
    }
    *nodes_r = nodes;
    *percent_r = percent;
    return 0;
}

/* Blanks are of no meaning, but none is within a number. */
static int drop_blanks(const char *value, char *text)
{
    bool blank = false;
    char last = '\0';

    for (; *value; value++) {
        if (isblank((unsigned char)*value)) {
            blank = true;
            continue;
        }
        if (blank && isdigit((unsigned char)last) &&
            isdigit((unsigned char)*value))
            return -EINVAL;
        last = *text++ = *value;
        blank = false;
    }
    *text = '\0';
    return 0;
}

static int check_mem(const char *value, char **text_r)
{
    struct xln_nodemap *nodes;
    uint8_t *percent;
    char *text;
    int rc;

    if (!strchr(value, '%'))
        return check_node_list(value, text_r);
    rc = copy_text(value, &text);
    if (rc)
        return rc;
    rc = drop_blanks(value, text);
    if (!rc)
        rc = parse_mem(text, &nodes, &percent);
    if (rc) {
        free(text);
        return rc;
    }
    xln_nodemap_free(nodes);
    free(percent);
    *text_r = text;
    return 0;
}

static void forget_mem(struct xln_request *request)
{
    xln_nodemap_free(request->mem_nodes);
    free(request->mem_percent);
    request->mem_nodes = NULL;
    request->mem_percent = NULL;
}

static int apply_nodes(const char *text, struct xln_request *request)
{
    xln_nodemap_free(request->nodes);
    request->nodes = NULL;
    /* Whoever names the nodes does not mean the host's default for memory. */
    forget_mem(request);
    request->all_nodes = !strcmp(text, "all");
    if (request->all_nodes || !strcmp(text, "auto"))
        return 0;
    return parse_nodes(text, &request->nodes);
}

static int apply_mem(const char *text, struct xln_request *request)
{
    forget_mem(request);
    return parse_mem(text, &request->mem_nodes, &request->mem_percent);
}

static int check_policy(const char *value, char **text_r)
{
    const struct xln_policy *policy = xln_policy_by_name(value);

    return policy ? copy_text(xln_policy_name(policy), text_r) : -EINVAL;
}

static int apply_policy(const char *text, struct xln_request *request)
{
    request->policy = xln_policy_by_name(text);
    return 0;
}

static int check_mode(const char *value, char **text_r)
{
    if (strcmp(value, "preferred") && strcmp(value, "strict"))
        return -EINVAL;
    return copy_text(value, text_r);
}

static int apply_mode(const char *text, struct xln_request *request)
{
    request->mode = strcmp(text, "strict") ? XLN_MODE_PREFERRED
                                           : XLN_MODE_STRICT;
    return 0;
}

static int check_cpus(const char *value, char **text_r)
{
    if (strcmp(value, "soft") && strcmp(value, "hard") &&
        strcmp(value, "none") && strcmp(value, "core"))
        return -EINVAL;
    return copy_text(value, text_r);
}

static int apply_cpus(const char *text, struct xln_request *request)
{
    request->vcpus_mode = !strcmp(text, "hard")   ? XLN_VCPUS_HARD
                          : !strcmp(text, "core") ? XLN_VCPUS_CORE
                          : !strcmp(text, "none") ? XLN_VCPUS_NONE
                                                  : XLN_VCPUS_SOFT;
    return 0;
}

static int check_smt(const char *value, char **text_r)
{
    if (strcmp(value, "any") && strcmp(value, "cores"))
        return -EINVAL;
    return copy_text(value, text_r);
}

static int apply_smt(const char *text, struct xln_request *request)
{
    request->whole_cores = !strcmp(text, "cores");
    return 0;
}

/* Digits alone, at most `max`. */
static int check_number(const char *value, unsigned long max, char **text_r)
{
    char text[24];
    unsigned long number;

    if (!*value || strspn(value, "0123456789") != strlen(value))
        return -EINVAL;
    errno = 0;
    number = strtoul(value, NULL, 10);
    if (errno || number > max)
        return -EINVAL;
    snprintf(text, sizeof(text), "%lu", number);
    return copy_text(text, text_r);
}

static int check_max(const char *value, char **text_r)
{
    if (value[strspn(value, "0")] == '\0')
        return -EINVAL;
    return check_number(value, XLN_MAX_NODES, text_r);
}

static int apply_max(const char *text, struct xln_request *request)
{
    request->max_nodes = strtoul(text, NULL, 10);
    return 0;
}

/* Whatever it is: there may be a domain of that name later. */
static int check_domain_name(const char *value, char **text_r)
{
    const char *s;

    if (!*value || strlen(value) > NAME_LENGTH_MAX)
        return -EINVAL;
    for (s = value; *s; s++)
        if (iscntrl((unsigned char)*s))
            return -EINVAL;
    return copy_text(value, text_r);
}

static int apply_with(const char *text, struct xln_request *request)
{
    free(request->with);
    request->with = NULL;
    return copy_text(text, &request->with);
}

static int apply_apart(const char *text, struct xln_request *request)
{
    free(request->apart);
    request->apart = NULL;
    return copy_text(text, &request->apart);
}

/* The names of one setting, in the order of its enum's values. */
static int find_word(const char *const *words, const char *value)
{
    int i;

    for (i = 0; words[i] && strcmp(words[i], value); i++)
        ;
    return words[i] ? i : -1;
}

static const char *const vnuma_words[] = { "none", "auto", "host", NULL };

static int check_vnuma_word(const char *value, char **text_r)
{
    return find_word(vnuma_words, value) < 0 ? -EINVAL
                                             : copy_text(value, text_r);
}

static int apply_vnuma(const char *text, struct xln_request *request)
{
    request->vnuma = (enum xln_vnuma_mode)find_word(vnuma_words, text);
    return 0;
}

static const char *const vnuma_vcpus_words[] = {
    "default", "round-robin", "contiguous", "siblings", "proportional", NULL
};

static int check_vnuma_vcpus(const char *value, char **text_r)
{
    return find_word(vnuma_vcpus_words, value) < 0 ? -EINVAL
                                                   : copy_text(value, text_r);
}

static int apply_vnuma_vcpus(const char *text, struct xln_request *request)
{
    request->vnuma_vcpus =
        (enum xln_vnuma_vcpus)find_word(vnuma_vcpus_words, text);
    return 0;
}

static int check_migratable(const char *value, char **text_r)
{
    return check_number(value, 1, text_r);
}

/* Comes after vnuma: what the host's defaults say of that does not hold. */
static int apply_migratable(const char *text, struct xln_request *request)
{
    if (!strcmp(text, "1"))
        request->vnuma = XLN_VNUMA_NONE;
    return 0;
}

static int check_dma_reserve(const char *value, char **text_r)
{
    return check_number(value, 4096, text_r);
}

static int apply_dma_reserve(const char *text, struct xln_request *request)
{
    request->dma_reserve_bytes = (uint64_t)strtoul(text, NULL, 10) << 20;
    return 0;
}

static const struct key all_keys[NR_KEYS] = {
    [KEY_NODES] = { "nodes", "\"auto\", \"all\" or " NODES_EXPECTED, true,
                    false, check_nodes, apply_nodes },
    [KEY_POLICY] = { "nodes_policy",
                     "\"first\", \"best\", \"worst\" or \"balanced\"",
                     false, false, check_policy, apply_policy },
    [KEY_MODE] = { "nodes_mode", "\"preferred\" or \"strict\"", false, false,
                   check_mode, apply_mode },
    [KEY_CPUS] = { "nodes_cpus", 
                   "\"soft\", \"hard\", \"core\" or \"none\"", false,
                   false, check_cpus, apply_cpus },
    [KEY_SMT] = { "nodes_smt", "\"any\" or \"cores\"", false, false,
                  check_smt, apply_smt },
    [KEY_MEM] = { "nodes_mem", NODES_EXPECTED
                  ", or with parts, \"0:75%,5:25%\", that are 100% together",
                  true, false, check_mem, apply_mem },
    [KEY_MAX] = { "nodes_max", "a number of nodes, 1 to 1024", false, false,
                  check_max, apply_max },
    [KEY_WITH] = { "nodes_with", "the name of a domain", false, false,
                   check_domain_name, apply_with },
    [KEY_APART] = { "nodes_apart", "the name of a domain", false, false,
                    check_domain_name, apply_apart },
    [KEY_VNUMA] = { "vnuma", "\"auto\", \"host\", \"none\" or xl's own list",
                    false, false, check_vnuma_word, apply_vnuma },
    [KEY_VNUMA_VCPUS] = { "vnuma_vcpus",
                          "\"round-robin\", \"contiguous\", \"siblings\" or "
                          "\"proportional\"", false, false,
                          check_vnuma_vcpus, apply_vnuma_vcpus },
    [KEY_MIGRATABLE] = { "nodes_migratable", "0 or 1", false, false,
                         check_migratable, apply_migratable },
    [KEY_DMA_RESERVE] = { "dma_reserve", "MiB, 0 to 4096", false, true,
                          check_dma_reserve, apply_dma_reserve },
};

static int check_value(const struct key *key, const char *source,
                       const char *value, char **text_r, char **error_r)
{
    char *text = NULL;
    int rc = strlen(value) > VALUE_MAX ? -EINVAL : key->check(value, &text);

    if (!rc && strlen(text) > VALUE_MAX)
        rc = -EINVAL;
    if (rc)
        free(text);
    else
        *text_r = text;
    if (rc == -EINVAL)
        return xln__refuse(error_r, "%s: %s=\"%.*s\": expected %s", source,
                           key->name, VALUE_MAX, value, key->expected);
    return rc;
}

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
        rc = strlen(item) > VALUE_MAX ? -EINVAL : check_node_list(item, &text);
        if (rc == -EINVAL)
            return xln__refuse(
                error_r, "%s: %s: item %d, \"%.*s\": expected %s", source,
                key->name, i + 1, VALUE_MAX, item, key->expected);
        if (rc)
            return rc;
        rc = parse_nodes(text, &item_nodes);
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
        rc = check_value(key, source, text, text_r, error_r);
    free(text);
    xln_nodemap_free(nodes);
    return rc;
}

static int read_key(const struct key *key, const char *source,
                    const XLU_Config *config, char **text_r, char **error_r)
{
    const XLU_ConfigList *list;
    const char *value;
    int nr_items;

    if (!xlu_cfg_get_string(config, key->name, &value, 1))
        return check_value(key, source, value, text_r, error_r);
    /* A vnuma= list is xl's. */
    if (key != &all_keys[KEY_VNUMA] &&
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
        if (host || !all_keys[i].host_only)
            rc = read_key(&all_keys[i], source, config, &keys->text[i],
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

/* A vnuma= list names its nodes itself. */
static int check_vnuma(const struct keys *keys, const XLU_Config *config,
                       const char *source, char **error_r)
{
    int key = keys->text[KEY_NODES] ? KEY_NODES : KEY_MEM;

    if (!keys->text[key] || !vnode_list_given(config))
        return 0;
    return xln__refuse(
        error_r,
        "%s: %s=\"%s\" and a vnuma= list: expected one of the two, "
        "as the list names its nodes",
        source, all_keys[key].name, keys->text[key]);
}

/* As xl reads it; an unknown type is for xl to say. */
static const char *type_of(const XLU_Config *config)
{
    const char *type = "pv";

    if (xlu_cfg_get_string(config, "type", &type, 1))
        xlu_cfg_get_string(config, "builder", &type, 1);
    return !strcmp(type, "generic") ? "pv" : type;
}

static bool is_migratable(const struct keys *keys, const struct keys *defaults)
{
    const char *text = keys->text[KEY_MIGRATABLE];

    if (!text && defaults)
        text = defaults->text[KEY_MIGRATABLE];
    return text && !strcmp(text, "1");
}

/* What libxl would say of virtual nodes when the domain is half made, or when
 * it is to be saved: of those that the configuration itself asks for. */
static int check_vnodes(const struct keys *keys, const struct keys *defaults,
                        const XLU_Config *config, const char *source,
                        char **error_r)
{
    const char *word = keys->text[KEY_VNUMA], *type = type_of(config);
    bool list = vnode_list_given(config);
    long memory, maxmem;
    char what[32];

    if (!list && (!word || !strcmp(word, "none")))
        return 0;
    snprintf(what, sizeof(what), list ? "vnuma=[...]" : "vnuma=\"%s\"", word);
    if (!strcmp(type, "pv") || !strcmp(type, "pvh"))
        return xln__refuse(error_r,
                           "%s: %s: only HVM guests can have virtual "
                           "nodes, and this one is type=\"%s\"",
                           source, what, type);
    if (!xlu_cfg_get_long(config, "memory", &memory, 1) &&
        !xlu_cfg_get_long(config, "maxmem", &maxmem, 1) && memory < maxmem)
        return xln__refuse(error_r,
                           "%s: %s: virtual nodes need memory = maxmem, "
                           "here memory=%ld and maxmem=%ld",
                           source, what, memory, maxmem);
    if (is_migratable(keys, defaults))
        return xln__refuse(error_r,
                           "%s: %s and nodes_migratable=1: expected one "
                           "of the two, as Xen can not save or migrate a guest "
                           "with virtual nodes",
                           source, what);
    return 0;
}

/* Virtual nodes are dealt their vCPUs by other rules, and a list of them is a
 * plan of its own. */
static int check_cores(const struct keys *keys, const struct keys *defaults,
                       const XLU_Config *config, const char *source,
                       char **error_r)
{
    const char *word = keys->text[KEY_VNUMA], *cpus = keys->text[KEY_CPUS];
    bool list = vnode_list_given(config);

    if (!list && (!word || !strcmp(word, "none")))
        return 0;
    if (!cpus && defaults && !list)
        cpus = defaults->text[KEY_CPUS];
    if (!cpus || strcmp(cpus, "core"))
        return 0;
    return xln__refuse(error_r,
                       "%s: nodes_cpus=\"core\" and vnuma=%s: expected "
                       "one of the two",
                       source, list ? "[...]" : word);
}

static int check_strict(const char *mode, const XLU_Config *config,
                        const char *source, char **error_r)
{
    long memory, maxmem;

    if (!mode || strcmp(mode, "strict") || !strcmp(type_of(config), "pv") ||
        xlu_cfg_get_long(config, "memory", &memory, 1) ||
        xlu_cfg_get_long(config, "maxmem", &maxmem, 1) || memory >= maxmem)
        return 0;
    return xln__refuse(
        error_r,
        "%s: nodes_mode=\"strict\": strict needs memory = maxmem, "
        "here memory=%ld and maxmem=%ld: what is populated on "
        "demand follows no plan",
        source, memory, maxmem);
}

/* libvirt's <cell>s, which the hook writes so: they get their nodes by rules of
 * their own, which leave nothing to these keys. */
static int check_cells(const struct keys *keys, const XLU_Config *config,
                       const char *source, char **error_r)
{
    static const int others[] = { KEY_MEM, KEY_VNUMA, KEY_CPUS };
    XLU_ConfigList *list;
    const char *value;
    unsigned i;
    int nr;

    if (xlu_cfg_get_list(config, "cell_nodes", &list, &nr, 1))
        return 0;
    for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
        value = keys->text[others[i]];
        if (value && strcmp(value, "none") && strcmp(value, "soft"))
            return xln__refuse(error_r, "%s: %s=\"%s\" and <cell>s: expected "
                               "one of the two", source,
                               all_keys[others[i]].name, value);
    }
    return 0;
}

int keys_read_again(const XLU_Config *config, const char *source,
                    struct keys **keys_r, char **error_r)
{
    return read_keys(config, source, false, keys_r, error_r);
}

int keys_read_domain(const XLU_Config *config, const char *source,
                     const struct keys *defaults, struct keys **keys_r,
                     char **error_r)
{
    struct keys *keys;
    const char *mode;
    int rc;

    rc = read_keys(config, source, false, &keys, error_r);
    if (rc)
        return rc;
    mode = keys->text[KEY_MODE];
    if (!mode && defaults)
        mode = defaults->text[KEY_MODE];
    rc = check_vnuma(keys, config, source, error_r);
    if (!rc)
        rc = vnode_list_check(config, source, error_r);
    if (!rc)
        rc = check_vnodes(keys, defaults, config, source, error_r);
    if (!rc)
        rc = check_cores(keys, defaults, config, source, error_r);
    if (!rc)
        rc = check_cells(keys, config, source, error_r);
    if (!rc)
        rc = check_strict(mode, config, source, error_r);
    if (rc) {
        keys_free(keys);
        return rc;
    }
    *keys_r = keys;
    return 0;
}

static const struct key *find_key(const char *name, int *index_r)
{
    int i;

    for (i = 0; i < NR_KEYS; i++)
        if (!all_keys[i].host_only && !strcmp(name, all_keys[i].name)) {
            *index_r = i;
            return &all_keys[i];
        }
    return NULL;
}

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
        /* A key that a later version wrote is none of ours. */
        key = find_key(xsdata[i] + strlen(XSDATA_PREFIX), &index);
        if (!key || keys->text[index])
            continue;
        rc = check_value(key, "recorded request", xsdata[i + 1],
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
    return !strcmp(name, "version") || find_key(name, &index);
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
            rc = add_entry(list, &nr, all_keys[i].name, keys->text[i]);
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

int keys_set_nodes(struct keys *keys, const char *nodes)
{
    char *text;
    int rc = check_nodes(nodes, &text);

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
            rc = all_keys[i].apply(keys->text[i], request);
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
    rc = parse_mem(text, &named, &percent);
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
    rc =
        xln__refuse(error_r, "%s: %s=\"%s\": no node %s here: this host has %s",
                    source, key->name, text, absent, host);

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

    rc = parse_nodes(nodes, &planned);
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
    int rc = check_nodes_exist(&all_keys[KEY_NODES], keys->text[KEY_NODES],
                               source, nodes, error_r);

    return rc ? rc
              : check_nodes_exist(&all_keys[KEY_MEM], keys->text[KEY_MEM],
                                  source, nodes, error_r);
}

const char *keys_name(unsigned i)
{
    return i < NR_KEYS && !all_keys[i].host_only ? all_keys[i].name : NULL;
}

bool keys_is_key(const char *name)
{
    int index;

    return find_key(name, &index);
}

bool keys_is_host_key(const char *name)
{
    unsigned i;

    for (i = 0; i < NR_KEYS; i++)
        if (!strcmp(name, all_keys[i].name))
            return true;
    return false;
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
