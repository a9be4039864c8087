# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/vnodes-there.sh disable=SC2317
# rig: --suite bookworm --pair 4node 4node --peer=--suite=trixie --timeout 1800 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh --put tests/rig/two-hosts.sh:/root/two-hosts.sh --put tests/rig/vnodes-there.sh:/root/vnodes-there.sh
# hvm: only HVM guests can have virtual nodes
# thorough: two machines
#
# Guests migrate from a host with Xen 4.17 to one with 4.20, as when hosts are
# upgraded one by one: each is placed there by what it asks for, and virtual nodes are
# what they were.

. /root/vnodes-there.sh

version="stock-xl info | sed -n 's/^xen_version *: \([0-9]*\.[0-9]*\).*/\1/p'"

on_plan_there() { # NAME NODES
    is "$(peer rig-xen domains | awk -v name="$1" '$4 == name' | wc -l)" 1 \
        "$1 is there"
    is "$(nodes_there "$1")" "$2" "every page is on node $2 there"
}

migrates() { # NAME
    ok "$1 migrates" quiet xl migrate -s rig-peer "$1" rig2
    is "$(guest_domids)" "" "$1 is not here any more"
}

is "$(eval "$version") $(peer "$version")" "4.17 4.20" \
    "these are the releases"

created idle-pvh g memory=48 vcpus=2 'nodes="2"'
migrates g
on_plan_there g 2
peer stock-xl destroy g

create_idle
is_back "created" "0 1 2 3"
migrates v
ok "there it runs, with each frame on the node of its virtual node" \
    there is_back "migrated" "0 1 2 3"
ok "the newer release saves it" quiet peer xl save v /tmp/v.saved
ok "the newer release restores it" quiet peer xl restore /tmp/v.saved
ok "each frame is where it was" there is_back "restored" "0 1 2 3"
peer stock-xl destroy v
nothing_of_ours
done_testing
