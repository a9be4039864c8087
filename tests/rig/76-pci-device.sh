# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology tests/rig/pci-cards.topology --with-pci --timeout 1800
# linux: it uses the cards
# hvm: one of the guests is HVM
# threads: in one, a guest that takes interrupts gets some of them twice
# thorough: Linux boots three times, once as HVM
#
# Network cards that are on nodes are assigned to guests. The memory is beside the
# card, and the guests ping dom0 through it.

. /root/lib.sh
# shellcheck source=tools/rig/pci/pci.sh
. /root/pci.sh

first=$(card_node 1) second=$(card_node 2)

pci() { # CARD...
    printf 'pci=['
    for pci_card; do
        printf '"%s",' "$(card "$pci_card")"
    done
    echo ']'
}

planned() { # KEY=VALUE...
    xl numa-plan /root/idle.cfg "$@" 2> "$err" |
        sed -n '1s/.*memory from nodes* \([^ ,]*\),.*/\1/p'
}

choice() {
    ok "without a card, the plan uses a node without one" \
        test "$(planned | grep -cxv "$first\|$second")" = 1
    is "$(planned "$(pci 1)")" "$first" "the plan uses the node of a card"
    is "$(planned "$(pci 3)")" "$second" "the plan uses the node of another card"
    is "$(planned "$(pci 1 2 3)")" "$second" \
        "of the nodes of three cards, the plan uses that of two"
    is "$(planned "$(pci 1 2)" memory=1200)" "$first-$second" \
        "the plan of a large guest uses the nodes of both its cards"
    is "$(planned "$(pci 1)" "nodes=\"$second\"")" "$second" \
        "nodes= comes before the node of a card"
}

# libxl would find out when the guest is built, and say so in six lines. It would
# also forget that another domain has the device.
is_refused() { # WHAT REASON CREATE-ARG...
    refused_what=$1 refused_reason=$2
    shift 2
    refused_before=$(rig-free)
    refused_keys=$(xenstore_keys 2> "$out")
    ok "$refused_what is refused with the status of the installed xl" \
        expect 3 create "$@"
    is "$(grep error: "$err")" "numa: error: '$2': $refused_reason" \
        "$refused_what: one line says why"
    is "$(xenstore_keys 2> "$out")" "$refused_keys" \
        "$refused_what: nothing of the guest is left in xenstore"
    ok "$refused_what: the free memory is as before" \
        free_within 64 "$refused_before"
}

refused() {
    for type in idle pv-pci hvm-pci; do
        is_refused "$type: a device that does not exist" \
            "PCI device 0000:99:00.0 does not exist on this host" \
            $type g 'pci=["0000:99:00.0"]'
    done
    is_refused "a device that is not assignable" \
        "PCI device $(card 3) is not assignable: run\
 'xl pci-assignable-add $(card 3)', unless another domain has it" \
        idle g "$(pci 3)"
}

taken() {
    is_refused "a device of another domain" \
        "PCI device $(card 1) is not assignable: run\
 'xl pci-assignable-add $(card 1)', unless another domain has it" \
        idle g "$(pci 1)"
    is "$(stock-xl pci-list large | awk 'NR > 1 { print $2 }' | one_line)" \
        "$(card 1) $(card 2)" "the other domain keeps its devices"
}

# By `xl pci-assignable-add -n`.
named() {
    ok "a create by the name of a device is placed, too" \
        created idle n 'pci=["name=third"]'
    is "$(nodes_of n)" "$second" "every page is on the node of the named device"
    remove n
    is_refused "a name that no device has" \
        "no assignable PCI device has the name 'fourth':\
 'xl pci-assignable-list' shows the names" idle g 'pci=["name=fourth"]'
}

# An idle guest has no driver for its cards: libxl waits for one when it ends.
large() {
    ok "a large guest with two cards is created" \
        created idle large "$(pci 1 2)" memory=1200
    ok "its memory is in equal shares on the nodes of its cards" \
        shares_even large "$first" "$second"
    taken
    remove large
}

pings() { # NAME CARD
    say_to "$1" 'ping 10.1.0.1'
    await 300 console_has "$1" \
        "GUEST-PINGED 10.1.0.1 from 10.1.0.$(($2 + 1))" ||
        { tail -n 20 "/var/log/xen/console/guest-$1.log"; return 1; }
}

# A PV guest exchanges its buffer for DMA, of 8 MiB, for memory below 4 GiB, which
# may be on another node.
beside() { # NAME NODE BUFFER-PAGES
    beside_pages=$(pages_of "$1")
    echo "$beside_pages"
    echo "$beside_pages" | awk -v node="$2" -v buffer="$3" '
        $1 != node { away += $2 }
        $1 == node { here = $2 }
        END { exit !(here > 30000 && away + 0 <= buffer) }'
}

hvm_pings() {
    ok "an HVM guest with a card is created" created hvm-pci h "$(pci 3)"
    is "$(nodes_of h)" "$second" "HVM: every page is on the node of the card"
    ok "HVM: Linux starts" await 900 console_has h GUEST-UP
    ok "HVM: the guest pings dom0 through its card" pings h 3
    is "$(nodes_of h)" "$second" \
        "HVM: every page is still on the node of the card"
    remove h
}

pv_pings() {
    ok "a PV guest with a card is created" created pv-pci p "$(pci 1)"
    is "$(nodes_of p)" "$first" "PV: every page is on the node of the card"
    ok "PV: Linux starts" await 300 console_has p GUEST-UP
    ok "PV: the guest pings dom0 through its card" pings p 1
    ok "PV: every page but its buffer for DMA is still there" \
        beside p "$first" 2048
}

# Guest and dom0 have agreed on what the guest has (XenbusStateConnected), or on
# that it has nothing. libxl waits ten seconds for it.
is_settled() { # NAME
    settled=/local/domain/0/backend/pci/$(domid "$1")/0/state
    case $(xenstore-read "$settled" 2> "$err") in
    4|'') ;;
    *)  return 1 ;;
    esac
}

# Its memory stays; a reboot places it anew.
hot_plug() {
    ok "a card is detached from a running guest" \
        quiet xl pci-detach p "$(card 1)"
    await 60 is_settled p
    ok "another card is attached" quiet xl pci-attach p "$(card 2)"
    ok "the guest pings dom0 through the other card" pings p 2
    ok "its memory stays where it was" beside p "$first" 2048
    ok "a card that does not exist is not attached" \
        expect 1 quiet xl pci-attach p 0000:99:00.0
    was=$(domid p)
    ok "the guest reboots" quiet xl reboot p
    ok "the guest comes back" await 300 lives_anew p "$was"
    ok "Linux starts again" await 300 console_has p GUEST-UP 2
    ok "its memory is on the node of the card that it has now" \
        beside p "$second" 2048
    remove p
}

assignable 1 2
choice
refused
stock-xl pci-assignable-add -n third "$(card 3)" 2> "$err"
named
large
pv_pings
hot_plug
hvm_pings
done_testing
