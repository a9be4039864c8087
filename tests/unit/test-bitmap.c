/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <time.h>

#include "libxl_numa.h"
#include "random.h"
#include "tap.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define SKIP XLN_PARSE_SKIP_ABSENT

/* The same numbers on every machine, which rand() doesn't promise. */
/* What a test can't do without: a failure ends the program. */
static struct xln_bitmap *empty(unsigned nr_bits)
{
    struct xln_bitmap *set;

    must(xln_bitmap_new(nr_bits, &set));
    return set;
}

static struct xln_cpumap *cpus_of(unsigned nr_cpus, const char *text)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(nr_cpus, &cpus));
    must(xln_cpumap_parse(text, NULL, 0, cpus, NULL));
    return cpus;
}

static struct xln_bitmap *set_of(unsigned nr_bits, const char *text)
{
    return xln_cpumap_bits(cpus_of(nr_bits, text));
}

static bool prints_as(const struct xln_bitmap *set, const char *expected)
{
    char *text;
    bool same;

    must(xln_bitmap_format(set, &text));
    same = !strcmp(text, expected);
    if (!same)
        printf("# printed: \"%s\", expected: \"%s\"\n", text, expected);
    free(text);
    return same;
}

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
       "width %u: a copy doesn't change with the original", width);
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
    /* ... and in words that the narrow one has not. */
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
       "{%s} of %u %s {%s} of %u is {%s}", p->a, p->a_bits, verb, p->b,
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
    ok(xln_bitmap_is_subset(a, b) == p->a_in_b, "{%s} of %u %s {%s} of %u",
       p->a, p->a_bits, p->a_in_b ? "is within" : "is not within", p->b,
       p->b_bits);
    ok(xln_bitmap_is_subset(b, a) == p->b_in_a, "{%s} of %u %s {%s} of %u",
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
       "or and and of a set with itself change nothing");
    xln_bitmap_andnot(set, set);
    ok(xln_bitmap_is_empty(set), "a set without itself is empty");
    xln_bitmap_free(set);
}

