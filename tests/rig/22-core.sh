# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
#
# nodes_cpus="core": each vCPU on a free core of its own, or an error.

. /root/lib.sh

core='nodes_cpus="core"'

# "2 3": the hard affinities of a guest's two vCPUs.
bound() { # NAME
    { affinity "$1" 0; affinity "$1" 1; } | cut -d ' ' -f 1 | one_line
}

bound_of() { # NAME...
    for guest; do
        bound "$guest" | tr ' ' '\n'
    done | sort -n | one_line
}

cpus_in() { # NODE...
    cpu_list | awk -v nodes=" $* " 'index(nodes, " " $2 " ") { print $1 }' |
        sort -n | one_line
}

says() { # LINE
    tail -n 1 "$err"
    tail -n 1 "$err" | grep -qF -e "$1"
}

no_core() { # FREE
    echo "nodes_cpus=\"core\": 2 vCPUs need a free core each, $1 free"
}

sed 's/^/# cpu node: /' /tmp/cpus
ok "a guest with two vCPUs is created on node 1" \
    created idle a memory=64 vcpus=2 'nodes="1"' "$core"
is "$(bound a)" "$(cpus_in 1)" \
    "each vCPU is bound to a core of its own on node 1"
is "$(affinity a 0 | cut -d ' ' -f 3)" all \
    "the vCPUs have no soft affinity of their own"

before=$(rig-free)
ok "two more vCPUs on node 1 are refused with status 3" \
    expect 3 create idle b memory=64 vcpus=2 \
    'nodes="1"' "$core"
ok "the last line says how many are free" says "$(no_core 'node 1 has 0')"
ok "only the first guest exists then" free_within 64 "$before"
ok "the refused guest has no name" expect 1 stock-xl domid b

ok "two vCPUs on nodes that the policy chooses are created" \
    created idle b memory=64 vcpus=2 'nodes="1-2"' "$core"
is "$(bound_of a b)" "$(cpus_in 1 2)" \
    "the vCPUs get the cores that are free on the chosen nodes"
remove b

stock-xl vcpu-pin a 1 all all
ok "a core is free once no vCPU is bound to it" \
    created idle b memory=64 'nodes="1"' "$core"
is "$(affinity b | cut -d ' ' -f 1)" "$(cpus_in 1 | cut -d ' ' -f 2)" \
    "another guest gets the free core"
remove b

xl -v create -n /root/idle.cfg 'name="b"' memory=64 vcpus=2 'nodes="2"' \
    "$core" > /tmp/dry.json 2> "$err"
# shellcheck disable=SC2046 # words
set -- $(cpus_in 2)
ok "xl -v create -n says which cores" \
    grep -qF "vCPUs bound to a core each: CPUs $1, $2" "$err"
ok "xl create -n prints the cores in the configuration" \
    test "$(tr -d ' \n' < /tmp/dry.json |
    sed 's/.*"vcpu_hard_affinity":\(\[\[[0-9,]*\],\[[0-9,]*\]\]\).*/\1/')" \
    = "[[$1],[$2]]"
remove a

# While it is in flight, its vCPUs have no affinity yet.
hold 1 64 "$core" vcpus=2
ok "a create does not get the cores of another create in flight" \
    expect 3 create idle b memory=64 vcpus=2 'nodes="1"' "$core"
ok "an error names the cores that are free" says "$(no_core 'node 1 has 0')"
go_on
is $? 0 "the create in flight goes on"
is "$(bound g)" "$(cpus_in 1)" "its guest has the cores"

# Its old self is no other domain.
domid g > /tmp/old
ok "the guest with cores reboots" stock-xl reboot g
ok "the guest with cores comes back" await 60 lives_anew g "$(cat /tmp/old)"
is "$(bound g)" "$(cpus_in 1)" "the guest is on the same cores after the reboot"
remove g
done_testing
