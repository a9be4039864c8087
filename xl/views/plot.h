/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLOT_H
#define PLOT_H

#include <stdio.h>

#include "plans/simulate.h"

struct plot {
    const char *host, *trace;   /* as they were named, for the title */
    const struct outcome *outcomes;     /* all of this trace */
    unsigned nr;
};

/* The curves of the outcomes as SVG: a panel for each curve, in it a line and
 * its mean for each outcome. */
void plot_print(const struct plot *plot, FILE *f);

#endif /* PLOT_H */
