/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-stat: which domain has how much memory on which node. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "ends.h"
#include "monitoring.h"
#include "text/units.h"
#include "views/survey.h"

#define OPT_PAGES (OPT_OWN + 0)
#define OPT_SAMPLES (OPT_OWN + 1)
#define OPT_INTERVAL (OPT_OWN + 2)
#define OPT_WATCH (OPT_OWN + 3)
#define OPT_COUNT (OPT_OWN + 4)
#define OPT_HOST (OPT_OWN + 5)
#define OPT_OPENMETRICS (OPT_OWN + 6)
#define OPT_ALARM (OPT_OWN + 7)

#define INTERVAL_MIN 0.01
#define INTERVAL_MAX 86400
#define SAMPLES_MAX 1000000

static const struct cmd_option opts[] = {
    { "pages", OPT_PAGES, NULL, "have Xen count every page now: costly" },
    { "samples", OPT_SAMPLES, "N", "sample N times where the vCPUs run" },
    { "interval", OPT_INTERVAL, "SECONDS", "time between samples, or "
                                           "tables (1)" },
    { "watch", OPT_WATCH, NULL, "print the table again and again" },
    { "count", OPT_COUNT, "N", "end after N tables" },
    { "host", OPT_HOST, "FILE", "a saved host instead of the running one" },
    { "openmetrics", OPT_OPENMETRICS, "[=FILE]", "figures for Prometheus" },
    { "alarm", OPT_ALARM, "PERCENT", "exit with 5 if more than that is "
                                     "remote" },
    TABLE_OPTIONS,
    { 0 }
};

/* The words of the command line. */
struct wish {
    struct cmd_line *line;
    uint32_t *domids;           /* as line->args */
    double interval_s;
    unsigned long nr_samples, nr_tables;
    unsigned long alarm_percent;
    bool ask_xen, watch;
    sigset_t ends;              /* signals that end the watching */
};

/* ---- the lines after the table ---- */

/* "128k", which is a power of two, and at least `bytes`. */
static void format_ring(uint64_t bytes, char *text, size_t size)
{
    uint64_t kib = 16;

    while (kib * KIB < bytes)
        kib *= 2;
    if (kib < 1024)
        snprintf(text, size, "%" PRIu64 "k", kib);
    else
        snprintf(text, size, "%" PRIu64 "M", kib / 1024);
}

/*
 * The ring loses the oldest lines, so a report that it cut lacks the first
 * domain. One that is there except for some other domain has one whose memory
 * changed between two of its lines. False: something is missing.
 */
static bool explain_missing(const struct survey *s)
{
    const struct xln_snapshot *snapshot = s->snapshot;
    char size[24];

    if (!s->ask_xen || !s->nr_unknown)
        return true;
    if (snapshot->more[0].memory_source == XLN_MEMORY_COUNTED) {
        complain("%u of %u domains changed while Xen counted: try again",
                 s->nr_unknown, s->nr_shown);
        return false;
    }
    format_ring(xln_residency_ring_bytes(s->host, snapshot->domains), size,
                sizeof(size));
    complain("Xen's console ring is too small for its report: %u of %u domains "
             "are missing: boot Xen with conring_size=%s", s->nr_unknown,
             s->nr_shown, size);
    return false;
}

/* False: one that was named is not there. */
static bool has_named(const struct survey *s, const struct cmd_line *line)
{
    bool all = true;
    int i;

    for (i = 0; i < line->nr_args; i++) {
        if (survey_has(s, s->wanted[i]))
            continue;
        complain("no domain '%s'", line->args[i]);
        all = false;
    }
    return all;
}

/* ---- one table ---- */

/* The work after survey_begin(). -EINTR: a signal ends it. */
static int take(const struct wish *wish, struct survey *s)
{
    xc_interface *xch = wish->line->xch;
    unsigned long i;
    int rc = 0;

    for (i = 0; i < wish->nr_samples && !rc; i++)
        rc = ends_wait(&wish->ends, wish->interval_s)
                 ? survey_look(s, xch) : -EINTR;
    return rc ? rc : survey_finish(s, xch, wish->line->ctx);
}

/* Gives the exit code; -EINTR: a signal says that it is over. *over_r: no
 * other table can follow. */
