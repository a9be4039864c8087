/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output of `xl numa-plan --json`: the parts that a create needs. */
#ifndef PLAN_FILE_H
#define PLAN_FILE_H

#include <stdbool.h>

/* A domain, and where it shall go. */
struct plan_file_item {
    char *name;
    char *config;               /* the file */
    char *nodes;                /* "0-1": of its memory; NULL: nothing fits */
    bool spills;                /* some of it was to be elsewhere */
};

struct plan_file {
    char **words;               /* KEY=VALUEs for all configurations */
    unsigned nr_words;
    struct plan_file_item *items;   /* in the plan's order */
    unsigned nr_items;
};

/* `path` "-": standard input. 0, -ENOMEM, or another -errno with a malloc'd
 * line in *error_r. */
int plan_file_read(const char *path, struct plan_file **file_r,
                   char **error_r);

void plan_file_free(struct plan_file *file);

#endif /* PLAN_FILE_H */
