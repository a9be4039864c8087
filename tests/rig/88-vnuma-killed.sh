# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh disable=SC2317
# rig: --topology 4node --timeout 1200 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh --put tests/rig/killed-moves.sh:/root/killed-moves.sh
# hvm: only HVM guests can have virtual nodes
# thorough: it is a boot of its own
#
# A guest with virtual nodes survives moves that are killed once it is suspended, and
# is then as it was, or as it was to be.

. /root/saved-vnodes.sh
# shellcheck source=tests/rig/killed-moves.sh
. /root/killed-moves.sh

killed_move() { # WHO
    setsid xl numa-move v > "$out" 2> "$err" &
    leader=$!
    rig-xen until "$(domid v)" s 0
    interrupt KILL "$1" $leader
    wait $leader 2> /dev/null
    ok "KILL to $1: the move ends" await 300 nobody_moves
    [ "$1" != all ] || xl numa-move --recover v
    is_back "KILL to $1" "$(vnodes_of)"
}

create_idle
is_back "created" "0 1 2 3"
killed_move receiver
killed_move leader
killed_move all
remove v
done_testing
