# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/killed-moves.sh
# rig: --topology 4node --put tests/rig/killed-moves.sh:/root/killed-moves.sh
#
# A few moves that are interrupted, of a PVH and of a PV guest; 69-moves-killed
# has a hundred.

. /root/killed-moves.sh

interrupt_moves idle-pvh "${1:-2}"
interrupt_moves idle "${1:-2}"
done_testing
