# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The cards of the topology's 'pci' lines, sourced by rig. With --with-pci, they are
# on a network with dom0, and there is an IOMMU, so that guests can have them.
# The addresses: dom0 is 10.1.0.1, the guest with the first card is 10.1.0.2.

pci_is_wanted() {
    [[ " ${wanted[*]} " == *' pci '* ]]
}

pci_check() {
    pci_is_wanted || return 0
    ((${#pci_nodes[@]} > 0)) ||
        fail "--with-pci needs a topology with a line 'pci node=0'"
    # QEMU's processors are AMD's to Xen, which does not share their page tables.
    xen_options+=(iommu=no-sharept)
}

# A host bridge of its own is what carries a node in the ACPI tables.
pci_card() { # BUS NODE [NETDEV]
    qemu_cards+=(
        -device "pxb-pcie,id=pxb$1,bus_nr=$1,numa_node=$2,bus=pcie.0"
        -device "pcie-root-port,id=rp$1,bus=pxb$1,chassis=$1,slot=1"
        -device "e1000e,bus=rp$1,romfile=${3:-}")
}

# Sets $netdev to the options of the card on the network that has this number.
pci_netdev() { # NUMBER
    local id=hub$1
    qemu_cards+=(-netdev "hubport,hubid=0,id=$id")
    printf -v netdev ',netdev=%s,mac=52:54:00:00:01:%02x' "$id" "$1"
}

# Fills $qemu_iommu and $qemu_cards, QEMU's arguments for these. An IOMMU must
# be there before other devices are.
pci_qemu() {
    local n bus=32 number=1 netdev=''
    qemu_iommu=() qemu_cards=()
    if pci_is_wanted; then
        qemu_iommu=(-device intel-iommu,intremap=on)
        pci_netdev 1
        qemu_cards+=(-device "virtio-net-pci,bus=pcie.0,romfile=$netdev")
    fi
    for n in "${pci_nodes[@]}"; do
        ! pci_is_wanted || pci_netdev $((++number))
        pci_card $bus "$n" "$netdev"
        ((bus += 8))
    done
}
