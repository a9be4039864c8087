/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "label.h"
#include "plot.h"
#include "svg.h"

/* In user units of the picture. */
#define LEFT 60
#define TOP 70
#define WIDTH (2 * NR_POINTS)
#define HEIGHT 160
#define GAP 60
#define BOTTOM 30               /* of the last gap is left out */
#define LEGEND 160
#define ROW 18

#define TICKS_MAX 6
#define LABEL_MAX 60            /* characters of a name in the title */

static const struct panel {
    const char *title;
    double factor;              /* from the curve's values to those shown */
    double low;                 /* where the panel begins */
    int digits;                 /* of a mean, behind the point */
} panels[NR_CURVES] = {
    [CURVE_MEMORY] = { "memory of guests, % of the host's", 100, 0, 1 },
    [CURVE_SPLIT] = { "memory of split guests, % of the host's", 100, 0, 1 },
    [CURVE_BALANCE] = { "vCPUs per CPU: fullest node over the whole host",
                        1, 1, 2 },
};

/* Told apart by the colour-blind, and without any colour by their dashes. */
static const struct {
    const char *colour, *dashes;
} lines[] = {
    { "#0072b2", "none" }, { "#d55e00", "9 3" }, { "#009e73", "2 3" },
    { "#cc79a7", "9 3 2 3" }, { "#7f7f7f", "14 4" }, { "#e69f00", "5 5" },
};

#define NR_LINES (sizeof(lines) / sizeof(*lines))

static unsigned top_of(unsigned curve)
{
    return TOP + curve * (HEIGHT + GAP);
}

/* ---- scales ---- */

/* 1, 2 or 5 times a power of ten, so that there are at most TICKS_MAX ticks. */
static double tick_step(double span)
{
    static const double factors[] = { 2, 2.5, 2 };
    double step = 1e-3;
    unsigned i;

    for (i = 0; span / step > TICKS_MAX; i++)
        step *= factors[i % 3];
    return step;
}

struct scale {
    double low, high, step;     /* as shown */
    unsigned nr_steps;
};

static double value_at(const struct plot *plot, unsigned i, unsigned curve,
                       unsigned point)
{
    return plot->outcomes[i].curves[curve][point] * panels[curve].factor;
}

/* From the panel's beginning to the first tick that is not below a curve. */
static struct scale scale_of(const struct plot *plot, unsigned curve)
{
    struct scale s = { .low = panels[curve].low };
    double most = s.low, value;
    unsigned i, point;

    for (i = 0; i < plot->nr; i++) {
        for (point = 0; point < NR_POINTS; point++) {
            value = value_at(plot, i, curve, point);
            if (value > most)
                most = value;
        }
    }
    s.step = tick_step(most > s.low ? most - s.low : 1);
    s.nr_steps = 1;
    while (s.low + s.nr_steps * s.step < most)
        s.nr_steps++;
    s.high = s.low + s.nr_steps * s.step;
    return s;
}

static double mean_of(const struct plot *plot, unsigned i, unsigned curve)
{
    double sum = 0;
    unsigned point;

    for (point = 0; point < NR_POINTS; point++)
        sum += value_at(plot, i, curve, point);
    return sum / NR_POINTS;
}

/* ---- axes ---- */

static void write_values(unsigned curve, const struct scale *s, FILE *f)
{
    double value, y;
    unsigned i;

    for (i = 0; i <= s->nr_steps; i++) {
        value = s->low + i * s->step;
        y = top_of(curve) + HEIGHT -
            (value - s->low) / (s->high - s->low) * HEIGHT;
        fprintf(f, "<path class=\"grid\" d=\"M%d %.1fh%d\"/>\n", LEFT, y,
                WIDTH);
        svg_text(f, "y", LEFT - 6, y + 4, "%.5g", value);
    }
}

