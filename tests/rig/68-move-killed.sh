# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/killed-moves.sh
# rig: --topology 4node --put tests/rig/killed-moves.sh:/root/killed-moves.sh
#
# A few moves that are interrupted, of a PVH and of a PV guest; 69-moves-killed
# has a hundred. And what else suspends a guest that then runs on.

. /root/killed-moves.sh

# It was suspended meanwhile, and runs on: the xl that waited for it has ended.
still_reboots() {
    old=$(domid g)
    ok "the guest reboots" stock-xl reboot g
    ok "the guest is a new domain after the reboot" \
        await 300 lives_anew g "$old"
}

checkpoint() {
    created idle-pvh g memory=24
    ok "a checkpoint" xl save -c g /tmp/saved
    rm -f /tmp/saved
    still_reboots
    remove g
}

# Newer releases of xl go on waiting for a domain that is suspended.
foreground_has_seen() {
    ! kill -0 $foreground 2> /dev/null ||
        grep -q "Continue waiting" /tmp/foreground
}

# The receiver is killed once the guest is suspended, and once the xl that waits
# for it, in the foreground, has seen that.
failing_migration() {
    xl create -F /root/idle-pvh.cfg 'name="g"' memory=24 > /tmp/foreground 2>&1 &
    foreground=$!
    ok "xl create -F" await 300 runs_once
    setsid xl migrate -s '' g 'xl migrate-receive' > "$out" 2>&1 &
    leader=$!
    rig-xen until "$(domid g)" s 0
    kill -STOP $leader
    await 300 foreground_has_seen
    interrupt KILL receiver $leader
    kill -CONT $leader
    wait $leader
    status=$?
    ok "a migration fails late" test $status != 0 || sed 's/^/# /' "$out"
    remove g--incoming
    ok "one guest runs" runs_once
    still_reboots
    remove g
}

interrupt_moves idle-pvh "${1:-2}"
interrupt_moves idle "${1:-2}"
checkpoint
failing_migration
done_testing
