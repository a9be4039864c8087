# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/pools.sh disable=SC2317
# rig: --topology 4node --sched credit2 --put tests/rig/pools.sh:/root/pools.sh
# hvm: only HVM guests can be reset softly
# thorough: guests are built again a dozen times
#
# However a guest is built again, and whatever has become of what was kept for
# it, it comes back, and a warning names what was dropped.

. /root/pools.sh

# It is in qb, of another scheduler, with a weight of its own.
migrated() {
    created idle-pvh m memory=40 'pool="qa"' 'cpu_weight=400'
    stock-xl cpupool-migrate m qb
    ok "the guest is pinned in its cpupool" \
        quiet xl vcpu-pin --keep m all node:3
    comes_back m migrate
    is "$(pool_of m) $(hard m)" "qb $(cpus_of 3)" \
        "the guest is in its cpupool, with its pin"
    comes_back m save
    is "$(pool_of m) $(hard m)" "qb $(cpus_of 3)" \
        "the guest is in its cpupool after it is restored"
    remove m
}

# Its vCPUs may run on a node of qb only; then qb goes.
bound_by_nodes() {
    created idle-pvh n memory=40 vcpus=2 'pool="qb"'
    ok "the guest is bound to a node" \
        quiet xl node-affinity --keep --cpus=hard n 3
    comes_back n migrate
    is "$(pool_of n) $(hard n 1)" "qb $(cpus_of 3)" \
        "the guest is in its cpupool, on its node"
    stock-xl cpupool-migrate n Pool-0
    stock-xl cpupool-destroy qb
    comes_back n migrate
    is "$(pool_of n) $(hard n 1)" "Pool-0 all" \
        "the guest has neither once the cpupool is removed"
    warned n 'pool="qb": this host has no such cpupool'
    warned n "hard affinity of vCPUs 0-1: CPUs 6-7: cpupool 'Pool-0' has only CPUs 0-3"
    comes_back n reboot
    remove n
}

asks_reset() {
    xenstore-write "/local/domain/$(domid h)/control/shutdown" soft-reset
}

# Its pool is renamed, which it follows, and then another has its name.
reset_softly() {
    created idle-hvm h vcpus=2 'pool="qa"'
    await 30 console_has h up
    ok "an HVM guest is pinned in its cpupool" \
        quiet xl vcpu-pin --keep h 1 node:2
    asks_reset
    ok "the HVM guest is reset" await 60 console_has h reset
    is "$(pool_of h) $(hard h 1)" "qa $(cpus_of 2)" \
        "the HVM guest is in its cpupool, with its pin"
    stock-xl cpupool-rename qa other
    asks_reset
    ok "the HVM guest is reset after its cpupool was renamed" \
        await 60 console_has h reset 2
    is "$(hard h 1)" "$(cpus_of 2)" "the HVM guest still has its pin"
    remove h
    stock-xl cpupool-rename other qa
}

scheduler=credit
pools_two "$(cpus_of 2)" "$(cpus_of 3)"
reset_softly
migrated
bound_by_nodes
done_testing
