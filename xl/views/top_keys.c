/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top_view.h"

__attribute__((format(printf, 2, 3)))
static void say(struct top_view *view, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(view->message, sizeof(view->message), fmt, ap);
    va_end(ap);
}

/* ---- moving about ---- */

static void select_row(struct top_view *view, unsigned at)
{
    if (!view->nr_rows)
        return;
    view->at = at < view->nr_rows ? at : view->nr_rows - 1;
    view->follows = true;
    view->domid = view->rows[view->at]->d->r->domain->domid;
}

/* Where a key goes from a line; false: it is for something else. */
static bool scroll(int key, unsigned page, unsigned *at)
{
    unsigned step = page ? page : 1;

    switch (key) {
    case TOP_KEY_UP:        *at -= *at > 0; break;
    case TOP_KEY_DOWN:      ++*at; break;
    case TOP_KEY_PAGE_UP:   *at -= *at < step ? *at : step; break;
    case TOP_KEY_PAGE_DOWN: *at += step; break;
    case TOP_KEY_HOME:      *at = 0; break;
    case TOP_KEY_END:       *at = 1U << 30; break;
    default:                return false;
    }
    return true;
}

/* ---- a line that is typed ---- */

static void ask(struct top_view *view, enum top_mode mode, const char *text)
{
    view->mode = mode;
    snprintf(view->input, sizeof(view->input), "%s", text);
}

/* A whole character, also of several bytes. */
static void erase(char *text)
{
    size_t n = strlen(text);

    while (n && (text[--n] & 0xc0) == 0x80)
        ;
    text[n] = '\0';
}

/* False: the key ends it. */
static bool type(struct top_view *view, int key)
{
    size_t n = strlen(view->input);

    if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
        return false;
    if (key == TOP_KEY_ERASE)
        erase(view->input);
    else if (key >= ' ' && key < 256 && key != 127 &&
             n + 1 < sizeof(view->input))
        view->input[n] = key, view->input[n + 1] = '\0';
    return true;
}

/* Whether Enter has ended the line. */
static bool has_typed(struct top_view *view, int key)
{
    if (type(view, key))
        return false;
    view->mode = TOP_LIST;
    return key == TOP_KEY_ENTER;
}

static enum top_action type_name(struct top_view *view, int key)
{
    bool on = type(view, key);

    if (key == TOP_KEY_ESCAPE)
        *view->input = '\0';
    memcpy(view->name, view->input, sizeof(view->name));
    if (!on)
        view->mode = TOP_LIST;
    return TOP_GO_ON;
}

static int parse_nodes(const struct top *top, const char *text,
                       struct xln_nodemap *nodes)
{
    int rc = xln_nodemap_parse(text, 0, nodes, NULL);

    if (rc)
        return rc;
    return xln_nodemap_is_empty(nodes) ||
           !xln_nodemap_is_subset(nodes, xln_host_nodes(top->snapshot->host))
               ? -EINVAL : 0;
}

/* NULL: it printed why. */
static struct xln_nodemap *read_nodes(struct top_view *view,
                                      const struct top *top)
{
    struct xln_nodemap *nodes;
    int rc = xln_nodemap_new(xln_host_nr_nodes(top->snapshot->host), &nodes);

    if (rc) {
        say(view, "%s", strerror(-rc));
        return NULL;
    }
    rc = parse_nodes(top, view->input, nodes);
    if (!rc)
        return nodes;
    if (rc == -ENOMEM)
        say(view, "%s", strerror(-rc));
    else
        say(view, "this host has no node '%s'", view->input);
    xln_nodemap_free(nodes);
    return NULL;
}

static enum top_action type_node(struct top_view *view, const struct top *top,
                                 int key)
{
    struct xln_nodemap *nodes;

    if (!has_typed(view, key))
        return TOP_GO_ON;
    view->on_node = false;
    if (!*view->input)
        return TOP_GO_ON;
    nodes = read_nodes(view, top);
    if (!nodes)
        return TOP_GO_ON;
    view->on_node = xln_nodemap_count(nodes) == 1;
    view->node = xln_nodemap_next(nodes, 0);
    if (!view->on_node)
        say(view, "'%s' is more than one node", view->input);
    xln_nodemap_free(nodes);
    return TOP_GO_ON;
}

/* ---- a move ---- */