/* What `or` cut off must not turn up in the last word. */
static void test_or_leaves_no_residue(void)
{
    struct xln_bitmap *set = empty(65), *wide = set_of(128, "0-127");

    xln_bitmap_or(set, wide);
    ok(xln_bitmap_count(set) == 65 && xln_bitmap_next(set, 65) == XLN_NONE,
       "members beyond the width don't come in through or");
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

static bool has_members(const struct xln_bitmap *set, const bool *members)
{
    unsigned nr = xln_bitmap_nr_bits(set), bit, next = XLN_NONE, count = 0;

    for (bit = nr; bit-- > 0;) {
        if (members[bit])
            next = bit;
        count += members[bit];
        if (xln_bitmap_test(set, bit) != members[bit] ||
            xln_bitmap_next(set, bit) != next)
            return false;
    }
    return xln_bitmap_count(set) == count && xln_bitmap_is_empty(set) == !count;
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
    ok(survives_print(set), "every other one of 65536 is read back");
    xln_bitmap_free(set);
}

/* ------------------------------------------------------------------ */
/* The parser, by examples                                             */
/* ------------------------------------------------------------------ */

/*
 * Eight CPUs, dealt to the nodes in turns. Node 2 does not exist, node 3 has
 * memory only, and node 4 has a CPU that a set of eight can't hold.
 */
#define NR_NODES 5

static const char *const node_texts[NR_NODES] = {"0,2,4,6", "1,3,5,7", NULL, "",
                                                 "7-8"};
static struct xln_cpumap *node_sets[NR_NODES];
static const struct xln_node_cpus node_cpus = {
    NR_NODES, (const struct xln_cpumap *const *)node_sets};

static void make_nodes(void)
{
    unsigned node;

    for (node = 0; node < NR_NODES; node++)
        if (node_texts[node])
            node_sets[node] = cpus_of(16, node_texts[node]);
}

static void free_nodes(void)
{
    unsigned node;

    for (node = 0; node < NR_NODES; node++)
        xln_cpumap_free(node_sets[node]);
}

static const struct {
    const char *text, *expected;
} accepted[] = {
    /* Lists and their empty elements. */
    {"", ""},
    {",", ""},
    {",,,", ""},
    {"1,,2", "1-2"},
    {",1,", "1"},
    {"0-3,5", "0-3,5"},
    {"5,0-3", "0-3,5"},
    {"2,2,1-3", "1-3"},
    {"7-7", "7"},
    {"0-7", "0-7"},
    /* From left to right. */
    {"0-3,^1", "0,2-3"},
    {"^1,0-3", "0-3"},
    {"^1", ""},
    {"^0-7", ""},
    {"0-7,^2-5,3", "0-1,3,6-7"},
    {"all", "0-7"},
    {"all,^0", "1-7"},
    {"^1,all", "0-7"},
    /* As strtoul() reads numbers. */
    {" 3", "3"},
    {"+3", "3"},
    {"03", "3"},
    {"00000000000000000000003", "3"},
    {"1- 3", "1-3"},
    {"1-+3", "1-3"},
    {"^ 1", ""},
    {"1, 2", "1-2"},
    {"07", "7"},
    /* Nodes. */
    {"node:0", "0,2,4,6"},
    {"nodes:0", "0,2,4,6"},
    {"node:0-1", "0-7"},
    {"nodes:0-1", "0-7"},
    {"node:0,1", "0-2,4,6"},
    {"node:1,0", "0-1,3,5,7"},
    {"node: 1", "1,3,5,7"},
    {"node:+01", "1,3,5,7"},
    {"^node:1", ""},
    {"all,^node:1", "0,2,4,6"},
    {"all,^nodes:0,0", "0-1,3,5,7"},
    {"0-3,^node:1", "0,2"},
    {"node:3", ""},
    {"node:1,node:3", "1,3,5,7"},
    {"node:all", "0-7"},
    {"nodes:all", "0-7"},
    {"node:all,^node:0", "1,3,5,7"},
};

static void test_accepted(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "0-7");
    unsigned i, flags;

    for (i = 0; i < ARRAY_SIZE(accepted); i++) {
        const char *text = accepted[i].text;
        size_t end = 99;
        bool pass = true;

        for (flags = 0; flags <= SKIP; flags++)
            pass = !xln_cpumap_parse(text, &node_cpus, flags, cpus, &end) &&
                   prints_as(xln_cpumap_bits(cpus), accepted[i].expected) &&
                   end == strlen(text) && pass;
        ok(pass, "\"%s\" is {%s}", text, accepted[i].expected);
    }
    ok(!xln_cpumap_parse(" \t\n\v\f\r+003", NULL, 0, cpus, NULL) &&
           prints_as(xln_cpumap_bits(cpus), "3"),
       "every blank of isspace() may stand before a number");
    ok(xln_cpumap_parse("\2403", NULL, 0, cpus, NULL) == -EINVAL,
       "what is a blank in some locales only is none");
    xln_cpumap_free(cpus);
}

/* Offset and what is wrong there. Absent numbers don't change any of it. */
static const struct {
    const char *text;
    size_t end;
} malformed[] = {
    /* No number. */
    {"^", 1},
    {"^^1", 1},
    {"ALL", 0},
    {"x", 0},
    {" ", 1},
    {"+", 0},
    {"++1", 0},
    {"+ 1", 0},
    {"1-", 2},
    {"1-,2", 2},
    {"1,^,2", 3},
    {"1-x", 2},
    {"0-all", 2},
    {"node", 0},
    {"node:", 5},
    {"node:x", 5},
    {"node:^1", 5},
    {"node:node:1", 5},
    {"NODE:1", 0},
    {" node:1", 1},
    {"^ node:1", 2},
    {" all", 1},
    {"node: all", 6},
    {" ^1", 1},
    {";", 0},
    /* A sign. */
    {"-1", 0},
    {"-2", 0},
    {"-0", 0},
    {" -1", 1},
    {"^-1", 1},
    {"+-1", 0},
    {"0--2", 2},
    {"0-+-2", 2},
    {"node:-1", 5},
    {"node:0--1", 7},
    /* Junk after a number, or after "all". */
    {"3 ", 1},
    {"3 ,4", 1},
    {"0 -3", 1},
    {"0x3", 1},
    {"1.5", 1},
    {"0-3-5", 3},
    {"0-3,5;", 5},
    {"1^2", 1},
    {"node:1 ", 6},
    {"node:0-1-1", 8},
    {"allx", 3},
    {"all ", 3},
    {"all-1", 3},
    {"1,node:allx", 10},
    /* Ranges that go down. */
    {"5-3", 2},
    {"0,5- 3", 5},
    {"node:1-0", 7},
    {"99-5", 3},
    /* "^all". */
    {"^all", 1},
    {"0,^all,x", 3},
    {"^node:all", 6},
    {"^nodes:all", 7},
    /* 2^31, 2^32 and its neighbour that xl takes for CPU 1, 2^64 and + 1. */
    {"2147483648", 0},
    {"4294967296", 0},
    {"4294967297", 0},
    {"18446744073709551616", 0},
    {"18446744073709551617", 0},
    {"99999999999999999999999999999999999999", 0},
    {"0,1-4294967297", 4},
    {"node:4294967297", 5},
    /* The grammar of an element comes before its numbers' existence. */
    {"99x", 2},
    {"node:99x", 7},
};

