/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes of dom0, from /proc: those of a session, which are ended together,
 * and those that xl runs for a domain.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Set to the session's number for all processes that a session starts. When
 * the leader is dead, this distinguishes them from those of another session
 * with the same number. */
#define SESSION_MARK "XL_NUMA_SESSION"

void process_pause(unsigned ms);

/* The start of a process, in clock ticks since boot. 0: it does not exist, or
 * is dead; PROCESS_UNKNOWN: that is not known. */
#define PROCESS_UNKNOWN (~0ULL)
unsigned long long process_start(pid_t pid);

/*
 * Kill all processes of a session, and wait until they are dead. `start`: when
 * its leader was started, which may be dead. The caller is left out. Waits
 * 10 s at most. False: one of them does not end.
 */
bool process_end_session(pid_t session, unsigned long long start);

/* Kill one process, and wait as above; true if it does not exist. */
bool process_end(pid_t pid);

/* The libxl-save-helper that saves this domain, whoever started it. 0: none. */
pid_t process_find_saver(uint32_t domid);

/* The CPU time that the living processes of a session have used. *saver_r: the
 * one of them that saves this domain, as above. */
double process_session_cpu_s(pid_t session, uint32_t domid, pid_t *saver_r);

/* The xl that runs in the background for this domain, to make it anew when it
 * reboots, by its log; see monitor.h. 0: none. */
pid_t process_find_monitor(uint32_t domid);

/* Whether a shared object of this name is loaded into a process; true if that
 * is not known. */
bool process_has_loaded(pid_t pid, const char *name);

#endif /* PROCESS_H */
