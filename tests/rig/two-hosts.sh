# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For the tests with two hosts: . /root/two-hosts.sh
#
#   peer COMMAND...      runs it in the other host's dom0
#   nodes_there NAME     the nodes that have pages of that guest over there
#   nothing_of_ours      two tests: nothing is left of what creates, restores and
#                        moves make, on either host

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

peer() {
    rig-peer rig2 "$@"
}

nodes_there() {
    peer rig-pages "$1" | awk '$NF > 0 { print $(NF - 1) }' | one_line
}

traces='find /run/xen/numa /run/xen/numa-libvirt -mindepth 1 ! -name lock 2> /dev/null
    find /tmp /var/lib/xen -name "*.save" 2> /dev/null'

nothing_of_ours() {
    is "$(eval "$traces")" "" "nothing is left on this host"
    is "$(peer "$traces")" "" "nothing is left on the other host"
}
