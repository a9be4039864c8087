/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl vcpu-pin: as the installed xl's, on a parser that loses no CPU and takes
 * no number for another; and it says when the memory stays behind.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>

#include "cmd.h"
#include "guest.h"
#include "guest_json.h"
#include "plans/cpu_masks.h"

#define OPT_KEEP OPT_OWN

/* The arguments of the command line. */
struct pinning {
    bool all_vcpus, force;
    unsigned long vcpu;
    const char *hard_text;
    struct xln_cpumap *hard, *soft;     /* NULL: left alone */
};

/* ---- sets of CPUs ---- */

static bool parse_cpus(const struct guest *guest, const char *text,
                       struct xln_cpumap **cpus_r)
{
    struct xln_cpumap *cpus;
    size_t end;
    int rc;

    rc = xln_cpumap_new(xln_host_nr_cpus(guest->host), &cpus);
    if (rc) {
        complain("%s", strerror(-rc));
        return false;
    }
    rc = xln_cpumap_parse(text, xln_host_node_cpus(guest->host),
                          XLN_PARSE_SKIP_ABSENT, cpus, &end);
    if (!rc) {
        *cpus_r = cpus;
        return true;
    }
    xln_cpumap_free(cpus);
    complain("'%s': wrong at offset %zu: expected CPUs such as '0-3,^1', "
             "'node:1' or 'all'", text, end);
    return false;
}

/* "-" leaves the affinity alone. */
static bool read_affinity(const struct guest *guest, const char *text,
                          struct xln_cpumap **cpus_r)
{
    return !strcmp(text, "-") || parse_cpus(guest, text, cpus_r);
}

/* In the form of the installed xl. */
static void print_cpus(const struct xln_cpumap *cpus)
{
    char *set;

    if (!cpus) {
        fputs("-", stdout);
    } else if (xln_cpumap_is_empty(cpus)) {
        fputs("none", stdout);
    } else if (xln_cpumap_count(cpus) == xln_cpumap_nr_bits(cpus)) {
        fputs("all", stdout);
    } else if (!xln_cpumap_format(cpus, &set)) {
        fputs(set, stdout);
        free(set);
    }
}

static int print_pinning(const struct pinning *p)
{
    fputs("cpumap: ", stdout);
    print_cpus(p->hard);
    if (p->soft) {
        fputs(" ", stdout);
        print_cpus(p->soft);
    }
    fputs("\n", stdout);
    return EXIT_SUCCESS;
}

/* ---- the masks in xl.conf ---- */

static bool apply_mask(const struct cpu_mask *mask, struct pinning *p)
{
    xln_cpumap_and(p->hard, mask->cpus);
    if (!xln_cpumap_is_empty(p->hard))
        return true;
    complain("'%s': nothing is left of it by %s='%s' in " XL_CONF
             ": -i ignores that", p->hard_text, mask->key, mask->text);
    return false;
}

static bool apply_masks(const struct guest *guest, struct pinning *p)
{
    struct cpu_masks masks;
    char *error;
    unsigned i;
    int rc = cpu_masks_read(guest->host, &masks, &error);
    bool good = !rc;

    if (rc)
        complain("%s: -i ignores that", error ? error : strerror(-rc));
    for (i = 0; i < masks.nr && good; i++)
        if (guest->domain->is_pv ? masks.list[i].of_pv
                                 : masks.list[i].of_others)
            good = apply_mask(&masks.list[i], p);
    cpu_masks_dispose(&masks);
    free(error);
    return good;
}

/* ---- checking ---- */

static bool has_vcpu(const struct guest *guest, unsigned long vcpu)
{
    return vcpu < guest->domain->nr_vcpus && guest->domain->vcpus[vcpu].exists;
}

static bool check_vcpu(const struct guest *guest, const struct pinning *p)
{
    unsigned nr = guest->domain->nr_vcpus;

    if (nr && (p->all_vcpus || has_vcpu(guest, p->vcpu)))
        return true;
    if (!nr)
        complain("'%s' has no vCPU yet", guest->name);
    else
        complain("'%s' has no vCPU %lu: expected 0 to %u, or 'all'",
                 guest->name, p->vcpu, nr - 1);
    return false;
}

static void complain_of_cpus(const struct guest *guest, const char *cause,
                             const struct pinning *p,
                             const struct xln_cpumap *right)
{
    char *set = NULL;

    if (xln_cpumap_format(right, &set))
        set = NULL;
    complain("'%s': %s: expected some of CPUs %s, where '%s' may run",
             p->hard_text, cause, set ? set : "", guest->name);
    free(set);
}

static bool check_hard(const struct guest *guest, const struct pinning *p)
{
    if (!p->hard || xln_cpumap_intersects(p->hard, guest->pool_cpus))
        return true;
    complain_of_cpus(guest, xln_cpumap_is_empty(p->hard)
                                ? "no CPU of this host"
                                : "no CPU of the domain's cpupool",
                     p, guest->pool_cpus);
    return false;
}

/* ---- pinning ---- */

