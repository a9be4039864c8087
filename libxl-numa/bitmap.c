/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_numa.h"

#define BITS_PER_WORD (sizeof(unsigned long) * CHAR_BIT)

/* The bits beyond nr_bits in the last word are always 0. */
struct xln_bitmap {
    unsigned nr_bits;
    unsigned long words[];
};

static unsigned words_for(unsigned nr_bits)
{
    return (nr_bits + BITS_PER_WORD - 1) / BITS_PER_WORD;
}

static size_t size_for(unsigned nr_bits)
{
    return sizeof(struct xln_bitmap) +
           words_for(nr_bits) * sizeof(unsigned long);
}

static unsigned nr_words(const struct xln_bitmap *set)
{
    return words_for(set->nr_bits);
}

/* Sets of different widths are compared as if the narrow one continued with 0.
 */
static unsigned long word_of(const struct xln_bitmap *set, unsigned i)
{
    return i < nr_words(set) ? set->words[i] : 0;
}

static unsigned long bit_mask(unsigned bit)
{
    return 1UL << bit % BITS_PER_WORD;
}

/* Bits 0 to `bit`, and bits from `bit` up, of the word that `bit` is in. */
static unsigned long mask_upto(unsigned bit)
{
    return ~0UL >> (BITS_PER_WORD - 1 - bit % BITS_PER_WORD);
}

static unsigned long mask_from(unsigned bit)
{
    return ~0UL << bit % BITS_PER_WORD;
}

int xln_bitmap_new(unsigned nr_bits, struct xln_bitmap **set_r)
{
    struct xln_bitmap *set;

    if (!nr_bits || nr_bits > XLN_MAX_CPUS)
        return -EINVAL;
    set = calloc(1, size_for(nr_bits));
    if (!set)
        return -ENOMEM;
    set->nr_bits = nr_bits;
    *set_r = set;
    return 0;
}

int xln_bitmap_copy(const struct xln_bitmap *set, struct xln_bitmap **copy_r)
{
    struct xln_bitmap *copy = malloc(size_for(set->nr_bits));

    if (!copy)
        return -ENOMEM;
    memcpy(copy, set, size_for(set->nr_bits));
    *copy_r = copy;
    return 0;
}

void xln_bitmap_free(struct xln_bitmap *set)
{
    free(set);
}

unsigned xln_bitmap_nr_bits(const struct xln_bitmap *set)
{
    return set->nr_bits;
}

bool xln_bitmap_test(const struct xln_bitmap *set, unsigned bit)
{
    return word_of(set, bit / BITS_PER_WORD) & bit_mask(bit);
}

int xln_bitmap_set(struct xln_bitmap *set, unsigned bit)
{
    if (bit >= set->nr_bits)
        return -ERANGE;
    set->words[bit / BITS_PER_WORD] |= bit_mask(bit);
    return 0;
}

int xln_bitmap_clear(struct xln_bitmap *set, unsigned bit)
{
    if (bit >= set->nr_bits)
        return -ERANGE;
    set->words[bit / BITS_PER_WORD] &= ~bit_mask(bit);
    return 0;
}

/* Add or remove `first` to `last`, which are within the width. */
static void change_range(struct xln_bitmap *set, unsigned first, unsigned last,
                         bool add)
{
    unsigned first_word = first / BITS_PER_WORD;
    unsigned last_word = last / BITS_PER_WORD;
    unsigned i;

    for (i = first_word; i <= last_word; i++) {
        unsigned long mask = ~0UL;

        if (i == first_word)
            mask &= mask_from(first);
        if (i == last_word)
            mask &= mask_upto(last);
        if (add)
            set->words[i] |= mask;
        else
            set->words[i] &= ~mask;
    }
}

void xln_bitmap_fill(struct xln_bitmap *set)
{
    change_range(set, 0, set->nr_bits - 1, true);
}

void xln_bitmap_zero(struct xln_bitmap *set)
{
    memset(set->words, 0, nr_words(set) * sizeof(set->words[0]));
}

void xln_bitmap_or(struct xln_bitmap *set, const struct xln_bitmap *other)
{
    unsigned nr = nr_words(set), i;

    if (nr > nr_words(other))
        nr = nr_words(other);
    for (i = 0; i < nr; i++)
        set->words[i] |= other->words[i];
    /* A wider `other` may have brought members beyond the width. */
    set->words[nr_words(set) - 1] &= mask_upto(set->nr_bits - 1);
}

void xln_bitmap_and(struct xln_bitmap *set, const struct xln_bitmap *other)
{
    unsigned i;

    for (i = 0; i < nr_words(set); i++)
        set->words[i] &= word_of(other, i);
}

void xln_bitmap_andnot(struct xln_bitmap *set, const struct xln_bitmap *other)
{
    unsigned i;

    for (i = 0; i < nr_words(set); i++)
        set->words[i] &= ~word_of(other, i);
}

