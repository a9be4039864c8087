# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/two-hosts.sh disable=SC2317
# rig: --pair 4node uneven --timeout 1800 --put tests/rig/two-hosts.sh:/root/two-hosts.sh --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh --put tests/rig/libvirt-listens.sh:/root/libvirt-listens.sh
# libvirt: it migrates
# thorough: two machines, with libvirt
#
# virsh migrate, from one host to another with other nodes: the domain is placed
# there as its XML says.

# shellcheck source=tests/rig/two-hosts.sh
. /root/two-hosts.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

names_there() {
    peer virsh list --name | grep . | sort | one_line
}

quiet() {
    "$@" > "$out" 2>&1 || { cat "$out"; return 1; }
}

# Of its first vCPU.
affinity_there() {
    peer stock-xl vcpu-list "$1" | awk '$4 == 0 { print $(NF - 2), $(NF - 1), $NF }'
}

is_up() { # NAME
    await 60 console_has "$1" "idle: up"
}

ok "libvirtd runs here" sh /root/libvirt-listens.sh 1
ok "and there" peer sh /root/libvirt-listens.sh 2

ok "a domain with a numatune on node 1 is made" quiet virsh_create idle-pvh g 64 1 \
    "<numatune><memory mode='strict' nodeset='1'/></numatune>"
ok "it is up" is_up g
is "$(nodes_of g)" 1 "every page is on node 1"
ok "virsh migrate sends it to the other host" \
    quiet virsh migrate --live g xen+tcp://rig2/system
is "$(virsh list --name | grep .)" Domain-0 "it is not here any more"
is "$(names_there)" "Domain-0 g" "it is there"
is "$(nodes_there g)" 1 "every page is on node 1 of that host"
ok "it comes back" quiet peer virsh migrate --live --p2p g xen+tcp://rig1/system
is "$(names_there)" Domain-0 "it is not there any more"
is "$(nodes_of g)" 1 "every page is on node 1 of this host"
is "$(affinity g)" "all / $(cpus_of 1)" "its vCPU prefers the CPUs there"
virsh destroy g > /dev/null

ok "a domain that chose its node is made" quiet virsh_create idle-pvh h 64 1
ok "it is up" is_up h
ok "virsh migrate sends it, too" quiet virsh migrate --live h xen+tcp://rig2/system
is "$(nodes_there h | wc -w)" 1 "it is on one node there, $(nodes_there h)"
peer virsh destroy h > /dev/null
nothing_of_ours
done_testing
