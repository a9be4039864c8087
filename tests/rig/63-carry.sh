# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/pools.sh disable=SC2317
# rig: --topology 4node --sched credit --put tests/rig/pools.sh:/root/pools.sh
# thorough: guests move a dozen times
#
# A move takes along the cpupool and the pins that a guest was given while it
# ran, and goes where --advise says by the commands that it prints.

. /root/pools.sh

moves() { # STATUS ARG...
    moves_status=$1
    shift
    xl numa-move "$@" > "$out" 2> "$err"
    is "$?" "$moves_status" "xl numa-move $* ends with status $moves_status" ||
        sed 's/^/# /' "$out" "$err"
}

pinned() { # NAME CPUS
    stock-xl vcpu-pin "$1" all "$2"
}

# It has memory on node 1, and is bound to CPUs of node 0.
pin_is_carried() {
    created idle-pvh p memory=40 vcpus=2 'nodes="1"'
    pinned p "$(cpus_of 0)"
    moves 1 p 1
    ok "a move to a node without the pinned CPUs prints what to type" \
        grep -qxF \
        "xl: 'p' is not moved: its vCPUs are bound to CPUs 0-1, none of \
them on node 1: first bind them there: 'xl vcpu-pin p all 2-3', or \
unbind them: 'xl vcpu-pin p all all'" "$err"
    is "$(nodes_of p)" 1 "nothing is moved"
    moves 0 p 0
    is "$(nodes_of p) $(hard p 1)" "0 $(cpus_of 0)" \
        "a move to the node of the pinned CPUs keeps the pin"
    comes_back p reboot
    is "$(nodes_of p) $(hard p 1)" "0 $(cpus_of 0)" \
        "the pin is kept when the guest reboots"
    remove p
}

# Each command is typed as it is printed.
advice_is_pasted() {
    created idle-pvh p memory=40
    created idle-pvh '5' memory=40
    was=$(nodes_of p)
    other=$((was ? 0 : 1))
    pinned p "$(cpus_of $other)"
    stock-xl vcpu-pin "$(domid 5)" all "$(cpus_of 1)"
    xl numa-move --advise > "$out" 2> "$err"
    grep '^xl numa-move ' "$out" > /tmp/commands
    sed 's/^/# /' "$out"
    ok "--advise prints a command" \
        grep -qx "xl numa-move p $other" /tmp/commands
    ok "each command that it prints works" sh -e /tmp/commands
    is "$(nodes_of p) $(hard p)" "$other $(cpus_of $other)" \
        "the command does what the line says"
    is "$(nodes_of 5)" 1 "the command works for a guest whose name is a number"
    is "$(xl numa-move --advise)" \
        "no move would bring memory nearer to its vCPUs" "--advise lists no more moves"
    remove p "$(domid 5)"
}

pool_is_carried() {
    pools_two "$(cpus_of 2)" "$(cpus_of 3)"
    created idle-pvh r memory=40 'pool="qa"'
    stock-xl cpupool-migrate r qb
    moves 0 r 3
    is "$(pool_of r) $(nodes_of r)" "qb 3" \
        "the moved guest is in its cpupool, with its memory near"
    stock-xl cpupool-migrate r Pool-0
    stock-xl cpupool-destroy qb
    moves 0 r
    is "$(pool_of r)" Pool-0 \
        "a guest whose configured cpupool was removed is moved"
    comes_back r reboot
    is "$(pool_of r)" Pool-0 \
        "a guest whose configured cpupool was removed reboots"
    silent r "which needs no warning"
    remove r
}

pin_is_carried
advice_is_pasted
pool_is_carried
done_testing
