# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/vnodes-there.sh disable=SC2317
# rig: --pair 4node 2node --timeout 3600 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh --put tests/rig/two-hosts.sh:/root/two-hosts.sh --put tests/rig/vnodes-there.sh:/root/vnodes-there.sh
# hvm: only HVM guests can have virtual nodes
# threads: in one, a guest that takes interrupts gets some of them twice
# long: two machines, and a Linux guest that boots twice as HVM
#
# A Linux guest with four virtual nodes, no two alike, migrates to a host with two
# nodes and back, one virtual node is moved, and it reboots. It sees the same nodes
# all the time, its memory is intact, and each frame is on the node of its virtual
# node.

. /root/vnodes-there.sh

rebooted() {
    old=$(domid v) nodes=$(vnodes_of)
    echo reboot > "$(xenstore-read "/local/domain/$old/console/tty")"
    ok "it reboots" await 600 lives_anew v "$old"
    ok "its Linux starts again" await 900 has_said GUEST-UP 2
    is_placed "rebooted" "$nodes"
}

boot 480 5 "0 100 0 10,21,31,31" "100 220 1-2 21,10,31,31" \
    "220 350 3 31,31,10,21" "350 480 4 31,31,21,10" -- 'vnuma=[
        ["pnode=0","size=100","vcpus=0","vdistances=10,21,31,31"],
        ["pnode=1","size=120","vcpus=1-2","vdistances=21,10,31,31"],
        ["pnode=2","size=130","vcpus=3","vdistances=31,31,10,21"],
        ["pnode=3","size=130","vcpus=4","vdistances=31,31,21,10"]]'
is_placed "created" "0 1 2 3"
ok "it migrates to a host with two nodes" quiet xl migrate -s rig-peer v rig2
is "$(guest_domids)" "" "it is not here any more"
there=$(on_peer vnodes_of)
ok "there it sees the same, each frame on the node of its virtual node" \
    there lives "migrated" "$there"
ok "it comes back" quiet peer xl migrate -s rig-peer v rig1
lives "back" "$(vnodes_of)"
ok "one of its virtual nodes is moved" quiet xl numa-move v 3:2
lives "one moved" "$(vnodes_of)"
is "$(vnodes_of | cut -d' ' -f4)" 2 "the fourth is on node 2"
rebooted
remove v
nothing_of_ours
done_testing
