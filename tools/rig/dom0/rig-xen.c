/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rig-xen - what rig's scripts ask Xen for, in one process. Each xl costs a
 * tenth of a second of emulated time, most of it for its libraries; this one is
 * linked statically.
 *
 *   rig-xen domains       "domain DOMID STATE NAME" of each domain; the state is
 *                         '-', or 'd' for a domain that is being destroyed
 *   rig-xen keys KEYS     presses Xen's debug KEYS in turn, and prints what Xen
 *                         has to say; the console ring is empty afterwards
 *   rig-xen vcpus N       N times, 100 ms apart, "name vcpu cpu" for each vCPU
 *                         of a guest that has run
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenstore.h>

#define MAX_DOMAINS 512
#define SAMPLE_USEC 100000

static xc_interface *xch;
static struct xs_handle *xsh;
static xc_domaininfo_t domains[MAX_DOMAINS];
static char *names[MAX_DOMAINS];
static int nr_domains;

static void check(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static void read_domains(void)
{
    char path[64];

    xsh = xs_open(0);
    check(xsh, "rig-xen: xenstore");
    nr_domains = xc_domain_getinfolist(xch, 0, MAX_DOMAINS, domains);
    check(nr_domains >= 0, "rig-xen: domains");
    for (int i = 0; i < nr_domains; i++) {
        snprintf(path, sizeof(path), "/local/domain/%u/name",
                 (unsigned int)domains[i].domain);
        names[i] = xs_read(xsh, XBT_NULL, path, NULL);
    }
}

static int print_domains(void)
{
    read_domains();
    for (int i = 0; i < nr_domains; i++) {
        bool dying = domains[i].flags & XEN_DOMINF_dying;

        printf("domain %u %c %s\n", (unsigned int)domains[i].domain,
               dying ? 'd' : '-', names[i] ? names[i] : "");
    }
    return 0;
}

/* Takes everything out of the ring, and prints it. */
static void empty_ring(FILE *out)
{
    static char buffer[16384];
    unsigned int nr;

    do {
        nr = sizeof(buffer);
        check(!xc_readconsolering(xch, buffer, &nr, 1, 0, NULL),
              "rig-xen: console ring");
        if (out)
            fwrite(buffer, 1, nr, out);
    } while (nr > 0);
}

static int press_keys(char *keys)
{
    empty_ring(NULL);
    check(!xc_send_debug_keys(xch, keys), "rig-xen: debug keys");
    empty_ring(stdout);
    return 0;
}

static void print_vcpus(void)
{
    for (int i = 0; i < nr_domains; i++) {
        for (uint32_t v = 0; v <= domains[i].max_vcpu_id; v++) {
            xc_vcpuinfo_t info;

            if (domains[i].domain && names[i] &&
                !xc_vcpu_getinfo(xch, domains[i].domain, v, &info) &&
                info.online && info.cpu_time > 0)
                printf("%s %" PRIu32 " %" PRIu32 "\n", names[i], v, info.cpu);
        }
    }
}

static int sample_vcpus(int nr_samples)
{
    read_domains();
    for (int i = 0; i < nr_samples; i++) {
        if (i > 0)
            usleep(SAMPLE_USEC);
        print_vcpus();
    }
    return 0;
}

int main(int argc, char **argv)
{
    xch = xc_interface_open(NULL, NULL, 0);
    check(xch, "rig-xen: hypervisor");
    if (argc == 2 && !strcmp(argv[1], "domains"))
        return print_domains();
    if (argc == 3 && !strcmp(argv[1], "keys"))
        return press_keys(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "vcpus"))
        return sample_vcpus(atoi(argv[2]));
    fputs("usage: rig-xen domains | keys KEYS | vcpus N\n", stderr);
    return 1;
}
