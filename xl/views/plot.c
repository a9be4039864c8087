/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plot.h"
#include "svg.h"

/* In user units of the picture. */
#define LEFT 60
#define TOP 40
#define WIDTH (2 * NR_POINTS)
#define HEIGHT 160
#define GAP 50
#define LEGEND 110

static const struct panel {
    const char *title;
    bool percent;               /* of 0 to 1; else from 1 up */
} panels[NR_CURVES] = {
    [CURVE_MEMORY] = { "memory of guests, % of the host's", true },
    [CURVE_SPLIT] = { "memory of split guests, % of the host's", true },
    [CURVE_BALANCE] = { "vCPUs per CPU: fullest node over the whole host",
                        false },
};

/* Dark enough on white, and told apart by the colour-blind too. */
static const char *const colours[] = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00"
};

static const char *colour_of(unsigned i)
{
    return colours[i % (sizeof(colours) / sizeof(*colours))];
}

static unsigned top_of(unsigned curve)
{
    return TOP + curve * (HEIGHT + GAP);
}

/* The value at the top of a panel, one that reads well. */
static double highest(const struct outcome *outcomes, unsigned nr,
                      unsigned curve)
{
    double most = panels[curve].percent ? 0.1 : 1.5;
    double step = panels[curve].percent ? 0.1 : 0.5, top = most;

    for (unsigned i = 0; i < nr; i++) {
        for (unsigned point = 0; point < NR_POINTS; point++) {
            if (outcomes[i].curves[curve][point] > most)
                most = outcomes[i].curves[curve][point];
        }
    }
    if (most > 100 * step)
        return most;
    while (top < most)
        top += step;
    return top;
}

static void write_axes(const struct outcome *outcome, unsigned curve,
                       double low, double high, FILE *f)
{
    unsigned top = top_of(curve), i;
    double factor = panels[curve].percent ? 100 : 1;

    fprintf(f, "<text x=\"%d\" y=\"%u\">%s</text>\n", LEFT, top - 8,
            panels[curve].title);
    for (i = 0; i <= 4; i++) {
        double y = top + HEIGHT - i * HEIGHT / 4.0;

        fprintf(f, "<path class=\"grid\" d=\"M%d %.1fh%d\"/>\n", LEFT, y,
                WIDTH);
        fprintf(f, "<text class=\"y\" x=\"%d\" y=\"%.1f\">%.*f</text>\n",
                LEFT - 6, y + 4, panels[curve].percent ? 0 : 2,
                factor * (low + (high - low) * i / 4));
    }
    for (i = 0; i <= 4; i++)
        fprintf(f, "<text class=\"x\" x=\"%.1f\" y=\"%u\">%.6g s</text>\n",
                LEFT + i * WIDTH / 4.0, top + HEIGHT + 16,
                outcome->end_seconds * i / 4);
}

static void write_line(const struct outcome *outcome, unsigned number,
                       unsigned curve, double low, double high, FILE *f)
{
    unsigned top = top_of(curve);

    fprintf(f, "<polyline stroke=\"%s\" points=\"", colour_of(number));
    for (unsigned point = 0; point < NR_POINTS; point++) {
        double value = outcome->curves[curve][point];

        if (value < low)
            value = low;
        fprintf(f, "%s%.1f,%.1f", point ? " " : "",
                LEFT + (point + 0.5) * WIDTH / NR_POINTS,
                top + HEIGHT - (value - low) / (high - low) * HEIGHT);
    }
    fputs("\"/>\n", f);
}

static void write_panel(const struct outcome *outcomes, unsigned nr,
                        unsigned curve, FILE *f)
{
    double low = panels[curve].percent ? 0 : 1;
    double high = highest(outcomes, nr, curve);

    write_axes(outcomes, curve, low, high, f);
    for (unsigned i = 0; i < nr; i++)
        write_line(&outcomes[i], i, curve, low, high, f);
}

static void write_legend(const struct outcome *outcomes, unsigned nr, FILE *f)
{
    for (unsigned i = 0; i < nr; i++) {
        unsigned y = TOP + 10 + 20 * i;

        fprintf(f, "<path stroke=\"%s\" d=\"M%d %uh20\"/>\n", colour_of(i),
                LEFT + WIDTH + 15, y);
        fprintf(f, "<text x=\"%d\" y=\"%u\">%s</text>\n", LEFT + WIDTH + 40,
                y + 4, outcomes[i].policy);
    }
}

static const char style[] =
    "text { font: 12px sans-serif } .y { text-anchor: end }\n"
    ".x { text-anchor: middle } polyline, path { fill: none }\n"
    "path.grid { stroke: #ccc } .bg { fill: #fff }";

int plot_print(const struct outcome *outcomes, unsigned nr, FILE *f)
{
    svg_begin("xl numa-simulate", style, LEFT + WIDTH + LEGEND,
              top_of(NR_CURVES), f);
    for (unsigned curve = 0; nr && curve < NR_CURVES; curve++)
        write_panel(outcomes, nr, curve, f);
    write_legend(outcomes, nr, f);
    svg_end(f);
    return 0;
}