static int pin(const struct cmd_line *line, const struct guest *guest,
               unsigned vcpu, const struct pinning *p)
{
    int rc = xln_vcpu_pin(line->xch, guest->domid, vcpu, p->hard, p->soft,
                          p->force);

    if (rc)
        complain("cannot pin vCPU %u of '%s': %s", vcpu, guest->name,
                 guest_reason(rc));
    return rc;
}

static bool pin_vcpus(const struct cmd_line *line, const struct guest *guest,
                      const struct pinning *p)
{
    bool good = true;
    unsigned vcpu;
    int rc = 0;

    if (!p->all_vcpus)
        return !pin(line, guest, p->vcpu, p);
    /* If the domain has ended, one line is enough. */
    for (vcpu = 0; vcpu < guest->domain->nr_vcpus && rc != -ESRCH; vcpu++) {
        if (!has_vcpu(guest, vcpu))
            continue;
        rc = pin(line, guest, vcpu, p);
        good &= !rc;
    }
    return good;
}

/* With core scheduling all vCPUs of a unit have one affinity. */
static bool is_pinned(const struct guest *guest, const struct pinning *p,
                      unsigned vcpu)
{
    unsigned size = xln_host_unit_size(guest->host, guest->pool_cpus);

    return has_vcpu(guest, vcpu) &&
           (p->all_vcpus || vcpu / size == p->vcpu / size);
}

static int note(struct keep *keep, const struct guest *guest, const void *what)
{
    const struct pinning *p = what;
    unsigned vcpu;
    int rc = 0;

    for (vcpu = 0; vcpu < guest->domain->nr_vcpus && !rc; vcpu++)
        if (is_pinned(guest, p, vcpu))
            rc = guest_note_vcpu(keep, vcpu, p->hard, p->soft);
    return rc;
}

static bool has_soft_effect(const struct guest *guest, const struct xln_vcpu *v)
{
    unsigned cpu;

    XLN_FOREACH(xln_cpumap, cpu, v->soft)
        if (xln_cpumap_test(v->hard, cpu) &&
            xln_cpumap_test(guest->pool_cpus, cpu))
            return true;
    return false;
}

static bool lacks_soft_effect(const struct guest *guest,
                              const struct pinning *p, unsigned vcpu)
{
    return has_vcpu(guest, vcpu) && (p->all_vcpus || vcpu == p->vcpu) &&
           !has_soft_effect(guest, &guest->domain->vcpus[vcpu]);
}

/* The installed xl can set such a soft affinity, too. It gets one line for all
 * vCPUs, because there may be hundreds. */
static void warn_no_effect(const struct guest *guest, const struct pinning *p)
{
    unsigned nr = guest->domain->nr_vcpus, vcpu;
    struct xln_bitmap *vcpus;
    char *set;

    if (!p->soft || xln_bitmap_new(nr, &vcpus))
        return;
    for (vcpu = 0; vcpu < nr; vcpu++)
        if (lacks_soft_effect(guest, p, vcpu))
            xln_bitmap_set(vcpus, vcpu);
    if (!xln_bitmap_is_empty(vcpus) && !xln_bitmap_format(vcpus, &set)) {
        complain("warning: '%s': soft affinity of vCPU%s %s: none of these "
                 "CPUs may be used: it has no effect", guest->name,
                 xln_bitmap_count(vcpus) == 1 ? "" : "s", set);
        free(set);
    }
    xln_bitmap_free(vcpus);
}

/* Which others get the affinity too, and what it means in whole units. */
static void warn_together(const struct guest *guest, const struct pinning *p)
{
    unsigned nr = guest->domain->nr_vcpus, vcpu;
    struct xln_bitmap *others;
    char *set;

    if (p->all_vcpus || xln_bitmap_new(nr, &others))
        return;
    for (vcpu = 0; vcpu < nr; vcpu++)
        if (vcpu != p->vcpu && is_pinned(guest, p, vcpu))
            xln_bitmap_set(others, vcpu);
    if (!xln_bitmap_is_empty(others) && !xln_bitmap_format(others, &set)) {
        complain("warning: '%s': core scheduling: vCPU%s %s %s scheduled "
                 "together with vCPU %lu, and now %s the same affinity",
                 guest->name, xln_bitmap_count(others) == 1 ? "" : "s", set,
                 xln_bitmap_count(others) == 1 ? "is" : "are", p->vcpu,
                 xln_bitmap_count(others) == 1 ? "has" : "have");
        free(set);
    }
    xln_bitmap_free(others);
}

static void warn_whole(const struct guest *guest, const struct pinning *p)
{
    struct xln_cpumap *asked, *whole = NULL;
    char *set;

    if (!p->hard || xln_cpumap_copy(guest->pool_cpus, &asked))
        return;
    xln_cpumap_and(asked, p->hard);
    if (!xln_cpumap_copy(asked, &whole))
        xln_host_whole_units(guest->host, whole);
    if (whole && !xln_cpumap_equal(whole, asked) &&
        !xln_cpumap_format(whole, &set)) {
        complain("warning: '%s': core scheduling: in effect the hard affinity "
                 "is CPUs %s", guest->name, set);
        free(set);
    }
    xln_cpumap_free(asked);
    xln_cpumap_free(whole);
}

