/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys one by one: their names, their values, and what each sets in a
 * request. For the files that read, check and store keys.
 */
#ifndef KEY_VALUES_H
#define KEY_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include <libxl_numa.h>

/* A domain's request is small; anything longer did not come from us. */
#define KEY_VALUE_MAX 1024

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
    KEY_POOL,
    KEY_DMA_RESERVE,
    NR_KEYS,
};

/* The keys that were given; NULL: it was not. */
struct keys {
    char *text[NR_KEYS];
};

/*
 * check: turn a value into its canonical text; -EINVAL: the key cannot have
 * this value.
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

/* Applied in this order. */
extern const struct key key_table[NR_KEYS];

/* The key of this name that a domain may have, and its index; NULL: none. */
const struct key *key_find(const char *name, int *index_r);

/* The names of the keys that a domain may have; NULL: there are no more. */
const char *key_name(unsigned i);

/* The one value of a key of xl's that is ours, which only a configuration may
 * have; NULL: all values are ours. */
const char *key_ours(const struct key *key);

/* Or the host's defaults: the same keys, and dma_reserve. */
bool key_is_hosts(const char *name);

/*
 * The canonical text of a value. -ENOMEM, or -EINVAL with a malloc'd line in
 * *error_r that names source, key, value and what would be right.
 */
int key_check(const struct key *key, const char *source, const char *value,
              char **text_r, char **error_r);

/* The same of a list of nodes alone, without a line; and where "auto" and
 * "all" are allowed too. */
int key_check_node_list(const char *value, char **text_r);
int key_check_nodes(const char *value, char **text_r);

/* The nodes of a list: -EINVAL, -ENOMEM. */
int key_parse_nodes(const char *text, struct xln_nodemap **nodes_r);

/* The nodes of nodes_mem: with NULL in *percent_r, or with the part of each
 * node. */
int key_parse_mem(const char *text, struct xln_nodemap **nodes_r,
                  uint8_t **percent_r);

#endif /* KEY_VALUES_H */
