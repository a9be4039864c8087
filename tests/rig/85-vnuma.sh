# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# hvm: only HVM guests can have virtual nodes
# threads: in one, a guest that takes interrupts gets some of them twice
#
# HVM guests have their memory where the plan says, and with vnuma= they know.

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

console=/var/log/xen/console/guest-v.log

# Pages beyond our reach, which QEMU and hvmloader ask for, may be elsewhere.
only_on() { # NAME NODE...
    only_name=$1
    shift
    only_pages=$(pages_of "$only_name")
    echo "$only_pages"
    echo "$only_pages" | awk -v nodes=" $* " '
        index(nodes, " " $1 " ") { on += $2; next }
        { off += $2 }
        END { exit on == 0 || off > 200 }'
}

paused() { # NAME KEY=VALUE...
    paused_name=$1
    shift
    xl create -p /root/hvm.cfg "name=\"$paused_name\"" "$@" > "$out" 2> "$err"
}

test_pages() {
    paused a memory=200 'nodes="2"'
    ok "nodes=\"2\": the pages of an HVM guest are on that node" only_on a 2
    remove a
    paused a memory=200 'nodes="1-2"'
    ok "nodes=\"1-2\": each node has as many pages" shares_even a 1 2
    remove a
    paused a memory=200 'cpus="2-3"'
    ok "cpus= of node 1: the memory is on node 1" only_on a 1
    remove a
}

guest_node() { # NODE: what the guest's kernel says of it
    sed -n "s/^GUEST-NODE $1 \(.*\) memory=.*/\1/p" "$console" | tr -d '\r'
}

srat_node() { # NODE: its memory, from the guest's ACPI tables
    sed -n "s/.*ACPI: SRAT: Node $1 PXM $1 \[\(.*\)\].*/\1/p" "$console" |
        tr -d '\r'
}

test_auto() {
    xl -v create /root/hvm.cfg 'name="v"' memory=302 vcpus=3 'nodes="1-2"' \
        'vnuma="auto"' > "$out" 2> "$err"
    ok "vnuma=\"auto\": the log has the virtual nodes" grep -F \
        "2 virtual nodes: node 1 with 150 MiB and vCPUs 0-1, node 2 with 152" \
        "$err"
    is "$(affinity v 0)$(affinity v 1)" "all / 2-3all / 2-3" \
        "vCPUs 0 and 1 prefer the CPUs of node 1"
    is "$(affinity v 2)" "all / 4-5" "vCPU 2 prefers the CPUs of node 2"
    pages=$(pages_of v)
    ok "the pages of each virtual node are on its own node" \
        test "$(echo "$pages" | awk '
            $1 == 1 { ok += $2 > 38300 && $2 < 38600 }
            $1 == 2 { ok += $2 > 38800 && $2 < 39100 }
            END { print ok }')" = 2
    ok "no page is on another node" only_on v 1 2
    ok "the Linux of the guest starts" await 300 console_has v GUEST-UP
    is "$(guest_node 0)" "cpus=0-1 distances=10 $(distance 1 2)" \
        "the guest has the CPUs and distances of its node 0"
    is "$(guest_node 1)" "cpus=2 distances=$(distance 2 1) 10" \
        "the guest has the CPUs and distances of its node 1"
    is "$(srat_node 0)" "mem 0x00000000-0x095fffff" \
        "node 0 of the guest has 150 MiB"
    is "$(srat_node 1)" "mem 0x09600000-0x12dfffff" \
        "node 1 of the guest has 152 MiB"
    remove v
}

test_one_node() {
    paused v memory=200 'nodes="1-2"' 'vnuma="auto"'
    ok "a line says which hosts can save and restore the guest" \
        grep -F "only a host with libxl-numa can save or restore it" "$err"
    remove v
    paused v memory=200 'nodes="2"' 'vnuma="auto"'
    ok "a guest on one node has no virtual nodes" sh -c \
        '! rig-xen keys u | grep -q "vnodes, "'
    remove v
}

test_host() {
    paused v memory=400 vcpus=8 'vnuma="host"'
    ok "vnuma=\"host\": each node of the host has as many pages" \
        shares_even v 0 1 2 3
    for vcpu in 0 1 2 3 4 5 6 7; do
        affinity v "$vcpu" | cut -d ' ' -f 1
    done > /tmp/hard
    for node in 0 1 2 3 0 1 2 3; do
        cpus_of "$node"
    done > /tmp/dealt
    ok "each vCPU is bound to a node, in turn" cmp /tmp/dealt /tmp/hard
    ok "Xen has four virtual nodes of the guest" sh -c \
        'rig-xen keys u | grep -q "4 vnodes, 8 vcpus"'
    remove v
    paused v memory=400 vcpus=8 'vnuma="host"' 'nodes_cpus="thread"'
    stock-xl vcpu-list v | awk 'NR > 1 { print $(NF - 2) }' > /tmp/hard
    for node in 0 1 2 3; do
        cpu_list | awk -v node="$node" '$2 == node { print $1 }'
    done > /tmp/dealt
    ok "with a thread each, neighbours are on a node" \
        cmp /tmp/dealt /tmp/hard
    is "$(rig-xen keys u | sed -n \
        's/.*: pnode *\([0-9]*\), vcpus \([0-9-]*\).*/\1:\2/p' | one_line)" \
        "0:0-1 1:2-3 2:4-5 3:6-7" "which is that of their virtual node"
    remove v
}

refused() { # WHY WORDS ARG...
    refused_why=$1 refused_words=$2
    shift 2
    ok "$refused_why: the create is refused with status 1" expect 1 create "$@"
    ok "$refused_why: the error says so" grep -F "$refused_words" "$err"
}

test_refusals() {
    free=$(rig-free | tr '\n' ' ')
    refused "PVH" "only HVM guests can have virtual nodes" \
        idle-pvh v 'vnuma="auto"'
    refused "PV" "only HVM guests can have virtual nodes" idle v 'vnuma="host"'
    refused "memory < maxmem" "virtual nodes need memory = maxmem" \
        hvm v memory=200 maxmem=300 'vnuma="auto"'
    refused "nodes_migratable=1" "cannot save" \
        hvm v nodes_migratable=1 'vnuma="auto"'
    refused "another word" 'expected "auto", "host"' hvm v 'vnuma="yes"'
    expect 3 create hvm v memory=200 'nodes="1-2"' 'vnuma="auto"' videoram=120
    ok "an error reports a first node that is smaller than the video memory" \
        grep -F "smaller than the video memory" "$err"
    ok "nothing is left of the refused guests" nothing_left "$free"
}

test_pages
test_one_node
test_host
test_refusals
test_auto
done_testing