static int show_survey(const struct wish *wish, struct survey *s, bool *over_r)
{
    int rc = survey_begin(s, wish->line->xch), code;
    struct table *table = NULL;
    bool all = true;

    if (!rc && !cmd_check_table(wish->line, s->columns)) {
        *over_r = true;
        return EXIT_USAGE;
    }
    if (!rc)
        rc = take(wish, s);
    if (rc == -EINTR)
        return rc;
    if (!rc)
        rc = survey_table(s, &table);
    if (!rc)
        all = has_named(s, wish->line);
    *over_r = rc || !all;
    if (!rc && !s->nr_shown) {
        table_free(table);
        return EXIT_FAILURE;
    }
    code = cmd_show_screen(wish->line, table, rc, wish->watch);
    if (code || fflush(stdout))
        *over_r = true;
    if (!code && !explain_missing(s))
        all = false;
    return code ? code : all ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int show(const struct wish *wish, bool *over_r)
{
    struct survey s = {
        .wanted = wish->domids, .nr_wanted = wish->line->nr_args,
        .ask_xen = wish->ask_xen, .sampling = wish->nr_samples,
        .human = cmd_value(wish->line, OPT_HUMAN),
    };
    int code = show_survey(wish, &s, over_r);

    survey_dispose(&s);
    return code;
}

/* ---- a saved host ---- */

/* False: it printed which domain is missing. */
static bool find_saved_domains(struct wish *wish,
                               const struct xln_snapshot *saved)
{
    struct cmd_line *line = wish->line;
    const struct xln_domain *d;
    int i;

    for (i = 0; i < line->nr_args; i++) {
        d = cmd_find_saved(saved, line->args[i]);
        if (!d)
            return false;
        wish->domids[i] = d->domid;
    }
    return true;
}

/* Takes over the snapshot. */
static int show_saved(struct wish *wish, struct xln_snapshot *saved)
{
    struct survey s = {
        .wanted = wish->domids, .nr_wanted = wish->line->nr_args,
        .human = cmd_value(wish->line, OPT_HUMAN),
    };
    struct table *table = NULL;
    int rc = survey_load(&s, saved), code;

    if (!rc)
        rc = survey_table(&s, &table);
    code = cmd_show_table(wish->line, table, rc);
    survey_dispose(&s);
    return code;
}

static int run_saved(struct wish *wish, const char *word)
{
    struct xln_snapshot *saved;

    if (!cmd_load_domains(word, &saved))
        return EXIT_FAILURE;
    if (find_saved_domains(wish, saved))
        return show_saved(wish, saved);
    xln_snapshot_free(saved);
    return EXIT_FAILURE;
}

/* ---- for monitoring ---- */

static int report(struct wish *wish, const struct xln_snapshot *snapshot)
{
    struct cmd_line *line = wish->line;
    const char *path = cmd_value(line, OPT_OPENMETRICS);
    struct residents *residents;
    int rc = residents_new(snapshot, &residents), code;

    if (rc) {
        cmd_complain_of(line, rc);
        return EXIT_FAILURE;
    }
    if (line->nr_args)
        residents_keep(residents, wish->domids, line->nr_args);
    code = path ? monitoring_export(snapshot, residents, path)
                : monitoring_alarm(residents, wish->alarm_percent,
                                   line->nr_args);
    residents_free(residents);
    return code;
}

static int run_report(struct wish *wish)
{
    const char *host = cmd_value(wish->line, OPT_HOST);
    struct xln_snapshot *snapshot;
    int code = EXIT_FAILURE;

    if (!(host ? cmd_load_domains(host, &snapshot)
               : cmd_read_residents(wish->line, wish->ask_xen, &snapshot)))
        return EXIT_FAILURE;
    if (find_saved_domains(wish, snapshot))
        code = report(wish, snapshot);
    xln_snapshot_free(snapshot);
    return code;
}

/* ---- again and again ---- */

/* Until a signal, the last table that was asked for, or a failure. */
static int watch(struct wish *wish)
{
    int code = EXIT_SUCCESS, next;
    bool over = false;
    unsigned long i;

    ends_begin(&wish->ends);
    for (i = 0; !over && (!wish->nr_tables || i < wish->nr_tables); i++) {
        if (i && !ends_wait(&wish->ends, wish->interval_s))
            break;
        next = show(wish, &over);
        if (next == -EINTR)
            break;
        code = next;
    }
    return code;
}

/* ---- the command line ---- */

/* The value of an option that counts; 0: not given. */
static bool read_count(struct cmd_line *line, int code, unsigned long *nr_r)
{
    const char *text = cmd_value(line, code);

    *nr_r = 0;
    return !text || (cmd_number(text, SAMPLES_MAX, nr_r) && *nr_r);
}

/* An option that has no meaning without a table; 0: none is given. */
static int find_table_option(const struct cmd_line *line)
{
    static const int codes[] = {
        OPT_SAMPLES, OPT_INTERVAL, OPT_WATCH, OPT_COUNT, 'o', OPT_SORT,
        OPT_HUMAN, 'w', OPT_COLOR, OPT_JSON,
    };
    unsigned i;

    for (i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        if (cmd_value(line, codes[i]))
            return codes[i];
    return 0;
}

static const char *option_name(const struct cmd_line *line, int code)
{
    const struct cmd_option *o = line->cmd->options;

    while (o->code != code)
        o++;
    return o->name;
}

static int check_report(struct wish *wish)
{
    struct cmd_line *line = wish->line;
    const char *percent = cmd_value(line, OPT_ALARM);
    const char *report = percent ? "alarm" : "openmetrics";
    int other = find_table_option(line);

    if (percent && cmd_value(line, OPT_OPENMETRICS))
        return cmd_usage(line, "--alarm and --openmetrics exclude each other");
    if (other)
        return cmd_usage(line, "--%s prints no table: --%s has no meaning",
                         report, option_name(line, other));
    if (percent && !cmd_number(percent, ALARM_MAX, &wish->alarm_percent))
        return cmd_usage(line, "--alarm takes a percentage from 0 to %d, not "
                         "'%s'", ALARM_MAX, percent);
    return 0;
}

static bool wants_report(const struct cmd_line *line)
{
    return cmd_value(line, OPT_OPENMETRICS) || cmd_value(line, OPT_ALARM);
}

static int read_options(struct wish *wish)
{
    struct cmd_line *line = wish->line;
    const char *interval = cmd_value(line, OPT_INTERVAL);

    wish->interval_s = 1;
    wish->ask_xen = cmd_value(line, OPT_PAGES);
    wish->watch = cmd_value(line, OPT_WATCH);
    if (!read_count(line, OPT_SAMPLES, &wish->nr_samples))
        return cmd_usage(line, "--samples takes a number from 1 to %d, not "
                         "'%s'", SAMPLES_MAX, cmd_value(line, OPT_SAMPLES));
    if (!read_count(line, OPT_COUNT, &wish->nr_tables))
        return cmd_usage(line, "--count takes a number from 1 to %d, not '%s'",
                         SAMPLES_MAX, cmd_value(line, OPT_COUNT));
    if (interval && !cmd_seconds(interval, INTERVAL_MIN, INTERVAL_MAX,
                                 &wish->interval_s))
        return cmd_usage(line, "--interval takes seconds from 0.01 to %d, not "
                         "'%s'", INTERVAL_MAX, interval);
    if (interval && !wish->watch && !wish->nr_samples)
        return cmd_usage(line, "--interval needs --samples or --watch");
    if (wish->nr_tables && !wish->watch)
        return cmd_usage(line, "--count needs --watch");
    if (cmd_value(line, OPT_HOST) &&
        (wish->ask_xen || wish->watch || wish->nr_samples))
        return cmd_usage(line, "--pages, --samples and --watch need the "
                               "running host");
    return wants_report(line) ? check_report(wish) : 0;
}

static bool find_domains(struct wish *wish)
{
    struct cmd_line *line = wish->line;
    int i;

    for (i = 0; i < line->nr_args; i++)
        if (!cmd_find_domain(line, line->args[i], &wish->domids[i]))
            return false;
    return true;
}

static int run(struct cmd_line *line)
{
    struct wish wish = { .line = line };
    const char *host = cmd_value(line, OPT_HOST);
    int code = read_options(&wish);
    bool over;

    if (code)
        return code;
    sigemptyset(&wish.ends);
    wish.domids = calloc(line->nr_args + 1, sizeof(*wish.domids));
    if (!wish.domids) {
        complain("numa-stat: %s", strerror(ENOMEM));
        return EXIT_FAILURE;
    }
    if (wants_report(line))
        code = run_report(&wish);
    else if (host)
        code = run_saved(&wish, host);
    else if (!cmd_open_xen(line) || !find_domains(&wish))
        code = EXIT_FAILURE;
    else if (wish.watch)
        code = watch(&wish);
    else
        code = show(&wish, &over);
    free(wish.domids);
    return code;
}

const struct cmd cmd_numa_stat = {
    .name = "numa-stat", .args = "[OPTIONS] [DOMAIN...]",
    .summary = "show which domain has how much memory on which node",
    .examples =
        "  xl numa-stat\n"
        "  xl numa-stat -H --sort=-TOTAL\n"
        "  xl numa-stat --pages web\n"
        "  xl numa-stat --alarm=20\n",
    .min_args = 0, .max_args = -1,
    .options = opts, .columns = survey_columns, .run = run,
};