static void test_malformed(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "");
    unsigned i, flags;

    for (i = 0; i < ARRAY_SIZE(malformed); i++) {
        bool pass = true;

        for (flags = 0; flags <= SKIP; flags++) {
            size_t end = 99;
            int rc = xln_cpumap_parse(malformed[i].text, &node_cpus, flags,
                                      cpus, &end);

            if (rc != -EINVAL || end != malformed[i].end) {
                printf("# rc %d, offset %zu\n", rc, end);
                pass = false;
            }
        }
        ok(pass, "\"%s\" is malformed at %zu", malformed[i].text,
           malformed[i].end);
    }
    xln_cpumap_free(cpus);
}

/* What a set of eight, or the nodes, lack; and what is left if skipped. */
static const struct {
    const char *text;
    size_t end;
    const char *skipped;
} absent[] = {
    {"8", 0, ""},
    {"99", 0, ""},
    {" +99", 1, ""},
    {"0,8", 2, "0"},
    {"6-8", 2, "6-7"},
    {"8-9", 0, ""},
    {"^8", 1, ""},
    {"all,^6-99", 7, "0-5"},
    {"2147483647", 0, ""},
    {"0-2147483647", 2, "0-7"},
    {"all,^0-2147483647", 7, ""},
    {"2147483646-2147483647", 0, ""},
    /* Node 2 does not exist. */
    {"node:2", 5, ""},
    {"node:5", 5, ""},
    {"node:7", 5, ""},
    {"^node:7", 6, ""},
    {"node:1-2", 7, "1,3,5,7"},
    {"node:1-3", 7, "1,3,5,7"},
    {"node:2-3", 5, ""},
    {"all,^node:1-3", 12, "0,2,4,6"},
    {"nodes:0-2147483647", 8, "0-7"},
    {"nodes:2147483647", 6, ""},
    {"nodes:5-2147483647", 6, ""},
    /* Node 4 has CPU 8. */
    {"node:4", 5, "7"},
    {"all,^node:4", 10, "0-6"},
    /* The first thing wrong counts, from left to right. */
    {"8,9", 0, ""},
};

static void test_absent(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "");
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(absent); i++) {
        const char *text = absent[i].text;
        size_t end = 99;
        int rc = xln_cpumap_parse(text, &node_cpus, 0, cpus, &end);

        if (!ok(rc == -ERANGE && end == absent[i].end,
                "\"%s\" names an absent one at %zu", text, absent[i].end))
            printf("# rc %d, offset %zu\n", rc, end);
        rc = xln_cpumap_parse(text, &node_cpus, SKIP, cpus, &end);
        ok(!rc && end == strlen(text) &&
               prints_as(xln_cpumap_bits(cpus), absent[i].skipped),
           "\"%s\" without the absent ones is {%s}", text, absent[i].skipped);
    }
    ok(xln_cpumap_parse("8,x", &node_cpus, 0, cpus, NULL) == -ERANGE &&
           xln_cpumap_parse("x,8", &node_cpus, 0, cpus, NULL) == -EINVAL,
       "of two errors the left one is told");
    xln_cpumap_free(cpus);
}

