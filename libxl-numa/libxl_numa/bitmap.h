/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of CPUs and sets of nodes: part of libxl_numa.h. */
#ifndef LIBXL_NUMA_BITMAP_H
#define LIBXL_NUMA_BITMAP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The largest host: a description with more nodes or CPUs is an error. (Xen
 * supports 64 nodes at most, MAX_NUMNODES.)
 */
#define XLN_MAX_NODES 1024
#define XLN_MAX_CPUS 65536

/* "No such number": after the last member of a set, or an unknown node. */
#define XLN_NONE UINT_MAX

/*
 * A set of the numbers 0 to nr_bits - 1. Its width, nr_bits, is fixed when the
 * set is made.
 *
 * struct xln_cpumap is a set of CPUs, struct xln_nodemap a set of nodes. Each
 * has its own functions, xln_cpumap_VERB and xln_nodemap_VERB, one for each
 * xln_bitmap_VERB, so that the compiler does not confuse the two.
 */
struct xln_bitmap;
struct xln_cpumap;
struct xln_nodemap;

/*
 * Make an empty set.
 *
 *   nr_bits: its width, 1 to XLN_MAX_CPUS
 *   set_r: the set; free it with xln_bitmap_free()
 *
 * Returns 0; -EINVAL: nr_bits is out of range; -ENOMEM.
 * Since: 0.1
 */
int xln_bitmap_new(unsigned nr_bits, struct xln_bitmap **set_r);

/*
 * Make a set of the same width with the same members.
 *
 *   set: the set to copy
 *   copy_r: the copy; free it with xln_bitmap_free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_bitmap_copy(const struct xln_bitmap *set, struct xln_bitmap **copy_r);

/*
 * Free a set.
 *
 *   set: the set, or NULL
 *
 * Since: 0.1
 */
void xln_bitmap_free(struct xln_bitmap *set);

/*
 * Get the width of a set.
 *
 *   set: the set
 *
 * Returns the width: 1 more than the largest number that the set can hold.
 * Since: 0.1
 */
unsigned xln_bitmap_nr_bits(const struct xln_bitmap *set);

/*
 * Test whether a number is a member.
 *
 *   set: the set
 *   bit: any number; one beyond the width is not a member
 *
 * Returns whether `bit` is a member.
 * Since: 0.1
 */
bool xln_bitmap_test(const struct xln_bitmap *set, unsigned bit);

/*
 * Add one number, or remove one number.
 *
 *   set: the set
 *   bit: the number, 0 to nr_bits - 1
 *
 * Returns 0; -ERANGE: `bit` is beyond the width of the set.
 * Since: 0.1
 */
int xln_bitmap_set(struct xln_bitmap *set, unsigned bit);
int xln_bitmap_clear(struct xln_bitmap *set, unsigned bit);

/*
 * Add all numbers up to the width, or remove all numbers.
 *
 *   set: the set
 *
 * Since: 0.1
 */
void xln_bitmap_fill(struct xln_bitmap *set);
void xln_bitmap_zero(struct xln_bitmap *set);

/*
 * Replace a set by its union with another, its intersection with another, or
 * its difference from another.
 *
 *   set: the set that changes; its width does not
 *   other: the other set; the widths may differ, and members of `other` beyond
 *       the width of `set` are not added
 *
 * Since: 0.1
 */
void xln_bitmap_or(struct xln_bitmap *set, const struct xln_bitmap *other);
void xln_bitmap_and(struct xln_bitmap *set, const struct xln_bitmap *other);
void xln_bitmap_andnot(struct xln_bitmap *set, const struct xln_bitmap *other);

/*
 * Compare two sets: whether they have the same members, or a common member.
 *
 *   a, b: the sets; the widths may differ
 *
 * Returns the answer.
 * Since: 0.1
 */
bool xln_bitmap_equal(const struct xln_bitmap *a, const struct xln_bitmap *b);
bool xln_bitmap_intersects(const struct xln_bitmap *a,
                           const struct xln_bitmap *b);

/*
 * Test whether all members of one set are members of another.
 *
 *   part, whole: the sets; the widths may differ
 *
 * Returns whether `part` is a subset of `whole`.
 * Since: 0.1
 */
bool xln_bitmap_is_subset(const struct xln_bitmap *part,
                          const struct xln_bitmap *whole);

