# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/vnodes-there.sh disable=SC2317
# rig: --pair 4node uneven --timeout 1800 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh --put tests/rig/two-hosts.sh:/root/two-hosts.sh --put tests/rig/vnodes-there.sh:/root/vnodes-there.sh --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh --put tests/rig/libvirt-listens.sh:/root/libvirt-listens.sh --put tests/rig/libvirt-cells.sh:/root/libvirt-cells.sh
# libvirt: its <cell>s
# hvm: only HVM guests can have virtual nodes
# thorough: two machines, with libvirt
#
# virsh migrate sends a guest with <cell>s to another host, and back: each frame is on
# the node that the XML names for its cell. A libvirt there without the module takes
# nothing, and the guest runs on here.

. /root/vnodes-there.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh
# shellcheck source=tests/rig/libvirt-cells.sh
. /root/libvirt-cells.sh

guests_there() {
    peer rig-xen domains | awk '$2 > 0'
}

listen() {
    firmware_for_libvirt
    sh /root/libvirt-listens.sh 1
}

listen_there() {
    on_peer '. /root/libvirt.sh; . /root/libvirt-cells.sh; firmware_for_libvirt
        sh /root/libvirt-listens.sh 2'
}

goes_there() {
    ok "virsh migrate sends it to the other host" \
        quiet virsh migrate --live v xen+tcp://rig2/system
    is "$(guest_domids)" "" "it is not here any more"
    ok "it runs there, with each frame on the node of its cell" \
        there is_back "migrated" "3 1 2"
}

comes_back() {
    ok "it comes back" quiet peer virsh migrate --live --p2p v xen+tcp://rig1/system
    is "$(guests_there)" "" "it is not there any more"
    is_back "back" "3 1 2"
}

refused_without_module() {
    ok "libvirtd there ends" on_peer '. /root/libvirt.sh; libvirtd_stop'
    ok "it starts without the module" \
        on_peer '. /root/libvirt.sh; libvirtd_options=--listen libvirtd_start'
    ok "a libvirt without the module does not take the guest" \
        sh -c '! virsh migrate --live v xen+tcp://rig2/system > /tmp/stock 2>&1'
    sed 's/^/# /' /tmp/stock
    is "$(guests_there)" "" "nothing is left of it there"
    is_back "not migrated" "3 1 2"
    ok "libvirtd there runs on" peer virsh uri
}

ok "libvirtd runs here" listen
ok "libvirtd runs there" listen_there
make_cells 3 1 2
goes_there
comes_back
refused_without_module
virsh destroy v > /dev/null
await 30 nothing_dies
nothing_of_ours
done_testing
