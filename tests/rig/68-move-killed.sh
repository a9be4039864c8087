# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/killed-moves.sh
# rig: --topology 4node --put tests/rig/killed-moves.sh:/root/killed-moves.sh
#
# A few moves that are interrupted, of a PVH and of a PV guest; 69-moves-killed
# has a hundred. And what else suspends a guest that then runs on.

. /root/killed-moves.sh

# It was suspended meanwhile, and runs on: what waited for it has ended.
still_reboots() {
    old=$(domid g)
    ok "it reboots" stock-xl reboot g
    ok "into a new domain" await 60 lives_anew g "$old"
}

checkpoint() {
    created idle-pvh g memory=24
    ok "a checkpoint" xl save -c g /tmp/saved
    rm -f /tmp/saved
    still_reboots
}

failing_migration() {
    setsid xl migrate -s '' g 'xl migrate-receive' > "$out" 2>&1 &
    leader=$!
    rig-xen until "$(domid g)" s 1000
    signal_receiver KILL $leader
    wait $leader
    await 120 nobody_moves
    ok "a migration whose receiver is killed: one guest" await 30 runs_once
    still_reboots
    remove g
}

interrupt_moves idle-pvh "${1:-2}"
interrupt_moves idle "${1:-2}"
checkpoint
failing_migration
done_testing