/*
 * Test whether a set has no members, or count its members.
 *
 *   set: the set
 *
 * Returns whether it is empty, or the number of members.
 * Since: 0.1
 */
bool xln_bitmap_is_empty(const struct xln_bitmap *set);
unsigned xln_bitmap_count(const struct xln_bitmap *set);

/*
 * Find the next member.
 *
 *   set: the set
 *   from: any number
 *
 * Returns the smallest member >= from; XLN_NONE: there is none.
 * Since: 0.1
 */
unsigned xln_bitmap_next(const struct xln_bitmap *set, unsigned from);

/*
 * Write a set as text. xln_cpumap_parse() and xln_nodemap_parse() read it.
 *
 *   set: the set
 *   text_r: the text, "0-3,5"; "" if the set is empty; free it with free()
 *
 * Returns 0; -ENOMEM.
 * Since: 0.1
 */
int xln_bitmap_format(const struct xln_bitmap *set, char **text_r);

/* Generates the typed functions; `part` is the word for one member. */
#define XLN_BITMAP_TYPE(type, part)                                           \
    static inline struct xln_bitmap *xln_##type##_bits(                       \
        const struct xln_##type *set)                                         \
    {                                                                         \
        return (struct xln_bitmap *)(uintptr_t)set;                           \
    }                                                                         \
    static inline int xln_##type##_new(unsigned nr_##part##s,                 \
                                       struct xln_##type **set_r)             \
    {                                                                         \
        struct xln_bitmap *set;                                               \
        int rc = xln_bitmap_new(nr_##part##s, &set);                          \
        if (!rc)                                                              \
            *set_r = (struct xln_##type *)set;                                \
        return rc;                                                            \
    }                                                                         \
    static inline int xln_##type##_copy(const struct xln_##type *set,         \
                                        struct xln_##type **copy_r)           \
    {                                                                         \
        struct xln_bitmap *copy;                                              \
        int rc = xln_bitmap_copy(xln_##type##_bits(set), &copy);              \
        if (!rc)                                                              \
            *copy_r = (struct xln_##type *)copy;                              \
        return rc;                                                            \
    }                                                                         \
    static inline void xln_##type##_free(struct xln_##type *set)              \
    {                                                                         \
        xln_bitmap_free(xln_##type##_bits(set));                              \
    }                                                                         \
    static inline unsigned xln_##type##_nr_bits(const struct xln_##type *set) \
    {                                                                         \
        return xln_bitmap_nr_bits(xln_##type##_bits(set));                    \
    }                                                                         \
    static inline bool xln_##type##_test(const struct xln_##type *set,        \
                                         unsigned part)                       \
    {                                                                         \
        return xln_bitmap_test(xln_##type##_bits(set), part);                 \
    }                                                                         \
    static inline int xln_##type##_set(struct xln_##type *set, unsigned part) \
    {                                                                         \
        return xln_bitmap_set(xln_##type##_bits(set), part);                  \
    }                                                                         \
    static inline int xln_##type##_clear(struct xln_##type *set,              \
                                         unsigned part)                       \
    {                                                                         \
        return xln_bitmap_clear(xln_##type##_bits(set), part);                \
    }                                                                         \
    static inline void xln_##type##_fill(struct xln_##type *set)              \
    {                                                                         \
        xln_bitmap_fill(xln_##type##_bits(set));                              \
    }                                                                         \
    static inline void xln_##type##_zero(struct xln_##type *set)              \
    {                                                                         \
        xln_bitmap_zero(xln_##type##_bits(set));                              \
    }                                                                         \
    static inline void xln_##type##_or(struct xln_##type *set,                \
                                       const struct xln_##type *other)        \
    {                                                                         \
        xln_bitmap_or(xln_##type##_bits(set), xln_##type##_bits(other));      \
    }                                                                         \
    static inline void xln_##type##_and(struct xln_##type *set,               \
                                        const struct xln_##type *other)       \
    {                                                                         \
        xln_bitmap_and(xln_##type##_bits(set), xln_##type##_bits(other));     \
    }                                                                         \
    static inline void xln_##type##_andnot(struct xln_##type *set,            \
                                           const struct xln_##type *other)    \
    {                                                                         \
        xln_bitmap_andnot(xln_##type##_bits(set), xln_##type##_bits(other));  \
    }                                                                         \
    static inline bool xln_##type##_equal(const struct xln_##type *a,         \
                                          const struct xln_##type *b)         \
    {                                                                         \
        return xln_bitmap_equal(xln_##type##_bits(a), xln_##type##_bits(b));  \
    }                                                                         \
    static inline bool xln_##type##_intersects(const struct xln_##type *a,    \
                                               const struct xln_##type *b)    \
    {                                                                         \
        return xln_bitmap_intersects(xln_##type##_bits(a),                    \
                                     xln_##type##_bits(b));                   \
    }                                                                         \
    static inline bool xln_##type##_is_subset(                                \
        const struct xln_##type *inner, const struct xln_##type *outer)       \
    {                                                                         \
        return xln_bitmap_is_subset(xln_##type##_bits(inner),                 \
                                    xln_##type##_bits(outer));                \
    }                                                                         \
    static inline bool xln_##type##_is_empty(const struct xln_##type *set)    \
    {                                                                         \
        return xln_bitmap_is_empty(xln_##type##_bits(set));                   \
    }                                                                         \
    static inline unsigned xln_##type##_count(const struct xln_##type *set)   \
    {                                                                         \
        return xln_bitmap_count(xln_##type##_bits(set));                      \
    }                                                                         \
    static inline unsigned xln_##type##_next(const struct xln_##type *set,    \
                                             unsigned from)                   \
    {                                                                         \
        return xln_bitmap_next(xln_##type##_bits(set), from);                 \
    }                                                                         \
    static inline int xln_##type##_format(const struct xln_##type *set,       \
                                          char **text_r)                      \
    {                                                                         \
        return xln_bitmap_format(xln_##type##_bits(set), text_r);             \
    }

XLN_BITMAP_TYPE(cpumap, cpu)
XLN_BITMAP_TYPE(nodemap, node)

/*
 * Walk a set upwards; `set` is evaluated at every step:
 *     XLN_FOREACH(xln_nodemap, node, nodes)
 *         printf("%u\n", node);
 */
#define XLN_FOREACH(type, member, set)                               \
    for ((member) = type##_next(set, 0); (member) != XLN_NONE;       \
         (member) = type##_next(set, (member) + 1))

/*
 * The CPUs of each node, for `node:` in a list of CPUs. cpus[node] is the set
 * of the node's CPUs; NULL: there is no such node.
 */
struct xln_node_cpus {
    unsigned nr_nodes;
    const struct xln_cpumap *const *cpus;
};

/* Skip numbers that the host does not have, as the installed xl does, instead
 * of failing with -ERANGE. */
#define XLN_PARSE_SKIP_ABSENT 1u

/*
 * Read a set of CPUs, or of nodes, from text in the grammar of xl's CPULIST.
 * Elements apply from left to right to the empty set:
 *
 *     list  = [ elem ] { "," [ elem ] }
 *     elem  = [ "^" ] [ "node:" | "nodes:" ] ( "all" | number [ "-" number ] )
 *
 * "^" removes. "node:", in lists of CPUs, means the CPUs of these nodes and
 * applies to its own element: "node:0,1" is the CPUs of node 0, and CPU 1.
 * Numbers are decimal; blanks, a "+" and zeros may precede them. A "-" as a
 * sign, a number above 2^31 - 1, a descending range and "^all" are errors. The
 * empty text is the empty set. "all" and "node:all" are the full width.
 *
 *   text: the text
 *   node_cpus: the CPUs of the nodes; NULL: "node:" is an error
 *   flags: 0 or XLN_PARSE_SKIP_ABSENT
 *   set: gives the width, and receives the members; undefined after a failure
 *   end_r: NULL, or the length of the text; after a failure the offset of the
 *       error in `text`
 *
 * Returns 0; -EINVAL: the text does not match the grammar, or flags are
 * unknown; -ERANGE: a number beyond the width, a node that is not in
 * node_cpus, or a node with CPUs beyond the width.
 * Since: 0.1
 */
int xln_cpumap_parse(const char *text, const struct xln_node_cpus *node_cpus,
                     unsigned flags, struct xln_cpumap *set, size_t *end_r);
int xln_nodemap_parse(const char *text, unsigned flags,
                      struct xln_nodemap *set, size_t *end_r);

#ifdef __cplusplus
}
#endif

#endif /* LIBXL_NUMA_BITMAP_H */
