/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLOT_H
#define PLOT_H

#include "plans/simulate.h"

/*
 * Write the curves of the outcomes, which are of one trace, to a file as SVG:
 * a panel for each curve, a line in it for each outcome. `path` "-": to
 * standard output. -errno of writing.
 */
int plot_write(const struct outcome *outcomes, unsigned nr, const char *path);

#endif /* PLOT_H */
