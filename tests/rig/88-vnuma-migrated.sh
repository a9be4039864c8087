# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/vnodes-there.sh disable=SC2317
# rig: --pair 4node 2node --timeout 1800 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh --put tests/rig/two-hosts.sh:/root/two-hosts.sh --put tests/rig/vnodes-there.sh:/root/vnodes-there.sh
# hvm: only HVM guests can have virtual nodes
# thorough: two machines
#
# A guest with four virtual nodes migrates to a host with two nodes, and back: each
# frame is on the node of its virtual node, as Xen counts.

. /root/vnodes-there.sh

# The nodes of a list of them, each once.
distinct() {
    echo "$1" | tr ' ' '\n' | sort -u | one_line
}

create_idle
is_back "created" "0 1 2 3"
ok "the guest migrates to a host with two nodes" \
    quiet xl migrate -s rig-peer v rig2
ok "a warning says which virtual nodes share a node" \
    grep -q 'virtual nodes .* share node .*: the guest still sees separate nodes' "$err"
is "$(guest_domids)" "" "the guest no longer runs here"
there=$(on_peer vnodes_of)
is "$(distinct "$there")" "0 1" "both nodes are used: $there"
ok "the guest runs there, with each frame on the node of its virtual node" \
    there is_back "migrated" "$there"
ok "the guest migrates back" quiet peer xl migrate -s rig-peer v rig1
is "$(peer rig-xen domains | awk '$2 > 0')" "" "the guest no longer runs there"
here=$(vnodes_of)
is_back "back" "$here"
remove v
nothing_of_ours
done_testing