bool xln_bitmap_equal(const struct xln_bitmap *a, const struct xln_bitmap *b)
{
    return xln_bitmap_is_subset(a, b) && xln_bitmap_is_subset(b, a);
}

bool xln_bitmap_intersects(const struct xln_bitmap *a,
                           const struct xln_bitmap *b)
{
    unsigned i;

    for (i = 0; i < nr_words(a); i++)
        if (a->words[i] & word_of(b, i))
            return true;
    return false;
}

bool xln_bitmap_is_subset(const struct xln_bitmap *part,
                          const struct xln_bitmap *whole)
{
    unsigned i;

    for (i = 0; i < nr_words(part); i++)
        if (part->words[i] & ~word_of(whole, i))
            return false;
    return true;
}

bool xln_bitmap_is_empty(const struct xln_bitmap *set)
{
    return xln_bitmap_next(set, 0) == XLN_NONE;
}

unsigned xln_bitmap_count(const struct xln_bitmap *set)
{
    unsigned i, count = 0;

    for (i = 0; i < nr_words(set); i++)
        count += __builtin_popcountl(set->words[i]);
    return count;
}

/*
 * The smallest member >= from. If `invert` is all ones, the smallest number >=
 * from that is not a member. If there is none, the width.
 */
static unsigned find(const struct xln_bitmap *set, unsigned from,
                     unsigned long invert)
{
    unsigned i = from / BITS_PER_WORD;
    unsigned long word;

    if (from >= set->nr_bits)
        return set->nr_bits;
    word = (set->words[i] ^ invert) & mask_from(from);
    while (!word) {
        if (++i == nr_words(set))
            return set->nr_bits;
        word = set->words[i] ^ invert;
    }
    /* Not beyond the width: inverted, the bit right after the last is one. */
    return i * BITS_PER_WORD + __builtin_ctzl(word);
}

unsigned xln_bitmap_next(const struct xln_bitmap *set, unsigned from)
{
    unsigned bit = find(set, from, 0);

    return bit < set->nr_bits ? bit : XLN_NONE;
}

/* Returns the length of the whole text, as snprintf() does. */
static size_t print(const struct xln_bitmap *set, char *text, size_t size)
{
    unsigned first, end;
    size_t len = 0;

    for (first = find(set, 0, 0); first < set->nr_bits;
         first = find(set, end, 0)) {
        char range[sizeof(",65535-65535")];

        end = find(set, first, ~0UL);
        snprintf(range, sizeof(range), end - first > 1 ? "%s%u-%u" : "%s%u",
                 len ? "," : "", first, end - 1);
        if (len < size)
            snprintf(text + len, size - len, "%s", range);
        len += strlen(range);
    }
    return len;
}

int xln_bitmap_format(const struct xln_bitmap *set, char **text_r)
{
    size_t size = print(set, NULL, 0) + 1;
    char *text = calloc(1, size);

    if (!text)
        return -ENOMEM;
    print(set, text, size);
    *text_r = text;
    return 0;
}

/*
 * The parser. It goes through the text once; after a failure `pos` is at the
 * start of the token that was wrong, or at the place of the one that was
 * missing:
 *
 *     0-3,^node:1-x      8 CPUs; node 1 has CPUs 2 and 3
 *     0-3                  first = 0, last = 3: add CPUs 0 to 3
 *         ^node:           remove; the numbers are nodes
 *               1-         first = 1, and there is a last
 *                 x        not a number: -EINVAL, pos - text = 12
 *
 * xl splits at the commas with strtok() and reads numbers with strtoul(). That
 * takes "-2" for 2^64 - 2, "0--2" for a loop of 2^64 turns, and cuts 2^32 + 1
 * down to CPU 1; so the numbers are read here, within 31 bits, and ranges are
 * cut to the width before anything walks over them.
 */
struct parser {
    const char *pos;
    const struct xln_node_cpus *node_cpus;
    unsigned flags;
    struct xln_bitmap *set;
};

struct number {
    const char *start;
    unsigned value;
};

static int fail(struct parser *p, const char *pos, int rc)
{
    p->pos = pos;
    return rc;
}

static bool skip_prefix(struct parser *p, const char *prefix)
{
    size_t len = strlen(prefix);

    if (strncmp(p->pos, prefix, len) != 0)
        return false;
    p->pos += len;
    return true;
}

/* isspace() of the C locale: a library does not know which one is set. */
static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool at_end_of_elem(const struct parser *p)
{
    return *p->pos == ',' || *p->pos == '\0';
}

static int parse_number(struct parser *p, struct number *number_r)
{
    struct number number = {0};

    while (is_blank(*p->pos))
        p->pos++;
    number.start = p->pos;
    skip_prefix(p, "+");
    if (!is_digit(*p->pos))
        return fail(p, number.start, -EINVAL);
    for (; is_digit(*p->pos); p->pos++) {
        unsigned digit = *p->pos - '0';

        if (number.value > (INT_MAX - digit) / 10)
            return fail(p, number.start, -EINVAL);
        number.value = number.value * 10 + digit;
    }
    *number_r = number;
    return 0;
}

