/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls of libraries that can fail: a program that is linked with
 * -Wl,--wrap=NAME has its own and our static code call what these define.
 */
#ifndef FAULT_CALLS_H
#define FAULT_CALLS_H

#include "faults.h"

/* int yajl_gen_null(...): WRAP(int, yajl_gen_null, (yajl_gen g), (g), 1). The
 * real one never fails, as far as we are concerned. */
#define WRAP(type, name, params, args, failure)                               \
    type __real_##name params;                                                \
    type __wrap_##name params;                                                \
                                                                              \
    type __wrap_##name params                                                 \
    {                                                                         \
        type result;                                                          \
                                                                              \
        if (fault(#name))                                                     \
            return failure;                                                   \
        faults_pause();                                                       \
        result = __real_##name args;                                          \
        faults_resume();                                                      \
        return result;                                                        \
    }

/* The same; what it allocates and calls back can fail. */
#define WRAP_OPEN(type, name, params, args, failure)                          \
    type __real_##name params;                                                \
    type __wrap_##name params;                                                \
                                                                              \
    type __wrap_##name params                                                 \
    {                                                                         \
        return fault(#name) ? failure : __real_##name args;                   \
    }

/* The first function makes a new, empty directory that replaces /run/xen and
 * /etc/xen. The second one removes it. */
bool fault_calls_begin(void);
void fault_calls_end(void);

const char *fault_calls_directory(void);

/* Writes a file in it. */
bool fault_calls_file(const char *name, const char *text);

#endif /* FAULT_CALLS_H */
