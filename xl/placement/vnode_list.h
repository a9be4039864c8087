/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl's own vnuma= list, checked before xl reads it. */
#ifndef VNODE_LIST_H
#define VNODE_LIST_H

#include <stdbool.h>

#include <libxlutil.h>

/*
 * What xl itself takes without a word, or dies of: a virtual node without a
 * pnode or a size; vCPUs that are no numbers, or are in two of them; distances
 * that are not as many as virtual nodes, or say that another is nearer than
 * itself. 0, also where there is no list; -EINVAL with a malloc'd line in
 * *error_r that begins with `source`; -ENOMEM.
 */
int vnode_list_check(const XLU_Config *config, const char *source,
                     char **error_r);

/* Whether there is one with something in it. */
bool vnode_list_given(const XLU_Config *config);

#endif /* VNODE_LIST_H */
