/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "move_preview.h"
#include "text/clock.h"
#include "text/units.h"

struct preview {
    const struct guest *guest;
    FILE *f;
    int rc;                     /* what went wrong */
};

/* ---- how long ---- */

#define ROUNDS 4096
/*
 * In addition to the pipe, each page is mapped and copied by the sender and by
 * the receiver.
 */
#define PIPE_SHARE 3
/* The time to suspend a domain and to start its copy, however small it is. */
#define LEAST_S 0.3

/* A page at a time, because no pipe holds less. 0: the speed is not known. */
static double pipe_mib_s(void)
{
    char page[PAGE_BYTES] = "";
    int fds[2];
    unsigned i = 0;
    double began_s, took_s;

    if (pipe(fds))
        return 0;
    began_s = clock_s(CLOCK_MONOTONIC);
    while (i < ROUNDS && write(fds[1], page, sizeof(page)) == sizeof(page) &&
           read(fds[0], page, sizeof(page)) == sizeof(page))
        i++;
    took_s = clock_s(CLOCK_MONOTONIC) - began_s;
    close(fds[0]);
    close(fds[1]);
    return i == ROUNDS && took_s > 0
               ? ROUNDS * sizeof(page) / took_s / MIB
               : 0;
}

void move_pause_estimate(uint64_t bytes, bool live, struct move_pause *pause)
{
    double all_s;

    pause->rate_mib_s = pipe_mib_s() / PIPE_SHARE;
    all_s = pause->rate_mib_s > 0 ? bytes / (double)MIB / pause->rate_mib_s : 0;
    pause->most_s = LEAST_S + all_s;
    pause->least_s = live ? LEAST_S : pause->most_s;
}

static void print_pause(const struct preview *p, bool only_live)
{
    const struct xln_domain *domain = p->guest->domain;
    struct move_pause pause;

    move_pause_estimate(domain->memory_bytes, true, &pause);
    if (pause.rate_mib_s <= 0) {
        fprintf(p->f, "'%s': how long it would be suspended is unknown\n",
                p->guest->name);
        return;
    }
    fprintf(p->f, "'%s': suspended for about %.1f s; %.1f s if it writes to "
                  "all of its memory meanwhile", p->guest->name, pause.least_s,
            pause.most_s);
    if (domain->is_pv && !only_live)
        fputs(", or if Xen cannot move this PV domain live", p->f);
    fprintf(p->f, " (estimated: copied at %.0f MiB/s, a third of what a pipe "
                  "carries here)\n", pause.rate_mib_s);
}

/* ---- from where to where ---- */

static void print_nodes(struct preview *p, const struct xln_nodemap *nodes)
{
    char *set;

    if (xln_nodemap_format(nodes, &set)) {
        p->rc = -ENOMEM;
        return;
    }
    fprintf(p->f, "node%s %s", xln_nodemap_count(nodes) == 1 ? "" : "s", set);
    free(set);
}

static void print_way(struct preview *p, const struct xln_nodemap *to)
{
    const struct guest *guest = p->guest;

    fprintf(p->f, "'%s' (domain %" PRIu32 "): ", guest->name, guest->domid);
    if (guest->bytes) {
        guest_print_bytes(guest, NULL, p->f);
    } else {
        fprintf(p->f, "%" PRIu64 " MiB on ",
                IN_MIB(guest->domain->memory_bytes));
        print_nodes(p, guest->domain->nodes);
        fputs(" (by its node affinity)", p->f);
    }
    fputs(" would move to ", p->f);
    print_nodes(p, to);
    fputs("\n", p->f);
}

/* ---- affinities ---- */

#define ALL "all CPUs"

/* "CPUs 2-3"; NULL: no memory. */
static char *cpus_text(const struct xln_cpumap *cpus)
{
    char *set, *text;

    if (xln_cpumap_count(cpus) == xln_cpumap_nr_bits(cpus))
        return strdup(ALL);
    if (xln_cpumap_format(cpus, &set))
        return NULL;
    if (asprintf(&text, "CPUs %s", set) < 0)
        text = NULL;
    free(set);
    return text;
}

