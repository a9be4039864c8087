/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Traces. What was read is printed and must be read the same; it has as many
 * guests as there are lines with something in them, less the heading, and what
 * strtold() and strtoul() find in those.
 */
#include <inttypes.h>
#include <strings.h>

#include "fuzz.h"
#include "libxl_numa.h"
#include "plans/trace.h"

#define SOURCE "t.csv"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define NS UINT64_C(1000000000)

static void claim_sound(const struct trace *t)
{
    for (unsigned i = 0; i < t->nr; i++) {
        const struct arrival *a = &t->list[i];

        claim(!i || a[-1].time_ns <= a->time_ns, "guest %u: too early", i);
        claim(a->time_ns <= NS * NS, "guest %u: a late time", i);
        claim(a->lifetime_ns <= NS * NS || a->lifetime_ns == TRACE_STAYS,
              "guest %u: a long life", i);
        claim(a->nr_vcpus && a->nr_vcpus <= XLN_MAX_CPUS, "guest %u: vCPUs",
              i);
        claim(a->bytes && a->bytes % (1 << 20) == 0 &&
              a->bytes <= UINT64_C(1) << 52, "guest %u: memory", i);
        claim(*a->name && strlen(a->name) <= 255 && !strchr(a->name, ','),
              "guest %u: '%s'", i, a->name);
    }
}

static void print_seconds(FILE *f, uint64_t ns)
{
    fprintf(f, "%" PRIu64 ".%09" PRIu64, ns / NS, ns % NS);
}

static char *print(const struct trace *t, size_t *size_r)
{
    char *text;
    FILE *f = open_memstream(&text, size_r);

    need(f, "open_memstream");
    for (unsigned i = 0; i < t->nr; i++) {
        const struct arrival *a = &t->list[i];

        print_seconds(f, a->time_ns);
        fprintf(f, ",%s,%u,%" PRIu64 ",", a->name, a->nr_vcpus,
                a->bytes >> 20);
        if (a->lifetime_ns != TRACE_STAYS)
            print_seconds(f, a->lifetime_ns);
        putc('\n', f);
    }
    need(!fclose(f), "fclose");
    return text;
}

static void claim_same(const struct trace *t)
{
    struct trace *again;
    char *text, *error;
    size_t size;
    FILE *f;

    text = print(t, &size);
    f = file_of(text, size);
    claim(!trace_read(f, SOURCE, &again, &error), "printed: %s", error);
    fclose(f);
    claim(again->nr == t->nr, "printed: %u guests, not %u", again->nr, t->nr);
    for (unsigned i = 0; i < t->nr; i++) {
        const struct arrival *a = &t->list[i], *b = &again->list[i];

        claim(a->time_ns == b->time_ns && a->lifetime_ns == b->lifetime_ns &&
              a->nr_vcpus == b->nr_vcpus && a->bytes == b->bytes &&
              !strcmp(a->name, b->name), "printed: guest %u differs", i);
    }
    trace_free(again);
    free(text);
}

/* ---- a naive reader ---- */

static bool is_heading(const char *line)
{
    static const char *const names[] = { "time", "name", "vcpus", "mib",
                                         "lifetime" };
    char *copy = strdup(line), *rest = copy, *cell;
    unsigned nr = 0;
    bool same = true;

    need(copy, "strdup");
    for (; (cell = strsep(&rest, ",")); nr++) {
        size_t len;

        cell += strspn(cell, " \t\v\f\r");
        len = strcspn(cell, " \t\v\f\r");
        same = same && nr < 5 && len == strlen(names[nr]) &&
               !strncasecmp(cell, names[nr], len) &&
               !cell[len + strspn(cell + len, " \t\v\f\r")];
    }
    free(copy);
    return same && nr == 5;
}

/* Seconds that floating point has, to the nanosecond. */
static bool is_time(uint64_t ns, const char *cell)
{
    long double off = strtold(cell, NULL) * NS - ns;

    return off > -1 && off < 1;
}

static void claim_guest(char *line, const struct arrival *a)
{
    char *cells[5];

    for (unsigned i = 0; i < 5; i++)
        cells[i] = strsep(&line, ",");
    claim(is_time(a->time_ns, cells[0]), "'%s' is another time", cells[0]);
    claim(strstr(cells[1], a->name), "'%s' is another name", cells[1]);
    claim(a->nr_vcpus == strtoul(cells[2], NULL, 10), "'%s' vCPUs", cells[2]);
    claim(a->bytes >> 20 == strtoul(cells[3], NULL, 10), "'%s' MiB",
          cells[3]);
    if (a->lifetime_ns != TRACE_STAYS)
        claim(is_time(a->lifetime_ns, cells[4]), "'%s' is another lifetime",
              cells[4]);
    else
        claim(!strpbrk(cells[4], "0123456789"), "a lifetime is lost");
}

static void claim_guests(char *text, const struct trace *t)
{
    bool first = true;
    unsigned nr = 0;
    char *line;

    if (!strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)))
        text += strlen(BYTE_ORDER_MARK);
    while ((line = strsep(&text, "\n"))) {
        const char *start = line + strspn(line, " \t\r");

        if (!*start || *start == '#')
            continue;
        if (!first || !is_heading(line)) {
            claim(nr < t->nr, "more than %u guests", t->nr);
            claim_guest(line, &t->list[nr++]);
        }
        first = false;
    }
    claim(nr == t->nr, "%u guests, expected %u", t->nr, nr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace *t = UNTOUCHED;
    char *error = NULL, *text = text_of(data, size);
    FILE *f = file_of(data, size);
    int rc = trace_read(f, SOURCE, &t, &error);

    fclose(f);
    if (rc) {
        claim((rc == -EINVAL || rc == -EFBIG) && t == UNTOUCHED,
              "%d, and an output", rc);
        claim_line(error, SOURCE ": line ", text, size);
        free(error);
    } else {
        claim(!error, "well, but '%s'", error);
        claim_sound(t);
        claim_same(t);
        claim_guests(text, t);
        trace_free(t);
    }
    free(text);
    return 0;
}
