# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Reads what `xl info -n` prints, or the same tables of our own commands, and
# writes a topology. max_cpus and max_mib are about the most that the emulated
# machine may have: a larger host is scaled down, and its nodes keep their
# proportions.

# Nodes in the order of their numbers, of which some may be missing. Xen boots on
# the first, so that has CPUs and memory.
function number_nodes(    id, last, first) {
    last = first = -1
    for (id in cpus)
        last = id + 0 > last ? id + 0 : last
    for (id in mib)
        last = id + 0 > last ? id + 0 : last
    for (id = last; id >= 0; id--)
        if (cpus[id] && mib[id])
            first = id
    if (first >= 0)
        nodes[nr_nodes++] = first
    for (id = 0; id <= last; id++)
        if (id != first && cpus[id] + mib[id] > 0)
            nodes[nr_nodes++] = id
}

# Whole cores, and at least one where there was one.
function scaled_cpus(n) {
    if (all_cpus > max_cpus)
        n = n * max_cpus / all_cpus
    return n > 0 && n < threads ? threads : int(n / threads) * threads
}

function scaled_mib(n) {
    if (all_mib > max_mib)
        n = n * max_mib / all_mib
    return n > 0 && n < 256 ? 256 : int(n / 64) * 64
}

# "-" is unreachable.
function scaled_distance(n) {
    return n !~ /^[0-9]+$/ || n > 254 ? 254 : n < 11 ? 11 : n
}

/^cpu_topology|^CPU /       { table = "cpus"; next }
/^device topology/          { table = "devices"; next }
/^NODE +DEVICES/            { table = "devices of nodes"; next }
/^numa_info|^NODE +TOTAL/   { table = "nodes"; next }

{ sub(/:$/, "", $1) }

table == "cpus" && $1 ~ /^[0-9]+$/ && NF == 4 {
    cpus[$4]++
    all_cpus++
    cores[$3 " " $2] = 1
}

table == "devices" && $1 ~ /^[0-9a-f]+:[0-9a-f]+:[0-9a-f]+\.[0-9]$/ {
    devices[$2] = 1
}

table == "devices of nodes" && $1 ~ /^[0-9]+$/ && $2 ~ /:/ {
    devices[$1] = 1
}

table == "nodes" && $1 ~ /^[0-9]+$/ && NF == 4 {
    mib[$1] = $2
    all_mib += $2
    distances[$1] = $4
}

END {
    if (!all_cpus || !all_mib)
        exit 1
    for (core in cores)
        nr_cores++
    threads = all_cpus == 2 * nr_cores ? 2 : 1
    number_nodes()
    if (threads == 2)
        print "threads 2"
    for (i = 0; i < nr_nodes; i++)
        printf "node cpus=%d memory=%s\n", scaled_cpus(cpus[nodes[i]]),
            (mib[nodes[i]] ? scaled_mib(mib[nodes[i]]) "M" : 0)
    for (i = 0; i < nr_nodes; i++) {
        split(distances[nodes[i]], from_i, ",")
        for (j = i + 1; j < nr_nodes; j++) {
            split(distances[nodes[j]], from_j, ",")
            print "distance", i, j, scaled_distance(from_i[nodes[j] + 1]),
                scaled_distance(from_j[nodes[i] + 1])
        }
        if (nodes[i] in devices)
            print "pci node=" i
    }
}
