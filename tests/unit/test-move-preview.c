/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `xl -N numa-move` says: from where to where, how much, for how long the
 * domain would be suspended, what it keeps and what changes.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "commands/move_preview.h"
#include "tap.h"

#define NR_CPUS 8
#define NR_VCPUS 3

/* Of the commands, where its memory is. */
void guest_print_bytes(const struct guest *guest,
                       const struct xln_nodemap *nodes, FILE *f)
{
    (void)guest;
    (void)nodes;
    fputs("24 MiB on node 1", f);
}

/* ---- a guest, and its copy ---- */

static struct xln_nodemap *nodes_of(const char *text)
{
    struct xln_nodemap *nodes;

    must(xln_nodemap_new(4, &nodes));
    must(xln_nodemap_parse(text, 0, nodes, NULL));
    return nodes;
}

static struct xln_cpumap *cpus_of(const char *text)
{
    struct xln_cpumap *cpus;

    must(xln_cpumap_new(NR_CPUS, &cpus));
    must(xln_cpumap_parse(text, NULL, 0, cpus, NULL));
    return cpus;
}

/* "0-7" is what Xen has of a vCPU that is bound nowhere. */
static const char *const hard[] = { "2-3", "2-3", "0-7" },
                  *const soft[] = { "0-7", "2-3", "2-3" };

struct setting {
    struct guest guest;
    struct xln_domain domain;
    struct xln_vcpu vcpus[NR_VCPUS];
    libxl_domain_config *config;
    libxl_bitmap hard[NR_VCPUS], soft[NR_VCPUS];
    struct keep keep;
};

static void fill_map(libxl_bitmap *map, unsigned bits)
{
    map->size = 1;
    map->map = calloc(1, 1);
    must(map->map ? 0 : -ENOMEM);
    *map->map = bits;
}

/* The copy of a domain on node 1 (CPUs 2-3), on node 2 (CPUs 4-5). */
static void make(struct setting *s)
{
    static char name[] = "web", pool[] = "qa", wanted[] = "2";
    unsigned i;

    memset(s, 0, sizeof(*s));
    s->config = calloc(1, sizeof(*s->config));
    must(s->config ? 0 : -ENOMEM);
    s->guest = (struct guest){ .domid = 5, .name = name, .domain = &s->domain };
    s->domain = (struct xln_domain){
        .domid = 5, .memory_bytes = 24 << 20, .nodes = nodes_of("1"),
        .nr_vcpus = NR_VCPUS, .vcpus = s->vcpus,
    };
    s->keep = (struct keep){ .pool = pool, .nodes = wanted };
    for (i = 0; i < NR_VCPUS; i++) {
        s->vcpus[i].exists = true;
        s->vcpus[i].hard = cpus_of(hard[i]);
        s->vcpus[i].soft = cpus_of(soft[i]);
        fill_map(&s->soft[i], 0x30);
    }
    fill_map(&s->hard[0], 0x0c);
    fill_map(&s->hard[1], 0xff);
    s->config->b_info.vcpu_hard_affinity = s->hard;
    s->config->b_info.num_vcpu_hard_affinity = 2;
    s->config->b_info.vcpu_soft_affinity = s->soft;
    s->config->b_info.num_vcpu_soft_affinity = NR_VCPUS;
}

static void dispose(struct setting *s)
{
    unsigned i;

    for (i = 0; i < NR_VCPUS; i++) {
        xln_cpumap_free(s->vcpus[i].hard);
        xln_cpumap_free(s->vcpus[i].soft);
        free(s->hard[i].map);
        free(s->soft[i].map);
    }
    xln_nodemap_free(s->domain.nodes);
    free(s->config);
}

/* ---- the lines ---- */

static char *printed(const struct setting *s, bool only_live)
{
    struct xln_nodemap *to = nodes_of("2");
    char *text;

    must(move_preview(&s->guest, to, s->config, &s->keep, only_live, &text));
    xln_nodemap_free(to);
    return text;
}

static void has_line(const char *text, const char *pattern, const char *what)
{
    char *copy = strdup(text), *line, *rest;
    bool found = false;

    must(copy ? 0 : -ENOMEM);
    for (line = strtok_r(copy, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest))
        found |= !fnmatch(pattern, line, 0);
    if (!ok(found, "%s", what))
        printf("# no line: %s\n# in: %s\n", pattern, text);
    free(copy);
}

static void test_preview(void)
{
    struct setting s;
    char *text;

    make(&s);
    text = printed(&s, false);
    has_line(text, "'web' (domain 5): 24 MiB on node 1 (by its node affinity) "
             "would move to node 2",
                 "the preview says how much memory moves, and from where to "
                 "where");
    has_line(text, "'web': suspended for about [0-9]*.[0-9] s; [0-9]*.[0-9] s "
             "if it writes to all of its memory meanwhile (estimated: copied "
             "at [0-9]* MiB/s, a third of what a pipe carries here)",
             "the preview says how long the guest is suspended");
    has_line(text, "'web': stays: cpupool 'qa'",
             "the preview says that the cpupool stays");
    has_line(text, "'web': stays: hard affinity of vCPU 0: CPUs 2-3",
             "the preview says that a pin stays");
    has_line(text, "'web': changes: hard affinity of vCPU 1: from CPUs 2-3 to "
             "all CPUs", "the preview names a pin that is lost");
    has_line(text, "'web': changes: soft affinity of vCPU 0: from all CPUs to "
             "CPUs 4-5", "the preview says what a vCPU prefers afterwards");
    has_line(text, "'web': changes: soft affinity of vCPUs 1-2: from CPUs 2-3 "
             "to CPUs 4-5", "vCPUs with the same change are one line");
    has_line(text, "'web': changes: its number, 5, and the nodes that it asks "
             "for from then on: 2",
                 "the preview names the new request, and the number that "
                 "changes");
    ok(!strstr(text, "vCPU 2: "), "a vCPU that stays unbound has no line");
    free(text);
    dispose(&s);
}

static void test_pv(void)
{
    uint64_t bytes[4] = { 0 };
    struct setting s;
    char *text;

    make(&s);
    s.domain.is_pv = true;
    s.guest.bytes = bytes;
    text = printed(&s, false);
    has_line(text, "*meanwhile, or if Xen cannot move this PV domain live (*",
             "a PV domain may be suspended all the time");
    has_line(text, "'web' (domain 5): 24 MiB on node 1 would move to node 2",
             "the preview says where the memory is if that was recorded");
    free(text);
    text = printed(&s, true);
    ok(!strstr(text, "cannot move this PV"),
       "with --live no line says that the move cannot be live");
    free(text);
    dispose(&s);
}

static void test_estimate(void)
{
    struct move_pause small, large, whole;

    move_pause_estimate(0, true, &small);
    move_pause_estimate(UINT64_C(1) << 36, true, &large);
    move_pause_estimate(UINT64_C(1) << 36, false, &whole);
    ok(small.least_s > 0 && small.least_s == small.most_s,
       "without memory both estimates are the shortest time");
    ok(large.least_s == small.least_s && large.most_s > small.most_s,
       "more memory raises the longer estimate only");
    ok(whole.least_s == whole.most_s,
       "a move that is not live suspends the guest for the whole copy");
}

int main(void)
{
    test_preview();
    test_pv();
    test_estimate();
    return tap_done();
}
