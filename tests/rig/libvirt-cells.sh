# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# A guest with three cells, which idles, for libvirt. Sourced behind saved-vnodes.sh
# and tools/rig/dom0/libvirt.sh.
#
#   firmware_for_libvirt     lets libvirt's HVM guests be ones that idle
#   cells_xml NODE NODE NODE prints its XML: the node that each cell is to be on
#   make_cells NODE NODE NODE
#                            makes it, and looks where it is

# libvirt has no word for the firmware, so ours is where libxl looks for it.
firmware_for_libvirt() {
    # shellcheck disable=SC2154 # rig.sh has it
    mkdir -p "$xen_firmware" /usr/share/seabios
    cp /boot/guest-hvm "$xen_firmware/hvmloader"
    cp /boot/hvm-bios /usr/share/seabios/bios-256k.bin
}

siblings() { # DISTANCE...
    echo "<distances>"
    for number in 0 1 2; do
        echo "<sibling id='$number' value='$1'/>"
        shift
    done
    echo "</distances>"
}

cells_xml() {
    echo "<domain type='xen'><name>v</name>"
    echo "<uuid>9a3b6c52-6d35-4a35-8f0e-2f6f0a5f6d11</uuid>"
    echo "<memory unit='MiB'>92</memory><vcpu>4</vcpu>"
    echo "<os><type arch='x86_64' machine='xenfv'>hvm</type></os>"
    echo "<numatune>"
    for number in 0 1 2; do
        echo "<memnode cellid='$number' mode='strict' nodeset='$1'/>"
        shift
    done
    echo "</numatune><cpu><numa>"
    echo "<cell id='0' cpus='0' memory='24' unit='MiB'>$(siblings 10 21 31)</cell>"
    echo "<cell id='1' cpus='1-2' memory='36' unit='MiB'>$(siblings 21 10 31)</cell>"
    echo "<cell id='2' cpus='3' memory='32' unit='MiB'>$(siblings 31 31 10)</cell>"
    echo "</numa></cpu></domain>"
}

make_cells() {
    cells_xml "$@" > /tmp/v.xml
    ok "a guest with three cells is made" quiet virsh create /tmp/v.xml
    note_vnodes
    is_back "created" "$*"
}
