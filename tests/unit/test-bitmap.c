/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of bits: their operations, and their text. */
#include "bitmaps.h"

/* ------------------------------------------------------------------ */
/* Sets                                                                */
/* ------------------------------------------------------------------ */

static void test_bounds(void)
{
    struct xln_bitmap *set = NULL;

    ok(xln_bitmap_new(0, &set) == -EINVAL && !set,
       "a set of width 0 is refused and nothing is handed out");
    ok(xln_bitmap_new(XLN_MAX_CPUS + 1, &set) == -EINVAL && !set,
       "a set above XLN_MAX_CPUS is refused and nothing is handed out");
    ok(xln_bitmap_new(UINT_MAX, &set) == -EINVAL && !set,
       "a width of UINT_MAX is refused");
    xln_bitmap_free(NULL);
    xln_cpumap_free(NULL);
    xln_nodemap_free(NULL);
    ok(true, "free takes NULL");
}

static void test_edges(unsigned width)
{
    struct xln_bitmap *set = empty(width);

    ok(xln_bitmap_nr_bits(set) == width && xln_bitmap_is_empty(set) &&
           !xln_bitmap_count(set) && xln_bitmap_next(set, 0) == XLN_NONE,
       "width %u: a new set is empty", width);
    ok(!xln_bitmap_set(set, width - 1) && xln_bitmap_test(set, width - 1) &&
           xln_bitmap_count(set) == 1 && xln_bitmap_next(set, 0) == width - 1 &&
           xln_bitmap_next(set, width - 1) == width - 1,
       "width %u: the last number can be a member", width);
    ok(!xln_bitmap_clear(set, width - 1) && xln_bitmap_is_empty(set),
       "width %u: the last number can be removed", width);
    xln_bitmap_fill(set);
    ok(xln_bitmap_set(set, width) == -ERANGE &&
           xln_bitmap_clear(set, width) == -ERANGE &&
           xln_bitmap_set(set, UINT_MAX) == -ERANGE &&
           xln_bitmap_clear(set, UINT_MAX) == -ERANGE &&
           !xln_bitmap_test(set, width) && !xln_bitmap_test(set, UINT_MAX),
       "width %u: numbers beyond it are refused and are no members", width);
    ok(xln_bitmap_next(set, width) == XLN_NONE &&
           xln_bitmap_next(set, XLN_NONE) == XLN_NONE,
       "width %u: nothing follows the last number", width);
    xln_bitmap_free(set);
}

static void test_fill(unsigned width)
{
    struct xln_bitmap *set = empty(width), *copy;
    unsigned bit, walked = 0;
    char expected[32];

    xln_bitmap_fill(set);
    for (bit = xln_bitmap_next(set, 0); bit == walked;
         bit = xln_bitmap_next(set, bit + 1))
        walked++;
    ok(xln_bitmap_count(set) == width && walked == width && bit == XLN_NONE,
       "width %u: a full set has every number and none beyond", width);
    snprintf(expected, sizeof(expected), width > 1 ? "0-%u" : "%u", width - 1);
    ok(prints_as(set, expected), "width %u: a full set is one range", width);

    must(xln_bitmap_copy(set, &copy));
    xln_bitmap_zero(set);
    ok(xln_bitmap_is_empty(set) && prints_as(set, ""),
       "width %u: zero removes every number", width);
    ok(xln_bitmap_nr_bits(copy) == width && xln_bitmap_count(copy) == width,
       "width %u: a copy does not change with the original", width);
    xln_bitmap_free(copy);
    xln_bitmap_free(set);
}

static void test_format(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"0", "0"},
        {"127", "127"},
        {"0,1", "0-1"},
        {"0,1,2,3,5", "0-3,5"},
        {"0,2,4", "0,2,4"},
        {"63,64", "63-64"},
        {"62-63,65", "62-63,65"},
        {"64-127", "64-127"},
        {"126-127", "126-127"},
        {"0-62,64-127", "0-62,64-127"},
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        struct xln_bitmap *set = set_of(128, cases[i].text);

        ok(prints_as(set, cases[i].expected), "{%s} is printed as \"%s\"",
           cases[i].text, cases[i].expected);
        xln_bitmap_free(set);
    }
}

