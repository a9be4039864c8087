/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often `xl numa-top` may look, so that it needs little of a CPU itself. */
#ifndef TOP_PACE_H
#define TOP_PACE_H

/* The share of a CPU, at most. */
#define TOP_OWN_SHARE 0.02

struct top_pace {
    double wish_s;              /* between two samples; all else is 0 at
                                 * first */
    double at_s, used_s;        /* the latest sample, and the CPU time that the
                                 * process had used by then */
    double interval_s;          /* until the next one */
    double earliest_s;          /* the earliest time for a sample that the user
                                   asks for */
    double own_percent;         /* of a CPU, since the previous sample; < 0:
                                 * unknown */
};

/* The process has used that much before the first sample. */
void top_pace_begin(struct top_pace *pace, double used_s);

/* A sample has been taken and shown: at `now_s`, the process has used `used_s`
 * of CPU time since it started. The time until the next is so long that what it used
 * since the previous sample is well below TOP_OWN_SHARE of it. */
void top_pace_add(struct top_pace *pace, double now_s, double used_s);

#endif /* TOP_PACE_H */
