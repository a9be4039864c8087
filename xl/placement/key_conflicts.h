/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that exclude each other, or other keys of the configuration. */
#ifndef KEY_CONFLICTS_H
#define KEY_CONFLICTS_H

#include <libxlutil.h>

struct keys;

/*
 * Check the keys of a domain that is made for the first time. `defaults`: those
 * of the host; NULL: none. 0, -ENOMEM, or -EINVAL with a malloc'd line in
 * *error_r that names source, key, value and what would be right.
 */
int key_conflicts_check(const struct keys *keys, const struct keys *defaults,
                        const XLU_Config *config, const char *source,
                        char **error_r);

#endif /* KEY_CONFLICTS_H */
