/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions of Xen's libraries, forwarded to those of this process.
 *
 * Each release of Xen has its own libraries, some of which work only with its
 * hypervisor. Several releases may be installed side by side. No code of ours
 * is linked to these libraries, because that would tie it to one release. A
 * program that calls the shared library has them loaded already, because it
 * passes their handles. xl-numa opens those of the running Xen before the first
 * call (xl/release/libraries.h).
 *
 * So a call goes to a function of the same name that is defined here, which
 * finds the real one at its first use. This does not need lazy binding, which
 * -z now forbids and musl does not support. The compiler compares each function
 * with the headers. Programs that link with the libraries omit this file, such
 * as a test that replaces them. So do the modules: their process has the
 * libraries, and they define some of these functions themselves.
 */
#ifndef FORWARD_H
#define FORWARD_H

/* No other object may call them, and dlsym() must not find them. */
#pragma GCC visibility push(hidden)

/* The real function; NULL: this process has none, and errno is ENOSYS. */
void *xln__forward(const char *name);

#define FORWARD_FIND(name)                                                    \
    static __typeof__(name) *found;                                           \
    __typeof__(name) *function = __atomic_load_n(&found, __ATOMIC_RELAXED);   \
                                                                              \
    if (!function) {                                                          \
        function = (__typeof__(function))xln__forward(#name);                 \
        __atomic_store_n(&found, function, __ATOMIC_RELAXED);                 \
    }

/* int xc_f(...), which is -1 where there is none: FORWARD(int, xc_f, (int a),
 * (a), -1) */
#define FORWARD(type, name, params, args, failure)                            \
    type name params                                                          \
    {                                                                         \
        FORWARD_FIND(name)                                                    \
        return function ? function args : failure;                            \
    }

#define FORWARD_VOID(name, params, args)                                      \
    void name params                                                          \
    {                                                                         \
        FORWARD_FIND(name)                                                    \
        if (function)                                                         \
            function args;                                                    \
    }

#endif /* FORWARD_H */
