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
    ok "node $1 is named: created" \
        created idle g 'pool="auto"' "nodes=\"$1\"" memory=40 vcpus=2
    is "$(pool_of g) $(nodes_of g) $(affinity g 1)" \
        "$(pool_of_node "$1") $1 all / $(cpus_of "$1")" \
        "it is in the cpupool of node $1, with its memory and soft affinity"
    remove g
}

chosen() {
    ok "no node is named: created" created idle g 'pool="auto"' memory=100 \
        'nodes_policy="worst"'
    node=$(nodes_of g)
    is "$(pool_of g)" "$(pool_of_node "$node")" \
        "it is in the cpupool of node $node, where its memory is"
}

# A pin of the configuration is in one cpupool only.
bound() {
    ok "bound to the CPUs of node 3: created" created idle-pvh k 'pool="auto"' \
        "cpus=\"$(cpus_of 3)\"" memory=40
    is "$(pool_of k) $(nodes_of k) $(hard k)" "qb 3 $(cpus_of 3)" \
        "it is in the cpupool that has them"
    comes_back k reboot
    is "$(pool_of k) $(nodes_of k) $(hard k)" "qb 3 $(cpus_of 3)" \
        "and is there again"
    silent k "which needs no warning"
    remove k
}

refused() {
    before=$(rig-free)
    ok "strict, and more than a cpupool's nodes have: refused" expect 3 create \
        idle-pvh k 'pool="auto"' nodes_max=1 memory=1100 'nodes_mode="strict"'
    is "$(grep -c '^numa: error: ' "$err")" 1 "one line of ours says why"
    ok "bound to CPUs of two cpupools: refused" expect 3 create idle-pvh k \
        'pool="auto"' "cpus=[\"$(cpus_of 2)\",\"$(cpus_of 3)\"]" vcpus=2 \
        memory=40
    ok "the line says what would be right" grep -q '^numa: error: .*no cpupool' \
        "$err"
    ok "nothing is left of them" nothing_left "$before"
}

named 0
named 2
refused
chosen
remove g
bound
done_testing
