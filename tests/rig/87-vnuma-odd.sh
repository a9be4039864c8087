# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# rig: --topology odd
# hvm: only HVM guests can have virtual nodes
# threads: in one, a guest that takes interrupts gets some of them twice
# thorough: it is a boot of its own
#
# A node without CPUs, as memory of an HVM guest and as its virtual node.

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

console=/var/log/xen/console/guest-v.log
memory_node=$(for node in $(nodes); do
    [ "$(nr_cpus_of "$node")" -gt 0 ] || echo "$node"
done)

guest_node() { # NODE: what the guest's kernel says of it
    sed -n "s/^GUEST-NODE $1 \(.*\) memory=.*/\1/p" "$console" | tr -d '\r'
}

pages_off() { # NAME NODE: what is not there
    pages_of "$1" | awk -v node="$2" '
        $1 != node { off += $2 }
        END { print off + 0 }'
}

xl create -p /root/hvm.cfg 'name="v"' memory=200 "nodes_mem=\"$memory_node\"" \
    > "$out" 2> "$err"
ok "nodes_mem: all but a few pages are on the node without CPUs" \
    test "$(pages_off v "$memory_node")" -le 200
ok "some pages are on the node without CPUs" test -n "$(pages_of v)"
remove v

created hvm v memory=300 vcpus=2 "nodes=\"1,$memory_node\"" 'vnuma="auto"'
ok "with a virtual node for each, half of the pages are there" \
    shares_even v 1 "$memory_node"
is "$(affinity v 0) $(affinity v 1)" \
    "all / $(cpus_of 1) all / $(cpus_of 1)" \
    "the vCPUs prefer the node with CPUs"
ok "the Linux of the guest starts" await 300 console_has v GUEST-UP
is "$(guest_node 0)" \
    "cpus=0-1 distances=10 $(distance 1 "$memory_node")" \
    "the guest's node 0 has all CPUs"
is "$(guest_node 1)" "cpus= distances=$(distance "$memory_node" 1) 10" \
    "the guest's node 1 has none, and its distance is right"
done_testing
