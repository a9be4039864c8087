/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-simulate: guests that come and go, by each policy. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "open_planner.h"
#include "plans/simulate.h"
#include "progress.h"
#include "replace_file.h"
#include "views/plot.h"

enum { OPT_HOST = OPT_OWN, OPT_POLICY, OPT_PLOT };

static const struct cmd_option options[] = {
    { "host", OPT_HOST, "FILE", "for a saved host, or one of hwloc or "
                                "libvirt" },
    { "policy", OPT_POLICY, "P,...", "use only these policies" },
    { "plot", OPT_PLOT, "FILE", "write a plot over time, as SVG" },
    TABLE_OPTIONS,
    { 0 }
};

enum { POLICY, GUESTS, SPLIT, SPLIT_GUESTS, MEMORY, SPLIT_SIZE, DISTANCE, CROSS,
       AVOIDABLE, BALANCE, WAITING, RELAXED, REFUSED, FIRST_TIME, FIRST_NAME,
       TIME, P99 };

static const struct table_column columns[] = {
    [POLICY] = { "POLICY", "its name; stock: libxl's own order", false, true,
                 0 },
    [GUESTS] = { "GUESTS", "number of guests in the trace", true, false, 0 },
    [SPLIT] = { "SPLIT", "percent of them with memory on several nodes", true,
                true, TABLE_PERCENT },
    [SPLIT_GUESTS] = { "SPLIT_GUESTS", "their number", true, false, 0 },
    [MEMORY] = { "MEMORY", "percent of all placed memory that they have", true,
                 true, TABLE_PERCENT },
    [SPLIT_SIZE] = { "SPLIT_SIZE", "the sum of their MiB", true, false,
                     TABLE_BYTES },
    [DISTANCE] = { "DISTANCE", "mean distance from vCPUs to memory", true,
                   true, 0 },
    [CROSS] = { "CROSS", "number of guests on more than one socket", true,
                true, 0 },
    [AVOIDABLE] = { "AVOIDABLE", "number of these that one socket could have "
                                 "had", true, true, 0 },
    [BALANCE] = { "BALANCE", "vCPUs per CPU: fullest node over all of the "
                             "host", true, true, 0 },
    [WAITING] = { "WAITING", "percent of vCPUs beyond the CPUs of their node",
                  true, true, TABLE_PERCENT },
    [RELAXED] = { "RELAXED", "guests on fewer CPUs than they have vCPUs", true,
                  false, 0 },
    [REFUSED] = { "REFUSED", "number of guests that did not fit", true, true,
                  0 },
    [FIRST_TIME] = { "FIRST_TIME", "when the first was refused, in seconds",
                     true, false, TABLE_S },
    [FIRST_NAME] = { "FIRST_NAME", "the name of that guest", false, false, 0 },
    [TIME] = { "TIME", "time of a decision, in microseconds: the median", true,
               true, TABLE_US },
    [P99] = { "P99", "the same: the 99th percentile", true, true, TABLE_US },
    { 0 }
};

struct simulation {
    struct notes notes;
    struct planner planner;
    struct trace *trace;
    unsigned nr;
    const struct xln_policy **policies;         /* NULL: stock */
    struct outcome *outcomes;
    unsigned nr_done;           /* number of outcomes */
    struct progress progress;
};

/* ---- reading ---- */

static bool read_trace(const char *path, struct trace **trace_r)
{
    bool is_stdin = !strcmp(path, "-");
    FILE *f = is_stdin ? stdin : fopen(path, "re");
    char *error = NULL;
    int rc;

    if (!f) {
        complain("cannot read '%s': %s", path, strerror(errno));
        return false;
    }
    rc = trace_read(f, path, trace_r, &error);
    if (!is_stdin)
        fclose(f);
    if (rc && error)
        complain("%s", error);
    else if (rc)
        complain("cannot read '%s': %s", path, strerror(-rc));
    free(error);
    return !rc;
}

static unsigned nr_policies(void)
{
    unsigned nr = 0;

    while (xln_policy_names()[nr])
        nr++;
    return nr;
}

static void choose_all(struct simulation *s)
{
    const char *const *name;

    for (name = xln_policy_names(); *name; name++)
        s->policies[s->nr++] = xln_policy_by_name(*name);
    s->policies[s->nr++] = NULL;
}

static void print_names(FILE *f)
{
    for (const char *const *name = xln_policy_names(); *name; name++)
        fprintf(f, "%s, ", *name);
    fputs(STOCK_NAME, f);
}

static int refuse_policy(const struct cmd_line *line, const char *word)
{
    char *names = NULL;
    size_t size;
    FILE *f = open_memstream(&names, &size);
    int code;

    if (f) {
        print_names(f);
        fclose(f);
    }
    code = cmd_usage(line, "--policy: '%s': expected some of %s", word,
                     names ? names : "the policies");
    free(names);
    return code;
}

/* The policies as often and in the order as given, up to a limit. */
static int choose_policies(const struct cmd_line *line, struct simulation *s,
                           char *list)
{
    unsigned max = nr_policies() + 1;
    char *word;

    while ((word = strsep(&list, ","))) {
        const struct xln_policy *policy = xln_policy_by_name(word);

        if (!policy && strcmp(word, STOCK_NAME))
            return refuse_policy(line, word);
        if (s->nr == max)
            return cmd_usage(line, "--policy: expected at most %u policies",
                             max);
        s->policies[s->nr++] = policy;
    }
    return EXIT_SUCCESS;
}

