/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/from_errno.h"
#include "libxl_numa.h"
#include "text/units.h"
#include "trace.h"

#define MAX_LINE 1024
#define MAX_NAME 255
#define MAX_SECONDS UINT64_C(1000000000)
#define NS UINT64_C(1000000000)

enum { TIME, NAME, VCPUS, MEMORY, LIFETIME, NR_COLUMNS };

static const char *const columns[NR_COLUMNS] = {
    "time", "name", "vcpus", "mib", "lifetime"
};

struct replay {
    FILE *f;
    const char *source;
    unsigned line_nr;
    char line[MAX_LINE];
    char *cells[NR_COLUMNS];
    struct trace *trace;
    unsigned list_size;
    char **error_r;
};

/* ---- what is wrong ---- */

/* A value that is printed is cut where it gets long, and has no control
 * characters in it. */
static void show_value(FILE *f, const char *value)
{
    for (unsigned i = 0; i < 40 && value[i]; i++)
        fputc(isprint((unsigned char)value[i]) ? value[i] : '?', f);
    if (strlen(value) > 40)
        fputs("...", f);
}

/* Gives `rc`, or -ENOMEM. `column` < 0: it is the line. */
__attribute__((format(printf, 5, 6)))
static int refuse(const struct replay *r, int rc, int column,
                  const char *value, const char *fmt, ...)
{
    size_t size;
    va_list ap;
    FILE *f = open_memstream(r->error_r, &size);

    if (!f)
        return -ENOMEM;
    fprintf(f, "%s: line %u: ", r->source, r->line_nr);
    if (column >= 0)
        fprintf(f, "%s: ", columns[column]);
    if (value) {
        fputc('"', f);
        show_value(f, value);
        fputs("\": ", f);
    }
    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    if (!fclose(f) && *r->error_r)
        return rc;
    free(*r->error_r);
    *r->error_r = NULL;
    return -ENOMEM;
}

static int refuse_cell(const struct replay *r, int column, const char *expected)
{
    return refuse(r, -EINVAL, column, r->cells[column], "expected %s",
                  expected);
}

/* ---- cells ---- */

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* "12" or "12.345", in billionths. */
static bool parse_seconds(const char *text, uint64_t *ns_r)
{
    uint64_t ns = 0, unit = NS;
    const char *s = text;

    for (; isdigit((unsigned char)*s); s++) {
        ns = ns * 10 + (*s - '0') * NS;
        if (ns > MAX_SECONDS * NS)
            return false;
    }
    if (s == text)
        return false;
    if (*s == '.' && isdigit((unsigned char)s[1])) {
        for (s++; isdigit((unsigned char)*s) && unit > 1; s++) {
            unit /= 10;
            ns += (*s - '0') * unit;
        }
    }
    *ns_r = ns;
    return !*s && ns <= MAX_SECONDS * NS;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *number_r)
{
    uint64_t number = 0;

    for (const char *s = text; *s; s++) {
        if (!isdigit((unsigned char)*s))
            return false;
        number = number * 10 + (*s - '0');
        if (number > max)
            return false;
    }
    *number_r = number;
    return number > 0;
}

/* In `a`, all but the name. */
static int parse_figures(const struct replay *r, struct arrival *a)
{
    char *const *cells = r->cells;
    uint64_t number;

    if (!parse_seconds(cells[TIME], &a->time_ns))
        return refuse_cell(r, TIME, "seconds, 0 to 1000000000 with up to nine "
                                    "digits behind a point");
    if (r->trace->nr &&
        a->time_ns < r->trace->list[r->trace->nr - 1].time_ns)
        return refuse_cell(r, TIME, "no less than the time of the guest "
                                    "before");
    if (!parse_number(cells[VCPUS], XLN_MAX_CPUS, &number))
        return refuse_cell(r, VCPUS, "a whole number, 1 to 65536");
    a->nr_vcpus = number;
    if (!parse_number(cells[MEMORY], IN_MIB(MEMORY_MAX_BYTES), &number))
        return refuse_cell(r, MEMORY, "a whole number of MiB, 1 to 4294967296");
    a->bytes = number * MIB;
    a->lifetime_ns = TRACE_STAYS;
    if (*cells[LIFETIME] && !parse_seconds(cells[LIFETIME], &a->lifetime_ns))
        return refuse_cell(r, LIFETIME, "seconds, 0 to 1000000000 with up to "
                           "nine digits behind a point, or nothing");
    return 0;
}

