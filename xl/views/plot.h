/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLOT_H
#define PLOT_H

#include <stdio.h>

#include "plans/simulate.h"

/* The curves of the outcomes, which are of one trace, as SVG: a panel for each
 * curve, a line in it for each outcome. */
int plot_print(const struct outcome *outcomes, unsigned nr, FILE *f);

#endif /* PLOT_H */
