/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosts in what programs print for people: the lines of such a text, and the
 * host that grows while they are read.
 */
#ifndef XLN_HOST_TEXT_H
#define XLN_HOST_TEXT_H

#include "host.h"

struct xln__text_node {
    bool exists, has_total, has_free;
    uint64_t total_bytes, free_bytes;
    unsigned line;              /* of its free memory */
};

/* A distance that is missing, and a value that is not a distance. */
#define XLN__TEXT_UNTOLD 0
#define XLN__TEXT_UNREACHABLE UINT16_MAX

struct xln__text {
    char *copy, *next;          /* the text that is still to be read; NULL: the
                                   end */
    unsigned line_nr;
    char **error_r;

    struct xln_host_cpu *cpus;  /* [XLN_MAX_CPUS] */
    bool *cpu_exists;
    unsigned nr_cpus;           /* one more than the largest */
    struct xln__text_node nodes[XLN_MAX_NODES];
    unsigned nr_nodes;
    uint16_t (*distances)[XLN_MAX_NODES];
};

/* Begin to read `text`, without the byte-order mark that it may have. What it
 * says is at most some MiB. -EINVAL: refused, in *error_r; -ENOMEM. */
int xln__text_new(const char *text, size_t size, char **error_r,
                  struct xln__text **text_r);
void xln__text_free(struct xln__text *t);

/* The next line, without blanks around it; NULL: there is none. */
char *xln__text_line(struct xln__text *t);

/* Report what is wrong with this line; returns -EINVAL. */
__attribute__((format(printf, 2, 3)))
int xln__text_refuse(struct xln__text *t, const char *fmt, ...);

/* A decimal number of at most `max`, with blanks before it; *s moves behind
 * it. */
bool xln__text_number(const char **s, uint64_t max, uint64_t *number_r);

/* Add what a line says; -EINVAL: it is refused. `cpu` may be on no node:
 * XLN_NONE. */
int xln__text_add_node(struct xln__text *t, uint64_t node);
int xln__text_add_cpu(struct xln__text *t, uint64_t cpu,
                      const struct xln_host_cpu *what);
int xln__text_set_free(struct xln__text *t, unsigned node, uint64_t bytes);

/* Make the host, with the distances that are known; the rest of them is
 * assumed. */
int xln__text_make_host(struct xln__text *t, struct xln_host **host_r,
                        char **note);

/*
 * The readers: output of `numactl -H`, `xl info -n` and `lscpu -p`. As
 * xln__host_from_hwloc(); *_is() tells by a text's first lines.
 */
bool xln__is_numactl(const char *text, size_t size);
int xln__host_from_numactl(const char *text, size_t size,
                           struct xln_host **host_r, char **note_r,
                           char **error_r);
bool xln__is_xl_info(const char *text, size_t size);
int xln__host_from_xl_info(const char *text, size_t size,
                           struct xln_host **host_r, char **note_r,
                           char **error_r);
bool xln__is_lscpu(const char *text, size_t size);
int xln__host_from_lscpu(const char *text, size_t size,
                         struct xln_host **host_r, char **note_r,
                         char **error_r);

/* The position of the first character that is neither blank nor part of a
 * byte-order mark; `size`: there is none. */
size_t xln__text_begins_at(const char *text, size_t size);

/* Whether a line begins with this text, after any blanks. */
bool xln__text_has_line(const char *text, size_t size, const char *begin);

#endif /* XLN_HOST_TEXT_H */
