/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdlib.h>

#include "line.h"

struct line *line_begin(struct line *line)
{
    *line = (struct line){ .f = NULL };
    line->f = open_memstream(&line->text, &line->size);
    return line;
}

void line_fail(struct line *line)
{
    if (line->f)
        fclose(line->f);
    free(line->text);
    *line = (struct line){ .f = NULL };
}

/* fclose() reports a lack of memory, or is silent and leaves NULL. */
char *line_end(struct line *line)
{
    FILE *f = line->f;

    if (!f)
        return NULL;
    line->f = NULL;
    if (!fclose(f))
        return line->text;
    free(line->text);
    return NULL;
}

void line_add(struct line *line, const char *fmt, ...)
{
    va_list ap;

    if (!line->f)
        return;
    va_start(ap, fmt);
    vfprintf(line->f, fmt, ap);
    va_end(ap);
}

/* Takes the text of a set; rc: it has none. */
static void line_set(struct line *line, int rc, char *set)
{
    if (rc) {
        line_fail(line);
        return;
    }
    line_add(line, "%s", set);
    free(set);
}

void line_cpus(struct line *line, const struct xln_cpumap *cpus)
{
    char *set;
    int rc = xln_cpumap_format(cpus, &set);

    line_set(line, rc, set);
}

void line_node_set(struct line *line, const struct xln_nodemap *nodes)
{
    char *set;
    int rc = xln_nodemap_format(nodes, &set);

    line_set(line, rc, set);
}

void line_nodes(struct line *line, const struct xln_nodemap *nodes)
{
    line_add(line, "node%s ", xln_nodemap_count(nodes) == 1 ? "" : "s");
    line_node_set(line, nodes);
}