static int read_policies(const struct cmd_line *line, struct simulation *s)
{
    const char *words = cmd_value(line, OPT_POLICY);
    int code = EXIT_FAILURE;
    char *list;

    s->policies = calloc(nr_policies() + 1, sizeof(struct xln_policy *));
    s->outcomes = calloc(nr_policies() + 1, sizeof(*s->outcomes));
    list = strdup(words ? words : "");
    if (!s->policies || !s->outcomes || !list) {
        complain("numa-simulate: %s", strerror(ENOMEM));
    } else if (words) {
        code = choose_policies(line, s, list);
    } else {
        choose_all(s);
        code = EXIT_SUCCESS;
    }
    free(list);
    return code;
}

/* ---- showing ---- */

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void put_percent(struct table *table, unsigned column, double value)
{
    table_real(table, column, value, "%.2f", value);
}

static void put_split(const struct outcome *o, struct table *table)
{
    table_count(table, GUESTS, o->nr_guests);
    put_percent(table, SPLIT, percent(o->nr_split, o->nr_guests));
    table_count(table, SPLIT_GUESTS, o->nr_split);
    put_percent(table, MEMORY,
                percent((double)o->split_bytes, (double)o->bytes));
    table_mib(table, SPLIT_SIZE, o->split_bytes);
}

static void put_refused(const struct outcome *o, struct table *table)
{
    double seconds;

    table_count(table, REFUSED, o->nr_refused);
    if (!o->first_refused)
        return;
    seconds = (double)o->first_refused->time_ns / 1e9;
    table_real(table, FIRST_TIME, seconds, "%.3f", seconds);
    table_text(table, FIRST_NAME, o->first_refused->name);
}

static void put_time(struct table *table, unsigned column, uint64_t ns)
{
    table_real(table, column, (double)ns / 1e3, "%.0f", (double)ns / 1e3);
}

static void put_row(const struct outcome *o, struct table *table)
{
    table_row(table);
    table_text(table, POLICY, o->policy);
    put_split(o, table);
    if (o->distance > 0)
        table_real(table, DISTANCE, o->distance, "%.2f", o->distance);
    table_count(table, CROSS, o->nr_cross);
    table_count(table, AVOIDABLE, o->nr_avoidable);
    if (o->balance > 0)
        table_real(table, BALANCE, o->balance, "%.3f", o->balance);
    put_percent(table, WAITING, 100 * o->waiting);
    table_count(table, RELAXED, o->nr_relaxed);
    put_refused(o, table);
    put_time(table, TIME, o->median_ns);
    put_time(table, P99, o->p99_ns);
}

static int show(struct cmd_line *line, const struct simulation *s)
{
    struct table *table = NULL;
    int rc;

    rc = table_new(columns, "policies", &table);
    for (unsigned i = 0; i < s->nr && !rc; i++)
        put_row(&s->outcomes[i], table);
    return cmd_show_table(line, table, rc);
}

/* ---- the command ---- */

static int print_plot(const void *what, FILE *f)
{
    plot_print(what, f);
    return 0;
}

/* "-" is standard output, which main looks after. */
static int write_plot(const struct cmd_line *line, const struct simulation *s,
                      const char *path)
{
    const char *host = cmd_value(line, OPT_HOST);
    struct plot plot = {
        .host = host ? host : "this host", .trace = line->args[0],
        .outcomes = s->outcomes, .nr = s->nr,
    };

    return strcmp(path, "-") ? replace_file(path, print_plot, &plot)
                             : print_plot(&plot, stdout);
}

/* Progress over all policies; one of them counts `done` of `total`. */
static void tell(void *arg, uint64_t done, uint64_t total)
{
    struct simulation *s = arg;

    s->progress.total = total * s->nr;
    progress_show_now(&s->progress, s->nr_done * total + done);
}

static int simulate_each(struct simulation *s)
{
    const struct xln_snapshot *snapshot = s->planner.snapshot;
    struct work work = { tell, s };
    int rc = 0;

    progress_begin(&s->progress, "simulation");
    for (s->nr_done = 0; s->nr_done < s->nr && !rc; s->nr_done++)
        rc = simulate(snapshot->host, snapshot->domains, s->trace,
                      s->policies[s->nr_done], &work,
                      &s->outcomes[s->nr_done]);
    progress_end(&s->progress);
    return rc;
}

static int simulate_all(struct cmd_line *line, struct simulation *s)
{
    const char *plot = cmd_value(line, OPT_PLOT);
    int rc = simulate_each(s);

    if (rc) {
        complain("numa-simulate: %s", strerror(-rc));
        return EXIT_FAILURE;
    }
    rc = plot ? write_plot(line, s, plot) : 0;
    if (rc) {
        complain("cannot write '%s': %s", plot, strerror(-rc));
        return EXIT_FAILURE;
    }
    return show(line, s);
}

static int run(struct cmd_line *line)
{
    struct simulation s = { 0 };
    int code;

    code = read_policies(line, &s);
    if (!code) {
        code = EXIT_FAILURE;
        if (read_trace(line->args[0], &s.trace) &&
            open_planner(line, &s.planner, &s.notes,
                         cmd_value(line, OPT_HOST), NULL))
            code = simulate_all(line, &s);
    }
    planner_end(&s.planner);
    trace_free(s.trace);
    free(s.policies);
    free(s.outcomes);
    return code;
}

const struct cmd cmd_numa_simulate = {
    .name = "numa-simulate",
    .args = "[OPTIONS] TRACE.csv",
    .summary = "replay guests that come and go, under each policy",
    .examples =
        "  xl numa-simulate --host host.json guests.csv\n"
        "  xl numa-simulate --host host.json --plot=split.svg guests.csv\n",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .columns = columns,
    .run = run,
};
