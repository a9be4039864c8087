/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our keys, by the first byte of an input:
 *
 *     d   the configuration of a domain, which libxlutil parses
 *     h   that of a host's defaults
 *     x   the request that a domain carries: a key and a text on each second
 *         line
 *
 * What was read is written into xsdata, and must be read as itself; and the
 * request that comes of it must be one.
 */
#include "placement/config.h"
#include "fuzz.h"
#include "placement/keys.h"
#include "placement/misspelt.h"

#define SOURCE "g.cfg"
#define FOREIGN "numa-of-others/nodes"

/* ---- requests ---- */

static void claim_percents(const struct xln_request *r)
{
    unsigned sum = 0, node;

    if (!r->mem_percent)
        return;
    claim(r->mem_nodes, "parts of no nodes");
    for (node = 0; node < XLN_MAX_NODES; node++) {
        claim(!r->mem_percent[node] ==
              !xln_nodemap_test(r->mem_nodes, node), "node %u: %u %%", node,
              r->mem_percent[node]);
        sum += r->mem_percent[node];
    }
    claim(sum == 100, "%u %%", sum);
}

static void claim_request(const struct xln_request *r)
{
    claim(!(r->all_nodes && r->nodes), "all nodes, and some");
    claim(!r->nodes || !xln_nodemap_is_empty(r->nodes), "no node");
    claim(!r->mem_nodes || !xln_nodemap_is_empty(r->mem_nodes),
          "memory from no node");
    claim_percents(r);
    claim(r->policy && r->max_nodes <= XLN_MAX_NODES, "policy or maximum");
    claim(r->dma_reserve_bytes <= UINT64_C(4096) << 20, "dma_reserve");
    claim(!r->with || (*r->with && strlen(r->with) <= 255), "with");
    claim(!r->apart || (*r->apart && strlen(r->apart) <= 255), "apart");
    claim(r->vnuma <= XLN_VNUMA_HOST &&
          r->vnuma_vcpus <= XLN_VNUMA_VCPUS_PROPORTIONAL, "vnuma");
}

static struct xln_request *request_of(const struct keys *keys)
{
    struct xln_request *request;

    need(!xln_request_new(&request), "a request");
    claim(!keys_apply(keys, request), "keys that can't be applied");
    claim_request(request);
    return request;
}

