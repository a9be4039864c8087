/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "key_conflicts.h"
#include "key_values.h"
#include "text/refuse.h"
#include "vnode_list.h"

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
        source, key_table[key].name, keys->text[key]);
}

/* The type as xl reads it; xl reports an unknown one. */
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

/* Errors about virtual nodes that libxl would report when the domain is half
 * built or is saved; only for virtual nodes that the configuration itself asks
 * for. */
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
                           "of the two, as an xl without libxl-numa cannot save "
                           "or migrate a guest with virtual nodes",
                           source, what);
    return 0;
}

/* A list of virtual nodes is a plan of its own; and where each vCPU has a core,
 * it is on the virtual node of that. */
static int check_cores(const struct keys *keys, const XLU_Config *config,
                       const char *source, char **error_r)
{
    const char *cpus = keys->text[KEY_CPUS];
    const char *vcpus = keys->text[KEY_VNUMA_VCPUS];

    if (!cpus || (strcmp(cpus, "core") && strcmp(cpus, "thread")))
        return 0;
    if (vnode_list_given(config))
        return xln__refuse(error_r,
                           "%s: nodes_cpus=\"%s\" and vnuma=[...]: expected "
                           "one of the two", source, cpus);
    if (vcpus)
        return xln__refuse(error_r,
                           "%s: nodes_cpus=\"%s\" and vnuma_vcpus=\"%s\": "
                           "expected one of the two", source, cpus, vcpus);
    return 0;
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
        "%s: nodes_mode=\"strict\": strict needs memory = maxmem, here "
        "memory=%ld and maxmem=%ld: memory that is populated on demand does "
        "not follow the plan",
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
    if (vnode_list_given(config))
        return xln__refuse(error_r, "%s: vnuma=[...] and <cell>s: expected "
                           "one of the two", source);
    for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
        value = keys->text[others[i]];
        if (value && strcmp(value, "none") && strcmp(value, "soft"))
            return xln__refuse(error_r, "%s: %s=\"%s\" and <cell>s: expected "
                               "one of the two", source,
                               key_table[others[i]].name, value);
    }
    return 0;
}

int key_conflicts_check(const struct keys *keys, const struct keys *defaults,
                        const XLU_Config *config, const char *source,
                        char **error_r)
{
    const char *mode = keys->text[KEY_MODE];
    int rc;

    if (!mode && defaults)
        mode = defaults->text[KEY_MODE];
    rc = check_vnuma(keys, config, source, error_r);
    if (!rc)
        rc = check_vnodes(keys, defaults, config, source, error_r);
    if (!rc)
        rc = check_cores(keys, config, source, error_r);
    if (!rc)
        rc = check_cells(keys, config, source, error_r);
    if (!rc)
        rc = check_strict(mode, config, source, error_r);
    return rc;
}
