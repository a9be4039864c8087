# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology tests/rig/core-scheduling.topology
#
# With sched-gran=core on Xen's command line both threads of a core are one unit:
# vCPUs 0-1 share an affinity, vCPUs 2-3 do, and the last one that is set counts.

. /root/lib.sh

# "0-1 0-1 2-3 2-3": the hard affinities of a guest's vCPUs, as Xen has them.
bound() { # NAME
    stock-xl vcpu-list "$1" | awk 'NR > 1 { print $(NF - 2) }' | one_line
}

says() { # LINE
    cat "$err"
    grep -qF -e "$1" "$err"
}

core='nodes_cpus="core"'

ok "four vCPUs on a node of two cores are created" \
    created idle a memory=64 vcpus=4 'nodes="0"' "$core"
is "$(bound a)" "0-1 0-1 2-3 2-3" "each core has two of the vCPUs"
ok "one more vCPU on that node is refused with status 3" \
    expect 3 create idle b memory=64 'nodes="0"' "$core"
ok "the error says that no core is free" says "node 0 has 0 free"
ok "two vCPUs on the other node are created" \
    created idle b memory=64 vcpus=2 "$core"
is "$(nodes_of b)" 1 "the memory of that guest is on the other node"
is "$(bound b)" "4-5 4-5" "both vCPUs are on one core"
ok "two more vCPUs on the other node are created" \
    created idle c memory=64 vcpus=2 "$core"
is "$(bound c)" "6-7 6-7" "these vCPUs have the other core, which was free"
remove a b c

ok "four vCPUs with a thread each are created" \
    created idle a memory=64 vcpus=4 'nodes="0"' 'nodes_cpus="thread"'
is "$(bound a)" "0-1 0-1 2-3 2-3" "each core has two of these vCPUs"
ok "one more thread on that node is refused with status 3" \
    expect 3 create idle b memory=64 'nodes="0"' 'nodes_cpus="thread"'
ok "the error says that the thread needs a free core" \
    says "nodes_cpus=\"thread\": 1 vCPU needs a free core, node 0 has 0 free"
remove a

ok "nodes_smt=cores needs as many cores as the vCPUs take" \
    created idle a memory=64 vcpus=4 'nodes_smt="cores"' 'nodes_cpus="hard"' \
    'nodes_policy="first"'
is "$(bound a)" "0-3 0-3 0-3 0-3" "one node has these cores"
is "$(nodes_of a)" 0 "the same node has the memory"
remove a

ok "a cpus= list is accepted, and the last vCPU of a unit counts" \
    created idle a memory=64 vcpus=2 'cpus=["0-1","6-7"]'
is "$(nodes_of a)" 1 "the memory is near the CPUs of the last vCPU"
is "$(bound a)" "6-7 6-7" "both vCPUs of the unit are on these CPUs"
remove a
ok "cpus= with a second thread alone is refused" \
    expect 3 create idle a memory=64 vcpus=1 'cpus="5"'
ok "one line says that a first CPU of a core is needed" says \
    "expected some of CPUs 0,2,4,6, the first of each 2"

ok "a guest without affinity is created" \
    created idle a memory=64 vcpus=4 'nodes="0"'
xl vcpu-pin a 0 2-3 > "$out" 2> "$err"
is $? 0 "vcpu-pin pins one vCPU"
ok "vcpu-pin says that another vCPU moves with it" \
    says "'a': core scheduling: vCPU 1 is \
scheduled together with vCPU 0, and now has the same affinity"
is "$(bound a | cut -d ' ' -f 1-2)" "2-3 2-3" "the other vCPU has moved, too"
xl vcpu-pin a 2 1 > "$out" 2> "$err"
is $? 1 "vcpu-pin refuses a second thread alone"
ok "vcpu-pin says why it refuses it" \
    says "'1': core scheduling: Xen takes each 2 CPUs as one, \
by the first of them"
xl vcpu-pin a 2 0,3 > "$out" 2> "$err"
ok "vcpu-pin says what a list with half of a core means" \
    says "in effect the hard affinity is CPUs 0-1"
remove a

xl numa-snapshot /tmp/host.json
xl numa-plan --host /tmp/host.json /root/idle.cfg memory=64 vcpus=4 "$core" \
    > "$out" 2> "$err"
ok "a snapshot has the granularity" \
    grep -q "a core each: CPUs 0-1, 0-1, 2-3, 2-3" "$out"
ok "a plan on the snapshot says that vCPUs run together" \
    grep -q "core scheduling: vCPUs run in groups of 2" "$out"
done_testing
