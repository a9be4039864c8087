# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh disable=SC2317
# rig: --topology 4node --timeout 1200 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh
# hvm: only HVM guests can have virtual nodes
# thorough: a guest is copied four times
#
# A guest with four virtual nodes, no two alike, is moved onto fewer nodes and back;
# to an xl that does not know them it does not migrate.

. /root/saved-vnodes.sh

sorted_nodes() {
    vnodes_of | tr ' ' '\n' | sort | one_line
}

to_stock() {
    ok "a migration to the installed xl fails" \
        sh -c "! xl migrate -s '' v 'stock-xl migrate-receive'"
    is_back "not migrated" "0 1 2 3"
}

moved() {
    ok "four virtual nodes are moved to two nodes" quiet xl numa-move v 1-2
    ok "a warning says which virtual nodes share a node" grep -q \
        "virtual nodes 0-1 share node 1, virtual nodes 2-3 share node 2: the \
guest still sees separate nodes" "$err"
    is_back "moved onto two" "1 1 2 2"
    before=$(vnodes_of)
    ok "one virtual node is moved to another node" quiet xl numa-move v 3:3
    is_back "one moved" "${before% *} 3"
    ok "a move to auto is accepted" quiet xl numa-move v
    is "$(sorted_nodes)" "0 1 2 3" \
        "each virtual node is on a node of its own again"
    is_back "moved again" "$(vnodes_of)"
}

create_idle
is_back "created" "0 1 2 3"
to_stock
moved
remove v
done_testing
