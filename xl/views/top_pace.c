/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "top_pace.h"

/* A sample may cost a third more than the one before it, by which the pause was
 * chosen: domains came, or the processor was shared. */
#define AIM (0.75 * TOP_OWN_SHARE)

void top_pace_begin(struct top_pace *pace, double used_s)
{
    pace->used_s = used_s;
}

void top_pace_add(struct top_pace *pace, double now_s, double used_s)
{
    double spent_s = used_s - pace->used_s, between_s = now_s - pace->at_s;
    double least_s = spent_s / AIM;

    pace->own_percent = pace->at_s > 0 && between_s > 0
                            ? 100 * spent_s / between_s : -1;
    pace->interval_s = least_s > pace->wish_s ? least_s : pace->wish_s;
    pace->earliest_s = now_s + least_s;
    pace->at_s = now_s;
    pace->used_s = used_s;
}
