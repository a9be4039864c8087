/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A target is a LLVMFuzzerTestOneInput() that reads one input and claims of it
 * what has to be so, whatever the input. A claim that is wrong ends the
 * program, which keeps the input.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The value of an output before the call. A call that fails must leave it. */
#define UNTOUCHED ((void *)(uintptr_t)0x5ead)

/* `so`, or a message as printf() takes it. */
#define claim(so, ...) ((so) ? (void)0 : fail(__VA_ARGS__))

__attribute__((format(printf, 1, 2)))
static inline _Noreturn void fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("wrong: ", stdout);
    vprintf(fmt, ap);
    putchar('\n');
    fflush(stdout);
    va_end(ap);
    abort();
}

/* For what the test itself needs: memory, files in memory. */
static inline void need(bool good, const char *what)
{
    claim(good, "the test itself: %s: %s", what, strerror(errno));
}

/* The input as a string. It has its own block, so that a byte too many is
 * noticed; what is behind a zero is lost. */
static inline char *text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    need(text, "malloc");
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* The input as a file. */
static inline FILE *file_of(const void *data, size_t size)
{
    /* fmemopen() takes no empty one. */
    FILE *f = size ? fmemopen((void *)(uintptr_t)data, size, "r")
                   : fopen("/dev/null", "r");

    need(f, "fmemopen");
    return f;
}

/* The largest number of lines, whatever ends a line. */
static inline unsigned count_lines(const char *text, size_t size)
{
    unsigned lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n' || text[i] == '\r';
    return lines;
}

/* One line, for a terminal, that begins with what was read. */
static inline void claim_error(const char *error, const char *source)
{
    claim(error, "it was refused without a word");
    claim(!strncmp(error, source, strlen(source)), "'%s' does not begin with "
          "'%s'", error, source);
    for (const char *s = error; *s; s++)
        claim(!iscntrl((unsigned char)*s) &&
              !(s[0] == '\xc2' && (s[1] & 0xe0) == 0x80),
              "a control character in '%s'", error);
}

/* If the error has the number of a line, the text has that line. */
static inline void claim_line(const char *error, const char *source,
                              const char *text, size_t size)
{
    unsigned lines = count_lines(text, size);
    unsigned long line;
    char *end;

    claim_error(error, source);
    line = strtoul(error + strlen(source), &end, 10);
    claim(*end == ':' && line >= 1 && line <= lines, "'%s' names no line of "
          "%u", error, lines);
}

#endif /* FUZZ_H */