/* Every function on two sets, of different widths or the same. */
static const struct pair {
    unsigned a_bits, b_bits;
    const char *a, *b;
    const char *a_or_b, *a_and_b, *a_andnot_b;
    bool equal, intersects, a_in_b, b_in_a;
} pairs[] = {
    {8, 8, "0-3", "2-5", "0-5", "2-3", "0-1", false, true, false, false},
    {8, 8, "0-3", "0-3", "0-3", "0-3", "", true, true, true, true},
    {8, 8, "", "", "", "", "", true, false, true, true},
    {8, 8, "", "7", "7", "", "", false, false, true, false},
    /* The wider one has nothing beyond the narrow one. */
    {8, 1000, "1,7", "1,7", "1,7", "1,7", "", true, true, true, true},
    {65, 1000, "64", "64", "64", "64", "", true, true, true, true},
    {64, 128, "", "", "", "", "", true, false, true, true},
    /* It has something, in the same word ... */
    {8, 9, "1", "1,8", "1", "1", "", false, true, true, false},
    {8, 9, "1", "8", "1", "", "1", false, false, false, false},
    {65, 66, "64", "64-65", "64", "64", "", false, true, true, false},
    /* ... and in words that the narrow set does not have. */
    {64, 128, "0-63", "63-64", "0-63", "63", "0-62", false, true, false, false},
    {63, 1000, "5", "0-999", "0-62", "5", "", false, true, true, false},
    {1, 65536, "", "65535", "", "", "", false, false, true, false},
    {64, 65, "", "64", "", "", "", false, false, true, false},
};

typedef void change_fn(struct xln_bitmap *set, const struct xln_bitmap *other);

static void test_operation(const char *verb, const struct pair *p,
                           const char *expected, change_fn *change)
{
    struct xln_bitmap *set = set_of(p->a_bits, p->a);
    struct xln_bitmap *b = set_of(p->b_bits, p->b);

    change(set, b);
    ok(prints_as(set, expected) && xln_bitmap_nr_bits(set) == p->a_bits &&
           prints_as(b, p->b),
       "{%s} of %u %s {%s} of %u gives {%s}", p->a, p->a_bits, verb, p->b,
       p->b_bits, expected);
    xln_bitmap_free(set);
    xln_bitmap_free(b);
}

static void test_comparison(const struct pair *p)
{
    struct xln_bitmap *a = set_of(p->a_bits, p->a);
    struct xln_bitmap *b = set_of(p->b_bits, p->b);

    ok(xln_bitmap_equal(a, b) == p->equal && xln_bitmap_equal(b, a) == p->equal,
       "{%s} of %u %s {%s} of %u, both ways", p->a, p->a_bits,
       p->equal ? "equals" : "differs from", p->b, p->b_bits);
    ok(xln_bitmap_intersects(a, b) == p->intersects &&
           xln_bitmap_intersects(b, a) == p->intersects,
       "{%s} of %u %s {%s} of %u, both ways", p->a, p->a_bits,
       p->intersects ? "intersects" : "is disjoint from", p->b, p->b_bits);
    ok(xln_bitmap_is_subset(a, b) == p->a_in_b,
       "{%s} of %u %s {%s} of %u",
       p->a, p->a_bits, p->a_in_b ? "is within" : "is not within", p->b,
       p->b_bits);
    ok(xln_bitmap_is_subset(b, a) == p->b_in_a,
       "{%s} of %u %s {%s} of %u",
       p->b, p->b_bits, p->b_in_a ? "is within" : "is not within", p->a,
       p->a_bits);
    xln_bitmap_free(a);
    xln_bitmap_free(b);
}

static void test_pairs(void)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(pairs); i++) {
        const struct pair *p = &pairs[i];

        test_operation("or", p, p->a_or_b, xln_bitmap_or);
        test_operation("and", p, p->a_and_b, xln_bitmap_and);
        test_operation("andnot", p, p->a_andnot_b, xln_bitmap_andnot);
        test_comparison(p);
    }
}

/* The other operand is the set itself. */
static void test_with_itself(void)
{
    struct xln_bitmap *set = set_of(70, "1,63-64,69");

    xln_bitmap_or(set, set);
    xln_bitmap_and(set, set);
    ok(prints_as(set, "1,63-64,69"),
       "OR and AND of a set with itself change nothing");
    xln_bitmap_andnot(set, set);
    ok(xln_bitmap_is_empty(set), "a set without its own members is empty");
    xln_bitmap_free(set);
}

