# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology tests/rig/threads.topology
#
# nodes_cpus="thread": each vCPU on a thread of its own, siblings on one core, on
# a host of two nodes with three cores of two threads each.

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
ok "four vCPUs on node 0" created idle a memory=64 vcpus=4 'nodes="0"' "$thread"
is "$(bound a)" "0 1 2 3" "each has a thread"
# shellcheck disable=SC2046 # words
is "$(cores_of $(bound a))" "0 0 1 1" "vCPUs 0 and 1 on one core, 2 and 3 too"
is "$(affinity a 0 | cut -d ' ' -f 3)" all "they prefer nothing else"
is "$(nodes_of a)" 0 "the memory is there"

before=$(rig-free)
ok "three more there: status 3" expect 3 create idle b memory=64 vcpus=3 \
    'nodes="0"' "$thread"
ok "two threads are free" says 'nodes_cpus="thread": 3 vCPUs need a free thread \
each, node 0 has 2 free'
ok "nothing is left of it" free_within 64 "$before"
ok "three where the plan chooses" created idle b memory=64 vcpus=3 "$thread"
is "$(bound b)" "6 7 8" "are on the other node"

ok "a core on node 0" created idle c memory=64 'nodes="0"' 'nodes_cpus="core"'
is "$(bound c)" "4-5" "is one without another's threads"
ok "a core on node 1" created idle d memory=64 'nodes="1"' 'nodes_cpus="core"'
is "$(bound d)" "10-11" "is not the one with a thread idle"
ok "one thread more: status 3" expect 3 create idle e memory=64 "$thread"
ok "as all cores are taken" says '1 vCPU needs a free thread, nodes 0-1 have 0'
remove c d

ok "lists" created idle c memory=64 vcpus=2 "$thread" 'cpus=["5","4-5"]'
is "$(bound c)" "5 4" "each vCPU has a thread of its list"
remove a b c

# While it is in flight, its vCPUs have no affinity yet.
hold 1 64 "$thread" vcpus=3
ok "two vCPUs beside a create in flight" \
    created idle b memory=64 vcpus=2 'nodes="1"' "$thread"
is "$(bound b)" "10 11" "get the core that it does not have"
go_on
is $? 0 "the one in flight goes on"
is "$(bound g)" "6 7 8" "with its own"

domid g > /tmp/old
ok "it reboots" stock-xl reboot g
ok "and comes back" await 60 lives_anew g "$(cat /tmp/old)"
is "$(bound g)" "6 7 8" "on the same threads"
stock-xl vcpu-pin b all 6-11 all
domid g > /tmp/old
stock-xl vcpu-pin b 0 6 all
stock-xl vcpu-pin b 1 8 all
ok "it reboots while another is bound to its threads" stock-xl reboot g
ok "and still comes back" await 60 lives_anew g "$(cat /tmp/old)"
is "$(affinity g 0)" "all / 6-11" "with a soft affinity"
remove b g

created idle a memory=64 vcpus=3 'nodes="0"' "$thread"
ok "it is saved" xl save a /tmp/a.save
ok "another takes two of its threads" created idle b memory=64 vcpus=2 \
    'nodes="0"' "$thread"
is "$(bound b)" "0 1" "which are free then"
ok "it is restored" restore
is "$(bound a)" "2 3 4" "on threads that are free now"
remove a
ok "two more of them" created idle c memory=64 vcpus=2 'nodes="0"' "$thread"
ok "now there are too few: it is not restored" expect 1 restore
ok "and the reason is reported" says "nodes_cpus=\"thread\": 3 vCPUs need a free \
thread each, node 0 has 2 free"
remove b c
done_testing
