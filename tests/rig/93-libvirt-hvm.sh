# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# libvirt: its <cell>s
# hvm: no other guest can have virtual nodes
# thorough: HVM guests, which are slow to make
#
# With placement inside libvirtd the virtual nodes of a guest are on the nodes
# that its XML means, and not cell 1 on node 1.

. /root/lib.sh
# shellcheck source=tools/rig/dom0/libvirt.sh
. /root/libvirt.sh

cells="<cpu><numa>
<cell id='0' cpus='0' memory='100' unit='MiB'/>
<cell id='1' cpus='1' memory='100' unit='MiB'/>
</numa></cpu>"

# libvirt has no word for the firmware, so ours is where libxl looks for it.
start() {
    mkdir -p "$xen_firmware" /usr/share/seabios
    cp /boot/hvm-linux "$xen_firmware/hvmloader"
    cp /boot/hvm-bios /usr/share/seabios/bios-256k.bin
    xl-numa-libvirt enable
    libvirtd_start "$(sed -n 's/^Environment=//p' \
        /etc/systemd/system/libvirtd.service.d/zz-xl-numa.conf)"
}

# Paused: nothing of it has to run.
guest() { # [XML...]
    {
        echo "<domain type='xen'><name>g</name>"
        echo "<memory unit='MiB'>200</memory><vcpu>2</vcpu>"
        echo "<os><type arch='x86_64' machine='xenfv'>hvm</type></os>"
        echo "$*$cells</domain>"
    } > /tmp/g.xml
    virsh create --paused /tmp/g.xml > "$out" 2>&1 || cat "$out"
}

drop() {
    virsh destroy g > /dev/null
    await 30 nothing_dies
}

# The node of each cell, by Xen's own account, in a line.
cell_nodes() {
    rig-xen keys u | sed -n 's/.* [0-9]*: pnode *\([0-9]*\), vcpus.*/\1/p' |
        one_line
}

# Some hundred pages of an HVM guest are of no cell.
has_half() { # NODE
    half_pages=$(pages_of g | awk -v node="$1" '$1 == node { print $2 }')
    echo "node $1: $half_pages"
    [ "${half_pages:-0}" -gt 25300 ] && [ "$half_pages" -lt 26100 ]
}

# are_on FIRST SECOND WHAT [XML...]
are_on() {
    first=$1 second=$2 what=$3
    shift 3
    guest "$@"
    is "$(cell_nodes)" "$first $second" "$what: the cells are on their nodes"
    ok "the memory of the first cell is on its node" has_half "$first"
    ok "the memory of the second cell is on its node" has_half "$second"
    is "$(affinity g 0 | sed 's:.*/ ::') $(affinity g 1 | sed 's:.*/ ::')" \
        "$(cpus_of "$first") $(cpus_of "$second")" \
        "the vCPUs of each cell prefer the CPUs of its node"
    drop
}

numatune() { # CELL-0 CELL-1
    echo "<numatune><memnode cellid='0' mode='strict' nodeset='$1'/>" \
        "<memnode cellid='1' mode='strict' nodeset='$2'/></numatune>"
}

refused() {
    guest "$(numatune 1 9)"
    grep -F "'g (cell 1: 100 MiB needed, not available from node 9 alone)'" \
        "$out" && [ -z "$(leftovers)" ]
}

log_has() {
    grep -F "$1" /var/log/libvirt/libxl/libxl-driver.log
}

# Its memory stays where it was when it reboots, since a process maps it, and
# another guest has the rest of the second cell's node.
comes_back() {
    cp /boot/guest-hvm "$xen_firmware/hvmloader"
    guest "$(numatune 0 2)"
    virsh resume g > "$out"
    await 60 console_has g up
    map "$(domid g)" 190
    created idle-pvh ballast 'nodes="2"' memory=$(($(free_mib 2) - 40))
    old=$(domid g)
    xenstore-write "/local/domain/$old/control/shutdown" reboot
    ok "a domain reboots and comes back while a cell has no room" \
        await 120 lives_anew g "$old"
    unmap
    ok "the log reports the other node of the cell" log_has \
        "cell 1: 100 MiB needed, not available from node 2 alone: the domain reboots"
    ok "the memory of that cell is on the other node" has_half 0
    remove ballast
    drop
}

ok "libvirtd starts with the module" start
are_on 3 1 "<memnode>" "$(numatune 3 1)"
are_on 2 0 "<vcpupin>" "<cputune><vcpupin vcpu='0' cpuset='$(cpus_of 2)'/>\
<vcpupin vcpu='1' cpuset='$(cpus_of 0)'/></cputune>"
are_on 1 3 "<memory nodeset>" \
    "<numatune><memory mode='strict' nodeset='1,3'/></numatune>"
ok "virsh's error names a cell that does not fit, and nothing is left" refused
comes_back
done_testing
