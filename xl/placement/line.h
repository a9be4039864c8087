/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line of text under construction, for the files that explain plans. */
#ifndef LINE_H
#define LINE_H

#include <stdio.h>

#include <libxl_numa.h>

/* The first error is kept, and ends it. */
struct line {
    FILE *f;                    /* NULL: an error */
    char *text;
    size_t size;
};

struct line *line_begin(struct line *line);
void line_fail(struct line *line);

/* The text, which the caller frees; NULL: there is no memory for it. */
char *line_end(struct line *line);

__attribute__((format(printf, 2, 3)))
void line_add(struct line *line, const char *fmt, ...);

void line_cpus(struct line *line, const struct xln_cpumap *cpus);
void line_node_set(struct line *line, const struct xln_nodemap *nodes);

/* "node 2" or "nodes 1-2" */
void line_nodes(struct line *line, const struct xln_nodemap *nodes);

#endif /* LINE_H */
