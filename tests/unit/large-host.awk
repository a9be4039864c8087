# SPDX-License-Identifier: LGPL-2.1-or-later
# A saved host of any size: awk -v nodes=N -v cpus=N -v domains=N -v vcpus=N
#
# `cpus` is for each node. Domain I has its memory on one node, every fourth on
# four of them; every fifth runs elsewhere; every third is bound to half of the
# host's CPUs.

function list_cpus(   i) {
    print "\"cpus\": ["
    for (i = 0; i < nodes * cpus; i++)
        printf "{ \"cpu\": %d, \"node\": %d, \"socket\": %d, \"core\": %d, " \
            "\"online\": true }%s\n", i, int(i / cpus), int(i / cpus), \
            i % cpus, i + 1 < nodes * cpus ? "," : ""
    print "],"
}

function distance(from, to) {
    if (from == to)
        return 10
    return int(from / 4) == int(to / 4) ? 16 : 32
}

function list_nodes(   i, j) {
    print "\"nodes\": ["
    for (i = 0; i < nodes; i++)
        printf "{ \"node\": %d, \"total_bytes\": %.0f, \"free_bytes\": %.0f, " \
            "\"dma_bytes\": 0, \"reserved_bytes\": 0 }%s\n", i, 64 * gib, \
            9 * gib, i + 1 < nodes ? "," : ""
    print "], \"distances\": ["
    for (i = 0; i < nodes; i++) {
        printf "["
        for (j = 0; j < nodes; j++)
            printf "%s%d", j ? "," : "", distance(i, j)
        print i + 1 < nodes ? "]," : "]"
    }
    print "],"
}

function list_memory(node, spread, bytes,   i) {
    printf "\"memory\": { \"source\": \"count\", \"time_s\": 1795968195, " \
        "\"nodes\": ["
    for (i = 0; i < spread; i++)
        printf "%s{ \"node\": %d, \"bytes\": %.0f }", i ? ", " : "", \
            node + i, bytes / spread + (i % 2 ? 4096 : -4096) * (spread > 1)
    printf "] }, "
}

function list_vcpus(node, i,   v, hard) {
    hard = "0-" (i % 3 ? nodes * cpus : nodes * cpus / 2) - 1
    print "\"vcpus\": ["
    for (v = 0; v < vcpus; v++)
        printf "{ \"online\": true, \"blocked\": %s, \"running\": %s, " \
            "\"cpu\": %d, \"time_ns\": %d, \"hard\": \"%s\", \"soft\": " \
            "\"%d-%d\" }%s\n", v % 2 ? "true" : "false", \
            v % 2 ? "false" : "true", node * cpus + v % cpus, \
            i * 1000000 + v, hard, node * cpus, node * cpus + cpus - 1, \
            v + 1 < vcpus ? "," : ""
    print "]"
}

function list_domain(i,   spread, home, runs) {
    spread = i % 4 == 3 && nodes >= 4 ? 4 : 1
    home = i % nodes
    if (spread == 4)
        home -= home % 4
    runs = i % 5 == 4 ? (home + int(nodes / 2)) % nodes : home
    printf "{ \"domid\": %d, \"name\": \"%s\", \"uuid\": " \
        "\"00000000-0000-4000-8000-%012x\", \"dying\": false, \"pv\": false, " \
        "\"pool\": 0, \"memory_bytes\": %.0f, \"claimed_bytes\": 0, ", i, \
        i ? "guest" i : "Domain-0", i, (i % 7 + 1) * gib
    if (i)
        list_memory(home, spread, (i % 7 + 1) * gib)
    else
        printf "\"memory\": null, "
    printf "\"request\": null, \"nodes\": \"%s\",\n", i ? home : 0
    list_vcpus(runs, i)
    print i < domains ? "}," : "}"
}

BEGIN {
    gib = 1024 * 1024 * 1024
    print "{ \"version\": 2, \"xen\": \"4.17\", \"host_name\": \"large\", " \
        "\"time_s\": 1795968245,"
    list_cpus()
    list_nodes()
    printf "\"pools\": [ { \"pool\": 0, \"cpus\": \"0-%d\" } ],\n", \
        nodes * cpus - 1
    print "\"pci_devices\": null, \"domains\": ["
    for (i = 0; i <= domains; i++)
        list_domain(i)
    print "] }"
}
