# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh disable=SC2317
# rig: --topology 4node --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh
# hvm: only HVM guests can have virtual nodes
#
# A guest with four virtual nodes, no two alike, is saved and restored, and one of
# them is moved: each frame is on the node of its virtual node. The guest itself only
# idles; 89-vnuma-linux has one that looks.

. /root/saved-vnodes.sh

refused() {
    ok "the installed xl refuses to save the guest" \
        sh -c '! stock-xl save v /tmp/saved/v'
    ok "the guest is not saved with another configuration" \
        sh -c '! xl save v /tmp/saved/v /root/idle-hvm.cfg'
}

restored() {
    ok "the guest is saved" quiet xl save v /tmp/saved/v
    ok "the installed xl refuses to restore the guest" \
        sh -c '! stock-xl restore /tmp/saved/v > /tmp/stock 2>&1'
    ok "the error says that the file has mandatory flags" \
        grep -q "mandatory flag" /tmp/stock
    ok "the guest is restored" quiet xl restore /tmp/saved/v
    is_back "restored" "0 1 2 3"
}

one_is_moved() {
    ok "one virtual node of the guest is moved" quiet xl numa-move v 3:2
    is_back "one moved" "0 1 2 2"
    expect 1 xl numa-move v 4:0 2> "$err"
    is "$(cat "$err")" "xl: '4:0': 'v' has virtual nodes 0-3" \
        "one line reports a virtual node that does not exist"
}

create_idle
is_back "created" "0 1 2 3"
refused
restored
one_is_moved
remove v
done_testing