/* xl takes a turn for every number of a range. Here that'd be many seconds. */
static void test_absent_is_not_walked(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "");
    clock_t start = clock();
    int rc = xln_cpumap_parse("0-2147483647,^0-2147483647,1-2147483647,"
                              "node:0-2147483647,^node:0-2147483647,"
                              "node:5-2147483647,^node:9-2147483647,"
                              "node:0-2147483647,^node:1-2147483647",
                              &node_cpus, SKIP, cpus, NULL);

    ok(!rc && prints_as(xln_cpumap_bits(cpus), "0,2,4,6") &&
           clock() - start < CLOCKS_PER_SEC / 2,
       "ranges up to 2147483647 are read at once");
    xln_cpumap_free(cpus);
}

/* Where "node:" means nothing. */
static void test_without_nodes(void)
{
    static const struct xln_node_cpus none = {0, NULL};
    struct xln_cpumap *cpus = cpus_of(8, "");
    struct xln_nodemap *nodes;
    size_t end;

    must(xln_nodemap_new(8, &nodes));
    ok(xln_cpumap_parse("1,^node:1", NULL, SKIP, cpus, &end) == -EINVAL &&
           end == 3,
       "\"node:\" is malformed where no nodes are given");
    ok(xln_cpumap_parse("node:all", NULL, 0, cpus, &end) == -EINVAL && !end,
       "\"node:all\" is malformed where no nodes are given");
    ok(xln_nodemap_parse("nodes:0-1", 0, nodes, &end) == -EINVAL && !end,
       "\"nodes:\" is malformed in a list of nodes");
    ok(xln_cpumap_parse("node:0", &none, 0, cpus, &end) == -ERANGE &&
           end == 5 && !xln_cpumap_parse("node:0-9", &none, SKIP, cpus, &end),
       "a host without nodes lacks every node");

    ok(!xln_nodemap_parse("all,^1-2", 0, nodes, &end) && end == 8 &&
           prints_as(xln_nodemap_bits(nodes), "0,3-7"),
       "a list of nodes is otherwise like one of CPUs");
    ok(xln_nodemap_parse("0,8", 0, nodes, &end) == -ERANGE && end == 2,
       "a list of nodes names an absent node");
    ok(!xln_nodemap_parse("5-8", SKIP, nodes, &end) &&
           prints_as(xln_nodemap_bits(nodes), "5-7"),
       "absent nodes are skipped if asked for");
    xln_nodemap_free(nodes);
    xln_cpumap_free(cpus);
}

static void test_result(void)
{
    struct xln_cpumap *cpus = cpus_of(8, "0-7");
    size_t end = 99;

    ok(!xln_cpumap_parse("1", &node_cpus, 0, cpus, NULL) &&
           prints_as(xln_cpumap_bits(cpus), "1"),
       "what the set had before is gone");
    ok(xln_cpumap_parse("x", &node_cpus, 0, cpus, NULL) == -EINVAL,
       "a failure without end_r is told all the same");
    ok(xln_cpumap_parse("1", NULL, SKIP << 1, cpus, &end) == -EINVAL && !end,
       "a flag that doesn't exist is refused");
    xln_cpumap_free(cpus);
}

/* xl reads "node:1" through a set as wide as there are nodes: 64 bits. */
static void test_cpus_above_64(void)
{
    struct xln_cpumap *low = cpus_of(128, "0-63");
    struct xln_cpumap *high = cpus_of(128, "64-127");
    const struct xln_cpumap *sets[] = {low, high};
    struct xln_node_cpus two = {2, sets};
    struct xln_cpumap *cpus = cpus_of(128, "");
    struct xln_cpumap *narrow = cpus_of(64, "");

    ok(!xln_cpumap_parse("node:1", &two, 0, cpus, NULL) &&
           prints_as(xln_cpumap_bits(cpus), "64-127"),
       "on 128 CPUs and 2 nodes, \"node:1\" is 64-127");
    ok(!xln_cpumap_parse("all,^node:1", &two, 0, cpus, NULL) &&
           prints_as(xln_cpumap_bits(cpus), "0-63"),
       "on 128 CPUs and 2 nodes, \"all,^node:1\" is 0-63");
    ok(xln_cpumap_parse("node:1", &two, 0, narrow, NULL) == -ERANGE,
       "CPUs of a node that the set can't hold don't get lost unnoticed");
    xln_cpumap_free(narrow);
    xln_cpumap_free(cpus);
    xln_cpumap_free(high);
    xln_cpumap_free(low);
}

