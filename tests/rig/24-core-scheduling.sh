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

ok "four vCPUs on a node of two cores" \
    created idle a memory=64 vcpus=4 'nodes="0"' "$core"
is "$(bound a)" "0-1 0-1 2-3 2-3" "two of them on each core"
ok "one more there: status 3" \
    expect 3 create idle b memory=64 'nodes="0"' "$core"
ok "there is no core left" says "node 0 has 0 free"
ok "two vCPUs on the other node" \
    created idle b memory=64 vcpus=2 "$core"
is "$(nodes_of b)" 1 "its memory is there"
is "$(bound b)" "4-5 4-5" "both are on one core"
ok "two more" created idle c memory=64 vcpus=2 "$core"
is "$(bound c)" "6-7 6-7" "have the other core, which was not reserved"
remove a b c

ok "whole cores: as many as the vCPUs take" \
    created idle a memory=64 vcpus=4 'nodes_smt="cores"' 'nodes_cpus="hard"' \
    'nodes_policy="first"'
is "$(bound a)" "0-3 0-3 0-3 0-3" "one node has them"
is "$(nodes_of a)" 0 "and the memory"
remove a

ok "cpus= for each vCPU: the last of a unit counts" \
    created idle a memory=64 vcpus=2 'cpus=["0-1","6-7"]'
is "$(nodes_of a)" 1 "the memory is near that"
is "$(bound a)" "6-7 6-7" "which is where both are"
remove a
ok "a second thread alone is refused" \
    expect 3 create idle a memory=64 vcpus=1 'cpus="5"'
ok "in one line, which says what is needed" says \
    "expected some of CPUs 0,2,4,6, the first of each 2"

ok "a guest" created idle a memory=64 vcpus=4 'nodes="0"'
xl vcpu-pin a 0 2-3 > "$out" 2> "$err"
is $? 0 "vcpu-pin of one vCPU"
ok "says that another goes with it" says "'a': core scheduling: vCPU 1 is \
scheduled together with vCPU 0, and now has the same affinity"
is "$(bound a | cut -d ' ' -f 1-2)" "2-3 2-3" "which is so"
xl vcpu-pin a 2 1 > "$out" 2> "$err"
is $? 1 "a second thread alone is refused here too"
ok "with the reason" says "'1': core scheduling: Xen takes each 2 CPUs as one, \
by the first of them"
xl vcpu-pin a 2 0,3 > "$out" 2> "$err"
ok "a part of a core" says "in effect the hard affinity is CPUs 0-1"
remove a

xl numa-snapshot /tmp/host.json
xl numa-plan --host /tmp/host.json /root/idle.cfg memory=64 vcpus=4 "$core" \
    > "$out" 2> "$err"
ok "a snapshot knows it" grep -q "a core each: CPUs 0-1, 0-1, 2-3, 2-3" "$out"
ok "and the plan says it" grep -q "core scheduling: vCPUs run in groups of 2" "$out"
done_testing