/* The affinities of the copy; a vCPU without a map may run anywhere. */
static char *planned_text(const libxl_bitmap *maps, int nr_maps, unsigned vcpu,
                          unsigned nr_cpus)
{
    struct xln_cpumap *cpus;
    char *text = NULL;
    unsigned cpu;

    if (xln_cpumap_new(nr_cpus, &cpus))
        return NULL;
    for (cpu = 0; cpu < nr_cpus; cpu++)
        if ((int)vcpu >= nr_maps || libxl_bitmap_test(&maps[vcpu], cpu))
            xln_cpumap_set(cpus, cpu);
    text = cpus_text(cpus);
    xln_cpumap_free(cpus);
    return text;
}

/* The vCPUs for which the same holds. */
struct row {
    const char *kind;
    char *from, *to;            /* NULL: none yet */
    unsigned first, last;
};

static void print_row(const struct preview *p, const struct row *r)
{
    bool same = !strcmp(r->from, r->to);

    if (same && !strcmp(r->from, ALL))
        return;
    fprintf(p->f, "'%s': %s: %s affinity of vCPU", p->guest->name,
            same ? "stays" : "changes", r->kind);
    if (r->first == r->last)
        fprintf(p->f, " %u: ", r->first);
    else
        fprintf(p->f, "s %u-%u: ", r->first, r->last);
    if (same)
        fprintf(p->f, "%s\n", r->to);
    else
        fprintf(p->f, "from %s to %s\n", r->from, r->to);
}

static void end_row(const struct preview *p, struct row *r)
{
    if (r->from)
        print_row(p, r);
    free(r->from);
    free(r->to);
    r->from = r->to = NULL;
}

/* Takes the texts. */
static void add_vcpu(struct preview *p, struct row *r, unsigned vcpu,
                     char *from, char *to)
{
    if (!from || !to) {
        p->rc = -ENOMEM;
        free(from);
        free(to);
        return;
    }
    if (r->from && r->last + 1 == vcpu && !strcmp(from, r->from) &&
        !strcmp(to, r->to)) {
        free(from);
        free(to);
    } else {
        end_row(p, r);
        r->from = from;
        r->to = to;
        r->first = vcpu;
    }
    r->last = vcpu;
}

static void print_affinity(struct preview *p, bool hard,
                           const libxl_bitmap *maps, int nr_maps)
{
    const struct xln_domain *domain = p->guest->domain;
    struct row r = { .kind = hard ? "hard" : "soft" };
    unsigned vcpu;

    for (vcpu = 0; vcpu < domain->nr_vcpus; vcpu++) {
        const struct xln_vcpu *v = &domain->vcpus[vcpu];
        const struct xln_cpumap *cpus = hard ? v->hard : v->soft;

        if (v->exists)
            add_vcpu(p, &r, vcpu, cpus_text(cpus),
                     planned_text(maps, nr_maps, vcpu,
                                  xln_cpumap_nr_bits(cpus)));
    }
    end_row(p, &r);
}

/* ---- the whole ---- */

int move_preview(const struct guest *guest, const struct xln_nodemap *to,
                 const libxl_domain_config *config, const struct keep *keep,
                 bool only_live, char **text_r)
{
    const libxl_domain_build_info *info = &config->b_info;
    struct preview p = { .guest = guest };
    char *text = NULL;
    size_t size;

    p.f = open_memstream(&text, &size);
    if (!p.f)
        return -ENOMEM;
    print_way(&p, to);
    print_pause(&p, only_live);
    if (keep->pool)
        fprintf(p.f, "'%s': stays: cpupool '%s'\n", guest->name, keep->pool);
    print_affinity(&p, true, info->vcpu_hard_affinity,
                   info->num_vcpu_hard_affinity);
    print_affinity(&p, false, info->vcpu_soft_affinity,
                   info->num_vcpu_soft_affinity);
    fprintf(p.f, "'%s': changes: its number, %" PRIu32 ", and the nodes that "
                 "it asks for from then on: %s\n", guest->name, guest->domid,
            keep->nodes ? keep->nodes : "auto");
    /* Without memory to end it, the stream leaves NULL. */
    if (fclose(p.f) || !text)
        p.rc = -ENOMEM;
    if (p.rc)
        free(text);
    else
        *text_r = text;
    return p.rc;
}