static void test_parsed_edges(unsigned width)
{
    struct xln_cpumap *cpus = cpus_of(width, "");
    char text[48];
    size_t end;

    ok(!xln_cpumap_parse("all", NULL, 0, cpus, NULL) &&
           xln_cpumap_count(cpus) == width,
       "width %u: \"all\" is every number", width);
    snprintf(text, sizeof(text), "0-%u,^%u", width - 1, width - 1);
    ok(!xln_cpumap_parse(text, NULL, 0, cpus, NULL) &&
           xln_cpumap_count(cpus) == width - 1 &&
           !xln_cpumap_test(cpus, width - 1),
       "width %u: \"%s\" lacks the last number", width, text);
    snprintf(text, sizeof(text), "0-%u", width);
    ok(xln_cpumap_parse(text, NULL, 0, cpus, &end) == -ERANGE && end == 2,
       "width %u: \"%s\" goes beyond", width, text);
    ok(!xln_cpumap_parse(text, NULL, SKIP, cpus, &end) &&
           xln_cpumap_count(cpus) == width &&
           xln_cpumap_next(cpus, width) == XLN_NONE,
       "width %u: \"%s\" can be cut to the width", width, text);
    xln_cpumap_free(cpus);
}

/* ------------------------------------------------------------------ */
/* The parser, against the grammar                                     */
/* ------------------------------------------------------------------ */

/*
 * A second parser, written from the grammar in libxl_numa.h with no thought
 * of speed: an element is what a regular expression says, and every number of
 * the set is asked whether the element means it.
 */
#define NAIVE_CPUS 8
#define NUMBER "[[:space:]]*[+]?([0-9]+)"

static int naive_change(bool *members, unsigned long long first,
                        unsigned long long last, bool nodes, bool add,
                        unsigned flags)
{
    unsigned limit = nodes ? NR_NODES : NAIVE_CPUS, i, cpu;
    bool lacking = last >= limit;

    for (i = 0; i < limit; i++) {
        if (i < first || i > last)
            continue;
        if (!nodes)
            members[i] = add;
        else if (!node_sets[i])
            lacking = true;
        else
            for (cpu = 0; cpu < xln_cpumap_nr_bits(node_sets[i]); cpu++) {
                bool member = xln_cpumap_test(node_sets[i], cpu);

                if (member && cpu < NAIVE_CPUS)
                    members[cpu] = add;
                lacking = lacking || (member && cpu >= NAIVE_CPUS);
            }
    }
    return lacking && !(flags & SKIP) ? -ERANGE : 0;
}

static int naive_elem(const regex_t *regex, const char *elem, bool have_nodes,
                      unsigned flags, bool *members)
{
    regmatch_t match[7];
    unsigned long long first, last;
    bool nodes, add;

    if (regexec(regex, elem, ARRAY_SIZE(match), match, 0))
        return -EINVAL;
    add = match[1].rm_so < 0;
    nodes = match[2].rm_so >= 0;
    if (nodes && !have_nodes)
        return -EINVAL;
    if (match[4].rm_so < 0) {
        memset(members, true, NAIVE_CPUS);
        return add ? 0 : -EINVAL;
    }
    first = last = strtoull(elem + match[4].rm_so, NULL, 10);
    if (match[6].rm_so >= 0)
        last = strtoull(elem + match[6].rm_so, NULL, 10);
    if (first > INT_MAX || last > INT_MAX || last < first)
        return -EINVAL;
    return naive_change(members, first, last, nodes, add, flags);
}

/* Returns which byte the wrong element starts at, in *elem_r. */
static int naive_parse(const regex_t *regex, const char *text, bool have_nodes,
                       unsigned flags, bool *members, size_t *elem_r)
{
    char elem[128];
    size_t at = 0, len;
    int rc = 0;

    memset(members, false, NAIVE_CPUS);
    for (;;) {
        len = strcspn(text + at, ",");
        snprintf(elem, sizeof(elem), "%.*s", (int)len, text + at);
        if (len)
            rc = naive_elem(regex, elem, have_nodes, flags, members);
        *elem_r = at;
        if (rc || !text[at + len])
            return rc;
        at += len + 1;
    }
}

