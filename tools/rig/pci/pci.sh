# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For scripts that run with --with-pci: . /root/pci.sh
#
#   card N                  the address of the Nth card of the topology, from 1 on
#   card_node N             its node
#   assignable N...         guests can have these cards
#   say_to NAME LINE        types a line on the console of a Linux guest
#
# The Nth card is 10.1.0.(N + 1) in the guest that has it; dom0 is 10.1.0.1.

card() {
    printf '0000:%02x:00.0\n' $((0x19 + 8 * $1))
}

card_node() {
    stock-xl info -n | awk -v card="$(card "$1")" '$1 == card { print $2 }'
}

# libxl warns that the card has no driver that could have it back.
assignable() {
    for assignable_card; do
        stock-xl pci-assignable-add "$(card "$assignable_card")" 2> /dev/null ||
            return
    done
}

say_to() {
    echo "$2" > "$(xenstore-read "/local/domain/$(stock-xl domid "$1")/console/tty")"
}