static int check_name(const struct replay *r)
{
    const char *name = r->cells[NAME];

    if (!*name || strlen(name) > MAX_NAME)
        return refuse_cell(r, NAME, "1 to 255 characters");
    for (; *name; name++) {
        if (iscntrl((unsigned char)*name))
            return refuse_cell(r, NAME, "no control characters");
    }
    return 0;
}

/* ---- lines ---- */

/* 1: there is one, 0: the end. */
static int read_line(struct replay *r)
{
    unsigned nr = 0;
    int c;

    r->line_nr++;
    while ((c = getc(r->f)) != EOF && c != '\n') {
        if (!c)
            return refuse(r, -EINVAL, -1, NULL, "expected text, not a zero "
                          "byte");
        if (nr == MAX_LINE - 1)
            return refuse(r, -EINVAL, -1, NULL, "expected at most %d "
                          "characters", MAX_LINE - 1);
        r->line[nr++] = c;
    }
    r->line[nr] = '\0';
    if (c == EOF && ferror(r->f))
        return xln__from_errno();
    return c != EOF || nr;
}

static int split_line(struct replay *r)
{
    unsigned nr = 0;
    char *rest = r->line, *cell;

    while ((cell = strsep(&rest, ","))) {
        if (nr < NR_COLUMNS)
            r->cells[nr] = trim(cell);
        nr++;
    }
    if (nr == NR_COLUMNS)
        return 0;
    return refuse(r, -EINVAL, -1, NULL, "%u columns: expected 5, "
                  "time,name,vcpus,mib,lifetime", nr);
}

static bool is_heading(const struct replay *r)
{
    for (unsigned i = 0; i < NR_COLUMNS; i++) {
        if (strcasecmp(r->cells[i], columns[i]))
            return false;
    }
    return true;
}

static int add_arrival(struct replay *r, struct arrival *a)
{
    struct trace *trace = r->trace;
    unsigned size = r->list_size ? 2 * r->list_size : 1024;
    struct arrival *list;

    if (trace->nr == TRACE_MAX_GUESTS)
        return refuse(r, -EFBIG, -1, NULL, "expected at most %d guests",
                      TRACE_MAX_GUESTS);
    if (trace->nr == r->list_size) {
        list = realloc(trace->list, size * sizeof(*list));
        if (!list)
            return -ENOMEM;
        trace->list = list;
        r->list_size = size;
    }
    a->name = strdup(r->cells[NAME]);
    if (!a->name)
        return -ENOMEM;
    trace->list[trace->nr++] = *a;
    return 0;
}

/* Spreadsheets put a byte-order mark in front. */
static void skip_mark(struct replay *r)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t length = strlen(mark);

    if (r->line_nr == 1 && !strncmp(r->line, mark, length))
        memmove(r->line, r->line + length, strlen(r->line + length) + 1);
}

static int parse_line(struct replay *r, bool *first)
{
    const char *start = r->line + strspn(r->line, " \t\r");
    struct arrival a = { 0 };
    int rc;

    if (!*start || *start == '#')
        return 0;
    rc = split_line(r);
    if (rc)
        return rc;
    if (*first && is_heading(r)) {
        *first = false;
        return 0;
    }
    *first = false;
    rc = parse_figures(r, &a);
    if (!rc)
        rc = check_name(r);
    return rc ? rc : add_arrival(r, &a);
}

int trace_read(FILE *f, const char *source, struct trace **trace_r,
               char **error_r)
{
    struct replay *r = calloc(1, sizeof(*r));
    bool first = true;
    int rc = -ENOMEM;

    *error_r = NULL;
    if (!r)
        return -ENOMEM;
    r->f = f;
    r->source = source;
    r->error_r = error_r;
    r->trace = calloc(1, sizeof(*r->trace));
    if (!r->trace)
        goto out;
    while ((rc = read_line(r)) > 0) {
        skip_mark(r);
        rc = parse_line(r, &first);
        if (rc)
            goto out;
    }
    if (rc)
        goto out;

    *trace_r = r->trace;
    r->trace = NULL;
 out:
    trace_free(r->trace);
    free(r);
    return rc;
}

void trace_free(struct trace *trace)
{
    if (!trace)
        return;
    for (unsigned i = 0; i < trace->nr; i++)
        free(trace->list[i].name);
    free(trace->list);
    free(trace);
}
