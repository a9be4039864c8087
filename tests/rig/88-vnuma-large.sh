# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh disable=SC2317
# rig: --topology tests/rig/four-large.topology --timeout 3600 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh
# hvm: only HVM guests can have virtual nodes
# long: 4.5 GiB are copied twice
#
# A guest of 4.5 GiB has memory below and above the devices at 4 GiB, so one of its
# virtual nodes has two ranges. It is moved onto other nodes: the frames of both
# ranges are on the node of that virtual node.

. /root/saved-vnodes.sh

# Virtual node 2 has vCPU 2, and so on.
ranges_placed() { # HOW NODES
    is "$(vnodes_of)" "$2" "$1: in Xen, virtual nodes are on nodes $2"
    while read -r first end vcpu; do
        place=$(echo "$2" | cut -d' ' -f$((vcpu + 1)))
        is "$(frames_on "$first" "$end")" "$place" \
            "$1: frames from $first to $end MiB are on node $place"
    done < /tmp/vnodes
}

moved() { # TO
    ok "it is moved to $1" quiet xl numa-move v "$1"
    ok "it runs, once" await 60 there_is_one
    is "$(shape)" "$(cat /tmp/shape)" "in Xen, its ranges and vCPUs are as before"
    now=$(vnodes_of)
    ranges_placed "moved to $1" "$now"
}

created idle-hvm v memory=4608 vcpus=3 'vnuma=[
    ["pnode=0","size=1536","vcpus=0","vdistances=10,21,31"],
    ["pnode=1","size=1536","vcpus=1","vdistances=21,10,31"],
    ["pnode=2","size=1536","vcpus=2","vdistances=31,31,10"]]'
note_vnodes
shape > /tmp/shape
is "$(wc -l < /tmp/vnodes)" 4 "three virtual nodes have four ranges"
is "$(awk '{ sum += $2 - $1 } END { print sum }' /tmp/vnodes)" 4608 \
    "they are all of its memory"
ranges_placed "created" "0 1 2"
moved 1-3
is "$(echo "$now" | tr ' ' '\n' | sort | one_line)" "1 2 3" "each has a node of its own"
moved 2:0
is "${now##* }" 0 "the one with two ranges is on node 0"
remove v
done_testing
