# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology tests/rig/threads.topology
#
# nodes_cpus="thread" gives each vCPU a thread of its own, with siblings on one core:
# on a host of two nodes with three cores of two threads each.

. /root/lib.sh

thread='nodes_cpus="thread"'

# "0 1 2": the hard affinities of a guest's vCPUs, as Xen has them.
bound() { # NAME
    stock-xl vcpu-list "$1" | awk 'NR > 1 { print $(NF - 2) }' | one_line
}

# "0 0 1": the cores that the hypervisor says these CPUs are on.
cores_of() { # CPU...
    for cpu; do
        stock-xl info -n | awk -v cpu="$cpu:" '
            /^[a-z]+ *:/ { table = $1 }
            table ~ /^cpu/ && $1 == cpu { print $4 "." $3 "." $2 }'
    done | awk '!($1 in seen) { seen[$1] = nr++ } { print seen[$1] }' | one_line
}

says() { # LINE
    cat "$err"
    grep -qF -e "$1" "$err"
}

restore() {
    xl restore /tmp/a.save > "$out" 2> "$err"
}

stock-xl info -n | awk '/^cpu_topology/, /^device/' | sed 's/^/# /'
ok "a guest with four threads on node 0 is created" \
    created idle a memory=64 vcpus=4 'nodes="0"' "$thread"
is "$(bound a)" "0 1 2 3" "each vCPU has a thread of its own"
# shellcheck disable=SC2046 # words
is "$(cores_of $(bound a))" "0 0 1 1" \
    "vCPUs 0 and 1 share a core, and so do 2 and 3"
is "$(affinity a 0 | cut -d ' ' -f 3)" all "vCPU 0 prefers nothing else"
is "$(nodes_of a)" 0 "the memory is on node 0"

before=$(rig-free)
ok "three more threads on node 0 are refused with status 3" \
    expect 3 create idle b memory=64 vcpus=3 \
    'nodes="0"' "$thread"
ok "the error says that two threads are free" \
    says 'nodes_cpus="thread": 3 vCPUs need a free thread \
each, node 0 has 2 free'
ok "the refused create leaves nothing" free_within 64 "$before"
ok "a guest with three threads on any node is created" \
    created idle b memory=64 vcpus=3 "$thread"
is "$(bound b)" "6 7 8" "its threads are on the other node"

ok "a guest with a core on node 0 is created" \
    created idle c memory=64 'nodes="0"' 'nodes_cpus="core"'
is "$(bound c)" "4-5" "the core has no thread of another guest"
ok "a guest with a core on node 1 is created" \
    created idle d memory=64 'nodes="1"' 'nodes_cpus="core"'
is "$(bound d)" "10-11" "a core with a thread idle is not free"
ok "one thread more is refused with status 3" \
    expect 3 create idle e memory=64 "$thread"
ok "the error says that all cores are taken" \
    says '1 vCPU needs a free thread, nodes 0-1 have 0'
remove c d

ok "a guest with a cpus= list is created" \
    created idle c memory=64 vcpus=2 "$thread" 'cpus=["5","4-5"]'
is "$(bound c)" "5 4" "each vCPU has a thread of its list"
remove a b c

# While it is in flight, its vCPUs have no affinity yet.
hold 1 64 "$thread" vcpus=3
ok "a guest is created while another create is in flight" \
    created idle b memory=64 vcpus=2 'nodes="1"' "$thread"
is "$(bound b)" "10 11" "it gets the core that the other will not have"
go_on
is $? 0 "the create in flight ends well"
is "$(bound g)" "6 7 8" "it has the threads of its plan"

domid g > /tmp/old
ok "the guest reboots" stock-xl reboot g
ok "the guest comes back" await 60 lives_anew g "$(cat /tmp/old)"
is "$(bound g)" "6 7 8" "the rebooted guest has the same threads"
stock-xl vcpu-pin b all 6-11 all
domid g > /tmp/old
stock-xl vcpu-pin b 0 6 all
stock-xl vcpu-pin b 1 8 all
ok "the guest reboots while another is bound to its threads" stock-xl reboot g
ok "the guest comes back without threads" \
    await 60 lives_anew g "$(cat /tmp/old)"
is "$(affinity g 0)" "all / 6-11" "the guest without threads prefers its node"
remove b g

created idle a memory=64 vcpus=3 'nodes="0"' "$thread"
ok "a guest with three threads is saved" xl save a /tmp/a.save
ok "another guest takes two of its threads" created idle b memory=64 vcpus=2 \
    'nodes="0"' "$thread"
is "$(bound b)" "0 1" "the threads of a saved guest are free"
ok "the saved guest is restored" restore
is "$(bound a)" "2 3 4" "the restored guest has threads that are free now"
remove a
ok "a guest takes two of the last four threads" \
    created idle c memory=64 vcpus=2 'nodes="0"' "$thread"
ok "the saved guest is not restored without enough threads" expect 1 restore
ok "the error says how many threads are free" \
    says "nodes_cpus=\"thread\": 3 vCPUs need a free \
thread each, node 0 has 2 free"
remove b c
done_testing
