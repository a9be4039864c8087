# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh disable=SC2317
# rig: --topology 4node --timeout 1200 --put tests/rig/saved-vnodes.sh:/root/saved-vnodes.sh
# libvirt: its <cell>s
# hvm: only HVM guests can have virtual nodes
# thorough: HVM guests, which are slow to make
#
# virsh saves and restores a guest with <cell>s: each frame is then on the node that
# the XML names for its cell. A libvirt without the module refuses the file.

. /root/saved-vnodes.sh
# shellcheck source=tools/rig/dom0/libvirt.sh
. /root/libvirt.sh

driver_log=/var/log/libvirt/libxl/libxl-driver.log

with_module() {
    libvirtd_start "$(sed -n 's/^Environment=//p' \
        /etc/systemd/system/libvirtd.service.d/zz-xl-numa.conf)"
}

# shellcheck disable=SC2154 # rig.sh has it
# libvirt has no word for the firmware, so ours is where libxl looks for it.
start() {
    mkdir -p "$xen_firmware" /usr/share/seabios
    cp /boot/guest-hvm "$xen_firmware/hvmloader"
    cp /boot/hvm-bios /usr/share/seabios/bios-256k.bin
    xl-numa-libvirt enable
    with_module
}

siblings() { # DISTANCE...
    echo "<distances>"
    for number in 0 1 2; do
        echo "<sibling id='$number' value='$1'/>"
        shift
    done
    echo "</distances>"
}

xml() { # NODE-OF-EACH-CELL...
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

# Of Xen's report: FIRST END VCPUS of each virtual node, in MiB.
note_vnodes() {
    report_of_vnodes | tr -d , | awk '
        function hex(text,    i, value) {
            for (i = 1; i <= length(text); i++)
                value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
            return value
        }
        $2 == "pnode" { vcpus = $NF }
        $2 == "-" { print hex($1) / 1048576, hex($3) / 1048576, vcpus }' \
        > /tmp/vnodes
    sed 's/^/# /' /tmp/vnodes
}

make_guest() {
    xml 3 1 2 > /tmp/v.xml
    ok "a guest with three cells is made" quiet virsh create /tmp/v.xml
    note_vnodes
    is_back "created" "3 1 2"
}

saved() {
    ok "$1: it is saved" quiet virsh save v /tmp/saved/v
    is "$(guest_domids)" "" "$1: it is not here any more"
}

log_has() { # TEXT
    grep -qF "$1" "$driver_log" ||
        { tail -n 5 "$driver_log"; return 1; }
}

restored() { # HOW NODES
    ok "$1: it is restored" quiet virsh restore /tmp/saved/v
    rm /tmp/saved/v
    is_back "$1" "$2"
}

# Another guest has what was the third cell's.
full() {
    saved "with a full node"
    created idle-pvh ballast 'nodes="2"' memory=$(($(free_mib 2) - 16))
    ok "it is restored" quiet virsh restore /tmp/saved/v
    rm /tmp/saved/v
    nodes=$(vnodes_of)
    is "$(echo "$nodes" | sed 's/[013]$/another/')" "3 1 another" \
        "the third cell is on another node: $nodes"
    remove ballast
    is_back "restored where a node is full" "$nodes"
    ok "the log says so" log_has "not available from node 2 alone: other nodes"
}

foreign() {
    saved "without the module"
    libvirtd_stop
    libvirtd_start
    ok "a libvirt without the module does not restore it" \
        sh -c '! virsh restore /tmp/saved/v > /tmp/stock 2>&1'
    await 30 nothing_dies
    is "$(guest_domids)" "" "and leaves nothing"
    ok "its daemon runs on" libvirtd_stop
    with_module
    restored "by a libvirt that has the module" "3 1 2"
}

managed() {
    mount --bind /tmp/saved /var/lib/libvirt/libxl/save
    ok "it is defined" quiet virsh define /tmp/v.xml
    ok "virsh managedsave saves it" quiet virsh managedsave v
    ok "virsh start restores it" quiet virsh start v
    is_back "restored by virsh start" "3 1 2"
}

reboots() {
    old=$(domid v)
    xenstore-write "/local/domain/$old/control/shutdown" reboot
    ok "it reboots" await 120 lives_anew v "$old"
    is_back "rebooted" "3 1 2"
}

ok "libvirtd starts with the module" start
make_guest
saved "in a file"
restored "from a file" "3 1 2"
full
foreign
managed
virsh destroy v > /dev/null
await 30 nothing_dies
ok "started, it is made anew" quiet virsh start v
is_back "made anew" "3 1 2"
reboots
virsh destroy v > /dev/null
await 30 nothing_dies
is "$(leftovers)" "" "nothing is left"
done_testing
