/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_values.h"
#include "text/refuse.h"
#include "text/units.h"

/* xl itself sets no bound to it. */
#define NAME_LENGTH_MAX 255
#define NODES_EXPECTED "a list of nodes such as \"0-3,^2\" or [0, 2]"

static int copy_text(const char *text, char **text_r)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    *text_r = copy;
    return 0;
}

int key_parse_nodes(const char *text, struct xln_nodemap **nodes_r)
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

int key_check_node_list(const char *value, char **text_r)
{
    struct xln_nodemap *nodes;
    int rc;

    /* "all" depends on the host, so a list cannot contain it. */
    if (strstr(value, "all"))
        return -EINVAL;
    rc = key_parse_nodes(value, &nodes);
    if (rc)
        return rc;
    rc = xln_nodemap_format(nodes, text_r);
    xln_nodemap_free(nodes);
    return rc;
}

int key_check_nodes(const char *value, char **text_r)
{
    if (!strcmp(value, "auto") || !strcmp(value, "all"))
        return copy_text(value, text_r);
    return key_check_node_list(value, text_r);
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
int key_parse_mem(const char *text, struct xln_nodemap **nodes_r,
                  uint8_t **percent_r)
{
    struct xln_nodemap *nodes;
    uint8_t *percent;
    int rc;

    *percent_r = NULL;
    if (!strchr(text, '%'))
        return key_parse_nodes(text, nodes_r);
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
        return key_check_node_list(value, text_r);
    rc = copy_text(value, &text);
    if (rc)
        return rc;
    rc = drop_blanks(value, text);
    if (!rc)
        rc = key_parse_mem(text, &nodes, &percent);
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
    return key_parse_nodes(text, &request->nodes);
}

static int apply_mem(const char *text, struct xln_request *request)
{
    forget_mem(request);
    return key_parse_mem(text, &request->mem_nodes, &request->mem_percent);
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
        strcmp(value, "none") && strcmp(value, "core") &&
        strcmp(value, "thread"))
        return -EINVAL;
    return copy_text(value, text_r);
}

static int apply_cpus(const char *text, struct xln_request *request)
{
    request->vcpus_mode = !strcmp(text, "hard")     ? XLN_VCPUS_HARD
                          : !strcmp(text, "core")   ? XLN_VCPUS_CORE
                          : !strcmp(text, "thread") ? XLN_VCPUS_THREAD
                          : !strcmp(text, "none")   ? XLN_VCPUS_NONE
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

/* Any name is accepted, because a domain of that name may start later. */
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

static int check_pool(const char *value, char **text_r)
{
    return strcmp(value, "auto") ? -EINVAL : copy_text(value, text_r);
}

/* The request does not have it: see decide_guest.any_pool. */
static int apply_pool(const char *text, struct xln_request *request)
{
    (void)text;
    (void)request;
    return 0;
}

static int check_dma_reserve(const char *value, char **text_r)
{
    return check_number(value, 4096, text_r);
}

static int apply_dma_reserve(const char *text, struct xln_request *request)
{
    request->dma_reserve_bytes = strtoul(text, NULL, 10) * MIB;
    return 0;
}

const struct key key_table[NR_KEYS] = {
    [KEY_NODES] = { "nodes", "\"auto\", \"all\" or " NODES_EXPECTED, true,
                    false, key_check_nodes, apply_nodes },
    [KEY_POLICY] = { "nodes_policy",
                     "\"first\", \"best\", \"worst\" or \"balanced\"",
                     false, false, check_policy, apply_policy },
    [KEY_MODE] = { "nodes_mode", "\"preferred\" or \"strict\"", false, false,
                   check_mode, apply_mode },
    [KEY_CPUS] = { "nodes_cpus",
                   "\"soft\", \"hard\", \"core\", \"thread\" or \"none\"",
                   false, false, check_cpus, apply_cpus },
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
    [KEY_POOL] = { "pool", "\"auto\"", false, false, check_pool, apply_pool },
    [KEY_DMA_RESERVE] = { "dma_reserve", "MiB, 0 to 4096", false, true,
                          check_dma_reserve, apply_dma_reserve },
};

int key_check(const struct key *key, const char *source, const char *value,
              char **text_r, char **error_r)
{
    char *text = NULL;
    int rc = strlen(value) > KEY_VALUE_MAX ? -EINVAL : key->check(value, &text);

    if (!rc && strlen(text) > KEY_VALUE_MAX)
        rc = -EINVAL;
    if (rc)
        free(text);
    else
        *text_r = text;
    if (rc == -EINVAL)
        return xln__refuse(error_r, "%s: %s=\"%.*s\": expected %s", source,
                           key->name, KEY_VALUE_MAX, value, key->expected);
    return rc;
}

const struct key *key_find(const char *name, int *index_r)
{
    int i;

    for (i = 0; i < NR_KEYS; i++)
        if (!key_table[i].host_only && !strcmp(name, key_table[i].name)) {
            *index_r = i;
            return &key_table[i];
        }
    return NULL;
}

const char *key_name(unsigned i)
{
    return i < NR_KEYS && !key_table[i].host_only ? key_table[i].name : NULL;
}

const char *key_ours(const struct key *key)
{
    return key == &key_table[KEY_POOL] ? "auto" : NULL;
}

bool key_is_hosts(const char *name)
{
    unsigned i;

    for (i = 0; i < NR_KEYS; i++)
        if (!key_ours(&key_table[i]) &&
            !strcmp(name, key_table[i].name))
            return true;
    return false;
}
