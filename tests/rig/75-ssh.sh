# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/two-hosts.sh disable=SC2317
# rig: --pair 4node uneven --timeout 1800 --put tests/rig/two-hosts.sh:/root/two-hosts.sh --put docs/examples/create-on-best:/root/create-on-best --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh --put tests/rig/libvirt-listens.sh:/root/libvirt-listens.sh
# ssh: the real command, as administrators use it
# libvirt: it reaches another host by ssh, too
# thorough: two machines, with libvirt
#
# Two hosts that know each other by ssh alone: xl migrate, virsh, and the example script
# that creates a guest on the host where it fits best, as their pages have them.

# shellcheck source=tests/rig/two-hosts.sh
. /root/two-hosts.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh
# shellcheck source=tools/rig/dom0/ssh.sh
. /root/ssh.sh

there() { # NAME: "1" if that guest is there, and not here
    [ -z "$(domid "$1")" ] || echo "here"
    peer rig-xen domains | awk -v name="$1" '$4 == name' | wc -l
}

unknown() {
    created idle-pvh g memory=48 'nodes="1"'
    ok "a host that ssh does not reach gets no guest" \
        expect 1 quiet xl migrate g rig2
    is "$(rig-xen domains | awk '$2 > 0 { print $3, $4 }')" "b g" "it runs here"
    is "$(nodes_of g)" 1 "every page is on its node"
}

by_xl() {
    ok "xl migrate sends it by ssh" quiet xl migrate g rig2
    is "$(there g)" 1 "it is there, and not here"
    is "$(nodes_there g)" 1 "every page is on node 1 there"
    ok "it comes back by ssh" quiet peer xl migrate g rig1
    is "$(nodes_of g)" 1 "every page is on node 1 here"
    remove g
}

on_best() {
    ok "this host lets itself in" ssh_introduce rig1
    printf '%s\n' 'name = "w"' 'type = "pvh"' 'kernel = "/boot/guest"' \
        'vcpus = 1' 'memory = 1100' > /tmp/w.cfg
    peer 'cat > /tmp/w.cfg' < /tmp/w.cfg
    is "$(sh /root/create-on-best /tmp/w.cfg rig1 rig2 2> "$err" || cat "$err")" rig2 \
        "the example script creates a guest on the host where it fits best"
    is "$(there w)" 1 "it is there"
    is "$(nodes_there w | wc -w)" 1 "every page is on one node, $(nodes_there w)"
    peer stock-xl destroy w
}

by_virsh() {
    ok "libvirtd runs here" sh /root/libvirt-listens.sh 1
    ok "libvirtd runs there" peer sh /root/libvirt-listens.sh 2
    ok "a guest with a numatune on node 1 is made" quiet virsh_create idle-pvh g 64 1 \
        "<numatune><memory mode='strict' nodeset='1'/></numatune>"
    ok "virsh migrate sends it by ssh" \
        quiet virsh migrate --live g xen+ssh://rig2/system
    is "$(virsh -c xen+ssh://rig2/system list --name | grep -v Domain-0 | grep .)" g \
        "virsh lists it there"
    is "$(nodes_there g)" 1 "every page is on node 1 there"
    ok "virsh ends it there" quiet virsh -c xen+ssh://rig2/system destroy g
}

unknown
ok "the other host lets this one in" ssh_introduce rig2
ok "this host lets the other one in" peer '. /root/ssh.sh; ssh_introduce rig1'
by_xl
on_best
by_virsh
nothing_of_ours
done_testing
