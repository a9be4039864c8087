/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a snapshot that more than one file uses. */
#ifndef XLN_SNAPSHOT_H
#define XLN_SNAPSHOT_H

#include "text/json.h"
#include "libxl_numa.h"

/* The keys of a host in the open object, from "cpus" on. */
void xln__host_to_json(const struct xln_host *host, struct xln__json *json);
int xln__host_from_json(struct xln__json_tree *tree,
                        const struct xln__json_value *root,
                        struct xln_host **host_r);

/* The list of domains, which may be unknown, into and out of a snapshot with
 * its host. */
void xln__domains_to_json(const struct xln_snapshot *snapshot,
                          struct xln__json *json);
int xln__domains_from_json(struct xln__json_tree *tree,
                           const struct xln__json_value *list,
                           struct xln_snapshot *snapshot);

/* The key "memory" of an open domain, and out of one. */
void xln__memory_to_json(const struct xln_snapshot_domain *more,
                         struct xln__json *json);
int xln__memory_from_json(struct xln__json_tree *tree,
                          const struct xln__json_value *item,
                          const struct xln_host *host,
                          struct xln_snapshot_domain *more);

/* The value of "time_s", which may be null or missing: 0. */
void xln__time_to_json(int64_t time_s, struct xln__json *json);
int xln__time_from_json(struct xln__json_tree *tree,
                        const struct xln__json_value *object,
                        int64_t *time_r);

/* The text of a key that may be null or missing: then *text_r is NULL. */
int xln__json_get_text(struct xln__json_tree *tree,
                       const struct xln__json_value *object, const char *key,
                       char **text_r);

/* A set is a text like CPULIST's, only with numbers below `nr_bits`. */
void xln__set_to_json(const struct xln_bitmap *set, unsigned nr_bits,
                      struct xln__json *json);
int xln__cpus_from_json(struct xln__json_tree *tree,
                        const struct xln__json_value *object, const char *key,
                        unsigned nr_cpus, struct xln_cpumap **cpus_r);
int xln__nodes_from_json(struct xln__json_tree *tree,
                         const struct xln__json_value *object, const char *key,
                         unsigned nr_nodes, struct xln_nodemap **nodes_r);

/*
 * Numbers of a list's objects under `key`, each below `limit` and above the
 * previous one. *end_r: one more than the last; 0: the list is empty.
 */
int xln__check_numbers(struct xln__json_tree *tree,
                       const struct xln__json_value *list, const char *key,
                       uint64_t limit, uint64_t *end_r);

#endif /* XLN_SNAPSHOT_H */