static int parse_range(struct parser *p, struct number *first_r,
                       struct number *last_r)
{
    int rc = parse_number(p, first_r);

    if (rc)
        return rc;
    *last_r = *first_r;
    if (skip_prefix(p, "-")) {
        rc = parse_number(p, last_r);
        if (rc)
            return rc;
    }
    if (last_r->value < first_r->value)
        return fail(p, last_r->start, -EINVAL);
    return at_end_of_elem(p) ? 0 : -EINVAL;
}

/*
 * The host lacks some number from `first` to `last`. Skip it if the caller
 * wants that; otherwise report which number was wrong. (In a range that starts
 * well, the end is wrong.)
 */
static int absent(struct parser *p, const struct number *first,
                  const struct number *last, bool first_exists)
{
    if (p->flags & XLN_PARSE_SKIP_ABSENT)
        return 0;
    return fail(p, first_exists ? last->start : first->start, -ERANGE);
}

static int change_bits(struct parser *p, const struct number *first,
                       const struct number *last, bool add)
{
    unsigned max = p->set->nr_bits - 1;
    int rc = 0;

    if (last->value > max)
        rc = absent(p, first, last, first->value <= max);
    if (!rc && first->value <= max)
        change_range(p->set, first->value,
                     last->value < max ? last->value : max, add);
    return rc;
}

/*
 * -ERANGE: the node does not exist, or has CPUs that this set cannot hold (the
 * others are changed). The caller must see this; xl loses such CPUs without a
 * message.
 */
static int change_node(struct parser *p, unsigned node, bool add)
{
    const struct xln_bitmap *cpus;

    if (node >= p->node_cpus->nr_nodes || !p->node_cpus->cpus[node])
        return -ERANGE;
    cpus = xln_cpumap_bits(p->node_cpus->cpus[node]);
    if (add)
        xln_bitmap_or(p->set, cpus);
    else
        xln_bitmap_andnot(p->set, cpus);
    return xln_bitmap_next(cpus, p->set->nr_bits) == XLN_NONE ? 0 : -ERANGE;
}

static int change_nodes(struct parser *p, const struct number *first,
                        const struct number *last, bool add)
{
    unsigned node;
    int rc = 0;

    for (node = first->value; !rc && node <= last->value; node++) {
        if (change_node(p, node, add))
            rc = absent(p, first, last, node != first->value);
        /* This number stands for all that follow, so the loop ends. */
        if (node >= p->node_cpus->nr_nodes)
            break;
    }
    return rc;
}

/* After "all". As in xl it is the whole width, of "node:all" too. */
static int change_all(struct parser *p, const char *start, bool add)
{
    if (!add)
        return fail(p, start, -EINVAL);
    if (!at_end_of_elem(p))
        return -EINVAL;
    xln_bitmap_fill(p->set);
    return 0;
}

static int parse_elem(struct parser *p)
{
    bool add = !skip_prefix(p, "^");
    const char *start = p->pos;
    bool nodes = skip_prefix(p, "node:") || skip_prefix(p, "nodes:");
    struct number first, last;
    int rc;

    if (nodes && !p->node_cpus)
        return fail(p, start, -EINVAL);
    start = p->pos;
    if (skip_prefix(p, "all"))
        return change_all(p, start, add);
    rc = parse_range(p, &first, &last);
    if (rc)
        return rc;
    return nodes ? change_nodes(p, &first, &last, add)
                 : change_bits(p, &first, &last, add);
}

static int parse_list(struct parser *p)
{
    int rc;

    for (;;) {
        while (*p->pos == ',')
            p->pos++;
        if (!*p->pos)
            return 0;
        rc = parse_elem(p);
        if (rc)
            return rc;
    }
}

static int parse(const char *text, const struct xln_node_cpus *node_cpus,
                 unsigned flags, struct xln_bitmap *set, size_t *end_r)
{
    struct parser p = {text, node_cpus, flags, set};
    int rc = -EINVAL;

    if (!(flags & ~XLN_PARSE_SKIP_ABSENT)) {
        xln_bitmap_zero(set);
        rc = parse_list(&p);
    }
    if (end_r)
        *end_r = p.pos - text;
    return rc;
}

int xln_cpumap_parse(const char *text, const struct xln_node_cpus *node_cpus,
                     unsigned flags, struct xln_cpumap *set, size_t *end_r)
{
    return parse(text, node_cpus, flags, xln_cpumap_bits(set), end_r);
}

int xln_nodemap_parse(const char *text, unsigned flags, struct xln_nodemap *set,
                      size_t *end_r)
{
    return parse(text, NULL, flags, xln_nodemap_bits(set), end_r);
}
