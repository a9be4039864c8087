/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "placement_log.h"

void placement_say(const struct placement *p, xentoollog_level level,
                   const char *text)
{
    if (text)
        xtl_log(p->lg, level, -1, PLACEMENT_LOG, "'%s': %s",
                p->config->c_info.name, text);
}

void placement_say_free(const struct placement *p, xentoollog_level level,
                        char *text)
{
    if (text && *text)
        placement_say(p, level, text);
    free(text);
}

void placement_warn_failed(const struct placement *p, const char *what, int rc,
                           const char *so)
{
    xtl_log(p->lg, XTL_WARN, -1, PLACEMENT_LOG, "'%s': %s: %s: %s",
            p->config->c_info.name, what, strerror(-rc), so);
}
