/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-top: which domain is remote, again and again, and what to do. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "ends.h"
#include "top_screen.h"
#include "text/clock.h"
#include "views/top_pace.h"
#include "views/top_page.h"

enum { OPT_HOST = OPT_OWN, OPT_PAGES };

static const struct cmd_option opts[] = {
    { "batch", 'b', NULL, "print plain text, for scripts" },
    { "count", 'n', "N", "end after N tables of plain text" },
    { "delay", 'd', "SECONDS", "time time between looks at the host (2)" },
    { "pages", OPT_PAGES, NULL, "have Xen count every page first: costly" },
    { "host", OPT_HOST, "FILE", "a saved host instead of the running one" },
    { 0 }
};

#define DELAY_S 2
#define DELAY_MIN_S 0.1
#define DELAY_MAX_S 86400
#define TABLES_MAX 1000000
#define BATCH_WIDTH 160
#define XENSTORED_SHARE 1.5     /* see read_host() */

struct session {
    struct cmd_line *line;
    struct top top;
    struct top_view view;
    struct top_pace pace;
    double others_s;            /* CPU time of xenstored: see read_host() */
    bool count;                 /* pages, at the next look */
    bool passing;               /* view.message: until a look succeeds */
    sigset_t ends;              /* signals that end plain text */
};

/* ---- looking at the host ---- */

/* The CPU time for drawing the page counts for the sample, too. */
static void keep_pace(struct session *s)
{
    top_pace_add(&s->pace, clock_s(CLOCK_MONOTONIC),
                 clock_s(CLOCK_PROCESS_CPUTIME_ID) + s->others_s);
    s->view.interval_s = s->pace.interval_s;
    s->view.own_percent = s->pace.own_percent;
}

static unsigned nr_uncounted(const struct top *top)
{
    unsigned i, nr = 0;

    for (i = 0; i < top->nr_domains; i++)
        nr += top->domains[i].d->r->source == XLN_MEMORY_UNKNOWN;
    return nr;
}

/*
 * xenstored does not tell how long it works for which client. For a request it
 * needs about as much CPU time as the client, or a little more, while the client
 * waits: tools/bench/top measures it. What the client waits longer than
 * XENSTORED_SHARE allows, it waits for a CPU.
 */
static int read_host(struct session *s, struct xln_snapshot **snapshot_r,
                     double *report_s_r)
{
    double start_s = clock_s(CLOCK_MONOTONIC);
    double used_s = clock_s(CLOCK_PROCESS_CPUTIME_ID), waited_s, most_s;
    int rc = residents_read_host(s->line->xch, s->line->ctx, s->count,
                                 snapshot_r, report_s_r);

    used_s = clock_s(CLOCK_PROCESS_CPUTIME_ID) - used_s;
    waited_s = clock_s(CLOCK_MONOTONIC) - start_s - used_s;
    most_s = used_s * XENSTORED_SHARE;
    if (waited_s > 0)
        s->others_s += waited_s < most_s ? waited_s : most_s;
    return rc;
}

/* After an error the screen keeps the last page. */
static int look(struct session *s)
{
    struct xln_snapshot *snapshot;
    double report_s;
    unsigned nr;
    int rc = read_host(s, &snapshot, &report_s);

    if (!rc)
        rc = top_add(&s->top, snapshot, clock_s(CLOCK_MONOTONIC));
    if (!rc)
        rc = top_view_update(&s->view, &s->top);
    if (!rc && s->count) {
        s->view.count_s = report_s;
        nr = nr_uncounted(&s->top);
        if (nr)
            snprintf(s->view.message, sizeof(s->view.message),
                     "%u domains are missing in Xen's report: xl-numa-stat(1) "
                     "says why", nr);
    }
    s->count = false;
    return rc;
}

/* False: reported. */
static bool try_look(struct session *s)
{
    int rc = look(s);

    if (rc)
        complain("cannot read the host: %s", strerror(-rc));
    return !rc;
}

/* ---- plain text ---- */

static unsigned batch_width(void)
{
    const char *columns = getenv("COLUMNS");
    unsigned long width;

    return columns && cmd_number(columns, 1000, &width) && width ? width
                                                                 : BATCH_WIDTH;
}

/* False: reported. */
static bool print_page(struct session *s)
{
    struct page page = { .width = batch_width() };
    int rc = top_page_fill(&s->top, &s->view, &page);

    if (!rc)
        page_print(&page, stdout);
    page_clear(&page);
    cmd_complain_of(s->line, rc);
    return !rc;
}

/* `nr`: of tables; 0: until a signal. What stdout does not take ends it too:
 * main() reports that. */
