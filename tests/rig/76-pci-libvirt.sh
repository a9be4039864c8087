# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology tests/rig/pci-cards.topology --with-pci --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh
# libvirt: libvirtd assigns the cards
# thorough: libxl takes a quarter of a minute to end an idle guest with a card
#
# <hostdev> under libvirt: the domain is on the node of the device.

. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh
# shellcheck source=tools/rig/pci/pci.sh
. /root/pci.sh

first=$(card_node 1) second=$(card_node 2)

hostdev() { # MANAGED CARD...
    managed=$1
    shift
    echo "<devices>"
    for hostdev_card; do
        address=$(card "$hostdev_card")
        bus=${address#*:}
        printf '%s\n' \
            "<hostdev mode='subsystem' type='pci' managed='$managed'><source>" \
            "<address domain='0' bus='0x${bus%%:*}' slot='0' function='0'/>" \
            "</source></hostdev>"
    done
    echo "</devices>"
}

try() { # NAME [XML...]
    try_name=$1
    shift
    virsh_create idle "$try_name" 120 1 "$@" > "$out" 2>&1
}

domain() {
    try "$@" || { cat "$out"; return 1; }
}

# libvirtd takes the devices back, whereas after xl destroy it does so later.
ended() { # NAME
    ok "$1: the domain ends" quiet virsh destroy "$1"
}

affinity_is() { # NAME NODE
    is "$(affinity "$1")" "all / $(cpus_of "$2")" \
        "$1: the vCPU prefers the CPUs of that node"
}

creates() {
    ok "a domain with a managed <hostdev> is created" \
        domain managed "$(hostdev yes 1)"
    is "$(nodes_of managed)" "$first" \
        "managed: every page is on the node of the device"
    affinity_is managed "$first"
    ended managed
    ok "all cards are made assignable by hand" assignable 1 2 3
    ok "a domain with three devices is created" \
        domain three "$(hostdev no 1 2 3)"
    is "$(nodes_of three)" "$second" \
        "three: every page is on the node of two of its devices"
    ended three
}

refused() {
    try absent "$(hostdev no 10)"
    ok "a <hostdev> that does not exist is refused" test -z "$(domid absent)"
    ok "virsh prints why" grep -qF \
        "PCI device $(card 10) does not exist on this host" "$out"
}

# As an administrator keeps it.
defined() {
    domain_xml idle kept 120 1 "$(hostdev yes 3)" > /tmp/kept.xml
    quiet virsh define /tmp/kept.xml
    ok "a defined domain with a <hostdev> starts" quiet virsh start kept
    is "$(nodes_of kept)" "$second" \
        "kept: every page is on the node of the device"
    ok "xl numa-plan says the same of the XML" \
        test "$(xl numa-plan /tmp/kept.xml 2> "$err" |
            grep -c "memory from node $second,")" = 1
    ended kept
    quiet virsh undefine kept
}

ok "libvirtd starts with the module" placing_libvirtd_start
creates
refused
defined
is "$(ls /run/xen/numa-libvirt)" "" "no file of the hook is left"
is "$(ls /run/xen/numa)" lock "no reservation is left"
done_testing
