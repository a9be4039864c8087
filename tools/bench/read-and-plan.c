/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-and-plan FILE ROUNDS: times of the steps of a plan; for tools/bench/plan */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <yajl/yajl_parse.h>

#include "libxl_numa.h"
#include "text/units.h"

enum { PARSE, READ, PLAN_SMALL, PLAN_LARGE, NR_STEPS };

static const char *const names[NR_STEPS] = {
    [PARSE] = "parse with yajl alone",
    [READ] = "read",
    [PLAN_SMALL] = "plan 8 GiB",
    [PLAN_LARGE] = "plan 300 GiB",
};

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "read-and-plan: %s\n", what);
    exit(EXIT_FAILURE);
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static char *read_text(const char *path, size_t *size_r)
{
    FILE *f = fopen(path, "r");
    char *text;

    check(f && !fseek(f, 0, SEEK_END), path);
    *size_r = ftell(f);
    rewind(f);
    text = malloc(*size_r);
    check(text && fread(text, 1, *size_r, f) == *size_r, path);
    fclose(f);
    return text;
}

static void parse(const char *path)
{
    static const yajl_callbacks nothing;
    yajl_handle yajl = yajl_alloc(&nothing, NULL, NULL);
    size_t size;
    char *text = read_text(path, &size);

    check(yajl && !yajl_parse(yajl, (unsigned char *)text, size) &&
          !yajl_complete_parse(yajl), path);
    yajl_free(yajl);
    free(text);
}

static struct xln_snapshot *load(const char *path)
{
    struct xln_snapshot *snapshot;
    FILE *f = fopen(path, "r");
    char *error = NULL;

    check(f, path);
    check(!xln_snapshot_load(f, path, &snapshot, &error),
          error ? error : path);
    fclose(f);
    return snapshot;
}

static void plan(const struct xln_host *host, uint64_t bytes)
{
    struct xln_need need = { .memory_bytes = bytes, .nr_vcpus = 8 };
    struct xln_request *request;
    struct xln_plan *made;

    check(!xln_request_new(&request), "no memory");
    check(!xln_place(host, request, &need, &made), "cannot plan");
    check(made->verdict == XLN_FITS, "there should be a plan");
    xln_plan_free(made);
    xln_request_free(request);
}

static void run_round(const char *path, double *ms)
{
    struct xln_snapshot *snapshot;
    double at[NR_STEPS + 1];
    int step;

    at[PARSE] = now_ms();
    parse(path);
    at[READ] = now_ms();
    snapshot = load(path);
    at[PLAN_SMALL] = now_ms();
    plan(snapshot->host, 8 * GIB);
    at[PLAN_LARGE] = now_ms();
    plan(snapshot->host, 300 * GIB);
    at[NR_STEPS] = now_ms();
    for (step = 0; step < NR_STEPS; step++)
        ms[step] = at[step + 1] - at[step];
    xln_snapshot_free(snapshot);
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The times of one step; they are sorted. */
static double median(double (*rounds)[NR_STEPS], int nr, int step)
{
    double *times = malloc(nr * sizeof(*times)), middle;
    int i;

    check(times, "no memory");
    for (i = 0; i < nr; i++)
        times[i] = rounds[i][step];
    qsort(times, nr, sizeof(*times), compare);
    middle = times[nr / 2];
    free(times);
    return middle;
}

int main(int argc, char **argv)
{
    int nr = argc == 3 ? atoi(argv[2]) : 0, i, step;
    double (*rounds)[NR_STEPS], ms, baseline;

    check(nr > 0, "expected FILE ROUNDS");
    rounds = calloc(nr, sizeof(*rounds));
    check(rounds, "no memory");
    for (i = 0; i < nr; i++)
        run_round(argv[1], rounds[i]);
    baseline = median(rounds, nr, PARSE);
    printf("%-24s %8s %8s\n", "", "ms", "ratio");
    for (step = 0; step < NR_STEPS; step++) {
        ms = median(rounds, nr, step);
        printf("%-24s %8.3f %8.2f\n", names[step], ms, ms / baseline);
    }
    free(rounds);
    return EXIT_SUCCESS;
}