/* Xen refuses an affinity without the first CPU of any unit. */
static bool check_units(const struct guest *guest, const struct pinning *p)
{
    struct xln_cpumap *cpus;
    bool good;

    if (!p->hard || xln_cpumap_copy(guest->pool_cpus, &cpus))
        return true;
    xln_cpumap_and(cpus, p->hard);
    good = xln_cpumap_is_empty(cpus);
    xln_host_whole_units(guest->host, cpus);
    good = good || !xln_cpumap_is_empty(cpus);
    if (!good)
        complain("'%s': core scheduling: Xen takes each %u CPUs as one, by the "
                 "first of them: expected one of these", p->hard_text,
                 xln_host_unit_size(guest->host, guest->pool_cpus));
    xln_cpumap_free(cpus);
    return good;
}

/* If the domain has ended meanwhile, there is nothing to print, and the command
 * has not failed. */
static int tell(const struct cmd_line *line, struct guest *guest,
                const struct pinning *p)
{
    int rc = guest_refresh(line, guest);

    if (rc && cmd_value(line, OPT_JSON)) {
        complain("'%s' is changed, but cannot be read: %s", guest->name,
                 guest_reason(rc));
        return EXIT_FAILURE;
    }
    if (rc)
        return EXIT_SUCCESS;
    warn_no_effect(guest, p);
    warn_together(guest, p);
    warn_whole(guest, p);
    guest_warn_remote(guest);
    return cmd_value(line, OPT_JSON) ? guest_print_json(line, guest, NULL)
                                     : EXIT_SUCCESS;
}

static int pin_and_warn(struct cmd_line *line, struct guest *guest,
                        struct pinning *p)
{
    bool keep = cmd_value(line, OPT_KEEP);

    if (keep && !guest_can_keep(line, guest))
        return EXIT_FAILURE;
    if (!check_vcpu(guest, p) || !check_hard(guest, p))
        return EXIT_FAILURE;
    if (p->hard && !cmd_value(line, 'i') && !apply_masks(guest, p))
        return EXIT_FAILURE;
    if (!check_hard(guest, p) || !check_units(guest, p) ||
        !pin_vcpus(line, guest, p))
        return EXIT_FAILURE;
    if (keep && !guest_keep(line, guest, note, p))
        return EXIT_FAILURE;
    return tell(line, guest, p);
}

/* ---- the command line ---- */

static bool read_vcpu(const char *word, struct pinning *p)
{
    p->all_vcpus = !strcmp(word, "all");
    if (!p->all_vcpus && !cmd_number(word, UINT32_MAX, &p->vcpu)) {
        complain("'%s' is not a vCPU: expected a number or 'all'", word);
        return false;
    }
    if (p->all_vcpus && p->force) {
        complain("--force works for one vCPU, not for 'all'");
        return false;
    }
    return true;
}

static int read_and_pin(struct cmd_line *line, struct guest *guest,
                        struct pinning *p)
{
    p->force = cmd_value(line, 'f');
    p->hard_text = line->args[2];
    if (!read_vcpu(line->args[1], p) ||
        !read_affinity(guest, line->args[2], &p->hard) ||
        (line->nr_args > 3 && !read_affinity(guest, line->args[3], &p->soft)))
        return EXIT_FAILURE;
    if (line->dry_run)
        return print_pinning(p);
    if (!p->hard && !p->soft && !p->force) {
        complain("nothing to do: expected a hard or a soft affinity that is "
                 "not '-'");
        return EXIT_FAILURE;
    }
    return pin_and_warn(line, guest, p);
}

static int run(struct cmd_line *line)
{
    struct pinning p = { 0 };
    struct guest guest;
    int code = guest_check_json(line);

    if (code)
        return code;
    if (!cmd_open_xen(line) || !guest_open(line, line->args[0], &guest))
        return EXIT_FAILURE;
    code = read_and_pin(line, &guest, &p);
    xln_cpumap_free(p.hard);
    xln_cpumap_free(p.soft);
    guest_close(&guest);
    return code;
}

static const struct cmd_option options[] = {
    { "force", 'f', NULL, "also end a temporary pinning by Xen itself" },
    { "ignore-global-affinity-masks", 'i', NULL,
      "ignore vm.cpumask and similar keys of xl.conf" },
    { "keep", OPT_KEEP, NULL, "keep it when the domain reboots or migrates" },
    JSON_OPTION,
    { 0 }
};

const struct cmd cmd_vcpu_pin = {
    .name = "vcpu-pin",
    .args = "[OPTIONS] DOMAIN VCPU|all HARD|-|all [SOFT|-|all]",
    .summary = "set which CPUs a vCPU may use, and which it prefers",
    .examples =
        "  xl vcpu-pin web all - node:2\n"
        "  xl vcpu-pin --keep web 0 8-15 8-11\n",
    .min_args = 3,
    .max_args = 4,
    .options = options,
    .options_first = true,
    .run = run,
};
