# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/killed-moves.sh
# rig: --topology 4node --timeout 14400 --put tests/rig/killed-moves.sh:/root/killed-moves.sh
# long: a hundred moves, and as many reboots
#
# A hundred moves that are interrupted, half of them of a PV guest. The arguments
# are how many of each kind.

. /root/killed-moves.sh

interrupt_moves idle-pvh "${1:-50}"
interrupt_moves idle "${2:-50}"
done_testing