/* Bits that `or` cut off must not appear in the last word. */
static void test_or_leaves_no_residue(void)
{
    struct xln_bitmap *set = empty(65), *wide = set_of(128, "0-127");

    xln_bitmap_or(set, wide);
    ok(xln_bitmap_count(set) == 65 && xln_bitmap_next(set, 65) == XLN_NONE,
       "OR adds no members beyond the width");
    xln_bitmap_free(wide);
    xln_bitmap_free(set);
}

static void test_walk(void)
{
    static const unsigned expected[] = {0, 1, 63, 64, 127, 128, 199};
    struct xln_nodemap *nodes;
    unsigned node, i = 0;
    bool same = true;

    must(xln_nodemap_new(200, &nodes));
    must(xln_nodemap_parse("0-1,63-64,127-128,199", 0, nodes, NULL));
    XLN_FOREACH(xln_nodemap, node, nodes)
        same = i < ARRAY_SIZE(expected) && expected[i++] == node && same;
    ok(same && i == ARRAY_SIZE(expected),
       "XLN_FOREACH visits every member once, upwards");
    xln_nodemap_free(nodes);
}

/*
 * Two sets by the bit, as the definition has it. They are random in runs, so
 * that whole words are full, empty and neither.
 */
static void random_set(struct xln_bitmap *set, bool *members, unsigned nr)
{
    unsigned bit, left = 0;
    bool member = false;

    for (bit = 0; bit < nr; bit++) {
        if (!left--) {
            member = random_below(2);
            left = random_below(random_below(8) ? 6 : 150);
        }
        members[bit] = member;
        must(member ? xln_bitmap_set(set, bit) : xln_bitmap_clear(set, bit));
    }
}

static bool survives_print(const struct xln_bitmap *set)
{
    struct xln_cpumap *again;
    char *text;
    size_t end;
    bool same;

    must(xln_bitmap_format(set, &text));
    must(xln_cpumap_new(xln_bitmap_nr_bits(set), &again));
    same = !xln_cpumap_parse(text, NULL, 0, again, &end) &&
           end == strlen(text) && xln_bitmap_equal(set, xln_cpumap_bits(again));
    if (!same)
        printf("# not read back: \"%s\"\n", text);
    xln_cpumap_free(again);
    free(text);
    return same;
}

static void test_random_sets(unsigned width, unsigned nr_sets)
{
    struct xln_bitmap *set = empty(width);
    bool *members = calloc(width, sizeof(members[0]));
    bool members_pass = true, print_pass = true;
    unsigned i;

    must(members ? 0 : -ENOMEM);
    for (i = 0; i < nr_sets; i++) {
        random_set(set, members, width);
        members_pass = members_pass && has_members(set, members);
        print_pass = print_pass && survives_print(set);
    }
    ok(members_pass, "width %u: test, next and count agree on %u sets", width,
       nr_sets);
    ok(print_pass, "width %u: %u sets are read back as printed", width,
       nr_sets);
    free(members);
    xln_bitmap_free(set);
}

/* The longest text there is, and the widest numbers. */
static void test_longest_text(void)
{
    struct xln_bitmap *set = empty(XLN_MAX_CPUS);
    unsigned bit;

    for (bit = 1; bit < XLN_MAX_CPUS; bit += 2)
        must(xln_bitmap_set(set, bit));
    ok(survives_print(set),
       "a set of every other number up to 65536 is read back");
    xln_bitmap_free(set);
}

int main(void)
{
    static const unsigned widths[] = {1, 63, 64, 65, 128, 1000, 65536};
    unsigned i;

    test_bounds();
    for (i = 0; i < ARRAY_SIZE(widths); i++) {
        test_edges(widths[i]);
        test_fill(widths[i]);
        test_random_sets(widths[i], widths[i] > 1000 ? 8 : 332);
    }
    test_longest_text();
    test_format();
    test_pairs();
    test_with_itself();
    test_or_leaves_no_residue();
    test_walk();
    return tap_done();
}
