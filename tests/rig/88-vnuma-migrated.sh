# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh disable=SC2317
# rig: --pair 4node 2node --timeout 1800 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh --put tests/rig/two-hosts.sh:/root/two-hosts.sh
# hvm: only HVM guests can have virtual nodes
# thorough: two machines
#
# A guest with four virtual nodes migrates to a host with two nodes, and back: each
# frame is on the node of its virtual node, as Xen counts.

# shellcheck source=tests/rig/two-hosts.sh
. /root/two-hosts.sh
. /root/saved-vnodes.sh

# COMMAND on the other host, with the functions of saved-vnodes.sh.
on_peer() {
    peer '. /root/saved-vnodes.sh 2> /dev/null;' "$@"
}

# What is_back finds there; the shape is that of here.
placed_there() { # HOW NODES
    for file in vnodes shape; do
        peer "cat > /tmp/$file" < "/tmp/$file"
    done
    on_peer "is_back '$1' '$2'" > /tmp/there
    cat /tmp/there
    grep -q '^ok' /tmp/there && ! grep -q '^not ok' /tmp/there
}

# The nodes of a list of them, each once.
distinct() {
    echo "$1" | tr ' ' '\n' | sort -u | one_line
}

create_idle
is_back "created" "0 1 2 3"
ok "it migrates to a host with two nodes" quiet xl migrate -s rig-peer v rig2
ok "a warning says which share one" \
    grep -q 'virtual nodes .* share node .*: the guest still sees separate nodes' "$err"
is "$(guest_domids)" "" "it is not here any more"
there=$(on_peer vnodes_of)
is "$(distinct "$there")" "0 1" "both nodes are used: $there"
ok "there it runs, with each frame on the node of its virtual node" \
    placed_there "migrated" "$there"
ok "it comes back" quiet peer xl migrate -s rig-peer v rig1
is "$(peer rig-xen domains | awk '$2 > 0')" "" "it is not there any more"
here=$(vnodes_of)
is_back "back" "$here"
remove v
nothing_of_ours
done_testing
