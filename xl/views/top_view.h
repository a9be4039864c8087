/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `xl numa-top` shows at the moment, and what the keys do. */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include "top.h"

/* Not a character. */
enum { TOP_KEY_UP = 256, TOP_KEY_DOWN, TOP_KEY_PAGE_UP, TOP_KEY_PAGE_DOWN,
       TOP_KEY_HOME, TOP_KEY_END, TOP_KEY_ENTER, TOP_KEY_ESCAPE,
       TOP_KEY_ERASE };

enum top_mode { TOP_LIST, TOP_VCPUS, TOP_HELP, TOP_ASK_NAME, TOP_ASK_NODE,
                TOP_ASK_MOVE };

enum top_sort { TOP_BY_WORST, TOP_BY_NAME, TOP_BY_ID, TOP_BY_TOTAL,
                TOP_BY_LOCAL, TOP_BY_NOW, TOP_BY_CPU, TOP_NR_SORTS };

/* What is to be done outside of the view. */
enum top_action { TOP_GO_ON, TOP_QUIT, TOP_REFRESH, TOP_COUNT, TOP_MOVE };

#define TOP_INPUT_SIZE 128

/* 0 at first, except where a comment says otherwise; top_view_dispose() in any
 * case. */
struct top_view {
    bool saved;                 /* a saved host: nothing can be done to it */
    bool plain;                 /* for --batch, which reads no keys */
    double interval_s, wish_s;  /* between samples, and as the user asked for
                                   it */
    double own_percent;         /* of a CPU, its own cost; < 0: unknown */
    double count_s;             /* how long Xen took to count; 0: it did not */

    enum top_mode mode;
    enum top_sort sort;
    bool reversed, remote_only;
    bool on_node;               /* only what has memory or vCPUs on `node` */
    unsigned node;
    char name[TOP_INPUT_SIZE];  /* only names that have it in them */
    char input[TOP_INPUT_SIZE]; /* what is being typed */
    char message[160];          /* until the next key */

    const struct top_domain **rows;
    unsigned nr_rows;
    unsigned at, first;         /* the row that is selected; the first shown */
    unsigned nr_shown;          /* rows that had room; set by what draws */
    bool follows;               /* a domain was selected: it stays so */
    uint32_t domid;
    unsigned first_vcpu;
    char move_nodes[TOP_INPUT_SIZE];    /* for TOP_MOVE, with domid */
};

extern const char *const top_sort_names[TOP_NR_SORTS];

/* Choose and sort the rows, after each sample. 0 or -ENOMEM. */
int top_view_update(struct top_view *view, const struct top *top);

/* A key, or a byte of what is typed. The rows are to be updated then. */
enum top_action top_view_key(struct top_view *view, const struct top *top,
                             int key);

/* The domain that is selected; NULL: there is no row. */
const struct top_domain *top_view_selected(const struct top_view *view);

void top_view_dispose(struct top_view *view);

#endif /* TOP_VIEW_H */
