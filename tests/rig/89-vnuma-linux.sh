# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh disable=SC2317
# rig: --topology 4node --timeout 2400 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh
# hvm: only HVM guests can have virtual nodes
# threads: in one, a guest that takes interrupts gets some of them twice
# long: a Linux guest boots twice as HVM, and is copied three times
#
# A Linux guest with two virtual nodes is saved and restored, migrates and is moved.
# It sees the same nodes as before, its memory is intact, and each frame is on the
# node of its virtual node. Then it reboots.

. /root/saved-vnodes.sh

rebooted() {
    old=$(domid v)
    echo reboot > "$(xenstore-read "/local/domain/$old/console/tty")"
    ok "it reboots" await 300 lives_anew v "$old"
    ok "its Linux starts again" await 900 has_said GUEST-UP 2
    # Its virtual nodes are planned anew, and either may have the odd MiB.
    rm /tmp/shape
    is_placed "rebooted" "0 3"
}

boot 302 3 "0 150 0-1 10,31" "150 302 2 31,10" -- 'nodes="1-2"' 'vnuma="auto"'
is_placed "created" "1 2"
ok "it is saved" quiet xl save v /tmp/saved/v
ok "it is restored" quiet xl restore /tmp/saved/v
lives "restored" "$(vnodes_of)"
ok "it migrates to this host" quiet xl migrate -s '' v 'xl migrate-receive'
lives "migrated" "$(vnodes_of)"
ok "its virtual nodes are moved" quiet xl numa-move v 0:0,1:3
lives "moved" "0 3"
rebooted
done_testing
