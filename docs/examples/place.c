/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where would a guest of 8 GiB and 4 vCPUs go, on a saved host? */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_numa.h>

static int place(const struct xln_host *host)
{
    struct xln_request *request = NULL;
    struct xln_plan *plan = NULL;
    struct xln_need need = {
        .memory_bytes = UINT64_C(8) << 30,
        .overhead_bytes = UINT64_C(38) << 20,
        .nr_vcpus = 4,
    };
    int rc;

    rc = xln_request_new(&request);
    if (rc)
        goto out;
    request->policy = xln_policy_by_name("best");
    rc = xln_place(host, request, &need, &plan);
    if (rc)
        goto out;

    for (unsigned i = 0; i < plan->nr_shares; i++)
        printf("%" PRIu64 " MiB from node %u\n",
               plan->shares[i].bytes >> 20, plan->shares[i].node);
    if (plan->verdict == XLN_NOTHING_FITS)
        printf("that is not enough\n");
 out:
    xln_plan_free(plan);
    xln_request_free(request);
    return rc;
}

int main(int argc, char **argv)
{
    struct xln_snapshot *snapshot = NULL;
    char *error = NULL;
    FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
    int rc;

    if (!f) {
        fprintf(stderr, "usage: place HOST.json\n");
        return 2;
    }
    rc = xln_snapshot_load(f, argv[1], &snapshot, &error);
    if (!rc)
        rc = place(snapshot->host);
    if (rc)
        fprintf(stderr, "%s\n", error ? error : strerror(-rc));
    free(error);
    xln_snapshot_free(snapshot);
    fclose(f);
    return rc ? 1 : 0;
}
