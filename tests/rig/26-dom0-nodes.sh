# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology tests/rig/dom0-nodes.topology
#
# A dom0 that Xen was told to put on one node (dom0_nodes=): the commands show it there,
# and guests are placed by what the nodes have left.

. /root/lib.sh


most_pages() { # NAME
    pages_of "$1" | sort -k 2 -n | tail -n 1 | cut -d' ' -f1
}

is "$(most_pages Domain-0)" 2 "by Xen's report dom0 is on node 2"
is "$(affinity Domain-0 | sed 's, / .*,,')" "$(cpus_of 2)" "its vCPUs are bound to the CPUs there"
xl numa-stat > "$out"
sed 's/^/# /' "$out"
expected=$(expected_node balanced 64)
created idle-pvh g memory=64
is "$(nodes_of g)" "$expected" "a guest that chooses goes where the policy says"
created idle-pvh h memory=64 'nodes="2"'
is "$(nodes_of h)" 2 "a guest that asks for dom0's node has all of its pages there"
ok "a move of dom0 is refused" expect 1 quiet xl numa-move Domain-0 1
ok "the error names the option of Xen" grep -q "dom0_nodes= of Xen" "$err"
remove g h
done_testing
