# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology uneven
# thorough: a boot of its own, and guests on each node
#
# Nodes that differ in CPUs and memory.

. /root/lib.sh

chooses() { # POLICY MIB VCPUS
    expected=$(expected_node "$1" "$2" "$3")
    create idle g "nodes_policy=\"$1\"" "memory=$2" "vcpus=$3"
    is "$(nodes_of g)" "$expected" \
        "$1 fit of $2 MiB and $3 vCPUs takes node $expected"
    remove g
}

most_cpus() {
    usable_list | awk '$3 > n { n = $3 } END { print n }'
}

# A node with fewer CPUs than the guest has vCPUs is not for it.
policies() {
    for policy in first best worst; do
        chooses $policy 100 1
        chooses $policy 100 3
        chooses $policy "$(clear_size 800)" 1
    done
    chooses worst 100 "$(most_cpus)"
}

# Every node gives the same, as far as it goes; the rest comes from the others.
capped_shares() {
    small=$(usable_list | sort -n -k 2 | awk 'NR == 1 { print $1 }')
    nr=$(cpu_nodes | wc -w)
    mib=$((($(free_mib "$small") + 60) * nr))
    create idle g 'nodes="all"' "memory=$mib" || sed 's/^/# /' "$err"
    ok "nodes=\"all\" of $mib MiB: the smallest node gives what it has" \
        nearly_full "$small"
    ok "the other nodes give equal parts of the rest" others_even
    is "$(pages_of g | awk '{ n += $2 } END { print n }')" $((mib * 256)) \
        "the guest has all of its memory"
    remove g
}

nearly_full() {
    rig-free "$1"
    [ "$(free_mib "$1")" -le 20 ]
}

others_even() {
    pages_of g
    pages_of g | awk -v small="$small" '
        $1 == small { next }
        { if (!nr++ || $2 < least) least = $2
          if ($2 > most) most = $2
          total += $2 }
        END { slack = total / nr / 50 > 512 ? total / nr / 50 : 512
              exit most - least > slack }'
}

cpus() {
    for node in $(cpu_nodes); do
        create idle "g$node" "cpus=\"$(cpus_of "$node")\"" memory=160
    done
    take_report
    for node in $(cpu_nodes); do
        is "$(nodes_of "g$node")" "$node" \
            "cpus=\"$(cpus_of "$node")\": the memory is on node $node"
    done
    report=''
    destroy_all
    await 30 nothing_dies
}

take_usable
policies
usable=''
cpus
capped_shares
done_testing
