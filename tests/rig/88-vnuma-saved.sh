# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh disable=SC2317
# rig: --topology 4node --timeout 1200 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh
# hvm: only HVM guests can have virtual nodes
#
# A guest with four virtual nodes, no two alike, is saved and restored, and moved
# onto fewer nodes and back: each frame is on the node of its virtual node. The guest
# itself only idles; 89-vnuma-linux has one that looks.

. /root/saved-vnodes.sh

sorted_nodes() {
    vnodes_of | tr ' ' '\n' | sort | one_line
}

refused() {
    ok "stock xl does not save it" sh -c '! stock-xl save v /tmp/saved/v'
    ok "it is not saved with another configuration" \
        sh -c '! xl save v /tmp/saved/v /root/idle-hvm.cfg'
    is_back "not saved" "0 1 2 3"
}

restored() {
    ok "it is saved" quiet xl save v /tmp/saved/v
    ok "stock xl does not restore it" \
        sh -c '! stock-xl restore /tmp/saved/v > /tmp/stock 2>&1'
    ok "as the file says that it needs more" \
        grep -q "mandatory flag" /tmp/stock
    ok "it is restored" quiet xl restore /tmp/saved/v
    is_back "restored" "0 1 2 3"
}

to_stock() {
    ok "a migration to stock xl fails" \
        sh -c "! xl migrate -s '' v 'stock-xl migrate-receive'"
    is_back "not migrated" "0 1 2 3"
}

moved() {
    ok "two nodes for four: moved" quiet xl numa-move v 1-2
    ok "a warning says which share one" grep -q \
        "virtual nodes 0-1 share node 1, virtual nodes 2-3 share node 2: the \
guest sees them apart" "$err"
    is_back "moved onto two" "1 1 2 2"
    before=$(vnodes_of)
    ok "one of them is moved on" quiet xl numa-move v 3:3
    is_back "one moved" "${before% *} 3"
    expect 1 xl numa-move v 4:0 2> "$err"
    is "$(cat "$err")" "xl: '4:0': 'v' has virtual nodes 0-3" \
        "one that there is not: one line"
    ok "anywhere: moved" quiet xl numa-move v
    is "$(sorted_nodes)" "0 1 2 3" "each is on a node of its own again"
    is_back "moved again" "$(vnodes_of)"
}

create_idle
is_back "created" "0 1 2 3"
refused
restored
to_stock
moved
remove v
done_testing
