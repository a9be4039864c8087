# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology odd --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh
# libvirt: its words on a host with surprises
# thorough: what it tests beyond 91 is the topology
#
# libvirt's words where a node has no memory and another has no CPUs.

. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

mib=100

# Xen may have swapped their numbers.
without_memory=$(numa_info | awk '$2 == 0 { print $1 }')
without_cpus=$({ cpu_list; numa_info; } | awk '
    NF == 2 { cpus[$2]++ }
    NF > 2 && !cpus[$1] { print $1 }')

# Any node whose distance is the least that there is to memory.
is_nearest() { # FROM NODE
    echo "nodes: $2"
    for node in $(nodes); do
        distance "$1" "$node"
    done | sort -n | head -n 1 | grep -qx "$(distance "$1" "$2")"
}

nearest_cpus() { # FROM
    for node in $(cpu_list | awk '{ print $2 }' | sort -u); do
        echo "$(distance "$1" "$node") $node"
    done | sort -n -k 1,1 -k 2,2 | awk 'NR == 1 { print $2 }'
}

guest() { # CONFIG VCPUS [XML...]
    guest_config=$1
    shift
    virsh_create "$guest_config" g $mib "$@" > "$out" 2>&1 || cat "$out"
}

drop() {
    virsh destroy g > "$out" 2>&1 || cat "$out"
    await 30 nothing_dies
}

memory() { # MODE NODES
    echo "<numatune><memory mode='$1' nodeset='$2'/></numatune>"
}

cpus_without_memory() { # CONFIG
    cpus=$(cpus_of "$without_memory")
    guest "$1" "<vcpu cpuset='$cpus'>1</vcpu>"
    ok \
        "$1: <vcpu cpuset> on node $without_memory without memory takes the nearest" \
        is_nearest "$without_memory" "$(nodes_of g)"
    is "$(affinity g | cut -d ' ' -f 1)" "$cpus" \
        "$1: the vCPU is bound to these CPUs"
    drop
}

memory_without_cpus() { # CONFIG
    guest "$1" 1 "$(memory strict "$without_cpus")"
    is "$(nodes_of g)" "$without_cpus" \
        "$1: with strict on node $without_cpus, without CPUs, every page is there"
    is "$(affinity g)" "all / $(home_cpus_of "$(nearest_cpus "$without_cpus")")" \
        "$1: the vCPU prefers the nearest CPUs"
    drop
}

# shellcheck disable=SC2046,SC2086 # words
everywhere() {
    guest idle 1 "$(memory interleave "$(nodes | tr ' ' ',')")"
    ok "interleave over all nodes with memory gives equal shares" \
        shares_even g $(nodes)
    drop
}

no_memory_there() {
    before=$(rig-free)
    guest idle 1 "$(memory strict "$without_memory")"
    ok "virsh's error says why strict on a node without memory fails" \
        grep -F "node $without_memory has no memory" "$out"
    ok "nothing is left of the refused domain" nothing_left "$before"
    guest idle 1 "$(memory preferred "$without_memory")"
    ok "preferred on a node without memory takes the nearest node" \
        is_nearest "$without_memory" "$(nodes_of g)"
    drop
}

ok "libvirtd starts with the module" placing_libvirtd_start
for config in idle idle-pvh; do
    cpus_without_memory $config
    memory_without_cpus $config
done
everywhere
no_memory_there
done_testing
