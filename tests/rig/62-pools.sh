# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --sched credit2 --put tests/rig/pools.sh:/root/pools.sh
#
# A guest that was given a cpupool or CPUs which are not there when it is built
# again comes back without them, and a warning says so.

. /root/pools.sh

pools_two "$(cpus_of 2)" "$(cpus_of 3)"

# The pool that the guest is in now is kept with its pin.
moved_and_pinned() {
    created idle-pvh k memory=40 'pool="qa"'
    stock-xl cpupool-migrate k qb
    ok "the guest is pinned in the other cpupool" \
        quiet xl vcpu-pin --keep k all node:3
    comes_back k reboot
    is "$(pool_of k)" qb "the guest is in the cpupool that it was in"
    is "$(hard k)" "$(cpus_of 3)" "the guest has its pin"
    is "$(nodes_of k)" 3 "the memory of the guest is near its cpupool"
    silent k "which needs no warning"
}

# Its CPUs leave the pool, then the pool goes.
pool_shrinks_and_goes() {
    stock-xl cpupool-migrate k Pool-0
    stock-xl cpupool-cpu-remove qb 6
    comes_back k reboot
    is "$(pool_of k) $(hard k)" "qb $(cpus_of 3)" \
        "the pin applies to the rest if half of the cpupool is removed"
    stock-xl cpupool-migrate k Pool-0
    stock-xl cpupool-destroy qb
    comes_back k save
    is "$(pool_of k) $(hard k)" "Pool-0 all" \
        "the guest is in Pool-0 without a pin if the cpupool is removed"
    warned k 'pool="qb": this host has no such cpupool'
    warned k "hard affinity of vCPU 0: CPUs 6-7: cpupool 'Pool-0' has only CPUs 0-3"
    comes_back k reboot
    silent k "what was dropped is not dropped again"
    remove k
}

# The CPUs of a pin without any pool.
cpus_go() {
    created idle g memory=40 vcpus=2
    ok "one vCPU is pinned" quiet xl vcpu-pin --keep g 1 2-3 3
    stock-xl cpupool-cpu-remove Pool-0 2,3
    comes_back g reboot
    warned g "hard affinity of vCPU 1: CPUs 2-3: "
    warned g "soft affinity of vCPU 1: CPUs 3: "
    is "$(hard g 1)" all "PV: the guest has no pin"
    remove g
}

moved_and_pinned
pool_shrinks_and_goes
cpus_go
done_testing
