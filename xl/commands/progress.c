/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <unistd.h>

#include "progress.h"
#include "text/clock.h"
#include "text/units.h"

/* Without a terminal, a line is printed each time that so much more is done. */
#define PERCENT_PER_LINE 10
/* Before that time a rate means little. */
#define RATE_AFTER_S 0.5
#define REDRAW_S 0.1
#define SAY_AFTER_S 2

/* ", 250 MiB/s, 12 s left": what is known of it. */
static void print_rate(const struct progress *p, uint64_t done, double now_s)
{
    double took_s = now_s - p->began_s, rate;

    if (took_s < RATE_AFTER_S || done <= p->first)
        return;
    rate = (done - p->first) / took_s;
    if (p->is_bytes)
        fprintf(p->f, ", %.0f MiB/s", rate / MIB);
    if (done < p->total)
        fprintf(p->f, ", %.0f s left", (p->total - done) / rate);
}

static void print(struct progress *p, unsigned percent, uint64_t done,
                  double now_s)
{
    fprintf(p->f, "%s%s: %u %% %s", p->on_terminal ? "\r" : "", p->what, percent,
            p->done_word);
    print_rate(p, done, now_s);
    fputs(p->on_terminal ? "\033[K" : "\n", p->f);
    fflush(p->f);
    p->has_shown = true;
    p->shown_s = now_s;
}

void progress_show(struct progress *p, uint64_t done, double now_s)
{
    unsigned percent;

    if (!p->has_begun) {
        p->has_begun = true;
        p->began_s = now_s;
        p->first = done;
    }
    if (now_s - p->began_s < p->after_s)
        return;
    /* A domain that gets more memory meanwhile has more to copy than at first.
     */
    percent = !p->total || done >= p->total ? 100 : done * 100 / p->total;
    if (p->on_terminal) {
        if (!p->has_shown || now_s - p->shown_s >= REDRAW_S)
            print(p, percent, done, now_s);
    } else if (percent >= p->percent_said + PERCENT_PER_LINE) {
        p->percent_said = percent / PERCENT_PER_LINE * PERCENT_PER_LINE;
        print(p, p->percent_said, done, now_s);
    }
}

void progress_begin(struct progress *p, const char *what)
{
    *p = (struct progress){
        .what = what, .done_word = "done", .after_s = SAY_AFTER_S,
        .f = stderr, .on_terminal = isatty(STDERR_FILENO),
    };
}

void progress_show_now(struct progress *p, uint64_t done)
{
    progress_show(p, done, clock_s(CLOCK_MONOTONIC));
}

void progress_tell(void *progress, uint64_t done, uint64_t total)
{
    struct progress *p = progress;

    p->total = total;
    progress_show_now(p, done);
}

void progress_end(struct progress *p)
{
    if (p->on_terminal && p->has_shown)
        fputs("\r\033[K", p->f);
}