/* Half of the texts are of whole tokens, as few others would be lists. */
static void random_text(char *text, size_t size)
{
    static const char alphabet[] = "0123456789,-^ +nodes:al";
    static const char *const tokens[] = {
        "node:", "nodes:", "all", ",", ",", ",",          ",",          "^",
        "-",     "-",      "+",   " ", "0", "1",          "2",          "3",
        "4",     "5",      "6",   "7", "8", "2147483647", "4294967297",
    };
    bool by_token = random_below(2);
    unsigned left = random_below(by_token ? 10 : 8);
    size_t len = 0;

    text[0] = '\0';
    while (left--) {
        char letter[2] = {alphabet[random_below(sizeof(alphabet) - 1)]};

        len += snprintf(text + len, size - len, "%s",
                        by_token ? tokens[random_below(ARRAY_SIZE(tokens))]
                                 : letter);
    }
}

/* Same result, same members, and an offset within the wrong element. */
static bool agree(const regex_t *regex, const char *text,
                  struct xln_cpumap *cpus, bool have_nodes, unsigned flags,
                  int *rc_r)
{
    bool members[NAIVE_CPUS];
    size_t elem, end = SIZE_MAX;
    int expected = naive_parse(regex, text, have_nodes, flags, members, &elem);
    int rc = xln_cpumap_parse(text, have_nodes ? &node_cpus : NULL, flags, cpus,
                              &end);

    *rc_r = rc;
    if (rc != expected)
        return false;
    if (rc)
        return end >= elem && end <= elem + strcspn(text + elem, ",");
    return end == strlen(text) && has_members(xln_cpumap_bits(cpus), members);
}

static void test_random_texts(unsigned nr_texts)
{
    struct xln_cpumap *cpus = cpus_of(NAIVE_CPUS, "");
    unsigned i, nr_valid = 0, nr_malformed = 0, nr_absent = 0, nr_wrong = 0;
    regex_t regex;

    must(regcomp(&regex, "^(\\^)?(nodes?:)?(all|" NUMBER "(-" NUMBER ")?)$",
                 REG_EXTENDED)
             ? -EINVAL
             : 0);
    for (i = 0; i < nr_texts; i++) {
        char text[128];
        bool have_nodes = random_below(4);
        unsigned flags = random_below(2) ? SKIP : 0;
        int rc;

        random_text(text, sizeof(text));
        if (!agree(&regex, text, cpus, have_nodes, flags, &rc)) {
            nr_wrong++;
            printf("# \"%s\", flags %u, %s nodes: %d\n", text, flags,
                   have_nodes ? "with" : "without", rc);
        }
        nr_valid += !rc;
        nr_malformed += rc == -EINVAL;
        nr_absent += rc == -ERANGE;
    }
    ok(!nr_wrong, "%u random texts are read as the grammar has it", nr_texts);
    if (!ok(nr_valid > nr_texts / 10 && nr_malformed > nr_texts / 10 &&
                nr_absent > nr_texts / 100,
            "the random texts are of every kind"))
        printf("# %u valid, %u malformed, %u absent\n", nr_valid, nr_malformed,
               nr_absent);
    regfree(&regex);
    xln_cpumap_free(cpus);
}

int main(void)
{
    static const unsigned widths[] = {1, 63, 64, 65, 128, 1000, 65536};
    unsigned i;

    make_nodes();
    test_bounds();
    for (i = 0; i < ARRAY_SIZE(widths); i++) {
        test_edges(widths[i]);
        test_fill(widths[i]);
        test_parsed_edges(widths[i]);
        test_random_sets(widths[i], widths[i] > 1000 ? 8 : 332);
    }
    test_longest_text();
    test_format();
    test_pairs();
    test_with_itself();
    test_or_leaves_no_residue();
    test_walk();
    test_accepted();
    test_malformed();
    test_absent();
    test_absent_is_not_walked();
    test_without_nodes();
    test_result();
    test_cpus_above_64();
    test_random_texts(20000);
    free_nodes();
    return tap_done();
}
