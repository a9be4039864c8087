# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh disable=SC2317
# rig: --topology 4node --timeout 1200 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh --put tests/rig/libvirt-cells.sh:/root/libvirt-cells.sh
# libvirt: its <cell>s
# hvm: only HVM guests can have virtual nodes
# thorough: HVM guests, which are slow to make
#
# virsh saves and restores a guest with <cell>s: each frame is then on the node that
# the XML names for its cell. A libvirt without the module refuses the file.

. /root/saved-vnodes.sh
# shellcheck source=tools/rig/dom0/libvirt.sh
. /root/libvirt.sh
# shellcheck source=tests/rig/libvirt-cells.sh
. /root/libvirt-cells.sh

driver_log=/var/log/libvirt/libxl/libxl-driver.log

with_module() {
    libvirtd_start "$(sed -n 's/^Environment=//p' \
        /etc/systemd/system/libvirtd.service.d/zz-xl-numa.conf)"
}

start() {
    firmware_for_libvirt
    xl-numa-libvirt enable
    with_module
}

saved() {
    ok "$1: the guest is saved" quiet virsh save v /tmp/saved/v
    is "$(guest_domids)" "" "$1: the guest no longer runs"
}

log_has() { # TEXT
    grep -qF "$1" "$driver_log" ||
        { tail -n 5 "$driver_log"; return 1; }
}

restored() { # HOW NODES
    ok "$1: the guest is restored" quiet virsh restore /tmp/saved/v
    rm /tmp/saved/v
    is_back "$1" "$2"
}

# Another guest has what was the third cell's.
full() {
    saved "with a full node"
    created idle-pvh ballast 'nodes="2"' memory=$(($(free_mib 2) - 16))
    ok "the guest is restored while a node is full" \
        quiet virsh restore /tmp/saved/v
    rm /tmp/saved/v
    nodes=$(vnodes_of)
    is "$(echo "$nodes" | sed 's/[013]$/another/')" "3 1 another" \
        "the third cell is on another node: $nodes"
    remove ballast
    is_back "restored where a node is full" "$nodes"
    ok "the log reports the other node" \
        log_has "not available from node 2 alone: other nodes"
}

foreign() {
    saved "without the module"
    libvirtd_stop
    libvirtd_start
    ok "a libvirt without the module refuses to restore the guest" \
        sh -c '! virsh restore /tmp/saved/v > /tmp/stock 2>&1'
    await 30 nothing_dies
    is "$(guest_domids)" "" "the refused restore leaves nothing"
    ok "the daemon without the module continues to run" libvirtd_stop
    with_module
    restored "by a libvirt that has the module" "3 1 2"
}

managed() {
    mount --bind /tmp/saved /var/lib/libvirt/libxl/save
    ok "the guest is defined" quiet virsh define /tmp/v.xml
    ok "virsh managedsave saves the guest" quiet virsh managedsave v
    ok "virsh start restores the guest" quiet virsh start v
    is_back "restored by virsh start" "3 1 2"
}

reboots() {
    old=$(domid v)
    xenstore-write "/local/domain/$old/control/shutdown" reboot
    ok "the guest reboots" await 120 lives_anew v "$old"
    is_back "rebooted" "3 1 2"
}

ok "libvirtd starts with the module" start
make_cells 3 1 2
saved "in a file"
restored "from a file" "3 1 2"
full
foreign
managed
virsh destroy v > /dev/null
await 30 nothing_dies
ok "a start without a saved state makes the guest anew" quiet virsh start v
is_back "made anew" "3 1 2"
reboots
virsh destroy v > /dev/null
await 30 nothing_dies
is "$(leftovers)" "" "nothing is left"
done_testing
