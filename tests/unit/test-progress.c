/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of something long is done: what is printed when. */
#include <stdlib.h>

#include "commands/progress.h"
#include "tap.h"
#include "text/units.h"

struct step {
    uint64_t done;
    double at_s;
};

/* What is printed for these steps, and at the end. */
static void prints(struct progress p, const struct step *steps, unsigned nr,
                   const char *expected, const char *what)
{
    char *text = NULL;
    size_t size;
    unsigned i;

    p.f = open_memstream(&text, &size);
    if (!p.f)
        exit(1);
    for (i = 0; i < nr; i++)
        progress_show(&p, steps[i].done, steps[i].at_s);
    progress_end(&p);
    fclose(p.f);
    is_str(text, expected, what);
    free(text);
}

#define PRINTS(p, steps, expected, what) \
    prints(p, steps, sizeof(steps) / sizeof(*(steps)), expected, what)

int main(void)
{
    struct progress move = {
        .what = "'web'", .done_word = "copied", .total = 1000 * MIB,
        .is_bytes = true,
    };
    struct progress work = {
        .what = "simulation", .done_word = "done", .total = 400, .after_s = 2,
    };
    const struct step copies[] = {
        { 0, 10 }, { 50 * MIB, 10.2 }, { 190 * MIB, 11 }, { 300 * MIB, 11.5 },
        { 310 * MIB, 12 }, { 1000 * MIB, 20 },
    };
    const struct step more[] = { { 0, 0 }, { 2000 * MIB, 1 } };
    const struct step short_work[] = { { 1, 0 }, { 399, 1.9 } };
    const struct step long_work[] = { { 0, 5 }, { 100, 7 }, { 130, 8 } };
    const struct step redraws[] = {
        { 0, 0 }, { 10 * MIB, 0.05 }, { 20 * MIB, 0.2 },
    };

    PRINTS(move, copies,
           "'web': 10 % copied, 190 MiB/s, 4 s left\n"
           "'web': 30 % copied, 200 MiB/s, 4 s left\n"
           "'web': 100 % copied, 100 MiB/s\n",
           "without a terminal a line is printed for each tenth, with rate "
           "and time left");
    PRINTS(move, more, "'web': 100 % copied, 2000 MiB/s\n",
           "more than the whole amount is shown as all of it");
    PRINTS(work, short_work, "",
           "nothing is printed for less than two seconds");
    PRINTS(work, long_work, "simulation: 20 % done, 6 s left\n"
           "simulation: 30 % done, 6 s left\n",
           "after two seconds it prints how much is done");
    move.on_terminal = work.on_terminal = true;
    PRINTS(move, redraws, "\r'web': 0 % copied\033[K\r'web': 2 % copied\033[K"
           "\r\033[K",
           "on a terminal one line is updated, and removed at the end");
    PRINTS(work, short_work, "",
           "on a terminal nothing is removed if nothing was printed");
    move.total = 0;
    PRINTS(move, more, "\r'web': 100 % copied\033[K"
           "\r'web': 100 % copied, 2000 MiB/s\033[K\r\033[K",
           "work of no amount is shown as done");
    return tap_done();
}
