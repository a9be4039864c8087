/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our keys: from an xl configuration, from xl-numa.conf, to and from the
 * request that a domain carries with it.
 */
#ifndef KEYS_H
#define KEYS_H

#include <libxl.h>
#include <libxlutil.h>

#include <libxl_numa.h>

/* The defaults of the host, for messages and for reading. */
#define HOST_DEFAULTS XEN_CONFIG_DIR "/xl-numa.conf"

struct cells;

/* The keys that were given, each as its canonical text. */
struct keys;

/*
 * Read a host's defaults from the text of their file: our keys, dma_reserve=,
 * and no others. `source` is what messages call it. 0, -ENOMEM, or -EINVAL with
 * a malloc'd line in *error_r that names source, key, value and what would be
 * right; NULL: libxlutil has printed what is wrong.
 */
int keys_parse_host(const char *text, size_t size, const char *source,
                    struct keys **keys_r, char **error_r);

/*
 * Read our keys from a domain's configuration, the same way, and its vnuma=
 * list. With those of the host's `defaults` (NULL: none) they must also make
 * sense together with what the configuration says to xl. *cells_r are the
 * virtual nodes of the list; NULL: there is none. `cells_r` may be NULL too.
 */
int keys_read_domain(const XLU_Config *config, const char *source,
                     const struct keys *defaults, struct keys **keys_r,
                     struct cells **cells_r, char **error_r);

/* The same of one that was made before, and is made again: each value is
 * checked, and no more. It may have been ballooned down since. */
int keys_read_again(const XLU_Config *config, const char *source,
                    struct keys **keys_r, char **error_r);

/*
 * The keys that a domain's xsdata holds; all unset if there are none. The
 * text comes from outside and is checked as a file's would be.
 */
int keys_read_xsdata(libxl_key_value_list xsdata, struct keys **keys_r,
                     char **error_r);

/* The same from the keys of a snapshot's domain and their texts, one after the
 * other; NULL ends it. */
int keys_read_pairs(char *const *pairs, struct keys **keys_r, char **error_r);

/* Replace our entries in `xsdata` by these keys; others' are kept, and so is
 * what a later version of ours may have there. */
int keys_write_xsdata(const struct keys *keys, libxl_key_value_list *xsdata);

/* Replace nodes=, and nodes_mem= with it. -EINVAL: not a value of it. */
int keys_set_nodes(struct keys *keys, const char *nodes);

/* Put the keys that are set into a request. 0 or -ENOMEM. */
int keys_apply(const struct keys *keys, struct xln_request *request);

/* Put the nodes that a plan has found into the request that it was made from,
 * in place of what that left open. -ENOMEM; -EINVAL: `nodes` is not a list. */
int keys_apply_plan(const char *nodes, struct xln_request *request);

/*
 * Whether every node that the keys name is in `nodes`. -EINVAL and a line
 * in *error_r if not.
 */
int keys_check_nodes(const struct keys *keys, const char *source,
                     const struct xln_nodemap *nodes, char **error_r);

/* Whether a key that names nodes is set. */
bool keys_name_nodes(const struct keys *keys);

/* Whether the plan chooses the cpupool (pool="auto"). */
bool keys_leave_pool(const struct keys *keys);

/*
 * The same of a domain that is made: not if `config` has a cpupool, which
 * --keep recorded for it. libxl shall make it in the first one, which
 * `config` then says; the plan moves it.
 */
bool keys_take_pool(const struct keys *keys, libxl_domain_config *config);

void keys_free(struct keys *keys);

#endif /* KEYS_H */
