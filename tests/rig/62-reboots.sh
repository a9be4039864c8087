# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/pools.sh disable=SC2317
# rig: --topology 4node --put tests/rig/pools.sh:/root/pools.sh
# thorough: guests reboot where there is no room for what they ask for
#
# What a new guest is refused for does not keep one from coming back when it
# reboots: it is dropped this time, and a warning names it. Here the nodes that
# were kept for it have neither the memory nor the cores.

. /root/pools.sh

strict() {
    created idle-pvh s memory=100 'nodes="2"' 'nodes_mode="strict"'
    ok "strict: the guest comes back although its node is full" \
        quiet xl node-affinity --keep s 3
    comes_back s reboot
    warned s '"strict" is dropped this time'
    remove ballast
    comes_back s reboot
    is "$(nodes_of s)" 3 "strict: the guest is strict again once there is room"
    remove s
}

cores() {
    created idle-pvh c vcpus=2 memory=40 'nodes="2"' 'nodes_cpus="core"'
    created idle-pvh t vcpus=2 memory=40 'nodes="3"' 'nodes_cpus="core"'
    ok "core: the guest comes back although its node has no free core" quiet \
        xl node-affinity --keep c 3
    comes_back c reboot
    warned c '"core" is dropped this time'
    is "$(hard c) $(nodes_of c)" "all 3" \
        "core: the guest runs anywhere, with its memory on the node"
    remove c t
}

created idle-pvh ballast 'nodes="3"' memory=$(($(free_mib 3) - 40))
strict
cores
done_testing