/* In the largest unit of which the trace has two. */
static void write_times(double seconds, unsigned curve, FILE *f)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {
        { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 }
    };
    unsigned unit = 0, i;
    double step, end;

    while (unit < 3 && seconds < 2 * units[unit].seconds)
        unit++;
    end = seconds / units[unit].seconds;
    step = tick_step(end > 0 ? end : 1);
    for (i = 0; i * step <= end; i++)
        svg_text(f, "x", LEFT + (end > 0 ? i * step / end * WIDTH : 0),
                 top_of(curve) + HEIGHT + 16, "%.5g %s", i * step,
                 units[unit].name);
}

/* ---- lines ---- */

static void write_line(const struct plot *plot, unsigned i, unsigned curve,
                       const struct scale *s, FILE *f)
{
    unsigned point;
    double value;

    fprintf(f, "<polyline class=\"l%zu\" points=\"", i % NR_LINES);
    for (point = 0; point < NR_POINTS; point++) {
        value = value_at(plot, i, curve, point);
        if (value < s->low)
            value = s->low;
        fprintf(f, "%s%.1f,%.1f", point ? " " : "",
                LEFT + (point + 0.5) * WIDTH / NR_POINTS,
                top_of(curve) + HEIGHT -
                    (value - s->low) / (s->high - s->low) * HEIGHT);
    }
    fputs("\"/>\n", f);
}

static void write_legend(const struct plot *plot, unsigned curve, FILE *f)
{
    unsigned x = LEFT + WIDTH + 15, y = top_of(curve), i;

    svg_text(f, "y", x + LEGEND - 20, y - 8, "mean");
    for (i = 0; i < plot->nr; i++) {
        y += ROW;
        fprintf(f, "<path class=\"l%zu\" d=\"M%u %uh34\"/>\n", i % NR_LINES, x,
                y - 4);
        svg_text(f, "n", x + 40, y, "%s", plot->outcomes[i].policy);
        svg_text(f, "y", x + LEGEND - 20, y, "%.*f", panels[curve].digits,
                 mean_of(plot, i, curve));
    }
}

static void write_panel(const struct plot *plot, unsigned curve, FILE *f)
{
    struct scale scale = scale_of(plot, curve);
    unsigned i;

    svg_text(f, "n", LEFT, top_of(curve) - 8, "%s", panels[curve].title);
    write_values(curve, &scale, f);
    write_times(plot->outcomes[0].end_seconds, curve, f);
    for (i = 0; i < plot->nr; i++)
        write_line(plot, i, curve, &scale, f);
    write_legend(plot, curve, f);
}

/* ---- the picture ---- */

static const char style[] =
    "text{font:12px sans-serif;fill:#222}.t{font-size:16px}\n"
    ".y{text-anchor:end}.x{text-anchor:middle}\n"
    "polyline,path{fill:none;stroke-width:1.6}\n"
    ".grid{stroke:#ccc;stroke-width:1}.bg{fill:#fff}\n"
    "@media (prefers-color-scheme:dark){text{fill:#eee}.bg{fill:#1c1c1e}\n"
    ".grid{stroke:#444}}";

static void write_styles(FILE *f)
{
    unsigned i;

    fputs("<style>", f);
    for (i = 0; i < NR_LINES; i++)
        fprintf(f, ".l%u{stroke:%s;stroke-dasharray:%s}\n", i, lines[i].colour,
                lines[i].dashes);
    fputs("</style>\n", f);
}

void plot_print(const struct plot *plot, FILE *f)
{
    char host[LABEL_SIZE(LABEL_MAX)], trace[LABEL_SIZE(LABEL_MAX)];
    unsigned curve;

    svg_begin("xl numa-simulate", style, LEFT + WIDTH + LEGEND + 15,
              top_of(NR_CURVES) - BOTTOM, f);
    write_styles(f);
    svg_text(f, "t", LEFT, 28, "%s on %s",
             label_put(plot->trace, LABEL_MAX, trace),
             label_put(plot->host, LABEL_MAX, host));
    for (curve = 0; plot->nr && curve < NR_CURVES; curve++)
        write_panel(plot, curve, f);
    svg_end(f);
}
