# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --sched credit2 --put tests/rig/pools.sh:/root/pools.sh
#
# pool="auto": the cpupool of the chosen node, by Xen's own account.

. /root/pools.sh

pools_two "$(cpus_of 2)" "$(cpus_of 3)"

pool_of_node() { # NODE
    case $1 in
    2) echo qa ;;
    3) echo qb ;;
    *) echo Pool-0 ;;
    esac
}

named() { # NODE
    ok "pool=auto creates a guest that names node $1" \
        created idle g 'pool="auto"' "nodes=\"$1\"" memory=40 vcpus=2
    is "$(pool_of g) $(nodes_of g) $(affinity g 1)" \
        "$(pool_of_node "$1") $1 all / $(cpus_of "$1")" \
        "the guest is in the cpupool of node $1, with its memory and soft affinity"
    remove g
}

chosen() {
    ok "pool=auto creates a guest that names no node" \
        created idle g 'pool="auto"' memory=100 \
        'nodes_policy="worst"'
    node=$(nodes_of g)
    is "$(pool_of g)" "$(pool_of_node "$node")" \
        "the guest is in the cpupool of node $node, where its memory is"
}

# A pin of the configuration is in one cpupool only.
bound() {
    ok "pool=auto creates a guest with cpus= of node 3" \
        created idle-pvh k 'pool="auto"' \
        "cpus=\"$(cpus_of 3)\"" memory=40
    is "$(pool_of k) $(nodes_of k) $(hard k)" "qb 3 $(cpus_of 3)" \
        "the guest is in the cpupool that has these CPUs"
    comes_back k reboot
    is "$(pool_of k) $(nodes_of k) $(hard k)" "qb 3 $(cpus_of 3)" \
        "the guest is in that cpupool again after a reboot"
    silent k "which needs no warning"
    remove k
}

refused() {
    before=$(rig-free)
    ok "strict refuses more memory than the nodes of a cpupool have" \
        expect 3 create \
        idle-pvh k 'pool="auto"' nodes_max=1 memory=1100 'nodes_mode="strict"'
    is "$(grep -c '^numa: error: ' "$err")" 1 "one line of ours says why"
    ok "cpus= with CPUs of two cpupools is refused" expect 3 create idle-pvh k \
        'pool="auto"' "cpus=[\"$(cpus_of 2)\",\"$(cpus_of 3)\"]" vcpus=2 \
        memory=40
    ok "the line says what would be right" grep -q '^numa: error: .*no cpupool' \
        "$err"
    ok "nothing is left of the refused guests" nothing_left "$before"
}

named 0
named 2
refused
chosen
remove g
bound
done_testing
