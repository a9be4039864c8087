/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"

__attribute__((format(printf, 5, 0)))
static void hear(xentoollog_logger *logger, xentoollog_level level,
                 int errnoval, const char *context, const char *format,
                 va_list ap)
{
    struct listener *listener = (struct listener *)logger;
    va_list copy;

    if (level >= XTL_ERROR) {
        free(listener->error);
        va_copy(copy, ap);
        if (vasprintf(&listener->error, format, copy) < 0)
            listener->error = NULL;
        va_end(copy);
    }
    listener->lg->vmessage(listener->lg, level, errnoval, context, format, ap);
}

static void hear_of_progress(xentoollog_logger *logger, const char *context,
                             const char *what, int percent,
                             unsigned long done, unsigned long total)
{
    struct listener *listener = (struct listener *)logger;

    listener->lg->progress(listener->lg, context, what, percent, done, total);
}

static void ignore_destroy(xentoollog_logger *logger)
{
    (void)logger;
}

void listener_begin(struct listener *listener, xentoollog_logger *lg)
{
    *listener = (struct listener){
        .vtable = { hear, hear_of_progress, ignore_destroy },
        .lg = lg,
    };
}

/* "web: WHY" and "'web': WHY" are WHY. */
static const char *without_name(const char *error, const char *name)
{
    bool quoted = error[0] == '\'';
    const char *end = quoted ? "': " : ": ";
    size_t length = strlen(name);

    if (strncmp(error + quoted, name, length) ||
        strncmp(error + quoted + length, end, strlen(end)))
        return error;
    return error + quoted + length + strlen(end);
}

/*
 * libvirt says "failed to create new domain 'web'", with the name that it has
 * put into the configuration, which it then disposes of. So that is where our
 * reason can stand: "... 'web (no node 7 here: ...)'".
 */
static void explain(const char *error, libxl_domain_config *config)
{
    char *name = config->c_info.name, *explained;

    if (asprintf(&explained, "%s (%s)", name, without_name(error, name)) < 0)
        return;
    free(name);
    config->c_info.name = explained;
}

void listener_end(struct listener *listener, libxl_domain_config *failed)
{
    if (failed && listener->error)
        explain(listener->error, failed);
    free(listener->error);
}