/* With the nodes that a move is advised to, if there are any. */
static void ask_nodes(struct top_view *view, const struct top_domain *t)
{
    char node[16] = "", *nodes = NULL;

    if (t->advice == TOP_MOVE_IT && t->target_node != XLN_NONE) {
        snprintf(node, sizeof(node), "%u", t->target_node);
    } else if (t->advice == TOP_MOVE_IT &&
               xln_nodemap_format(t->d->home, &nodes)) {
        say(view, "%s", strerror(ENOMEM));
        return;
    }
    select_row(view, view->at);
    ask(view, TOP_ASK_MOVE, nodes ? nodes : node);
    free(nodes);
}

static void ask_move(struct top_view *view)
{
    const struct top_domain *t = top_view_selected(view);

    if (view->saved)
        say(view, "this is a saved host: nothing can be moved");
    else if (!t)
        say(view, "there is no domain to move");
    else if (!t->d->r->domain->domid)
        say(view, "Domain-0 cannot be moved");
    else
        ask_nodes(view, t);
}

static enum top_action type_move(struct top_view *view, const struct top *top,
                                 int key)
{
    struct xln_nodemap *nodes;

    if (!has_typed(view, key))
        return TOP_GO_ON;
    nodes = read_nodes(view, top);
    if (!nodes)
        return TOP_GO_ON;
    xln_nodemap_free(nodes);
    memcpy(view->move_nodes, view->input, sizeof(view->move_nodes));
    return TOP_MOVE;
}

/* ---- all keys ---- */

static void sort_by(struct top_view *view, enum top_sort sort)
{
    view->sort = sort;
    view->reversed = false;
    view->follows = false;
}

static void drop_filters(struct top_view *view)
{
    view->remote_only = view->on_node = false;
    *view->name = '\0';
}

static void show_vcpus(struct top_view *view)
{
    if (!view->nr_rows)
        return;
    select_row(view, view->at);
    view->first_vcpu = 0;
    view->mode = TOP_VCPUS;
}

static enum top_action do_on_host(struct top_view *view, int key)
{
    if (view->saved) {
        say(view, "this is a saved host: it does not change");
        return TOP_GO_ON;
    }
    return key == 'p' ? TOP_COUNT : TOP_REFRESH;
}

static enum top_action list_key(struct top_view *view, int key)
{
    unsigned at = view->at;

    if (scroll(key, view->nr_shown, &at)) {
        select_row(view, at);
        return TOP_GO_ON;
    }
    switch (key) {
    case 'q': return TOP_QUIT;
    case ' ': case 'p': return do_on_host(view, key);
    case 'h': case '?': view->mode = TOP_HELP; break;
    case 'm': ask_move(view); break;
    case 'r': view->remote_only = !view->remote_only; break;
    case '/': ask(view, TOP_ASK_NAME, view->name); break;
    case 'n': ask(view, TOP_ASK_NODE, ""); break;
    case 'W': sort_by(view, TOP_BY_WORST); break;
    case 'P': sort_by(view, TOP_BY_CPU); break;
    case 'M': sort_by(view, TOP_BY_TOTAL); break;
    case 'N': sort_by(view, TOP_BY_NAME); break;
    case '>': sort_by(view, (view->sort + 1) % TOP_NR_SORTS); break;
    case '<':
        sort_by(view, (view->sort + TOP_NR_SORTS - 1) % TOP_NR_SORTS);
        break;
    case 'R': view->reversed = !view->reversed; break;
    case TOP_KEY_ENTER: show_vcpus(view); break;
    case TOP_KEY_ESCAPE: drop_filters(view); break;
    }
    return TOP_GO_ON;
}

static enum top_action vcpus_key(struct top_view *view, const struct top *top,
                                 int key)
{
    const struct top_domain *t = top_find(top, view->domid);
    unsigned nr = t ? t->d->r->domain->nr_vcpus : 0;

    if (scroll(key, view->nr_shown, &view->first_vcpu)) {
        if (view->first_vcpu >= nr)
            view->first_vcpu = nr ? nr - 1 : 0;
    } else if (key == ' ' || key == 'p') {
        return do_on_host(view, key);
    } else if (key == 'q' || key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE) {
        view->mode = TOP_LIST;
    }
    return TOP_GO_ON;
}

enum top_action top_view_key(struct top_view *view, const struct top *top,
                             int key)
{
    *view->message = '\0';
    switch (view->mode) {
    case TOP_ASK_NAME: return type_name(view, key);
    case TOP_ASK_NODE: return type_node(view, top, key);
    case TOP_ASK_MOVE: return type_move(view, top, key);
    case TOP_VCPUS:    return vcpus_key(view, top, key);
    case TOP_HELP:     view->mode = TOP_LIST; return TOP_GO_ON;
    default:           return list_key(view, key);
    }
}