static bool same_nodes(const struct xln_nodemap *a, const struct xln_nodemap *b)
{
    return a && b ? xln_nodemap_equal(a, b) : a == b;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static void claim_same_request(const struct keys *keys,
                               const struct keys *again)
{
    struct xln_request *a = request_of(keys), *b = request_of(again);

    claim(a->all_nodes == b->all_nodes && same_nodes(a->nodes, b->nodes) &&
          same_nodes(a->mem_nodes, b->mem_nodes) &&
          !a->mem_percent == !b->mem_percent &&
          (!a->mem_percent || !memcmp(a->mem_percent, b->mem_percent,
                                      XLN_MAX_NODES)) &&
          a->policy == b->policy && a->mode == b->mode &&
          a->vcpus_mode == b->vcpus_mode && a->whole_cores == b->whole_cores &&
          a->max_nodes == b->max_nodes && same_text(a->with, b->with) &&
          same_text(a->apart, b->apart) && a->vnuma == b->vnuma &&
          a->vnuma_vcpus == b->vnuma_vcpus, "another request");
    xln_request_free(a);
    xln_request_free(b);
}

/* ---- xsdata ---- */

/* Lists end with a NULL; theirs is in front, and stays there or goes behind. */
static libxl_key_value_list list_of_others(void)
{
    libxl_key_value_list list = calloc(3, sizeof(*list));

    need(list, "calloc");
    list[0] = strdup(FOREIGN);
    list[1] = strdup("1");
    need(list[0] && list[1], "strdup");
    return list;
}

static bool same_list(const libxl_key_value_list a,
                      const libxl_key_value_list b)
{
    unsigned i;

    for (i = 0; a[i] && b[i]; i++)
        if (strcmp(a[i], b[i]))
            return false;
    return a[i] == b[i];
}

static void claim_list(const libxl_key_value_list list)
{
    unsigned nr_others = 0;

    for (unsigned i = 0; list[i]; i += 2) {
        claim(list[i + 1], "'%s' without a text", list[i]);
        nr_others += !strcmp(list[i], FOREIGN);
        claim(strlen(list[i + 1]) <= 1024, "a text of %zu bytes",
              strlen(list[i + 1]));
        for (const char *s = list[i + 1]; *s; s++)
            claim(!iscntrl((unsigned char)*s), "a control character in '%s'",
                  list[i + 1]);
    }
    claim(nr_others == 1, "what others have there is gone");
}

static void try_to_write(const struct keys *keys)
{
    libxl_key_value_list list = list_of_others();
    libxl_key_value_list twice = list_of_others();
    struct keys *again = UNTOUCHED;
    char *error = NULL;
    int rc;

    need(!keys_write_xsdata(keys, &list), "xsdata");
    claim_list(list);
    rc = keys_read_xsdata(list, &again, &error);
    claim(!rc, "what was written can't be read: %s", error);
    claim_same_request(keys, again);
    need(!keys_write_xsdata(again, &twice), "xsdata");
    claim(same_list(list, twice), "what was written is read as another");
    /* Over what is there already it is the same. */
    need(!keys_write_xsdata(keys, &twice), "xsdata");
    claim(same_list(list, twice), "written twice it is another");
    keys_free(again);
    libxl_key_value_list_dispose(&list);
    libxl_key_value_list_dispose(&twice);
}

static void claim_nodes(const struct keys *keys)
{
    struct xln_request *r = request_of(keys);
    struct xln_nodemap *here;
    char *error = NULL;
    bool all_here;
    int rc;

    need(!xln_nodemap_new(4, &here), "a set");
    xln_nodemap_fill(here);
    all_here = (!r->nodes || xln_nodemap_is_subset(r->nodes, here)) &&
               (!r->mem_nodes || xln_nodemap_is_subset(r->mem_nodes, here));
    rc = keys_check_nodes(keys, SOURCE, here, &error);
    claim(rc == (all_here ? 0 : -EINVAL), "keys_check_nodes: %d", rc);
    if (rc)
        claim_error(error, SOURCE ": nodes");
    claim(keys_name_nodes(keys) || !(r->nodes || r->mem_nodes),
          "no key names nodes");
    free(error);
    xln_nodemap_free(here);
    xln_request_free(r);
}

/* The nodes that a plan has found take the place of what was left open. */
static void try_plan(const struct keys *keys)
{
    struct xln_request *r = request_of(keys);
    bool of_memory = r->mem_nodes;

    claim(keys_apply_plan("", r) == -EINVAL, "a plan of no nodes");
    need(!keys_apply_plan("1-2", r), "a plan");
    claim(!r->all_nodes || of_memory, "a plan, and all nodes");
    claim(xln_nodemap_count(of_memory ? r->mem_nodes : r->nodes) == 2,
          "not the nodes of the plan");
    xln_request_free(r);
}

static void try_keys(const struct keys *keys)
{
    claim_nodes(keys);
    try_to_write(keys);
    try_plan(keys);
}

/* ---- the three ways in ---- */

/* libxlutil says itself what it does not like, on stderr. */
static void silence(void)
{
    static bool silent;

    if (silent)
        return;
    silent = true;
    stderr = fopen("/dev/null", "w");
    need(stderr, "/dev/null");
}

static void claim_config(const struct config *config)
{
    /* Whether memory= fits a list of virtual nodes is decided later. */
    claim(config->name && config->nr_vcpus &&
          (config->cells || config->maxmem_bytes >= config->memory_bytes),
          "name, vCPUs or memory");
    claim(config->nr_addresses <= config->nr_devices, "devices");
    claim(config->hard.nr <= config->nr_vcpus || config->hard.of_all,
          "more lists than vCPUs");
}

/* ---- xl's own vnuma= list, as xl would read it ---- */

/* It writes as many distances as there are, where there is room for `nr`. */
static void claim_distances(char *value, int nr)
{
    char *rest, *item, *end;

    for (item = strtok_r(value, ",", &rest); item;
         item = strtok_r(NULL, ",", &rest)) {
        claim(nr--, "more distances than virtual nodes");
        strtoul(item, &end, 10);
        claim(end > item, "a distance '%s'", item);
    }
}

/* It walks from the first to the last. */
static void claim_vcpus(char *value)
{
    char *rest, *item, *end;
    unsigned long first, last;

    for (item = strtok_r(value, ",", &rest); item;
         item = strtok_r(NULL, ",", &rest)) {
        last = first = strtoul(item, &end, 10);
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        claim(first <= last && last < 4096, "vCPUs '%s'", item);
    }
}

static void claim_option(const char *text, int nr)
{
    char *copy = strdup(text), *rest, *name, *value, *end;

    need(copy, "strdup");
    name = strtok_r(copy, "=", &rest);
    value = strtok_r(NULL, "=", &rest);
    claim(name && value, "'%s' is no OPTION=VALUE", text);
    if (strstr(name, "vdistances"))
        claim_distances(value, nr);
    else if (strstr(name, "vcpus"))
        claim_vcpus(value);
    else {
        strtoul(value, &end, 10);
        claim(end > value, "'%s' has no number", text);
    }
    free(copy);
}

static void claim_vnode(const XLU_Config *xlu, XLU_ConfigValue *item, int nr)
{
    XLU_ConfigList *options;
    XLU_ConfigValue *option;
    char *text;

    claim(!xlu_cfg_value_get_list(xlu, item, &options, 1), "no list");
    for (int i = 0; (option = xlu_cfg_get_listitem2(options, i)); i++) {
        claim(!xlu_cfg_value_get_string(xlu, option, &text, 1), "no text");
        claim_option(text, nr);
    }
}

static void claim_vnodes(const char *text, size_t size)
{
    XLU_Config *xlu = xlu_cfg_init(stderr, SOURCE);
    XLU_ConfigList *list;
    int nr;

    need(xlu, "xlu_cfg_init");
    need(!xlu_cfg_readdata(xlu, text, size), "xlu_cfg_readdata");
    need(!xlu_cfg_get_list(xlu, "vnuma", &list, &nr, 1), "vnuma");
    for (int i = 0; i < nr; i++)
        claim_vnode(xlu, xlu_cfg_get_listitem2(list, i), nr);
    xlu_cfg_destroy(xlu);
}

/* "KEY=: ignored...", of a key that is in the text. */
static char *find_misspelt(const char *text, size_t size)
{
    char *line = misspelt_find(text, size);

    if (line) {
        claim_error(line, "");
        claim(memmem(text, size, line, strcspn(line, "=")), "'%s', but it is "
              "missing", line);
    }
    return line;
}

static void try_domain(const char *text, size_t size)
{
    char *misspelt = find_misspelt(text, size);
    struct config *config = UNTOUCHED;
    char *error = NULL;
    int rc;

    rc = config_parse(text, size, SOURCE, NULL, 0, NULL, &config, &error);
    if (rc) {
        claim(rc == -EINVAL && config == UNTOUCHED, "%d, and an output", rc);
        if (error)
            claim_error(error, SOURCE ": ");
        free(error);
        free(misspelt);
        return;
    }
    claim(!error, "well, but '%s'", error);
    claim(same_text(config->misspelt, misspelt), "another misspelt key");
    free(misspelt);
    claim_config(config);
    if (config->cells)
        claim_vnodes(text, size);
    try_keys(config->keys);
    config_free(config);
}

static void try_host(const char *text, size_t size)
{
    struct keys *keys = UNTOUCHED;
    char *error = NULL;
    int rc = keys_parse_host(text, size, SOURCE, &keys, &error);

    if (!rc) {
        claim_nodes(keys);
        keys_free(keys);
        return;
    }
    claim(rc == -EINVAL && keys == UNTOUCHED, "%d, and an output", rc);
    /* Without an error text, libxlutil has printed why. */
    if (error)
        claim_error(error, SOURCE ": ");
    free(error);
}

/*
 * Pairs, the NULL behind them, and no more. What comes with a migration may
 * have a key without a text, as one that is "null" or behind the end here.
 */
static libxl_key_value_list split(const char *text)
{
    char *copy = strdup(text), *rest = copy, *line;
    unsigned nr_lines = 1, i;
    libxl_key_value_list list;

    for (i = 0; text[i]; i++)
        nr_lines += text[i] == '\n';
    list = calloc((nr_lines + 1) / 2 * 2 + 1, sizeof(*list));
    need(list && copy, "calloc");
    for (i = 0; (line = strsep(&rest, "\n")); i++) {
        if (i % 2 && !strcmp(line, "null"))
            continue;
        list[i] = strdup(line);
        need(list[i], "strdup");
    }
    free(copy);
    return list;
}

/* ---- parts of nodes_mem=, naively ---- */

static bool read_number(const char **s, unsigned long max,
                        unsigned long *number_r)
{
    char *end;

    *s += strspn(*s, " \t");
    if (!isdigit((unsigned char)**s))
        return false;
    *number_r = strtoul(*s, &end, 10);
    *s = end + strspn(end, " \t");
    return *number_r <= max;
}

/* "0:75%,5:25%" */
static bool read_parts(const char *s, uint8_t *percent)
{
    unsigned long node, part, sum = 0;

    for (;; s++) {
        if (!read_number(&s, XLN_MAX_NODES - 1, &node) || *s++ != ':' ||
            !read_number(&s, 100, &part) || *s++ != '%' || !part ||
            percent[node])
            return false;
        percent[node] = part;
        sum += part;
        s += strspn(s, " \t");
        if (!*s)
            return sum == 100;
        if (*s != ',')
            return false;
    }
}

static const char *find_mem(const libxl_key_value_list list)
{
    for (unsigned i = 0; list[i]; i += 2)
        if (list[i + 1] && !strcmp(list[i], "numa/nodes_mem"))
            return list[i + 1];
    return NULL;
}

static void claim_parts(const libxl_key_value_list list,
                        const struct keys *keys)
{
    uint8_t percent[XLN_MAX_NODES] = { 0 };
    const char *text = find_mem(list);
    struct xln_request *r;

    if (!text || !strchr(text, '%'))
        return;
    claim(read_parts(text, percent), "'%s' are no parts", text);
    r = request_of(keys);
    claim(r->mem_percent && !memcmp(r->mem_percent, percent, sizeof(percent)),
          "'%s': other parts", text);
    xln_request_free(r);
}

/* They are good where nothing else is. */
static void claim_refused_mem(const libxl_key_value_list list)
{
    uint8_t percent[XLN_MAX_NODES] = { 0 };
    const char *text = find_mem(list);

    claim(!text || list[2] || strlen(text) > 1024 ||
          !read_parts(text, percent), "'%s' are parts", text);
}

static char **pairs_of(const libxl_key_value_list list)
{
    unsigned nr_entries = 0, nr = 0, i;
    char **pairs;

    while (list[nr_entries])
        nr_entries += 2;
    pairs = calloc(nr_entries + 1, sizeof(*pairs));
    need(pairs, "calloc");
    for (i = 0; i < nr_entries; i += 2) {
        if (!list[i + 1] || strncmp(list[i], "numa/", 5))
            continue;
        pairs[nr++] = list[i] + 5;
        pairs[nr++] = list[i + 1];
    }
    return pairs;
}

/* The same of a snapshot's domain, whose keys have no "numa/" before them. */
static void try_pairs(const libxl_key_value_list list,
                      const struct keys *expected)
{
    char **pairs = pairs_of(list), *error = UNTOUCHED;
    struct keys *keys = UNTOUCHED;
    int rc = keys_read_pairs(pairs, &keys, &error);

    free(pairs);
    claim(rc == (expected ? 0 : -EINVAL), "as pairs: %d", rc);
    if (!expected) {
        claim_error(error, "recorded request: ");
        free(error);
        return;
    }
    claim_same_request(expected, keys);
    keys_free(keys);
}

static void try_xsdata(const char *text)
{
    libxl_key_value_list list = split(text);
    struct keys *keys = UNTOUCHED;
    char *error = NULL;
    int rc = keys_read_xsdata(list, &keys, &error);

    if (rc) {
        claim(rc == -EINVAL && keys == UNTOUCHED, "%d, and an output", rc);
        claim_error(error, "recorded request: ");
        free(error);
        claim_refused_mem(list);
        try_pairs(list, NULL);
    } else {
        claim(!error, "well, but '%s'", error);
        claim_parts(list, keys);
        try_keys(keys);
        try_pairs(list, keys);
        keys_free(keys);
    }
    libxl_key_value_list_dispose(&list);
}

/* libxlutil's parser forgets values of a text that it refuses. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:xlu__cfg_\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (!size)
        return 0;
    silence();
    text = text_of(data + 1, size - 1);
    switch (data[0]) {
    case 'd': try_domain(text, size - 1); break;
    case 'h': try_host(text, strlen(text)); break;
    case 'x': try_xsdata(text); break;
    }
    free(text);
    return 0;
}