static int run_batch(struct session *s, unsigned long nr)
{
    unsigned long i;

    for (i = 0; (!nr || i < nr) && !ferror(stdout); i++) {
        if (i) {
            if (!ends_wait(&s->ends, s->pace.interval_s))
                break;
            if (!try_look(s))
                return EXIT_FAILURE;
            putchar('\n');
        }
        keep_pace(s);
        if (!print_page(s))
            return EXIT_FAILURE;
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}

/* ---- on a terminal ---- */

static int draw(struct session *s)
{
    struct page page = { 0 };
    int rc;

    top_screen_size(&page.width, &page.height);
    rc = top_page_fill(&s->top, &s->view, &page);
    if (!rc)
        top_screen_show(&page);
    page_clear(&page);
    return rc;
}

static void move_domain(const struct session *s)
{
    char xl[] = "xl", move[] = "numa-move", domid[16], nodes[TOP_INPUT_SIZE];
    char *argv[] = { xl, move, domid, nodes, NULL };

    snprintf(domid, sizeof(domid), "%" PRIu32, s->view.domid);
    memcpy(nodes, s->view.move_nodes, sizeof(nodes));
    top_screen_run(argv);
}

static void tell_wait(struct session *s)
{
    double left_s = s->pace.earliest_s - clock_s(CLOCK_MONOTONIC);

    if (left_s < 1)
        return;
    snprintf(s->view.message, sizeof(s->view.message),
             "%s in %.0f s, to need at most 2 %% of a CPU",
             s->count ? "Xen counts" : "looks again", left_s);
    s->passing = true;
}

/* False: it is over. *next_s: when to look again. */
static bool obey(struct session *s, int key, double *next_s)
{
    enum top_action action = top_view_key(&s->view, &s->top, key);

    switch (action) {
    case TOP_QUIT:
        return false;
    case TOP_COUNT:
    case TOP_REFRESH:
        s->count |= action == TOP_COUNT;
        *next_s = s->pace.earliest_s;
        tell_wait(s);
        break;
    case TOP_MOVE:
        move_domain(s);
        *next_s = 0;
        break;
    case TOP_GO_ON:
        break;
    }
    return true;
}

static void look_again(struct session *s)
{
    int rc;

    if (s->passing)
        *s->view.message = '\0';
    rc = look(s);
    if (rc)
        snprintf(s->view.message, sizeof(s->view.message),
                 "cannot read the host: %s", strerror(-rc));
    s->passing = rc;
}

static int run_screen(struct session *s)
{
    double next_s = 0, now_s;
    int key = TOP_SCREEN_TIME, rc;

    do {
        rc = draw(s);
        now_s = clock_s(CLOCK_MONOTONIC);
        if (key == TOP_SCREEN_TIME) {
            keep_pace(s);
            next_s = now_s + s->pace.interval_s;
        }
        key = rc ? TOP_SCREEN_OVER
                 : top_screen_wait(s->view.saved ? DELAY_MAX_S
                                                 : next_s - now_s);
        if (key > 0 && !obey(s, key, &next_s))
            key = TOP_SCREEN_OVER;
        if (key == TOP_SCREEN_TIME && !s->view.saved)
            look_again(s);
        else if (key > 0)
            rc = top_view_update(&s->view, &s->top);
    } while (key != TOP_SCREEN_OVER && !rc);
    return rc;
}

/* ---- the command line ---- */

/* 0: not given. */
static bool read_tables(const struct cmd_line *line, unsigned long *nr_r)
{
    const char *text = cmd_value(line, 'n');

    *nr_r = 0;
    return !text || (cmd_number(text, TABLES_MAX, nr_r) && *nr_r);
}

static bool read_delay(const struct cmd_line *line, double *delay_r)
{
    const char *text = cmd_value(line, 'd');

    *delay_r = DELAY_S;
    return !text || cmd_seconds(text, DELAY_MIN_S, DELAY_MAX_S, delay_r);
}

static int read_options(struct session *s, unsigned long *nr_r)
{
    struct cmd_line *line = s->line;

    s->view.saved = cmd_value(line, OPT_HOST);
    s->view.plain = cmd_value(line, 'b');
    s->view.own_percent = -1;
    s->count = cmd_value(line, OPT_PAGES);
    if (!read_tables(line, nr_r))
        return cmd_usage(line, "--count takes a number from 1 to %d, not '%s'",
                         TABLES_MAX, cmd_value(line, 'n'));
    if (!read_delay(line, &s->pace.wish_s))
        return cmd_usage(line, "--delay takes seconds from %g to %d, not '%s'",
                         DELAY_MIN_S, DELAY_MAX_S, cmd_value(line, 'd'));
    if (*nr_r && !s->view.plain)
        return cmd_usage(line, "--count needs --batch");
    if (s->view.saved && (s->count || cmd_value(line, 'd')))
        return cmd_usage(line, "--delay and --pages need the running host");
    s->view.wish_s = s->view.interval_s = s->pace.wish_s;
    if (s->view.saved)
        *nr_r = 1;
    return 0;
}

static bool begin(struct session *s)
{
    const char *host = cmd_value(s->line, OPT_HOST);
    struct xln_snapshot *saved;
    int rc;

    if (!host)
        return cmd_open_xen(s->line) && try_look(s);
    if (!cmd_load_domains(host, &saved))
        return false;
    rc = top_add(&s->top, saved, 0);
    if (!rc)
        rc = top_view_update(&s->view, &s->top);
    cmd_complain_of(s->line, rc);
    return !rc;
}

static int run(struct cmd_line *line)
{
    struct session s = { .line = line };
    unsigned long nr;
    int code = read_options(&s, &nr), rc;

    if (code)
        return code;
    if (s.view.plain)
        ends_begin(&s.ends);
    top_pace_begin(&s.pace, clock_s(CLOCK_PROCESS_CPUTIME_ID));
    if (!begin(&s) || (!s.view.plain && !top_screen_open())) {
        code = EXIT_FAILURE;
    } else if (s.view.plain) {
        code = run_batch(&s, nr);
    } else {
        rc = run_screen(&s);
        top_screen_close();
        cmd_complain_of(line, rc);
        code = rc ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    top_view_dispose(&s.view);
    top_dispose(&s.top);
    return code;
}

const struct cmd cmd_numa_top = {
    .name = "numa-top", .args = "[OPTIONS]",
    .summary = "watch which domains are remote, and what to do",
    .examples =
        "  xl numa-top\n"
        "  xl numa-top --batch --count=1\n"
        "  xl numa-top --host host.json\n",
    .min_args = 0, .max_args = 0,
    .options = opts, .run = run,
};
