# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/numa-info.sh
# rig: --topology odd --put tests/rig/numa-info.sh:/root/numa-info.sh
#
# xl numa-info on nodes without CPUs and without memory, and with PCI devices.

. /root/numa-info.sh

hardware
done_testing
