/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fault.so - makes one hypercall of a process fail. To be preloaded:
 *
 *   LD_PRELOAD=/usr/lib/rig/fault.so RIG_FAULT=ENOMEM:12 xl create ...
 *
 *   RIG_FAULT=ERRNO:N[:PROGRAM]   the process's hypercall N (from 1; 0: none)
 *                 is not made, and fails with ERRNO: ENOMEM, EBUSY, EAGAIN,
 *                 ESRCH, EFAULT or EPERM. Holds for the first process that
 *                 makes a hypercall, or the first called PROGRAM that does, and
 *                 for what this one forks.
 *   RIG_FAULT_LOG=FILE            gets a line "N CALL.COMMAND OBJECT" for each
 *                 hypercall: its number in xen.h and its first argument or
 *                 field, and what called libxenctrl.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xencall.h>

#define MAX_FRAMES 16
#define MAX_PROGRAM 64

static struct {
    int error;
    unsigned int number;
    char program[MAX_PROGRAM];
    const char *log;
    unsigned int count;
    enum { UNKNOWN, OTHERS, OURS } whose;
} fault;

static int error_called(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {
        { "ENOMEM", ENOMEM }, { "EBUSY", EBUSY }, { "EAGAIN", EAGAIN },
        { "ESRCH", ESRCH },   { "EFAULT", EFAULT }, { "EPERM", EPERM },
    };

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (!strcmp(errors[i].name, name))
            return errors[i].error;
    fprintf(stderr, "fault.so: no error '%s'\n", name);
    exit(1);
}

/* Processes that this one starts do not get it. */
static void take(void)
{
    const char *text = getenv("RIG_FAULT");
    char name[16];

    fault.whose = OTHERS;
    if (!text)
        return;
    if (sscanf(text, "%15[A-Z]:%u:%63s", name, &fault.number,
               fault.program) < 2) {
        fprintf(stderr, "fault.so: RIG_FAULT=%s\n", text);
        exit(1);
    }
    if (fault.program[0] &&
        strcmp(fault.program, program_invocation_short_name))
        return;
    fault.error = error_called(name);
    fault.log = getenv("RIG_FAULT_LOG");
    fault.whose = OURS;
    unsetenv("RIG_FAULT");
}

static const char *object_of(const void *address)
{
    const char *slash;
    Dl_info info;

    if (!dladdr(address, &info))
        return "?";
    slash = strrchr(info.dli_fname, '/');
    return slash ? slash + 1 : info.dli_fname;
}

/* The first on the stack that is not on the way to the hypervisor. */
static const char *caller(void)
{
    void *frames[MAX_FRAMES];
    int nr = backtrace(frames, MAX_FRAMES);

    for (int i = 0; i < nr; i++) {
        const char *object = object_of(frames[i]);

        if (strcmp(object, "fault.so") && strncmp(object, "libxencall.", 11) &&
            strncmp(object, "libxenctrl.", 11))
            return object;
    }
    return "?";
}

/* Memory calls are wrapped: so the result has all the bits that it needs. */
static void name_call(unsigned int call, uint64_t arg, char *text, size_t size)
{
    const void *buffer = (const void *)(uintptr_t)arg;
    const multicall_entry_t *wrapped = buffer;
    unsigned int command = 0;

    if (call == __HYPERVISOR_multicall) {
        call = wrapped->op;
        command = wrapped->args[0];
    } else if (call == __HYPERVISOR_sysctl || call == __HYPERVISOR_domctl) {
        command = *(const uint32_t *)buffer;
    }
    snprintf(text, size, "%u.%u", call, command);
}

static void note(unsigned int call, uint64_t arg)
{
    char line[128], name[32];
    int fd, size;

    if (!fault.log)
        return;
    fd = open(fault.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    name_call(call, arg, name, sizeof(name));
    size = snprintf(line, sizeof(line), "%u %s %s\n", fault.count, name,
                    caller());
    if (write(fd, line, size) != size)
        perror("fault.so");
    close(fd);
}

static int strikes(unsigned int call, uint64_t arg)
{
    if (fault.whose == UNKNOWN)
        take();
    if (fault.whose == OTHERS)
        return 0;
    fault.count++;
    note(call, arg);
    if (fault.count != fault.number)
        return 0;
    errno = fault.error;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int xencall1(xencall_handle *handle, unsigned int op, uint64_t arg1)
{
    return strikes(op, arg1) ? -1 : REAL(xencall1)(handle, op, arg1);
}

int xencall2(xencall_handle *handle, unsigned int op, uint64_t arg1,
             uint64_t arg2)
{
    return strikes(op, arg1) ? -1 : REAL(xencall2)(handle, op, arg1, arg2);
}

int xencall3(xencall_handle *handle, unsigned int op, uint64_t arg1,
             uint64_t arg2, uint64_t arg3)
{
    return strikes(op, arg1) ? -1
                             : REAL(xencall3)(handle, op, arg1, arg2, arg3);
}

int xencall4(xencall_handle *handle, unsigned int op, uint64_t arg1,
             uint64_t arg2, uint64_t arg3, uint64_t arg4)
{
    return strikes(op, arg1)
               ? -1
               : REAL(xencall4)(handle, op, arg1, arg2, arg3, arg4);
}
