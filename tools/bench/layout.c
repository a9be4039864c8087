/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs to ask libxl for its layout, which a process does once; against
 * what libxl does with the configuration of each create: it writes it as JSON,
 * and reads it. Processor time: the median of the first times in a process, for
 * which code and memory are new, and the shortest of the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "placement/layout.h"

#define NR_PROCESSES 41
#define NR_RUNS 200
#define ROOM 16384

static const char config_text[] =
    "{\"c_info\":{\"type\":\"pvh\",\"name\":\"guest\"},\"b_info\":{"
    "\"max_vcpus\":4,\"max_memkb\":4194304,\"target_memkb\":4194304,"
    "\"vcpu_soft_affinity\":[[0,1],[0,1],[0,1],[0,1]]},"
    "\"disks\":[{\"pdev_path\":\"/dev/vg/guest\",\"vdev\":\"xvda\"}],"
    "\"nics\":[{\"devid\":0}]}";

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* Functions that work only on structures use nothing of a context. */
static libxl_ctx *any_ctx(void)
{
    static long long room[8192];

    return (libxl_ctx *)room;
}

static double ask(void)
{
    struct layout layout;
    const char *field;
    double start = now();

    if (layout_learn(any_ctx(), &layout, &field)) {
        fprintf(stderr, "layout: libxl is not served: %s\n",
                field ? field : "out of memory");
        exit(1);
    }
    return now() - start;
}

/* Larger than the configuration of any release. */
static double write_and_read(void)
{
    libxl_domain_config *config = calloc(1, ROOM);
    double start = now();
    char *text;

    libxl_domain_config_init(config);
    if (libxl_domain_config_from_json(any_ctx(), config, config_text))
        exit(1);
    text = libxl_domain_config_to_json(any_ctx(), config);
    libxl_domain_config_dispose(config);
    start = now() - start;
    free(text);
    free(config);
    return start;
}

static double shortest(double (*measure)(void))
{
    double best = measure(), other;

    for (unsigned run = 1; run < NR_RUNS; run++) {
        other = measure();
        if (other < best)
            best = other;
    }
    return best;
}

/* Nothing of libxl is in its memory yet. */
static double in_new_process(const char *what)
{
    char command[64];
    double time;
    FILE *f;

    snprintf(command, sizeof(command), "/proc/%d/exe %s", (int)getpid(), what);
    f = popen(command, "r");
    if (!f || fscanf(f, "%lf", &time) != 1 || pclose(f))
        exit(1);
    return time;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median_in_new_processes(const char *what)
{
    double times[NR_PROCESSES];

    for (unsigned i = 0; i < NR_PROCESSES; i++)
        times[i] = in_new_process(what);
    qsort(times, NR_PROCESSES, sizeof(times[0]), compare);
    return times[NR_PROCESSES / 2];
}

static const struct {
    const char *what;           /* as the argument of a new process */
    const char *text;
    double (*measure)(void);
} rows[] = {
    { "json", "libxl reads and writes a configuration", write_and_read },
    { "layout", "libxl is asked for its layout", ask },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

int main(int argc, char **argv)
{
    for (unsigned i = 0; argc > 1 && i < NR_ROWS; i++)
        if (!strcmp(argv[1], rows[i].what))
            return printf("%f\n", rows[i].measure()) < 0;
    printf("%-40s %8s %8s\n", "MICROSECONDS", "FIRST", "AGAIN");
    for (unsigned i = 0; i < NR_ROWS; i++)
        printf("%-40s %8.0f %8.0f\n", rows[i].text,
               median_in_new_processes(rows[i].what),
               shortest(rows[i].measure));
    return 0;
}
