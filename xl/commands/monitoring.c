/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "monitoring.h"
#include "replace_file.h"
#include "views/label.h"
#include "views/metrics.h"

#define LABEL_MAX 40            /* characters of a name in the alarm's line */
#define NAMED_MAX 10            /* names in it */

/* ---- figures for Prometheus ---- */

struct figures {
    const struct xln_snapshot *snapshot;
    const struct residents *residents;
};

static int print_figures(const void *what, FILE *f)
{
    const struct figures *figures = what;

    return metrics_print(figures->snapshot, figures->residents, f);
}

int monitoring_export(const struct xln_snapshot *snapshot,
                      const struct residents *residents, const char *path)
{
    struct figures figures = { snapshot, residents };
    int rc;

    /* If standard output cannot be written, main says so. */
    if (!*path)
        return print_figures(&figures, stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
    rc = replace_file(path, print_figures, &figures);
    if (rc)
        complain("cannot write '%s': %s", path, strerror(-rc));
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the alarm ---- */

struct alarm {
    unsigned permille;
    bool named;
    unsigned nr, nr_remote, nr_unknown;
};

static bool counts(const struct alarm *alarm, const struct resident *r)
{
    return alarm->named || r->domain->domid != 0;
}

static bool is_remote(const struct alarm *alarm, const struct resident *r)
{
    unsigned permille = resident_remote_permille(r);

    return counts(alarm, r) && permille != XLN_NONE &&
           permille > alarm->permille;
}

static void count(struct alarm *alarm, const struct residents *residents)
{
    const struct resident *r = residents->list;
    const struct resident *end = r + residents->nr;

    for (; r < end; r++) {
        if (!counts(alarm, r))
            continue;
        alarm->nr++;
        alarm->nr_unknown += r->source == XLN_MEMORY_UNKNOWN;
        alarm->nr_remote += is_remote(alarm, r);
    }
}

static void print_remote(const struct resident *r, bool first)
{
    char label[LABEL_SIZE(LABEL_MAX)], number[16];

    snprintf(number, sizeof(number), "%u", r->domain->domid);
    label_put(r->name ? r->name : number, LABEL_MAX, label);
    printf("%s%s (%u%%)", first ? "" : ", ", label,
           (resident_remote_permille(r) + 9) / 10);
}

static void print_alarm(const struct alarm *alarm,
                        const struct residents *residents)
{
    const struct resident *r = residents->list;
    const struct resident *end = r + residents->nr;
    unsigned nr = 0;

    printf("%u of %u domains %s more than %u%% of %s memory remote: ",
           alarm->nr_remote, alarm->nr, alarm->nr_remote == 1 ? "has" : "have",
           alarm->permille / 10, alarm->nr_remote == 1 ? "its" : "their");
    for (; r < end && nr < NAMED_MAX; r++)
        if (is_remote(alarm, r))
            print_remote(r, !nr++);
    if (alarm->nr_remote > nr)
        printf(" and %u more", alarm->nr_remote - nr);
    putchar('\n');
}

int monitoring_alarm(const struct residents *residents, unsigned percent,
                     bool named)
{
    struct alarm alarm = { .permille = percent * 10, .named = named };

    count(&alarm, residents);
    if (alarm.nr_unknown)
        complain("the nodes of the memory of %u of %u domains are unknown: "
                 "--pages has Xen count it", alarm.nr_unknown, alarm.nr);
    if (alarm.nr_remote) {
        print_alarm(&alarm, residents);
        return EXIT_REMOTE;
    }
    return alarm.nr_unknown ? EXIT_FAILURE : EXIT_SUCCESS;
}
