/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "top_view.h"

const char *const top_sort_names[TOP_NR_SORTS] = {
    [TOP_BY_WORST] = "worst", [TOP_BY_NAME] = "NAME", [TOP_BY_ID] = "ID",
    [TOP_BY_TOTAL] = "TOTAL", [TOP_BY_LOCAL] = "LOCAL", [TOP_BY_NOW] = "NOW",
    [TOP_BY_CPU] = "CPU%",
};

/* ---- which rows ---- */

static bool is_on_node(const struct resident *r, unsigned node)
{
    return r->pages[node] || xln_nodemap_test(r->now_nodes, node);
}

static bool is_wanted(const struct top_view *view, const struct top *top,
                      const struct top_domain *t)
{
    const struct resident *r = t->d->r;

    if (view->remote_only && !t->d->is_remote)
        return false;
    if (view->on_node && (view->node >= xln_host_nr_nodes(top->snapshot->host)
                          || !is_on_node(r, view->node)))
        return false;
    return !*view->name || (r->name && strstr(r->name, view->name));
}

/* ---- their order ---- */

static double known(const struct locality *l)
{
    return l->known ? l->local_permille : 1001;
}

/* Less comes first. */
static double rank(enum top_sort sort, const struct top_domain *t)
{
    switch (sort) {
    case TOP_BY_TOTAL: return -(double)t->d->total_bytes;
    case TOP_BY_LOCAL: return known(&t->d->r->may);
    case TOP_BY_NOW:   return known(&t->d->r->now);
    case TOP_BY_CPU:   return -t->cpu_percent;
    case TOP_BY_ID:    return t->d->r->domain->domid;
    default:           return -t->cost;
    }
}

static int by_domid(const struct top_domain *a, const struct top_domain *b)
{
    return a->d->r->domain->domid < b->d->r->domain->domid ? -1 : 1;
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct top_domain *x = *(const struct top_domain *const *)a;
    const struct top_domain *y = *(const struct top_domain *const *)b;
    const struct top_view *view = arg;
    double rank_x, rank_y;
    int order = 0;

    if (view->sort == TOP_BY_NAME) {
        order = strcmp(x->d->label, y->d->label);
    } else {
        rank_x = rank(view->sort, x);
        rank_y = rank(view->sort, y);
        order = rank_x < rank_y ? -1 : rank_x > rank_y;
    }
    if (!order)
        order = by_domid(x, y);
    return view->reversed ? -order : order;
}

/* ---- the one that is selected ---- */

const struct top_domain *top_view_selected(const struct top_view *view)
{
    return view->at < view->nr_rows ? view->rows[view->at] : NULL;
}

/* The same domain is selected again, at its new place. If it has ended, the
 * domain that has taken its place is selected. */
static void select_again(struct top_view *view)
{
    unsigned i;

    if (!view->follows)
        view->at = 0;
    for (i = 0; view->follows && i < view->nr_rows; i++)
        if (view->rows[i]->d->r->domain->domid == view->domid)
            view->at = i;
    if (view->at >= view->nr_rows)
        view->at = view->nr_rows ? view->nr_rows - 1 : 0;
    if (view->nr_rows && view->follows && view->mode == TOP_LIST)
        view->domid = view->rows[view->at]->d->r->domain->domid;
}

int top_view_update(struct top_view *view, const struct top *top)
{
    unsigned i;

    free(view->rows);
    view->nr_rows = 0;
    view->rows = calloc(top->nr_domains + 1, sizeof(*view->rows));
    if (!view->rows)
        return -ENOMEM;
    for (i = 0; i < top->nr_domains; i++)
        if (is_wanted(view, top, &top->domains[i]))
            view->rows[view->nr_rows++] = &top->domains[i];
    qsort_r(view->rows, view->nr_rows, sizeof(*view->rows), compare, view);
    if (view->mode != TOP_LIST && view->mode != TOP_HELP && view->follows &&
        !top_find(top, view->domid)) {
        snprintf(view->message, sizeof(view->message), "domain %u is gone",
                 view->domid);
        view->mode = TOP_LIST;
    }
    select_again(view);
    return 0;
}

void top_view_dispose(struct top_view *view)
{
    free(view->rows);
    view->rows = NULL;
    view->nr_rows = 0;
}
