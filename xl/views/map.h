/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host as a picture shows it: nodes in their sockets, on each node the
 * domains with memory there, and which of it is remote from their vCPUs.
 */
#ifndef MAP_H
#define MAP_H

#include "label.h"
#include "residents.h"

#define MAP_LABEL_MAX 40

enum map_kind { MAP_REST, MAP_DOM0, MAP_LOCAL, MAP_REMOTE, MAP_NR_KINDS };

struct map_domain {
    const struct resident *r;
    char label[LABEL_SIZE(MAP_LABEL_MAX)];  /* its name, or its number */
    const struct xln_nodemap *home;     /* the nodes of its vCPUs */
    uint64_t total_bytes, remote_bytes; /* 0 if its memory is unknown */
    /* For a remote domain: the node with most of its remote memory, the
     * nearest node of its vCPUs, and the distance between them; XLN_NONE:
     * unknown. */
    bool is_remote;
    unsigned memory_node, vcpu_node, distance;
};

/* Memory of one domain, or of several that are too small to draw. */
struct map_part {
    enum map_kind kind;
    uint64_t bytes;
    const struct map_domain *domain;    /* NULL: several, or no domain's */
    unsigned nr_domains;
};

struct map_node {
    unsigned node, socket;      /* socket XLN_NONE: it has no CPUs */
    unsigned nr_cpus, nr_vcpus; /* online CPUs; vCPUs that run there, or ran
                                 * last, Domain-0's too */
    uint64_t total_bytes, free_bytes;
    struct map_part *parts;     /* from the bottom up, by kind and size */
    unsigned nr_parts;
};

struct map {
    const struct xln_snapshot *snapshot;
    struct residents *residents;
    struct map_domain *domains; /* remote ones first, the worst one first */
    unsigned nr_domains, nr_remote, nr_guests, nr_unknown;
    struct map_node *nodes;     /* by socket, then by number */
    unsigned nr_nodes, nr_sockets;
    uint64_t total_bytes, free_bytes;
    uint64_t largest_bytes;     /* of the nodes; at least 1 */
};

/*
 * Of a snapshot with domains, which is kept, not copied.
 *
 * The nodes of a domain's vCPUs are those of the CPUs that its vCPUs may use
 * and prefer. For one that prefers none they are the nodes where its vCPUs run.
 * A domain is remote if at least a hundredth of its memory is on other nodes;
 * Domain-0 never counts.
 */
int map_new(const struct xln_snapshot *snapshot, struct map **map_r);
void map_free(struct map *map);

/* How much slower it is, roughly: remote bytes x extra distance; < 0: it is not
 * remote. */
double map_cost(const struct map_domain *d);

/* The parts of a node of which each has at least `least_bytes`, in an array for
 * the caller to free: smaller ones of a kind are taken together. */
int map_merge(const struct map_node *node, uint64_t least_bytes,
              struct map_part **parts_r, unsigned *nr_r);

/* "3 of 8 domains are remote: d, p (all), e (66 %)", with as many names as fit
 * into `max` characters; which host it is, and when; and what it has. They are
 * printed without an end of line. */
void map_print_headline(const struct map *map, unsigned max, FILE *f);
void map_print_origin(const struct map *map, FILE *f);
void map_print_size(const struct map *map, FILE *f);

#endif /* MAP_H */
