/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl's own vnuma= list. */
#ifndef VNODE_LIST_H
#define VNODE_LIST_H

#include <stdbool.h>

#include <libxlutil.h>

#include "cells.h"

/*
 * Read it, and refuse what xl takes without a message, dies of, or leaves to
 * libxl to refuse. That is a virtual node without a pnode or a size; vCPUs that
 * are not numbers, in two of them or in none; and sizes whose sum is not the
 * domain's memory. It is also distances that are not as many as virtual nodes,
 * or say that another is nearer than itself. *cells_r is NULL where there is no
 * list. 0; -EINVAL with a malloc'd line in *error_r that begins with `source`;
 * -ENOMEM.
 */
int vnode_list_read(const XLU_Config *config, const char *source,
                    struct cells **cells_r, char **error_r);

/* Whether there is one with something in it. */
bool vnode_list_given(const XLU_Config *config);

#endif /* VNODE_LIST_H */
